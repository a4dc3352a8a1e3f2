//! What a gateway says to those who dialled in, and what it tells of them.
//!
//! Payloads are JSON inside base64 inside JSON, as every Go gateway, wallet and sealer has them.

use cid::Cid;
use fvm_shared::address::Address;
use fvm_shared::clock::ChainEpoch;
use time::OffsetDateTime;
use uuid::Uuid;

use super::{ExtendedSectorInfo, MsgMeta};
use crate::json::lotus_json;

/// What a gateway wants of a provider. Which payload there is depends on the method.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RequestEvent {
    /// Goes back with the answer, as it is; a UUID.
    pub id: String,
    /// `WalletList`, `WalletSign`, `ComputeProof`, `SectorsUnsealPiece`, `InitConnect` or `RegisterReport`.
    pub method: String,
    /// JSON, or nothing.
    pub payload: Vec<u8>,
}

lotus_json!(RequestEvent { id: "Id", method: "Method", payload: "Payload" null });

/// A provider's answer: a payload or an error.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ResponseEvent {
    /// That of the request.
    pub id: String,
    /// JSON, or nothing.
    pub payload: Vec<u8>,
    /// Empty if it worked.
    pub error: String,
}

lotus_json!(ResponseEvent { id: "Id", payload: "Payload" null, error: "Error" });

/// The payload of `InitConnect`: the registration is complete.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConnectedCompleted {
    /// Names the channel in later calls.
    pub channel_id: Uuid,
}

lotus_json!(ConnectedCompleted { channel_id: "ChannelId" });

/// The payload of `RegisterReport`: what became of a wallet's addresses and accounts. Sent only to those who said that
/// they understand it, after each registration, before `InitConnect` or the answer to `AddNewAddress`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RegisterReport {
    /// What was not taken, and why.
    pub refused: Vec<RegisterRefusal>,
}

lotus_json!(RegisterReport { refused: "Refused" });

/// One thing that was not taken.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RegisterRefusal {
    /// An address or an account.
    pub subject: String,
    /// Why, for people.
    pub reason: String,
}

lotus_json!(RegisterRefusal { subject: "Subject", reason: "Reason" });

/// How a wallet registers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct WalletRegisterPolicy {
    /// Accounts, besides its own, whose requests it serves.
    pub support_accounts: Vec<String>,
    /// Random bytes of the wallet, part of the challenge of Go gateways.
    pub sign_bytes: Vec<u8>,
    /// What the wallet understands besides what Go's understand: [`EXT_REPORT`], [`EXT_ACCOUNTS`]. Go neither sends nor
    /// reads it.
    pub ext: Vec<String>,
}

lotus_json!(WalletRegisterPolicy {
    support_accounts: "SupportAccounts",
    sign_bytes: "SignBytes",
    ext: "Ext" nonempty,
});

/// In [`WalletRegisterPolicy::ext`]: the wallet takes `RegisterReport` events.
pub const EXT_REPORT: &str = "report";
/// In [`WalletRegisterPolicy::ext`]: the wallet reads [`WalletSignRequest::accounts`].
pub const EXT_ACCOUNTS: &str = "accounts";

/// How a prover registers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProofRegisterPolicy {
    /// Whom it proves for.
    pub miner_address: Address,
}

lotus_json!(ProofRegisterPolicy { miner_address: "MinerAddress" });

/// How a sealer registers for unsealing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MarketRegisterPolicy {
    /// Whose pieces it unseals.
    pub miner: Address,
}

lotus_json!(MarketRegisterPolicy { miner: "Miner" });

/// The payload of `WalletSign`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WalletSignRequest {
    /// Whose key.
    pub signer: Address,
    /// What, see [`ISigner::sign`](crate::api::ISigner::sign).
    pub to_sign: Vec<u8>,
    /// What it is.
    pub meta: MsgMeta,
    /// On whose behalf; named only to wallets that understand it.
    pub accounts: Vec<String>,
}

lotus_json!(WalletSignRequest { signer: "Signer", to_sign: "ToSign", meta: "Meta", accounts: "Accounts" nonempty });

/// The payload of `ComputeProof`. The answer is a list of [`PostProof`](super::PostProof).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ComputeProofRequest {
    /// The sectors that were drawn.
    pub sector_infos: Vec<ExtendedSectorInfo>,
    /// The draw.
    pub rand: Vec<u8>,
    /// Epoch of the block.
    pub height: ChainEpoch,
    /// Network version at the base.
    pub nw_version: u32,
}

lotus_json!(ComputeProofRequest {
    sector_infos: "SectorInfos" null,
    rand: "Rand" null,
    height: "Height",
    nw_version: "NWVersion",
});

/// The payload of `SectorsUnsealPiece`. The answer is an [`UnsealState`](crate::api::UnsealState) by name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnsealPayload {
    /// CommP of the piece.
    pub piece_cid: Cid,
    /// Whose sector.
    pub miner: Address,
    /// The sector's number.
    pub sid: u64,
    /// Where it begins, in unpadded bytes.
    pub offset: u64,
    /// How long it is, in unpadded bytes.
    pub size: u64,
    /// Where it goes.
    pub dest: String,
}

lotus_json!(UnsealPayload {
    piece_cid: "PieceCid",
    miner: "Miner",
    sid: "Sid",
    offset: "Offset",
    size: "Size",
    dest: "Dest",
});

/// A channel of a provider.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConnectState {
    /// The addresses of a wallet that were proven.
    pub addrs: Vec<Address>,
    /// Names the channel.
    pub channel_id: Uuid,
    /// Where it comes from, with the port.
    pub ip: String,
    /// Requests that wait or are under way.
    pub request_count: u64,
    /// When it was opened.
    pub create_time: OffsetDateTime,
}

lotus_json!(ConnectState {
    addrs: "Addrs" null,
    channel_id: "ChannelId",
    ip: "Ip",
    request_count: "RequestCount",
    create_time: "CreateTime",
});

/// The channels of a miner.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ConnectionStates {
    /// One by one.
    pub connections: Vec<ConnectState>,
    /// How many.
    pub connection_count: u64,
}

lotus_json!(ConnectionStates { connections: "Connections" null, connection_count: "ConnectionCount" });

/// The wallets of an account.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct WalletDetail {
    /// The account of their tokens.
    pub account: String,
    /// The accounts that they serve, the own one included.
    pub support_accounts: Vec<String>,
    /// Their channels.
    pub connect_states: Vec<ConnectState>,
}

lotus_json!(WalletDetail {
    account: "Account",
    support_accounts: "SupportAccounts",
    connect_states: "ConnectStates",
});

/// The sealers of a miner.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MarketConnectionState {
    /// The miner.
    pub addr: Address,
    /// Their channels.
    pub conn: ConnectionStates,
}

lotus_json!(MarketConnectionState { addr: "Addr", conn: "Conn" });
