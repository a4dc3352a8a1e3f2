//! A directory that is away, slow, or lets some signers be somebody else's.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use tokio::sync::Notify;
use venus_core::api::{Account, AccountDirectory, AccountLimit, AccountMiner, IdentityError};
use venus_core::testing::doubles::MemoryAccounts;
use venus_core::types::Address;

/// The accounts, seen through a bad line.
pub(crate) struct Troubled {
    pub(crate) accounts: Arc<MemoryAccounts>,
    pub(crate) away: AtomicBool,
    /// Waits for [`Troubled::go`] before each answer.
    pub(crate) slow: AtomicBool,
    pub(crate) go: Notify,
    /// Asked and not answered.
    pub(crate) waiting: AtomicUsize,
}

impl Troubled {
    pub(crate) fn new(accounts: Arc<MemoryAccounts>) -> Arc<Self> {
        Arc::new(Self {
            accounts,
            away: AtomicBool::new(false),
            slow: AtomicBool::new(false),
            go: Notify::new(),
            waiting: AtomicUsize::new(0),
        })
    }

    async fn line(&self) -> Result<(), IdentityError> {
        if self.slow.load(Ordering::SeqCst) {
            self.waiting.fetch_add(1, Ordering::SeqCst);
            self.go.notified().await;
            self.waiting.fetch_sub(1, Ordering::SeqCst);
        }
        match self.away.load(Ordering::SeqCst) {
            true => Err(IdentityError::Timeout(Duration::from_secs(3))),
            false => Ok(()),
        }
    }
}

#[async_trait]
impl AccountDirectory for Troubled {
    async fn account(&self, name: &str) -> Result<Account, IdentityError> {
        self.line().await?;
        self.accounts.account(name).await
    }

    async fn accounts(&self, skip: u64, limit: u32) -> Result<Vec<Account>, IdentityError> {
        self.line().await?;
        self.accounts.accounts(skip, limit).await
    }

    async fn account_of_miner(&self, miner: &Address) -> Result<Option<String>, IdentityError> {
        self.line().await?;
        self.accounts.account_of_miner(miner).await
    }

    async fn accounts_of_signer(&self, signer: &Address) -> Result<Vec<String>, IdentityError> {
        self.line().await?;
        self.accounts.accounts_of_signer(signer).await
    }

    async fn miners(&self, account: &str) -> Result<Vec<AccountMiner>, IdentityError> {
        self.line().await?;
        self.accounts.miners(account).await
    }

    async fn signers(&self, account: &str) -> Result<Vec<Address>, IdentityError> {
        self.line().await?;
        self.accounts.signers(account).await
    }

    async fn limits(&self, account: &str) -> Result<Vec<AccountLimit>, IdentityError> {
        self.line().await?;
        self.accounts.limits(account).await
    }

    async fn register_signers(&self, account: &str, signers: &[Address]) -> Result<(), IdentityError> {
        self.line().await?;
        self.accounts.register_signers(account, signers).await
    }
}
