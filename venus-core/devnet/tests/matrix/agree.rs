//! What is asked over the wire is answered as in the process.

use std::fmt::Debug;
use std::sync::Arc;

use venus_core::api::{ChainError, MessagePool, NullRound, PledgeSpec, SearchOptions};
use venus_core::error::{Classify, ErrorKind};
use venus_core::node::FullNode;
use venus_core::types::{Address, BitField, Cid, Tipset, TipsetKey};

use crate::net::{ADAPTERS, FACES, Net};
use crate::support::World;

/// Answers are equal, or errors of the same kind.
#[track_caller]
fn same<T: Debug + PartialEq>(
    here: Result<T, ChainError>,
    there: Result<T, ChainError>,
    what: &str,
) -> Option<T> {
    match (here, there) {
        (Ok(here), Ok(there)) => {
            assert_eq!(here, there, "{what}");
            Some(here)
        }
        (Err(here), Err(there)) => {
            assert_eq!(here.kind(), there.kind(), "{what}: {here:?}, over the wire {there:?}");
            None
        }
        (here, there) => panic!("{what}: {here:?}, over the wire {there:?}"),
    }
}

macro_rules! same {
    ($here:expr, $there:expr, $method:ident($($arg:expr),*)) => {
        same($here.$method($($arg),*).await, $there.$method($($arg),*).await, stringify!($method))
    };
}

async fn compare(net: &Net, there: &dyn FullNode) {
    let here: &dyn FullNode = &net.world.devnet;
    let head = same!(here, there, head()).unwrap();
    let mut tipset = head.clone();
    loop {
        chain(here, there, &tipset, &head).await;
        state(net, here, there, tipset.key()).await;
        miners(net, here, there, tipset.key()).await;
        if tipset.height() == 0 {
            break;
        }
        tipset = same!(here, there, tipset(&tipset.parents())).unwrap();
    }
    same!(here, there, network());
    same!(here, there, genesis());
    same!(here, there, pending());
    let nowhere = TipsetKey::from(vec![*head.parent_state()]);
    miners(net, here, there, &nowhere).await;
    // A node has executed nothing for anybody at its head, so it is the head by its name that is asked for.
    market(net, here, there, head.key()).await;
}

async fn chain(here: &dyn FullNode, there: &dyn FullNode, tipset: &Arc<Tipset>, head: &Arc<Tipset>) {
    for height in [tipset.height(), tipset.height() - 1, tipset.height() + 1] {
        for null in [NullRound::Before, NullRound::After] {
            same!(here, there, tipset_at(height, head.key(), null));
        }
    }
    for cid in tipset.cids() {
        same!(here, there, block(cid));
        same!(here, there, block_messages(cid));
        same!(here, there, parent_messages(cid));
        same!(here, there, parent_receipts(cid));
    }
    let messages: Vec<(Cid, _)> = same!(here, there, tipset_messages(tipset.key())).unwrap();
    for (cid, message) in messages {
        same!(here, there, message(&cid));
        for options in [
            SearchOptions::default(),
            SearchOptions { from: tipset.key().clone(), ..SearchOptions::default() },
        ] {
            let (a, b) =
                (here.search_message(&cid, &options).await, there.search_message(&cid, &options).await);
            same(a, b, "search_message");
        }
        assert_eq!(
            here.next_nonce(&message.from).await.unwrap(),
            there.next_nonce(&message.from).await.unwrap()
        );
    }
    same!(here, there, path(tipset.key(), head.key()));
    same!(here, there, path(head.key(), tipset.key()));
}

fn addresses(net: &Net) -> Vec<Address> {
    let world = &net.world;
    let mut all = vec![world.bls, world.secp, Address::new_id(0), Address::new_id(2), Address::new_id(99)];
    all.extend(world.devnet.miners());
    all.extend([Address::new_id(100), Address::new_id(1 << 40), Address::new_secp256k1(&[9; 65]).unwrap()]);
    all
}

async fn state(net: &Net, here: &dyn FullNode, there: &dyn FullNode, at: &TipsetKey) {
    for address in addresses(net) {
        same!(here, there, actor(&address, at));
        same!(here, there, lookup_id(&address, at));
        same!(here, there, account_key(&address, at));
    }
}

async fn miners(net: &Net, here: &dyn FullNode, there: &dyn FullNode, at: &TipsetKey) {
    let stranger = Address::new_id(1 << 40);
    for miner in net.world.devnet.miners().iter().chain([&stranger]) {
        same!(here, there, info(miner, at));
        same!(here, there, power(miner, at));
        same!(here, there, available_balance(miner, at));
        same!(here, there, proving_deadline(miner, at));
        same!(here, there, deadlines(miner, at));
        for deadline in [0, 1, 47, 48] {
            same!(here, there, partitions(miner, deadline, at));
        }
        same!(here, there, all_partitions(miner, at));
        same!(here, there, faults(miner, at));
        same!(here, there, recoveries(miner, at));
        same!(here, there, active_sectors(miner, at));
        same!(here, there, sector_count(miner, at));
        let some = BitField::try_from_bits([0u64, 1, 77]).unwrap();
        same!(here, there, sectors(miner, None, at));
        same!(here, there, sectors(miner, Some(&some), at));
        for number in [0, 1, 77] {
            same!(here, there, sector(miner, number, at));
            same!(here, there, precommit(miner, number, at));
            same!(here, there, is_allocated(miner, number, at));
            same!(here, there, sector_location(miner, number, at));
            same!(here, there, sector_expiration(miner, number, at));
        }
        let epoch = net.world.head().await.height() + 1;
        same!(here, there, base_info(miner, epoch, at));
    }
    let pledge = PledgeSpec { duration: 540 * 2880, sector_size: 2048, verified_size: 0 };
    same!(here, there, initial_pledge(&pledge, at));
}

async fn market(net: &Net, here: &dyn FullNode, there: &dyn FullNode, at: &TipsetKey) {
    for address in addresses(net) {
        same!(here, there, market_balance(&address, at));
        same!(here, there, datacap(&address, at));
        same!(here, there, allocations(&address, at));
        same!(here, there, claims(&address, at));
    }
    same!(here, there, deal(1, at));
    same!(here, there, collateral_bounds(2048, true, at));
    same!(here, there, allocation_for_deal(1, at));
}

#[tokio::test]
async fn on_every_face_by_every_adapter() {
    for face in FACES {
        let net = Net::with_keys(World::new(51, 3), face).await;
        net.world.history(2).await;
        net.world.send(net.world.secp, net.world.bls, 2).await;
        for way in ADAPTERS {
            compare(&net, &*net.node(way).await).await;
        }
    }
}

/// Answers come although sockets break all the time.
#[tokio::test]
async fn while_sockets_break() {
    for face in FACES {
        let mut net = Net::with_keys(World::new(52, 2), face).await;
        net.world.history(2).await;
        for way in ADAPTERS {
            broken(&net, &*net.node(way).await).await;
            net.restart().await;
        }
    }
}

async fn broken(net: &Net, node: &dyn FullNode) {
    let world = &net.world;
    let mut tipset = world.head().await;
    while tipset.height() > 0 {
        net.link.cut();
        let parent = node.tipset(&tipset.parents()).await;
        tipset = parent.unwrap_or_else(|e| panic!("{}: {e:?}", e.kind() == ErrorKind::Transient));
        net.link.cut();
        assert_eq!(node.head().await.unwrap(), world.head().await);
    }
    let nonce = world.devnet.next_nonce(&world.bls).await.unwrap();
    let message = world.transfer(world.bls, world.secp, nonce).await;
    net.link.cut();
    assert_eq!(node.push(&message).await.unwrap(), message.cid());
    net.link.cut();
    assert_eq!(node.push(&message).await.unwrap(), message.cid());
    assert_eq!(world.devnet.pending().await.unwrap(), [message]);
    world.extend().await;
}
