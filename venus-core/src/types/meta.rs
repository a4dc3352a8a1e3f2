//! What a caller says about the bytes that it wants signed.

use serde::{Deserialize, Deserializer, Serializer};

use crate::json::{LotusJson, lotus_json};

macro_rules! msg_types {
    ($($(#[$doc:meta])* $variant:ident = $name:literal),+ $(,)?) => {
        /// The kind of object behind the bytes to sign. Texts on the wire are fixed, the misspelt one included.
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[non_exhaustive]
        pub enum MsgType {
            /// Nothing was said (`""`). No signer signs it.
            #[default]
            Undefined,
            $($(#[$doc])* $variant),+
        }

        impl MsgType {
            /// All kinds that have a name.
            pub const ALL: &[Self] = &[$(Self::$variant),+];

            /// The text on the wire.
            pub fn as_str(self) -> &'static str {
                match self {
                    Self::Undefined => "",
                    $(Self::$variant => $name),+
                }
            }

            /// Reads the text on the wire.
            pub fn from_name(name: &str) -> Option<Self> {
                match name {
                    "" => Some(Self::Undefined),
                    $($name => Some(Self::$variant),)+
                    _ => None,
                }
            }
        }
    };
}

msg_types! {
    /// Bytes of unknown meaning. A strict signer refuses them.
    Unknown = "unknown",
    /// A chain message; `extra` is its CBOR.
    ChainMessage = "message",
    /// A block header without its signature.
    Block = "block",
    /// A market deal proposal.
    DealProposal = "dealproposal",
    /// Parameters of a VRF draw, from which the signer computes the digest.
    DrawRandomParam = "drawrandomparam",
    /// A payment channel voucher.
    SignedVoucher = "signedvoucher",
    /// A storage ask.
    StorageAsk = "storageask",
    /// The answer to an ask query.
    AskResponse = "askresponse",
    /// A market network response; the misspelling is what every implementation sends.
    NetworkResponse = "networkresposne",
    /// A client's signed deal proposal.
    ClientDeal = "clientdeal",
    /// A provider's deal state.
    ProviderDealState = "providerdealstate",
    /// The challenge by which a gateway proves that a wallet owns a key.
    VerifyAddress = "verifyaddress",
    /// A payload of the F3 protocol.
    F3 = "f3",
}

impl std::fmt::Display for MsgType {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

impl LotusJson for MsgType {
    fn write<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }

    fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let name = String::deserialize(deserializer)?;
        Self::from_name(&name).ok_or_else(|| {
            let name: String = name.chars().take(32).collect();
            serde::de::Error::custom(format_args!("{name:?} is no message type"))
        })
    }

    fn absent() -> Option<Self> {
        Some(Self::Undefined)
    }
}

/// The metadata of a signing request.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MsgMeta {
    /// The kind of object.
    pub msg_type: MsgType,
    /// More about it: the message's CBOR for [`MsgType::ChainMessage`], empty for most others.
    pub extra: Vec<u8>,
}

lotus_json!(MsgMeta { msg_type: "Type", extra: "Extra" });

impl MsgMeta {
    /// Metadata of a kind that needs nothing more.
    pub fn of(msg_type: MsgType) -> Self {
        Self { msg_type, extra: Vec::new() }
    }

    /// Metadata of a chain message: the message itself, from which a signer recomputes what it signs.
    pub fn chain_message(message: &fvm_shared::message::Message) -> Self {
        Self { msg_type: MsgType::ChainMessage, extra: crate::cbor::Encode::to_cbor(message) }
    }
}
