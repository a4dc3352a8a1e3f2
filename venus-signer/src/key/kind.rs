//! The kinds of keys and their names.

use std::fmt;
use std::str::FromStr;

use venus_core::types::SignatureType;

use crate::error::KeyError;

/// The algorithm of a key.
///
/// ```
/// use venus_signer::KeyType;
/// assert_eq!(KeyType::parse("delegated")?, KeyType::Delegated);
/// assert_eq!(KeyType::parse("2")?.to_string(), "bls");
/// # Ok::<(), venus_signer::KeyError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum KeyType {
    /// ECDSA over secp256k1; addresses `f1…`.
    Secp256k1,
    /// BLS12-381; addresses `f3…`. Workers of miners need one.
    Bls,
    /// ECDSA over secp256k1 as Ethereum uses it; addresses `f410f…`.
    Delegated,
}

impl KeyType {
    /// All of them, in the order of their numbers.
    pub const ALL: [Self; 3] = [Self::Secp256k1, Self::Bls, Self::Delegated];

    /// The name in exported keys.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Secp256k1 => "secp256k1",
            Self::Bls => "bls",
            Self::Delegated => "delegated",
        }
    }

    /// Reads a name, or the number that old wallets wrote in its place: `secp256k1` or `1`, `bls` or `2`,
    /// `delegated` or `3`. Names are lower-case, as in Go.
    ///
    /// # Errors
    /// [`KeyError::Field`] for everything else; it does not quote the text, which may be a key in the wrong place.
    pub fn parse(text: &str) -> Result<Self, KeyError> {
        Self::ALL
            .into_iter()
            .find(|kind| text == kind.as_str())
            .or_else(|| text.parse().ok().filter(|_| text.len() == 1).and_then(Self::from_number))
            .ok_or(KeyError::Field { field: "Type", reason: UNKNOWN })
    }

    /// The kind of signatures that such a key makes.
    pub fn signature_type(self) -> SignatureType {
        match self {
            Self::Secp256k1 => SignatureType::Secp256k1,
            Self::Bls => SignatureType::Bls,
            Self::Delegated => SignatureType::Delegated,
        }
    }

    /// The number of the kind of signature.
    pub(crate) fn number(self) -> u64 {
        match self {
            Self::Secp256k1 => 1,
            Self::Bls => 2,
            Self::Delegated => 3,
        }
    }

    pub(crate) fn from_number(number: u64) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.number() == number)
    }
}

pub(crate) const UNKNOWN: &str = "expected secp256k1, bls or delegated";

impl FromStr for KeyType {
    type Err = KeyError;

    fn from_str(text: &str) -> Result<Self, KeyError> {
        Self::parse(text)
    }
}

impl fmt::Display for KeyType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_numbers() {
        for kind in KeyType::ALL {
            assert_eq!(KeyType::parse(kind.as_str()), Ok(kind));
            assert_eq!(kind.number().to_string().parse(), Ok(kind));
            assert_eq!(kind.number(), kind.signature_type() as u64);
        }
        for text in ["", "0", "4", "01", "+1", " 1", "BLS", "secp256k1-ledger", "unknown"] {
            assert!(KeyType::parse(text).is_err(), "{text:?}");
        }
    }
}
