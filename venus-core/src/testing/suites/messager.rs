use std::time::Duration;

use fvm_shared::address::Address;
use fvm_shared::econ::TokenAmount;

use super::{PATIENCE, Step, must, must_fail, nobody};
use crate::api::{IMessager, MessageRequest, MessageState, ReplaceFees};
use crate::error::ErrorKind;

/// What [`messager`] relies on.
pub struct MessagerFixture<'a> {
    /// Key address of a sender with 10 FIL or more, whose key the messager's signer owns.
    pub from: Address,
    /// A receiver.
    pub to: Address,
    /// Makes everything that waits land, lets the messager see it, and puts two epochs or more on top.
    pub land: Step<'a>,
}

impl MessagerFixture<'_> {
    fn request(&self, atto: u64) -> MessageRequest {
        let mut request = MessageRequest::transfer(self.from, self.to, TokenAmount::from_atto(atto));
        // Set, so that the fees to replace are known; nothing of it is estimated away.
        request.message.gas_limit = 5_000_000;
        request.message.gas_premium = TokenAmount::from_atto(200_000);
        request.message.gas_fee_cap = TokenAmount::from_nano(5);
        request
    }
}

/// Checks the contract of [`IMessager`], for a messager that signs what it accepts while node and signer work.
///
/// # Panics
/// If a clause does not hold.
pub async fn messager(messager: &dyn IMessager, f: &MessagerFixture<'_>) {
    names(messager, f).await;
    refusals(messager, f).await;
    unknown(messager).await;
    replacement(messager, f).await;
    landing(messager, f).await;
}

async fn names(messager: &dyn IMessager, f: &MessagerFixture<'_>) {
    let request = f.request(1);
    for _ in 0..3 {
        let pushed = messager.push_with_id("suite-name", request.clone()).await;
        must(pushed, "the same name with the same request is success");
    }
    let record = must(messager.get("suite-name").await, "what was accepted is known");
    assert_eq!((record.id.as_str(), &record.request), ("suite-name", &request), "a record is what was asked");
    let other = messager.push_with_id("suite-name", f.request(2)).await;
    must_fail(other, ErrorKind::Conflict, "the same name with another request is Conflict");
    let after = messager.get("suite-name").await.unwrap();
    assert_eq!(after.request, request, "a conflict changes nothing");
    let a = must(messager.push(f.request(3)).await, "push accepts");
    let b = must(messager.push(f.request(3)).await, "push accepts");
    assert_ne!(a, b, "push makes a fresh name each time");
}

async fn refusals(messager: &dyn IMessager, f: &MessagerFixture<'_>) {
    for id in [String::new(), "x".repeat(129)] {
        let result = messager.push_with_id(&id, f.request(1)).await;
        must_fail(result, ErrorKind::Invalid, "a name has 1 to 128 characters");
    }
    must(messager.push_with_id(&"é".repeat(128), f.request(1)).await, "128 characters are a name");
    let mut negative = f.request(1);
    negative.message.value = TokenAmount::from_atto(-1);
    let result = messager.push_with_id("suite-negative", negative).await;
    must_fail(result, ErrorKind::Invalid, "what can never be sent is Invalid");
    let mut foreign = f.request(1);
    foreign.message.from = nobody();
    let result = messager.push_with_id("suite-foreign", foreign).await;
    must_fail(result, ErrorKind::NotFound, "a sender without key is NoKey");
    for id in ["suite-negative", "suite-foreign"] {
        must_fail(messager.get(id).await, ErrorKind::NotFound, "what was refused was not accepted");
    }
}

async fn unknown(messager: &dyn IMessager) {
    let (id, kind) = ("suite-unknown", ErrorKind::NotFound);
    must_fail(messager.get(id).await, kind, "get of an unknown name");
    must_fail(messager.wait(id, 0, PATIENCE).await, kind, "wait for an unknown name");
    must_fail(messager.replace(id, ReplaceFees::default()).await, kind, "replace of an unknown name");
    must_fail(messager.cancel(id).await, kind, "cancel of an unknown name");
}

async fn replacement(messager: &dyn IMessager, f: &MessagerFixture<'_>) {
    let id = "suite-replace";
    must(messager.push_with_id(id, f.request(4)).await, "push accepts");
    let before = messager.get(id).await.unwrap();
    assert_eq!(before.state, MessageState::Filled, "while node and signer work, acceptance fills");
    must_fail(messager.cancel(id).await, ErrorKind::Conflict, "what is signed cannot be cancelled: State");
    let low = ReplaceFees { gas_premium: Some(TokenAmount::from_atto(1)), ..ReplaceFees::default() };
    must_fail(messager.replace(id, low).await, ErrorKind::Invalid, "fees that do not replace are Invalid");
    let cid =
        must(messager.replace(id, ReplaceFees::default()).await, "the least fees that replace are found");
    let after = messager.get(id).await.unwrap();
    assert_eq!(after.attempts.last().map(|a| a.cid), Some(cid), "replace answers the new attempt");
    assert_eq!(after.attempts.len(), before.attempts.len() + 1, "all attempts are kept");
    let nonce = before.attempts[0].message.sequence;
    assert!(after.attempts.iter().all(|a| a.message.sequence == nonce), "attempts share the nonce");
    assert!(after.attempts.iter().all(|a| a.message.from == f.from), "attempts share the sender");
}

async fn landing(messager: &dyn IMessager, f: &MessagerFixture<'_>) {
    let id = "suite-land";
    must(messager.push_with_id(id, f.request(5)).await, "push accepts");
    let early = messager.wait(id, 0, Duration::ZERO).await;
    must_fail(early, ErrorKind::Timeout, "a message that did not land in time is Timeout");
    let (first, second, ()) =
        futures::join!(messager.wait(id, 0, PATIENCE), messager.wait(id, 2, PATIENCE), (f.land)());
    must(second, "many may wait for one message, each with its confidence");
    let landed = must(first, "wait ends when the message has landed");
    assert_eq!(landed.state, MessageState::Landed, "a message on chain is landed");
    let lookup = landed.lookup.expect("a landed message has a lookup");
    assert!(landed.attempts.iter().any(|a| a.cid == lookup.message), "one of the attempts landed");
    must_fail(messager.cancel(id).await, ErrorKind::Conflict, "a landed message cannot be cancelled: State");
    let late = messager.replace(id, ReplaceFees::default()).await;
    must_fail(late, ErrorKind::Conflict, "a landed message cannot be replaced: State");
    must(messager.push_with_id(id, f.request(5)).await, "the same push after landing is success");

    let mut nonces = Vec::new();
    for id in ["suite-name", "suite-replace", id] {
        let record = must(messager.wait(id, 0, PATIENCE).await, "everything lands");
        assert_eq!(record.state, MessageState::Landed, "{id} landed");
        nonces.push(record.attempts[0].message.sequence);
    }
    assert!(nonces.is_sorted_by(|a, b| a < b), "every message has its own nonce, in order of acceptance");
}
