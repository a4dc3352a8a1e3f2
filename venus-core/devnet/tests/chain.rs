//! Chains from genesis to some height.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod support;

use std::collections::HashMap;

use support::{World, fil};
use venus_core::api::{
    BlockProducer, ChainReader, MessagePool, NullRound, SearchOptions, SignerExt, StateReader,
};
use venus_core::consensus::ticket::sort_key;
use venus_core::types::{Address, BlockMsg, ChainEpoch, Tipset, TipsetKey, TokenAmount};
use venus_devnet::{Devnet, DevnetConfig, DevnetError, ForkSpec};

/// Mines to a height with messages of two senders in each epoch.
async fn busy(seed: u64, height: ChainEpoch) -> World {
    let world = World::new(seed, 3);
    let stranger = Address::new_secp256k1(&[seed as u8; 65]).unwrap();
    for epoch in 1..=height {
        world.send(world.bls, world.secp, 2).await;
        world.send(world.secp, stranger, 1).await;
        world.mine(epoch).await;
    }
    world
}

async fn walk(world: &World) -> Vec<std::sync::Arc<Tipset>> {
    let mut tipsets = vec![world.head().await];
    while tipsets.last().unwrap().height() > 0 {
        let parents = tipsets.last().unwrap().parents();
        tipsets.push(world.devnet.tipset(&parents).await.unwrap());
    }
    tipsets
}

#[tokio::test]
async fn fifty_epochs_with_three_miners() {
    let world = busy(31, 50).await;
    world.extend().await;
    let tipsets = walk(&world).await;
    let most = tipsets.iter().map(|t| t.blocks().len()).max().unwrap();
    assert_eq!(most, 3, "three miners make tipsets of three blocks");
    let mut landed = HashMap::new();
    for tipset in &tipsets {
        for (cid, message) in world.devnet.tipset_messages(tipset.key()).await.unwrap() {
            assert_eq!(landed.insert((message.from, message.sequence), cid), None, "a nonce is used once");
        }
    }
    assert_eq!(landed.len(), 150, "everything that was sent landed");
    assert_eq!((world.nonce(&world.bls).await, world.nonce(&world.secp).await), (100, 50));
    let stats = world.devnet.stats();
    assert_eq!((stats.reorgs, stats.pending), (0, 0));
    assert_eq!(stats.blocks as usize, tipsets.iter().map(|t| t.blocks().len()).sum::<usize>() - 1);
    let rewards: Vec<TokenAmount> = {
        let mut rewards = Vec::new();
        for miner in world.devnet.miners() {
            rewards.push(world.devnet.balance(&miner).await.unwrap());
        }
        rewards
    };
    assert!(rewards.iter().all(TokenAmount::is_positive), "every miner earned: {rewards:?}");
    world.devnet.check_supply().unwrap();
}

#[tokio::test]
async fn receipts_and_lookups_belong_together() {
    let world = World::new(34, 2);
    let sent = world.send(world.secp, world.bls, 4).await;
    let tipset = world.extend().await;
    let early = world.devnet.search_message(&sent[0].cid(), &SearchOptions::default()).await.unwrap();
    assert_eq!(early, None, "included is not executed");
    let child = world.extend().await;
    for signed in &sent {
        let found = world.devnet.search_message(&signed.cid(), &SearchOptions::default()).await.unwrap();
        let found = found.unwrap();
        assert_eq!((found.message, found.height), (signed.cid(), child.height()));
        assert!(found.receipt.exit_code.is_success() && found.receipt.gas_used > 0);
    }
    let near = SearchOptions { lookback: Some(0), ..SearchOptions::default() };
    assert!(world.devnet.search_message(&sent[0].cid(), &near).await.unwrap().is_some());
    world.extend().await;
    assert_eq!(world.devnet.search_message(&sent[0].cid(), &near).await.unwrap(), None);
    let before = world.devnet.actor(&world.bls, tipset.key()).await.unwrap().unwrap();
    let after = world.devnet.actor(&world.bls, child.key()).await.unwrap().unwrap();
    assert_eq!(after.balance - before.balance, TokenAmount::from_atto(28));
}

#[tokio::test]
async fn null_rounds_carry_their_beacon_entries_and_keep_time() {
    let world = World::new(35, 3);
    world.extend().await;
    let base = world.head().await;
    // More null rounds than the lookback is long: real networks would halt here.
    let mut epoch = base.height() + 25;
    while world.mine(epoch).await == 0 {
        epoch += 1;
    }
    let head = world.head().await;
    let entries = &head.blocks()[0].beacon_entries;
    let rounds: Vec<u64> = entries.iter().map(|e| e.round).collect();
    let expected: Vec<u64> = (base.height() + 1..=epoch).map(|e| e as u64 + 100).collect();
    assert_eq!(rounds, expected);
    assert_eq!(head.min_timestamp(), support::GENESIS + epoch as u64 * support::DELAY);
    let at = async |null| {
        let at = world.devnet.tipset_at(base.height() + 3, &TipsetKey::default(), null).await;
        at.unwrap().height()
    };
    assert_eq!((at(NullRound::Before).await, at(NullRound::After).await), (base.height(), epoch));
    let miner = world.devnet.miners()[0];
    let too_far = world.devnet.base_info(&miner, epoch + 8193, head.key()).await;
    assert!(too_far.is_err());
    assert!(world.devnet.base_info(&miner, epoch + 8192, head.key()).await.unwrap().is_some());
    assert!(world.devnet.base_info(&miner, epoch, head.key()).await.is_err());
}

#[tokio::test]
async fn a_block_of_the_same_epoch_widens_the_head() {
    let world = World::new(36, 4);
    let base = world.head().await;
    let mut epoch = 1;
    let blocks = loop {
        let blocks = world.blocks(epoch, &base).await;
        if blocks.len() > 2 {
            break blocks;
        }
        epoch += 1;
    };
    let mut keys = Vec::new();
    for (n, block) in blocks.iter().enumerate() {
        world.devnet.submit_block(block).await.unwrap();
        let head = world.head().await;
        assert_eq!(head.blocks().len(), n + 1);
        keys.push(head.key().clone());
    }
    assert_eq!(world.devnet.stats().reorgs, 0);
    // Narrower tipsets of the same blocks can still be asked for and built on.
    assert_eq!(world.devnet.tipset(&keys[0]).await.unwrap().blocks().len(), 1);
    let change = world.devnet.path(&keys[0], &keys[1]).await.unwrap();
    assert_eq!((change.revert.len(), change.apply.len()), (1, 1));
}

#[tokio::test]
async fn the_order_of_siblings_does_not_matter() {
    let mut heads = Vec::new();
    for order in [[0, 1, 2], [2, 1, 0], [1, 2, 0]] {
        let world = World::new(37, 3);
        world.send(world.bls, world.secp, 3).await;
        let blocks = world.blocks_of(3).await;
        for i in order {
            world.devnet.submit_block(&blocks[i]).await.unwrap();
        }
        world.extend().await;
        heads.push(world.head().await);
    }
    assert_eq!(heads[0], heads[1]);
    assert_eq!(heads[0], heads[2]);
}

#[tokio::test]
async fn a_fork_reverts_tipsets_and_messages_wait_again() {
    let world = World::new(38, 4);
    let rival = world.devnet.miners()[3];
    world.extend_without(&rival).await;
    let ancestor = world.head().await;
    let sent = world.send(world.bls, world.secp, 3).await;
    world.extend_without(&rival).await;
    world.extend_without(&rival).await;
    let old = world.head().await;
    assert_eq!(world.nonce(&world.bls).await, 3);

    let spec = ForkSpec { depth: 2, producer: rival };
    let report = world.devnet.fork(spec, &*world.signer, &world.clock).await.unwrap();
    assert_eq!((&report.ancestor, &report.old_head), (ancestor.key(), old.key()));
    assert_eq!(*world.head().await.key(), report.new_head);
    assert_eq!(world.devnet.stats().reorgs, 1);
    assert_eq!(world.nonce(&world.bls).await, 0);
    assert_eq!(world.devnet.pending().await.unwrap(), sent, "reverted messages wait again");
    let cid = sent[0].cid();
    assert_eq!(world.devnet.search_message(&cid, &SearchOptions::default()).await.unwrap(), None);
    let on_old = SearchOptions { from: old.key().clone(), ..SearchOptions::default() };
    assert!(world.devnet.search_message(&cid, &on_old).await.unwrap().is_some());

    world.extend().await;
    world.extend().await;
    assert_eq!(world.nonce(&world.bls).await, 3);
    assert!(world.devnet.search_message(&cid, &SearchOptions::default()).await.unwrap().is_some());
    world.devnet.check_supply().unwrap();
}

#[tokio::test]
async fn a_fork_asked_for_again_makes_the_same_blocks() {
    let mut heads = Vec::new();
    for interrupted in [false, true] {
        let world = World::new(39, 4);
        let rival = world.devnet.miners()[3];
        for _ in 0..3 {
            world.extend_without(&rival).await;
        }
        if interrupted {
            // The first block of the branch got out before the crash.
            let base = world.devnet.tipset(&world.head().await.parents()).await.unwrap();
            let base = world.devnet.tipset(&base.parents()).await.unwrap();
            for epoch in base.height() + 1.. {
                if let Some((template, info)) = world.template(rival, epoch, &base).await {
                    let mut block = world.devnet.create_block(&template).await.unwrap();
                    world.sign(&mut block, &info.worker_key).await;
                    world.at(epoch);
                    world.devnet.submit_block(&block).await.unwrap();
                    break;
                }
            }
        }
        let spec = ForkSpec { depth: 2, producer: rival };
        heads.push(world.devnet.fork(spec, &*world.signer, &world.clock).await.unwrap());
    }
    assert_eq!(heads[0], heads[1]);
}

#[tokio::test]
async fn forks_that_cannot_be_made() {
    let world = World::new(40, 2);
    world.extend().await;
    let producer = world.devnet.miners()[0];
    for (depth, producer) in [(0, producer), (2, producer), (1, world.bls), (1, Address::new_id(5))] {
        let spec = ForkSpec { depth, producer };
        let result = world.devnet.fork(spec, &*world.signer, &world.clock).await;
        assert!(matches!(result, Err(DevnetError::Fork(_))), "{result:?}");
    }
    let empty = venus_core::testing::doubles::TestSigner::new(0);
    let result = world.devnet.fork(ForkSpec { depth: 1, producer }, &empty, &world.clock).await;
    assert!(matches!(result, Err(DevnetError::Signer(_))), "{result:?}");
}

#[tokio::test]
async fn old_states_are_computed_again() {
    let mut world = World::new(41, 2);
    let config = DevnetConfig { states_in_memory: 1, ..world.config.clone() };
    world.devnet = Devnet::open(config, std::sync::Arc::new(world.clock.clone()), None).unwrap();
    let mut nonces = Vec::new();
    for _ in 0..60 {
        world.send(world.bls, world.secp, 1).await;
        let tipset = world.extend().await;
        nonces.push((tipset.key().clone(), nonces.len() as u64));
    }
    for (key, nonce) in nonces.iter().rev().step_by(7).chain(&nonces) {
        let actor = world.devnet.actor(&world.bls, key).await.unwrap().unwrap();
        assert_eq!(actor.nonce, *nonce);
    }
}

#[tokio::test]
async fn rewards_and_tips_reach_the_miner() {
    let world = World::new(42, 1);
    let sent = world.send(world.secp, world.bls, 2).await;
    let tipset = world.extend().await;
    let miner = world.devnet.miners()[0];
    let wins = tipset.blocks()[0].election_proof.as_ref().unwrap().win_count;
    let tips: TokenAmount = sent.iter().map(|m| &m.message.gas_premium * m.message.gas_limit).sum();
    let reward = (fil(36) * wins).div_floor(5);
    // Each of its sectors pledges an attoFIL from the beginning.
    let pledge = TokenAmount::from_atto(world.config.miners[0].sectors);
    assert_eq!(world.devnet.balance(&miner).await.unwrap(), pledge + reward + tips);
}

#[tokio::test]
async fn a_dropped_node_ends_its_streams() {
    use futures::StreamExt;
    use venus_core::api::{HeadEvent, HeadFeed, Resume};
    let World { devnet, .. } = World::new(43, 1);
    let mut heads = devnet.heads(Resume::Head);
    assert!(matches!(heads.next().await, Some(Ok(HeadEvent::Current(_)))));
    drop(devnet);
    assert!(heads.next().await.is_none());
}

#[tokio::test]
async fn messages_signed_with_the_wrong_key_get_nowhere() {
    let world = World::new(44, 1);
    let mut signed = world.transfer(world.bls, world.secp, 0).await;
    let other =
        world.signer.sign_message(&world.transfer(world.secp, world.bls, 0).await.message).await.unwrap();
    signed.signature = other.signature;
    assert!(world.devnet.push(&signed).await.is_err());
    assert!(world.devnet.pending().await.unwrap().is_empty());
}

#[tokio::test]
async fn messages_in_two_blocks_of_a_tipset_are_executed_once() {
    let world = World::new(45, 3);
    let sent = world.send(world.bls, world.secp, 3).await;
    let base = world.head().await;
    for epoch in 1.. {
        let mut templates = Vec::new();
        for miner in world.devnet.miners() {
            templates.extend(world.template(miner, epoch, &base).await);
        }
        if templates.len() < 2 {
            continue;
        }
        world.at(epoch);
        for (n, (mut template, info)) in templates.into_iter().enumerate() {
            // One block has fewer of them.
            template.messages = sent[..3 - n.min(1)].to_vec();
            let mut block = world.devnet.create_block(&template).await.unwrap();
            world.sign(&mut block, &info.worker_key).await;
            world.devnet.submit_block(&block).await.unwrap();
        }
        break;
    }
    let tipset = world.head().await;
    let executed = world.devnet.tipset_messages(tipset.key()).await.unwrap();
    assert_eq!(
        executed.iter().map(|(cid, _)| *cid).collect::<Vec<_>>(),
        sent.iter().map(|m| m.cid()).collect::<Vec<_>>()
    );
    let child = world.extend().await;
    let receipts = world.devnet.parent_receipts(&child.cids()[0]).await.unwrap();
    assert_eq!((receipts.len(), world.nonce(&world.bls).await), (3, 3));
    world.devnet.check_supply().unwrap();
}

#[tokio::test]
async fn a_miner_pays_for_messages_that_cannot() {
    let world = World::new(46, 1);
    let miner = world.devnet.miners()[0];
    let mut all = world.transfer(world.bls, world.secp, 0).await.message;
    all.value = fil(1000) - &all.gas_fee_cap * all.gas_limit;
    let mut next = world.transfer(world.bls, world.secp, 1).await.message;
    next.gas_fee_cap = fil(1);
    let messages =
        vec![world.signer.sign_message(&all).await.unwrap(), world.signer.sign_message(&next).await.unwrap()];
    let base = world.head().await;
    let (mut template, info) = loop_until_won(&world, miner, &base).await;
    template.messages = messages;
    let mut block = world.devnet.create_block(&template).await.unwrap();
    world.sign(&mut block, &info.worker_key).await;
    world.devnet.submit_block(&block).await.unwrap();
    world.devnet.check_supply().unwrap();
    let wins = template.election_proof.win_count;
    let reward = (fil(36) * wins).div_floor(5) + &all.gas_premium * all.gas_limit;
    assert!(world.devnet.balance(&miner).await.unwrap() < reward, "the penalty was taken");
    let child = world.extend().await;
    let receipts = world.devnet.parent_receipts(&child.cids()[0]).await.unwrap();
    let codes: Vec<u32> = receipts.iter().map(|r| r.exit_code.value()).collect();
    assert_eq!((codes, receipts[1].gas_used), (vec![0, 2], 0));
}

async fn loop_until_won(
    world: &World,
    miner: Address,
    base: &Tipset,
) -> (venus_core::types::BlockTemplate, venus_core::types::MiningBaseInfo) {
    for epoch in base.height() + 1.. {
        world.at(epoch);
        if let Some(won) = world.template(miner, epoch, base).await {
            return won;
        }
    }
    unreachable!()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_hands_at_once() {
    let world = std::sync::Arc::new(World::new(47, 3));
    let pusher = |from: Address, to: Address| {
        let world = world.clone();
        tokio::spawn(async move {
            world.send(from, to, 30).await;
        })
    };
    let pushers = [pusher(world.bls, world.secp), pusher(world.secp, world.bls)];
    let reader = tokio::spawn({
        let devnet = world.devnet.clone();
        async move {
            for _ in 0..500 {
                let head = devnet.head().await.unwrap();
                devnet.tipset_messages(head.key()).await.unwrap();
                devnet.pending().await.unwrap();
                tokio::task::yield_now().await;
            }
        }
    });
    for epoch in 1..=10 {
        let base = world.head().await;
        let blocks = world.blocks(epoch, &base).await;
        let submit = blocks.into_iter().map(|block| {
            let devnet = world.devnet.clone();
            tokio::spawn(async move { devnet.submit_block(&block).await })
        });
        for done in futures::future::join_all(submit).await {
            done.unwrap().unwrap();
        }
    }
    for task in pushers.into_iter().chain([reader]) {
        task.await.unwrap();
    }
    world.extend().await;
    world.extend().await;
    assert_eq!((world.nonce(&world.bls).await, world.nonce(&world.secp).await), (30, 30));
    world.devnet.check_supply().unwrap();
}

#[tokio::test]
async fn of_two_heads_of_equal_weight_the_smaller_ticket_wins() {
    let mut heads = Vec::new();
    for swapped in [false, true] {
        let world = World::new(48, 2);
        let genesis = world.head().await;
        let mut pair = equals(&world, &genesis).await;
        if swapped {
            pair.reverse();
        }
        for block in &pair {
            world.devnet.submit_block(block).await.unwrap();
        }
        let ticket = |b: &BlockMsg| sort_key(&b.header.ticket.as_ref().unwrap().vrf_proof);
        let best = pair.iter().min_by_key(|b| ticket(b)).unwrap();
        assert_eq!(world.head().await.cids(), [best.cid()]);
        heads.push(best.cid());
    }
    assert_eq!(heads[0], heads[1]);
}

/// Blocks of two miners in different epochs on one base, with as many wins.
async fn equals(world: &World, base: &Tipset) -> Vec<BlockMsg> {
    let wins = |b: &BlockMsg| b.header.election_proof.as_ref().unwrap().win_count;
    let mut seen: Vec<BlockMsg> = Vec::new();
    for epoch in 1.. {
        for block in world.blocks(epoch, base).await {
            let other = |b: &&BlockMsg| {
                b.header.miner != block.header.miner && b.header.height != epoch && wins(b) == wins(&block)
            };
            if let Some(other) = seen.iter().find(other) {
                return vec![other.clone(), block];
            }
            seen.push(block);
        }
    }
    unreachable!()
}
