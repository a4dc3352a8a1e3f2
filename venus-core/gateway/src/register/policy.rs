//! Who may register for what.

use std::collections::BTreeSet;

use futures::{StreamExt, TryStreamExt, stream};
use venus_core::api::IdentityError;
use venus_core::types::Address;
use venus_core::types::gateway::WalletRegisterPolicy;

use super::report::Refusals;
use crate::error::{HubError, text};
use crate::hub::Hub;
use crate::options::SupportRule;
use crate::provider::{Kind, Provider};

/// Longest name of an account, in bytes; a challenge holds no longer one.
const NAME: usize = 256;
/// Longest random bytes of a wallet. Go's have 32.
const SIGN_BYTES: usize = 256;
/// Accounts that are looked up at once for one registration.
const LOOKUPS: usize = 8;

impl Hub {
    /// What of a wallet's policy can be told without asking anybody: the accounts to look up, its own last as Go gateways
    /// name them, and those that it may not serve.
    pub(crate) fn wallet_policy(
        &self,
        who: &Provider,
        policy: &WalletRegisterPolicy,
    ) -> Result<(Vec<String>, Refusals), HubError> {
        if who.account.is_empty() {
            let text = "unable to get account name in method ListenWalletEvent request";
            return Err(HubError::Denied(text.to_owned()));
        }
        if policy.sign_bytes.len() > SIGN_BYTES {
            return Err(HubError::Invalid(format!("SignBytes: longer than {SIGN_BYTES} bytes")));
        }
        if policy.support_accounts.len() > self.options().limits.support_accounts {
            return Err(HubError::TooMany("support accounts of one wallet"));
        }
        let (mut accounts, mut refusals) = (Vec::new(), Refusals::default());
        for account in &policy.support_accounts {
            check_name(account)?;
            if *account == who.account || accounts.contains(account) {
                continue;
            }
            match self.granted(who, account) {
                true => accounts.push(account.clone()),
                false => refusals.subject(account.clone(), &not_granted(account)),
            }
        }
        check_name(&who.account)?;
        accounts.push(who.account.clone());
        Ok((accounts, refusals))
    }

    /// Whether a wallet may serve an account that is not its own.
    pub(crate) fn granted(&self, who: &Provider, account: &str) -> bool {
        match self.options().support {
            SupportRule::Any => true,
            SupportRule::Granted => who.may_support(account),
        }
    }

    /// The accounts that exist and are in use. The own one is the last, and must be.
    ///
    /// # Errors
    /// For the first that does not exist, in Go's words.
    pub(crate) async fn check_accounts(
        &self,
        accounts: Vec<String>,
        refusals: &mut Refusals,
    ) -> Result<BTreeSet<String>, HubError> {
        let all = &accounts;
        let lookups: Vec<_> = all.iter().map(|name| self.in_use(name, all)).collect();
        let found: Vec<bool> = stream::iter(lookups).buffered(LOOKUPS).try_collect().await?;
        let mut good = BTreeSet::new();
        for (name, in_use) in all.iter().zip(found) {
            match in_use {
                true => _ = good.insert(name.clone()),
                false if Some(name) == all.last() => {
                    let source = IdentityError::Disabled(name.clone());
                    return Err(HubError::Identity { context: context(all, name), source });
                }
                false => refusals.subject(name.clone(), "the account is disabled"),
            }
        }
        Ok(good)
    }

    async fn in_use(&self, name: &str, all: &[String]) -> Result<bool, HubError> {
        match self.inner.directory.account(name).await {
            Ok(account) => Ok(account.enabled),
            Err(IdentityError::Disabled(_)) => Ok(false),
            Err(IdentityError::AccountNotFound(_)) => {
                Err(HubError::UnknownAccount { accounts: all.to_vec(), missing: name.to_owned() })
            }
            Err(source) => Err(HubError::Identity { context: context(all, name), source }),
        }
    }

    /// What can be told of a prover or sealer without asking anybody.
    pub(crate) fn miner_policy(&self, who: &Provider) -> Result<(), HubError> {
        if who.remote.is_none() {
            return Err(HubError::Denied("ip not exist".to_owned()));
        }
        if who.account.is_empty() {
            return Err(HubError::Denied("user name not exist in rpc context".to_owned()));
        }
        check_name(&who.account)
    }

    /// Whether the account owns the miner.
    pub(crate) async fn check_miner(
        &self,
        who: &Provider,
        kind: Kind,
        miner: &Address,
    ) -> Result<(), HubError> {
        let name = text(miner);
        match self.inner.directory.account_of_miner(miner).await {
            Ok(Some(owner)) if owner == who.account => Ok(()),
            // An address that is no miner's belongs to nobody.
            Ok(_) | Err(IdentityError::Invalid(_)) => {
                let account = &who.account;
                tracing::debug!(%account, %kind, miner = %name, "miner of another account");
                Err(HubError::Denied(format!(
                    "verify miner:{name} failed:miner:{name} not exist in user:{account}, \
                     please bind it on 'sophon-auth'"
                )))
            }
            Err(source) => Err(HubError::Identity { context: format!("verify miner:{name} failed"), source }),
        }
    }
}

pub(crate) fn not_granted(account: &str) -> String {
    format!(
        "the wallet's token does not allow it; ask an administrator for one with the scope support:{account}"
    )
}

pub(crate) fn check_name(account: &str) -> Result<(), HubError> {
    match account.len() {
        1..=NAME => Ok(()),
        _ => Err(HubError::Invalid(format!("account: its name must have 1 to {NAME} bytes"))),
    }
}

fn context(all: &[String], name: &str) -> String {
    format!("verify user [{}] failed: verify {name}", all.join(" "))
}
