//! Tokens that stand for a group.

use std::fmt;

use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest, Sha256};
use venus_core::entropy::Entropy;
use zeroize::{Zeroize, ZeroizeOnDrop};

use super::StrategyError;

/// What stands between the JWT and the strategy token: characters that Lotus takes for a part of the JWT.
const SEPARATOR: &str = "___";
/// How many characters of a token may be shown.
const SHOWN: usize = 8;
/// Keeps these hashes apart from other uses of the same bytes.
const DOMAIN: &[u8] = b"venus strategy token\0";

/// A strategy token: a random UUID, and whoever has it has the rights of its group. Does not show itself.
#[derive(Clone, PartialEq, Eq, Zeroize, ZeroizeOnDrop)]
pub struct StToken([u8; 16]);

impl StToken {
    /// A new token of 122 random bits.
    ///
    /// # Errors
    /// [`StrategyError::Token`] without random bytes.
    pub fn generate(entropy: &dyn Entropy) -> Result<Self, StrategyError> {
        let mut bytes = [0; 16];
        entropy.fill(&mut bytes).map_err(|e| StrategyError::Token(e.into()))?;
        Ok(Self(uuid::Builder::from_random_bytes(bytes).into_uuid().into_bytes()))
    }

    /// Reads the hyphenated form, in either case.
    pub fn parse(text: &str) -> Option<Self> {
        const HYPHENATED: usize = 36;
        let uuid = (text.len() == HYPHENATED).then(|| uuid::Uuid::try_parse(text).ok());
        uuid.flatten().map(|uuid| Self(uuid.into_bytes()))
    }

    /// The token itself, to be handed to its user.
    pub fn expose(&self) -> String {
        uuid::Uuid::from_bytes(self.0).hyphenated().to_string()
    }

    /// The part of the token that is shown in lists.
    pub fn shown(&self) -> String {
        let mut text = self.expose();
        let shown = text.chars().take(SHOWN).collect();
        text.zeroize();
        shown
    }

    /// What is stored of a token. Guessing 122 random bits needs no salt and no slow hash to be out of reach.
    pub(super) fn hash(&self) -> [u8; 32] {
        Sha256::new().chain_update(DOMAIN).chain_update(self.0).finalize().into()
    }
}

impl fmt::Debug for StToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("StToken(…)")
    }
}

impl From<&StToken> for SecretString {
    fn from(token: &StToken) -> Self {
        token.expose().into()
    }
}

/// Takes a bearer token apart: `<JWT>` or `<JWT>___<strategy token>`. Three underscores may also stand inside a JWT, so
/// only what is followed by a token, or by nothing, is a separator; Go cuts such a JWT in two.
///
/// ```
/// use venus_signer::strategy::split_token;
///
/// let (jwt, token) = split_token("a.b.c___5a4ce5ad-6c4a-4d4b-8a5e-9d1a7f3c2b1e");
/// assert_eq!(jwt, "a.b.c");
/// assert!(token.is_some());
/// assert_eq!(split_token("a.b___.c"), ("a.b___.c", None));
/// ```
pub fn split_token(bearer: &str) -> (&str, Option<StToken>) {
    match bearer.rsplit_once(SEPARATOR) {
        Some((jwt, "")) => (jwt, None),
        Some((jwt, rest)) => match StToken::parse(rest) {
            Some(token) => (jwt, Some(token)),
            None => (bearer, None),
        },
        None => (bearer, None),
    }
}

/// The token that a caller presented, if it is one.
pub(super) fn presented(token: &SecretString) -> Option<StToken> {
    StToken::parse(token.expose_secret().trim())
}

#[cfg(test)]
mod tests {
    use super::*;
    use venus_core::entropy::SeededEntropy;

    #[test]
    fn tokens_are_random_uuids_that_do_not_show_themselves() {
        let entropy = SeededEntropy::new(1, "tokens");
        let (a, b) = (StToken::generate(&entropy).unwrap(), StToken::generate(&entropy).unwrap());
        assert_ne!(a, b);
        assert_ne!(a.hash(), b.hash());
        let uuid = uuid::Uuid::parse_str(&a.expose()).unwrap();
        assert_eq!((uuid.get_version_num(), uuid.get_variant()), (4, uuid::Variant::RFC4122));
        assert_eq!(a.shown().len(), 8);
        assert!(!format!("{a:?}").contains(&a.shown()));
        assert_eq!(StToken::parse(&a.expose().to_uppercase()), Some(a));
    }

    #[test]
    fn bearer_tokens_are_cut_where_a_token_follows() {
        let token = "5a4ce5ad-6c4a-4d4b-8a5e-9d1a7f3c2b1e";
        let cases = [
            ("", "", false),
            ("a.b.c", "a.b.c", false),
            ("a.b_-__c", "a.b_-__c", false),
            ("a.b.c___", "a.b.c", false),
            ("a.b.c___x", "a.b.c___x", false),
            ("a.b___.c___5a4ce5ad-6c4a-4d4b-8a5e-9d1a7f3c2b1e", "a.b___.c", true),
            ("___5a4ce5ad-6c4a-4d4b-8a5e-9d1a7f3c2b1e", "", true),
            ("a____5a4ce5ad-6c4a-4d4b-8a5e-9d1a7f3c2b1e", "a_", true),
        ];
        for (bearer, jwt, has) in cases {
            let (found, st) = split_token(bearer);
            assert_eq!(
                (found, st.as_ref().map(StToken::expose)),
                (jwt, has.then(|| token.into())),
                "{bearer}"
            );
        }
        assert_eq!(StToken::parse("{5a4ce5ad-6c4a-4d4b-8a5e-9d1a7f3c2b1e}"), None);
        assert_eq!(StToken::parse("5a4ce5ad6c4a4d4b8a5e9d1a7f3c2b1e"), None);
    }
}
