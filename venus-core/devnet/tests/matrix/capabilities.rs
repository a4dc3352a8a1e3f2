//! What the faces can do, as adapters find out.

use venus_core::api::{GasEstimator, GasSpec, MessageRequest};
use venus_core::node::{Flavour, Forest, FullNode, Lotus, NodeKind, RpcNode, Venus};
use venus_core::types::{Address, BlockMsg, Message, TokenAmount};
use venus_devnet::face::FaceKind;

use crate::net::Net;
use crate::support::{World, fil};

/// What an adapter finds out about a face.
#[derive(Debug, PartialEq)]
struct Found {
    /// What the node says it is.
    kind: NodeKind,
    /// Methods that it does not have, and that others stand in for.
    missing: Vec<&'static str>,
    /// Whether a batch is estimated message on message, so that the sum must be affordable.
    executes_batches: bool,
    /// Whether blocks come signed from a node that has the keys.
    signs_blocks: bool,
}

/// The same for all adapters: what a node is decides, not what it is spoken to as.
fn expected(face: FaceKind) -> Found {
    let not_of_venus = vec!["Filecoin.GasBatchEstimateMessageGas", "Filecoin.MpoolSelects"];
    match face {
        FaceKind::Lotus => Found {
            kind: NodeKind::Lotus,
            missing: not_of_venus,
            executes_batches: false,
            signs_blocks: true,
        },
        FaceKind::Venus => {
            Found { kind: NodeKind::Venus, missing: vec![], executes_batches: true, signs_blocks: true }
        }
        FaceKind::Forest => Found {
            kind: NodeKind::Forest,
            missing: not_of_venus,
            executes_batches: false,
            signs_blocks: true,
        },
    }
}

async fn find<F: Flavour>(net: &Net) -> Found {
    let world = &net.world;
    let node: RpcNode<F> = net.adapter("ws").await;
    // More together than the account has.
    let half = |to| -> (Message, GasSpec) {
        (MessageRequest::transfer(world.secp, to, fil(600)).message, GasSpec::default())
    };
    let estimates = node.estimate_many(&[half(world.bls), half(world.secp)]).await;
    assert!(estimates[0].is_ok(), "{estimates:?}");
    let block = block(world, &node).await;
    Found {
        kind: node.kind(),
        missing: node.missing_methods(),
        executes_batches: estimates[1].is_err(),
        signs_blocks: block.header.block_sig.is_some(),
    }
}

async fn block(world: &World, node: &dyn FullNode) -> BlockMsg {
    let base = world.head().await;
    for epoch in base.height() + 1.. {
        world.at(epoch);
        let miner: Address = world.devnet.miners()[0];
        let Some((mut template, _)) = world.template(miner, epoch, &base).await else { continue };
        let mut lists = node.select_messages(base.key(), &[0.9, 0.1]).await.unwrap();
        template.messages = lists.remove(0);
        return node.create_block(&template).await.unwrap();
    }
    unreachable!()
}

#[tokio::test]
async fn are_what_is_expected() {
    for face in crate::net::FACES {
        let net = Net::with_keys(World::new(41, 2), face).await;
        net.world.history(2).await;
        let found = [find::<Lotus>(&net).await, find::<Venus>(&net).await, find::<Forest>(&net).await];
        for (by, found) in ["LotusNode", "VenusNode", "ForestNode"].iter().zip(found) {
            assert_eq!(found, expected(face), "{by} at a {face:?} face");
        }
    }
}

/// What the node answers for the same question, whoever asks.
#[tokio::test]
async fn estimates_are_alike() {
    let mut all = Vec::new();
    for face in crate::net::FACES {
        let net = Net::with_keys(World::new(42, 2), face).await;
        net.world.history(2).await;
        let message =
            MessageRequest::transfer(net.world.bls, net.world.secp, TokenAmount::from_atto(1)).message;
        let lotus: RpcNode<Lotus> = net.adapter("ws").await;
        let venus: RpcNode<Venus> = net.adapter("http").await;
        all.push(lotus.estimate(&message, &GasSpec::default()).await.unwrap());
        all.push(venus.estimate(&message, &GasSpec::default()).await.unwrap());
        all.push(net.world.devnet.estimate(&message, &GasSpec::default()).await.unwrap());
    }
    assert!(all.iter().all(|filled| filled.gas_limit == all[0].gas_limit), "{all:?}");
}
