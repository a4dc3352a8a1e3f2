//! Which accounts may use which signer.

use fvm_shared::address::{Address, Protocol};

use super::{Actor, AuthService, Change, SignerSharing};
use crate::effect::Effect;
use crate::error::AuthError;
use crate::model::{Provenance, SignerRow, User};
use crate::store::Changed;
use crate::text;

/// Signers of one call.
const MAX_SIGNERS: usize = 10_000;

/// What became of a signer that was to be bound.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignerOutcome {
    /// The signer.
    pub signer: Address,
    /// Whether the account may use it now.
    pub bound: bool,
    /// Who owns it, if that is why not.
    pub owner: Option<String>,
}

impl AuthService {
    /// Binds signers to a user who proved them. Those of another owner are left out unless the rule of sharing, or a
    /// consent, lets the user have them.
    ///
    /// # Errors
    /// [`AuthError::Invalid`] for an address that is no key, [`AuthError::NotFound`] without such a user; nothing is
    /// bound then.
    pub async fn register_signers(
        &self,
        actor: &Actor,
        user: &str,
        signers: &[Address],
    ) -> Result<Vec<SignerOutcome>, AuthError> {
        actor.admin()?;
        check_keys(signers)?;
        if let (Some(first), false) = (signers.first(), self.is_live(user).await?) {
            let signer = text::address(first);
            // The word is sophon-auth's, and clients look for it.
            let text = format!(
                "unregister signer:{signer}, error: can't bind signer:{signer} to not exist user:{user}"
            );
            return Err(AuthError::NotFound(text));
        }
        let consents = self.consents(actor, user, signers).await?;
        let decide = |signer: &Address, bound: &[SignerRow]| self.provenance(user, signer, bound, &consents);
        let results = self.store().bind_signers(user, signers, self.now(), &decide).await?;
        let mut outcomes = Vec::with_capacity(signers.len());
        for (signer, bound) in signers.iter().zip(results) {
            outcomes.push(self.outcome(*signer, bound).await?);
        }
        let named: Vec<String> =
            outcomes.iter().filter(|o| o.bound).map(|o| text::address(&o.signer)).collect();
        self.record(actor, Change::of("signer.bind", user).after(&named)).await?;
        Ok(outcomes)
    }

    /// How `user` may have a signer with these bindings; `None` if not.
    fn provenance(
        &self,
        user: &str,
        signer: &Address,
        bound: &[SignerRow],
        consents: &[Address],
    ) -> Option<Provenance> {
        if let Some(own) = bound.iter().find(|row| row.user == user) {
            return Some(own.provenance);
        }
        match self.inner.rules.sharing {
            _ if bound.is_empty() => Some(Provenance::Owner),
            SignerSharing::Allow => Some(Provenance::Legacy),
            SignerSharing::Grant if consents.contains(signer) => Some(Provenance::Granted),
            SignerSharing::Grant | SignerSharing::Deny => None,
        }
    }

    async fn consents(&self, _: &Actor, user: &str, signers: &[Address]) -> Result<Vec<Address>, AuthError> {
        let mut consents = Vec::new();
        if self.inner.rules.sharing == SignerSharing::Grant {
            for signer in signers {
                if self.store().is_granted(signer, user).await? {
                    consents.push(*signer);
                }
            }
        }
        Ok(consents)
    }

    async fn outcome(&self, signer: Address, bound: bool) -> Result<SignerOutcome, AuthError> {
        let owner = match bound {
            true => None,
            false => self.store().signer(&signer).await?.into_iter().next().map(|row| row.user),
        };
        Ok(SignerOutcome { signer, bound, owner })
    }

    /// Consents to another user having a signer, once that user proves it.
    ///
    /// # Errors
    /// [`AuthError::Denied`] unless the actor owns the signer or is an administrator.
    pub async fn grant_signer(&self, actor: &Actor, signer: &Address, user: &str) -> Result<(), AuthError> {
        let owner = self.store().signer(signer).await?.into_iter().next().map(|row| row.user);
        actor.admin_or_owner(&text::address(signer), owner.as_slice())?;
        self.live_user(user).await?;
        self.store().grant_signer(signer, user, self.now()).await?;
        self.record(actor, Change::of("signer.grant", text::address(signer)).after(&user)).await
    }

    /// Unbinds signers from a user. What was never bound is fine.
    ///
    /// # Errors
    /// [`AuthError::NotFound`] names the first that was unbound before; the others are unbound all the same.
    pub async fn unregister_signers(
        &self,
        actor: &Actor,
        user: &str,
        signers: &[Address],
    ) -> Result<(), AuthError> {
        actor.admin()?;
        check_keys(signers)?;
        let results = self.store().unbind_signers(user, signers, self.now()).await?;
        let (mut refused, mut gone) = (None, Vec::new());
        for (signer, changed) in signers.iter().zip(results) {
            match changed {
                Changed::Done => {
                    gone.push(text::address(signer));
                    self.ended(Effect::Signer { account: user.to_owned(), signer: *signer }).await;
                }
                Changed::Already => refused = refused.or(Some(signer)),
                Changed::Absent => {}
            }
        }
        self.record(actor, Change::of("signer.unbind", user).before(&gone)).await?;
        match refused {
            Some(signer) => {
                let text = format!("unregister signer:{}, error: not exist", text::address(signer));
                Err(AuthError::NotFound(text))
            }
            None => Ok(()),
        }
    }

    /// Gives a signer up: an administrator for everybody, a user for itself. `false` if nobody had it.
    ///
    /// # Errors
    /// [`AuthError::Denied`] unless the actor has it or is an administrator.
    pub async fn remove_signer(&self, actor: &Actor, signer: &Address) -> Result<bool, AuthError> {
        let users: Vec<String> = self.store().signer(signer).await?.into_iter().map(|row| row.user).collect();
        actor.admin_or_owner(&text::address(signer), &users)?;
        let gone = match actor.may_administer() {
            true => self.store().unbind_signer(signer, self.now()).await?,
            false => {
                self.store().unbind_signers(&actor.name, &[*signer], self.now()).await?;
                vec![actor.name.clone()]
            }
        };
        for account in &gone {
            self.ended(Effect::Signer { account: account.clone(), signer: *signer }).await;
        }
        self.record(actor, Change::of("signer.remove", text::address(signer)).before(&gone)).await?;
        Ok(!gone.is_empty())
    }

    /// The signers of a user.
    ///
    /// # Errors
    /// [`AuthError::Denied`] unless the actor is the user or an administrator.
    pub async fn signers_of(&self, actor: &Actor, user: &str) -> Result<Vec<SignerRow>, AuthError> {
        actor.admin_or(user)?;
        Ok(self.store().signers_of(user).await?)
    }

    /// Whether anybody has the signer.
    ///
    /// # Errors
    /// [`AuthError::Invalid`] for an address that is no key.
    pub async fn has_signer(&self, actor: &Actor, signer: &Address) -> Result<bool, AuthError> {
        actor.admin()?;
        check_key(signer)?;
        Ok(!self.store().signer(signer).await?.is_empty())
    }

    /// Whether the user has the signer.
    ///
    /// # Errors
    /// [`AuthError::Denied`] unless the actor is the user or an administrator.
    pub async fn user_has_signer(
        &self,
        actor: &Actor,
        user: &str,
        signer: &Address,
    ) -> Result<bool, AuthError> {
        actor.admin_or(user)?;
        check_key(signer)?;
        Ok(self.store().signer(signer).await?.iter().any(|row| row.user == user))
    }

    /// The users who have the signer, its owner first. Those that are deleted or kept out are left out, and so are all
    /// of a signer that is kept out: whoever asks lets them sign.
    ///
    /// # Errors
    /// [`AuthError::Denied`].
    pub async fn users_of_signer(&self, actor: &Actor, signer: &Address) -> Result<Vec<User>, AuthError> {
        actor.admin()?;
        check_key(signer)?;
        let mut users = Vec::new();
        for row in self.store().signer(signer).await? {
            let user = self.store().user(&row.user).await?.filter(|user| !user.deleted);
            if user.is_some() && !self.is_barred(&row.user, signer).await? {
                users.extend(user);
            }
        }
        Ok(users)
    }
}

fn check_keys(signers: &[Address]) -> Result<(), AuthError> {
    if signers.len() > MAX_SIGNERS {
        let text = format!("{} signers: give at most {MAX_SIGNERS} at a time", signers.len());
        return Err(AuthError::Invalid(text));
    }
    signers.iter().try_for_each(check_key)
}

fn check_key(signer: &Address) -> Result<(), AuthError> {
    match signer.protocol() {
        Protocol::Secp256k1 | Protocol::BLS | Protocol::Delegated => Ok(()),
        other => Err(AuthError::Invalid(format!("invalid protocol type: {}", other as u8))),
    }
}
