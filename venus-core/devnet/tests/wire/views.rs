//! What is read in process is what is read over a socket, whichever node the face looks like.

use venus_core::api::{
    BlockProducer, ChainReader, GasEstimator, GasSpec, MessagePool, NullRound, SearchOptions, StateReader,
};
use venus_core::node::{ForestNode, FullNode, LotusNode, NodeConfig, NodeKind, VenusNode};
use venus_core::rpc::ApiInfo;
use venus_core::types::{MessageExt, TipsetKey};
use venus_devnet::face::FaceKind;

use crate::served::{Served, world};

async fn served(kind: FaceKind) -> (Served, ApiInfo) {
    let world = world(7);
    world.extend_to(3).await;
    world.send(world.bls, world.secp, 2).await;
    world.send(world.secp, world.bls, 1).await;
    world.extend().await;
    world.extend().await;
    world.send(world.bls, world.secp, 1).await;
    let served = Served::new(world, kind).await;
    let token = served.token(venus_core::api::Permissions::ALL);
    let info =
        format!("{token}:/ip4/127.0.0.1/tcp/{}/ws", served.server.local_addr().port()).parse().unwrap();
    (served, info)
}

#[tokio::test]
async fn lotus() {
    let (served, info) = served(FaceKind::Lotus).await;
    let node = LotusNode::connect(&info, NodeConfig::default()).await.unwrap();
    assert_eq!(node.kind(), NodeKind::Lotus);
    agree(&served, &node).await;
}

#[tokio::test]
async fn venus() {
    let (served, info) = served(FaceKind::Venus).await;
    let node = VenusNode::connect(&info, NodeConfig::default()).await.unwrap();
    assert_eq!(node.kind(), NodeKind::Venus);
    agree(&served, &node).await;
}

#[tokio::test]
async fn forest() {
    let (served, info) = served(FaceKind::Forest).await;
    let node = ForestNode::connect(&info, NodeConfig::default()).await.unwrap();
    assert_eq!(node.kind(), NodeKind::Forest);
    agree(&served, &node).await;
}

async fn agree(served: &Served, node: &impl FullNode) {
    chain(served, node).await;
    messages(served, node).await;
    blocks(served, node).await;
}

async fn chain(served: &Served, node: &impl FullNode) {
    let devnet = &served.world.devnet;
    let head = devnet.head().await.unwrap();
    assert_eq!(node.head().await.unwrap(), head);
    assert_eq!(node.genesis().await.unwrap(), devnet.genesis().await.unwrap());
    assert_eq!(node.network().await.unwrap(), devnet.network().await.unwrap());
    for height in 0..=head.height() {
        for null in [NullRound::Before, NullRound::After] {
            let ours = devnet.tipset_at(height, head.key(), null).await.unwrap();
            assert_eq!(node.tipset_at(height, head.key(), null).await.unwrap(), ours);
            assert_eq!(node.tipset(ours.key()).await.unwrap(), ours);
            for cid in ours.cids() {
                assert_eq!(node.block(cid).await.unwrap(), devnet.block(cid).await.unwrap());
                assert_eq!(
                    node.block_messages(cid).await.unwrap(),
                    devnet.block_messages(cid).await.unwrap()
                );
                assert_eq!(
                    node.parent_messages(cid).await.unwrap(),
                    devnet.parent_messages(cid).await.unwrap()
                );
                assert_eq!(
                    node.parent_receipts(cid).await.unwrap(),
                    devnet.parent_receipts(cid).await.unwrap()
                );
            }
            assert_eq!(
                node.tipset_messages(ours.key()).await.unwrap(),
                devnet.tipset_messages(ours.key()).await.unwrap()
            );
            assert_eq!(
                node.path(ours.key(), head.key()).await.unwrap(),
                devnet.path(ours.key(), head.key()).await.unwrap()
            );
        }
    }
    let nowhere = TipsetKey::from(vec![venus_core::types::blake2b_cid(b"nowhere")]);
    let (ours, theirs) = (devnet.tipset(&nowhere).await, node.tipset(&nowhere).await);
    assert_eq!(ours.unwrap_err().to_string(), theirs.unwrap_err().to_string());
}

async fn messages(served: &Served, node: &impl FullNode) {
    let (devnet, world) = (&served.world.devnet, &served.world);
    let head = devnet.head().await.unwrap();
    assert_eq!(node.pending().await.unwrap(), devnet.pending().await.unwrap());
    for address in [world.bls, world.secp] {
        assert_eq!(node.next_nonce(&address).await.unwrap(), devnet.next_nonce(&address).await.unwrap());
        assert_eq!(
            node.actor(&address, head.key()).await.unwrap(),
            devnet.actor(&address, head.key()).await.unwrap()
        );
        let id = devnet.lookup_id(&address, head.key()).await.unwrap();
        assert_eq!(node.lookup_id(&address, head.key()).await.unwrap(), id);
        assert_eq!(node.account_key(&id, head.key()).await.unwrap(), address);
    }
    let on_chain = devnet.tipset_messages(&head.parents()).await.unwrap();
    assert!(!on_chain.is_empty());
    for (cid, message) in on_chain {
        let options = SearchOptions::default();
        let lookup = devnet.search_message(&cid, &options).await.unwrap();
        assert!(lookup.is_some());
        assert_eq!(node.search_message(&cid, &options).await.unwrap(), lookup);
        assert_eq!(node.message(&cid).await.unwrap(), message);
        assert_eq!(node.message(&message.cid()).await.unwrap(), message);
    }
    let fresh = world.transfer(world.secp, world.bls, devnet.next_nonce(&world.secp).await.unwrap()).await;
    let mut plain = fresh.message.clone();
    (plain.gas_limit, plain.gas_fee_cap, plain.gas_premium) = Default::default();
    let ours = devnet.estimate(&plain, &GasSpec::default()).await.unwrap();
    assert_eq!(node.estimate(&plain, &GasSpec::default()).await.unwrap(), ours);
    assert_eq!(node.push(&fresh).await.unwrap(), fresh.cid());
    assert_eq!(node.push(&fresh).await.unwrap(), fresh.cid());
    assert!(devnet.pending().await.unwrap().contains(&fresh));
}

async fn blocks(served: &Served, node: &impl FullNode) {
    let (devnet, world) = (&served.world.devnet, &served.world);
    let base = devnet.head().await.unwrap();
    let mut epoch = base.height() + 1;
    let (template, info) = loop {
        if let Some(won) = world.template(devnet.miners()[1], epoch, &base).await {
            break won;
        }
        epoch += 1;
    };
    assert_eq!(node.base_info(&template.miner, epoch, base.key()).await.unwrap().as_ref(), Some(&info));
    let quality = [0.9];
    let selected = devnet.select_messages(base.key(), &quality).await.unwrap();
    assert_eq!(node.select_messages(base.key(), &quality).await.unwrap(), selected);
    let template = venus_core::types::BlockTemplate { messages: selected[0].clone(), ..template };
    assert!(!template.messages.is_empty());
    let ours = devnet.create_block(&template).await.unwrap();
    let mut made = node.create_block(&template).await.unwrap();
    if made.header.block_sig.is_none() {
        world.sign(&mut made, &info.worker_key).await;
    }
    let unsigned = venus_core::types::BlockHeader { block_sig: None, ..made.header.clone() };
    assert_eq!(unsigned, ours.header);
    world.at(epoch);
    node.submit_block(&made).await.unwrap();
    assert_eq!(node.head().await.unwrap().cids(), [made.cid()]);
    assert_eq!(node.head().await.unwrap(), devnet.head().await.unwrap());
}
