#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
#![cfg(feature = "sqlite")]
//! Ten thousand requests at the same time: each is answered and recorded, and of all blocks for a height one is signed.

use std::collections::HashMap;
use std::sync::Arc;

use futures::future::join_all;
use venus_core::api::{ISigner, MessageRequest, SignerError, SignerExt};
use venus_core::entropy::SeededEntropy;
use venus_core::types::{Address, BlockHeader, Cid, Message, MsgMeta, MsgType, TokenAmount};
use venus_signer::audit::{AuditConfig, AuditReader, SqliteAudit};
use venus_signer::policy::{Policy, PolicyConfig};
use venus_signer::slashing::SqliteSlashing;
use venus_signer::{KeyType, LocalWallet, Vault};

const REQUESTS: u64 = 10_000;
/// Blocks that compete for a height.
const RIVALS: u64 = 5;

fn cid(n: u64) -> Cid {
    venus_core::types::blake2b_cid(&n.to_be_bytes())
}

fn block(n: u64) -> BlockHeader {
    BlockHeader {
        miner: Address::new_id(1000),
        ticket: None,
        election_proof: None,
        beacon_entries: Vec::new(),
        win_post_proof: Vec::new(),
        parents: vec![cid(n / RIVALS)],
        parent_weight: n.into(),
        height: (n / RIVALS) as i64,
        parent_state_root: cid(1),
        parent_message_receipts: cid(2),
        messages: cid(3),
        bls_aggregate: None,
        timestamp: 0,
        block_sig: None,
        fork_signaling: 0,
        parent_base_fee: TokenAmount::from_atto(100),
    }
}

/// One request in four is a block, one a message that no rule allows, one a digest, one of no kind at all.
async fn ask(wallet: LocalWallet, worker: Address, n: u64) -> (u64, Result<(), SignerError>) {
    let answer = match n % 4 {
        0 => wallet.sign_block(&worker, &block(n / 4)).await.map(drop),
        1 => {
            let request = MessageRequest::transfer(worker, Address::new_id(1), TokenAmount::from_whole(1));
            let message = Message { sequence: n, gas_limit: 1_000_000, ..request.message };
            wallet.sign_message(&message).await.map(drop)
        }
        2 => {
            let digest = [n.to_be_bytes(); 4].concat();
            wallet.sign(&worker, &digest, &MsgMeta::of(MsgType::Unknown)).await.map(drop)
        }
        _ => wallet.sign(&worker, b"?", &MsgMeta::of(MsgType::Undefined)).await.map(drop),
    };
    (n, answer)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ten_thousand_requests_at_once_are_all_answered_and_recorded() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("keystore.sqlit");
    let audit = SqliteAudit::open(&file, AuditConfig::default()).await.unwrap();
    let wallet = LocalWallet::builder(Vault::in_memory())
        .check(Policy::new(&PolicyConfig::default()).unwrap())
        .slashing(SqliteSlashing::open(&dir.path().join("slashing.sqlite"), "mainnet").await.unwrap())
        .audit(audit.clone())
        .build();
    let worker = wallet.generate(KeyType::Bls, &SeededEntropy::new(1, "crowd")).await.unwrap();
    let gate = Arc::new(tokio::sync::Semaphore::new(0));
    let asked = (0..REQUESTS).map(|n| {
        let (wallet, gate) = (wallet.clone(), gate.clone());
        tokio::spawn(async move {
            let _turn = gate.acquire().await;
            ask(wallet, worker, n).await
        })
    });
    let asked: Vec<_> = asked.collect();
    gate.add_permits(REQUESTS as usize);
    let mut blocks: HashMap<u64, u64> = HashMap::new();
    for answer in join_all(asked).await {
        let (n, answer) = answer.unwrap();
        match (n % 4, answer) {
            (0, Ok(())) => *blocks.entry(n / 4 / RIVALS).or_default() += 1,
            (0 | 1, Err(SignerError::Denied(_)))
            | (2, Ok(()))
            | (3, Err(SignerError::Unsupported { .. })) => {}
            (_, answer) => panic!("{n}: {answer:?}"),
        }
    }
    assert_eq!(blocks.len() as u64, REQUESTS / 4 / RIVALS);
    assert!(blocks.values().all(|signed| *signed == 1), "{blocks:?}");
    audit.shutdown().await;
    let records = AuditReader::open(&file).await.unwrap().verify(None).await.unwrap().records;
    assert_eq!(records, REQUESTS);
}
