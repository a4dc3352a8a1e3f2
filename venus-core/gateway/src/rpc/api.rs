//! The gateway's API, as it is served at `/rpc/v2`, and the two methods that differ at `/rpc/v1`.

use jsonrpsee::core::{RpcResult, SubscriptionResult};
use jsonrpsee::proc_macros::rpc;
use serde::{Deserialize, Serialize};
use venus_core::json::Json;
use venus_core::rpc::{MethodSpec, Param, Permission};
use venus_core::types::gateway::{
    ConnectionStates, MarketConnectionState, MarketRegisterPolicy, ProofRegisterPolicy, ResponseEvent,
    WalletDetail, WalletRegisterPolicy,
};
use venus_core::types::{Address, Cid, ExtendedSectorInfo, PostProof, Signature};

use super::wire::{AddressText, Base64, Id, MetaText};

/// What `Version` answers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct VersionInfo {
    /// The `sophon-gateway` whose API this is, then our own version behind a `+`.
    #[serde(rename = "Version")]
    pub version: String,
    /// Go's gateway says 0.
    #[serde(rename = "APIVersion")]
    pub api_version: u32,
}

/// The methods at `/rpc/v2`. Errors have code 1 and Go's text. Lists without elements are null.
#[rpc(server, namespace = "Gateway", namespace_separator = ".")]
pub trait GatewayApi {
    /// Versions.
    #[method(name = "Version")]
    async fn version(&self) -> RpcResult<VersionInfo>;

    /// Whether a wallet that may serve one of the accounts has a key. No account or null: any.
    #[method(name = "WalletHas")]
    async fn wallet_has(&self, signer: AddressText, accounts: Option<Vec<String>>) -> RpcResult<bool>;
    /// Has such a wallet sign.
    #[method(name = "WalletSign", with_extensions)]
    async fn wallet_sign(
        &self,
        signer: AddressText,
        accounts: Option<Vec<String>>,
        to_sign: Base64,
        meta: MetaText,
    ) -> RpcResult<Signature>;
    /// All wallets by account.
    #[method(name = "ListWalletInfo")]
    async fn list_wallet_info(&self) -> RpcResult<Option<Vec<WalletDetail>>>;
    /// The wallets of an account.
    #[method(name = "ListWalletInfoByWallet")]
    async fn list_wallet_info_by_wallet(&self, account: String) -> RpcResult<WalletDetail>;

    /// Has a prover of the miner compute a WinningPoSt.
    #[method(name = "ComputeProof", with_extensions)]
    async fn compute_proof(
        &self,
        miner: AddressText,
        sectors: Option<Vec<ExtendedSectorInfo>>,
        rand: Base64,
        height: i64,
        network_version: Option<u32>,
    ) -> RpcResult<Option<Vec<PostProof>>>;
    /// The miners that have provers.
    #[method(name = "ListConnectedMiners")]
    async fn list_connected_miners(&self) -> RpcResult<Option<Vec<Json<Address>>>>;
    /// The provers of a miner.
    #[method(name = "ListMinerConnection")]
    async fn list_miner_connection(&self, miner: AddressText) -> RpcResult<ConnectionStates>;

    /// Has a sealer of the miner unseal a piece, or say how far it is.
    #[method(name = "SectorsUnsealPiece")]
    async fn sectors_unseal_piece(
        &self,
        miner: AddressText,
        piece: Json<Cid>,
        sector: Option<u64>,
        offset: Option<u64>,
        size: Option<u64>,
        dest: String,
    ) -> RpcResult<String>;
    /// The sealers of all miners.
    #[method(name = "ListMarketConnectionsState")]
    async fn list_market_connections_state(&self) -> RpcResult<Option<Vec<MarketConnectionState>>>;

    /// A wallet registers.
    #[subscription(name = "ListenWalletEvent", unsubscribe = "ListenWalletEventEnd", item = gateway::RequestEvent, with_extensions)]
    async fn listen_wallet_event(&self, policy: Option<WalletRegisterPolicy>) -> SubscriptionResult;
    /// A prover registers.
    #[subscription(name = "ListenProofEvent", unsubscribe = "ListenProofEventEnd", item = gateway::RequestEvent, with_extensions)]
    async fn listen_proof_event(&self, policy: Option<ProofRegisterPolicy>) -> SubscriptionResult;
    /// A sealer registers.
    #[subscription(name = "ListenMarketEvent", unsubscribe = "ListenMarketEventEnd", item = gateway::RequestEvent, with_extensions)]
    async fn listen_market_event(&self, policy: Option<MarketRegisterPolicy>) -> SubscriptionResult;
    /// A wallet answers.
    #[method(name = "ResponseWalletEvent", with_extensions)]
    async fn response_wallet_event(&self, response: Option<ResponseEvent>) -> RpcResult<()>;
    /// A prover answers.
    #[method(name = "ResponseProofEvent", with_extensions)]
    async fn response_proof_event(&self, response: Option<ResponseEvent>) -> RpcResult<()>;
    /// A sealer answers.
    #[method(name = "ResponseMarketEvent", with_extensions)]
    async fn response_market_event(&self, response: Option<ResponseEvent>) -> RpcResult<()>;
    /// A wallet serves one account more.
    #[method(name = "SupportNewAccount", with_extensions)]
    async fn support_new_account(&self, channel: Id, account: String) -> RpcResult<()>;
    /// A wallet has more keys.
    #[method(name = "AddNewAddress", with_extensions)]
    async fn add_new_address(&self, channel: Id, addresses: Option<Vec<AddressText>>) -> RpcResult<()>;
    /// A wallet has some keys no more.
    #[method(name = "RemoveAddress", with_extensions)]
    async fn remove_address(&self, channel: Id, addresses: Option<Vec<AddressText>>) -> RpcResult<()>;

    /// Where the proxy finds a component.
    #[method(name = "RegisterReverse")]
    async fn register_reverse(&self, host_key: String, address: String) -> RpcResult<()>;
}

/// What is different at `/rpc/v1`: one account, and it comes first.
#[rpc(server, namespace = "Gateway", namespace_separator = ".")]
pub trait GatewayApiV1 {
    /// See [`GatewayApiServer::wallet_has`]. An empty account is none.
    #[method(name = "WalletHas")]
    async fn wallet_has(&self, account: String, signer: AddressText) -> RpcResult<bool>;
    /// See [`GatewayApiServer::wallet_sign`].
    #[method(name = "WalletSign", with_extensions)]
    async fn wallet_sign(
        &self,
        account: String,
        signer: AddressText,
        to_sign: Base64,
        meta: MetaText,
    ) -> RpcResult<Signature>;
}

const STRING: Param = Param::of::<String>("string");
const ADDRESS: Param = Param::of::<AddressText>("address.Address");
const ADDRESSES: Param = Param::of::<Option<Vec<AddressText>>>("[]address.Address");
const ACCOUNTS: Param = Param::of::<Option<Vec<String>>>("[]string");
const BYTES: Param = Param::of::<Base64>("[]uint8");
const META: Param = Param::of::<MetaText>("types.MsgMeta");
const CHANNEL: Param = Param::of::<Id>("types.UUID");
const RESPONSE: &[Param] = &[Param::of::<Option<ResponseEvent>>("*gateway.ResponseEvent")];
const WALLET_POLICY: &[Param] = &[Param::of::<Option<WalletRegisterPolicy>>("*gateway.WalletRegisterPolicy")];
const PROOF_POLICY: &[Param] = &[Param::of::<Option<ProofRegisterPolicy>>("*gateway.ProofRegisterPolicy")];
const MARKET_POLICY: &[Param] = &[Param::of::<Option<MarketRegisterPolicy>>("*gateway.MarketRegisterPolicy")];
const PROOF: &[Param] = &[
    ADDRESS,
    Param::of::<Option<Vec<ExtendedSectorInfo>>>("[]proof.ExtendedSectorInfo"),
    Param::of::<Base64>("abi.PoStRandomness"),
    Param::of::<i64>("abi.ChainEpoch"),
    Param::of::<Option<u32>>("network.Version"),
];
const UNSEAL: &[Param] = &[
    ADDRESS,
    Param::of::<Json<Cid>>("cid.Cid"),
    Param::of::<Option<u64>>("abi.SectorNumber"),
    Param::of::<Option<u64>>("types.UnpaddedByteIndex"),
    Param::of::<Option<u64>>("abi.UnpaddedPieceSize"),
    STRING,
];
const REVERSE: &[Param] = &[Param::of::<String>("gateway.HostKey"), STRING];

/// Tokens of those who offer keys, proofs or pieces.
const PROVIDE: &str = "gateway.provide";
/// Tokens of those who look.
const LIST: &str = "gateway.list";
/// Tokens of those who have wallets sign.
const SIGN: &str = "wallet.sign";

const fn read(name: &'static str, params: &'static [Param]) -> MethodSpec {
    MethodSpec::new(name, Permission::Read, params).scope(PROVIDE)
}

const fn admin(name: &'static str, params: &'static [Param], scope: &'static str) -> MethodSpec {
    MethodSpec::new(name, Permission::Admin, params).scope(scope).idempotent()
}

/// The two methods that differ, as they are at `/rpc/v2`.
pub const V2_TABLE: &[MethodSpec] = &[
    admin("Gateway.WalletHas", &[ADDRESS, ACCOUNTS], SIGN),
    admin("Gateway.WalletSign", &[ADDRESS, ACCOUNTS, BYTES, META], SIGN).cancelled(CANCELLED).prompt(),
];

/// The two methods that differ, as they are at `/rpc/v1`.
pub const V1_TABLE: &[MethodSpec] = &[
    admin("Gateway.WalletHas", &[STRING, ADDRESS], SIGN),
    admin("Gateway.WalletSign", &[STRING, ADDRESS, BYTES, META], SIGN).cancelled(CANCELLED).prompt(),
];

/// What callers read who gave a request up.
const CANCELLED: &str = "cancel by context context canceled";

/// The methods that are the same at both.
pub const TABLE: &[MethodSpec] = &[
    read("Gateway.Version", &[]).idempotent(),
    admin("Gateway.ListWalletInfo", &[], LIST),
    admin("Gateway.ListWalletInfoByWallet", &[STRING], LIST),
    admin("Gateway.ComputeProof", PROOF, "proof.compute").cancelled(CANCELLED),
    admin("Gateway.ListConnectedMiners", &[], LIST),
    admin("Gateway.ListMinerConnection", &[ADDRESS], LIST),
    admin("Gateway.SectorsUnsealPiece", UNSEAL, "piece.unseal").cancelled(CANCELLED),
    admin("Gateway.ListMarketConnectionsState", &[], LIST),
    read("Gateway.ListenWalletEvent", WALLET_POLICY).channel(),
    read("Gateway.ListenProofEvent", PROOF_POLICY).channel(),
    read("Gateway.ListenMarketEvent", MARKET_POLICY).channel(),
    read("Gateway.ResponseWalletEvent", RESPONSE).void().prompt(),
    read("Gateway.ResponseProofEvent", RESPONSE).void().prompt(),
    read("Gateway.ResponseMarketEvent", RESPONSE).void().prompt(),
    read("Gateway.SupportNewAccount", &[CHANNEL, STRING]).void().idempotent(),
    read("Gateway.AddNewAddress", &[CHANNEL, ADDRESSES]).void().idempotent(),
    read("Gateway.RemoveAddress", &[CHANNEL, ADDRESSES]).void().idempotent(),
    admin("Gateway.RegisterReverse", REVERSE, "gateway.admin").void(),
];
