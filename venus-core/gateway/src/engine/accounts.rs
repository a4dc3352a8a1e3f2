//! Who may be asked: what the account service says, narrowed by what the caller names.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use futures::future::try_join_all;
use tokio::time::{Instant, timeout_at};
use venus_core::api::IdentityError;
use venus_core::types::{Address, Protocol};

use super::cache::Cache;
use super::{Engine, MOST_CANDIDATES};
use crate::channel::Channel;
use crate::error::{HubError, text};
use crate::hub::{Accounts, Inner};
use crate::provider::Kind;
use crate::registry::State;

/// Entries of each cache.
const BOUND: usize = 65_536;

/// What the account service said a moment ago.
#[derive(Debug)]
pub(super) struct Known {
    /// The accounts of a signer.
    signers: Cache<Address, Arc<[String]>>,
    /// Whether an account is there and switched on.
    enabled: Cache<String, bool>,
    /// The account of a miner.
    owners: Cache<Address, Option<Arc<str>>>,
    /// One up whenever something ended that an answer may have rested on.
    ends: AtomicU64,
}

impl Default for Known {
    fn default() -> Self {
        Self {
            signers: Cache::new(BOUND),
            enabled: Cache::new(BOUND),
            owners: Cache::new(BOUND),
            ends: AtomicU64::new(0),
        }
    }
}

/// A wallet that may be asked, and on whose behalf.
#[derive(Debug)]
pub(super) struct Wallet {
    pub(super) channel: Arc<Channel>,
    pub(super) accounts: Vec<String>,
}

impl Accounts<'_> {
    /// Whether the caller lets this account be used. It cannot widen anything.
    fn admit(&self, account: &str) -> bool {
        match self {
            Self::All | Self::Only([]) => true,
            Self::Only(named) => named.iter().any(|name| name == account),
        }
    }
}

impl Inner {
    /// Forgets what the account service said of a signer, or of all, and of all accounts and miners.
    pub(crate) fn forget_accounts(&self, signer: Option<&Address>) {
        let known = &self.engine.known;
        match signer {
            Some(signer) => known.signers.forget(signer),
            None => known.signers.clear(),
        }
        known.enabled.clear();
        known.owners.clear();
        known.ends.fetch_add(1, Ordering::Release);
    }

    /// Changes whenever something ends that a request may rest on: whoever began before asks once more.
    pub(super) fn ends(&self) -> u64 {
        self.engine.known.ends.load(Ordering::Acquire)
    }

    /// Forgets what the account service said of these signers: they were bound to one account more.
    pub(crate) fn forget_signers(&self, signers: &[Address]) {
        signers.iter().for_each(|signer| self.engine.known.signers.forget(signer));
    }

    /// The wallets that have a key and serve an account that may use it.
    ///
    /// # Errors
    /// [`HubError::Identity`] if the account service cannot tell until then.
    pub(super) async fn wallets(
        &self,
        signer: &Address,
        accounts: Accounts<'_>,
        until: Instant,
    ) -> Result<Vec<Wallet>, HubError> {
        // Nobody has it: no question of accounts, which keeps guessers away from their service.
        if !is_key(signer) || self.registry.read().with_signer(signer).is_empty() {
            return Ok(Vec::new());
        }
        let names =
            within(until, self.accounts_of(signer)).await.map_err(|source| identity(signer, source))?;
        let mut wallets = self.engine.serving(&self.registry.read(), signer, |account| {
            accounts.admit(account) && names.iter().any(|name| name == account)
        });
        let served: BTreeSet<String> =
            wallets.iter().flat_map(|wallet| wallet.accounts.iter().cloned()).collect();
        let off =
            within(until, self.switched_off(served)).await.map_err(|source| identity(signer, source))?;
        if !off.is_empty() {
            wallets.iter_mut().for_each(|wallet| wallet.accounts.retain(|account| !off.contains(account)));
            wallets.retain(|wallet| !wallet.accounts.is_empty());
        }
        Ok(wallets)
    }

    /// Whether a wallet still is there, has the key, and serves an account that may use it.
    ///
    /// # Errors
    /// As [`Inner::wallets`].
    pub(super) async fn may_use(
        &self,
        channel: &Channel,
        signer: &Address,
        accounts: Accounts<'_>,
        until: Instant,
    ) -> Result<bool, HubError> {
        let names =
            within(until, self.accounts_of(signer)).await.map_err(|source| identity(signer, source))?;
        let served: BTreeSet<String> = {
            let state = self.registry.read();
            let wallet = state.wallet(channel).filter(|wallet| wallet.addresses.contains(signer));
            let served = wallet.map(|wallet| wallet.supports.iter()).into_iter().flatten();
            served.filter(|account| accounts.admit(account) && names.contains(account)).cloned().collect()
        };
        let many = served.len();
        let off =
            within(until, self.switched_off(served)).await.map_err(|source| identity(signer, source))?;
        Ok(off.len() < many)
    }

    /// The keys that wallets offer to accounts that may use them.
    pub(crate) async fn offered(&self, accounts: Accounts<'_>) -> Result<BTreeSet<Address>, HubError> {
        let (_, until) = super::deadline(None, self.options.sign);
        let mut offered = BTreeSet::new();
        for account in self.served(accounts) {
            let lookup = async {
                match self.is_enabled(&account).await? {
                    true => self.directory.signers(&account).await,
                    false => Ok(Vec::new()),
                }
            };
            let signers = within(until, lookup).await.map_err(|source| {
                let context = format!("signers of {account}");
                HubError::Identity { context, source }
            })?;
            let state = self.registry.read();
            offered.extend(signers.into_iter().filter(|signer| state.offers(signer, &account)));
        }
        Ok(offered)
    }

    /// The accounts that wallets serve, as far as the caller lets them.
    fn served(&self, accounts: Accounts<'_>) -> BTreeSet<String> {
        let state = self.registry.read();
        let supports = state.accounts().flat_map(|(_, account)| &account.supports);
        supports.filter(|account| accounts.admit(account)).cloned().collect()
    }

    /// The provers or sealers of a miner that still is their account's.
    ///
    /// Unlike with keys, the account service is not needed for it: ownership was proven when they registered, and what
    /// ends it ends the channel. While that service is away, blocks are made all the same.
    pub(super) async fn of_miner(&self, kind: Kind, miner: &Address) -> Vec<Arc<Channel>> {
        let channels = self.engine.some_of(self.registry.read().of_miner(kind, miner));
        if channels.is_empty() {
            return channels;
        }
        let until = Instant::now() + self.options.accounts_ttl.max(venus_core::api::PRINCIPAL_MAX_AGE);
        match within(until, self.owner_of(miner)).await {
            Ok(owner) => {
                let mut channels = channels;
                channels.retain(|channel| owner.as_deref() == Some(channel.provider.account.as_str()));
                channels
            }
            Err(error) => {
                tracing::warn!(miner = %text(miner), %error, "the owner of a miner could not be looked up again");
                channels
            }
        }
    }

    async fn accounts_of(&self, signer: &Address) -> Result<Arc<[String]>, IdentityError> {
        let ask = || {
            let (directory, signer) = (self.directory.clone(), *signer);
            async move { directory.accounts_of_signer(&signer).await.map(Arc::from) }
        };
        self.engine.known.signers.get(signer, self.options.accounts_ttl, ask).await
    }

    /// Those of these accounts that nobody may use.
    async fn switched_off(&self, accounts: BTreeSet<String>) -> Result<BTreeSet<String>, IdentityError> {
        let look = |account: String| async move {
            self.is_enabled(&account).await.map(|enabled| (enabled, account))
        };
        let looked = try_join_all(accounts.into_iter().map(look)).await?;
        Ok(looked.into_iter().filter(|(enabled, _)| !enabled).map(|(_, account)| account).collect())
    }

    /// Whether an account is there and switched on.
    async fn is_enabled(&self, account: &String) -> Result<bool, IdentityError> {
        let ask = || {
            let (directory, account) = (self.directory.clone(), account.clone());
            async move {
                match directory.account(&account).await {
                    Ok(account) => Ok(account.enabled),
                    Err(IdentityError::AccountNotFound(_) | IdentityError::Disabled(_)) => Ok(false),
                    Err(error) => Err(error),
                }
            }
        };
        self.engine.known.enabled.get(account, self.options.accounts_ttl, ask).await
    }

    async fn owner_of(&self, miner: &Address) -> Result<Option<Arc<str>>, IdentityError> {
        let ask = || {
            let (directory, miner) = (self.directory.clone(), *miner);
            async move { Ok(directory.account_of_miner(&miner).await?.map(Arc::from)) }
        };
        self.engine.known.owners.get(miner, self.options.accounts_ttl, ask).await
    }
}

impl Engine {
    /// The wallets that have a key, each with those of its accounts that `may` names.
    fn serving(&self, state: &State, signer: &Address, may: impl Fn(&str) -> bool) -> Vec<Wallet> {
        let channels = state.with_signer(signer);
        let first = self.begin_at(channels.len());
        let wallet = |channel: &Arc<Channel>| {
            // Its own ones: a grant is its token's, and no sister wallet of the account has it.
            let supports = &state.wallet(channel)?.supports;
            let accounts: Vec<String> = supports.iter().filter(|account| may(account)).cloned().collect();
            (!accounts.is_empty()).then(|| Wallet { channel: channel.clone(), accounts })
        };
        let by_turns = channels.iter().cycle().skip(first).take(channels.len());
        by_turns.filter_map(wallet).take(MOST_CANDIDATES).collect()
    }

    /// As many as one request may try.
    fn some_of(&self, channels: &[Arc<Channel>]) -> Vec<Arc<Channel>> {
        let first = self.begin_at(channels.len());
        channels.iter().cycle().skip(first).take(channels.len().min(MOST_CANDIDATES)).cloned().collect()
    }
}

impl State {
    /// Whether a wallet that serves `account` has a key.
    fn offers(&self, signer: &Address, account: &str) -> bool {
        let serves = |channel| self.wallet(channel).is_some_and(|wallet| wallet.supports.contains(account));
        self.with_signer(signer).iter().any(|channel| serves(channel))
    }
}

fn is_key(address: &Address) -> bool {
    matches!(address.protocol(), Protocol::Secp256k1 | Protocol::BLS | Protocol::Delegated)
}

async fn within<T>(
    until: Instant,
    lookup: impl Future<Output = Result<T, IdentityError>>,
) -> Result<T, IdentityError> {
    let begun = Instant::now();
    match timeout_at(until, lookup).await {
        Ok(outcome) => outcome,
        Err(_) => Err(IdentityError::Timeout(begun.elapsed())),
    }
}

fn identity(signer: &Address, source: IdentityError) -> HubError {
    HubError::Identity { context: format!("accounts of {}", text(signer)), source }
}
