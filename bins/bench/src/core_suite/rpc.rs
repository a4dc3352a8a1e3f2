//! Calls over a WebSocket that is open already, against jsonrpsee's own client and server.
//!
//! Both sides serve the same methods and are called through the same generated client.

use std::future::Future;

use futures::future::join_all;
use jsonrpsee::{
    core::{RpcResult, client::Error},
    proc_macros::rpc,
    server::{Server, ServerHandle},
    ws_client::{WsClient, WsClientBuilder},
};
use tokio::runtime::Runtime;
use venus_core::{
    json::Json,
    rpc::{
        Dialect, MethodSpec, Param, Permission, Permissions, Service,
        client::{ClientConfig, RpcClient},
        server::{Everybody, RpcServer},
    },
    types::{Address, TokenAmount},
};

use crate::measure::{BenchError, Effort, Measure, Names, compare, same};

const BASELINE: &str = "jsonrpsee's client and server";
const ONE: Names = Names { measure: "rpc_one_call", baseline: BASELINE };
const PIPELINED: Names = Names { measure: "rpc_64_pipelined", baseline: BASELINE };
const LOOPBACK: &str = "127.0.0.1:0";

#[rpc(client, server, namespace = "Filecoin", namespace_separator = ".")]
trait Balances {
    #[method(name = "WalletBalance")]
    async fn balance(&self, address: Json<Address>) -> RpcResult<Json<TokenAmount>>;
}

const TABLE: &[MethodSpec] = &[MethodSpec::new(
    "Filecoin.WalletBalance",
    Permission::Read,
    &[Param::of::<Json<Address>>("address.Address")],
)];

struct Ledger;

#[jsonrpsee::core::async_trait]
impl BalancesServer for Ledger {
    async fn balance(&self, address: Json<Address>) -> RpcResult<Json<TokenAmount>> {
        Ok(Json(TokenAmount::from_nano(address.0.id().unwrap_or_default())))
    }
}

pub(super) fn measure(effort: &Effort) -> Result<[Measure; 2], BenchError> {
    let runtime = Runtime::new()?;
    let ends = runtime.block_on(Ends::start())?;
    let (ours, theirs) = (|n| call(&ends.ours, n), |n| call(&ends.theirs, n));
    for n in 0..64 {
        same(ONE, &runtime.block_on(ours(n)), &runtime.block_on(theirs(n)))?;
    }
    same(PIPELINED, &runtime.block_on(pipelined(ours)), &runtime.block_on(pipelined(theirs)))?;
    // The answers were compared above; here a call that fails would only be too fast, and ends the measure below.
    let one =
        compare(ONE, effort, 1, || drop(runtime.block_on(ours(1))), || drop(runtime.block_on(theirs(1))));
    let many = compare(
        PIPELINED,
        effort,
        64,
        || drop(runtime.block_on(pipelined(ours))),
        || drop(runtime.block_on(pipelined(theirs))),
    );
    same(PIPELINED, &runtime.block_on(pipelined(ours)), &runtime.block_on(pipelined(theirs)))?;
    runtime.block_on(ends.stop());
    Ok([one, many])
}

/// The balance, or why there is none: an error differs from all balances.
async fn call(client: &impl BalancesClient, n: u64) -> Result<TokenAmount, String> {
    client.balance(Json(Address::new_id(n))).await.map(Json::into_inner).map_err(|error| error.to_string())
}

async fn pipelined<F: Future>(call: impl Fn(u64) -> F) -> Vec<F::Output> {
    join_all((0..64).map(call)).await
}

/// Both servers, each on a port of its own, with a client that is connected.
struct Ends {
    server: RpcServer,
    ours: RpcClient,
    their_server: ServerHandle,
    theirs: WsClient,
}

impl Ends {
    async fn start() -> Result<Self, BenchError> {
        let service = Service::new(Ledger.into_rpc(), &[TABLE], Dialect::Upstream);
        let server = RpcServer::new(service.map_err(|error| ONE.input(error))?, Everybody(Permissions::READ));
        let address = LOOPBACK.parse().map_err(|error| ONE.input(error))?;
        let listening = server.listen(address, &["/rpc/v1"]).await?;
        let url = format!("ws://{}/rpc/v1", listening.local_addr());
        let ours = RpcClient::connect(&url, ClientConfig::default()).await;
        let their_server = Server::builder().build(LOOPBACK).await?;
        let their_url = format!("ws://{}", their_server.local_addr()?);
        let their_server = their_server.start(Ledger.into_rpc());
        let theirs = WsClientBuilder::default().build(their_url).await;
        Ok(Self {
            server,
            ours: ours.map_err(|error| ONE.input(error))?,
            their_server,
            theirs: theirs.map_err(|error: Error| ONE.failed(error))?,
        })
    }

    async fn stop(self) {
        drop((self.ours, self.theirs));
        self.server.shutdown().await;
        // It fails only if the server has stopped already.
        let _ = self.their_server.stop();
        self.their_server.stopped().await;
    }
}
