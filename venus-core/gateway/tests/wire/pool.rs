//! sophon-miner and sophon-messager at our gateway. Their wallets are not in the recordings; what they signed is, and it
//! is verified as ever.

use std::collections::BTreeSet;
use std::sync::Arc;

use async_trait::async_trait;
use serde_json::Value;
use venus_core::types::{Address, MsgMeta, MsgType, Signature};
use venus_gateway::{SignatureVerifier, Verifying};

use crate::double::Script;
use crate::replay::play::Player;
use crate::replay::{Line, read};
use crate::stage::{Gate, Stage};

/// Nobody has the private keys any more, so that challenges cannot be answered; everything else is verified.
#[derive(Default)]
struct Unchallenged(Verifying);

#[async_trait]
impl SignatureVerifier for Unchallenged {
    async fn verify(
        &self,
        signer: &Address,
        to_sign: &[u8],
        meta: &MsgMeta,
        signature: &Signature,
    ) -> Result<(), String> {
        match meta.msg_type {
            MsgType::VerifyAddress => Ok(()),
            _ => self.0.verify(signer, to_sign, meta, signature).await,
        }
    }
}

/// The wallet of an account with the keys that callers named, and what it signed.
fn wallet(account: &str, lines: &[Line]) -> Script {
    let mut script = Script { account: account.into(), sign_bytes: "AQ==".into(), ..Script::default() };
    script.answer_from(lines);
    let requests = lines.iter().filter(|line| !line.from_server);
    let params = requests
        .filter_map(|line| serde_json::from_str::<Value>(&line.body).ok())
        .map(|mut r| r["params"].take());
    let own = params.filter(|params| params[1].as_array().is_some_and(|list| list.contains(&account.into())));
    let keys: BTreeSet<String> = own.map(|params| params[0].as_str().unwrap().to_owned()).collect();
    let proof = script.answers.values().flatten().find_map(|answer| answer.clone().ok()).unwrap();
    script.proofs = keys.iter().map(|key| (key.clone(), proof.clone())).collect();
    script.addresses = keys.into_iter().collect();
    script
}

async fn play(name: &str, accounts: &[&str], file: &str) {
    let mut lines = read(format!("{}/tests/data/{file}", env!("CARGO_MANIFEST_DIR")));
    // The recording is a selection: of some connections there is nothing but the end.
    let opened: BTreeSet<u64> =
        lines.iter().filter(|line| line.kind == "http").map(|line| line.conn).collect();
    lines.retain(|line| opened.contains(&line.conn));
    let verifier = Arc::new(Unchallenged::default());
    let mut stage = Stage::verifying(accounts, Gate::default(), &["AAAA"], verifier).await;
    let mut wallets = Vec::new();
    for account in accounts {
        wallets.push(wallet(account, &lines).start(stage.addr).await);
    }
    let tally = Player::new(&mut stage, &[]).play(&lines).await;
    stage.stop().await;
    for wallet in wallets {
        wallet.await.unwrap();
    }
    tally.finish(name, &[]);
}

#[tokio::test]
async fn a_go_miner_gets_what_it_got() {
    play("miner-gateway", &["alice", "bob"], "miner-gateway.jsonl").await;
}

#[tokio::test]
async fn a_go_messager_gets_what_it_got() {
    play("messager-gateway", &["alice"], "messager-gateway.jsonl").await;
}
