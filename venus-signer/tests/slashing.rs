#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
#![cfg(feature = "sqlite")]
//! Slashing protection: the promises of its stores, moving histories, and what a wallet refuses because of it.

use std::path::PathBuf;

use futures::future::join_all;
use proptest::prelude::*;
use tempfile::TempDir;
use venus_core::api::{ISigner, SignerError, SignerExt};
use venus_core::entropy::SeededEntropy;
use venus_core::types::{Address, BlockHeader, Cid, MsgMeta, MsgType};
use venus_signer::slashing::{
    self, BlockSlot, Entry, HistoryError, MemorySlashing, Reserved, SlashingStore, Slot, SqliteSlashing,
    VoteSlot,
};
use venus_signer::{KeyType, LocalWallet, Vault};

fn block(miner: u64, height: i64, parents: u8, header: u8) -> Slot {
    Slot::Block(BlockSlot { miner, height, parents: [parents; 32], header: [header; 32] })
}

fn vote(instance: u64, round: u64, phase: u8, payload: u8) -> Slot {
    let (signer, network) = ("f1abjxfbp274xpdqcpuaykwkfb43omjotacm2p3za".to_owned(), "filecoin".to_owned());
    Slot::Vote(VoteSlot { signer, network, instance, round, phase, payload: [payload; 32] })
}

async fn sqlite(dir: &TempDir) -> SqliteSlashing {
    SqliteSlashing::open(&dir.path().join("slashing.sqlite"), "mainnet").await.unwrap()
}

/// What every store promises.
async fn suite(store: &dyn SlashingStore) {
    assert_eq!(store.take(&block(1000, 10, 1, 1)).await.unwrap(), Reserved::New);
    assert_eq!(store.take(&block(1000, 10, 1, 1)).await.unwrap(), Reserved::Again);
    assert_eq!(store.take(&block(1000, 10, 2, 2)).await.unwrap(), Reserved::Other { height: 10 });
    assert_eq!(store.take(&block(1000, 11, 1, 3)).await.unwrap(), Reserved::Other { height: 10 });
    // What was refused took nothing.
    assert_eq!(store.take(&block(1000, 11, 2, 4)).await.unwrap(), Reserved::New);
    assert_eq!(store.take(&block(1001, 10, 1, 5)).await.unwrap(), Reserved::New);
    assert_eq!(store.take(&vote(7, 0, 1, 1)).await.unwrap(), Reserved::New);
    assert_eq!(store.take(&vote(7, 0, 1, 1)).await.unwrap(), Reserved::Again);
    assert_eq!(store.take(&vote(7, 0, 1, 2)).await.unwrap(), Reserved::Other { height: 0 });
    assert_eq!(store.take(&vote(7, 0, 2, 2)).await.unwrap(), Reserved::New);
    assert_eq!(store.take(&vote(7, 1, 1, 2)).await.unwrap(), Reserved::New);

    let all = store.page(None, 100).await.unwrap();
    assert_eq!(all.len(), 6);
    for size in [1, 2, 5] {
        let mut pages: Vec<Entry> = Vec::new();
        loop {
            let page = store.page(pages.last(), size).await.unwrap();
            if page.is_empty() {
                break;
            }
            pages.extend(page);
        }
        assert_eq!(pages, all, "{size}");
    }
    let again = store.merge(&all).await.unwrap();
    assert_eq!((again.added, again.known, again.conflicting), (0, 6, 0));
    // An import forbids what it does not know at and below its heights.
    assert_eq!(store.take(&block(1000, 9, 9, 9)).await.unwrap(), Reserved::Below { floor: 11 });
    assert_eq!(store.take(&block(1000, 10, 1, 1)).await.unwrap(), Reserved::Again);
    assert_eq!(store.take(&block(1000, 12, 9, 9)).await.unwrap(), Reserved::New);
    assert_eq!(store.take(&vote(7, 5, 1, 2)).await.unwrap(), Reserved::Below { floor: 7 });
    let clash = store.merge(&[Entry::from(block(1000, 12, 20, 20))]).await.unwrap();
    assert_eq!(clash.conflicting, 1);
    // Its parents are taken all the same.
    assert_eq!(store.take(&block(1000, 13, 20, 21)).await.unwrap(), Reserved::Other { height: 12 });
    let lower = Entry::MinerFloor { miner: 1000, height: 3 };
    assert_eq!(store.merge(&[lower]).await.unwrap().known, 1);
    let summary = store.summary().await.unwrap();
    assert_eq!(
        (summary[0].name.as_str(), summary[0].floor, summary[0].highest),
        ("f01000", Some(12), Some(12))
    );
    assert_eq!(summary.len(), 3);
}

#[tokio::test]
async fn both_stores_keep_their_promises() {
    let dir = tempfile::tempdir().unwrap();
    suite(&MemorySlashing::new("mainnet")).await;
    suite(&sqlite(&dir).await).await;
}

async fn bounded(store: &dyn SlashingStore) {
    for height in 0..200 {
        let [parents, header] = [height, height + 1000].map(i64::to_be_bytes);
        let mut slot = BlockSlot { miner: 1, height, parents: [0; 32], header: [0; 32] };
        slot.parents[..8].copy_from_slice(&parents);
        slot.header[..8].copy_from_slice(&header);
        assert_eq!(store.take(&Slot::Block(slot)).await.unwrap(), Reserved::New, "{height}");
        assert_eq!(store.take(&vote(height as u64, 0, 1, 1)).await.unwrap(), Reserved::New);
    }
    let summary = store.summary().await.unwrap();
    assert!(summary.iter().all(|history| (10..=74).contains(&history.kept)), "{summary:?}");
    let floor = summary[0].floor.unwrap();
    assert_eq!(store.take(&block(1, floor, 255, 255)).await.unwrap(), Reserved::Below { floor });
    assert_eq!(
        store.take(&vote(0, 0, 1, 1)).await.unwrap(),
        Reserved::Below { floor: summary[1].floor.unwrap() }
    );
    // A height far away takes one slot, and moves the floor by one at most.
    assert_eq!(store.take(&block(1, i64::MAX, 254, 254)).await.unwrap(), Reserved::New);
    assert_eq!(store.take(&block(1, 200, 253, 253)).await.unwrap(), Reserved::New);
}

#[tokio::test]
async fn histories_are_bounded_and_what_went_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    bounded(&MemorySlashing::with_bound("mainnet", 10)).await;
    bounded(&sqlite(&dir).await.with_bound(10)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_many_at_a_time_in_two_instances_one_gets_the_slot() {
    let dir = tempfile::tempdir().unwrap();
    let stores = [sqlite(&dir).await, sqlite(&dir).await];
    for height in 0..10 {
        let takers = (0..16_u8).map(|n| {
            let store = stores[usize::from(n % 2)].clone();
            tokio::spawn(async move { store.take(&block(1000, height, n, n)).await.unwrap() })
        });
        let taken =
            join_all(takers).await.into_iter().filter(|r| *r.as_ref().unwrap() == Reserved::New).count();
        assert_eq!(taken, 1);
    }
}

#[tokio::test]
async fn a_history_of_another_network_or_no_history_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("slashing.sqlite");
    assert!(SqliteSlashing::open_existing(&path).await.unwrap_err().to_string().contains("no history"));
    // Nothing is signed yet: the file is bound to no network.
    SqliteSlashing::open(&path, "calibnet").await.unwrap().close().await;
    let store = sqlite(&dir).await;
    store.take(&block(1000, 1, 1, 1)).await.unwrap();
    store.close().await;
    let error = SqliteSlashing::open(&path, "calibnet").await.unwrap_err().to_string();
    assert!(error.contains("mainnet") && error.contains("calibnet"), "{error}");
    assert_eq!(SqliteSlashing::open_existing(&path).await.unwrap().network(), "mainnet");
    std::fs::write(dir.path().join("text"), "not a database, but long enough".repeat(100)).unwrap();
    assert!(SqliteSlashing::open(&dir.path().join("text"), "mainnet").await.is_err());
    let file: PathBuf = path;
    let mode = std::os::unix::fs::PermissionsExt::mode(&std::fs::metadata(file).unwrap().permissions());
    assert_eq!(mode & 0o777, 0o600);
}

#[tokio::test]
async fn a_locked_file_is_waited_for_and_a_closed_store_reserves_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let store = sqlite(&dir).await;
    let other = sqlx::SqlitePool::connect_with(
        sqlx::sqlite::SqliteConnectOptions::new().filename(dir.path().join("slashing.sqlite")),
    )
    .await
    .unwrap();
    let held = other.begin_with("BEGIN IMMEDIATE").await.unwrap();
    let waiting = tokio::spawn({
        let store = store.clone();
        async move { store.take(&block(1, 1, 1, 1)).await }
    });
    held.rollback().await.unwrap();
    assert_eq!(waiting.await.unwrap().unwrap(), Reserved::New);
    store.close().await;
    assert!(store.take(&block(1, 2, 2, 2)).await.is_err());
}

async fn exported(store: &dyn SlashingStore) -> String {
    let mut out = Vec::new();
    slashing::export(store, &mut out).await.unwrap();
    String::from_utf8(out).unwrap()
}

#[tokio::test]
async fn a_history_moves_between_stores_and_again_changes_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let (from, to) = (MemorySlashing::new("mainnet"), sqlite(&dir).await);
    for n in 0..200_u8 {
        from.take(&block(1000, i64::from(n), n, n)).await.unwrap();
        from.take(&vote(u64::from(n), 0, 1, n)).await.unwrap();
    }
    let text = exported(&from).await;
    assert_eq!(text.lines().count(), 402);
    let done = slashing::import(&to, &mut text.as_bytes()).await.unwrap();
    assert_eq!((done.entries, done.merged.added), (400, 400));
    let again = slashing::import(&to, &mut text.as_bytes()).await.unwrap();
    assert_eq!((again.merged.added, again.merged.known), (0, 400));
    assert_eq!(to.take(&block(1000, 199, 250, 250)).await.unwrap(), Reserved::Other { height: 199 });
    // The copy knows its floors besides.
    let copy = exported(&to).await;
    assert_eq!(copy.lines().count(), 404);
    assert_eq!(slashing::import(&to, &mut copy.as_bytes()).await.unwrap().merged.added, 0);
}

#[tokio::test]
async fn bad_histories_are_told_apart() {
    let store = MemorySlashing::new("mainnet");
    let head = r#"{"metadata":{"format":"venus-slashing-history","version":1,"network":"mainnet"}}"#;
    let hash = "ab".repeat(32);
    let line =
        format!(r#"{{"block":{{"miner":"f01000","height":5,"parents":"{hash}","header_hash":"{hash}"}}}}"#);
    let import = async |text: String| slashing::import(&store, &mut text.as_bytes()).await;
    let foreign = import(head.replace("mainnet", "calibnet")).await;
    assert!(matches!(foreign, Err(HistoryError::ForeignNetwork { .. })));
    assert!(import(head.replace(":1", ":2")).await.unwrap_err().to_string().contains("newer"));
    assert!(matches!(import(format!("{head}\n{line}\n")).await, Err(HistoryError::Truncated { entries: 1 })));
    let end = format!("{head}\n{line}\n{{\"end\":{{\"entries\":2}}}}\n");
    assert!(matches!(import(end).await, Err(HistoryError::Truncated { .. })));
    for (bad, says) in [
        (line.replace("f01000", "f1abjxfbp274xpdqcpuaykwkfb43omjotacm2p3za"), "ID address"),
        (line.replace(":5", ":-5"), "negative"),
        (line.replace(&hash, "ab"), "32 bytes"),
        (line.replace("\"height\"", "\"depth\""), "depth"),
        (" ".repeat(5000), "longer"),
        (head.to_owned(), "second history"),
    ] {
        let error = import(format!("{head}\n{bad}\n")).await.unwrap_err().to_string();
        assert!(error.contains(says) && error.contains("line 2"), "{error}");
    }
    assert!(matches!(import(String::new()).await, Err(HistoryError::Malformed { line: 1, .. })));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Two histories in any order give the same, and nothing that either allowed twice is allowed then.
    #[test]
    fn merging_forgets_nothing(blocks in prop::collection::vec((0..3_u64, 0..6_i64, 0..6_u8, 0..9_u8), 1..40)) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let (a, b) = (MemorySlashing::new("n"), MemorySlashing::new("n"));
            for (i, (miner, height, parents, header)) in blocks.iter().enumerate() {
                let store = if i % 2 == 0 { &a } else { &b };
                store.take(&block(*miner, *height, *parents, *header)).await.unwrap();
            }
            let text = exported(&a).await;
            slashing::import(&b, &mut text.as_bytes()).await.unwrap();
            let once = exported(&b).await;
            slashing::import(&b, &mut text.as_bytes()).await.unwrap();
            assert_eq!(once, exported(&b).await);
            for (miner, height, parents, header) in &blocks {
                let other = b.take(&block(*miner, *height, *parents, header + 100)).await.unwrap();
                let miner_is_only_in_b = !text.contains(&format!("\"f0{miner}\""));
                assert!(other != Reserved::New || miner_is_only_in_b, "{other:?}");
            }
        });
    }

    #[test]
    fn no_text_panics(text in ".{0,300}") {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let store = MemorySlashing::new("n");
        prop_assert!(runtime.block_on(slashing::import(&store, &mut text.as_bytes())).is_err());
    }
}

fn cid(n: u8) -> Cid {
    let mut bytes = data_encoding::HEXLOWER.decode(b"0171a0e40220").unwrap();
    bytes.extend([n; 32]);
    Cid::try_from(bytes.as_slice()).unwrap()
}

fn header(height: i64, parents: &[u8], weight: u64) -> BlockHeader {
    BlockHeader {
        miner: Address::new_id(1000),
        ticket: None,
        election_proof: None,
        beacon_entries: Vec::new(),
        win_post_proof: Vec::new(),
        parents: parents.iter().map(|n| cid(*n)).collect(),
        parent_weight: weight.into(),
        height,
        parent_state_root: cid(90),
        parent_message_receipts: cid(91),
        messages: cid(92),
        bls_aggregate: None,
        timestamp: 0,
        block_sig: None,
        fork_signaling: 0,
        parent_base_fee: venus_core::types::TokenAmount::from_atto(100),
    }
}

async fn guarded() -> (LocalWallet, Address) {
    let wallet = LocalWallet::builder(Vault::in_memory()).slashing(MemorySlashing::new("mainnet")).build();
    let worker = wallet.generate(KeyType::Bls, &SeededEntropy::new(1, "slashing")).await.unwrap();
    (wallet, worker)
}

fn denied(done: Result<venus_core::types::Signature, SignerError>) -> String {
    match done {
        Err(SignerError::Denied(reason)) => reason,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn deviation_04_one_block_for_a_height_and_for_parents() {
    let (wallet, worker) = guarded().await;
    let first = header(100, &[1, 2], 7);
    let signature = wallet.sign_block(&worker, &first).await.unwrap();
    assert_eq!(wallet.sign_block(&worker, &first).await.unwrap(), signature);
    let second = denied(wallet.sign_block(&worker, &header(100, &[3], 7)).await);
    assert!(
        second.contains("f01000") && second.contains("height 100") && second.contains("next round"),
        "{second}"
    );
    // The chain compares parents without their order.
    let offset = denied(wallet.sign_block(&worker, &header(101, &[2, 1], 7)).await);
    assert!(offset.contains("same parents"), "{offset}");
    // A header is one whatever it is called, and whether or not it carries a signature.
    let raw = header(100, &[1, 2], 8).signing_bytes();
    let done = wallet.sign(&worker, &raw, &MsgMeta::of(MsgType::Unknown)).await;
    assert!(denied(done).contains("height 100"));
    let signed = BlockHeader { block_sig: Some(signature.clone()), ..first };
    let bytes = venus_core::cbor::Encode::to_cbor(&signed);
    assert_eq!(wallet.sign(&worker, &bytes, &MsgMeta::of(MsgType::Block)).await.unwrap(), signature);
    let odd = BlockHeader { miner: Address::new_actor(b"miner"), ..header(102, &[5], 1) };
    assert!(denied(wallet.sign_block(&worker, &odd).await).contains("no ID address"));
    assert!(denied(wallet.sign_block(&worker, &header(-1, &[6], 1)).await).contains("negative"));
    wallet.sign_block(&worker, &header(101, &[4], 7)).await.unwrap();
}

fn gpbft(round: u64, value: u8) -> Vec<u8> {
    let mut bytes = b"GPBFT:filecoin:\x01".to_vec();
    bytes.extend(round.to_be_bytes());
    bytes.extend(9_u64.to_be_bytes());
    bytes.extend([0; 32]);
    bytes.extend([value; 32]);
    bytes.extend(cid(1).to_bytes());
    bytes
}

#[tokio::test]
async fn deviation_04_one_f3_vote_for_a_step() {
    let (wallet, worker) = guarded().await;
    // Lotus calls them `unknown`, Venus `f3`.
    for kind in [MsgType::F3, MsgType::Unknown] {
        wallet.sign(&worker, &gpbft(0, 1), &MsgMeta::of(kind)).await.unwrap();
        let reason = denied(wallet.sign(&worker, &gpbft(0, 2), &MsgMeta::of(kind)).await);
        assert!(reason.contains("instance 9, round 0, phase 1"), "{reason}");
    }
    wallet.sign(&worker, &gpbft(1, 2), &MsgMeta::of(MsgType::F3)).await.unwrap();
    assert!(
        denied(wallet.sign(&worker, &gpbft(u64::MAX, 2), &MsgMeta::of(MsgType::F3)).await).contains("beyond")
    );
    let mut ticket = b"VRF:filecoin:".to_vec();
    ticket.extend([1; 32]);
    ticket.push(b':');
    ticket.extend([0; 16]);
    for _ in 0..2 {
        wallet.sign(&worker, &ticket, &MsgMeta::of(MsgType::F3)).await.unwrap();
    }
}
