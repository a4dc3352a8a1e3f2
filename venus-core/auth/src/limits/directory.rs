//! The limits of accounts, as the account service says.

use std::sync::Arc;
use std::time::Duration;

use venus_core::api::{AccountDirectory, AccountLimit, IdentityError};

use super::LimitConfig;
use crate::memo::Memo;
use crate::verifier::copy;

/// The bounds of how long limits may be believed. While the service is away they are for as long as they may at all.
const LEAST_AGE: Duration = Duration::from_secs(1);
const MOST_AGE: Duration = Duration::from_secs(30);
/// How long a call waits for the limits of its account.
const DEADLINE: Duration = Duration::from_secs(2);

/// What the account service said lately.
pub(super) struct Known {
    directory: Arc<dyn AccountDirectory>,
    memo: Arc<Memo<String, Arc<[AccountLimit]>, IdentityError>>,
    max_age: Duration,
}

impl Known {
    pub(super) fn new(directory: Arc<dyn AccountDirectory>, config: &LimitConfig) -> Self {
        let max_age = config.limits_max_age.clamp(LEAST_AGE, MOST_AGE);
        Self { directory, memo: Memo::new(config.keys), max_age }
    }

    /// The limits of an account; none of one that the service does not know, as those of local tokens.
    pub(super) async fn limits(&self, account: &str) -> Result<Arc<[AccountLimit]>, IdentityError> {
        let known = self.memo.get(&account.to_owned());
        if let Some(known) = known.as_ref().filter(|known| known.age() < self.max_age) {
            return Ok(known.value.clone());
        }
        let (directory, name) = (self.directory.clone(), account.to_owned());
        let question = || async move {
            let asked = tokio::time::timeout(DEADLINE, directory.limits(&name)).await;
            match asked.unwrap_or(Err(IdentityError::Timeout(DEADLINE))) {
                Ok(limits) => Ok(limits.into()),
                Err(IdentityError::AccountNotFound(_)) => Ok(Arc::from([])),
                Err(error) => Err(error),
            }
        };
        match (self.memo.ask(account.to_owned(), question).await, known) {
            (Ok(answer), _) => Ok(answer.value),
            (Err(_), Some(known)) if known.age() < MOST_AGE => Ok(known.value),
            (Err(error), _) => Err(copy(&error)),
        }
    }
}
