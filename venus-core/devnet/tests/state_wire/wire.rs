//! A face behind a socket, and a client of it.

use serde_json::{Value, json};
use venus_core::api::Permissions;
use venus_core::rpc::client::{ClientConfig, RpcClient};
use venus_core::rpc::server::{Everybody, Listening, RpcServer};
use venus_core::rpc::{CallError, RpcError};
use venus_core::types::{Address, Network, Tipset};
use venus_devnet::face::{ApiVersion, Face, FaceKind};

use crate::support::World;

pub(crate) const MINER: &str = "t01000";

pub(crate) const NOBODY: &str = "t0999999";

/// A face of a devnet behind a socket, and a client of it.
pub(crate) struct Wire {
    pub(crate) world: World,
    client: RpcClient,
    _server: (RpcServer, Listening),
}

impl Wire {
    pub(crate) async fn of(world: World, kind: FaceKind) -> Self {
        Self::of_version(world, kind, ApiVersion::V1).await
    }

    pub(crate) async fn of_version(world: World, kind: FaceKind, version: ApiVersion) -> Self {
        let service = Face::new(world.devnet.clone(), kind).service_of(version).unwrap();
        let server = RpcServer::new(service, Everybody(Permissions::ALL));
        let listening = server.listen("127.0.0.1:0".parse().unwrap(), &["/rpc/v1"]).await.unwrap();
        let url = format!("http://{}/rpc/v1", listening.local_addr());
        let client = RpcClient::connect(&url, ClientConfig::default()).await.unwrap();
        Self { world, client, _server: (server, listening) }
    }

    /// A chain with messages of both kinds.
    pub(crate) async fn new(kind: FaceKind) -> Self {
        let world = World::new(31, 3);
        world.send(world.bls, world.secp, 2).await;
        world.extend().await;
        world.send(world.secp, world.bls, 2).await;
        world.extend().await;
        world.extend().await;
        Self::of(world, kind).await
    }

    pub(crate) async fn call(&self, method: &str, params: Value) -> Result<Value, RpcError> {
        let params = params.to_string();
        match self.client.call_raw(&format!("Filecoin.{method}"), Some(&params)).await {
            Ok(result) => Ok(serde_json::from_str(result.get()).unwrap()),
            Err(CallError::Rpc(error)) => Err(*error),
            Err(other) => panic!("{method}: {other}"),
        }
    }

    pub(crate) async fn get(&self, method: &str, params: Value) -> Value {
        self.call(method, params.clone()).await.unwrap_or_else(|e| panic!("{method}{params}: {e:?}"))
    }

    pub(crate) async fn refusal(&self, method: &str, params: Value) -> (i64, String) {
        let error = self.call(method, params.clone()).await;
        let error = error.expect_err(&format!("{method}{params} is refused"));
        (error.code, error.message)
    }

    pub(crate) async fn key(&self) -> Value {
        key_of(&*self.world.head().await)
    }

    pub(crate) fn text(address: &Address) -> String {
        venus_core::types::address::format(address, Network::Testnet)
    }
}

pub(crate) fn key_of(tipset: &Tipset) -> Value {
    serde_json::to_value(tipset.key()).unwrap()
}

pub(crate) fn number(value: &Value) -> u128 {
    value.as_str().unwrap().parse().unwrap()
}

/// A message that asks for nothing but an answer.
pub(crate) fn message(from: &str, to: &str, value: &str, method: u64) -> Value {
    json!({
        "Version": 0, "To": to, "From": from, "Nonce": 0, "Value": value, "GasLimit": 0, "GasFeeCap": "0",
        "GasPremium": "0", "Method": method, "Params": null,
    })
}
