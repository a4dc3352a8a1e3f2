//! A Go wallet at our gateway: registration, more keys and accounts, signing, a locked wallet, a restart.

use crate::replay::play::Player;
use crate::replay::{Intended, read};
use crate::stage::{Gate, Stage};

/// The random bytes of the two gateway processes of the recording.
pub const CHALLENGES: [&str; 2] =
    ["lKPm1Hz89g8OmucZnazxVcI6FkDMiSCAHXV0EMapoVA=", "i2Al/20Q76WfIKYeNlIYqs+5Tpqa6bTEQon23CiVnWM="];

const INTENDED: &[Intended] = &[];

#[tokio::test]
async fn a_go_wallet_hears_what_it_heard() {
    let lines = read(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/wallet-gateway.jsonl"));
    let mut stage = Stage::new(&["alice", "bob"], Gate::default(), &CHALLENGES).await;
    let tally = Player::new(&mut stage, INTENDED).play(&lines).await;
    tally.finish("wallet-gateway", INTENDED);
}
