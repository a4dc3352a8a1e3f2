//! Strategies over a store.

use std::fmt;
use std::sync::{Arc, PoisonError, RwLock};

use tokio::sync::Mutex;
use venus_core::actors::methods;
use venus_core::entropy::{Entropy, OsEntropy};
use venus_core::types::Network;

use super::actors::{ActorKinds, Singletons};
use super::index::Index;
use super::tables::{Change, Id, Tables};
use super::{StrategyError, StrategyStore};

/// How much strategies decide, as `[Strategy] Level` of the configuration.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// 0: nothing.
    #[default]
    Disabled,
    /// 1: keys and types.
    Types,
    /// 2: keys, types, and the methods of chain messages.
    Methods,
}

impl Level {
    /// The level of a number in the configuration.
    pub const fn from_number(number: u64) -> Option<Self> {
        match number {
            0 => Some(Self::Disabled),
            1 => Some(Self::Types),
            2 => Some(Self::Methods),
            _ => None,
        }
    }
}

/// How strategies are applied.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StrategyOptions {
    /// What they decide about. Level 0 by default, as in Go.
    pub level: Level,
    /// The prefix of addresses in text.
    pub network: Network,
    /// The version of the actors that method names are those of; the latest known by default.
    pub actors_version: u32,
    /// Stores new tokens as they are, as Go does, and shows all of them in lists. For a database that a Go wallet is to
    /// read again.
    pub clear_tokens: bool,
}

impl Default for StrategyOptions {
    fn default() -> Self {
        Self {
            level: Level::default(),
            network: Network::Mainnet,
            actors_version: methods::LATEST_VERSION,
            clear_tokens: false,
        }
    }
}

/// Who may sign what, and the edits of that. Clones are the same strategies.
///
/// As a [`Check`](crate::Check) it lets a request pass if
/// * the level is [`Level::Disabled`], the caller is in the same process, or its token allows `admin`; or
/// * the caller presented a strategy token whose group allows the request; or
/// * the request came through a gateway for at least one account, and **each** of its accounts is bound to a group that
///   allows it; or
/// * it is the challenge of a gateway (`verifyaddress`).
///
/// At [`Level::Methods`] the name of a chain message's method has to be allowed too. Which name a number stands for
/// depends on the actor. Where that is not known, all names that the number may stand for have to be allowed.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use venus_core::types::address;
/// use venus_signer::strategy::{MemoryStrategyStore, Strategy, StrategyOptions};
///
/// let strategy = Strategy::open(MemoryStrategyStore::new(), StrategyOptions::default()).await?;
/// let key = address::parse("f17uoq6tp427uzv7fztkbsnn64iwotfrristwpryy")?;
/// strategy.new_key_bind("pay", &key, &[1], &["Send".into()]).await?;
/// strategy.new_group("payments", &["pay".into()]).await?;
/// let token = strategy.new_token("payments").await?;
/// assert_eq!(strategy.token_info(&token.expose())?.name, "payments");
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Strategy(pub(super) Arc<Inner>);

pub(super) struct Inner {
    store: Box<dyn StrategyStore>,
    pub(super) options: StrategyOptions,
    pub(super) actors: Arc<dyn ActorKinds>,
    pub(super) entropy: Arc<dyn Entropy>,
    /// Edits happen one after the other.
    turn: Mutex<()>,
    state: RwLock<State>,
}

#[derive(Clone)]
pub(super) struct State {
    pub(super) tables: Arc<Tables>,
    pub(super) index: Arc<Index>,
    /// Whether the store may hold something else: an edit failed or was given up in the middle. Nothing passes until the
    /// store was read again.
    in_doubt: bool,
}

impl State {
    fn of(tables: Tables) -> Self {
        Self { index: Arc::new(Index::compile(&tables)), tables: Arc::new(tables), in_doubt: false }
    }
}

impl fmt::Debug for Strategy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Strategy").field("store", &self.0.store).field("options", &self.0.options).finish()
    }
}

impl Strategy {
    /// Strategies over a store. Methods are told by address alone, and tokens are made of the system's random bytes.
    ///
    /// # Errors
    /// [`StrategyError::Store`].
    pub async fn open(
        store: impl StrategyStore + 'static,
        options: StrategyOptions,
    ) -> Result<Self, StrategyError> {
        Self::with(store, options, Singletons, OsEntropy).await
    }

    /// Strategies over a store, with sources of your own.
    ///
    /// # Errors
    /// [`StrategyError::Store`].
    pub async fn with(
        store: impl StrategyStore + 'static,
        options: StrategyOptions,
        actors: impl ActorKinds + 'static,
        entropy: impl Entropy + 'static,
    ) -> Result<Self, StrategyError> {
        let state = RwLock::new(State::of(store.load().await?));
        let (actors, entropy) = (Arc::new(actors), Arc::new(entropy));
        let turn = Mutex::default();
        Ok(Self(Arc::new(Inner { store: Box::new(store), options, actors, entropy, turn, state })))
    }

    /// How they are applied.
    pub fn options(&self) -> &StrategyOptions {
        &self.0.options
    }

    /// Replaces all tokens that are stored as they are, as a Go wallet left them, by their hashes; returns how many.
    /// They stay valid here. A Go wallet does not know them afterwards, so this happens only when asked for.
    ///
    /// # Errors
    /// [`StrategyError::Store`].
    pub async fn hash_tokens(&self) -> Result<usize, StrategyError> {
        let _turn = self.0.turn.lock().await;
        let doubt = Doubt(&self.0);
        let count = self.0.store.hash_tokens().await?;
        self.0.reload().await?;
        doubt.settled();
        Ok(count)
    }
}

impl Inner {
    fn current(&self) -> State {
        self.state.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn replace(&self, tables: Tables) {
        // Compiled before the lock is taken: checks go on meanwhile.
        let next = State::of(tables);
        *self.state.write().unwrap_or_else(PoisonError::into_inner) = next;
    }

    async fn reload(&self) -> Result<(), StrategyError> {
        self.replace(self.store.load().await?);
        Ok(())
    }

    /// What the store holds, read again if that is in doubt.
    pub(super) async fn certain(&self) -> Result<State, StrategyError> {
        let state = self.current();
        if !state.in_doubt {
            return Ok(state);
        }
        let _turn = self.turn.lock().await;
        if self.current().in_doubt {
            self.reload().await?;
        }
        Ok(self.current())
    }

    /// What the store held after the last edit that came to its end. For lists, not for decisions.
    pub(super) fn seen(&self) -> Arc<Tables> {
        self.current().tables
    }

    /// Makes the changes that `plan` finds to be needed, and returns what it returns. When this returns, every check that
    /// begins decides by the new state.
    pub(super) async fn edit<T>(
        &self,
        plan: impl FnOnce(&Tables) -> Result<(Vec<Change>, T), StrategyError> + Send,
    ) -> Result<T, StrategyError> {
        let _turn = self.turn.lock().await;
        if self.current().in_doubt {
            self.reload().await?;
        }
        let tables = self.current().tables;
        let (changes, outcome) = plan(&tables)?;
        if changes.is_empty() {
            return Ok(outcome);
        }
        rehearse(&tables, &changes)?;
        let doubt = Doubt(self);
        let ids = self.store.apply(&changes).await?;
        let mut next = Tables::clone(&tables);
        for (change, id) in changes.iter().zip(ids) {
            next.apply(change, id)?;
        }
        self.replace(next);
        doubt.settled();
        Ok(outcome)
    }
}

/// Finds out what the limits and names have against the changes before the store is asked.
fn rehearse(tables: &Tables, changes: &[Change]) -> Result<(), StrategyError> {
    let mut next = tables.clone();
    // Ids that no row has.
    let mut ids = (0..=Id::MAX).rev();
    changes.iter().try_for_each(|change| next.apply(change, ids.next().unwrap_or_default()))
}

/// Leaves the state in doubt unless an edit comes to its end: its caller may go away while the store works.
struct Doubt<'a>(&'a Inner);

impl Doubt<'_> {
    fn settled(self) {
        std::mem::forget(self);
    }
}

impl Drop for Doubt<'_> {
    fn drop(&mut self) {
        self.0.state.write().unwrap_or_else(PoisonError::into_inner).in_doubt = true;
    }
}
