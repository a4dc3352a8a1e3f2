#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
//! Every RPC server of the project, every method, every caller who may not call it.

use std::net::SocketAddr;
use std::sync::Arc;

use secrecy::{ExposeSecret, SecretString};
use venus_auth::limits::Guesses;
use venus_auth::verifier::{Blacklist, CacheConfig, Cached, Chain, Gate};
use venus_auth::watch::Liveness;
use venus_auth::{Actor, AuthService, MemoryStore, NewToken, NewUser, Rules, UserChange, UserState};
use venus_core::api::Permissions;
use venus_core::clock::SystemClock;
use venus_core::rpc::{Dialect, MethodSpec};
use venus_core::testing::suites::{RequestGuardFixture, request_guard};
use venus_gateway::rpc::{GatewayServer, ServerOptions, TABLE, V1_TABLE, V2_TABLE};
use venus_gateway::{Hub, HubOptions};
use venus_signer::LocalWallet;
use venus_signer::server::{
    Claims, LOTUS_TABLE, ServerConfig, Surroundings, Tokens, WALLET_EXT_TABLE, WALLET_TABLE, WalletServer,
    WalletService,
};

const LOOPBACK: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 0);
const LEVELS: [&str; 3] = ["read", "write", "sign"];

fn methods(tables: &[&[MethodSpec]]) -> Vec<MethodSpec> {
    tables.concat()
}

/// Go's wallet lets strangers in without any right.
#[tokio::test]
async fn i1_no_method_of_the_wallet_runs_for_a_stranger_or_below_its_level() {
    let tokens = Arc::new(Tokens::new(vec![7; 32].into()));
    let levels = LEVELS.map(|level| {
        let rights = LEVELS.into_iter().take(LEVELS.iter().position(|l| *l == level).unwrap() + 1);
        (level, tokens.issue(&Claims::allowing(rights)).expose_secret().to_owned())
    });
    let other = Tokens::new(vec![8; 32].into()).issue(&Claims::allowing(["admin"]));
    let wallet = LocalWallet::in_memory();
    let service = WalletService::new(wallet, tokens.clone(), Default::default(), Surroundings::default());
    let server = WalletServer::new(service, tokens, ServerConfig::default()).unwrap();
    let addr = server.listen(LOOPBACK).await.unwrap().local_addr();
    for (path, dialect, methods) in [
        ("/rpc/v0", Dialect::Fork, methods(&[WALLET_TABLE, WALLET_EXT_TABLE])),
        ("/lotus/rpc/v0", Dialect::Upstream, methods(&[LOTUS_TABLE])),
    ] {
        let fixture = RequestGuardFixture {
            addr,
            path: path.into(),
            dialect,
            methods,
            strangers: Some(Permissions::NONE),
            levels: levels.to_vec(),
            refused: vec![other.expose_secret().to_owned()],
        };
        request_guard(&fixture).await;
    }
    server.shutdown().await;
}

async fn issue(auth: &AuthService, name: &str, perm: &str) -> SecretString {
    let new = NewToken { name: name.into(), perm: perm.into(), ..NewToken::default() };
    auth.create_token(&Actor::system(), new).await.unwrap()
}

#[tokio::test]
async fn i1_no_method_of_the_gateway_runs_for_a_stranger_or_below_its_level() {
    let auth = AuthService::new(Arc::new(MemoryStore::default()), Arc::new(SystemClock), Rules::default());
    let system = Actor::system();
    for name in ["alice", "bob"] {
        let new = NewUser { name: name.into(), state: UserState::Enabled, ..NewUser::default() };
        auth.create_user(&system, new).await.unwrap();
    }
    let mut levels = Vec::new();
    for level in LEVELS {
        levels.push((level, issue(&auth, "alice", level).await.expose_secret().to_owned()));
    }
    let (revoked, disabled) = (issue(&auth, "alice", "admin").await, issue(&auth, "bob", "admin").await);
    auth.revoke_token(&system, revoked.expose_secret()).await.unwrap();
    let change = UserChange { state: Some(UserState::Disabled), ..UserChange::default() };
    auth.update_user(&system, "bob", change).await.unwrap();

    let hub = Hub::new(Arc::new(auth.clone()), HubOptions::new("hub"));
    let known = Cached::new(Arc::new(auth), Liveness::default(), CacheConfig::default());
    let gate = Gate::new(Chain::new("gateway").remote(known), Blacklist::default(), Guesses::default());
    let server = GatewayServer::new(&hub, Arc::new(gate), ServerOptions::default()).unwrap();
    let addr = server.listen(LOOPBACK).await.unwrap().local_addr();
    for (path, methods) in
        [("/rpc/v1", methods(&[TABLE, V1_TABLE])), ("/rpc/v2", methods(&[TABLE, V2_TABLE]))]
    {
        let fixture = RequestGuardFixture {
            addr,
            path: path.into(),
            dialect: Dialect::Fork,
            methods,
            strangers: None,
            levels: levels.clone(),
            refused: [&revoked, &disabled].map(|token| token.expose_secret().to_owned()).to_vec(),
        };
        request_guard(&fixture).await;
    }
    hub.shutdown().await;
    server.shutdown().await;
}
