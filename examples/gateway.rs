#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
//! A wallet dials in at a gateway and proves its keys; then whoever has the gateway has a signer. Accounts, gateway,
//! wallet and caller are in this process, with one socket between wallet and gateway.

use std::sync::Arc;

use secrecy::ExposeSecret;
use venus_auth::{Actor, AuthService, MemoryStore, NewToken, NewUser, Rules, UserState};
use venus_core::api::MessageRequest;
use venus_core::clock::SystemClock;
use venus_core::entropy::OsEntropy;
use venus_core::prelude::*;
use venus_core::rpc::server::ByToken;
use venus_gateway::rpc::{GatewayServer, ServerOptions};
use venus_gateway::{Hub, HubOptions};
use venus_signer::gateway::{GatewayOptions, GatewayProvider, HubConfig};
use venus_signer::{KeyType, LocalWallet};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    // The account whose wallet it is, and the wallet's token.
    let auth = AuthService::new(Arc::new(MemoryStore::default()), Arc::new(SystemClock), Rules::default());
    let alice = NewUser { name: "alice".into(), state: UserState::Enabled, ..NewUser::default() };
    auth.create_user(&Actor::system(), alice).await?;
    let new = NewToken { name: "alice".into(), perm: "read".into(), ..NewToken::default() };
    let token = auth.create_token(&Actor::system(), new).await?;

    // The gateway: who may come in and what belongs to whom, the accounts say.
    let hub = Hub::new(Arc::new(auth.clone()), HubOptions::new("eu-1"));
    let server = GatewayServer::new(&hub, Arc::new(ByToken::new(auth)), ServerOptions::default())?;
    let port = server.listen("127.0.0.1:0".parse()?).await?.local_addr().port();

    // The wallet, at home: it dials out, and answers only challenges that name this gateway.
    let wallet = LocalWallet::in_memory();
    let from = wallet.generate(KeyType::Bls, &OsEntropy).await?;
    let home = HubConfig::new("eu-1", format!("{}:/ip4/127.0.0.1/tcp/{port}", token.expose_secret()));
    let offered = GatewayProvider::start(wallet, vec![home], GatewayOptions::default())?;
    offered.wait_ready().await;

    // The caller: a signer like every other. What comes back was verified by the gateway.
    let message = MessageRequest::transfer(from, Address::new_id(1234), TokenAmount::from_whole(1)).message;
    let signed = hub.signer().sign_message(&message).await?;
    println!("{} is signed by {from}, whose key never left its wallet", signed.cid());

    offered.shutdown().await;
    hub.shutdown().await;
    server.shutdown().await;
    Ok(())
}
