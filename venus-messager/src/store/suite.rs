//! The contract of [`MessageStore`] as a test suite that every implementation passes.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "suites are test code: a broken contract is a panic"
)]

use fvm_shared::address::Address;
use fvm_shared::econ::TokenAmount;
use fvm_shared::error::ExitCode;
use venus_core::api::{GasSpec, MessageRequest, SendSpec};
use venus_core::types::{BigInt, MessageLookup, Receipt, Signature, SignedMessage, TipsetKey, blake2b_cid};

use super::{Cursor, Filling, Inserted, MessageStore, Move, NewMessage, Seq, StoredMessage, Swap};
use crate::state::RowState;

const ALL: usize = 1_000;

fn address(n: u8) -> Address {
    Address::new_secp256k1(&[n; 65]).unwrap()
}

fn request(from: Address, atto: u64) -> MessageRequest {
    let mut request = MessageRequest::call(from, address(99), TokenAmount::from_atto(atto), 5, vec![1, 2, 3]);
    let max_fee = TokenAmount::from_atto(BigInt::from(u128::MAX));
    let gas = GasSpec { max_fee, over_estimation: 1.1, over_premium: 1.0 + f64::EPSILON };
    request.spec = SendSpec { gas, expires_at: i64::MAX };
    request
}

fn new(id: &str, sender: Address) -> NewMessage {
    NewMessage { id: id.into(), sender, request: request(sender, 7) }
}

fn signed(row: &StoredMessage, nonce: u64, premium: u64) -> SignedMessage {
    let mut message = row.request.message.clone();
    message.sequence = nonce;
    message.gas_premium = TokenAmount::from_atto(premium);
    SignedMessage { message, signature: Signature::secp256k1(vec![3; 65]) }
}

fn cursor(n: u8) -> Cursor {
    Cursor { tipset: TipsetKey::from(vec![blake2b_cid(&[n]), blake2b_cid(&[n, n])]), height: n.into() }
}

fn used(n: u8, message: &SignedMessage) -> MessageLookup {
    let receipt = Receipt::new(ExitCode::new(33), vec![n], 1_000);
    let Cursor { tipset, height } = cursor(n);
    MessageLookup { message: message.cid(), receipt, tipset, height }
}

fn step(seq: Seq, from: RowState, to: RowState, used: Option<MessageLookup>) -> Move {
    Move { seq, from, to, used, error: None }
}

fn names(rows: &[StoredMessage]) -> Vec<&str> {
    rows.iter().map(|row| row.id.as_str()).collect()
}

async fn accept(store: &dyn MessageStore, id: &str, sender: Address) -> StoredMessage {
    assert!(matches!(store.insert(&new(id, sender)).await.unwrap(), Inserted::Fresh(_)));
    store.get(id).await.unwrap().unwrap()
}

async fn fill(store: &dyn MessageStore, row: &StoredMessage, expected_next: u64, nonce: u64) -> Swap {
    let signed = signed(row, nonce, 10);
    let filling = Filling { seq: row.seq, sender: &row.sender, expected_next, signed: &signed };
    store.fill(&filling).await.unwrap()
}

/// Checks an empty store.
///
/// # Panics
/// If a clause of the contract does not hold.
pub async fn message_store(store: &dyn MessageStore) {
    inserting(store).await;
    filling(store).await;
    ending(store).await;
    attempts(store).await;
    following(store).await;
    listing(store).await;
}

async fn inserting(store: &dyn MessageStore) {
    let (a, b) = (address(1), address(2));
    assert_eq!(store.get("a1").await.unwrap(), None, "nothing in an empty store");
    assert_eq!(store.senders(None).await.unwrap(), Vec::new());
    let first = accept(store, "a1", a).await;
    assert_eq!(first.request, request(a, 7), "requests come back as they were, factors to the last bit");
    assert_eq!((first.state, first.nonce, first.error.clone()), (RowState::Unfilled, None, None));
    let second = accept(store, "b1", b).await;
    let third = accept(store, "ä ' \u{1F600}", a).await;
    assert!(first.seq > 0 && first.seq < second.seq && second.seq < third.seq, "order of acceptance");
    let other = NewMessage { request: request(b, 8), ..new("a1", b) };
    let Inserted::Known(known) = store.insert(&other).await.unwrap() else { panic!("a name is taken once") };
    assert_eq!(*known, first, "a taken name answers what has it, unchanged");
    assert_eq!(store.senders(None).await.unwrap().len(), 2);
    assert_eq!(store.next_nonce(&a).await.unwrap(), 0);
}

async fn filling(store: &dyn MessageStore) {
    let a = address(1);
    let rows = store.unfilled(&a, 0, false, ALL).await.unwrap();
    assert_eq!(names(&rows), ["a1", "ä ' \u{1F600}"]);
    let (first, second) = (&rows[0], &rows[1]);
    assert_eq!(fill(store, first, 1, 5).await, Swap::Stale, "another next nonce was expected");
    assert_eq!(store.get("a1").await.unwrap().unwrap(), *first, "nothing of it was written");
    assert_eq!(fill(store, first, 0, 5).await, Swap::Done, "a nonce may be skipped to the chain's");
    let filled = store.get("a1").await.unwrap().unwrap();
    assert_eq!((filled.state, filled.nonce), (RowState::Filled, Some(5)));
    let attempt = &filled.attempts[0];
    let sent = signed(first, 5, 10);
    assert_eq!((attempt.cid, &attempt.message), (sent.cid(), &sent.message), "attempts come back as signed");
    assert_eq!(store.next_nonce(&a).await.unwrap(), 6);
    assert_eq!(fill(store, first, 6, 6).await, Swap::Stale, "a message has one nonce");
    assert_eq!(fill(store, second, 0, 5).await, Swap::Stale, "a nonce has one message");
    assert_eq!(fill(store, second, 6, 5).await, Swap::Stale, "not even behind the next one");
    assert_eq!(store.next_nonce(&a).await.unwrap(), 6, "no nonce is lost");
    assert_eq!(names(&store.unfilled(&a, first.seq, false, ALL).await.unwrap()), ["ä ' \u{1F600}"]);
    assert_eq!(fill(store, second, 6, 6).await, Swap::Done);
}

async fn ending(store: &dyn MessageStore) {
    let b = address(2);
    let row = store.get("b1").await.unwrap().unwrap();
    let stay = store.set_state(row.seq, RowState::Unfilled, RowState::Unfilled, Some("later")).await;
    assert_eq!(stay.unwrap(), Swap::Done);
    assert_eq!(store.get("b1").await.unwrap().unwrap().error.as_deref(), Some("later"));
    assert!(store.unfilled(&b, 0, true, ALL).await.unwrap().is_empty(), "fresh ones have no error");
    assert_eq!(store.unfilled(&b, 0, false, ALL).await.unwrap().len(), 1);
    let end = store.set_state(row.seq, RowState::Unfilled, RowState::Cancelled, None).await;
    assert_eq!(end.unwrap(), Swap::Done);
    let again = store.set_state(row.seq, RowState::Unfilled, RowState::Failed, Some("x")).await;
    assert_eq!(again.unwrap(), Swap::Stale, "states move from where they were seen only");
    assert_eq!(fill(store, &row, 0, 0).await, Swap::Stale, "what is cancelled is not signed");
    assert_eq!(store.next_nonce(&b).await.unwrap(), 0);
}

async fn attempts(store: &dyn MessageStore) {
    let row = store.get("a1").await.unwrap().unwrap();
    let second = signed(&row, 5, 20);
    assert_eq!(store.add_attempt(row.seq, 0, &second).await.unwrap(), Swap::Stale);
    assert_eq!(store.add_attempt(row.seq, 1, &second).await.unwrap(), Swap::Done);
    assert_eq!(store.add_attempt(row.seq, 1, &signed(&row, 5, 30)).await.unwrap(), Swap::Stale);
    let cancelled = store.get("b1").await.unwrap().unwrap();
    assert_eq!(store.add_attempt(cancelled.seq, 0, &second).await.unwrap(), Swap::Stale);
    let row = store.get("a1").await.unwrap().unwrap();
    let premiums: Vec<_> = row.attempts.iter().map(|a| a.message.gas_premium.atto().clone()).collect();
    assert_eq!(premiums, [BigInt::from(10), BigInt::from(20)], "oldest first");
}

async fn following(store: &dyn MessageStore) {
    let row = store.get("a1").await.unwrap().unwrap();
    let lookup = used(2, &signed(&row, 5, 20));
    let (one, two) = (cursor(1), cursor(2));
    assert_eq!(store.cursor().await.unwrap(), None);
    assert_eq!(store.advance(Some(&one), &two, &[]).await.unwrap(), Swap::Stale);
    assert_eq!(store.advance(None, &one, &[]).await.unwrap(), Swap::Done);
    assert_eq!(store.advance(None, &two, &[]).await.unwrap(), Swap::Stale, "a cursor begins once");
    let landed = step(row.seq, RowState::Filled, RowState::Landed, Some(lookup.clone()));
    let wrong = step(row.seq + 1, RowState::Landed, RowState::Filled, None);
    let swap = store.advance(Some(&one), &two, &[landed.clone(), wrong]).await.unwrap();
    assert_eq!(swap, Swap::Stale, "one row that is not as seen");
    assert_eq!(store.cursor().await.unwrap(), Some(one.clone()), "leaves the cursor");
    assert_eq!(store.get("a1").await.unwrap().unwrap(), row, "and all other rows");
    assert_eq!(store.advance(Some(&one), &two, &[landed]).await.unwrap(), Swap::Done);
    let now = store.get("a1").await.unwrap().unwrap();
    assert_eq!((now.state, &now.used), (RowState::Landed, &Some(lookup)), "receipts come back as they were");
    assert_eq!(store.cursor().await.unwrap(), Some(two.clone()));
    assert_eq!(names(&store.used_in(&two.tipset).await.unwrap()), ["a1"]);
    assert!(store.used_in(&one.tipset).await.unwrap().is_empty());
    let back = step(row.seq, RowState::Landed, RowState::Filled, None);
    assert_eq!(store.advance(Some(&two), &one, &[back]).await.unwrap(), Swap::Done);
    assert_eq!(store.get("a1").await.unwrap().unwrap(), row, "a reverted row is what it was");
    assert!(store.used_in(&two.tipset).await.unwrap().is_empty());
}

async fn listing(store: &dyn MessageStore) {
    let a = address(1);
    let name = "ä ' \u{1F600}";
    let row = store.get(name).await.unwrap().unwrap();
    let landed = step(row.seq, RowState::Filled, RowState::Landed, Some(used(3, &signed(&row, 6, 10))));
    assert_eq!(store.advance(Some(&cursor(1)), &cursor(3), &[landed]).await.unwrap(), Swap::Done);
    assert_eq!(names(&store.filled(&a, 0, ALL).await.unwrap()), ["a1"]);
    assert!(store.filled(&a, 6, ALL).await.unwrap().is_empty());
    assert_eq!(names(&store.with_nonces(&a, 0, u64::MAX).await.unwrap()), ["a1", name]);
    assert_eq!(names(&store.with_nonces(&a, 6, 6).await.unwrap()), [name]);
    assert!(store.with_nonces(&address(2), 0, u64::MAX).await.unwrap().is_empty());
    assert_eq!(names(&store.unsettled(2, 0, ALL).await.unwrap()), ["a1", name]);
    assert_eq!(names(&store.unsettled(3, 0, ALL).await.unwrap()), ["a1"], "at the floor is final");
    assert_eq!(names(&store.unsettled(2, 0, 1).await.unwrap()), ["a1"]);
    assert_eq!(names(&store.unsettled(2, row.seq - 1, ALL).await.unwrap()), [name]);
    assert_eq!(store.senders(Some(RowState::Filled)).await.unwrap(), [a]);
    assert_eq!(store.senders(Some(RowState::Failed)).await.unwrap(), Vec::new());
}
