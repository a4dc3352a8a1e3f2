//! Provers and sealers at our gateway, and those who call for them.

use crate::replay::play::Player;
use crate::replay::{Intended, read};
use crate::stage::{Gate, Stage};

const INTENDED: &[Intended] = &[];

#[tokio::test]
async fn go_provers_hear_what_they_heard() {
    let lines = read(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/prover-gateway.jsonl"));
    let mut stage = Stage::new(&["alice"], Gate::default(), &["AAAA"]).await;
    stage.bind_miner("alice", "f01000");
    let tally = Player::new(&mut stage, INTENDED).play(&lines).await;
    tally.finish("prover-gateway", INTENDED);
}
