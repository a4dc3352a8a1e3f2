//! Lotus-JSON: read leniently, so the form that is written must be one that is read and written the same.

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::error::Category;

use super::{Type, pick, refused};
use crate::json::{Face, Json, with_face};
use crate::types::gateway::*;
use crate::types::*;

pub fn json_message(bytes: &[u8]) -> bool {
    let signed = check::<SignedMessage>(bytes);
    check::<Json<Message>>(bytes) || signed
}

pub fn json_header(bytes: &[u8]) -> bool {
    check::<BlockHeader>(bytes)
}

pub fn json_tipset(bytes: &[u8]) -> bool {
    let key = check::<TipsetKey>(bytes);
    check::<Tipset>(bytes) || key
}

/// One of [`API_TYPES`], picked by the first byte.
pub fn json_api_types(bytes: &[u8]) -> bool {
    pick(API_TYPES, bytes)
}

macro_rules! types {
    ($($ty:ident),+ $(,)?) => {
        &[
            Type { name: "Message", check: check::<Json<Message>>, decode: decode::<Json<Message>> },
            $(Type { name: stringify!($ty), check: check::<$ty>, decode: decode::<$ty> }),+
        ]
    };
}

/// Every type that travels between the pool, a node and those who dialled in, by the name that its samples have.
pub const API_TYPES: &[Type] = types![
    ActorInfo,
    ActorState,
    AddrInfo,
    Allocation,
    BeaconEntry,
    BlockHeader,
    BlockMessages,
    BlockMsg,
    BlockTemplate,
    ChainMessage,
    Claim,
    ClientDealProposal,
    ComputeProofRequest,
    ComputeStateOutput,
    ConnectState,
    ConnectedCompleted,
    ConnectionStates,
    Deadline,
    DeadlineInfo,
    DealCollateralBounds,
    ElectionProof,
    EstimateMessage,
    EstimateResult,
    Event,
    ExtendedSectorInfo,
    F3Lease,
    F3Manifest,
    F3Participant,
    F3Progress,
    FullBlock,
    HeadChangeStep,
    InvocResult,
    MarketBalance,
    MarketConnectionState,
    MarketDeal,
    MarketRegisterPolicy,
    MessageCheckStatus,
    MessageLookup,
    MessageSendSpec,
    MinerInfo,
    MinerPower,
    MinerSectors,
    MiningBaseInfo,
    MpoolConfig,
    MpoolUpdate,
    MsgMeta,
    NetworkParams,
    Partition,
    PostProof,
    ProofRegisterPolicy,
    ProtocolParams,
    Receipt,
    RegisterRefusal,
    RegisterReport,
    RequestEvent,
    ResponseEvent,
    SectorExpiration,
    SectorInfo,
    SectorLocation,
    SectorOnChainInfo,
    SectorPreCommitInfo,
    SectorPreCommitOnChainInfo,
    Signature,
    SignedMessage,
    SyncState,
    Ticket,
    Tipset,
    TipsetKey,
    TipsetSelector,
    UnsealPayload,
    Version,
    WalletDetail,
    WalletRegisterPolicy,
    WalletSignRequest,
];

fn decode<T: DeserializeOwned>(bytes: &[u8]) -> bool {
    serde_json::from_slice::<T>(bytes).is_ok()
}

fn check<T: Serialize + DeserializeOwned>(bytes: &[u8]) -> bool {
    match serde_json::from_slice::<T>(bytes) {
        Ok(value) => {
            for face in [Face::Lotus, Face::Venus] {
                with_face(face, || survives(&value));
            }
            true
        }
        Err(e) => {
            if bytes.trim_ascii_start().starts_with(b"\"") {
                // A text in place of the whole: serde repeats it, and there is no member that could cut it.
                return false;
            }
            let syntax = e.classify() != Category::Data;
            refused(&e, |text| syntax || names_a_place(text))
        }
    }
}

fn survives<T: Serialize + DeserializeOwned>(value: &T) {
    let written = serde_json::to_string(value).map_err(|e| e.to_string());
    let again = written.as_deref().map_err(Clone::clone).and_then(rewritten::<T>);
    assert_eq!(again, written, "what is written is read otherwise, or not at all");
    assert!(written.is_ok(), "what was read cannot be written: {written:?}");
}

fn rewritten<T: Serialize + DeserializeOwned>(text: &str) -> Result<String, String> {
    let value: T = serde_json::from_str(text).map_err(|e| e.to_string())?;
    serde_json::to_string(&value).map_err(|e| e.to_string())
}

/// `Member: reason`, or, where the whole is of a wrong kind, what it should be.
fn names_a_place(text: &str) -> bool {
    text.contains(": ") || text.contains("expected ")
}
