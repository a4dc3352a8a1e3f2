//! Chain messages, unsigned and signed.

use cid::Cid;
use fvm_shared::econ::TokenAmount;
use fvm_shared::message::Message;
use serde::ser::SerializeMap;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::{Signature, SignatureType, cid_of};
use crate::cbor::{
    CborError, CborErrorKind as Kind, Decode, Encode, FieldContext, Reader, Writer, cbor_tuple,
};
use crate::error::{Classify, ErrorKind};
use crate::json::{Face, Json, JsonRef, LotusJson, current_face, lotus_json};

/// Largest signed message that a mempool takes, in bytes of CBOR.
const MAX_SIGNED_SIZE: usize = 64 << 10;
/// Gas of a whole block, the most that one message may ask for.
const BLOCK_GAS_LIMIT: u64 = 10_000_000_000;
/// All FIL there can be.
const TOTAL_FIL: i64 = 2_000_000_000;

/// What can make a message unfit for any block.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum MessageError {
    /// A field is outside its range.
    #[error("message {field}: {reason}")]
    Field {
        /// Name of the field as on the wire.
        field: &'static str,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// More than 64 KiB.
    #[error("message has {0} bytes, the limit is {MAX_SIGNED_SIZE}")]
    TooBig(usize),
}

impl Classify for MessageError {
    fn kind(&self) -> ErrorKind {
        ErrorKind::Invalid
    }
}

/// What `fvm_shared`'s [`Message`] lacks.
pub trait MessageExt {
    /// The CID of the unsigned message. Its 38 bytes are what secp256k1 and BLS keys sign.
    fn cid(&self) -> Cid;

    /// The most that gas can cost: fee cap × gas limit, in attoFIL.
    fn gas_cost(&self) -> TokenAmount;

    /// What the sender must own: value plus [`MessageExt::gas_cost`], in attoFIL.
    fn required_funds(&self) -> TokenAmount;

    /// Checks what every block demands of its messages, whatever the state (Lotus `ValidForBlockInclusion`):
    /// version 0, a recipient that can exist, value and fees in range, gas within a block.
    ///
    /// # Errors
    /// [`MessageError`] naming the first field that is wrong.
    fn check_for_block(&self, min_gas: u64) -> Result<(), MessageError>;
}

impl MessageExt for Message {
    fn cid(&self) -> Cid {
        cid_of(self)
    }

    fn gas_cost(&self) -> TokenAmount {
        &self.gas_fee_cap * self.gas_limit
    }

    fn required_funds(&self) -> TokenAmount {
        &self.value + self.gas_cost()
    }

    fn check_for_block(&self, min_gas: u64) -> Result<(), MessageError> {
        let rules: [(bool, &'static str, &'static str); 9] = [
            (self.version != 0, "Version", "must be 0"),
            (self.to.is_bls_zero_address(), "To", "is the zero BLS address"),
            (self.value.is_negative(), "Value", "must not be negative"),
            (self.value > TokenAmount::from_whole(TOTAL_FIL), "Value", "exceeds all FIL there is"),
            (self.gas_fee_cap.is_negative(), "GasFeeCap", "must not be negative"),
            (self.gas_premium.is_negative(), "GasPremium", "must not be negative"),
            (self.gas_premium > self.gas_fee_cap, "GasPremium", "exceeds GasFeeCap"),
            (self.gas_limit > BLOCK_GAS_LIMIT, "GasLimit", "exceeds the gas limit of a block"),
            (self.gas_limit < min_gas, "GasLimit", "does not cover the cost of inclusion"),
        ];
        match rules.into_iter().find(|(broken, ..)| *broken) {
            Some((_, field, reason)) => Err(MessageError::Field { field, reason }),
            None => Ok(()),
        }
    }
}

impl Encode for Message {
    fn encode(&self, w: &mut Writer) {
        w.array(10);
        w.uint(self.version);
        self.to.encode(w);
        self.from.encode(w);
        w.uint(self.sequence);
        self.value.encode(w);
        w.uint(self.gas_limit);
        self.gas_fee_cap.encode(w);
        self.gas_premium.encode(w);
        w.uint(self.method_num);
        self.params.encode(w);
    }
}

impl Decode for Message {
    fn decode(r: &mut Reader<'_>) -> Result<Self, CborError> {
        decode_message(r).in_field("Message")
    }
}

fn decode_message(r: &mut Reader<'_>) -> Result<Message, CborError> {
    r.tuple(10)?;
    Ok(Message {
        version: r.uint().in_field("Version")?,
        to: Decode::decode(r).in_field("To")?,
        from: Decode::decode(r).in_field("From")?,
        sequence: r.uint().in_field("Nonce")?,
        value: Decode::decode(r).in_field("Value")?,
        gas_limit: decode_gas_limit(r).in_field("GasLimit")?,
        gas_fee_cap: Decode::decode(r).in_field("GasFeeCap")?,
        gas_premium: Decode::decode(r).in_field("GasPremium")?,
        method_num: r.uint().in_field("Method")?,
        params: Decode::decode(r).in_field("Params")?,
    })
}

/// Gas is a signed 64-bit integer on the wire, and never negative.
fn decode_gas_limit(r: &mut Reader<'_>) -> Result<u64, CborError> {
    let start = r.offset();
    u64::try_from(r.int()?).map_err(|_| CborError::new(start, Kind::Invalid("negative")))
}

/// [`Message`] with the names of the wire, for the JSON table.
struct Wire {
    version: u64,
    to: fvm_shared::address::Address,
    from: fvm_shared::address::Address,
    nonce: u64,
    value: TokenAmount,
    gas_limit: i64,
    gas_fee_cap: TokenAmount,
    gas_premium: TokenAmount,
    method: u64,
    params: Vec<u8>,
}

lotus_json!(@read Wire {
    version: "Version",
    to: "To",
    from: "From",
    nonce: "Nonce",
    value: "Value",
    gas_limit: "GasLimit",
    gas_fee_cap: "GasFeeCap",
    gas_premium: "GasPremium",
    method: "Method",
    params: "Params",
});

impl From<Wire> for Message {
    fn from(w: Wire) -> Self {
        Self {
            version: w.version,
            to: w.to,
            from: w.from,
            sequence: w.nonce,
            value: w.value,
            gas_limit: u64::try_from(w.gas_limit).unwrap_or_default(),
            gas_fee_cap: w.gas_fee_cap,
            gas_premium: w.gas_premium,
            method_num: w.method,
            params: w.params.into(),
        }
    }
}

/// Writes the derived `CID` last as Lotus does, or first as Venus does, and ignores it when reading.
impl LotusJson for Message {
    fn write<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(11))?;
        let cid = Json(self.cid());
        if current_face() == Face::Venus {
            map.serialize_entry("CID", &cid)?;
        }
        map.serialize_entry("Version", &self.version)?;
        map.serialize_entry("To", &JsonRef(&self.to))?;
        map.serialize_entry("From", &JsonRef(&self.from))?;
        map.serialize_entry("Nonce", &self.sequence)?;
        map.serialize_entry("Value", &JsonRef(&self.value))?;
        map.serialize_entry("GasLimit", &self.gas_limit)?;
        map.serialize_entry("GasFeeCap", &JsonRef(&self.gas_fee_cap))?;
        map.serialize_entry("GasPremium", &JsonRef(&self.gas_premium))?;
        map.serialize_entry("Method", &self.method_num)?;
        map.serialize_entry("Params", &JsonRef(&self.params))?;
        if current_face() == Face::Lotus {
            map.serialize_entry("CID", &cid)?;
        }
        map.end()
    }

    fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let wire = Wire::deserialize(deserializer)?;
        if wire.gas_limit < 0 {
            return Err(serde::de::Error::custom("GasLimit: negative"));
        }
        Ok(wire.into())
    }
}

/// A message and the signature of its sender.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct SignedMessage {
    /// What was signed.
    pub message: Message,
    /// The sender's signature.
    pub signature: Signature,
}

cbor_tuple!(SignedMessage { message: "Message", signature: "Signature" });
lotus_json!(@read SignedMessage { message: "Message", signature: "Signature" });
lotus_json!(@delegate SignedMessage);

impl SignedMessage {
    /// The CID under which the chain knows the message: that of the unsigned message for BLS, whose
    /// signatures are aggregated away, and that of the signed message otherwise.
    pub fn cid(&self) -> Cid {
        match self.signature.sig_type {
            SignatureType::Bls => self.message.cid(),
            SignatureType::Secp256k1 | SignatureType::Delegated => cid_of(self),
        }
    }

    /// The bytes that travel in a block: the unsigned message for BLS, the signed one otherwise. Gas of
    /// inclusion is charged for their length.
    pub fn chain_bytes(&self) -> Vec<u8> {
        match self.signature.sig_type {
            SignatureType::Bls => self.message.to_cbor(),
            SignatureType::Secp256k1 | SignatureType::Delegated => self.to_cbor(),
        }
    }

    /// Refuses a message that no mempool takes for its size.
    ///
    /// # Errors
    /// [`MessageError::TooBig`].
    pub fn check_size(&self) -> Result<(), MessageError> {
        match self.to_cbor().len() {
            n if n > MAX_SIGNED_SIZE => Err(MessageError::TooBig(n)),
            _ => Ok(()),
        }
    }
}

/// Writes the derived outer `CID` last, as Lotus and Venus do.
impl Serialize for SignedMessage {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(3))?;
        map.serialize_entry("Message", &JsonRef(&self.message))?;
        map.serialize_entry("Signature", &self.signature)?;
        map.serialize_entry("CID", &Json(self.cid()))?;
        map.end()
    }
}
