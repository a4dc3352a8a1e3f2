//! The service as the traits of the core, for components in the same process.

use std::time::Duration;

use async_trait::async_trait;
use venus_core::api::{
    Account, AccountDirectory, AccountLimit, AccountMiner, Authenticator, IdentityError, MAX_PAGE, Principal,
};
use venus_core::types::Address;

use super::verify::disabled;
use super::{Actor, AuthService};
use crate::check;
use crate::error::AuthError;
use crate::jwt;
use crate::model::{MinerRow, Page, User, UserState};

#[async_trait]
impl Authenticator for AuthService {
    async fn authenticate(&self, token: &str) -> Result<Principal, IdentityError> {
        let verified = self.check(token, None).await.map_err(|error| match disabled(&error) {
            Some(name) => IdentityError::Disabled(name.to_owned()),
            None => error.into(),
        })?;
        Ok(Principal {
            permissions: verified.permissions(),
            account: (!verified.name.is_empty()).then_some(verified.name),
            expires_at: verified.expires_at,
            token: jwt::fingerprint(token),
            scopes: verified.scopes,
            audience: verified.audience,
        })
    }
}

/// Asked by the process itself, which may know everything.
#[async_trait]
impl AccountDirectory for AuthService {
    async fn account(&self, name: &str) -> Result<Account, IdentityError> {
        let found = self.live_user(name).await;
        found.map(account).map_err(|error| unknown(error, name))
    }

    async fn accounts(&self, skip: u64, limit: u32) -> Result<Vec<Account>, IdentityError> {
        if !(1..=MAX_PAGE).contains(&limit) {
            return Err(IdentityError::Invalid(format!("limit: {limit} is not 1 to {MAX_PAGE}")));
        }
        let users = self.users(&Actor::system(), Page { skip, limit }, None).await?;
        Ok(users.into_iter().map(account).collect())
    }

    async fn account_of_miner(&self, miner: &Address) -> Result<Option<String>, IdentityError> {
        check::miner(miner)?;
        let row = self.store().miner(miner).await.map_err(AuthError::from)?;
        match row {
            Some(row) if self.counts(&row.user, miner).await? => Ok(Some(row.user)),
            _ => Ok(None),
        }
    }

    async fn accounts_of_signer(&self, signer: &Address) -> Result<Vec<String>, IdentityError> {
        check::signer(signer)?;
        let mut accounts = Vec::new();
        for user in self.users_of_signer(&Actor::system(), signer).await? {
            if self.counts(&user.name, signer).await? {
                accounts.push(user.name);
            }
        }
        accounts.sort_unstable();
        accounts.dedup();
        Ok(accounts)
    }

    async fn miners(&self, account: &str) -> Result<Vec<AccountMiner>, IdentityError> {
        self.account(account).await?;
        let rows = self.miners_of(&Actor::system(), account).await?;
        let miner = |row: MinerRow| AccountMiner { miner: row.miner, open_mining: row.open_mining };
        let mut miners: Vec<AccountMiner> = rows.into_iter().map(miner).collect();
        miners.sort_by_key(|miner| miner.miner);
        Ok(miners)
    }

    async fn signers(&self, account: &str) -> Result<Vec<Address>, IdentityError> {
        self.account(account).await?;
        let rows = self.signers_of(&Actor::system(), account).await?;
        let mut signers: Vec<Address> = rows.into_iter().map(|row| row.signer).collect();
        signers.sort_unstable();
        Ok(signers)
    }

    async fn limits(&self, account: &str) -> Result<Vec<AccountLimit>, IdentityError> {
        self.account(account).await?;
        let rows = AuthService::limits(self, &Actor::system(), account, None).await?;
        let limit = |row: crate::model::LimitRow| AccountLimit {
            id: row.id,
            service: row.service,
            api: row.api,
            capacity: u64::try_from(row.capacity).unwrap_or_default(),
            // Go's enforcers divide by whole seconds, and some table may still say less.
            period: row.period.max(Duration::from_secs(1)),
        };
        Ok(rows.into_iter().map(limit).collect())
    }

    async fn register_signers(&self, account: &str, signers: &[Address]) -> Result<(), IdentityError> {
        signers.iter().try_for_each(check::signer)?;
        self.account(account).await?;
        let outcomes = AuthService::register_signers(self, &Actor::system(), account, signers).await?;
        match outcomes.into_iter().find(|outcome| !outcome.bound) {
            Some(outcome) => Err(IdentityError::NotYourSigner { signer: outcome.signer }),
            None => Ok(()),
        }
    }
}

impl AuthService {
    /// Whether an account may act for an address now. Whoever asks here acts on the answer, so that what is disabled or
    /// banned must not be in it.
    async fn counts(&self, name: &str, address: &Address) -> Result<bool, AuthError> {
        let user = self.store().user(name).await?;
        if user.is_none_or(|user| user.deleted || user.state == UserState::Disabled) {
            return Ok(false);
        }
        Ok(!self.is_barred(name, address).await?)
    }
}

fn account(user: User) -> Account {
    Account { name: user.name, comment: user.comment, enabled: user.state != UserState::Disabled }
}

fn unknown(error: AuthError, name: &str) -> IdentityError {
    match error {
        AuthError::NotFound(_) => IdentityError::AccountNotFound(name.to_owned()),
        other => other.into(),
    }
}
