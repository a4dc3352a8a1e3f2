//! Tokens: JWTs with the bytes that sophon-auth makes, and what ours may say beyond them.
//!
//! A token of sophon-auth is `{"name","perm","ext"}` in this order under the header below, signed with HMAC-SHA256 and
//! a secret of its own. Ours may add `iat`, `exp`, `jti`, `aud` and `scp` behind these; Go's verifiers ignore members
//! that they do not know. Who has all of a token's bytes has the token: services look it up as a whole, so the
//! signature is checked only where no store is at hand ([`verify`]).

use data_encoding::{BASE64URL_NOPAD, HEXLOWER};
use hmac::{Hmac, Mac};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use uuid::Uuid;
use venus_core::api::Permissions;
use venus_core::error::{Classify, ErrorKind};

use crate::model::TokenKey;

/// What a token is made of before it is signed. The text is Go's, byte for byte.
const HEADER: &str = r#"{"alg":"HS256","typ":"JWT"}"#;
/// Longer tokens are refused unread, bytes. Go's table holds 512; ours with scopes can be longer.
pub const MAX_TOKEN: usize = 4 << 10;
/// How a hashed key begins, so that no token can be one.
const HASHED: &str = "sha256:";

/// Why a text is no token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TokenError {
    /// Not three parts, or too long.
    #[error("can't parse user from input token")]
    Malformed,
    /// A part is no base64url.
    #[error("illegal base64 data at input byte {0}")]
    Encoding(usize),
    /// The payload is no JSON object of a token.
    #[error("token payload is not JSON")]
    Payload,
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
#[serde(default)]
pub struct Claims {
    /// The account.
    pub name: String,
    /// What it may do.
    pub perm: String,
    /// Free text.
    pub ext: String,
    /// When it was made, Unix seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub iat: Option<i64>,
    /// From when it is refused, Unix seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub exp: Option<i64>,
    /// Its id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub jti: Option<Uuid>,
    /// For which services it is meant; empty for all.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub aud: Vec<String>,
    /// What it is narrowed to; empty for all that its permission allows.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub scp: Vec<String>,
}

impl Claims {
    /// Claims with the three members of sophon-auth.
    pub fn new(name: impl Into<String>, perm: impl Into<String>, ext: impl Into<String>) -> Self {
        Self { name: name.into(), perm: perm.into(), ext: ext.into(), ..Self::default() }
    }

    /// What the permission allows.
    pub fn permissions(&self) -> Permissions {
        Permissions::up_to(&self.perm)
    }
}

/// Makes a token.
///
/// ```
/// use venus_auth::jwt::{Claims, encode, verify};
///
/// let secret: [u8; 32] = std::array::from_fn(|i| i as u8);
/// let token = encode(&Claims::new("alice", "sign", ""), &secret);
/// assert!(token.ends_with(".kfSwMOmgcf4lahGgfswdtlsEVNDA_dD41grUuQyjY_0"));
/// assert_eq!(verify(&token, &secret)?.name, "alice");
/// # Ok::<(), venus_auth::jwt::TokenError>(())
/// ```
pub fn encode(claims: &Claims, secret: &[u8]) -> String {
    // Strings, integers and UUIDs always serialise.
    let payload = serde_json::to_string(claims).unwrap_or_default();
    let payload = go_escaped(&payload);
    let signed = format!(
        "{}.{}",
        BASE64URL_NOPAD.encode(HEADER.as_bytes()),
        BASE64URL_NOPAD.encode(payload.as_bytes())
    );
    let signature = BASE64URL_NOPAD.encode(&mac(&signed, secret).finalize().into_bytes());
    format!("{signed}.{signature}")
}

/// What a token says, without looking at its signature: to find out whom it may belong to, never to let anybody in.
///
/// # Errors
/// [`TokenError`], but for the signature.
pub fn peek(token: &str) -> Result<Claims, TokenError> {
    let (_, payload, _) = parts(token)?;
    let payload = BASE64URL_NOPAD.decode(payload.as_bytes()).map_err(|e| TokenError::Encoding(e.position))?;
    serde_json::from_slice(&payload).map_err(|_| TokenError::Payload)
}

/// What a token says, if it was signed with `secret`. Compares in constant time. As in Go, the header does not choose
/// the algorithm.
///
/// # Errors
/// [`TokenError`].
pub fn verify(token: &str, secret: &[u8]) -> Result<Claims, TokenError> {
    let (signed, _, signature) = parts(token)?;
    let signature =
        BASE64URL_NOPAD.decode(signature.as_bytes()).map_err(|e| TokenError::Encoding(e.position))?;
    mac(signed, secret).verify_slice(&signature).map_err(|_| TokenError::Signature)?;
    peek(token)
}

/// SHA-256 of a token, lower-case hex: names it where it must not appear.
pub fn fingerprint(token: &str) -> String {
    HEXLOWER.encode(&Sha256::digest(token.as_bytes()))
}

/// What errors and logs say instead of a token: its eight characters, or, of what is no token, its beginning.
pub(crate) fn display(token: &str) -> String {
    match parts(token) {
        Ok(_) => TokenKey::hashed(token).display(),
        Err(_) => token.chars().take(36).filter(|c| !c.is_control()).collect(),
    }
}

impl TokenKey {
    /// What a store keeps that must not know tokens.
    pub fn hashed(token: &str) -> Self {
        Self(format!("{HASHED}{}", fingerprint(token)))
    }

    /// What a store keeps that lists whole tokens.
    pub fn clear(token: &str) -> Self {
        Self(token.to_owned())
    }

    /// As the column of a store holds it.
    pub fn of_column(text: String) -> Self {
        Self(text)
    }

    /// For the column of a store. A secret unless [`TokenKey::is_hashed`].
    pub fn as_column(&self) -> &str {
        &self.0
    }

    /// Whether it tells nothing about the token.
    pub fn is_hashed(&self) -> bool {
        self.0.starts_with(HASHED)
    }

    /// The token's [`fingerprint`].
    pub fn fingerprint(&self) -> String {
        self.0.strip_prefix(HASHED).map_or_else(|| fingerprint(&self.0), str::to_owned)
    }

    /// Eight characters to tell tokens apart by, in lists and logs.
    pub fn display(&self) -> String {
        self.fingerprint().chars().take(8).collect()
    }
}

/// What is signed, the payload and the signature, both encoded.
fn parts(token: &str) -> Result<(&str, &str, &str), TokenError> {
    if token.len() > MAX_TOKEN {
        return Err(TokenError::Malformed);
    }
    let (signed, signature) = token.rsplit_once('.').ok_or(TokenError::Malformed)?;
    let (header, payload) = signed.split_once('.').ok_or(TokenError::Malformed)?;
    if header.is_empty() || payload.contains('.') {
        return Err(TokenError::Malformed);
    }
    Ok((signed, payload, signature))
}

fn mac(signed: &str, secret: &[u8]) -> Hmac<Sha256> {
    // HMAC takes keys of any length.
    #[allow(clippy::unwrap_used, reason = "InvalidLength is never returned by Hmac")]
    let mut mac = <Hmac<Sha256> as Mac>::new_from_slice(secret).unwrap();
    mac.update(signed.as_bytes());
    mac
}

/// Go writes these as escapes, inside strings; outside of them they do not occur.
pub(crate) fn go_escaped(json: &str) -> String {
    let mut out = String::with_capacity(json.len());
    for c in json.chars() {
        match c {
            '<' | '>' | '&' | '\u{2028}' | '\u{2029}' => out.push_str(&format!("\\u{:04x}", c as u32)),
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A token that sophon-auth made.
    const GO: &str = "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJuYW1lIjoiemwtdG9rZW4iLCJwZXJtIjoiYWRtaW4iLCJleHQiOiIifQ.\
                      DQ-ETWoEnNrpGKCikwZax6YUzdQIkhT0pHOTSta8770";
    const GO_SECRET: &str = "d6234bf3f14a568a9c8315a6ee4f474e380beb2b65a64e6ba0142df72b454f4e";

    #[test]
    fn go_bytes() {
        let secret = HEXLOWER.decode(GO_SECRET.as_bytes()).unwrap();
        assert_eq!(encode(&Claims::new("zl-token", "admin", ""), &secret), GO);
        assert_eq!(verify(GO, &secret).unwrap(), Claims::new("zl-token", "admin", ""));
        assert_eq!(verify(GO, b"other").unwrap_err(), TokenError::Signature);
        let odd = encode(&Claims::new("a<b>&\u{2028}", "read", "\"\n"), &secret);
        let payload = BASE64URL_NOPAD.decode(odd.split('.').nth(1).unwrap().as_bytes()).unwrap();
        let text = r#"{"name":"a\u003cb\u003e\u0026\u2028","perm":"read","ext":"\"\n"}"#;
        assert_eq!(String::from_utf8(payload).unwrap(), text);
    }

    #[test]
    fn tokens_of_wallets_have_no_name() {
        let claims = peek("e30.eyJBbGxvdyI6WyJyZWFkIl19.c2ln").unwrap();
        assert_eq!((claims.name.as_str(), claims.permissions()), ("", Permissions::NONE));
    }

    #[test]
    fn no_text_panics_or_verifies() {
        for text in ["", ".", "..", "a.b", "a.b.c.d", "a.!.c", "e30.e30.", &"x".repeat(MAX_TOKEN + 1)] {
            assert!(verify(text, b"secret").is_err(), "{text}");
        }
        assert_eq!(peek("a.b").unwrap_err(), TokenError::Malformed);
    }

    #[test]
    fn keys_hide_tokens() {
        let (hashed, clear) = (TokenKey::hashed(GO), TokenKey::clear(GO));
        assert!(hashed.is_hashed() && !clear.is_hashed());
        assert_eq!(hashed.fingerprint(), clear.fingerprint());
        assert_eq!(hashed.display().len(), 8);
        assert_eq!(format!("{clear:?}"), "TokenKey(…)");
    }
}
