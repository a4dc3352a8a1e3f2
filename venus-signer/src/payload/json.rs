//! Payloads for people, filters and records.

use data_encoding::{BASE64, HEXLOWER};
use serde::ser::{Serialize, SerializeMap, Serializer};
use serde_json::{Value, json};
use venus_core::cbor::{CborError, Decode, Encode, Writer};
use venus_core::json::{Face, JsonRef, LotusJson, with_face};
use venus_core::types::{
    AskResponse, BlockHeader, ClientDealProposal, DealProposal, DealResponse, DrawRandomParams, Message,
    MsgType, ProviderDealState, SignedVoucher, StorageAsk,
};

use super::Payload;

/// The `Data` of Go's sign filter, members in Go's order: objects as Lotus-JSON, a message with its CID first, bytes
/// as base64.
impl Serialize for Payload {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Message(message) => {
                with_face(Face::Venus, || JsonRef(message.message()).serialize(serializer))
            }
            Self::Block(header) => header.serialize(serializer),
            Self::Draw(params) => params.serialize(serializer),
            Self::Deal(proposal) => proposal.serialize(serializer),
            Self::ClientDeal(deal) => deal.serialize(serializer),
            Self::Voucher(voucher) => write_voucher(voucher, serializer),
            Self::StorageAsk(ask) => ask.serialize(serializer),
            Self::AskResponse(response) => response.serialize(serializer),
            Self::NetworkResponse(response) => response.serialize(serializer),
            Self::DealState(state) => state.serialize(serializer),
            Self::Challenge(digest) => serializer.serialize_str(&BASE64.encode(digest)),
            Self::Raw { bytes, .. } => serializer.serialize_str(&BASE64.encode(bytes)),
        }
    }
}

/// Go's wallet knows vouchers as they were before `SecretPreimage` became `SecretHash`.
fn write_voucher<S: Serializer>(voucher: &SignedVoucher, serializer: S) -> Result<S::Ok, S::Error> {
    let mut map = serializer.serialize_map(Some(11))?;
    map.serialize_entry("ChannelAddr", &JsonRef(&voucher.channel))?;
    map.serialize_entry("TimeLockMin", &voucher.time_lock_min)?;
    map.serialize_entry("TimeLockMax", &voucher.time_lock_max)?;
    map.serialize_entry("SecretPreimage", &JsonRef(&voucher.secret_hash))?;
    map.serialize_entry("Extra", &voucher.extra)?;
    map.serialize_entry("Lane", &voucher.lane)?;
    map.serialize_entry("Nonce", &voucher.nonce)?;
    map.serialize_entry("Amount", &JsonRef(&voucher.amount))?;
    map.serialize_entry("MinSettleHeight", &voucher.min_settle_height)?;
    map.serialize_entry("Merges", &(!voucher.merges.is_empty()).then_some(&voucher.merges))?;
    map.serialize_entry("Signature", &voucher.signature)?;
    map.end()
}

impl Payload {
    /// The payload as JSON, for filters and logs. Members are sorted; serialise the payload itself for Go's order.
    pub fn json(&self) -> Value {
        serde_json::to_value(self).unwrap_or_default()
    }

    /// What Go's wallet keeps of a request in `sign_record.raw_msg`: the object's CBOR, bytes as a CBOR byte string.
    pub fn record_bytes(&self) -> Vec<u8> {
        match self {
            Self::Message(message) => message.message().to_cbor(),
            Self::Block(header) => header.to_cbor(),
            Self::Draw(params) => params.to_cbor(),
            Self::Deal(proposal) => proposal.to_cbor(),
            Self::ClientDeal(deal) => deal.to_cbor(),
            Self::Voucher(voucher) => voucher.to_cbor(),
            Self::StorageAsk(ask) => ask.to_cbor(),
            Self::AskResponse(response) => response.to_cbor(),
            Self::NetworkResponse(response) => response.to_cbor(),
            Self::DealState(state) => state.to_cbor(),
            Self::Challenge(digest) => byte_string(digest),
            Self::Raw { bytes, .. } => byte_string(bytes),
        }
    }

    /// The `Detail` of a record: the object that `raw_msg` holds as [`Payload::json`] writes it, or `{"Hex": …}` of
    /// `raw_msg` for bytes and for whatever cannot be read. Never fails, whoever wrote the record.
    pub fn from_record(msg_type: MsgType, raw_msg: &[u8]) -> Value {
        let object = match msg_type {
            MsgType::ChainMessage => message(raw_msg),
            MsgType::Block => object::<BlockHeader>(raw_msg),
            MsgType::DrawRandomParam => object::<DrawRandomParams>(raw_msg),
            MsgType::DealProposal => object::<DealProposal>(raw_msg),
            MsgType::ClientDeal => object::<ClientDealProposal>(raw_msg),
            MsgType::SignedVoucher => voucher(raw_msg),
            MsgType::StorageAsk => object::<StorageAsk>(raw_msg),
            MsgType::AskResponse => object::<AskResponse>(raw_msg),
            MsgType::NetworkResponse => object::<DealResponse>(raw_msg),
            MsgType::ProviderDealState => object::<ProviderDealState>(raw_msg),
            _ => None,
        };
        object.unwrap_or_else(|| json!({ "Hex": HEXLOWER.encode(raw_msg) }))
    }
}

fn object<T: Decode + LotusJson>(raw_msg: &[u8]) -> Option<Value> {
    let value = T::from_cbor(raw_msg).ok()?;
    serde_json::to_value(JsonRef(&value)).ok()
}

fn message(raw_msg: &[u8]) -> Option<Value> {
    with_face(Face::Venus, || object::<Message>(raw_msg))
}

fn voucher(raw_msg: &[u8]) -> Option<Value> {
    let read: Result<SignedVoucher, CborError> = Decode::from_cbor(raw_msg);
    read.ok().map(|voucher| Payload::Voucher(Box::new(voucher)).json())
}

fn byte_string(bytes: &[u8]) -> Vec<u8> {
    let mut w = Writer::with_capacity(bytes.len() + 5);
    w.bytes(bytes);
    w.into_vec()
}
