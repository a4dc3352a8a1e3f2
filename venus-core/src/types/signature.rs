//! Signatures of all three kinds.

use crate::cbor::{CborError, CborErrorKind as Kind, Decode, Encode, FieldContext, Reader, Writer};
use crate::json::{LotusJson, lotus_json};

/// Longest signature in bytes, type byte included (go-state-types `SignatureMaxLength`).
const MAX_SIGNATURE: u64 = 200;

/// The algorithm of a signature.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum SignatureType {
    /// ECDSA over secp256k1 with a recovery byte, digest blake2b-256. Signers are `f1` addresses.
    Secp256k1 = 1,
    /// BLS12-381, public keys in G1. Signers are `f3` addresses.
    Bls = 2,
    /// ECDSA over secp256k1 with a recovery byte, digest keccak-256 (FIP-0055). Signers are `f4` addresses.
    Delegated = 3,
}

impl TryFrom<u8> for SignatureType {
    type Error = u8;

    fn try_from(byte: u8) -> Result<Self, u8> {
        match byte {
            1 => Ok(Self::Secp256k1),
            2 => Ok(Self::Bls),
            3 => Ok(Self::Delegated),
            other => Err(other),
        }
    }
}

impl LotusJson for SignatureType {
    fn write<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u8(*self as u8)
    }

    fn read<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let byte = <u8 as serde::Deserialize>::deserialize(deserializer)?;
        Self::try_from(byte).map_err(|b| {
            serde::de::Error::custom(format_args!("{b} is no signature type, expected 1, 2 or 3"))
        })
    }
}

/// A signature and its algorithm. CBOR is one byte string: the type byte, then the data.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Signature {
    /// The algorithm.
    pub sig_type: SignatureType,
    /// 65 bytes for secp256k1 and delegated signatures (66 or 67 for legacy Ethereum ones), 96 for BLS.
    pub data: Vec<u8>,
}

lotus_json!(Signature { sig_type: "Type", data: "Data" });

impl Signature {
    /// A BLS signature.
    pub fn bls(data: impl Into<Vec<u8>>) -> Self {
        Self { sig_type: SignatureType::Bls, data: data.into() }
    }

    /// A secp256k1 signature.
    pub fn secp256k1(data: impl Into<Vec<u8>>) -> Self {
        Self { sig_type: SignatureType::Secp256k1, data: data.into() }
    }

    /// A delegated signature.
    pub fn delegated(data: impl Into<Vec<u8>>) -> Self {
        Self { sig_type: SignatureType::Delegated, data: data.into() }
    }
}

impl Encode for Signature {
    fn encode(&self, w: &mut Writer) {
        w.bytes2(&[self.sig_type as u8], &self.data);
    }
}

impl Decode for Signature {
    fn decode(r: &mut Reader<'_>) -> Result<Self, CborError> {
        let start = r.offset();
        let invalid = |reason| Err(CborError::new(start, Kind::Invalid(reason)));
        let bytes = r.bytes_up_to(MAX_SIGNATURE).in_field("Signature")?;
        let Some((&kind, data)) = bytes.split_first() else {
            return invalid("empty").in_field("Signature");
        };
        let Ok(sig_type) = SignatureType::try_from(kind) else {
            return invalid("type is not 1, 2 or 3").in_field("Signature");
        };
        Ok(Self { sig_type, data: data.to_vec() })
    }
}
