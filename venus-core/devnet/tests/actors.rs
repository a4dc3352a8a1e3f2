//! Actors and the admin's changes on a chain.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod support;

use std::sync::Arc;

use support::{World, fil};
use tempfile::TempDir;
use venus_core::actors::miner::{
    CHANGE_WORKER_ADDRESS, CONFIRM_CHANGE_WORKER_ADDRESS, ChangeWorkerAddressParams, WITHDRAW_BALANCE,
    WithdrawBalanceParams,
};
use venus_core::api::{
    BlockProducer, ChainError, ChainReader, GasEstimator, GasSpec, MessagePool, MessageRequest, MinerReader,
    SearchOptions, SignerExt, StateReader,
};
use venus_core::cbor::{Decode, Encode};
use venus_core::types::{Address, BigInt, BitField, Message, Receipt, TipsetKey, TokenAmount};
use venus_devnet::{Devnet, DevnetConfig, DevnetError, StateChange};

/// A world with short delays, in which the first account has the keys of workers.
fn world(seed: u64, miners: usize) -> World {
    let mut world = World::new(seed, miners);
    world.config = DevnetConfig { finality: 3, lookback: 4, vesting_period: 0, ..world.config };
    world.devnet = Devnet::open(world.config.clone(), Arc::new(world.clock.clone()), None).unwrap();
    world
}

/// Sends a message of the first account, mines until it has landed, and answers its receipt.
async fn call(world: &World, to: Address, method_num: u64, params: Vec<u8>) -> Receipt {
    let plain = MessageRequest::transfer(world.bls, to, TokenAmount::default()).message;
    let sequence = world.devnet.next_nonce(&world.bls).await.unwrap();
    let message = Message { sequence, method_num, params: params.into(), ..plain };
    let message = world.devnet.estimate(&message, &GasSpec::default()).await.unwrap();
    let signed = world.signer.sign_message(&message).await.unwrap();
    let cid = world.devnet.push(&signed).await.unwrap();
    for _ in 0..20 {
        world.extend().await;
        if let Some(found) = world.devnet.search_message(&cid, &SearchOptions::default()).await.unwrap() {
            return found.receipt;
        }
    }
    panic!("{cid} did not land");
}

async fn worker_key(world: &World, miner: &Address) -> Address {
    let head = world.head().await;
    let info = world.devnet.base_info(miner, head.height() + 1, head.key()).await.unwrap();
    info.unwrap().worker_key
}

#[tokio::test]
async fn a_new_worker_mines_once_elections_look_back_at_it() {
    let world = world(61, 1);
    let miner = world.devnet.miners()[0];
    let old = worker_key(&world, &miner).await;
    let new = world.signer.new_bls();
    world.send(world.bls, new, 1).await;
    world.extend().await;
    let params = ChangeWorkerAddressParams { new_worker: new, new_control_addresses: vec![world.secp] };
    assert!(call(&world, miner, CHANGE_WORKER_ADDRESS, params.to_cbor()).await.exit_code.is_success());
    let info = world.devnet.info(&miner, &TipsetKey::default()).await.unwrap();
    let height = info.worker_change_epoch;
    assert!(height > 0 && info.new_worker.0.is_some());
    world.extend_to(height + 1).await;
    assert!(call(&world, miner, CONFIRM_CHANGE_WORKER_ADDRESS, Vec::new()).await.exit_code.is_success());
    let confirmed = world.head().await.height();
    assert_eq!(worker_key(&world, &miner).await, old, "the lookback lies before");
    // Blocks are signed by whom the election names: they are taken throughout the change.
    world.extend_to(confirmed + 6).await;
    assert_eq!(worker_key(&world, &miner).await, new);
    world.extend().await;
}

#[tokio::test]
async fn an_owner_takes_what_its_miner_earned() {
    let world = world(62, 1);
    let miner = world.devnet.miners()[0];
    world.extend_to(3).await;
    let params = WithdrawBalanceParams { amount_requested: fil(1_000_000) };
    let receipt = call(&world, miner, WITHDRAW_BALANCE, params.to_cbor()).await;
    assert!(receipt.exit_code.is_success());
    let taken = TokenAmount::from_cbor(&receipt.return_data).unwrap();
    assert!(taken > fil(7), "{taken}");
    world.devnet.check_supply().unwrap();
}

#[tokio::test]
async fn changes_of_the_admin_are_part_of_the_chain() {
    let dir = TempDir::new().unwrap();
    let world = World::open(63, 2, Some(dir.path()));
    let (devnet, miners) = (world.devnet.clone(), world.devnet.miners());
    world.extend().await;
    let height = world.head().await.height();
    let sectors = BitField::try_from_bits([0, 1, 2]).unwrap();
    let changes = [
        StateChange::SetBalance { address: world.secp, balance: fil(77) },
        StateChange::AddBalance { address: world.secp, amount: fil(1) },
        StateChange::GrantPower { miner: miners[0], raw: 4096.into(), quality_adjusted: 40960.into() },
        StateChange::FaultSectors { miner: miners[1], sectors: sectors.clone() },
        StateChange::SetBaseFee { base_fee: TokenAmount::from_atto(12_345_678) },
    ];
    for change in &changes {
        assert_eq!(devnet.change_state(change.clone()).unwrap(), height + 1);
    }
    assert_eq!(devnet.balance(&world.secp).await.unwrap(), fil(1000), "not yet");
    let changed = world.extend().await;
    assert_eq!(devnet.balance(&world.secp).await.unwrap(), fil(78));
    let power = devnet.power(&miners[0], &TipsetKey::default()).await.unwrap();
    assert_eq!(power.miner_power.quality_adj_power, BigInt::from(8 * 2048 + 40960));
    assert_eq!(devnet.faults(&miners[1], &TipsetKey::default()).await.unwrap(), sectors);
    let next = world.extend().await;
    assert_eq!(next.min_ticket_block().parent_base_fee, TokenAmount::from_atto(12_345_678));
    let recover = StateChange::RecoverSectors { miner: miners[1], sectors };
    devnet.change_state(recover).unwrap();
    let root = next.min_ticket_block().parent_state_root;
    drop(devnet);

    // A restart makes them again, those that are still to come included.
    let world = world.reopen(dir.path());
    assert_eq!(world.head().await.key(), next.key());
    assert_eq!(world.head().await.min_ticket_block().parent_state_root, root);
    assert_eq!(world.devnet.tipset(&next.parents()).await.unwrap().key(), changed.key());
    world.extend().await;
    assert!(world.devnet.faults(&miners[1], &TipsetKey::default()).await.unwrap().is_empty());
    world.devnet.check_supply().unwrap();
}

#[tokio::test]
async fn changes_that_cannot_be_made_are_refused() {
    let world = World::new(64, 1);
    let miner = world.devnet.miners()[0];
    let refused = [
        StateChange::SetBalance { address: world.bls, balance: fil(3_000_000_000) },
        StateChange::AddBalance { address: world.bls, amount: fil(-1001) },
        StateChange::AddBalance { address: Address::new_id(77_777), amount: fil(1) },
        StateChange::GrantPower { miner: world.bls, raw: 1.into(), quality_adjusted: 1.into() },
        StateChange::GrantPower { miner, raw: (-1_000_000).into(), quality_adjusted: 0.into() },
        StateChange::SetBaseFee { base_fee: TokenAmount::from_atto(1) },
    ];
    for change in refused {
        let error = world.devnet.change_state(change.clone()).unwrap_err();
        assert!(matches!(error, DevnetError::Chain(ChainError::Invalid(_))), "{change:?}: {error}");
    }
    // What was asked for before counts: the same money cannot be taken twice.
    let take = StateChange::AddBalance { address: world.bls, amount: fil(-600) };
    world.devnet.change_state(take.clone()).unwrap();
    world.devnet.change_state(take).unwrap_err();
    world.extend().await;
    assert_eq!(world.devnet.balance(&world.bls).await.unwrap(), fil(400));
    world.devnet.check_supply().unwrap();
}

#[tokio::test]
async fn a_branch_that_gets_so_far_has_the_change_too() {
    let world = World::new(65, 3);
    let genesis = world.head().await;
    world.extend().await;
    let add = StateChange::AddBalance { address: world.secp, amount: fil(5) };
    let epoch = world.devnet.change_state(add).unwrap();
    // Another branch that has no block before that epoch.
    let blocks = world.blocks(epoch + 1, &genesis).await;
    for block in &blocks {
        let _ = world.devnet.submit_block(block).await;
    }
    world.extend().await;
    assert_eq!(world.devnet.balance(&world.secp).await.unwrap(), fil(1005));
    world.devnet.check_supply().unwrap();
}
