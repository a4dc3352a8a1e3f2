//! Reading the state of actors and the fate of messages.

use async_trait::async_trait;
use cid::Cid;
use fvm_shared::address::{Address, Protocol};

use super::{Flavour, RpcNode};
use crate::api::{ActorInfo, ChainError, ChainReader, SearchOptions, StateReader};
use crate::json::{Json, JsonRef};
use crate::types::{MessageExt, MessageLookup, TipsetKey};

const SEARCH: &str = "Filecoin.StateSearchMsg";
/// What nodes say of a message that they do not have.
const NO_MESSAGE: [&str; 3] = ["failed to load message", "failed to get secp message", "could not find"];
/// What nodes say of a message that never lands, for another with its nonce has.
const OTHER_LANDED: &str = "found message with equal nonce as the one we are looking for";

#[async_trait]
impl<F: Flavour> StateReader for RpcNode<F> {
    async fn actor(&self, address: &Address, at: &TipsetKey) -> Result<Option<ActorInfo>, ChainError> {
        self.find_actor(address, at).await
    }

    async fn lookup_id(&self, address: &Address, at: &TipsetKey) -> Result<Address, ChainError> {
        // Nodes answer an ID with itself, whether anybody has it or not.
        if address.protocol() == Protocol::ID {
            return self.must_exist(address, at).await.map(|()| *address);
        }
        let answer = self.get_at("Filecoin.StateLookupID", &(JsonRef(address), at), at).await;
        answer.map(|Json(id)| id).map_err(|fault| fault.of_actor(address, at))
    }

    async fn account_key(&self, address: &Address, at: &TipsetKey) -> Result<Address, ChainError> {
        match self.get_at("Filecoin.StateAccountKey", &(JsonRef(address), at), at).await {
            // Nodes answer a key address with itself, too.
            Ok(Json(key)) if key == *address => self.must_exist(address, at).await.map(|()| key),
            Ok(Json(key)) => Ok(key),
            Err(fault) if fault.says(&["is not account", "not an account"]) => {
                Err(ChainError::Invalid(format!("actor {address} is no account")))
            }
            Err(fault) => Err(fault.of_actor(address, at)),
        }
    }

    async fn search_message(
        &self,
        message: &Cid,
        options: &SearchOptions,
    ) -> Result<Option<MessageLookup>, ChainError> {
        let SearchOptions { from, lookback, allow_replaced } = options;
        let params = (from, JsonRef(message), lookback.unwrap_or(-1), allow_replaced);
        match self.get_at(SEARCH, &params, from).await {
            Ok(found) => Ok(found),
            Err(fault) if fault.is_missing() => self.walk_back(message, options).await,
            // The text names what is missing: the message, or the tipset to start from.
            Err(fault) if fault.lacks(message) || fault.says(&NO_MESSAGE[..2]) => Ok(None),
            Err(fault) if fault.says(&[OTHER_LANDED]) => Ok(None),
            Err(fault) => Err(fault.at(from)),
        }
    }
}

impl<F: Flavour> RpcNode<F> {
    /// Looks for a message as the node would, tipset by tipset.
    async fn walk_back(
        &self,
        cid: &Cid,
        options: &SearchOptions,
    ) -> Result<Option<MessageLookup>, ChainError> {
        let wanted = match self.message(cid).await {
            Ok(message) => message,
            Err(ChainError::MessageNotFound(_)) => return Ok(None),
            Err(e) => return Err(e),
        };
        let mut child = self.tipset(&options.from).await?;
        let oldest = options.lookback.map_or(0, |epochs| child.height().saturating_sub(epochs));
        while child.height() > 0 {
            let parent = self.tipset(&child.parents()).await?;
            if parent.height() < oldest {
                break;
            }
            let block = child.min_ticket_block().cid();
            let messages = self.parent_messages(&block).await?;
            let same = |(landed, m): &(Cid, _)| {
                let m: &fvm_shared::message::Message = m;
                let replaced =
                    options.allow_replaced && (m.from, m.sequence) == (wanted.from, wanted.sequence);
                landed == cid || m.cid() == *cid || replaced
            };
            if let Some(index) = messages.iter().position(same) {
                let receipt = self.parent_receipts(&block).await?.get(index).cloned();
                let lookup = messages.get(index).zip(receipt).map(|((landed, _), receipt)| MessageLookup {
                    message: *landed,
                    receipt,
                    tipset: child.key().clone(),
                    height: child.height(),
                });
                return Ok(lookup);
            }
            child = parent;
        }
        Ok(None)
    }
}
