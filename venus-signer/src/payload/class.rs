//! The classes that policy decides about.

use std::fmt;

macro_rules! classes {
    ($($(#[$doc:meta])* $variant:ident = $name:literal),+ $(,)?) => {
        /// What a payload is, whatever the caller claimed. Classes `Raw…` came as plain bytes, under `unknown` or `f3`.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[non_exhaustive]
        pub enum PayloadClass {
            $($(#[$doc])* $variant),+
        }

        impl PayloadClass {
            /// All classes.
            pub const ALL: &[Self] = &[$(Self::$variant),+];

            /// The name in rules, records and metrics.
            pub fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $name),+
                }
            }

            /// Reads [`PayloadClass::as_str`].
            pub fn from_name(name: &str) -> Option<Self> {
                match name {
                    $($name => Some(Self::$variant),)+
                    _ => None,
                }
            }
        }
    };
}

classes! {
    /// A chain message.
    Message = "message",
    /// A block header.
    Block = "block",
    /// A VRF draw.
    Draw = "draw",
    /// A deal proposal.
    Deal = "deal",
    /// A deal proposal with its client's signature.
    ClientDeal = "client-deal",
    /// A payment channel voucher.
    Voucher = "voucher",
    /// A provider's conditions.
    StorageAsk = "storage-ask",
    /// The answer to an ask query.
    AskResponse = "ask-response",
    /// A provider's answer to a deal proposal.
    NetworkResponse = "network-response",
    /// A provider's view of a deal.
    DealState = "deal-state",
    /// The answer to a gateway's challenge.
    Challenge = "challenge",
    /// The CID of a message: signing it signs the message, and nobody has seen it.
    RawCid = "raw-cid",
    /// An Ethereum transaction, or typed data of Ethereum.
    RawEth = "raw-eth",
    /// A block header.
    RawBlock = "raw-block",
    /// A deal proposal, or the CID of a signed one.
    RawDeal = "raw-deal",
    /// A payment channel voucher.
    RawVoucher = "raw-voucher",
    /// An ask or a deal state, as market nodes sign them.
    RawMarket = "raw-market",
    /// An F3 vote.
    RawF3Vote = "raw-f3-vote",
    /// The VRF of an F3 ticket.
    RawF3Ticket = "raw-f3-ticket",
    /// A text or bytes in the envelope of FRC-0102: no transaction looks like it.
    RawFrc102 = "raw-frc102",
    /// A text or bytes in Ethereum's envelope for personal messages.
    RawEthText = "raw-eth-text",
    /// 32 bytes: the digest of a VRF draw, or of anything else.
    RawDigest32 = "raw-digest32",
    /// 16 bytes: the UUID of a deal.
    RawUuid = "raw-uuid",
    /// Plain text without an envelope.
    RawText = "raw-text",
    /// 16 or 32 bytes that are claimed to be a deal proposal.
    LegacyDealBytes = "legacy-deal-bytes",
    /// Any other bytes.
    RawOther = "raw-other",
}

impl PayloadClass {
    /// Whether the payload came as plain bytes.
    pub fn is_raw(self) -> bool {
        self >= Self::RawCid
    }
}

impl fmt::Display for PayloadClass {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_back_and_the_raw_ones_are_raw() {
        for class in PayloadClass::ALL {
            assert_eq!(PayloadClass::from_name(class.as_str()), Some(*class));
            let raw = class.as_str().starts_with("raw-") || *class == PayloadClass::LegacyDealBytes;
            assert_eq!(class.is_raw(), raw, "{class}");
        }
        assert_eq!(PayloadClass::from_name("nonsense"), None);
    }
}
