//! Go's callers at our gateway: every method at v2 and v1, over WebSocket and HTTP.

use crate::double::Script;
use crate::replay::play::Player;
use crate::replay::{Instead, Intended, read};
use crate::stage::{Gate, Stage};
use crate::wallet::CHALLENGES;

const DATA: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/");

/// What callers get who name no account: the first signature of the recording over the same bytes.
macro_rules! signed {
    ($head:literal, $id:literal) => {
        Instead::Text(concat!(
            $head,
            r#"{"jsonrpc":"2.0","result":{"Type":1,"Data":"eiAFQgBcjIcFmRUFEZNatZRZfTD42k0LxgROO0j/SfNeknHDoN94jqjdxPkb+7/epKU6nIcoLTr414N8A2sp9gE="},"id":"#,
            $id,
            "}\n"
        ))
    };
}

const S9: &str = "S9: no account means every account that has the signer, as the account service says";
const CHANNEL: &str =
    "a channel is its wallet's: who names another one is refused, Go's gateway does not look";
const REVERSE: &str = "T13: nobody sends requests to a place that the operator did not allow";

/// The wallet of the recordings, with its keys and what it answers in `lines`.
pub fn wallet(lines: &[crate::replay::Line]) -> Script {
    let mut script = Script { account: "alice".into(), supports: vec!["bob".into()], ..Script::default() };
    script.register_from(&read(format!("{DATA}wallet-gateway.jsonl")), 29);
    script.answer_from(lines);
    script
}

const INTENDED: &[Intended] = &[
    Intended {
        lines: &[24],
        why: S9,
        instead: Instead::Text("{\"jsonrpc\":\"2.0\",\"result\":true,\"id\":11}\n"),
    },
    Intended {
        lines: &[26],
        why: S9,
        instead: Instead::Text("{\"jsonrpc\":\"2.0\",\"result\":true,\"id\":12}\n"),
    },
    Intended { lines: &[44], why: S9, instead: signed!("", "21") },
    Intended { lines: &[46], why: S9, instead: signed!("", "22") },
    Intended {
        lines: &[131],
        why: S9,
        instead: Instead::Text("200 OK\n{\"jsonrpc\":\"2.0\",\"result\":true,\"id\":11}\n"),
    },
    Intended {
        lines: &[133],
        why: S9,
        instead: Instead::Text("200 OK\n{\"jsonrpc\":\"2.0\",\"result\":true,\"id\":12}\n"),
    },
    Intended { lines: &[151], why: S9, instead: signed!("200 OK\n", "21") },
    Intended { lines: &[153], why: S9, instead: signed!("200 OK\n", "22") },
    Intended {
        lines: &[179],
        why: CHANNEL,
        instead: Instead::Text(
            "200 OK\n{\"jsonrpc\":\"2.0\",\"id\":35,\"error\":{\"code\":1,\"message\":\"channel 01000000-0000-0000-0000-000000000000 not found \"}}\n",
        ),
    },
    Intended {
        lines: &[191],
        why: REVERSE,
        instead: Instead::Text(
            "200 OK\n{\"jsonrpc\":\"2.0\",\"id\":41,\"error\":{\"code\":1,\"message\":\"host key(NOPE) : not served here\"}}\n",
        ),
    },
    Intended {
        lines: &[72],
        why: CHANNEL,
        instead: Instead::Text(
            "{\"jsonrpc\":\"2.0\",\"id\":35,\"error\":{\"code\":1,\"message\":\"channel 01000000-0000-0000-0000-000000000000 not found \"}}\n",
        ),
    },
    Intended {
        lines: &[84],
        why: REVERSE,
        instead: Instead::Text(
            "{\"jsonrpc\":\"2.0\",\"id\":41,\"error\":{\"code\":1,\"message\":\"host key(NOPE) : not served here\"}}\n",
        ),
    },
];

#[tokio::test]
async fn go_callers_get_what_they_got() {
    let lines = read(format!("{DATA}client-gateway.jsonl"));
    let mut stage = Stage::new(&["alice", "bob", "carol"], Gate::default(), &CHALLENGES[1..]).await;
    let wallet = wallet(&lines).start(stage.addr).await;
    let tally = Player::new(&mut stage, INTENDED).play(&lines).await;
    stage.stop().await;
    wallet.await.unwrap();
    tally.finish("client-gateway", INTENDED);
}
