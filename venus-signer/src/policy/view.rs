//! What a policy sees of a payload.

use venus_core::types::{Message, MsgType};

use crate::payload::Payload;

/// What a payload is, whatever it was called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(dead_code)]
pub enum PayloadClass {
    Message, Block, Draw, DealProposal, ClientDeal, Voucher, StorageAsk, AskResponse, NetworkResponse,
    ProviderDealState, VerifyAddress, RawCid, RawEth, RawBlock, RawF3Vote, RawF3Ticket, RawFrc102, RawDigest32,
    RawOther, LegacyDealBytes,
}

pub(crate) fn class(payload: &Payload) -> PayloadClass {
    match payload {
        Payload::Message(_) => PayloadClass::Message,
        Payload::Block(_) => PayloadClass::Block,
        Payload::Draw(_) => PayloadClass::Draw,
    }
}

pub(crate) fn msg_type(payload: &Payload) -> MsgType {
    match payload {
        Payload::Message(_) => MsgType::ChainMessage,
        Payload::Block(_) => MsgType::Block,
        Payload::Draw(_) => MsgType::DrawRandomParam,
    }
}

pub(crate) fn message(payload: &Payload) -> Option<&Message> {
    match payload {
        Payload::Message(message) => Some(message),
        _ => None,
    }
}
