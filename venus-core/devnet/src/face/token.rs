//! Tokens of a node: what `Auth*` methods make, and what callers show.

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use data_encoding::BASE64URL_NOPAD;
use hmac::{Hmac, Mac};
use http::request::Parts;
use secrecy::{ExposeSecret, SecretSlice, SecretString};
use serde::{Deserialize, Serialize};
use sha2::Sha256;
use venus_core::api::{Authenticator, IdentityError, Permission, Permissions, Principal};
use venus_core::rpc::Identity;
use venus_core::rpc::server::{AuthError, Authenticate};

use super::FaceKind;

/// Least bytes of a secret.
const MIN_SECRET: usize = 32;
/// Longest token that is looked at, bytes. Ours have about 130.
const MAX_TOKEN: usize = 4096;
/// The first part of every token, as Go's library writes it.
const HEADER: &str = r#"{"alg":"HS256","typ":"JWT"}"#;

/// Makes tokens, and says what a token allows.
///
/// Tokens are JWTs with HS256, as Go nodes make them: `{"Allow":["read","write","sign","admin"]}`. They do not end.
/// The secret never shows in `Debug`. Cheap to clone.
#[derive(Clone)]
pub struct Tokens {
    secret: Arc<SecretSlice<u8>>,
    strangers: Option<Permissions>,
    others: Option<Arc<dyn Authenticator>>,
}

impl fmt::Debug for Tokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tokens")
            .field("strangers", &self.strangers)
            .field("others", &self.others.is_some())
            .finish_non_exhaustive()
    }
}

/// Why there are no tokens.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TokenError {
    /// The secret could be guessed.
    #[error("the secret of tokens has {0} bytes; it needs at least {MIN_SECRET}")]
    ShortSecret(usize),
}

impl venus_core::error::Classify for TokenError {
    fn kind(&self) -> venus_core::error::ErrorKind {
        match self {
            Self::ShortSecret(_) => venus_core::error::ErrorKind::Invalid,
        }
    }
}

#[derive(Serialize, Deserialize)]
struct Claims {
    #[serde(rename = "Allow")]
    allow: Vec<String>,
}

#[derive(Deserialize)]
struct Header {
    alg: String,
}

impl Tokens {
    /// Tokens signed with `secret`, of 32 random bytes or more. Strangers, who have no token, may read.
    ///
    /// # Errors
    /// [`TokenError::ShortSecret`].
    pub fn new(secret: SecretSlice<u8>) -> Result<Self, TokenError> {
        let bytes = secret.expose_secret().len();
        if bytes < MIN_SECRET {
            return Err(TokenError::ShortSecret(bytes));
        }
        Ok(Self { secret: Arc::new(secret), strangers: Some(Permissions::READ), others: None })
    }

    /// The tokens with the habit of a node of this kind: Lotus and Forest let strangers read, Venus turns them away.
    #[must_use]
    pub fn like(self, kind: FaceKind) -> Self {
        match kind {
            FaceKind::Lotus | FaceKind::Forest => self.strangers(Some(Permissions::READ)),
            FaceKind::Venus => self.strangers(None),
        }
    }

    /// The tokens with other rights for strangers; `None` turns them away with 401.
    #[must_use]
    pub fn strangers(self, strangers: Option<Permissions>) -> Self {
        Self { strangers, ..self }
    }

    /// The tokens, with somebody to ask about tokens that are not ours.
    #[must_use]
    pub fn or_ask(self, others: Arc<dyn Authenticator>) -> Self {
        Self { others: Some(others), ..self }
    }

    /// A token with these rights.
    pub fn issue(&self, permissions: Permissions) -> SecretString {
        let claims = Claims { allow: names(permissions) };
        // Serialising texts does not fail.
        let claims = serde_json::to_vec(&claims).unwrap_or_default();
        let signed =
            format!("{}.{}", BASE64URL_NOPAD.encode(HEADER.as_bytes()), BASE64URL_NOPAD.encode(&claims));
        let tag = self.mac(&signed).map(|mac| mac.finalize().into_bytes()).unwrap_or_default();
        format!("{signed}.{}", BASE64URL_NOPAD.encode(&tag)).into()
    }

    /// What one of our tokens allows; `None` if it is none of ours.
    pub fn verify(&self, token: &str) -> Option<Permissions> {
        if token.len() > MAX_TOKEN {
            return None;
        }
        let (signed, tag) = token.rsplit_once('.')?;
        let tag = BASE64URL_NOPAD.decode(tag.as_bytes()).ok()?;
        // Compares in constant time.
        self.mac(signed)?.verify_slice(&tag).ok()?;
        let (header, claims) = signed.split_once('.')?;
        let header: Header = part(header)?;
        let claims: Claims = part(claims)?;
        let allowed = claims.allow.iter().fold(Permissions::NONE, |all, name| all.with(name));
        (header.alg == "HS256").then_some(allowed)
    }

    /// What a token allows, asking others if it is none of ours.
    ///
    /// # Errors
    /// [`IdentityError`]: [`IdentityError::Unauthenticated`] for a token that nobody knows.
    pub(crate) async fn principal(&self, token: &str) -> Result<Principal, IdentityError> {
        if let Some(permissions) = self.verify(token) {
            return Ok(Principal::new(None, permissions));
        }
        match &self.others {
            Some(others) if token.len() <= MAX_TOKEN => others.authenticate(token).await,
            _ => Err(IdentityError::Unauthenticated),
        }
    }

    /// There always is one, for HMAC takes keys of any length.
    fn mac(&self, signed: &str) -> Option<Hmac<Sha256>> {
        let mut mac = Hmac::<Sha256>::new_from_slice(self.secret.expose_secret()).ok()?;
        mac.update(signed.as_bytes());
        Some(mac)
    }
}

fn part<T: serde::de::DeserializeOwned>(text: &str) -> Option<T> {
    serde_json::from_slice(&BASE64URL_NOPAD.decode(text.as_bytes()).ok()?).ok()
}

/// The rights by name, as tokens list them.
pub(super) fn names(permissions: Permissions) -> Vec<String> {
    let all = [Permission::Read, Permission::Write, Permission::Sign, Permission::Admin];
    all.into_iter().filter(|right| permissions.allow(*right)).map(|right| right.as_str().to_owned()).collect()
}

#[async_trait]
impl Authenticate for Tokens {
    async fn authenticate(&self, token: Option<&str>, _: &Parts) -> Result<Identity, AuthError> {
        let Some(token) = token else {
            let permissions = self.strangers.ok_or(AuthError::Unauthenticated)?;
            return Ok(Identity::new("", permissions));
        };
        match self.principal(token).await {
            Ok(caller) => Ok(caller.into()),
            Err(IdentityError::Unauthenticated | IdentityError::Disabled(_)) => {
                Err(AuthError::Unauthenticated)
            }
            Err(error) => {
                tracing::warn!(%error, "a token could not be asked about");
                Err(AuthError::Unavailable)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tokens(byte: u8) -> Tokens {
        Tokens::new(SecretSlice::from(vec![byte; 32])).unwrap()
    }

    #[test]
    fn a_token_allows_what_it_was_made_for() {
        let ours = tokens(1);
        for level in ["read", "write", "sign", "admin"] {
            let rights = Permissions::up_to(level);
            let token = ours.issue(rights);
            assert_eq!(ours.verify(token.expose_secret()), Some(rights));
            assert_eq!(tokens(2).verify(token.expose_secret()), None);
        }
        // What Go's library makes of this secret.
        let token = ours.issue(Permissions::READ);
        assert!(
            token
                .expose_secret()
                .starts_with("eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJBbGxvdyI6WyJyZWFkIl19.")
        );
    }

    #[test]
    fn nothing_else_is_let_in() {
        let ours = tokens(1);
        let token = ours.issue(Permissions::READ);
        let token = token.expose_secret();
        let mut changed = 0;
        for at in 0..token.len() {
            for byte in ["A", "z", "."] {
                let mut other = token.to_owned();
                other.replace_range(at..=at, byte);
                if other != token {
                    changed += 1;
                    assert_eq!(ours.verify(&other), None, "{other}");
                }
            }
        }
        assert!(changed > 300);
        let none =
            format!("{}.{}.", BASE64URL_NOPAD.encode(br#"{"alg":"none"}"#), "eyJBbGxvdyI6WyJhZG1pbiJdfQ");
        for bad in ["", ".", "..", "garbage", &none, &"a.".repeat(3000)] {
            assert_eq!(ours.verify(bad), None);
        }
    }

    proptest::proptest! {
        #[test]
        fn any_text_is_an_acceptable_question(text in ".{0,200}", a in "[A-Za-z0-9_-]{0,60}", b in "[A-Za-z0-9_-]{0,60}") {
            proptest::prop_assert_eq!(tokens(1).verify(&text), None);
            proptest::prop_assert_eq!(tokens(1).verify(&format!("{a}.{b}.{text}")), None);
        }
    }

    #[test]
    fn secrets_are_long_and_do_not_show() {
        assert!(matches!(Tokens::new(SecretSlice::from(vec![7; 31])), Err(TokenError::ShortSecret(31))));
        assert!(!format!("{:?}", tokens(77)).contains("77"));
    }
}
