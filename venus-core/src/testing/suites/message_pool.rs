use fvm_shared::address::Address;
use fvm_shared::econ::TokenAmount;
use fvm_shared::message::Message;

use super::{Step, must, must_fail, nobody};
use crate::api::{ChainError, ISigner, MessagePool, MessageRequest, PoolReject, SignerExt};
use crate::error::ErrorKind;
use crate::types::SignedMessage;

/// What [`message_pool`] relies on.
pub struct MessagePoolFixture<'a> {
    /// Owns the key of `from`.
    pub signer: &'a dyn ISigner,
    /// Key address of an account with 10 FIL or more and nothing waiting.
    pub from: Address,
    /// A receiver.
    pub to: Address,
    /// Makes blocks until everything that waits has landed.
    pub mine: Step<'a>,
}

/// Checks the contract of [`MessagePool`].
///
/// # Panics
/// If a clause does not hold.
pub async fn message_pool(pool: &dyn MessagePool, fixture: &MessagePoolFixture<'_>) {
    nonces_and_repeats(pool, fixture).await;
    replacement(pool, fixture).await;
    refusals(pool, fixture).await;
    batches(pool, fixture).await;
    landing(pool, fixture).await;
}

impl MessagePoolFixture<'_> {
    fn message(&self, nonce: u64) -> Message {
        let mut message = MessageRequest::transfer(self.from, self.to, TokenAmount::from_atto(1)).message;
        message.sequence = nonce;
        message.gas_limit = 5_000_000;
        message.gas_premium = TokenAmount::from_atto(200_000);
        message.gas_fee_cap = TokenAmount::from_nano(5);
        message
    }

    async fn sign(&self, message: &Message) -> SignedMessage {
        must(self.signer.sign_message(message).await, "fixture: the signer signs")
    }

    async fn signed(&self, nonce: u64) -> SignedMessage {
        self.sign(&self.message(nonce)).await
    }
}

async fn nonces_and_repeats(pool: &dyn MessagePool, f: &MessagePoolFixture<'_>) {
    must_fail(pool.next_nonce(&nobody()).await, ErrorKind::NotFound, "nobody has no nonce: ActorNotFound");
    let nonce = must(pool.next_nonce(&f.from).await, "an account has a nonce");
    assert_eq!(pool.next_nonce(&f.from).await.unwrap(), nonce, "asking for a nonce does not use it");
    let signed = f.signed(nonce).await;
    for _ in 0..2 {
        let cid = must(pool.push(&signed).await, "pushing the same signed bytes twice is success");
        assert_eq!(cid, signed.cid(), "push answers the chain CID");
    }
    let pending = must(pool.pending().await, "pending answers");
    assert_eq!(pending.iter().filter(|m| **m == signed).count(), 1, "a message waits once");
    assert_eq!(pool.next_nonce(&f.from).await.unwrap(), nonce + 1, "waiting messages count");
}

async fn replacement(pool: &dyn MessagePool, f: &MessagePoolFixture<'_>) {
    let nonce = pool.next_nonce(&f.from).await.unwrap();
    let first = f.signed(nonce).await;
    must(pool.push(&first).await, "a message is taken");
    let mut message = f.message(nonce);
    message.gas_premium = TokenAmount::from_atto(240_000);
    let cheap = pool.push(&f.sign(&message).await).await;
    assert!(
        matches!(cheap, Err(ChainError::Pool(PoolReject::ReplacePremiumTooLow { .. }))),
        "less than 1.25 times the premium does not replace: {cheap:?}"
    );
    message.gas_premium = TokenAmount::from_atto(260_000);
    let dear = f.sign(&message).await;
    must(pool.push(&dear).await, "1.25 times the premium replaces");
    let pending = pool.pending().await.unwrap();
    assert!(pending.contains(&dear) && !pending.contains(&first), "the replaced message waits no more");
    assert_eq!(pool.next_nonce(&f.from).await.unwrap(), nonce + 1, "replacing uses no nonce");
}

async fn refusals(pool: &dyn MessagePool, f: &MessagePoolFixture<'_>) {
    let nonce = pool.next_nonce(&f.from).await.unwrap();
    let mut forged = f.signed(nonce).await;
    forged.message.value = TokenAmount::from_atto(2);
    let result = pool.push(&forged).await;
    assert!(
        matches!(result, Err(ChainError::Pool(PoolReject::Signature(_)))),
        "a signature that does not verify is refused: {result:?}"
    );
    let mut poor = f.message(nonce);
    poor.value = TokenAmount::from_whole(1_999_999_999);
    let result = pool.push(&f.sign(&poor).await).await;
    assert!(
        matches!(result, Err(ChainError::Pool(PoolReject::InsufficientFunds))),
        "a sender without funds is refused: {result:?}"
    );
    let mut big = f.message(nonce);
    big.params = vec![0; 65 << 10].into();
    let result = pool.push(&f.sign(&big).await).await;
    must_fail(result, ErrorKind::Invalid, "more than 64 KiB are refused");
    assert_eq!(pool.next_nonce(&f.from).await.unwrap(), nonce, "what is refused leaves nothing behind");
}

async fn batches(pool: &dyn MessagePool, f: &MessagePoolFixture<'_>) {
    let nonce = pool.next_nonce(&f.from).await.unwrap();
    let mut forged = f.signed(nonce).await;
    forged.message.value = TokenAmount::from_atto(2);
    let batch = [f.signed(nonce).await, forged, f.signed(nonce + 1).await];
    let results = pool.push_many(&batch).await;
    let taken: Vec<_> = results.iter().map(Result::is_ok).collect();
    assert_eq!(taken, [true, false, true], "batch results are per message: {results:?}");

    let pending = pool.pending().await.unwrap();
    for (a, b) in pending.iter().zip(pending.iter().skip(1)) {
        let ascending = a.message.from != b.message.from || a.message.sequence < b.message.sequence;
        assert!(ascending, "pending messages are ordered by nonce");
    }
    let mut senders: Vec<_> = pending.iter().map(|m| m.message.from).collect();
    senders.dedup();
    let runs = senders.len();
    senders.sort_by_key(|a| a.to_bytes());
    senders.dedup();
    assert_eq!(runs, senders.len(), "pending messages of a sender stand together");
}

async fn landing(pool: &dyn MessagePool, f: &MessagePoolFixture<'_>) {
    let nonce = pool.next_nonce(&f.from).await.unwrap();
    let signed = f.signed(nonce).await;
    must(pool.push(&signed).await, "a message is taken");
    (f.mine)().await;
    let pending = pool.pending().await.unwrap();
    assert!(!pending.iter().any(|m| m.message.from == f.from), "what landed waits no more: {pending:?}");
    assert_eq!(pool.next_nonce(&f.from).await.unwrap(), nonce + 1, "the nonce is the chain's");
    let cid = must(pool.push(&signed).await, "pushing a message that landed is success");
    assert_eq!(cid, signed.cid(), "push answers the chain CID");
    assert!(!pool.pending().await.unwrap().contains(&signed), "what landed waits no more");

    let mut other = f.message(nonce);
    other.value = TokenAmount::from_atto(3);
    let result = pool.push(&f.sign(&other).await).await;
    assert!(
        matches!(result, Err(ChainError::Pool(PoolReject::NonceTooLow { .. }))),
        "another message with a used nonce is refused: {result:?}"
    );
}
