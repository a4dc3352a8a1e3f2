//! From a typed payload to the bytes that are signed.
//!
//! | kind | read from | bytes that are signed |
//! |---|---|---|
//! | `message` | `extra`: CBOR of the message | the 38 bytes of its CID; of an `f4` sender its EIP-1559 transaction. `to_sign` must be the same |
//! | `block` | `to_sign`: CBOR of the header | CBOR of the header with a null signature |
//! | `drawrandomparam` | `to_sign`: CBOR map of the draw | the 32-byte digest of the draw |
//! | `dealproposal`, `storageask`, `networkresposne`, `providerdealstate` | `to_sign`: its CBOR | the same |
//! | `clientdeal` | `to_sign`: CBOR of the signed proposal | the 36 bytes of its CID over SHA-256 |
//! | `signedvoucher` | `to_sign`: CBOR of the voucher | CBOR of the voucher with a null signature |
//! | `askresponse` | `to_sign`: CBOR of the response | the ask as the list of protocol 1.0.1 |
//! | `verifyaddress` | `extra`: the gateway's random bytes | SHA-256 of them and of the session's; `to_sign` must be the same |
//! | `unknown`, `f3` | `to_sign` | the same, classified by what it turns out to be: [`RawClass`] |
//!
//! What has a type is never passed through: the bytes are those of the decoded object. Which key may sign what is no
//! question of reading; policy answers it, by [`Payload::class`].

mod class;
mod eth;
mod f3;
mod go_text;
mod json;
mod message;
mod raw;
mod read;

use std::borrow::Cow;

use venus_core::api::SignerError;
use venus_core::cbor::Encode;
use venus_core::types::{
    AskResponse, BlockHeader, ClientDealProposal, DealProposal, DealResponse, DrawRandomParams, Message,
    MsgType, Protocol, ProviderDealState, SignedVoucher, StorageAsk,
};

use crate::request::SignRequest;

pub use class::PayloadClass;
pub use eth::{EthKind, EthTransaction};
pub use f3::{F3Ticket, F3Vote};
pub use go_text::go_text;
pub use message::MessageToSign;
pub use raw::RawClass;

/// The network that signatures are made for, where that enters the signed bytes, and what old callers are granted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SigningNetwork {
    /// The chain ID in transactions of `f4` senders: 314 on mainnet.
    pub chain_id: u64,
    /// The network's name in F3 payloads, as `filecoin`; `None` accepts any.
    pub f3_name: Option<String>,
    /// Compatibility, off: an `f4` sender may also sign the CID of a message, as Go wallets do. No chain takes such a
    /// signature.
    pub cid_for_delegated: bool,
    /// Compatibility, off: 16 or 32 bytes that are claimed to be a deal proposal are read as
    /// [`RawClass::LegacyDealBytes`]. Boost and Curio sign deal UUIDs and mk20 digests so.
    pub legacy_deal_bytes: bool,
}

impl Default for SigningNetwork {
    fn default() -> Self {
        Self { chain_id: 314, f3_name: None, cid_for_delegated: false, legacy_deal_bytes: false }
    }
}

/// Something that may be signed, read and checked.
///
/// ```
/// use venus_core::types::{Address, MsgMeta, MsgType};
/// use venus_signer::{Caller, Payload, PayloadClass, SignRequest, SigningNetwork};
///
/// // 38 bytes that are the CID of a message authorise it, whatever they are called.
/// let to_sign = [&[1, 0x71, 0xa0, 0xe4, 2, 0x20][..], &[7; 32]].concat();
/// let (caller, meta) = (Caller::embedded(), MsgMeta::of(MsgType::Unknown));
/// let signer = Address::new_secp256k1(&[4; 65])?;
/// let request = SignRequest { signer, to_sign: &to_sign, meta: &meta, caller: &caller };
/// let payload = Payload::read(&request, &SigningNetwork::default())?;
/// assert_eq!(payload.class(), PayloadClass::RawCid);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Payload {
    /// A chain message.
    Message(Box<MessageToSign>),
    /// A block header; its own signature is ignored.
    Block(Box<BlockHeader>),
    /// A VRF draw.
    Draw(DrawRandomParams),
    /// A deal proposal.
    Deal(Box<DealProposal>),
    /// A deal proposal that the client has signed.
    ClientDeal(Box<ClientDealProposal>),
    /// A payment channel voucher; its own signature is ignored.
    Voucher(Box<SignedVoucher>),
    /// A provider's conditions.
    StorageAsk(Box<StorageAsk>),
    /// The answer to an ask query.
    AskResponse(Box<AskResponse>),
    /// A provider's answer to a deal proposal.
    NetworkResponse(Box<DealResponse>),
    /// Where a provider stands with a deal.
    DealState(Box<ProviderDealState>),
    /// The digest by which a wallet proves to a gateway that it owns a key.
    Challenge([u8; 32]),
    /// Bytes without a type, signed as they are.
    Raw {
        /// What the caller says they are: unknown, F3, or a deal proposal ([`RawClass::LegacyDealBytes`]).
        msg_type: MsgType,
        /// What they turn out to be.
        class: RawClass,
        /// The bytes.
        bytes: Vec<u8>,
    },
}

impl Payload {
    /// Reads the payload of a request and checks that it is consistent.
    ///
    /// # Errors
    /// * [`SignerError::Unsupported`] for a request without a kind,
    /// * [`SignerError::BadPayload`] for bytes that are not what they should be,
    /// * [`SignerError::Mismatch`] when `to_sign` is not what the message demands,
    /// * [`SignerError::KeyNotFound`] when the signer is an ID or an actor, which have no keys.
    ///
    /// None of them goes away by repeating.
    pub fn read(request: &SignRequest<'_>, network: &SigningNetwork) -> Result<Self, SignerError> {
        let payload = read::read(request, network)?;
        match request.signer.protocol() {
            Protocol::BLS | Protocol::Secp256k1 | Protocol::Delegated => Ok(payload),
            Protocol::ID | Protocol::Actor => Err(SignerError::KeyNotFound(request.signer)),
        }
    }

    /// The bytes that the key signs, computed from the payload alone.
    pub fn signing_bytes(&self) -> Vec<u8> {
        self.bytes_to_sign().into_owned()
    }

    /// [`Payload::signing_bytes`], without a copy where they are there.
    pub(crate) fn bytes_to_sign(&self) -> Cow<'_, [u8]> {
        Cow::Owned(match self {
            Self::Message(message) => return Cow::Borrowed(message.signing_bytes()),
            Self::Challenge(digest) => return Cow::Borrowed(digest),
            Self::Raw { bytes, .. } => return Cow::Borrowed(bytes),
            Self::Block(header) => header.signing_bytes(),
            Self::Draw(params) => params.digest().to_vec(),
            Self::Deal(proposal) => proposal.to_cbor(),
            Self::ClientDeal(deal) => raw::sha256_cid_bytes(&deal.to_cbor()),
            Self::Voucher(voucher) => voucher.signing_bytes(),
            Self::StorageAsk(ask) => ask.to_cbor(),
            Self::AskResponse(response) => response.ask.ask.to_tuple(),
            Self::NetworkResponse(response) => response.to_cbor(),
            Self::DealState(state) => state.to_cbor(),
        })
    }

    /// The kind that the caller claimed.
    pub fn msg_type(&self) -> MsgType {
        match self {
            Self::Message(_) => MsgType::ChainMessage,
            Self::Block(_) => MsgType::Block,
            Self::Draw(_) => MsgType::DrawRandomParam,
            Self::Deal(_) => MsgType::DealProposal,
            Self::ClientDeal(_) => MsgType::ClientDeal,
            Self::Voucher(_) => MsgType::SignedVoucher,
            Self::StorageAsk(_) => MsgType::StorageAsk,
            Self::AskResponse(_) => MsgType::AskResponse,
            Self::NetworkResponse(_) => MsgType::NetworkResponse,
            Self::DealState(_) => MsgType::ProviderDealState,
            Self::Challenge(_) => MsgType::VerifyAddress,
            Self::Raw { msg_type, .. } => *msg_type,
        }
    }

    /// What the payload is, whatever the caller claimed: the class that policy decides about.
    pub fn class(&self) -> PayloadClass {
        match self {
            Self::Message(_) => PayloadClass::Message,
            Self::Block(_) => PayloadClass::Block,
            Self::Draw(_) => PayloadClass::Draw,
            Self::Deal(_) => PayloadClass::Deal,
            Self::ClientDeal(_) => PayloadClass::ClientDeal,
            Self::Voucher(_) => PayloadClass::Voucher,
            Self::StorageAsk(_) => PayloadClass::StorageAsk,
            Self::AskResponse(_) => PayloadClass::AskResponse,
            Self::NetworkResponse(_) => PayloadClass::NetworkResponse,
            Self::DealState(_) => PayloadClass::DealState,
            Self::Challenge(_) => PayloadClass::Challenge,
            Self::Raw { class, .. } => class.payload_class(),
        }
    }

    /// The chain message, if it is one with a type.
    pub fn message(&self) -> Option<&Message> {
        match self {
            Self::Message(message) => Some(message),
            _ => None,
        }
    }

    /// The block header, also one that came without a type: its signature counts on chain all the same.
    pub fn block(&self) -> Option<&BlockHeader> {
        match self {
            Self::Block(header) | Self::Raw { class: RawClass::Block(Some(header)), .. } => Some(header),
            _ => None,
        }
    }

    /// The F3 vote, under whichever kind it came.
    pub fn f3_vote(&self) -> Option<&F3Vote> {
        match self {
            Self::Raw { class: RawClass::F3Vote(vote), .. } => Some(vote),
            _ => None,
        }
    }

    /// The voucher, also one that came without a type.
    pub fn voucher(&self) -> Option<&SignedVoucher> {
        match self {
            Self::Voucher(voucher) | Self::Raw { class: RawClass::Voucher(voucher), .. } => Some(voucher),
            _ => None,
        }
    }

    /// The deal proposal, also one that came without a type or with the client's signature.
    pub fn deal(&self) -> Option<&DealProposal> {
        match self {
            Self::Deal(deal) | Self::Raw { class: RawClass::Deal(Some(deal)), .. } => Some(deal),
            Self::ClientDeal(deal) => Some(&deal.proposal),
            _ => None,
        }
    }
}
