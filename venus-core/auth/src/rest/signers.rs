//! Routes of signers.

use fvm_shared::address::Protocol;
use venus_core::types::Address;

use super::Ask;
use super::answer::{Answer, Refusal};
use super::bind::{Bind, no_address};
use crate::error::AuthError;
use crate::text;
use crate::wire::{SignerJson, UserJson};

fn is_key(signer: &Address) -> bool {
    matches!(signer.protocol(), Protocol::Secp256k1 | Protocol::BLS | Protocol::Delegated)
}

pub(super) async fn users(ask: &Ask<'_>) -> Result<Answer, Refusal> {
    let signer = Bind::new("GetUserBySignerReq", &ask.input)?.address("Signer")?;
    ask.actor.admin()?;
    // Nobody can have registered what is no key.
    let Some(signer) = signer.filter(is_key) else { return Answer::of(&[(); 0]) };
    let users = ask.service().users_of_signer(&ask.actor, &signer).await?;
    Answer::of(&users.into_iter().map(UserJson::from).collect::<Vec<_>>())
}

pub(super) async fn register(ask: &Ask<'_>) -> Result<Answer, Refusal> {
    let bind = Bind::new("RegisterSignersReq", &ask.input)?;
    let (user, signers) = (bind.text("User")?, bind.addresses("Signers")?);
    let outcomes = ask.service().register_signers(&ask.actor, &user, &signers).await?;
    let refused: Vec<String> = outcomes
        .iter()
        .filter(|outcome| !outcome.bound)
        .map(|outcome| text::address(&outcome.signer))
        .collect();
    if refused.is_empty() {
        return Ok(Answer::Empty);
    }
    // Whose they are is the owner's business.
    let text = format!(
        "unregister signer:{}, error: owned by another user, whose consent it needs (POST /signer/grant)",
        refused.join(",")
    );
    Err(AuthError::Denied(text).into())
}

pub(super) async fn exist(ask: &Ask<'_>) -> Result<Answer, Refusal> {
    let bind = Bind::new("SignerExistInUserReq", &ask.input)?;
    let (user, signer) = (bind.text("User")?, bind.address("Signer")?);
    ask.actor.admin_or(&user)?;
    let signer = signer.ok_or_else(no_address)?;
    Answer::of(&ask.service().user_has_signer(&ask.actor, &user, &signer).await?)
}

pub(super) async fn list(ask: &Ask<'_>) -> Result<Answer, Refusal> {
    let user = Bind::new("ListSignerReq", &ask.input)?.text("User")?;
    let rows = ask.service().signers_of(&ask.actor, &user).await?;
    let mut shown: Vec<SignerJson> = rows.into_iter().map(SignerJson::from).collect();
    shown.sort_by(|one, other| one.signer.cmp(&other.signer));
    Answer::of(&shown)
}

pub(super) async fn unregister(ask: &Ask<'_>) -> Result<Answer, Refusal> {
    let bind = Bind::new("UnregisterSignersReq", &ask.input)?;
    let (user, signers) = (bind.text("User")?, bind.addresses("Signers")?);
    ask.service().unregister_signers(&ask.actor, &user, &signers).await?;
    Ok(Answer::Empty)
}

pub(super) async fn has(ask: &Ask<'_>) -> Result<Answer, Refusal> {
    let signer = Bind::new("HasSignerReq", &ask.input)?.address("Signer")?;
    ask.actor.admin()?;
    let signer = signer.ok_or_else(no_address)?;
    Answer::of(&ask.service().has_signer(&ask.actor, &signer).await?)
}

pub(super) async fn remove(ask: &Ask<'_>) -> Result<Answer, Refusal> {
    let signer = Bind::new("DelSignerReq", &ask.input)?.address("Signer")?;
    match signer {
        Some(signer) => Answer::of(&ask.service().remove_signer(&ask.actor, &signer).await?),
        None => {
            ask.actor.admin()?;
            Answer::of(&false)
        }
    }
}

/// Ours: the owner lets another account use a signer.
pub(super) async fn grant(ask: &Ask<'_>) -> Result<Answer, Refusal> {
    let bind = Bind::new("GrantSignerReq", &ask.input)?;
    let signer = bind.address("Signer")?.ok_or_else(no_address)?;
    ask.service().grant_signer(&ask.actor, &signer, &bind.required("User")?).await?;
    Ok(Answer::Empty)
}
