//! Accounts that a test sets up.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use fvm_shared::address::{Address, Protocol};
use time::OffsetDateTime;

use super::lock;
use crate::api::{
    Account, AccountDirectory, AccountLimit, AccountMiner, Authenticator, IdentityError, MAX_PAGE,
    Permissions, Principal,
};
use crate::clock::Clock;

/// Accounts, their belongings and their tokens in memory. Tokens are the words `token-1`, `token-2` and so on.
pub struct MemoryAccounts {
    clock: Arc<dyn Clock>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    accounts: BTreeMap<String, Owned>,
    owners: BTreeMap<Address, (String, bool)>,
    tokens: BTreeMap<String, Principal>,
    issued: usize,
}

#[derive(Default)]
struct Owned {
    disabled: bool,
    signers: BTreeSet<Address>,
    limits: BTreeMap<String, AccountLimit>,
}

impl State {
    fn owned(&self, account: &str) -> Result<&Owned, IdentityError> {
        self.accounts.get(account).ok_or_else(|| IdentityError::AccountNotFound(account.to_owned()))
    }

    fn owned_mut(&mut self, account: &str) -> Result<&mut Owned, IdentityError> {
        self.accounts.get_mut(account).ok_or_else(|| IdentityError::AccountNotFound(account.to_owned()))
    }
}

impl MemoryAccounts {
    /// No accounts. Tokens end by `clock`.
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self { clock, state: Mutex::default() }
    }

    /// Adds an account that owns nothing; leaves it as it is if it exists.
    pub fn add(&self, account: &str) {
        lock(&self.state).accounts.entry(account.to_owned()).or_default();
    }

    /// Removes an account, what it owns and its tokens.
    pub fn remove(&self, account: &str) {
        let mut state = lock(&self.state);
        state.accounts.remove(account);
        state.owners.retain(|_, (owner, _)| owner != account);
        state.tokens.retain(|_, principal| principal.account.as_deref() != Some(account));
    }

    /// Switches an account off or on.
    ///
    /// # Errors
    /// [`IdentityError::AccountNotFound`].
    pub fn set_enabled(&self, account: &str, enabled: bool) -> Result<(), IdentityError> {
        lock(&self.state).owned_mut(account)?.disabled = !enabled;
        Ok(())
    }

    /// Gives a miner to an account, whoever had it.
    ///
    /// # Errors
    /// [`IdentityError::AccountNotFound`]; [`IdentityError::Invalid`] unless it is an ID address.
    pub fn bind_miner(&self, account: &str, miner: AccountMiner) -> Result<(), IdentityError> {
        check_miner(&miner.miner)?;
        let mut state = lock(&self.state);
        state.owned(account)?;
        state.owners.insert(miner.miner, (account.to_owned(), miner.open_mining));
        Ok(())
    }

    /// Sets a limit of an account, or replaces the one of the same id.
    ///
    /// # Errors
    /// [`IdentityError::AccountNotFound`]; [`IdentityError::Invalid`] for a period below one second.
    pub fn set_limit(&self, account: &str, limit: AccountLimit) -> Result<(), IdentityError> {
        if limit.period < Duration::from_secs(1) {
            return Err(IdentityError::Invalid("period: below one second".into()));
        }
        lock(&self.state).owned_mut(account)?.limits.insert(limit.id.clone(), limit);
        Ok(())
    }

    /// Makes a token, for an account or for none.
    ///
    /// # Errors
    /// [`IdentityError::AccountNotFound`].
    pub fn issue(
        &self,
        account: Option<&str>,
        permissions: Permissions,
        expires_at: Option<OffsetDateTime>,
    ) -> Result<String, IdentityError> {
        let mut state = lock(&self.state);
        if let Some(account) = account {
            state.owned(account)?;
        }
        state.issued += 1;
        let token = format!("token-{}", state.issued);
        let principal = Principal { expires_at, ..Principal::new(account.map(str::to_owned), permissions) };
        state.tokens.insert(token.clone(), principal);
        Ok(token)
    }

    /// Makes a token worthless.
    pub fn revoke(&self, token: &str) {
        lock(&self.state).tokens.remove(token);
    }
}

impl fmt::Debug for MemoryAccounts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = lock(&self.state);
        f.debug_struct("MemoryAccounts")
            .field("accounts", &state.accounts.keys())
            .field("owners", &state.owners)
            .finish_non_exhaustive()
    }
}

#[async_trait]
impl Authenticator for MemoryAccounts {
    async fn authenticate(&self, token: &str) -> Result<Principal, IdentityError> {
        let state = lock(&self.state);
        let principal = state.tokens.get(token).ok_or(IdentityError::Unauthenticated)?;
        let now = OffsetDateTime::UNIX_EPOCH + self.clock.now();
        if principal.expires_at.is_some_and(|end| end <= now) {
            return Err(IdentityError::Unauthenticated);
        }
        if let Some(account) = &principal.account
            && state.owned(account)?.disabled
        {
            return Err(IdentityError::Disabled(account.clone()));
        }
        Ok(principal.clone())
    }
}

#[async_trait]
impl AccountDirectory for MemoryAccounts {
    async fn account(&self, name: &str) -> Result<Account, IdentityError> {
        let state = lock(&self.state);
        Ok(account(name, state.owned(name)?))
    }

    async fn accounts(&self, skip: u64, limit: u32) -> Result<Vec<Account>, IdentityError> {
        if !(1..=MAX_PAGE).contains(&limit) {
            return Err(IdentityError::Invalid(format!("limit: {limit} is not from 1 to {MAX_PAGE}")));
        }
        let [skip, limit] = [skip, limit.into()].map(|n| usize::try_from(n).unwrap_or(usize::MAX));
        let state = lock(&self.state);
        Ok(state.accounts.iter().skip(skip).take(limit).map(|(name, owned)| account(name, owned)).collect())
    }

    async fn account_of_miner(&self, miner: &Address) -> Result<Option<String>, IdentityError> {
        check_miner(miner)?;
        Ok(lock(&self.state).owners.get(miner).map(|(account, _)| account.clone()))
    }

    async fn accounts_of_signer(&self, signer: &Address) -> Result<Vec<String>, IdentityError> {
        check_signer(signer)?;
        let state = lock(&self.state);
        let owners = state.accounts.iter().filter(|(_, owned)| owned.signers.contains(signer));
        Ok(owners.map(|(name, _)| name.clone()).collect())
    }

    async fn miners(&self, account: &str) -> Result<Vec<AccountMiner>, IdentityError> {
        let state = lock(&self.state);
        state.owned(account)?;
        let own = state.owners.iter().filter(|(_, (owner, _))| owner == account);
        Ok(own.map(|(miner, (_, open))| AccountMiner { miner: *miner, open_mining: *open }).collect())
    }

    async fn signers(&self, account: &str) -> Result<Vec<Address>, IdentityError> {
        Ok(lock(&self.state).owned(account)?.signers.iter().copied().collect())
    }

    async fn limits(&self, account: &str) -> Result<Vec<AccountLimit>, IdentityError> {
        Ok(lock(&self.state).owned(account)?.limits.values().cloned().collect())
    }

    async fn register_signers(&self, account: &str, signers: &[Address]) -> Result<(), IdentityError> {
        signers.iter().try_for_each(check_signer)?;
        lock(&self.state).owned_mut(account)?.signers.extend(signers);
        Ok(())
    }
}

fn account(name: &str, owned: &Owned) -> Account {
    Account { name: name.to_owned(), comment: String::new(), enabled: !owned.disabled }
}

fn check_miner(miner: &Address) -> Result<(), IdentityError> {
    match miner.protocol() {
        Protocol::ID => Ok(()),
        _ => Err(IdentityError::Invalid(format!("miner: {miner} is not an ID address"))),
    }
}

fn check_signer(signer: &Address) -> Result<(), IdentityError> {
    match signer.protocol() {
        Protocol::Secp256k1 | Protocol::BLS | Protocol::Delegated => Ok(()),
        Protocol::ID | Protocol::Actor => {
            Err(IdentityError::Invalid(format!("signer: {signer} is not a key address")))
        }
    }
}
