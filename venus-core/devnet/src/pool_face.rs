//! Sending messages.

use std::sync::Arc;

use async_trait::async_trait;
use cid::Cid;
use fvm_shared::address::Address;
use fvm_shared::message::Message;
use venus_core::api::{ChainError, GasEstimator, GasSpec, MessagePool, PoolReject};
use venus_core::types::SignedMessage;

use crate::estimate::estimate;
use crate::message::Verified;
use crate::mpool::{Limits, check_content};
use crate::node::{Core, Devnet, Inner};

/// [`MessagePool::push`] trusts its caller, who shares the process: nonces may be up to 4 ahead, and a sender may have
/// 1000 messages waiting. For others there is [`Devnet::push_untrusted`].
#[async_trait]
impl MessagePool for Devnet {
    async fn push(&self, message: &SignedMessage) -> Result<Cid, ChainError> {
        Ok(self.inner.push(message, &Limits::TRUSTED)?)
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

#[async_trait]
impl GasEstimator for Devnet {
    async fn estimate(&self, message: &Message, spec: &GasSpec) -> Result<Message, ChainError> {
        estimate(&self.inner.read().chain, message, spec)
    }
}

impl Devnet {
    /// Offers a message that comes from a stranger: no nonce gaps, 100 messages waiting.
    ///
    /// # Errors
    /// As [`MessagePool::push`].
    pub async fn push_untrusted(&self, message: &SignedMessage) -> Result<Cid, ChainError> {
        Ok(self.inner.push(message, &Limits::UNTRUSTED)?)
    }
}

impl Inner {
    /// The signature is checked before anything of the chain or the pool is told.
    fn push(&self, message: &SignedMessage, limits: &Limits) -> Result<Cid, PoolReject> {
        check_content(message)?;
        let cid = message.cid();
        if self.read().is_known(&cid, message) {
            return Ok(cid);
        }
        let chain_id = self.info.network.eip155_chain_id;
        let verified = Verified::check(message.clone(), message.message.from, chain_id)
            .map_err(|e| PoolReject::Signature(e.to_string()))?;
        let verified = Arc::new(verified);
        let mut core = self.write();
        // Somebody else may have pushed it meanwhile.
        if core.is_known(&cid, message) {
            return Ok(cid);
        }
        let Core { chain, pool } = &mut *core;
        pool.admit(chain, verified.clone(), limits)?;
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
}
