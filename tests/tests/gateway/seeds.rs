//! Demands of the seed note that are about signers, one test each.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use secrecy::ExposeSecret;
use venus_core::api::{
    IMessager, ISigner, MessagePool, MessageRequest, MessageState, Permissions, SignerExt, SignerKind,
    SignerKindError, StateReader,
};
use venus_core::cbor::Encode;
use venus_core::clock::ManualClock;
use venus_core::crypto::verify;
use venus_core::json::Json;
use venus_core::node::{NodeConfig, VenusNode};
use venus_core::rpc::client::{ClientConfig, RpcClient};
use venus_core::rpc::{ApiInfo, Dialect};
use venus_core::types::{
    Address, DealLabel, DealProposal, MsgMeta, MsgType, Signature, TipsetKey, TokenAmount,
};
use venus_devnet::face::{Face, FaceKind, Tokens as NodeTokens};
use venus_devnet::{Devnet, DevnetConfig, EpochSpec, GenesisAccount, GenesisMiner};
use venus_gateway::client::GatewaySigner;
use venus_messager::{Messager, MessagerConfig, MessagerDeps};
use venus_signer::LocalWallet;
use venus_signer::remote::{LotusNodeSigner, RemoteOptions, RemoteSigner};
use venus_signer::server::{Claims, ServerConfig, Surroundings, Tokens, WalletServer, WalletService};

use super::pool::{Pool, offered, soon, wallet};

const LOOPBACK: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 0);

/// A chain in this process on which `rich` has a thousand FIL, mined with the keys of `wallet`.
struct Chain {
    node: Arc<Devnet>,
    wallet: LocalWallet,
    clock: ManualClock,
}

impl Chain {
    fn new(wallet: &LocalWallet, worker: Address, rich: Address) -> Self {
        let config = DevnetConfig {
            accounts: vec![GenesisAccount { address: rich, balance: TokenAmount::from_whole(1000) }],
            miners: vec![GenesisMiner { worker, owner: rich, ..GenesisMiner::default() }],
            ..DevnetConfig::default()
        };
        let clock = ManualClock::new(Duration::from_secs(config.genesis_timestamp));
        let node = Arc::new(Devnet::open(config, Arc::new(clock.clone()), None).unwrap());
        Self { node, wallet: wallet.clone(), clock }
    }

    /// Lets the time of the next epochs come until there is a block.
    async fn mine(&self) {
        use venus_core::api::ChainReader;
        let network = &self.node.genesis_info().network;
        for epoch in self.node.head().await.unwrap().height() + 1.. {
            self.clock.advance_to(Duration::from_secs(network.timestamp_of(epoch)));
            let (base, miners) = (TipsetKey::default(), self.node.miners());
            let spec = EpochSpec { epoch, base, miners, messages: true };
            if !self.node.mine(&spec, &self.wallet).await.unwrap().is_empty() {
                break;
            }
        }
    }
}

fn info(token: &str, scheme: &str, at: SocketAddr) -> ApiInfo {
    format!("{token}:{scheme}://{at}").parse().unwrap()
}

/// Who pushes a message names no account. The gateway finds the wallet of whoever has the sender's key.
#[tokio::test(flavor = "multi_thread")]
async fn seed_s08_messages_are_pushed_without_an_account() {
    let (pool, (wallet, keys)) = (Pool::start().await, wallet(30).await);
    let node = pool.node("eu-1").await;
    let alice = pool.token("alice", "read", &[]).await;
    let _handle = offered(wallet.clone(), vec![node.config(&alice)]).await;
    let chain = Chain::new(&wallet, keys[0], keys[1]);
    let deps = MessagerDeps {
        chain: chain.node.clone(),
        state: chain.node.clone(),
        heads: chain.node.clone(),
        pool: chain.node.clone(),
        gas: chain.node.clone(),
        signer: Arc::new(pool.signer(&[&node]).await),
    };
    let messager = Messager::open(MessagerConfig::default(), deps).await.unwrap();
    messager.start().unwrap();
    let shared: Arc<dyn IMessager> = Arc::new(messager.clone());
    let request = || MessageRequest::transfer(keys[1], keys[0], TokenAmount::from_whole(1));
    let first = shared.push(request()).await.unwrap();
    shared.push_with_id("rent-of-may", request()).await.unwrap();
    shared.push_with_id("rent-of-may", request()).await.unwrap();
    for id in [first.as_str(), "rent-of-may"] {
        let landed = shared.wait(id, 0, Duration::from_secs(60));
        tokio::pin!(landed);
        let record = loop {
            tokio::select! {
                record = &mut landed => break record.unwrap(),
                () = tokio::time::sleep(Duration::from_millis(20)) => chain.mine().await,
            }
        };
        assert_eq!(record.state, MessageState::Landed);
        let attempt = record.attempts.last().unwrap();
        verify(
            &attempt.signature,
            &keys[1],
            &venus_core::types::MessageExt::cid(&attempt.message).to_bytes(),
        )
        .unwrap();
    }
    messager.shutdown().await;
}

/// A Lotus node knows no metadata: they are used here, to compute what it may sign, and are not sent.
#[tokio::test(flavor = "multi_thread")]
async fn seed_s11_a_lotus_node_signs_without_metadata() {
    let (wallet, keys) = wallet(31).await;
    let chain = Chain::new(&wallet, keys[0], keys[1]);
    let tokens = NodeTokens::new(vec![9; 32].into()).unwrap().like(FaceKind::Lotus);
    let face = Face::new(Devnet::clone(&chain.node), FaceKind::Lotus).with_keys(Arc::new(wallet));
    let server = face.listen(LOOPBACK, tokens.clone()).await.unwrap();
    let token = tokens.issue(Permissions::ALL);
    let api = info(token.expose_secret(), "http", server.local_addr());
    let signer = LotusNodeSigner::new(&api, RemoteOptions::default()).unwrap();
    let message = MessageRequest::transfer(keys[1], keys[0], TokenAmount::from_whole(1)).message;
    // The node is asked for the CID that the metadata stand for, and for nothing else.
    let signed = soon("signing", signer.sign_message(&message)).await;
    let other = MessageRequest::transfer(keys[1], keys[1], TokenAmount::from_whole(1)).message;
    let bytes = venus_core::types::MessageExt::cid(&other).to_bytes();
    let mismatch = soon("a refusal", signer.sign(&keys[1], &bytes, &MsgMeta::chain_message(&message))).await;
    assert!(matches!(mismatch, Err(venus_core::api::SignerError::Mismatch(_))), "{mismatch:?}");
    signed.unwrap();
    // With a third parameter the node would not understand the call.
    let url = format!("http://{}/rpc/v1", server.local_addr());
    let client = ClientConfig::default().with_token(api.token.as_ref().unwrap());
    let client = RpcClient::connect(&url, client).await.unwrap();
    let params = serde_json::json!([Json(keys[1]), Json(bytes), {"Type": "message", "Extra": null}]);
    let refused = client.call_raw("Filecoin.WalletSign", Some(&params.to_string())).await.unwrap_err();
    assert!(refused.to_string().contains("wrong param count"), "{refused}");
    server.shutdown().await;
}

/// A wallet of its own, behind a socket.
async fn served(wallet: &LocalWallet) -> (WalletServer, ApiInfo) {
    let tokens = Arc::new(Tokens::new(vec![7; 32].into()));
    let token = tokens.issue(&Claims::allowing(["read", "write", "sign"]));
    let service =
        WalletService::new(wallet.clone(), tokens.clone(), Default::default(), Surroundings::default());
    let server = WalletServer::new(service, tokens, ServerConfig::default()).unwrap();
    let at = server.listen(LOOPBACK).await.unwrap().local_addr();
    (server, info(token.expose_secret(), "http", at))
}

/// What a component does with the kind in its configuration.
fn open(kind: SignerKind, api: &ApiInfo, gateway: &str) -> Arc<dyn ISigner> {
    match kind {
        SignerKind::LotusNode => Arc::new(LotusNodeSigner::new(api, RemoteOptions::default()).unwrap()),
        SignerKind::Wallet => {
            Arc::new(RemoteSigner::new(api, Dialect::Fork, RemoteOptions::default()).unwrap())
        }
        SignerKind::Gateway => Arc::new(GatewaySigner::builder().gateway(gateway).build().unwrap()),
        other => panic!("{other}"),
    }
}

/// The three kinds of signers are one [`ISigner`]; a market client may not use a gateway, and there is no fourth kind.
#[tokio::test(flavor = "multi_thread")]
async fn seed_s12_three_kinds_of_signers() {
    let (pool, (wallet, keys)) = (Pool::start().await, wallet(32).await);
    let node = pool.node("eu-1").await;
    let alice = pool.token("alice", "read", &[]).await;
    let _handle = offered(wallet.clone(), vec![node.config(&alice)]).await;
    let gateway = node.api(&pool.token("market", "admin", &["wallet.sign"]).await);
    let (_served, at_wallet) = served(&wallet).await;
    let chain = Chain::new(&wallet, keys[0], keys[1]);
    let tokens = NodeTokens::new(vec![9; 32].into()).unwrap().like(FaceKind::Lotus);
    let face = Face::new(Devnet::clone(&chain.node), FaceKind::Lotus).with_keys(Arc::new(wallet));
    let server = face.listen(LOOPBACK, tokens.clone()).await.unwrap();
    let at_node = info(tokens.issue(Permissions::ALL).expose_secret(), "http", server.local_addr());

    let message = MessageRequest::transfer(keys[1], keys[0], TokenAmount::from_whole(1)).message;
    for (name, api) in [("lotusnode", &at_node), ("wallet", &at_wallet), ("gateway", &at_wallet)] {
        let kind: SignerKind = name.parse().unwrap();
        assert_eq!(kind.to_string(), name);
        let signer = open(kind, api, &gateway);
        assert!(soon("has", signer.has(&keys[1])).await.unwrap(), "{name}");
        assert!(
            !soon("has", signer.has(&Address::new_secp256k1(&[9; 65]).unwrap())).await.unwrap(),
            "{name}"
        );
        let signed = soon("signing", signer.sign_message(&message)).await.unwrap();
        let bytes = venus_core::types::MessageExt::cid(&signed.message).to_bytes();
        verify(&signed.signature, &keys[1], &bytes).unwrap();
    }
    let text = |error: SignerKindError| error.to_string();
    assert_eq!("ledger".parse::<SignerKind>().map_err(text), Err("unsupport signer type ledger".to_owned()));
    let refused = "signing through the venus-gateway cannot be used for market-client";
    assert_eq!(SignerKind::Gateway.for_market_client().map_err(text), Err(refused.to_owned()));
    server.shutdown().await;
}

/// A market client has its keys in a wallet and its chain behind a Venus node: it signs a deal, and pays.
#[tokio::test(flavor = "multi_thread")]
async fn seed_s13_a_market_client_deals_through_chain_services() {
    let (wallet, keys) = wallet(33).await;
    let chain = Chain::new(&wallet, keys[0], keys[1]);
    let (_served, at_wallet) = served(&wallet).await;
    let kind = "wallet".parse::<SignerKind>().unwrap().for_market_client().unwrap();
    let signer = open(kind, &at_wallet, "");
    let tokens = NodeTokens::new(vec![9; 32].into()).unwrap();
    let face = Face::new(Devnet::clone(&chain.node), FaceKind::Venus);
    let server = face.listen(LOOPBACK, tokens.clone()).await.unwrap();
    let api = info(tokens.issue(Permissions::ALL).expose_secret(), "ws", server.local_addr());
    let node = VenusNode::connect(&api, NodeConfig::default()).await.unwrap();

    let proposal = DealProposal {
        piece_cid: venus_core::types::Cid::try_from(
            [&[1, 0x81, 0xe2, 3, 0x92, 0x20, 32][..], &[7; 32]].concat(),
        )
        .unwrap(),
        piece_size: 2048,
        verified_deal: false,
        client: keys[1],
        provider: chain.node.miners()[0],
        label: DealLabel::Text("market client".to_owned()),
        start_epoch: 10_000,
        end_epoch: 600_000,
        storage_price_per_epoch: TokenAmount::from_atto(1),
        provider_collateral: TokenAmount::from_atto(0),
        client_collateral: TokenAmount::from_atto(0),
    };
    let bytes = proposal.to_cbor();
    let signature: Signature =
        soon("signing", signer.sign(&keys[1], &bytes, &MsgMeta::of(MsgType::DealProposal))).await.unwrap();
    verify(&signature, &keys[1], &bytes).unwrap();

    // A payment with the client's own key, through the node. (The devnet's market actor takes no escrow yet.)
    let to = Address::new_secp256k1(&[5; 65]).unwrap();
    let mut pay = MessageRequest::transfer(keys[1], to, TokenAmount::from_whole(2)).message;
    pay = venus_core::api::GasEstimator::estimate(&node, &pay, &Default::default()).await.unwrap();
    let signed = soon("signing", signer.sign_message(&pay)).await.unwrap();
    node.push(&signed).await.unwrap();
    for _ in 0..3 {
        chain.mine().await;
    }
    assert_eq!(node.balance(&to).await.unwrap(), TokenAmount::from_whole(2));
    node.shutdown().await;
    server.shutdown().await;
}
