//! Provers and sealers that register, or cannot.

use venus_core::error::{Classify, ErrorKind};
use venus_core::types::Address;
use venus_core::types::gateway::{ConnectedCompleted, MarketConnectionState};
use venus_gateway::{Kind, Provider};

use super::home::*;

#[tokio::test(start_paused = true)]
async fn the_first_thing_a_prover_or_sealer_hears_is_that_it_is_registered() {
    let pool = Pool::plain();
    let mut prover = soon(pool.hub.listen_proof(who("alice", 1), miner(1000))).await.unwrap();
    let mut sealer = soon(pool.hub.listen_market(who("alice", 1), miner(1000))).await.unwrap();
    for events in [&mut prover, &mut sealer] {
        let first = soon(events.next()).await.unwrap();
        assert_eq!(first.method, "InitConnect");
        let done: ConnectedCompleted = serde_json::from_slice(&first.payload).unwrap();
        assert_eq!(done.channel_id, events.channel());
    }
    assert_eq!(pool.hub.miners(), [miner(1000)]);
    let state = pool.hub.miner(&miner(1000)).unwrap();
    assert_eq!((state.connection_count, state.connections[0].channel_id), (1, prover.channel()));
    assert_eq!(state.connections[0].ip, "10.0.0.1:4000");
    let [MarketConnectionState { addr, conn }] = &pool.hub.markets()[..] else { panic!() };
    assert_eq!((*addr, conn.connections[0].channel_id), (miner(1000), sealer.channel()));
    drop((prover, sealer));
    assert!(pool.hub.miners().is_empty() && pool.hub.markets().is_empty());
    let gone = pool.hub.miner(&miner(1000)).unwrap_err();
    assert_eq!(gone.to_string(), "miner f01000 not exit");
}

#[tokio::test(start_paused = true)]
async fn only_the_owner_of_a_miner_may_serve_it_and_the_texts_are_those_of_go() {
    let pool = Pool::plain();
    let key = Address::new_secp256k1(&[4; 65]).unwrap();
    let text = |miner: Address| {
        format!(
            "verify miner:{miner} failed:miner:{miner} not exist in user:alice, please bind it on 'sophon-auth'"
        )
    };
    for foreign in [miner(2000), miner(3000), key] {
        let refused = soon(pool.hub.listen_proof(who("alice", 1), foreign)).await.unwrap_err();
        assert_eq!((refused.to_string(), refused.kind()), (text(foreign), ErrorKind::Denied));
        let refused = soon(pool.hub.listen_market(who("alice", 1), foreign)).await.unwrap_err();
        assert_eq!((refused.to_string(), refused.kind()), (text(foreign), ErrorKind::Denied));
    }
    let nobody = soon(pool.hub.listen_proof(who("", 1), miner(1000))).await.unwrap_err();
    assert_eq!(nobody.to_string(), "user name not exist in rpc context");
    let nowhere = Provider { remote: None, ..who("alice", 1) };
    let refused = soon(pool.hub.listen_market(nowhere, miner(1000))).await.unwrap_err();
    assert_eq!(refused.to_string(), "ip not exist");
    assert!(pool.hub.miners().is_empty() && pool.hub.markets().is_empty());
    let failures = pool.hub.failures();
    assert_eq!(failures.iter().filter(|f| f.account == "alice" && f.kind == Kind::Proof).count(), 3);
}

#[tokio::test(start_paused = true)]
async fn one_socket_may_hold_many_channels_and_each_ends_alone() {
    let pool = Pool::plain();
    let mut channels = Vec::new();
    for id in 1000..1010 {
        let miner = venus_core::api::AccountMiner { miner: miner(id), open_mining: true };
        pool.accounts.bind_miner("alice", miner).unwrap();
        channels.push(soon(pool.hub.listen_proof(who("alice", 1), miner.miner)).await.unwrap());
        channels.push(soon(pool.hub.listen_market(who("alice", 1), miner.miner)).await.unwrap());
    }
    assert_eq!(pool.hub.miners(), (1000..1010).map(miner).collect::<Vec<_>>());
    assert_eq!(pool.hub.markets().len(), 10);
    channels.truncate(2);
    assert_eq!(pool.hub.miners(), [miner(1000)]);
    assert_eq!(pool.hub.markets().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn several_provers_of_one_miner_are_listed_in_the_order_they_came() {
    let pool = Pool::plain();
    let first = soon(pool.hub.listen_proof(who("alice", 1), miner(1000))).await.unwrap();
    let second = soon(pool.hub.listen_proof(who("alice", 2), miner(1000))).await.unwrap();
    let state = pool.hub.miner(&miner(1000)).unwrap();
    let ids: Vec<_> = state.connections.iter().map(|connection| connection.channel_id).collect();
    assert_eq!((state.connection_count, ids), (2, vec![first.channel(), second.channel()]));
}
