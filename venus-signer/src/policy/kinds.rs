//! What kind of actor a recipient is: a method number means different things to a miner and to a multisig.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use tokio::time::Instant;
use venus_core::actors::ActorKind;
use venus_core::api::StateReader;
use venus_core::types::{ActorID, Address, Cid, Payload, TipsetKey};

/// IDs below this one are given at genesis and have no other address.
const FIRST_FREE_ID: ActorID = 100;
/// The namespace of Ethereum addresses.
const EAM: ActorID = 10;

/// What is known of an actor on chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KnownActor {
    /// What it is.
    pub kind: ActorKind,
    /// The version of its code, if known; method names are those of all versions otherwise.
    pub version: Option<u32>,
    /// Its ID, if known.
    pub id: Option<ActorID>,
}

/// Tells what recipients are. Without an answer a policy reasons from the form of the address alone, and is stricter.
#[async_trait]
pub trait ActorKinds: std::fmt::Debug + Send + Sync {
    /// What stands at an address; `None` if that is not known now. Must answer in bounded time.
    async fn kind(&self, address: &Address) -> Option<KnownActor>;
}

/// A set of actor kinds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Kinds(u32);

impl Kinds {
    pub(crate) const NONE: Self = Self(0);

    pub(crate) fn of(kind: ActorKind) -> Self {
        Self(1 << kind as u32)
    }

    pub(crate) fn these(kinds: &[ActorKind]) -> Self {
        kinds.iter().fold(Self::NONE, |set, kind| set.with(*kind))
    }

    pub(crate) fn with(self, kind: ActorKind) -> Self {
        Self(self.0 | Self::of(kind).0)
    }

    pub(crate) fn has(self, kind: ActorKind) -> bool {
        self.0 & Self::of(kind).0 != 0
    }

    pub(crate) fn meets(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }

    /// The only kind in it.
    pub(crate) fn only(self) -> Option<ActorKind> {
        if self.0.count_ones() == 1 { self.iter().next() } else { None }
    }

    pub(crate) fn iter(self) -> impl Iterator<Item = ActorKind> {
        ActorKind::ALL.iter().copied().filter(move |kind| self.has(*kind))
    }
}

/// The kinds of actor that an address of this form may belong to.
pub(crate) fn possible(address: &Address) -> Kinds {
    use ActorKind::{Account, EthAccount, Evm, Miner, Multisig, Paych, Placeholder};
    match address.payload() {
        Payload::ID(id) => match ActorKind::of_singleton(*id) {
            Some(kind) => Kinds::of(kind),
            None if *id < FIRST_FREE_ID => Kinds::these(&[Account, Multisig]),
            None => Kinds::these(&[Account, EthAccount, Evm, Miner, Multisig, Paych, Placeholder]),
        },
        Payload::Secp256k1(_) | Payload::BLS(_) => Kinds::of(Account),
        Payload::Actor(_) => Kinds::these(&[EthAccount, Evm, Miner, Multisig, Paych, Placeholder]),
        Payload::Delegated(_) => Kinds::these(&[EthAccount, Evm, Placeholder]),
    }
}

/// An Ethereum address that only masks an ID (`ff`, eleven zeros, the ID) becomes that ID.
pub(crate) fn unmasked(address: &Address) -> Address {
    let Payload::Delegated(delegated) = address.payload() else { return *address };
    let sub = delegated.subaddress();
    match (delegated.namespace(), sub.first_chunk::<12>(), sub.last_chunk::<8>()) {
        (EAM, Some([0xff, zeros @ ..]), Some(id)) if sub.len() == 20 && *zeros == [0; 11] => {
            Address::new_id(u64::from_be_bytes(*id))
        }
        _ => *address,
    }
}

/// Whether two addresses of different forms could name one actor.
pub(crate) fn may_be_aliases(a: &Address, b: &Address) -> bool {
    match (a.payload(), b.payload()) {
        (Payload::ID(id), other) | (other, Payload::ID(id)) => {
            *id >= FIRST_FREE_ID && !matches!(other, Payload::ID(_))
        }
        (Payload::Actor(_), Payload::Delegated(_)) | (Payload::Delegated(_), Payload::Actor(_)) => true,
        _ => false,
    }
}

/// Which actor a code CID is, in which version.
///
/// Codes up to version 7 say it themselves; later ones are hashes that the network's manifests list.
#[derive(Clone, Debug, Default)]
pub struct CodeTable(HashMap<Cid, (ActorKind, u32)>);

impl CodeTable {
    /// Adds a manifest: names and code CIDs, as `StateActorCodeCIDs` answers them for a network version that runs
    /// `version` of the actors. Unknown names are skipped.
    #[must_use]
    pub fn with_manifest<N: AsRef<str>>(
        mut self,
        version: u32,
        codes: impl IntoIterator<Item = (N, Cid)>,
    ) -> Self {
        let known = codes.into_iter().filter_map(|(name, cid)| {
            ActorKind::from_manifest_name(name.as_ref()).map(|kind| (cid, (kind, version)))
        });
        self.0.extend(known);
        self
    }

    /// The actor of a code CID.
    pub fn get(&self, code: &Cid) -> Option<(ActorKind, u32)> {
        self.0.get(code).copied().or_else(|| named_code(code))
    }
}

/// Reads `fil/5/storageminer`: an identity hash, whose first number is 1 for version 0 of the actors.
fn named_code(code: &Cid) -> Option<(ActorKind, u32)> {
    if code.hash().code() != 0 {
        return None;
    }
    let text = std::str::from_utf8(code.hash().digest()).ok()?;
    let (number, name) = text.strip_prefix("fil/")?.split_once('/')?;
    let version = match number.parse().ok()? {
        1 => 0,
        later @ 2..=7 => later,
        _ => return None,
    };
    Some((ActorKind::from_manifest_name(name)?, version))
}

/// [`ActorKinds`] by a node, with a cache of bounded size and age.
///
/// A node that does not answer within [`StateKinds::PATIENCE`] counts as not knowing.
#[derive(Clone)]
pub struct StateKinds {
    state: Arc<dyn StateReader>,
    codes: Arc<CodeTable>,
    cache: Arc<Mutex<HashMap<Address, (Instant, KnownActor)>>>,
}

impl StateKinds {
    /// How long a node may take.
    pub const PATIENCE: Duration = Duration::from_secs(2);
    /// How old a cached answer may be: an upgrade of the network changes codes.
    const MAX_AGE: Duration = Duration::from_secs(600);
    const MAX_CACHED: usize = 4096;

    /// Asks `state`, and reads codes by `codes`.
    pub fn new(state: Arc<dyn StateReader>, codes: CodeTable) -> Self {
        Self { state, codes: Arc::new(codes), cache: Arc::default() }
    }

    fn cached(&self, address: &Address) -> Option<KnownActor> {
        let cache = self.cache.lock().unwrap_or_else(PoisonError::into_inner);
        cache.get(address).filter(|(at, _)| at.elapsed() < Self::MAX_AGE).map(|(_, known)| *known)
    }

    fn keep(&self, address: Address, known: KnownActor) {
        // It becomes something else with its first message.
        if known.kind == ActorKind::Placeholder {
            return;
        }
        let mut cache = self.cache.lock().unwrap_or_else(PoisonError::into_inner);
        if cache.len() >= Self::MAX_CACHED {
            cache.clear();
        }
        cache.insert(address, (Instant::now(), known));
    }

    async fn ask(&self, address: &Address) -> Option<KnownActor> {
        let head = TipsetKey::default();
        let actor = self.state.actor(address, &head).await.ok()??;
        let (kind, version) = self.codes.get(&actor.code)?;
        let id = self.state.lookup_id(address, &head).await.ok().and_then(|id| id.id().ok());
        Some(KnownActor { kind, version: Some(version), id })
    }
}

impl std::fmt::Debug for StateKinds {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("StateKinds").finish_non_exhaustive()
    }
}

#[async_trait]
impl ActorKinds for StateKinds {
    async fn kind(&self, address: &Address) -> Option<KnownActor> {
        if let Some(known) = self.cached(address) {
            return Some(known);
        }
        let known = tokio::time::timeout(Self::PATIENCE, self.ask(address)).await.ok()??;
        self.keep(*address, known);
        Some(known)
    }
}
