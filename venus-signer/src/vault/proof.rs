//! Checking passwords, as the table of [`super::plan`] says.

use std::sync::{Arc, PoisonError};

use secrecy::SecretString;
use venus_core::types::Address;

use super::attempts::Attempts;
use super::plan::{Call, No, Plan, Proof, Then, plan};
use super::{Inner, VaultEvent};
use crate::cipher::{PasswordHash, Sealed};
use crate::error::WalletError;

/// Keys that a password is tried on: more than one, so that a damaged row does not lock the owner out of the others.
const CANARIES: usize = 3;

impl Inner {
    /// A call with a password, from the first look at it to its effect.
    pub(super) async fn call(&self, call: Call, password: &SecretString) -> Result<(), WalletError> {
        let mut attempts = self.passwords.lock().await;
        let password = Arc::new(PasswordHash::of(password));
        match self.prove(&mut attempts, call, &password).await? {
            Then::Refuse(no) => Err(no.into()),
            Then::Nothing | Then::Change => {
                self.touch();
                Ok(())
            }
            Then::Open => {
                self.keep_token(&password).await?;
                self.session.touch(self.options.clock.now());
                self.session.open(password);
                self.tell(VaultEvent::Unlocked);
                Ok(())
            }
            Then::Lock => {
                if self.session.lock() {
                    self.tell(VaultEvent::Locked);
                }
                Ok(())
            }
        }
    }

    /// Checks the password as the table says.
    pub(super) async fn prove(
        &self,
        attempts: &mut Attempts,
        call: Call,
        password: &Arc<PasswordHash>,
    ) -> Result<Then, WalletError> {
        self.lock_idle();
        // The others do not depend on the store; locking must work even when it does not.
        let keys = match call {
            Call::SetPassword | Call::Unlock => self.store.list().await?,
            Call::Lock | Call::VerifyPassword | Call::ChangePassword | Call::Use => Vec::new(),
        };
        let (proof, wrong, then) = match self.plan(call, !keys.is_empty()) {
            Plan::Refuse(no) => return Err(no.into()),
            Plan::Pass => return Ok(Then::Nothing),
            Plan::Check { proof: Proof::Any, then, .. } => return Ok(then),
            Plan::Check { proof, wrong, then } => (proof, wrong, then),
        };
        attempts.begin(&self.options.clock)?;
        match self.fits(proof, &keys, password).await {
            Ok(true) => attempts.succeeded(),
            Ok(false) => {
                attempts.failed(&self.options.clock);
                return Err(wrong.into());
            }
            Err(error) => {
                attempts.undecided();
                return Err(error);
            }
        }
        Ok(then)
    }

    fn plan(&self, call: Call, has_keys: bool) -> Plan {
        match call {
            Call::SetPassword if self.never_locked => Plan::Refuse(No::PasswordExists),
            Call::Unlock if self.never_locked => Plan::Refuse(No::AlreadyUnlocked),
            Call::Lock | Call::VerifyPassword | Call::ChangePassword if self.never_locked => {
                Plan::Refuse(No::PasswordNotSet)
            }
            call => plan(self.session.state(), call, has_keys),
        }
    }

    async fn fits(
        &self,
        proof: Proof,
        keys: &[Address],
        password: &Arc<PasswordHash>,
    ) -> Result<bool, WalletError> {
        match proof {
            Proof::Any => Ok(true),
            Proof::Memory => Ok(self.session.ticket()?.password.is(password)),
            Proof::StoredKey => self.opens_a_key(keys, password).await,
            Proof::Token => {
                let token = self.token.lock().unwrap_or_else(PoisonError::into_inner).clone();
                match token {
                    Some(token) => self.sealer.fits(password, token).await,
                    // Another process removed the last key: as after a start with an empty store.
                    None => Ok(true),
                }
            }
        }
    }

    async fn opens_a_key(&self, keys: &[Address], password: &Arc<PasswordHash>) -> Result<bool, WalletError> {
        let (mut tried, mut damaged) = (0, None);
        for address in keys {
            match self.store.get(address).await {
                Ok(Some(row)) => {
                    if self.sealer.fits(password, row.sealed()?).await? {
                        return Ok(true);
                    }
                    tried += 1;
                }
                Ok(None) => {}
                Err(error @ WalletError::CorruptKey { .. }) => {
                    tracing::warn!(%error, "a stored key is damaged");
                    damaged = Some(error);
                }
                Err(error) => return Err(error),
            }
            if tried == CANARIES {
                break;
            }
        }
        match damaged {
            Some(error) if tried == 0 => Err(error),
            _ => Ok(false),
        }
    }

    /// Sees to it that a password can be told from others while there are no keys.
    pub(super) async fn keep_token(&self, password: &Arc<PasswordHash>) -> Result<(), WalletError> {
        if self.never_locked || !self.store.list().await?.is_empty() {
            return Ok(());
        }
        let token = self.sealer.token(password).await?;
        self.set_token(Some(token));
        Ok(())
    }

    pub(super) fn set_token(&self, token: Option<Sealed>) {
        *self.token.lock().unwrap_or_else(PoisonError::into_inner) = token;
    }
}
