//! Deciding about requests.

use std::collections::BTreeSet;

use async_trait::async_trait;
use venus_core::api::Permission;
use venus_core::types::{Address, Message, MsgType};

use super::StrategyError;
use super::actors::names;
use super::engine::{Level, Strategy};
use super::index::Index;
use super::token::presented;
use crate::check::{Check, Refusal};
use crate::payload::{Payload, PayloadClass};
use crate::request::{Caller, Origin, Review};

/// Which keys a caller may see.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Scope {
    /// Whether it may see all of them. `addresses` is empty then.
    pub root: bool,
    /// Those that it may see otherwise, sorted.
    pub addresses: Vec<Address>,
}

impl Scope {
    /// Whether a key may be seen.
    pub fn contains(&self, address: &Address) -> bool {
        self.root || self.addresses.binary_search(address).is_ok()
    }
}

impl Strategy {
    /// Lets a caller use a key for a type, or not. `message` is needed for chain messages at [`Level::Methods`].
    ///
    /// # Errors
    /// [`StrategyError::NotFound`] for a caller without rights on the key, [`StrategyError::NotAllowed`];
    /// [`StrategyError::Actor`] and [`StrategyError::Store`] if it cannot be decided.
    pub async fn verify(
        &self,
        caller: &Caller,
        key: &Address,
        msg_type: MsgType,
        message: Option<&Message>,
    ) -> Result<(), StrategyError> {
        if self.is_root(caller) || msg_type == MsgType::VerifyAddress {
            return Ok(());
        }
        decide(&self.0.certain().await?.index, caller, key, msg_type, None)?;
        if self.options().level == Level::Methods && msg_type == MsgType::ChainMessage {
            let message = message.ok_or_else(unseen)?;
            let names = names(message, &self.0.actors, &self.0.options).await?;
            // Again: what was revoked while a node was asked does not count.
            decide(&self.0.certain().await?.index, caller, key, msg_type, Some(&names))?;
        }
        Ok(())
    }

    /// The keys that a caller may list. Through a gateway: those that all of its accounts may use.
    ///
    /// # Errors
    /// [`StrategyError::NotFound`] without a valid token or an account, [`StrategyError::Store`].
    pub async fn scope(&self, caller: &Caller) -> Result<Scope, StrategyError> {
        if self.is_root(caller) {
            return Ok(Scope { root: true, addresses: Vec::new() });
        }
        let index = self.0.certain().await?.index;
        let keys = match (&caller.origin, &caller.strategy_token) {
            (Origin::Gateway { .. }, _) => shared_keys(&index, &caller.accounts),
            (_, token) => token.as_ref().and_then(presented).and_then(|token| index.keys_of_token(&token)),
        };
        let keys = keys.ok_or(StrategyError::NotFound)?;
        Ok(Scope { root: false, addresses: keys.into_iter().collect() })
    }

    /// Whether a caller may see a key. Without a valid token it sees none.
    ///
    /// # Errors
    /// [`StrategyError::Store`].
    pub async fn contains(&self, caller: &Caller, key: &Address) -> Result<bool, StrategyError> {
        match self.scope(caller).await {
            Ok(scope) => Ok(scope.contains(key)),
            Err(StrategyError::NotFound) => Ok(false),
            Err(error) => Err(error),
        }
    }

    async fn review(&self, review: &Review<'_>) -> Result<(), StrategyError> {
        let (request, payload) = (review.request, review.payload);
        let types = [Some(payload.msg_type()), implied(payload)];
        for msg_type in types.into_iter().flatten() {
            self.verify(request.caller, &request.signer, msg_type, payload.message()).await?;
        }
        Ok(())
    }

    fn is_root(&self, caller: &Caller) -> bool {
        self.options().level == Level::Disabled
            || caller.origin == Origin::Embedded
            || caller.permissions.allow(Permission::Admin)
    }
}

fn decide(
    index: &Index,
    caller: &Caller,
    key: &Address,
    msg_type: MsgType,
    names: Option<&[&str]>,
) -> Result<(), StrategyError> {
    let granted: Option<Vec<_>> = match (&caller.origin, &caller.strategy_token) {
        (Origin::Gateway { .. }, _) => {
            caller.accounts.iter().map(|account| index.by_account(account, key)).collect()
        }
        (_, token) => {
            let token = token.as_ref().and_then(presented).ok_or(StrategyError::NotFound)?;
            index.by_token(&token, key).map(|rights| vec![rights])
        }
    };
    let granted = granted.filter(|all| !all.is_empty()).ok_or(StrategyError::NotFound)?;
    granted.iter().try_for_each(|rights| rights.allow(msg_type, names))
}

/// The CID of a message does not say what its method is.
fn unseen() -> StrategyError {
    StrategyError::NotAllowed("method unknown: send the message itself, as type message".into())
}

/// The keys of all accounts; `None` without an account.
fn shared_keys(index: &Index, accounts: &[String]) -> Option<BTreeSet<Address>> {
    let of_each = accounts.iter().map(|account| index.keys_of_account(account));
    of_each.reduce(|all, these| all.intersection(&these).copied().collect())
}

/// The type that plain bytes would be if they came with one. It has to be allowed besides the claimed one: whoever may
/// sign `unknown` may not therefore sign messages and blocks.
fn implied(payload: &Payload) -> Option<MsgType> {
    match payload.class() {
        PayloadClass::RawCid | PayloadClass::RawEth => Some(MsgType::ChainMessage),
        PayloadClass::RawBlock => Some(MsgType::Block),
        PayloadClass::RawDeal => Some(MsgType::DealProposal),
        PayloadClass::RawVoucher => Some(MsgType::SignedVoucher),
        PayloadClass::RawMarket => Some(MsgType::StorageAsk),
        _ => None,
    }
}

#[async_trait]
impl Check for Strategy {
    fn name(&self) -> &'static str {
        "strategy"
    }

    async fn check(&self, review: &Review<'_>) -> Result<(), Refusal> {
        match self.review(review).await {
            Ok(()) => Ok(()),
            Err(error @ (StrategyError::Store(_) | StrategyError::Actor(_))) => {
                Err(Refusal::Failed(error.into()))
            }
            Err(error) => Err(Refusal::Denied(error.to_string())),
        }
    }
}
