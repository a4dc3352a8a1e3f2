//! Another password for all keys, or for none.

use std::sync::Arc;

use futures::stream::{self, StreamExt, TryStreamExt};
use secrecy::SecretString;

use super::plan::{Call, Then};
use super::session::Ticket;
use super::{Inner, Vault};
use crate::cipher::PasswordHash;
use crate::error::WalletError;
use crate::keystore::SealedKey;

/// Keys that are worked on at a time. The memory budget may let fewer run.
const AT_A_TIME: usize = 4;

impl Vault {
    /// Encrypts all keys under another password, all or none: whenever the process ends, either the old password opens
    /// all keys or the new one. Takes two derivations a key; signing goes on meanwhile, new keys wait.
    ///
    /// # Errors
    /// [`WalletError::PasswordNotSet`], [`WalletError::Locked`], [`WalletError::PasswordMismatch`],
    /// [`WalletError::TooManyAttempts`]; [`WalletError::OtherPassword`] or [`WalletError::CorruptKey`] for a damaged key,
    /// which has to be removed first; [`WalletError::Changed`], [`WalletError::Store`]. The old password stays, unless
    /// the store fails so that nobody can tell: the vault is locked then, and one of the two unlocks it.
    pub async fn change_password(&self, old: &SecretString, new: &SecretString) -> Result<(), WalletError> {
        let inner = &*self.inner;
        let mut attempts = inner.passwords.lock().await;
        let old = Arc::new(PasswordHash::of(old));
        let new = Arc::new(PasswordHash::of(new));
        if let Then::Refuse(no) = inner.prove(&mut attempts, Call::ChangePassword, &old).await? {
            return Err(no.into());
        }
        let _keyring = inner.keyring.write().await;
        let ticket = inner.usable()?;
        inner.change(&ticket, new).await
    }
}

impl Inner {
    async fn change(&self, ticket: &Ticket, new: Arc<PasswordHash>) -> Result<(), WalletError> {
        let old_rows = self.rows().await?;
        let new_rows = self.reseal(&old_rows, &ticket.password, &new).await?;
        let token = if old_rows.is_empty() { Some(self.sealer.token(&new).await?) } else { None };
        // From here on a dropped future must not leave a session whose password opens nothing.
        let unsettled = LockOnDrop(Some(self));
        let outcome = self.swap(&old_rows, &new_rows).await;
        match &outcome {
            Ok(()) => {
                // False if it was locked meanwhile: the new password unlocks.
                self.session.change(ticket, new);
                self.set_token(token);
                unsettled.disarm();
            }
            Err(Swap::Undone(_)) => unsettled.disarm(),
            Err(Swap::Unknown(_)) => drop(unsettled),
        }
        outcome.map_err(|error| match error {
            Swap::Undone(error) | Swap::Unknown(error) => error,
        })
    }

    /// The rows under another password, in the same order.
    pub(super) async fn reseal(
        &self,
        rows: &[SealedKey],
        from: &Arc<PasswordHash>,
        to: &Arc<PasswordHash>,
    ) -> Result<Vec<SealedKey>, WalletError> {
        // A list, not an iterator: the compiler cannot tell that a borrowing closure in it is one for all lifetimes.
        let work: Vec<_> = rows.iter().map(|row| self.reseal_one(row, from, to)).collect();
        stream::iter(work).buffered(AT_A_TIME).try_collect().await
    }

    async fn reseal_one(
        &self,
        row: &SealedKey,
        from: &Arc<PasswordHash>,
        to: &Arc<PasswordHash>,
    ) -> Result<SealedKey, WalletError> {
        let key = Arc::new(self.sealer.open(from, row).await?);
        self.sealer.seal(to, &key).await
    }

    async fn swap(&self, old: &[SealedKey], new: &[SealedKey]) -> Result<(), Swap> {
        let error = match self.store.swap(old, new).await {
            Ok(()) => return Ok(()),
            Err(error @ WalletError::Changed) => return Err(Swap::Undone(error)),
            Err(error) => error,
        };
        // A commit whose answer is lost may have happened.
        let (Some(old), Some(new)) = (old.first(), new.first()) else {
            return Err(Swap::Undone(error));
        };
        match self.store.get(old.address()).await {
            Ok(Some(row)) if row == *new => Ok(()),
            Ok(Some(row)) if row == *old => Err(Swap::Undone(error)),
            _ => Err(Swap::Unknown(error)),
        }
    }
}

enum Swap {
    Undone(WalletError),
    Unknown(WalletError),
}

struct LockOnDrop<'a>(Option<&'a Inner>);

impl LockOnDrop<'_> {
    fn disarm(mut self) {
        self.0 = None;
    }
}

impl Drop for LockOnDrop<'_> {
    fn drop(&mut self) {
        if let Some(inner) = self.0
            && inner.session.lock()
        {
            tracing::warn!("the change of the password was cut off; unlock with the old or the new one");
            inner.tell(super::VaultEvent::Locked);
        }
    }
}
