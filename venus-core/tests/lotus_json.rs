//! Lotus-JSON: lenient reading, exact writing.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

mod common;

use common::real_chain::CHAIN;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use venus_core::cbor::{Decode, Encode};
use venus_core::json::{Json, with_network};
use venus_core::types::*;

const CID: &str = "bafy2bzacecmda75ovposbdateg7eyhwij65zklgyijgcjwynlklmqazpwlhba";

fn read<T: DeserializeOwned>(value: Value) -> T {
    let text = value.to_string();
    serde_json::from_str(&text).unwrap_or_else(|e| panic!("{e} in {text}"))
}

fn error<T: DeserializeOwned>(text: &str) -> String {
    match serde_json::from_str::<T>(text) {
        Ok(_) => panic!("{text} was read"),
        Err(e) => e.to_string(),
    }
}

fn write(value: &impl Serialize) -> String {
    serde_json::to_string(value).unwrap()
}

fn without(mut value: Value, member: &str) -> Value {
    value.as_object_mut().unwrap().remove(member).unwrap_or_else(|| panic!("no {member}"));
    value
}

fn with(mut value: Value, member: &str, new: Value) -> Value {
    value[member] = new;
    value
}

fn header() -> Value {
    serde_json::to_value(&CHAIN.tipsets[0].blocks[0].header).unwrap()
}

fn message() -> Value {
    json!({"Version": 0, "To": "f0100", "From": "f0101", "Nonce": 3, "Value": "7", "GasLimit": 5,
        "GasFeeCap": "6", "GasPremium": "4", "Method": 2, "Params": "gkQ="})
}

#[test]
fn null_empty_and_absent_lists_are_alike() {
    for member in ["BeaconEntries", "WinPoStProof", "Parents"] {
        let empty: BlockHeader = read(with(header(), member, json!([])));
        assert_eq!(empty, read(with(header(), member, Value::Null)), "{member}");
        assert_eq!(empty, read(without(header(), member)), "{member}");
    }
    let block = json!({"Header": header(), "BlsMessages": [], "SecpkMessages": []});
    let empty: BlockMsg = read(block.clone());
    assert_eq!(empty, read(json!({"Header": header()})));
    assert_eq!(empty, read(with(block, "BlsMessages", Value::Null)));
    assert!(read::<BlockMessages>(json!({"BlsMessages": null})).is_empty());
    assert!(read::<BlockMessages>(json!({})).is_empty());
    for key in [json!([]), Value::Null] {
        let lookup: MessageLookup =
            read(json!({"Message": {"/": CID}, "Receipt": {}, "TipSet": key, "Height": 1}));
        assert!(lookup.tipset.is_empty());
    }
}

#[test]
fn null_and_absent_options_and_bytes_are_alike() {
    for member in ["Ticket", "ElectionProof", "BLSAggregate", "BlockSig"] {
        let none: BlockHeader = read(with(header(), member, Value::Null));
        assert_eq!(none, read(without(header(), member)), "{member}");
        assert_ne!(none, read(header()), "{member}");
    }
    let Json(none) = read::<Json<Message>>(without(message(), "Params"));
    for params in [Value::Null, json!("")] {
        assert_eq!(read::<Json<Message>>(with(message(), "Params", params)).0, none);
    }
    assert!(write(&Json(none)).contains(r#""Params":null"#));
}

#[test]
fn absent_numbers_and_amounts_are_zero() {
    let Json(bare) = read::<Json<Message>>(json!({"To": "f0100", "From": "f0101"}));
    assert_eq!((bare.sequence, bare.gas_limit, bare.method_num), (0, 0, 0));
    assert_eq!((bare.value.clone(), bare.gas_premium.clone()), Default::default());
    let nulls = with(with(message(), "Value", Value::Null), "Nonce", Value::Null);
    assert_eq!(read::<Json<Message>>(nulls).0.value, TokenAmount::default());
}

#[test]
fn what_has_no_zero_must_be_there() {
    assert!(error::<Json<Message>>(&without(message(), "To").to_string()).contains("To: missing"));
    let null = with(message(), "From", Value::Null);
    assert!(error::<Json<Message>>(&null.to_string()).contains("From: missing"));
    assert!(
        error::<SignedMessage>(&json!({"Message": message()}).to_string()).contains("Signature: missing")
    );
    let e = error::<BlockHeader>(&without(header(), "ParentStateRoot").to_string());
    assert!(e.contains("ParentStateRoot: missing"), "{e}");
}

#[test]
fn keys_are_read_in_any_case() {
    let Json(expected) = read::<Json<Message>>(message());
    for change in [str::to_lowercase, str::to_uppercase] {
        let members = message().as_object().unwrap().clone();
        let other: Value =
            members.into_iter().map(|(k, v)| (change(&k), v)).collect::<serde_json::Map<_, _>>().into();
        assert_eq!(read::<Json<Message>>(other).0, expected);
    }
}

#[test]
fn unknown_members_are_ignored_and_known_ones_stand_once() {
    let Json(expected) = read::<Json<Message>>(message());
    let extra = with(message(), "Extra", json!({"deep": [1, {"x": null}], "t": "\u{2028}"}));
    assert_eq!(read::<Json<Message>>(extra).0, expected);
    // The derived CID is ignored, also a wrong one.
    assert_eq!(read::<Json<Message>>(with(message(), "CID", json!(7))).0, expected);
    let text = message().to_string();
    let twice = format!(r#"{},"nonce":9}}"#, text.strip_suffix('}').unwrap());
    let first = format!(r#"{{"Nonce":null,{}"#, text.strip_prefix('{').unwrap());
    for text in [twice, first] {
        let error = serde_json::from_str::<Json<Message>>(&text).unwrap_err().to_string();
        assert!(error.starts_with("Nonce: stands twice"), "{error}");
    }
}

#[test]
fn addresses_of_both_networks_are_read_and_written_as_told() {
    let Json(f) = read::<Json<Message>>(message());
    let t = with(with(message(), "To", json!("t0100")), "From", json!("t0101"));
    assert_eq!(read::<Json<Message>>(t).0, f);
    assert!(write(&Json(f.clone())).contains(r#""To":"f0100","From":"f0101""#));
    let inner = with_network(Network::Testnet, || {
        let outer = with_network(Network::Mainnet, || write(&Json(f.clone())));
        assert!(outer.contains(r#""To":"f0100""#), "scopes nest");
        write(&Json(f.clone()))
    });
    assert!(inner.contains(r#""To":"t0100","From":"t0101""#));
    let panicked = std::panic::catch_unwind(|| with_network(Network::Testnet, || panic!("on purpose")));
    assert!(panicked.is_err());
    assert!(write(&Json(f)).contains(r#""To":"f0100""#), "a scope ends with a panic, too");
}

#[test]
fn escapes_are_undone() {
    let escaped = r#"{"To":"\u0066\u00300100","From":"\u00740101"}"#;
    assert!(serde_json::from_str::<Json<Message>>(escaped).is_err(), "f00100 has a leading zero");
    let escaped = r#"{"\u0054o":"\u0066\u0030100","From":"\u0074\u0030101","Params":"\u0067kQ\u003d"}"#;
    let Json(message) = serde_json::from_str::<Json<Message>>(escaped).unwrap();
    assert_eq!((message.to, message.from), (Address::new_id(100), Address::new_id(101)));
    assert_eq!(message.params.bytes(), [0x82, 0x44]);
    let error = error::<Json<Message>>(r#"{"To":"\u003cempty\u003e","From":"f01"}"#);
    assert!(error.contains("To: "), "{error}");
}

#[test]
fn numbers_beyond_53_bits_are_exact() {
    let text = r#"{"To":"f0100","From":"f0101","Nonce":18446744073709551615,"Method":9007199254740993}"#;
    let Json(message) = serde_json::from_str::<Json<Message>>(text).unwrap();
    assert_eq!((message.sequence, message.method_num), (u64::MAX, 9_007_199_254_740_993));
    assert!(write(&Json(message)).contains("18446744073709551615"));
    for bad in ["18446744073709551616", "-1", "1.5", "1e3", "\"1\"", "true"] {
        let e = error::<Json<Message>>(&format!(r#"{{"To":"f0100","From":"f0101","Nonce":{bad}}}"#));
        assert!(e.contains("Nonce: "), "{e}");
    }
}

#[test]
fn big_integers_are_decimal_and_bounded() {
    let value = |text: &str| serde_json::from_value::<Json<BigInt>>(json!(text)).map(|v| v.0);
    assert_eq!(value("-5").unwrap(), BigInt::from(-5));
    for bad in ["", "-", "+1", "0x10", "1_000", "1.0", " 1", "１"] {
        assert!(value(bad).is_err(), "{bad:?} was read");
    }
    assert!(value(&"9".repeat(64 << 10)).is_err());
    // 127 bytes of magnitude fit into CBOR, 128 do not.
    let most: BigInt = (BigInt::from(1) << (127 * 8)) - 1;
    let more: BigInt = &most + 1;
    assert_eq!(value(&most.to_string()).unwrap(), most);
    assert_eq!(BigInt::from_cbor(&most.to_cbor()).unwrap(), most);
    assert!(value(&more.to_string()).is_err());
}

#[test]
fn cids_stand_for_exactly_one_cid() {
    let read = |text: &str| serde_json::from_value::<Json<Cid>>(json!({"/": text})).map(|v| v.0);
    let cid = read(CID).unwrap();
    assert_eq!(write(&Json(cid)), format!(r#"{{"/":"{CID}"}}"#));
    let v0 = "QmdfTbBqBPQ7VNxZEYEj14VmRuZBkqFbiwReogJgS1zR1n";
    assert_eq!(read(v0).unwrap().to_string(), v0, "version 0 is read");
    let mut trailing = cid.to_bytes();
    trailing.extend([1, 2, 3]);
    let trailing = format!("b{}", data_encoding::BASE32_NOPAD.encode(&trailing).to_lowercase());
    for bad in ["", "b", "x", &trailing, &CID[..50], &format!("https://example.com/ipfs/{CID}")] {
        assert!(read(bad).is_err(), "{bad:?} was read");
    }
    assert!(serde_json::from_str::<Json<Cid>>(&format!("\"{CID}\"")).is_err());
}

#[test]
fn message_metadata() {
    let message = &CHAIN.at(32).blocks[0].messages.secp[0].message;
    let meta = MsgMeta::chain_message(message);
    let text = write(&meta);
    assert!(text.starts_with(r#"{"Type":"message","Extra":"igB"#), "{text}");
    assert_eq!(serde_json::from_str::<MsgMeta>(&text).unwrap(), meta);
    assert_eq!(write(&MsgMeta::of(MsgType::Block)), r#"{"Type":"block","Extra":null}"#);
    for kind in MsgType::ALL {
        let text = format!(r#"{{"Type":"{}","Extra":null}}"#, kind.as_str());
        assert_eq!(serde_json::from_str::<MsgMeta>(&text).unwrap(), MsgMeta::of(*kind));
        assert_eq!(write(&MsgMeta::of(*kind)), text);
    }
    assert_eq!(serde_json::from_str::<MsgMeta>(r#"{"Type":""}"#).unwrap(), MsgMeta::default());
    assert!(error::<MsgMeta>(r#"{"Type":"networkresponse"}"#).contains("Type: "));
}

#[test]
fn receipts_have_two_forms_in_cbor_and_one_in_json() {
    let v1 =
        Receipt { events_root: Some(CID.parse().unwrap()), ..Receipt::new(ExitCode::new(33), vec![1], 7) };
    let v0 = Receipt { version: ReceiptVersion::V0, events_root: None, ..v1.clone() };
    for (receipt, head) in [(&v1, 0x84), (&v0, 0x83)] {
        let cbor = receipt.to_cbor();
        assert_eq!(cbor[0], head);
        assert_eq!(Receipt::from_cbor(&cbor).unwrap(), *receipt);
        let json = write(receipt);
        let members: Vec<_> = ["ExitCode", "Return", "GasUsed", "EventsRoot"]
            .iter()
            .map(|m| json.find(&format!("\"{m}\":")).expect("always present"))
            .collect();
        assert!(members.is_sorted(), "{json}");
        let back: Receipt = serde_json::from_str(&json).unwrap();
        assert_eq!(back, Receipt { version: ReceiptVersion::V1, ..receipt.clone() });
    }
    assert_eq!(write(&v0), r#"{"ExitCode":33,"Return":"AQ==","GasUsed":7,"EventsRoot":null}"#);
}

#[test]
fn tipsets_are_rebuilt_from_their_blocks() {
    let tipset = &CHAIN.tipsets[1].tipset;
    let value = serde_json::to_value(tipset).unwrap();
    let blocks: Vec<_> = value["Blocks"].as_array().unwrap().iter().rev().cloned().collect();
    let shuffled = with(with(value.clone(), "Blocks", blocks.into()), "Height", json!(999));
    assert_eq!(read::<Tipset>(shuffled), *tipset);
    assert_eq!(read::<Tipset>(without(value.clone(), "Cids")), *tipset);
    let other = with(value.clone(), "Cids", json!([{"/": CID}]));
    assert!(error::<Tipset>(&other.to_string()).contains("Cids: "));
    for blocks in [json!([]), Value::Null] {
        assert!(error::<Tipset>(&with(value.clone(), "Blocks", blocks).to_string()).contains("Blocks: "));
    }
    let mixed =
        json!([value["Blocks"][0], serde_json::to_value(&CHAIN.tipsets[2].blocks[0].header).unwrap()]);
    let mixed = error::<Tipset>(&json!({"Blocks": mixed}).to_string());
    assert!(mixed.contains("differ in Height"), "{mixed}");
}

#[test]
fn block_templates_travel() {
    let block = &CHAIN.at(32).blocks[0];
    let template = BlockTemplate {
        miner: block.header.miner,
        parents: block.header.parents.clone().into(),
        ticket: block.header.ticket.clone().unwrap(),
        election_proof: block.header.election_proof.clone().unwrap(),
        beacon_values: block.header.beacon_entries.clone(),
        messages: block.messages.secp.clone(),
        epoch: block.header.height,
        timestamp: block.header.timestamp,
        winning_post_proof: block.header.win_post_proof.clone(),
    };
    let text = write(&template);
    assert_eq!(serde_json::from_str::<BlockTemplate>(&text).unwrap(), template);
    let members = [
        "Miner",
        "Parents",
        "Ticket",
        "Eproof",
        "BeaconValues",
        "Messages",
        "Epoch",
        "Timestamp",
        "WinningPoStProof",
    ];
    let value: Value = serde_json::from_str(&text).unwrap();
    let names: Vec<_> = value.as_object().unwrap().keys().map(String::as_str).collect();
    assert!(members.iter().all(|m| names.contains(m)) && names.len() == members.len(), "{names:?}");
    let empty = BlockTemplate { messages: Vec::new(), beacon_values: Vec::new(), ..template };
    assert!(write(&empty).contains(r#""BeaconValues":null,"Messages":null"#));
}

#[test]
fn empty_lists_are_written_as_go_writes_them() {
    let empty = BlockHeader {
        beacon_entries: Vec::new(),
        win_post_proof: Vec::new(),
        ..CHAIN.tipsets[0].blocks[0].header.clone()
    };
    let text = write(&empty);
    assert!(text.contains(r#""BeaconEntries":null,"WinPoStProof":null"#), "{text}");
    let block = BlockMsg { header: empty, bls_messages: Vec::new(), secp_messages: Vec::new() };
    assert!(write(&block).ends_with(r#""BlsMessages":null,"SecpkMessages":null}"#));
    assert_eq!(write(&BlockMessages::default()), r#"{"BlsMessages":[],"SecpkMessages":[],"Cids":[]}"#);
    assert_eq!(write(&TipsetKey::default()), "[]");
}
