//! The client as the traits of the core.

use std::time::Duration;

use async_trait::async_trait;
use venus_core::api::{
    Account, AccountDirectory, AccountLimit, AccountMiner, Authenticator, IdentityError, MAX_PAGE, Principal,
};
use venus_core::error::{Classify, ErrorKind};
use venus_core::types::{Address, address};

use super::{AuthClient, ClientError};
use crate::check;
use crate::jwt;
use crate::model::{Page, User, UserState};

/// The shortest period of a limit that the core knows.
const MIN_PERIOD: Duration = Duration::from_secs(1);

#[async_trait]
impl Authenticator for AuthClient {
    async fn authenticate(&self, token: &str) -> Result<Principal, IdentityError> {
        // The service refuses these for another reason than that they do not count.
        // What is no token at all is not worth a question.
        if jwt::peek(token).is_err() {
            return Err(IdentityError::Unauthenticated);
        }
        let verified = self.verify(token).await.map_err(|error| match disabled(&error) {
            Some(name) => IdentityError::Disabled(name),
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

/// The account that the service says is disabled.
fn disabled(error: &ClientError) -> Option<String> {
    let ClientError::Refused { text, .. } = error else { return None };
    Some(text.strip_prefix("user ")?.strip_suffix(" is disabled")?.to_owned())
}

#[async_trait]
impl AccountDirectory for AuthClient {
    async fn account(&self, name: &str) -> Result<Account, IdentityError> {
        if name.is_empty() {
            return Err(IdentityError::AccountNotFound(String::new()));
        }
        let user = self.user(name).await;
        user.map(account).map_err(|error| unknown(error, name))
    }

    async fn accounts(&self, skip: u64, limit: u32) -> Result<Vec<Account>, IdentityError> {
        if !(1..=MAX_PAGE).contains(&limit) {
            return Err(IdentityError::Invalid(format!("limit: {limit} is not 1 to {MAX_PAGE}")));
        }
        Ok(self.users(Page { skip, limit }, None).await?.into_iter().map(account).collect())
    }

    async fn account_of_miner(&self, miner: &Address) -> Result<Option<String>, IdentityError> {
        check::miner(miner)?;
        match self.user_of_miner(miner).await {
            // sophon-auth on MySQL answers with a user that has no name.
            Ok(user) => Ok(in_use(user).filter(|name| !name.is_empty())),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    async fn accounts_of_signer(&self, signer: &Address) -> Result<Vec<String>, IdentityError> {
        check::signer(signer)?;
        let users = match self.users_of_signer(signer).await {
            Err(error) if error.kind() == ErrorKind::NotFound => Vec::new(),
            other => other?,
        };
        let mut names: Vec<String> = users.into_iter().filter_map(in_use).collect();
        names.sort_unstable();
        names.dedup();
        Ok(names)
    }

    async fn miners(&self, account: &str) -> Result<Vec<AccountMiner>, IdentityError> {
        // The service has an empty list for accounts that do not exist.
        self.account(account).await?;
        let rows = self.miners_of(account).await?;
        let mut miners: Vec<AccountMiner> = rows
            .into_iter()
            .map(|row| AccountMiner { miner: row.miner, open_mining: row.open_mining })
            .collect();
        miners.sort_by_key(|miner| miner.miner);
        Ok(miners)
    }

    async fn signers(&self, account: &str) -> Result<Vec<Address>, IdentityError> {
        self.account(account).await?;
        let mut signers: Vec<Address> =
            self.signers_of(account).await?.into_iter().map(|row| row.signer).collect();
        signers.sort_unstable();
        Ok(signers)
    }

    async fn limits(&self, account: &str) -> Result<Vec<AccountLimit>, IdentityError> {
        self.account(account).await?;
        let mut limits: Vec<AccountLimit> = self
            .limits_of(account, None)
            .await?
            .into_iter()
            .map(|row| AccountLimit {
                id: row.id,
                service: row.service,
                api: row.api,
                capacity: u64::try_from(row.capacity).unwrap_or_default(),
                period: row.period.max(MIN_PERIOD),
            })
            .collect();
        limits.sort_by(|one, other| one.id.cmp(&other.id));
        Ok(limits)
    }

    async fn register_signers(&self, account: &str, signers: &[Address]) -> Result<(), IdentityError> {
        signers.iter().try_for_each(check::signer)?;
        self.account(account).await?;
        AuthClient::register_signers(self, account, signers).await.map_err(|error| match taken(&error) {
            Some(signer) => IdentityError::NotYourSigner { signer },
            None => unknown(error, account),
        })
    }
}

/// The signer that the service says is another's.
fn taken(error: &ClientError) -> Option<Address> {
    let ClientError::Refused { text, kind: ErrorKind::Denied, .. } = error else { return None };
    let named = text.strip_prefix("unregister signer:")?.split([',', ' ']).next()?;
    address::parse(named).ok()
}

/// Its name, if it may do anything: whoever asks acts on the answer, and disabled means disabled everywhere.
fn in_use(user: User) -> Option<String> {
    (user.state != UserState::Disabled).then_some(user.name)
}

fn account(user: User) -> Account {
    Account { name: user.name, comment: user.comment, enabled: user.state != UserState::Disabled }
}

fn unknown(error: ClientError, name: &str) -> IdentityError {
    match error.kind() {
        ErrorKind::NotFound => IdentityError::AccountNotFound(name.to_owned()),
        _ => error.into(),
    }
}
