//! What kind of actor a message goes to: the method's number alone does not say what it does.

use std::collections::{BTreeSet, HashMap};
use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use cid::Cid;
use venus_core::actors::{ActorKind, methods};
use venus_core::api::StateReader;
use venus_core::error::BoxError;
use venus_core::types::{Address, Message, Protocol, TipsetKey};

use super::methods::SEND;
use super::{StrategyError, StrategyOptions};

/// Knows actors.
#[async_trait]
pub trait ActorKinds: fmt::Debug + Send + Sync {
    /// The kind of the actor behind an address; `None` if that is not known. Singletons and key addresses are not
    /// asked for.
    ///
    /// # Errors
    /// If it could not be found out. The request is refused then and may be repeated.
    async fn kind(&self, address: &Address) -> Result<Option<ActorKind>, BoxError>;
}

/// Knows only the actors whose kind the address tells: singletons (`f00` to `f07`, `f010`) and accounts (`f1`, `f3`).
#[derive(Clone, Copy, Debug, Default)]
pub struct Singletons;

#[async_trait]
impl ActorKinds for Singletons {
    async fn kind(&self, _: &Address) -> Result<Option<ActorKind>, BoxError> {
        Ok(None)
    }
}

/// Asks a node.
pub struct NodeActors<S> {
    state: S,
    codes: HashMap<Cid, ActorKind>,
}

impl<S: StateReader> NodeActors<S> {
    /// Over a node, with the codes of the network's actors by name, as `StateActorCodeCIDs` answers them. Actors of
    /// codes that are not among them, after an upgrade for example, are unknown.
    pub fn new(state: S, manifest: impl IntoIterator<Item = (String, Cid)>) -> Self {
        let known = manifest.into_iter().filter_map(|(name, code)| {
            // Lotus calls an actor `account`, older lists `fil/8/account`.
            let name = name.rsplit('/').next().unwrap_or_default();
            Some((code, ActorKind::from_manifest_name(name)?))
        });
        Self { state, codes: known.collect() }
    }
}

impl<S> fmt::Debug for NodeActors<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NodeActors").field("codes", &self.codes.len()).finish_non_exhaustive()
    }
}

#[async_trait]
impl<S: StateReader> ActorKinds for NodeActors<S> {
    async fn kind(&self, address: &Address) -> Result<Option<ActorKind>, BoxError> {
        let actor = self.state.actor(address, &TipsetKey::default()).await?;
        Ok(actor.and_then(|actor| self.codes.get(&actor.code).copied()))
    }
}

/// All names that the method of a message may have. Each of them has to be allowed.
///
/// # Errors
/// [`StrategyError::NotAllowed`] for a number that no method has, [`StrategyError::Actor`].
pub(super) async fn names(
    message: &Message,
    kinds: &Arc<dyn ActorKinds>,
    options: &StrategyOptions,
) -> Result<Vec<&'static str>, StrategyError> {
    let (number, version) = (message.method_num, options.actors_version);
    if number == 0 {
        return Ok(vec![SEND]);
    }
    let kind = match known(&message.to) {
        Some(kind) => Some(kind),
        None => kinds.kind(&message.to).await.map_err(StrategyError::Actor)?,
    };
    let names = match kind {
        Some(kind) => methods::name(kind, version, number).into_iter().collect(),
        None => possible(version, number),
    };
    match (names.is_empty(), kind) {
        (false, _) => Ok(names),
        (true, Some(kind)) => {
            Err(StrategyError::NotAllowed(format!("unknown method {number} for actor {kind}")))
        }
        (true, None) => Err(StrategyError::NotAllowed(format!(
            "unknown method {number}: the actor is not known; configure a node that tells its kind"
        ))),
    }
}

/// The kind that the address alone tells.
fn known(address: &Address) -> Option<ActorKind> {
    match address.protocol() {
        Protocol::BLS | Protocol::Secp256k1 => Some(ActorKind::Account),
        Protocol::ID => ActorKind::of_singleton(address.id().ok()?),
        _ => None,
    }
}

/// What a number may mean if the actor may be any.
fn possible(version: u32, number: u64) -> Vec<&'static str> {
    let named = ActorKind::ALL.iter().filter_map(|kind| methods::name(*kind, version, number));
    // A contract is handed every exported number, whether or not the table has a name for it.
    let contract = (number >= methods::FIRST_EXPORTED).then_some("InvokeContract");
    named.chain(contract).collect::<BTreeSet<_>>().into_iter().collect()
}
