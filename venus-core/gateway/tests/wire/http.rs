//! Requests over HTTP, made by hand. Those that the proxy or the daemon answers are played against the daemon.

use crate::client::wallet;
use crate::replay::play::Player;
use crate::replay::{Instead, Intended, Line, read};
use crate::stage::{Gate, Stage};
use crate::wallet::CHALLENGES;

const INTENDED: &[Intended] = &[
    Intended {
        lines: &[3],
        why: "nothing is open but health and version; Go's answers 404 to strangers, having no profiler linked",
        instead: Instead::Text("401 Unauthorized\n"),
    },
    Intended {
        lines: &[16],
        why: "T6: disabled means disabled, everywhere",
        instead: Instead::Text("401 Unauthorized\n"),
    },
    Intended {
        lines: &[29],
        why: "a channel is its wallet's: who names another one is refused, Go's gateway does not look",
        instead: Instead::Text(
            "200 OK\n{\"jsonrpc\":\"2.0\",\"id\":1,\"error\":{\"code\":1,\"message\":\"channel 00000000-0000-0000-0000-000000000001 not found \"}}\n",
        ),
    },
    Intended {
        lines: &[51],
        why: "T13: nobody sends requests to a place that the operator did not allow",
        instead: Instead::Text(
            "200 OK\n{\"jsonrpc\":\"2.0\",\"id\":1,\"error\":{\"code\":1,\"message\":\"host key(MINER) : not served here\"}}\n",
        ),
    },
];

/// The lines that the library answers: not `/healthcheck`, and not what is for another component.
fn ours(line: &Line) -> bool {
    !matches!(line.n, 1 | 2 | 52..)
}

#[tokio::test]
async fn requests_over_http_are_answered_as_they_were() {
    let mut lines = read(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/gateway-http.jsonl"));
    lines.retain(ours);
    let gate = Gate { disabled: vec!["carol".into()], ..Gate::default() };
    let mut stage = Stage::new(&["alice", "bob"], gate, &CHALLENGES[1..]).await;
    let wallet = wallet(&lines).start(stage.addr).await;
    let tally = Player::new(&mut stage, INTENDED).play(&lines).await;
    stage.stop().await;
    wallet.await.unwrap();
    tally.finish("gateway-http", INTENDED);
}
