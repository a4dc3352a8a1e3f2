//! Whatever comes in as JSON: an error that names the member, or a value that survives being written. Never a panic.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

mod common;

use std::fmt::Debug;
use std::sync::LazyLock;

use common::real_chain::CHAIN;
use proptest::prelude::*;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use venus_core::json::Json;
use venus_core::types::*;

/// A JSON type: how a text is checked, and values of it.
struct Reader {
    name: &'static str,
    check: fn(&str) -> Option<String>,
    valid: Value,
}

/// Reads a text; what was read must survive, and the error is answered.
fn check_json<T: Serialize + DeserializeOwned + PartialEq + Debug>(text: &str) -> Option<String> {
    match serde_json::from_str::<T>(text) {
        Ok(value) => {
            let written = serde_json::to_string(&value).unwrap();
            assert_eq!(serde_json::from_str::<T>(&written).unwrap(), value);
            None
        }
        Err(e) => Some(e.to_string()),
    }
}

fn reader<T: Serialize + DeserializeOwned + PartialEq + Debug>(name: &'static str, value: &T) -> Reader {
    Reader { name, check: check_json::<T>, valid: serde_json::to_value(value).unwrap() }
}

static READERS: LazyLock<Vec<Reader>> = LazyLock::new(|| {
    let block = &CHAIN.at(32).blocks[0];
    let header = &block.header;
    let signed = &block.messages.secp[0];
    let receipt = Receipt { events_root: Some(header.messages), ..Receipt::new(ExitCode::OK, vec![1], 4) };
    let lookup = MessageLookup {
        message: header.messages,
        receipt: receipt.clone(),
        tipset: header.parents.clone().into(),
        height: 5,
    };
    let template = BlockTemplate {
        miner: header.miner,
        parents: header.parents.clone().into(),
        ticket: header.ticket.clone().unwrap(),
        election_proof: header.election_proof.clone().unwrap(),
        beacon_values: header.beacon_entries.clone(),
        messages: block.messages.secp.clone(),
        epoch: 5,
        timestamp: 7,
        winning_post_proof: header.win_post_proof.clone(),
    };
    let block_msg = BlockMsg {
        header: header.clone(),
        bls_messages: header.parents.clone(),
        secp_messages: block.message_cids.clone(),
    };
    vec![
        reader("Message", &Json(signed.message.clone())),
        reader("SignedMessage", signed),
        reader("Signature", &signed.signature),
        reader("BlockHeader", header),
        reader("BlockMsg", &block_msg),
        reader("BlockMessages", &block.messages),
        reader("Tipset", &CHAIN.at(32).tipset),
        reader("MessageReceipt", &receipt),
        reader("MessageLookup", &lookup),
        reader("MiningBaseInfo", &block.info),
        reader("BlockTemplate", &template),
        reader("MsgMeta", &MsgMeta::chain_message(&signed.message)),
        reader("TipsetKey", &TipsetKey::from(header.parents.clone())),
    ]
});

fn nested(open: &str, close: &str) -> String {
    format!("{}{}", open.repeat(10_000), close.repeat(10_000))
}

#[test]
fn json_members_of_a_wrong_kind_are_named() {
    let junk = [
        json!(true),
        json!(-1),
        json!(1.5),
        json!(1e99),
        json!(u64::MAX),
        json!(""),
        json!("text"),
        json!("=="),
        json!("f01é"),
        json!([]),
        json!([[]]),
        json!({}),
        json!([null]),
        json!({"/": "bafy"}),
        json!({"/": 7}),
        Value::Null,
    ];
    for reader in READERS.iter() {
        let Some(members) = reader.valid.as_object() else { continue };
        assert_eq!((reader.check)(&reader.valid.to_string()), None, "{}", reader.name);
        for member in members.keys() {
            for junk in &junk {
                let mut broken = reader.valid.clone();
                broken[member] = junk.clone();
                if let Some(e) = (reader.check)(&broken.to_string()) {
                    let tipset = reader.name == "Tipset";
                    assert!(
                        e.contains(&format!("{member}: ")) || tipset && e.contains("Cids"),
                        "{}: {e}",
                        reader.name
                    );
                    assert!(e.len() < 600, "{e}");
                }
            }
            let mut text = reader.valid.clone();
            text[member] = json!("PLACE");
            for deep in [
                nested("[", "]"),
                nested("{\"a\":", "}").replace(":}", ":1}"),
                "9".repeat(64 << 10),
                format!("\"{}\"", "f".repeat(64 << 10)),
            ] {
                let broken = text.to_string().replace("\"PLACE\"", &deep);
                if let Some(e) = (reader.check)(&broken) {
                    assert!(e.contains(&format!("{member}: ")), "{} {member}: {e}", reader.name);
                    assert!(e.len() < 1000, "an error does not repeat its input: {} bytes", e.len());
                }
            }
        }
    }
}

#[test]
fn json_cut_short_is_an_error() {
    for reader in READERS.iter() {
        let text = reader.valid.to_string();
        for end in (0..text.len()).filter(|end| text.is_char_boundary(*end)) {
            assert!((reader.check)(&text[..end]).is_some(), "{}", &text[..end]);
        }
        assert!((reader.check)(&format!("{text}]")).is_some());
        assert!((reader.check)(&nested("[", "]")).is_some());
        for deep in [nested("{\"Blocks\":[", "]}"), nested("{\"Message\":", "}").replace(":}", ":0}")] {
            // Where the member is unknown, its value is ignored.
            (reader.check)(&deep);
        }
        // What is ignored may be as deep as it likes.
        if let Some(rest) = text.strip_prefix('{') {
            let deep = format!("{{\"Unknown\":{},{rest}", nested("[", "]"));
            assert_eq!((reader.check)(&deep), None, "{}", reader.name);
        }
    }
}

proptest! {
    #[test]
    fn mutated_json_is_read_or_refused(
        reader in any::<prop::sample::Index>(),
        edits in prop::collection::vec((any::<prop::sample::Index>(), "\\PC|[\\[\\]{}\",:0-9\\\\]", 0u8..3), 1..8),
    ) {
        let reader = reader.get(&READERS);
        let mut text: Vec<char> = reader.valid.to_string().chars().collect();
        for (at, new, edit) in edits {
            let at = at.index(text.len());
            let new = new.chars().next().unwrap_or('x');
            match edit {
                0 => text[at] = new,
                1 => drop(text.remove(at)),
                _ => text.insert(at, new),
            }
        }
        (reader.check)(&text.into_iter().collect::<String>());
    }

    #[test]
    fn random_json_is_read_or_refused(text in "\\PC{0,100}") {
        READERS.iter().for_each(|reader| drop((reader.check)(&text)));
    }
}
