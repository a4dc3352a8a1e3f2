//! Sets of message types.

use serde::{Deserialize, Serialize};
use venus_core::types::MsgType;

use super::StrategyError;

/// The types that can be allowed, by code.
const TYPES: [(&str, MsgType); 11] = [
    ("unknown", MsgType::Unknown),
    ("chainMsg", MsgType::ChainMessage),
    ("block", MsgType::Block),
    ("dealProposal", MsgType::DealProposal),
    ("drawRandomParam", MsgType::DrawRandomParam),
    ("signedVoucher", MsgType::SignedVoucher),
    ("storageAsk", MsgType::StorageAsk),
    ("askResponse", MsgType::AskResponse),
    ("netWorkResponse", MsgType::NetworkResponse),
    ("providerDealState", MsgType::ProviderDealState),
    ("clientDeal", MsgType::ClientDeal),
];
/// The challenge of a gateway has a code, but no strategy decides about it.
const VERIFY_ADDRESS: u32 = 11;
/// More codes than there are types are a mistake.
const MAX_CODES: usize = 64;

/// A set of message types: bit *n* stands for the type of code *n*.
///
/// ```
/// use venus_core::types::MsgType;
/// use venus_signer::strategy::MsgEnum;
///
/// let types = MsgEnum::from_codes(&[5, 1, 2])?;
/// assert_eq!(types.bits(), 38);
/// assert_eq!(types.codes(), [1, 2, 5]);
/// assert!(types.contains(MsgType::Block));
/// # Ok::<(), venus_signer::strategy::StrategyError>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct MsgEnum(u32);

impl MsgEnum {
    /// No type.
    pub const EMPTY: Self = Self(0);

    /// A set as it is stored.
    pub const fn from_bits(bits: u32) -> Self {
        Self(bits)
    }

    /// The number that is stored.
    pub const fn bits(self) -> u32 {
        self.0
    }

    /// The set of these codes; each may stand more than once.
    ///
    /// # Errors
    /// [`StrategyError::NilReference`] without codes, [`StrategyError::CodeOverflow`] for a code that is no type.
    pub fn from_codes(codes: &[i64]) -> Result<Self, StrategyError> {
        if codes.is_empty() {
            return Err(StrategyError::NilReference);
        }
        if codes.len() > MAX_CODES {
            return Err(StrategyError::TooMany { what: "codes", limit: MAX_CODES });
        }
        codes.iter().try_fold(Self::EMPTY, |set, code| match u32::try_from(*code) {
            Ok(code @ 0..=10) => Ok(set.union(Self(1 << code))),
            _ => Err(StrategyError::CodeOverflow),
        })
    }

    /// The codes in the set, ascending.
    pub fn codes(self) -> Vec<u32> {
        (0..u32::BITS).filter(|code| self.0 & (1 << code) != 0).collect()
    }

    /// The types that may be allowed, as codes and names.
    pub fn pool() -> impl Iterator<Item = (usize, &'static str)> {
        TYPES.iter().enumerate().map(|(code, (name, _))| (code, *name))
    }

    /// The set of one type. Types that have no code of their own, `f3` among them, are `unknown`.
    pub fn of(msg_type: MsgType) -> Self {
        if msg_type == MsgType::VerifyAddress {
            return Self(1 << VERIFY_ADDRESS);
        }
        Self(1 << TYPES.iter().position(|(_, known)| *known == msg_type).unwrap_or_default())
    }

    /// Whether a type is in the set.
    pub fn contains(self, msg_type: MsgType) -> bool {
        let bit = Self::of(msg_type).0;
        self.0 & bit == bit
    }

    /// What is in either set.
    #[must_use]
    pub const fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// What is in this set and not in the other.
    #[must_use]
    pub const fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_type_has_one_code() {
        let of = |msg_type| MsgEnum::of(msg_type).bits();
        let codes: Vec<u32> = MsgType::ALL.iter().map(|t| of(*t)).collect();
        assert_eq!(codes, [1, 2, 4, 8, 16, 32, 64, 128, 256, 1024, 512, 2048, 1]);
        assert_eq!(of(MsgType::F3), 1);
        assert_eq!(MsgEnum::pool().count(), 11);
        assert!(MsgEnum::pool().any(|t| t == (8, "netWorkResponse")));
    }

    #[test]
    fn codes_make_sets() {
        assert_eq!(MsgEnum::from_codes(&[10, 10, 0]).unwrap().bits(), 1025);
        assert_eq!(MsgEnum::from_bits(38).codes(), [1, 2, 5]);
        assert_eq!(MsgEnum::from_bits(u32::MAX).codes().len(), 32);
        assert_eq!(MsgEnum::from_codes(&[]).unwrap_err().to_string(), "nil reference");
        for wrong in [-1, 11, 32, i64::MIN, i64::MAX] {
            let error = MsgEnum::from_codes(&[1, wrong]).unwrap_err();
            assert_eq!(error.to_string(), "code over flow", "{wrong}");
        }
        assert!(MsgEnum::from_codes(&[1; 65]).is_err());
        let most = MsgEnum::from_codes(&(0..=10).collect::<Vec<_>>()).unwrap();
        assert!(!most.contains(MsgType::VerifyAddress));
        assert_eq!(most.without(MsgEnum::from_bits(1)).bits(), 2046);
    }
}
