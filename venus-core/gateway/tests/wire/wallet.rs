//! A Go wallet at our gateway: registration, more keys and accounts, signing, a locked wallet, a restart.

use crate::replay::play::Player;
use crate::replay::{Instead, Intended, read};
use crate::stage::{Gate, Stage};

/// The random bytes of the two gateway processes of the recording.
pub const CHALLENGES: [&str; 2] =
    ["lKPm1Hz89g8OmucZnazxVcI6FkDMiSCAHXV0EMapoVA=", "i2Al/20Q76WfIKYeNlIYqs+5Tpqa6bTEQon23CiVnWM="];

const NOBODY: &str = "an account that does not exist is refused at once; Go takes it, and refuses the wallet's next registration";
const NONSENSE: &str = "the hub answers itself for a type that no wallet knows, in the wallet's words";

/// What callers see of a wallet that does not support `nobody`.
const WITHOUT_NOBODY: [&str; 2] = [
    r#"{"jsonrpc":"2.0","result":{"Account":"alice","SupportAccounts":["alice","bob"],"ConnectStates":[{"Addrs":["f3tho7tbdrw3xuy6ybz6p5tfc7nsqqa2ozhsrnmhwynrb3keeaeywe3felidbpgvy2wcxktmxcezlpz7pbu5pq","f410fnz6o7a4owcgw33z2zvsxtuf64aoxlmcn4dh5hzy","f17rmosh"#,
    r#"{"jsonrpc":"2.0","result":{"Account":"alice","SupportAccounts":["bob","alice"],"ConnectStates":[{"Addrs":["f17rmoshisxovfjkrox2gpryaupmsalzy2tlaluiq","f3tho7tbdrw3xuy6ybz6p5tfc7nsqqa2ozhsrnmhwynrb3keeaeywe3felidbpgvy2wcxktmxcezlpz7pbu5pq","f410fnz6o7a"#,
];

const INTENDED: &[Intended] = &[
    Intended {
        lines: &[44],
        why: NOBODY,
        instead: Instead::Text(
            "{\"jsonrpc\":\"2.0\",\"id\":12,\"error\":{\"code\":1,\"message\":\"verify user [nobody] failed: verify nobody: Key not found\"}}\n",
        ),
    },
    Intended { lines: &[51], why: NOBODY, instead: Instead::Text(WITHOUT_NOBODY[0]) },
    Intended { lines: &[60, 76], why: NOBODY, instead: Instead::Text(WITHOUT_NOBODY[1]) },
    Intended { lines: &[79, 80, 81], why: NONSENSE, instead: Instead::Nothing },
];

#[tokio::test]
async fn a_go_wallet_hears_what_it_heard() {
    let mut lines = read(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/wallet-gateway.jsonl"));
    // The caller asked before the wallet supported bob, which the note tells when it had its answer.
    let asked = lines.iter().position(|line| line.n == 37).unwrap();
    lines[asked - 2..=asked].rotate_right(1);
    let mut stage = Stage::new(&["alice", "bob"], Gate::default(), &CHALLENGES).await;
    let tally = Player::new(&mut stage, INTENDED).play(&lines).await;
    tally.finish("wallet-gateway", INTENDED);
}
