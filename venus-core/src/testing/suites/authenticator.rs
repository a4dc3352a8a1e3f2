use super::{Step, must, must_fail};
use crate::api::{Authenticator, IdentityError, Permission, Permissions};
use crate::error::ErrorKind;

/// A token that is good.
#[derive(Clone)]
pub struct GoodToken {
    /// The token.
    pub token: String,
    /// The account that it names.
    pub account: Option<String>,
    /// The highest right that it has.
    pub level: Permission,
}

/// What [`authenticator`] relies on.
pub struct AuthenticatorFixture<'a> {
    /// Tokens that are good all the time.
    pub good: Vec<GoodToken>,
    /// Tokens that are no good: expired, of deleted accounts, revoked.
    pub bad: Vec<String>,
    /// Tokens of accounts that are switched off.
    pub disabled: Vec<String>,
    /// A token that is good until `revoke`.
    pub revoked: String,
    /// Revokes it, and lets [`PRINCIPAL_MAX_AGE`](crate::api::PRINCIPAL_MAX_AGE) pass.
    pub revoke: Step<'a>,
}

/// Checks the contract of [`Authenticator`].
///
/// # Panics
/// If a clause does not hold.
pub async fn authenticator(authenticator: &dyn Authenticator, f: &AuthenticatorFixture<'_>) {
    for good in &f.good {
        accepted(authenticator, good).await;
    }
    for token in &f.bad {
        refused(authenticator, token, "a token that is no good is Unauthenticated").await;
    }
    for token in &f.disabled {
        let result = authenticator.authenticate(token).await;
        must_fail(result, ErrorKind::Denied, "the token of a disabled account is Disabled");
    }
    guesses(authenticator, f).await;
    must(authenticator.authenticate(&f.revoked).await, "fixture: the token is good before it is revoked");
    (f.revoke)().await;
    refused(authenticator, &f.revoked, "a revoked token is Unauthenticated").await;
}

async fn accepted(authenticator: &dyn Authenticator, good: &GoodToken) {
    let caller = must(authenticator.authenticate(&good.token).await, "a good token is accepted");
    assert_eq!(caller.account, good.account, "a token stands for its account");
    let ladder = Permissions::up_to(good.level.as_str());
    assert_eq!(caller.permissions, ladder, "a right includes those below it, and none above");
    let again = must(authenticator.authenticate(&good.token).await, "a good token is accepted again");
    assert_eq!(again, caller, "authentication is idempotent");
}

async fn guesses(authenticator: &dyn Authenticator, f: &AuthenticatorFixture<'_>) {
    let mut guesses = vec![String::new(), "x".into(), "..".into(), "\0".into(), "é".repeat(1 << 15)];
    for good in &f.good {
        guesses.push(format!("{}x", good.token));
        guesses.push(format!("x{}", good.token));
        guesses.push(format!(" {}", good.token));
        guesses.push(format!("Bearer {}", good.token));
        guesses.push(good.token.chars().skip(1).collect());
    }
    for guess in guesses {
        refused(authenticator, &guess, "a guess is Unauthenticated").await;
    }
}

async fn refused(authenticator: &dyn Authenticator, token: &str, clause: &str) {
    let error = match authenticator.authenticate(token).await {
        Ok(caller) => panic!("{clause}: let in {caller:?}"),
        Err(error) => error,
    };
    assert!(matches!(error, IdentityError::Unauthenticated), "{clause}: {error:?}");
}
