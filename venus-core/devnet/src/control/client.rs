//! The control of a devnet in another process.

use fvm_shared::address::{Address, Network};
use fvm_shared::clock::ChainEpoch;
use fvm_shared::econ::TokenAmount;
use num_bigint::BigInt;
use serde::Serialize;
use serde::de::DeserializeOwned;
use venus_core::json::{Json, JsonRef, with_network};
use venus_core::rpc::CallError;
use venus_core::rpc::client::RpcClient;
use venus_core::types::MessageLookup;

use super::{
    AutoMine, ControlStatus, MineReport, MineSpec, Producers, ReorgReport, ReorgSpec, RpcFaultSpec, UntilSpec,
};

/// Calls `Devnet.*` of any face. Needs a token with the right `admin`.
///
/// Errors of all methods: [`CallError::Rpc`] if the devnet refuses, with its words, [`CallError::Status`] 401 for a bad
/// token, and those of the connection. What only sets something may be repeated; mining and forking happen twice then.
/// Give the client a deadline that suits what is asked for.
#[derive(Clone, Debug)]
pub struct DevnetClient {
    rpc: RpcClient,
}

impl DevnetClient {
    /// A client on an open connection to `/rpc/v1`.
    pub fn new(rpc: RpcClient) -> Self {
        Self { rpc }
    }

    /// The connection, for other methods of the node.
    pub fn rpc(&self) -> &RpcClient {
        &self.rpc
    }

    /// `Devnet.Status`.
    ///
    /// # Errors
    /// See [`DevnetClient`].
    pub async fn status(&self) -> Result<ControlStatus, CallError> {
        self.call("Devnet.Status", &[(); 0]).await
    }

    /// `Devnet.Mine`, see [`DevnetControl::mine`](super::DevnetControl::mine).
    ///
    /// # Errors
    /// See [`DevnetClient`].
    pub async fn mine(&self, spec: &MineSpec) -> Result<MineReport, CallError> {
        self.call("Devnet.Mine", &[spec]).await
    }

    /// `Devnet.Advance`, see [`DevnetControl::advance`](super::DevnetControl::advance).
    ///
    /// # Errors
    /// See [`DevnetClient`].
    pub async fn advance(&self, epochs: u64) -> Result<MineReport, CallError> {
        self.call("Devnet.Advance", &[epochs]).await
    }

    /// `Devnet.MineUntil`, see [`DevnetControl::mine_until`](super::DevnetControl::mine_until).
    ///
    /// # Errors
    /// See [`DevnetClient`].
    pub async fn mine_until(&self, spec: &UntilSpec) -> Result<MessageLookup, CallError> {
        let found: Json<MessageLookup> = self.call("Devnet.MineUntil", &[spec]).await?;
        Ok(found.into_inner())
    }

    /// `Devnet.NullRounds`, see [`DevnetControl::null_rounds`](super::DevnetControl::null_rounds).
    ///
    /// # Errors
    /// See [`DevnetClient`].
    pub async fn null_rounds(&self, epochs: u64) -> Result<ChainEpoch, CallError> {
        self.call("Devnet.NullRounds", &[epochs]).await
    }

    /// `Devnet.Fork`, see [`DevnetControl::fork`](super::DevnetControl::fork).
    ///
    /// # Errors
    /// See [`DevnetClient`].
    pub async fn fork(&self, spec: &ReorgSpec) -> Result<ReorgReport, CallError> {
        self.call("Devnet.Fork", &[spec]).await
    }

    /// `Devnet.AutoMine`, see [`DevnetControl::set_auto_mine`](super::DevnetControl::set_auto_mine).
    ///
    /// # Errors
    /// See [`DevnetClient`].
    pub async fn set_auto_mine(&self, auto_mine: AutoMine) -> Result<ControlStatus, CallError> {
        self.call("Devnet.AutoMine", &[auto_mine]).await
    }

    /// `Devnet.Producers`, see [`DevnetControl::set_producers`](super::DevnetControl::set_producers).
    ///
    /// # Errors
    /// See [`DevnetClient`].
    pub async fn set_producers(&self, producers: &Producers) -> Result<ControlStatus, CallError> {
        let list: Option<Vec<Json<Address>>> = match producers {
            Producers::All => None,
            Producers::Listed(list) => Some(list.iter().copied().map(Json).collect()),
            Producers::Outside => Some(Vec::new()),
        };
        self.call("Devnet.Producers", &[list]).await
    }

    /// `Devnet.FreezeHead`, see [`DevnetControl::set_frozen`](super::DevnetControl::set_frozen).
    ///
    /// # Errors
    /// See [`DevnetClient`].
    pub async fn set_frozen(&self, frozen: bool) -> Result<ControlStatus, CallError> {
        self.call("Devnet.FreezeHead", &[frozen]).await
    }

    /// `Devnet.Fund`: adds attoFIL to a balance. Answers the epoch; a tipset of that epoch or later has the change.
    ///
    /// # Errors
    /// See [`DevnetClient`].
    pub async fn fund(&self, address: &Address, amount: &TokenAmount) -> Result<ChainEpoch, CallError> {
        self.call("Devnet.Fund", &(JsonRef(address), JsonRef(amount))).await
    }

    /// `Devnet.SetBalance`: sets a balance, attoFIL. Answers the epoch; a tipset of that epoch or later has the change.
    ///
    /// # Errors
    /// See [`DevnetClient`].
    pub async fn set_balance(
        &self,
        address: &Address,
        balance: &TokenAmount,
    ) -> Result<ChainEpoch, CallError> {
        self.call("Devnet.SetBalance", &(JsonRef(address), JsonRef(balance))).await
    }

    /// `Devnet.SetBaseFee`: sets the base fee of the next tipset, attoFIL. Answers the epoch; a tipset of that epoch or later has the change.
    ///
    /// # Errors
    /// See [`DevnetClient`].
    pub async fn set_base_fee(&self, base_fee: &TokenAmount) -> Result<ChainEpoch, CallError> {
        self.call("Devnet.SetBaseFee", &[JsonRef(base_fee)]).await
    }

    /// `Devnet.GrantPower`: adds bytes to a miner's power. Answers the epoch; a tipset of that epoch or later has the change.
    ///
    /// # Errors
    /// See [`DevnetClient`].
    pub async fn grant_power(&self, miner: &Address, bytes: &BigInt) -> Result<ChainEpoch, CallError> {
        self.call("Devnet.GrantPower", &(JsonRef(miner), JsonRef(bytes))).await
    }

    /// `Devnet.FaultSectors`: makes sectors faulty. Answers the epoch; a tipset of that epoch or later has the change.
    ///
    /// # Errors
    /// See [`DevnetClient`].
    pub async fn fault_sectors(&self, miner: &Address, sectors: &[u64]) -> Result<ChainEpoch, CallError> {
        self.call("Devnet.FaultSectors", &(JsonRef(miner), sectors)).await
    }

    /// `Devnet.RecoverSectors`: brings faulty sectors back. Answers the epoch; a tipset of that epoch or later has the change.
    ///
    /// # Errors
    /// See [`DevnetClient`].
    pub async fn recover_sectors(&self, miner: &Address, sectors: &[u64]) -> Result<ChainEpoch, CallError> {
        self.call("Devnet.RecoverSectors", &(JsonRef(miner), sectors)).await
    }

    /// `Devnet.InjectRpcFault`: calls of this face that go wrong.
    ///
    /// # Errors
    /// See [`DevnetClient`].
    pub async fn inject_rpc_fault(&self, spec: &RpcFaultSpec) -> Result<bool, CallError> {
        self.call("Devnet.InjectRpcFault", &[spec]).await
    }

    /// `Devnet.ClearFaults`: what was injected into this face and has not happened yet.
    ///
    /// # Errors
    /// See [`DevnetClient`].
    pub async fn clear_faults(&self) -> Result<bool, CallError> {
        self.call("Devnet.ClearFaults", &[(); 0]).await
    }

    async fn call<T: DeserializeOwned>(
        &self,
        method: &str,
        params: &(impl Serialize + ?Sized),
    ) -> Result<T, CallError> {
        let text = with_network(Network::Testnet, || serde_json::to_string(params));
        let refused =
            |e: serde_json::Error| CallError::Params { method: method.into(), reason: e.to_string() };
        self.rpc.call(method, Some(&text.map_err(refused)?)).await
    }
}
