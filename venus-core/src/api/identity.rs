//! Who calls, and what belongs to whom.

use std::time::Duration;

use async_trait::async_trait;
use auto_impl::auto_impl;
use fvm_shared::address::Address;
use time::OffsetDateTime;

use super::{Permission, Permissions};
use crate::error::{BoxError, Classify, ErrorKind};

/// How long the answer of an [`Authenticator`] may be used. Revoking ends every effect within this time, so whoever
/// keeps a connection open asks again.
pub const PRINCIPAL_MAX_AGE: Duration = Duration::from_secs(1);

/// The most accounts of one page.
pub const MAX_PAGE: u32 = 1000;

/// Who a token stands for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Principal {
    /// The account; `None` for tokens that name none, as those of nodes and wallets.
    pub account: Option<String>,
    /// What the token allows.
    pub permissions: Permissions,
    /// When the token ends; `None` if it does not.
    pub expires_at: Option<OffsetDateTime>,
    /// Names the token without giving it away: SHA-256 of it, lower-case hex. Empty where nobody computed it.
    pub token: String,
    /// What the token is narrowed to, by name; empty for all that its permissions allow. Names that begin with
    /// `support:` widen instead: they say which account a wallet may serve besides its own.
    pub scopes: Vec<String>,
    /// For which services the token is meant, by name; empty for all. A service refuses a token that is meant for
    /// others.
    pub audience: Vec<String>,
}

impl Principal {
    /// Somebody whose token is not narrowed, does not end and has no name.
    pub fn new(account: Option<String>, permissions: Permissions) -> Self {
        Self {
            account,
            permissions,
            expires_at: None,
            token: String::new(),
            scopes: Vec::new(),
            audience: Vec::new(),
        }
    }

    /// Whether the token has this right.
    pub fn may(&self, permission: Permission) -> bool {
        self.permissions.allow(permission)
    }

    /// Whether the token is meant for `service`.
    pub fn is_meant_for(&self, service: &str) -> bool {
        self.audience.is_empty() || self.audience.iter().any(|meant| meant == service)
    }

    /// Whether the token speaks for `account`: its own, or any if it is an administrator's.
    pub fn speaks_for(&self, account: &str) -> bool {
        self.may(Permission::Admin) || self.account.as_deref() == Some(account)
    }
}

/// Why it is not known who calls, or what belongs to whom.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum IdentityError {
    /// The token is unknown, malformed, expired or revoked. Which of them is not told: a guesser would learn from it.
    #[error("token not accepted")]
    Unauthenticated,
    /// The token's account is switched off.
    #[error("account {0:?} is disabled")]
    Disabled(String),
    /// There is no such account.
    #[error("no account {0:?}")]
    AccountNotFound(String),
    /// The miner belongs to another account, or to none.
    #[error("miner {miner} does not belong to the caller")]
    NotYourMiner {
        /// The miner.
        miner: Address,
    },
    /// The signer belongs to other accounts, or to none.
    #[error("signer {signer} does not belong to the caller")]
    NotYourSigner {
        /// The signer.
        signer: Address,
    },
    /// The service of accounts refuses *our* token.
    #[error("account service denies access: {0}")]
    Denied(String),
    /// An argument is wrong; the text begins with its name.
    #[error("{0}")]
    Invalid(String),
    /// Too many questions.
    #[error("too many questions to the account service")]
    RateLimited {
        /// When to ask again, if known.
        retry_after: Option<Duration>,
    },
    /// The service of accounts could not be reached.
    #[error("account service unreachable: {0}")]
    Transport(#[source] BoxError),
    /// No answer in time.
    #[error("account service did not answer within {0:?}")]
    Timeout(Duration),
    /// The database failed. Nothing is half done.
    #[error("account store: {0}")]
    Store(#[source] BoxError),
    /// A stored row or an answer cannot be read.
    #[error("account data is corrupt: {0}")]
    Corrupt(String),
}

impl Classify for IdentityError {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::Unauthenticated => ErrorKind::Unauthenticated,
            Self::Disabled(_) | Self::NotYourMiner { .. } | Self::NotYourSigner { .. } | Self::Denied(_) => {
                ErrorKind::Denied
            }
            Self::AccountNotFound(_) => ErrorKind::NotFound,
            Self::Invalid(_) => ErrorKind::Invalid,
            Self::RateLimited { .. } => ErrorKind::RateLimited,
            Self::Transport(_) | Self::Store(_) => ErrorKind::Transient,
            Self::Timeout(_) => ErrorKind::Timeout,
            Self::Corrupt(_) => ErrorKind::Corrupt,
        }
    }

    fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::RateLimited { retry_after } => *retry_after,
            _ => None,
        }
    }
}

/// Finds out who a token stands for.
///
/// # Contract
/// * Idempotent; changes nothing. Failing to find out is an error and never a principal with fewer rights.
/// * An answer holds for [`PRINCIPAL_MAX_AGE`], counted from when the question was *asked*: one that comes later is
///   worthless. Ask again then. Implementations cache no longer than that.
/// * A token is a secret: it stands in no error, log or `Debug`, in whole or in part.
///
/// # Implementing
/// Run `testing::suites::authenticator`.
#[async_trait]
#[auto_impl(&, Arc, Box)]
pub trait Authenticator: Send + Sync {
    /// Who has this token, without `Bearer`. Any text is an acceptable question.
    ///
    /// # Errors
    /// [`IdentityError::Unauthenticated`] for every token that is no good, also that of a deleted account;
    /// [`IdentityError::Disabled`] if its account is switched off. Retryable kinds mean that nobody can tell now:
    /// let the caller wait, not in.
    async fn authenticate(&self, token: &str) -> Result<Principal, IdentityError>;
}

/// Someone who uses the pool.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    /// The name, by which everything refers to the account. Case matters.
    pub name: String,
    /// What the operator wrote about it.
    pub comment: String,
    /// Whether it may use the pool.
    pub enabled: bool,
}

/// A miner of an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct AccountMiner {
    /// ID address.
    pub miner: Address,
    /// Whether the pool makes blocks for it.
    pub open_mining: bool,
}

/// How many calls an account may make.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct AccountLimit {
    /// Names the limit.
    pub id: String,
    /// The component that it holds for; all if empty.
    pub service: String,
    /// The method that it holds for; all if empty.
    pub api: String,
    /// Calls in each period; 0: no bound.
    pub capacity: u64,
    /// The period, one second or more.
    pub period: Duration,
}

/// Which account owns what. Each miner belongs to one account at most; a signer may belong to several.
///
/// # Contract
/// * All calls but [`register_signers`](Self::register_signers) only read; all are idempotent and may be retried.
/// * An answer may be used for [`PRINCIPAL_MAX_AGE`], as that of an [`Authenticator`].
/// * Lists are ordered (by name, by address) and hold nothing twice. Deleted things are not there; disabled
///   accounts are.
/// * Miners are ID addresses, signers key addresses (`f1`, `f3`, `f4`); others are [`IdentityError::Invalid`].
/// * Failing to find out is an error, never an empty list or `None`.
///
/// # Implementing
/// Eight methods are needed. Run `testing::suites::account_directory`.
#[async_trait]
#[auto_impl(&, Arc, Box)]
pub trait AccountDirectory: Send + Sync {
    /// An account by its name.
    ///
    /// # Errors
    /// [`IdentityError::AccountNotFound`].
    async fn account(&self, name: &str) -> Result<Account, IdentityError>;

    /// A page of all accounts in order of their names: `limit` of them (1 to [`MAX_PAGE`]) after the first `skip`.
    /// A page that is not full is the last. Accounts that come or go between two pages may shift them.
    ///
    /// # Errors
    /// [`IdentityError::Invalid`] for another limit.
    async fn accounts(&self, skip: u64, limit: u32) -> Result<Vec<Account>, IdentityError>;

    /// The name of the account that owns a miner; `None` if none does.
    ///
    /// # Errors
    /// [`IdentityError::Invalid`] unless it is an ID address.
    async fn account_of_miner(&self, miner: &Address) -> Result<Option<String>, IdentityError>;

    /// The names of the accounts that use a signer; none for one that nobody registered.
    ///
    /// # Errors
    /// [`IdentityError::Invalid`] unless it is a key address.
    async fn accounts_of_signer(&self, signer: &Address) -> Result<Vec<String>, IdentityError>;

    /// The miners of an account.
    ///
    /// # Errors
    /// [`IdentityError::AccountNotFound`].
    async fn miners(&self, account: &str) -> Result<Vec<AccountMiner>, IdentityError>;

    /// The signers of an account.
    ///
    /// # Errors
    /// [`IdentityError::AccountNotFound`].
    async fn signers(&self, account: &str) -> Result<Vec<Address>, IdentityError>;

    /// The limits of an account, ordered by id; none if it is not limited.
    ///
    /// # Errors
    /// [`IdentityError::AccountNotFound`].
    async fn limits(&self, account: &str) -> Result<Vec<AccountLimit>, IdentityError>;

    /// Makes these signers the account's, besides those that it has. All or none; a signer that is its already is
    /// success. Let an account register only keys that it has proven to own.
    ///
    /// # Errors
    /// [`IdentityError::AccountNotFound`]; [`IdentityError::Invalid`] if one is not a key address.
    async fn register_signers(&self, account: &str, signers: &[Address]) -> Result<(), IdentityError>;

    /// Whether a caller may use a miner: its account owns it, or it is an administrator.
    ///
    /// # Errors
    /// [`IdentityError::NotYourMiner`] if not; else as [`account_of_miner`](Self::account_of_miner).
    async fn may_use_miner(&self, caller: &Principal, miner: &Address) -> Result<(), IdentityError> {
        if caller.may(Permission::Admin) {
            return Ok(());
        }
        let owner = self.account_of_miner(miner).await?;
        match owner.is_some_and(|account| caller.speaks_for(&account)) {
            true => Ok(()),
            false => Err(IdentityError::NotYourMiner { miner: *miner }),
        }
    }

    /// Whether a caller may use a signer: its account has registered it, or it is an administrator.
    ///
    /// # Errors
    /// [`IdentityError::NotYourSigner`] if not; else as [`accounts_of_signer`](Self::accounts_of_signer).
    async fn may_use_signer(&self, caller: &Principal, signer: &Address) -> Result<(), IdentityError> {
        if caller.may(Permission::Admin) {
            return Ok(());
        }
        let owners = self.accounts_of_signer(signer).await?;
        match owners.iter().any(|account| caller.speaks_for(account)) {
            true => Ok(()),
            false => Err(IdentityError::NotYourSigner { signer: *signer }),
        }
    }
}
