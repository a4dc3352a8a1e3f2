//! The vocabulary: `fvm_shared`'s types where they fit, ours where it lacks them, under one path.
//!
//! | from `fvm_shared` and friends | ours |
//! |---|---|
//! | [`Address`], [`TokenAmount`], [`Message`], [`Cid`], [`BigInt`], [`ExitCode`], [`BitField`] | [`Signature`] (all three kinds), [`SignedMessage`], [`BlockHeader`], [`Ticket`], [`ElectionProof`], [`BeaconEntry`], [`Tipset`], [`TipsetKey`], [`Receipt`], [`MsgMeta`] |
//!
//! What a node tells of itself, of miners, sectors, deadlines, deals and gas has its types here, too. Parameters
//! of actor methods are in [`crate::actors`].
//!
//! Our types speak Lotus-JSON through serde and CBOR through [`crate::cbor`].

pub mod address;
mod amount;
mod ask;
pub(crate) mod base32;
mod bitfield;
mod block;
mod challenge;
pub(crate) mod cids;
mod deadline;
mod deal_protocol;
mod draw;
mod events;
mod f3;
mod gas;
pub mod gateway;
mod head;
mod header;
mod lookup;
mod market;
mod maybe;
mod mempool;
mod message;
mod meta;
mod miner;
mod mining;
mod network;
mod receipt;
mod sector;
mod selector;
mod signature;
mod state;
mod tipset;
mod voucher;

pub use cid::Cid;
pub use fvm_ipld_bitfield::BitField;
pub use fvm_ipld_encoding::RawBytes;
pub use fvm_shared::address::{Address, Network, Payload, Protocol};
pub use fvm_shared::clock::ChainEpoch;
pub use fvm_shared::econ::TokenAmount;
pub use fvm_shared::error::ExitCode;
pub use fvm_shared::message::Message;
pub use fvm_shared::{ActorID, METHOD_SEND, MethodNum};
pub use num_bigint::BigInt;

pub use amount::{AmountError, fil, parse_fil};
pub use ask::{AskResponse, SignedStorageAsk, StorageAsk};
pub use block::{BlockMessages, BlockMsg, ChainMessage, FullBlock};
pub use challenge::{ChallengeContext, ChallengeError, GatewayChallenge};
pub use cids::{DAG_CBOR, blake2b_cid, cid_of, cids_of};
pub use deadline::{Deadline, DeadlineInfo, Partition};
pub use deal_protocol::{DealResponse, ProviderDealState};
pub use draw::DrawRandomParams;
pub use events::{Event, EventEntry};
pub use f3::{F3Lease, F3Manifest, F3Participant, F3Progress};
pub use gas::{EstimateMessage, EstimateResult, MessageSendSpec};
pub use head::{HeadChangeKind, HeadChangeStep};
pub use header::{BeaconEntry, BlockHeader, ElectionProof, PostProof, Ticket};
pub use lookup::{MessageLookup, NetworkInfo};
pub use market::{
    Allocation, Claim, ClientDealProposal, DealCollateralBounds, DealLabel, DealProposal, DealState,
    MarketBalance, MarketDeal,
};
pub use maybe::MaybeAddress;
pub use mempool::{CheckStatusCode, MessageCheckStatus, MpoolChange, MpoolConfig, MpoolUpdate};
pub use message::{MessageError, MessageExt, SignedMessage};
pub use meta::{MsgMeta, MsgType};
pub use miner::{BeneficiaryTerm, MinerInfo, MinerPower, MinerSectors, PendingBeneficiaryChange, PowerClaim};
pub use mining::{BlockTemplate, ExtendedSectorInfo, MiningBaseInfo};
pub use network::{
    ActiveSync, AddrInfo, ForkUpgradeParams, NetworkParams, ProtocolParams, SectorSizeParams, SyncState,
    Version,
};
pub use receipt::{Receipt, ReceiptVersion};
pub use sector::{
    SectorExpiration, SectorInfo, SectorLocation, SectorOnChainInfo, SectorPreCommitInfo,
    SectorPreCommitOnChainInfo,
};
pub use selector::{TipsetAnchor, TipsetHeight, TipsetSelector, TipsetTag};
pub use signature::{Signature, SignatureType};
pub use state::{
    ActorInfo, ActorState, ActorTrace, ComputeStateOutput, ExecutionTrace, GasCost, GasTrace, InvocResult,
    IpldOp, MessageTrace, ReturnTrace,
};
pub use tipset::{Tipset, TipsetError, TipsetKey};
pub use voucher::{SignedVoucher, VoucherExtra, VoucherMerge};
