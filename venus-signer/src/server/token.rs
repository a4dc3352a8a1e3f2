//! The wallet's own tokens: JWTs as Go's `venus-wallet` makes them.
//!
//! A token says what its bearer may do and nothing else, so that two tokens for the same rights are the same text.
//! Ours may name the bearer too (`sub`), for records; Go's wallet reads such a token and ignores the name.

use std::fmt;

use data_encoding::{BASE64URL_NOPAD, HEXLOWER};
use hmac::{Hmac, Mac};
use secrecy::{ExposeSecret, SecretSlice, SecretString};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use venus_core::api::Permissions;
use venus_core::error::{Classify, ErrorKind};

/// What a token is made of before it is signed.
const HEADER: &str = r#"{"alg":"HS256","typ":"JWT"}"#;
/// What stands between a token and the strategy token behind it.
const SEPARATOR: &str = "___";
/// How the names begin that records give to tokens without one.
pub(super) const UNNAMED: &str = "token-";
/// Longer tokens are refused unread, bytes.
const MAX: usize = 8 << 10;
/// How many places are tried where a token may end.
const MAX_CUTS: usize = 16;

/// Why a text is no token of this wallet. The texts are those of Go's wallet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TokenError {
    /// Not three parts of base64url and JSON.
    #[error("jwt: malformed token")]
    Malformed,
    /// Signed with another secret, or changed.
    #[error("jwt: HMAC verification failed")]
    Signature,
}

impl Classify for TokenError {
    fn kind(&self) -> ErrorKind {
        ErrorKind::Unauthenticated
    }
}

/// What a token says.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claims {
    /// The rights by name; unknown names give none.
    #[serde(rename = "Allow", default)]
    pub allow: Option<Vec<String>>,
    /// Who bears it, for records.
    #[serde(rename = "sub", default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
}

impl Claims {
    /// Claims for these rights, as Go writes them.
    pub fn allowing<'a>(names: impl IntoIterator<Item = &'a str>) -> Self {
        Self { allow: Some(names.into_iter().map(str::to_owned).collect()), subject: None }
    }

    /// The rights. A token lists every one: `admin` alone does not include `sign`.
    pub fn permissions(&self) -> Permissions {
        self.allow.iter().flatten().fold(Permissions::NONE, |all, name| all.with(name))
    }
}

/// Makes and checks tokens with one secret.
pub struct Tokens {
    secret: SecretSlice<u8>,
}

impl fmt::Debug for Tokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Tokens(…)")
    }
}

impl Tokens {
    /// Tokens signed with `secret`, which should have 32 random bytes.
    pub fn new(secret: SecretSlice<u8>) -> Self {
        Self { secret }
    }

    /// A token that says `claims`. Without a subject its bytes are those of Go.
    ///
    /// ```
    /// use venus_signer::server::{Claims, Tokens};
    ///
    /// let tokens = Tokens::new(vec![7; 32].into());
    /// let token = tokens.issue(&Claims::allowing(["read"]));
    /// # use secrecy::ExposeSecret;
    /// assert!(token.expose_secret().starts_with("eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJBbGxvdyI6WyJyZWFkIl19."));
    /// ```
    pub fn issue(&self, claims: &Claims) -> SecretString {
        // Lists of texts always serialise.
        let claims = serde_json::to_vec(claims).unwrap_or_default();
        let signed =
            format!("{}.{}", BASE64URL_NOPAD.encode(HEADER.as_bytes()), BASE64URL_NOPAD.encode(&claims));
        let mac = self.mac(&signed).finalize().into_bytes();
        format!("{signed}.{}", BASE64URL_NOPAD.encode(&mac)).into()
    }

    /// What a token says, if it is one of ours.
    ///
    /// # Errors
    /// [`TokenError`]; the token stays one or not, whenever it is asked.
    pub fn verify(&self, token: &str) -> Result<Claims, TokenError> {
        #[derive(Deserialize)]
        struct Header {
            alg: String,
        }
        if token.len() > MAX {
            return Err(TokenError::Malformed);
        }
        let (signed, mac) = token.rsplit_once('.').ok_or(TokenError::Malformed)?;
        let (header, claims) = signed.split_once('.').ok_or(TokenError::Malformed)?;
        let mac = decode(mac)?;
        let header: Header = serde_json::from_slice(&decode(header)?).map_err(|_| TokenError::Malformed)?;
        // A token must not choose how it is checked.
        if header.alg != "HS256" {
            return Err(TokenError::Malformed);
        }
        let claims = decode(claims)?;
        self.mac(signed).verify_slice(&mac).map_err(|_| TokenError::Signature)?;
        serde_json::from_slice(&claims).map_err(|_| TokenError::Malformed)
    }

    /// Cuts the strategy token off: `<JWT>___<token>`. Three underscores may also stand inside a JWT, which is
    /// base64url, so the cut is made where the part before it verifies, and at the last place where none does.
    pub fn split<'a>(&self, bearer: &'a str) -> (&'a str, Option<&'a str>) {
        if bearer.len() > MAX || !bearer.contains(SEPARATOR) || self.verify(bearer).is_ok() {
            return (bearer, None);
        }
        let cuts: Vec<usize> = bearer.rmatch_indices(SEPARATOR).map(|(at, _)| at).take(MAX_CUTS).collect();
        let good = cuts.iter().find(|at| bearer.get(..**at).is_some_and(|token| self.verify(token).is_ok()));
        let Some(at) = good.or(cuts.first()) else { return (bearer, None) };
        let rest = bearer.get(at + SEPARATOR.len()..).filter(|rest| !rest.is_empty());
        (bearer.get(..*at).unwrap_or(bearer), rest)
    }

    fn mac(&self, signed: &str) -> Hmac<Sha256> {
        // HMAC takes keys of any length, so this never is an error.
        let mac = Hmac::<Sha256>::new_from_slice(self.secret.expose_secret());
        let mut mac = mac.unwrap_or_else(|_| Hmac::new(&Default::default()));
        mac.update(signed.as_bytes());
        mac
    }
}

fn decode(part: &str) -> Result<Vec<u8>, TokenError> {
    BASE64URL_NOPAD.decode(part.as_bytes()).map_err(|_| TokenError::Malformed)
}

/// What records call the bearer of a token without a name: the beginning of its hash, which gives nothing away.
pub(super) fn fingerprint(token: &str) -> String {
    let hash = Sha256::digest(token.as_bytes());
    format!("{UNNAMED}{}", hash.get(..6).map(|bytes| HEXLOWER.encode(bytes)).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn tokens() -> Tokens {
        Tokens::new(vec![7; 32].into())
    }

    fn admin() -> Claims {
        Claims::allowing(["read", "write", "sign", "admin"])
    }

    #[test]
    fn what_is_issued_verifies() {
        let tokens = tokens();
        for claims in [admin(), Claims::default(), Claims { subject: Some("alice".into()), ..admin() }] {
            let token = tokens.issue(&claims);
            assert_eq!(tokens.verify(token.expose_secret()).unwrap(), claims);
            let other = Tokens::new(vec![8; 32].into());
            assert_eq!(other.verify(token.expose_secret()), Err(TokenError::Signature));
        }
        assert_eq!(admin().permissions(), Permissions::ALL);
        assert_eq!(Claims::allowing(["admin"]).permissions(), Permissions::NONE.with("admin"));
        assert_eq!(Claims::default().permissions(), Permissions::NONE);
    }

    #[test]
    fn go_bytes() {
        let token = tokens().issue(&Claims::default());
        let claims = token.expose_secret().split('.').nth(1).unwrap().to_owned();
        assert_eq!(BASE64URL_NOPAD.decode(claims.as_bytes()).unwrap(), br#"{"Allow":null}"#);
    }

    #[test]
    fn other_algorithms_are_refused() {
        let none = BASE64URL_NOPAD.encode(br#"{"alg":"none","typ":"JWT"}"#);
        let claims = BASE64URL_NOPAD.encode(br#"{"Allow":["admin"]}"#);
        for token in [format!("{none}.{claims}."), format!("{none}.{claims}"), "abc".into(), "...".into()] {
            assert_eq!(tokens().verify(&token), Err(TokenError::Malformed), "{token}");
        }
    }

    #[test]
    fn strategy_tokens_are_cut_off() {
        let tokens = tokens();
        let jwt = tokens.issue(&admin());
        let jwt = jwt.expose_secret();
        assert_eq!(tokens.split(jwt), (jwt, None));
        assert_eq!(tokens.split(&format!("{jwt}___abc")), (jwt, Some("abc")));
        assert_eq!(tokens.split(&format!("{jwt}___")), (jwt, None));
        assert_eq!(tokens.split("x___y"), ("x", Some("y")));
    }

    #[test]
    fn underscores_inside_a_token_are_no_cut() {
        // Of the last part of a token, which is random, one in some thousand has them.
        let tokens = tokens();
        let named = |n: u32| tokens.issue(&Claims { subject: Some(n.to_string()), ..admin() });
        let odd = (0..100_000).map(named).find(|jwt| jwt.expose_secret().contains(SEPARATOR)).unwrap();
        let jwt = odd.expose_secret();
        assert_eq!(tokens.split(&format!("{jwt}___strategy")), (jwt, Some("strategy")));
        assert_eq!(tokens.split(jwt), (jwt, None));
    }

    proptest! {
        #[test]
        fn no_text_verifies(text in ".{0,200}") {
            prop_assert!(tokens().verify(&text).is_err());
            let _ = tokens().split(&text);
        }
    }
}
