//! Actors, addresses and the fate of messages.

use async_trait::async_trait;
use cid::Cid;
use fvm_shared::address::{Address, Payload};
use venus_core::api::{ActorInfo, ChainError, SearchOptions, StateReader};
use venus_core::types::{MessageLookup, TipsetKey};

use crate::node::Devnet;
use crate::state::Actor;

#[async_trait]
impl StateReader for Devnet {
    async fn actor(&self, address: &Address, at: &TipsetKey) -> Result<Option<ActorInfo>, ChainError> {
        let at = self.at(at)?;
        Ok(at.view().tree.find(address).map(|(_, actor)| actor_info(actor)))
    }

    async fn lookup_id(&self, address: &Address, at: &TipsetKey) -> Result<Address, ChainError> {
        self.at(at)?.id_of(address).map(Address::new_id)
    }

    async fn account_key(&self, address: &Address, at: &TipsetKey) -> Result<Address, ChainError> {
        let at = self.at(at)?;
        let (_, actor) = at.view().tree.find(address).ok_or(ChainError::ActorNotFound(*address))?;
        let key = actor.key_address().filter(|key| !matches!(key.payload(), Payload::ID(_)));
        key.ok_or_else(|| ChainError::Invalid(format!("actor {address} is no account")))
    }

    async fn search_message(
        &self,
        message: &Cid,
        options: &SearchOptions,
    ) -> Result<Option<MessageLookup>, ChainError> {
        self.inner.read().chain.search(message, options)
    }
}

/// An actor as nodes tell of it.
pub(crate) fn actor_info(actor: &Actor) -> ActorInfo {
    ActorInfo {
        code: actor.code(),
        head: actor.head(),
        nonce: actor.nonce,
        balance: actor.balance.clone(),
        delegated_address: actor.delegated_address(),
    }
}
