//! Sending messages, and looking after those that wait.

use std::future::poll_fn;
use std::sync::Arc;
use std::task::Poll;

use async_trait::async_trait;
use cid::Cid;
use fvm_shared::address::Address;
use venus_core::api::{BlockProducer, ChainError, MessagePool, PoolReject};
use venus_core::types::{MpoolConfig, SignedMessage, TipsetKey};

use crate::message::Verified;
use crate::mpool::{
    Limits, PoolUpdates, Waiting, bad_signature, check_config, check_content, check_inclusion,
};
use crate::node::{Core, Devnet, Inner};

/// [`MessagePool::push`] trusts its caller, who shares the process: nonces may be up to 4 ahead, a sender may have
/// 1000 messages waiting, and a fee cap below the base fee may wait for it to fall. For others there is
/// [`Devnet::push_untrusted`].
#[async_trait]
impl MessagePool for Devnet {
    async fn push(&self, message: &SignedMessage) -> Result<Cid, ChainError> {
        let message = message.clone();
        self.off_thread(move |inner| Ok(inner.push(&message, &Limits::TRUSTED)?)).await
    }

    async fn pending(&self) -> Result<Vec<SignedMessage>, ChainError> {
        Ok(self.inner.read().pool.iter().map(|m| m.signed.clone()).collect())
    }

    async fn next_nonce(&self, sender: &Address) -> Result<u64, ChainError> {
        let core = self.inner.read();
        let executed = core.chain.execute(core.chain.head())?;
        let (_, actor) = executed.state.find(sender).ok_or(ChainError::ActorNotFound(*sender))?;
        let key = actor.key_address().unwrap_or(*sender);
        Ok(core.pool.next_nonce(&key, actor.nonce))
    }
}

impl Devnet {
    /// Offers a message that comes from a stranger: no nonce gaps, 100 messages waiting, and a fee cap of at least a
    /// hundredth of the base fee.
    ///
    /// # Errors
    /// As [`MessagePool::push`].
    pub async fn push_untrusted(&self, message: &SignedMessage) -> Result<Cid, ChainError> {
        let message = message.clone();
        self.off_thread(move |inner| Ok(inner.push(&message, &Limits::UNTRUSTED)?)).await
    }

    /// Offers several messages in the way of Lotus's `MpoolBatchPush` and, if `untrusted`, `MpoolBatchPushUntrusted`:
    /// content and signatures of all are checked first, then one after the other is pushed until one is refused.
    ///
    /// # Errors
    /// The first refusal. If it is about content or signature nothing was pushed; otherwise the messages before it
    /// were. To know what became of each message use [`MessagePool::push_many`].
    pub async fn push_batch(
        &self,
        messages: &[SignedMessage],
        untrusted: bool,
    ) -> Result<Vec<Cid>, ChainError> {
        let limits = if untrusted { Limits::UNTRUSTED } else { Limits::TRUSTED };
        let mut checked = Vec::with_capacity(messages.len());
        for message in messages {
            checked.push(self.inner.check(message)?);
            breathe().await;
        }
        let admitted = checked.into_iter().map(|checked| Ok(self.inner.admit(checked, &limits)?));
        admitted.collect()
    }

    /// What waits as seen from a tipset, by sender and nonce: messages that landed after it wait, messages that landed
    /// before it do not. The empty key means the head.
    ///
    /// # Errors
    /// [`ChainError::TipsetNotFound`]; [`ChainError::Invalid`] for a tipset more than 900 epochs from the head.
    pub async fn pending_at(&self, at: &TipsetKey) -> Result<Vec<SignedMessage>, ChainError> {
        let core = self.inner.read();
        let tipset = core.chain.tipset(at)?;
        let waiting = Waiting::at(&core.chain, &core.pool, &tipset)?.all();
        Ok(waiting.iter().map(|m| m.signed.clone()).collect())
    }

    /// Messages for one block on a base, for a ticket quality from 0 to 1.
    ///
    /// # Errors
    /// As [`BlockProducer::select_messages`], which chooses for several blocks.
    pub async fn select(&self, base: &TipsetKey, quality: f64) -> Result<Vec<SignedMessage>, ChainError> {
        let mut lists = self.select_messages(base, &[quality]).await?;
        Ok(lists.pop().unwrap_or_default())
    }

    /// How the pool is set up.
    pub fn pool_config(&self) -> MpoolConfig {
        self.inner.read().pool.config().clone()
    }

    /// Sets the pool up differently, for messages that come from now on. Forgotten when the devnet ends.
    ///
    /// # Errors
    /// [`ChainError::Invalid`] naming the field.
    pub fn set_pool_config(&self, config: MpoolConfig) -> Result<(), ChainError> {
        check_config(&config)?;
        self.inner.write().pool.set_config(config);
        Ok(())
    }

    /// Messages that come to the pool and leave it, from now on. A message that replaces another comes after that left.
    pub fn pool_updates(&self) -> PoolUpdates {
        self.inner.read().pool.updates()
    }

    /// Drops all messages. Answers how many there were. Nobody is told but [`Devnet::pool_updates`].
    pub fn clear_pool(&self) -> usize {
        self.inner.write().pool.clear()
    }

    /// Drops the message of a sender with this nonce, so that those after it wait for another. Answers whether there
    /// was one.
    pub fn remove_pending(&self, from: &Address, nonce: u64) -> bool {
        let mut core = self.inner.write();
        let key = core.sender_key(from);
        core.pool.remove(&key, nonce)
    }

    /// Drops all messages of a sender. Answers how many there were.
    pub fn remove_pending_of(&self, from: &Address) -> usize {
        let mut core = self.inner.write();
        let key = core.sender_key(from);
        core.pool.remove_sender(&key)
    }
}

/// Lets other tasks run: checking the signatures of a long batch takes a while.
async fn breathe() {
    let mut waited = false;
    poll_fn(|context| {
        if std::mem::replace(&mut waited, true) {
            return Poll::Ready(());
        }
        context.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

/// A message on its way into the pool.
enum Checked {
    /// It waits or is on the chain already.
    Known(Cid),
    /// Content and signature are good.
    New(Arc<Verified>),
}

impl Inner {
    fn push(&self, message: &SignedMessage, limits: &Limits) -> Result<Cid, PoolReject> {
        let checked = self.check(message)?;
        self.admit(checked, limits)
    }

    /// Checks content and signature, the latter without any lock. Nothing of the chain or the pool is told before, but
    /// that a message is known.
    fn check(&self, message: &SignedMessage) -> Result<Checked, PoolReject> {
        check_content(message)?;
        let cid = message.cid();
        if self.read().is_known(&cid, message) {
            return Ok(Checked::Known(cid));
        }
        let chain_id = self.info.network.eip155_chain_id;
        let verified = Verified::check(message.clone(), message.message.from, chain_id)
            .map_err(|e| bad_signature(message, &e))?;
        check_inclusion(message, verified.chain_len)?;
        Ok(Checked::New(Arc::new(verified)))
    }

    fn admit(&self, message: Checked, limits: &Limits) -> Result<Cid, PoolReject> {
        let verified = match message {
            Checked::Known(cid) => return Ok(cid),
            Checked::New(verified) => verified,
        };
        let cid = verified.cid;
        let mut core = self.write();
        // Somebody else may have pushed it meanwhile.
        if core.is_known(&cid, &verified.signed) {
            return Ok(cid);
        }
        let Core { chain, pool } = &mut *core;
        pool.admit(chain, verified.clone(), limits, self.clock.now())?;
        chain.messages.remember(&verified);
        Ok(cid)
    }
}

impl Core {
    /// Whether exactly these bytes wait or are on the chain.
    fn is_known(&self, cid: &Cid, signed: &SignedMessage) -> bool {
        let waits = self.pool.get(cid).is_some_and(|known| known.signed == *signed);
        let lands = || self.chain.messages.get_exact(cid).filter(|known| known.signed == *signed);
        waits || lands().is_some_and(|known| self.chain.is_on_chain(known))
    }

    /// The address under which the pool keeps messages of a sender.
    fn sender_key(&self, from: &Address) -> Address {
        let executed = self.chain.execute(self.chain.head()).ok();
        executed.and_then(|executed| executed.state.sender_key(from)).unwrap_or(*from)
    }
}
