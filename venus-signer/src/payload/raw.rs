//! What plain bytes turn out to be.
//!
//! A signature over plain bytes is a signature over whatever they mean elsewhere: 38 bytes that are the CID of a
//! message authorise the message. So the dangerous readings are tried first, and whoever is in doubt gets them.

use sha2::{Digest, Sha256};
use venus_core::cbor::Decode;
use venus_core::types::{
    BlockHeader, Cid, DealProposal, DealResponse, MsgType, Protocol, ProviderDealState, SignedVoucher,
    StorageAsk,
};

use super::PayloadClass;
use super::eth::{self, EthTransaction};
use super::f3::{self, F3Ticket, F3Vote};
use crate::frc0102;

/// How the CID of a chain object begins: version 1, DAG-CBOR, blake2b-256, 32 bytes.
pub(super) const CHAIN_CID: [u8; 6] = [1, 0x71, 0xa0, 0xe4, 0x02, 0x20];
/// How the CID of a signed deal proposal begins in deal protocols: version 1, DAG-CBOR, SHA-256, 32 bytes.
const DEAL_CID: [u8; 4] = [1, 0x71, 0x12, 0x20];
/// CBOR head of a list of 16: only block headers have so many.
const LIST_16: u8 = 0x90;
/// No header is shorter: it has five links.
const MIN_HEADER: usize = 128;

/// What bytes without a type are.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum RawClass {
    /// The CID of a chain object, hence of any message: who signs it signs the message.
    MessageCid(Cid),
    /// What an Ethereum key signs: a transaction, or typed data.
    Eth(EthTransaction),
    /// A block header; `None` if it looks like one and cannot be read.
    Block(Option<Box<BlockHeader>>),
    /// A deal proposal, or the CID of a signed one.
    Deal(Option<Box<DealProposal>>),
    /// A payment channel voucher.
    Voucher(Box<SignedVoucher>),
    /// An ask, a deal response or a deal state.
    Market,
    /// An F3 vote.
    F3Vote(Box<F3Vote>),
    /// The input of an F3 ticket's VRF.
    F3Ticket(F3Ticket),
    /// FRC-0102: the bytes inside the envelope.
    Frc102(Vec<u8>),
    /// The same by Ethereum's rules (`personal_sign`).
    EthText(Vec<u8>),
    /// 32 bytes: the digest of a VRF draw as Lotus sends it, or of anything else.
    Digest32,
    /// 16 bytes.
    Uuid,
    /// Printable text.
    Text,
    /// 16 or 32 bytes that are claimed to be a deal proposal.
    LegacyDealBytes,
    /// Anything else.
    Other {
        /// It is claimed to be a payload of F3, or begins as one, and is none.
        malformed_f3: bool,
    },
}

impl RawClass {
    /// The class that policy decides about.
    pub fn payload_class(&self) -> PayloadClass {
        match self {
            Self::MessageCid(_) => PayloadClass::RawCid,
            Self::Eth(_) => PayloadClass::RawEth,
            Self::Block(_) => PayloadClass::RawBlock,
            Self::Deal(_) => PayloadClass::RawDeal,
            Self::Voucher(_) => PayloadClass::RawVoucher,
            Self::Market => PayloadClass::RawMarket,
            Self::F3Vote(_) => PayloadClass::RawF3Vote,
            Self::F3Ticket(_) => PayloadClass::RawF3Ticket,
            Self::Frc102(_) => PayloadClass::RawFrc102,
            Self::EthText(_) => PayloadClass::RawEthText,
            Self::Digest32 => PayloadClass::RawDigest32,
            Self::Uuid => PayloadClass::RawUuid,
            Self::Text => PayloadClass::RawText,
            Self::LegacyDealBytes => PayloadClass::LegacyDealBytes,
            Self::Other { .. } => PayloadClass::RawOther,
        }
    }
}

/// Classifies bytes that a key of this kind is to sign under `unknown` or `f3`.
pub(super) fn classify(bytes: &[u8], claimed: MsgType, signer: Protocol) -> RawClass {
    let malformed_f3 = claimed == MsgType::F3 || f3::begins_as_f3(bytes);
    cid_of_object(bytes)
        .or_else(|| f3::vote(bytes).map(|vote| RawClass::F3Vote(Box::new(vote))))
        .or_else(|| f3::ticket(bytes).map(RawClass::F3Ticket))
        .or_else(|| frc0102::unwrap(bytes).map(|inner| RawClass::Frc102(inner.to_vec())))
        .or_else(|| frc0102::unwrap_ethereum(bytes).map(|inner| RawClass::EthText(inner.to_vec())))
        .or_else(|| ethereum(bytes, signer))
        .or_else(|| chain_object(bytes))
        .unwrap_or_else(|| if malformed_f3 { RawClass::Other { malformed_f3 } } else { plain(bytes) })
}

fn cid_of_object(bytes: &[u8]) -> Option<RawClass> {
    match bytes.len() {
        38 if bytes.starts_with(&CHAIN_CID) => Cid::try_from(bytes).ok().map(RawClass::MessageCid),
        36 if bytes.starts_with(&DEAL_CID) => Some(RawClass::Deal(None)),
        _ => None,
    }
}

/// A BLS signature means nothing to Ethereum, and one VRF digest in some millions looks like a transaction.
fn ethereum(bytes: &[u8], signer: Protocol) -> Option<RawClass> {
    if signer == Protocol::BLS { None } else { eth::transaction(bytes).map(RawClass::Eth) }
}

fn chain_object(bytes: &[u8]) -> Option<RawClass> {
    match *bytes.first()? {
        LIST_16 => {
            let header = BlockHeader::from_cbor(bytes).ok().map(Box::new);
            (header.is_some() || bytes.len() >= MIN_HEADER).then_some(RawClass::Block(header))
        }
        0x8b => {
            let voucher = SignedVoucher::from_cbor(bytes).ok().map(|v| RawClass::Voucher(Box::new(v)));
            voucher.or_else(|| decoded(bytes).map(|deal| RawClass::Deal(Some(deal))))
        }
        0x88 | 0xa4 | 0xa8 => is_market(bytes).then_some(RawClass::Market),
        _ => None,
    }
}

fn decoded(bytes: &[u8]) -> Option<Box<DealProposal>> {
    DealProposal::from_cbor(bytes).ok().map(Box::new)
}

fn is_market(bytes: &[u8]) -> bool {
    StorageAsk::from_cbor(bytes).is_ok()
        || StorageAsk::from_tuple(bytes).is_ok()
        || DealResponse::from_cbor(bytes).is_ok()
        || ProviderDealState::from_cbor(bytes).is_ok()
}

fn plain(bytes: &[u8]) -> RawClass {
    let text = !bytes.is_empty()
        && std::str::from_utf8(bytes)
            .is_ok_and(|text| text.chars().all(|c| !c.is_control() || matches!(c, '\n' | '\r' | '\t')));
    match bytes.len() {
        32 => RawClass::Digest32,
        _ if text => RawClass::Text,
        16 => RawClass::Uuid,
        _ => RawClass::Other { malformed_f3: false },
    }
}

/// The bytes of a CID over SHA-256: deal protocols know a signed proposal by it.
pub(super) fn sha256_cid_bytes(cbor: &[u8]) -> Vec<u8> {
    [&DEAL_CID[..], &Sha256::digest(cbor)].concat()
}
