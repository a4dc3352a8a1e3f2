#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
//! Lotus's remote wallet: a Lotus node without keys of its own, whose blocks and messages our wallet signs over a
//! socket. What signs is told what it signs, and recomputes the bytes.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use secrecy::{ExposeSecret, SecretString};
use serde_json::{Value, json};
use venus_core::api::{MessageRequest, Permissions, SearchOptions};
use venus_core::clock::ManualClock;
use venus_core::consensus::{election::win_count, vrf};
use venus_core::crypto::verify;
use venus_core::entropy::SeededEntropy;
use venus_core::json::{Json, JsonRef};
use venus_core::node::{LotusNode, NodeConfig};
use venus_core::prelude::*;
use venus_core::rpc::client::{ClientConfig, RpcClient};
use venus_core::rpc::{ApiInfo, Dialect};
use venus_core::types::{
    BlockMsg, BlockTemplate, ChainEpoch, ElectionProof, PostProof, Signature, Ticket, Tipset, address,
};
use venus_devnet::face::{Face, FaceKind, Tokens as NodeTokens};
use venus_devnet::{Devnet, DevnetConfig, FAKE_PROOF, GenesisAccount, GenesisMiner};
use venus_signer::remote::{RemoteOptions, RemoteSigner};
use venus_signer::server::{Claims, ServerConfig, Surroundings, Tokens, WalletServer, WalletService};
use venus_signer::{KeyType, LocalWallet, frc0102};

const LOOPBACK: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 0);

/// A wallet that serves Lotus nodes, and who may call it.
async fn wallet_server(wallet: &LocalWallet) -> (WalletServer, ApiInfo) {
    let tokens = Arc::new(Tokens::new(vec![7; 32].into()));
    let token = tokens.issue(&Claims::allowing(["read", "write", "sign", "admin"]));
    let service =
        WalletService::new(wallet.clone(), tokens.clone(), Default::default(), Surroundings::default());
    let server = WalletServer::new(service, tokens, ServerConfig::default()).unwrap();
    let at = server.listen_lotus(LOOPBACK).await.unwrap().local_addr();
    (server, info(&token, "http", at))
}

fn info(token: &SecretString, scheme: &str, at: SocketAddr) -> ApiInfo {
    format!("{}:{scheme}://{at}", token.expose_secret()).parse().unwrap()
}

/// A devnet whose time has come, so that nobody waits.
fn devnet(worker: Address, rich: Address) -> Devnet {
    let config = DevnetConfig {
        accounts: vec![GenesisAccount { address: rich, balance: TokenAmount::from_whole(1000) }],
        miners: vec![GenesisMiner { worker, owner: rich, ..GenesisMiner::default() }],
        ..DevnetConfig::default()
    };
    let clock = ManualClock::new(Duration::from_secs(config.genesis_timestamp + 1_000_000));
    Devnet::open(config, Arc::new(clock), None).unwrap()
}

/// The next epoch that the miner wins: VRF proofs are drawn by the wallet itself, as our miner does.
async fn won(node: &LotusNode, wallet: &LocalWallet, miner: Address, base: &Tipset) -> BlockTemplate {
    let network = node.network().await.unwrap();
    for epoch in base.height() + 1.. {
        let info = node.base_info(&miner, epoch, base.key()).await.unwrap().unwrap();
        let random = &info.randomness_base().data;
        let draw = vrf::election_input(epoch, &miner).params(random);
        let vrf_proof = wallet.draw_vrf(&info.worker_key, &draw).await.unwrap();
        let wins = win_count(&vrf_proof, &info.miner_power, &info.network_power);
        if wins == 0 {
            continue;
        }
        let draw = vrf::ticket_input(epoch, &miner, Some(base.min_ticket())).params(random);
        return BlockTemplate {
            miner,
            parents: base.key().clone(),
            ticket: Ticket { vrf_proof: wallet.draw_vrf(&info.worker_key, &draw).await.unwrap() },
            election_proof: ElectionProof { win_count: wins, vrf_proof },
            beacon_values: info.beacon_entries,
            messages: node.select_messages(base.key(), &[0.5]).await.unwrap().remove(0),
            epoch,
            timestamp: network.timestamp_of(epoch),
            winning_post_proof: vec![PostProof { post_proof: 0, proof_bytes: FAKE_PROOF.to_vec() }],
        };
    }
    unreachable!()
}

/// A block that the node made and had signed.
async fn mine(node: &LotusNode, wallet: &LocalWallet, miner: Address) -> BlockMsg {
    let base = node.head().await.unwrap();
    let template = won(node, wallet, miner, &base).await;
    let block = node.create_block(&template).await.unwrap();
    assert!(block.header.block_sig.is_some(), "a Lotus node signs");
    node.submit_block(&block).await.unwrap();
    assert_eq!(node.head().await.unwrap().cids(), [block.cid()]);
    block
}

#[tokio::test(flavor = "multi_thread")]
async fn signs_blocks_and_messages_of_a_lotus_node() {
    let (wallet, entropy) = (LocalWallet::in_memory(), SeededEntropy::new(5, "remote wallet"));
    let worker = wallet.generate(KeyType::Bls, &entropy).await.unwrap();
    let rich = wallet.generate(KeyType::Secp256k1, &entropy).await.unwrap();
    let (served, api) = wallet_server(&wallet).await;
    let keys = RemoteSigner::new(&api, Dialect::Upstream, RemoteOptions::default()).unwrap();

    let devnet = devnet(worker, rich);
    let tokens = NodeTokens::new(vec![9; 32].into()).unwrap().like(FaceKind::Lotus);
    let face = Face::new(devnet.clone(), FaceKind::Lotus).with_keys(Arc::new(keys.clone()));
    let server = face.listen(LOOPBACK, tokens.clone()).await.unwrap();
    let node = info(&tokens.issue(Permissions::ALL), "ws", server.local_addr());
    let lotus = LotusNode::connect(&node, NodeConfig::default()).await.unwrap();
    let client = ClientConfig::default().with_token(node.token.as_ref().unwrap());
    let url = format!("ws://{}/rpc/v1", server.local_addr());
    let cli = RpcClient::connect(&url, client).await.unwrap();

    let miner = devnet.miners()[0];
    let first: ChainEpoch = mine(&lotus, &wallet, miner).await.header.height;
    assert!(first > 0);

    // `lotus wallet list` and `lotus send`: the node asks the wallet, which has a word of its own on what it signs.
    let network = lotus.network().await.unwrap().address_network;
    let text = |a: &Address| address::format(a, network);
    let mut listed: Vec<String> = cli.call("Filecoin.WalletList", Some("[]")).await.unwrap();
    let mut expected = vec![text(&worker), text(&rich)];
    listed.sort();
    expected.sort();
    assert_eq!(listed, expected);
    let message = MessageRequest::transfer(rich, worker, TokenAmount::from_whole(2)).message;
    let params = json!([JsonRef(&message), Value::Null]);
    let signed: Json<SignedMessage> =
        cli.call("Filecoin.MpoolPushMessage", Some(&params.to_string())).await.unwrap();
    let signed = signed.0;
    assert_eq!((signed.message.to, &signed.message.value), (worker, &message.value));
    verify(&signed.signature, &rich, &signed.message.cid().to_bytes()).unwrap();
    let cid = signed.cid();
    for _ in 0..3 {
        mine(&lotus, &wallet, miner).await;
    }
    let found = lotus.search_message(&cid, &SearchOptions::default()).await.unwrap().unwrap();
    assert!(found.receipt.exit_code.is_success(), "{found:?}");

    // `lotus wallet sign` wraps its bytes, so that they mean nothing on chain.
    let wrapped = json!([text(&rich), base64(&frc0102::wrap(b"hello"))]);
    let signature: Json<Signature> =
        cli.call("Filecoin.WalletSign", Some(&wrapped.to_string())).await.unwrap();
    verify(&signature.0, &rich, &frc0102::wrap(b"hello")).unwrap();
    let nobody = json!([text(&Address::new_secp256k1(&[9; 65]).unwrap()), base64(b"hello")]);
    let refused = cli.call::<Value>("Filecoin.WalletSign", Some(&nobody.to_string())).await.unwrap_err();
    assert!(!refused.to_string().contains(api.token.as_ref().unwrap().expose()), "{refused}");

    // Without its wallet the node makes no block; the adapter does not take that for an answer.
    keys.shutdown().await;
    served.shutdown().await;
    let base = lotus.head().await.unwrap();
    let template = won(&lotus, &wallet, miner, &base).await;
    let made = lotus.create_block(&template).await;
    assert!(made.is_ok_and(|block| block.header.block_sig.is_none()), "the header is made here, unsigned");
    lotus.shutdown().await;
    server.shutdown().await;
}

/// As Go writes bytes.
fn base64(bytes: &[u8]) -> String {
    let json = serde_json::to_value(Json(bytes.to_vec())).unwrap();
    json.as_str().unwrap().to_owned()
}
