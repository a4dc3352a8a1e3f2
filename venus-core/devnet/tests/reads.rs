//! Miners, sectors and the market as the process reads them.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod support;

use support::World;
use venus_core::actors::miner::{self, ChangeWorkerAddressParams, WithdrawBalanceParams};
use venus_core::api::{
    ChainReader, GasEstimator, GasSpec, MarketReader, MessagePool, MessageRequest, MinerReader, PledgeSpec,
    SectorReader, SignerExt, StateReader,
};
use venus_core::cbor::Encode;
use venus_core::error::{Classify, ErrorKind};
use venus_core::testing::suites::{self, MinerReaderFixture};
use venus_core::types::{
    Address, BitField, MarketBalance, Network, SectorPreCommitInfo, TipsetKey, TokenAmount, blake2b_cid,
};
use venus_devnet::StateChange;

const MINER: Address = Address::new_id(1000);

fn head() -> TipsetKey {
    TipsetKey::default()
}

/// Sends a message of the owner to a miner and mines until it was executed.
async fn tell(world: &World, method: u64, params: &impl Encode) {
    let request = MessageRequest::call(world.bls, MINER, TokenAmount::default(), method, params.to_cbor());
    let mut message = request.message;
    message.sequence = world.devnet.next_nonce(&world.bls).await.unwrap();
    let message = world.devnet.estimate(&message, &GasSpec::default()).await.unwrap();
    world.devnet.push(&world.signer.sign_message(&message).await.unwrap()).await.unwrap();
    world.extend().await;
}

fn precommit(number: u64) -> SectorPreCommitInfo {
    SectorPreCommitInfo {
        seal_proof: 5,
        sector_number: number,
        sealed_cid: blake2b_cid(b"sealed"),
        seal_rand_epoch: 0,
        deal_ids: Vec::new(),
        expiration: 600_000,
        unsealed_cid: None,
    }
}

#[tokio::test]
async fn a_miner_of_the_genesis_has_what_it_was_given() {
    let world = World::new(41, 3);
    let devnet = &world.devnet;
    let owner = devnet.lookup_id(&world.bls, &head()).await.unwrap();
    let info = devnet.info(&MINER, &head()).await.unwrap();
    assert_eq!((info.owner, info.beneficiary, info.sector_size), (owner, owner, 2048));
    let power = devnet.power(&MINER, &head()).await.unwrap();
    assert!(power.has_min_power && power.miner_power.raw_byte_power == (8 * 2048).into());
    assert_eq!(power.total_power.raw_byte_power, (3 * 8 * 2048).into());
    let sectors = devnet.sectors(&MINER, None, &head()).await.unwrap();
    assert_eq!(sectors.iter().map(|s| s.sector_number).collect::<Vec<_>>(), (0..8).collect::<Vec<_>>());
    let all = devnet.all_partitions(&MINER, &head()).await.unwrap();
    let placed: u64 = all.iter().map(|(_, p)| p.active_sectors.len()).sum();
    assert_eq!(placed, 8);
    for sector in &sectors {
        let number = sector.sector_number;
        let place = devnet.sector_location(&MINER, number, &head()).await.unwrap().unwrap();
        let found = all.iter().find(|(at, _)| *at == place).unwrap();
        assert!(found.1.all_sectors.get(number));
        let ends = devnet.sector_expiration(&MINER, number, &head()).await.unwrap().unwrap();
        assert!(ends.on_time >= sector.expiration && ends.early == 0);
        assert!(devnet.is_allocated(&MINER, number, &head()).await.unwrap());
        assert_eq!(devnet.precommit(&MINER, number, &head()).await.unwrap(), None);
    }
    let pair = BitField::try_from_bits([3, 99]).unwrap();
    let named = devnet.sectors(&MINER, Some(&pair), &head()).await.unwrap();
    assert_eq!(named, sectors[3..4]);
    assert!(!devnet.is_allocated(&MINER, 99, &head()).await.unwrap());
    assert_eq!(devnet.sector_location(&MINER, 99, &head()).await.unwrap(), None);
    let count = devnet.sector_count(&MINER, &head()).await.unwrap();
    assert_eq!((count.live, count.active, count.faulty), (8, 8, 0));
}

#[tokio::test]
async fn deadlines_follow_the_chain() {
    let world = World::new(42, 2);
    let devnet = &world.devnet;
    for _ in 0..5 {
        let at = world.extend().await;
        for key in [head(), at.key().clone()] {
            let deadline = devnet.proving_deadline(&MINER, &key).await.unwrap();
            assert_eq!(deadline.current_epoch, at.height());
            assert!(!deadline.has_elapsed() && deadline.index < deadline.w_post_period_deadlines);
        }
    }
    let count = devnet.deadlines(&MINER, &head()).await.unwrap().len() as u64;
    let beyond = devnet.partitions(&MINER, count, &head()).await.unwrap_err();
    assert_eq!(beyond.kind(), ErrorKind::Invalid);
}

#[tokio::test]
async fn what_messages_change_is_read_from_then_on() {
    let world = World::new(43, 2);
    let devnet = &world.devnet;
    let before = world.extend().await;
    let old = devnet.info(&MINER, &head()).await.unwrap();
    let secp = devnet.lookup_id(&world.secp, &head()).await.unwrap();
    let params =
        ChangeWorkerAddressParams { new_worker: old.worker, new_control_addresses: vec![world.secp] };
    tell(&world, miner::CHANGE_WORKER_ADDRESS, &params).await;
    let new = devnet.info(&MINER, &head()).await.unwrap();
    assert_eq!((old.control_addresses, new.control_addresses), (vec![], vec![secp]));
    let then = devnet.info(&MINER, before.key()).await.unwrap();
    assert!(then.control_addresses.is_empty(), "the past stays as it was");
}

#[tokio::test]
async fn rewards_can_be_withdrawn_bit_by_bit() {
    let world = World::new(44, 1);
    let devnet = &world.devnet;
    for _ in 0..6 {
        world.extend().await;
    }
    let available = devnet.available_balance(&MINER, &head()).await.unwrap();
    let balance = devnet.balance(&MINER).await.unwrap();
    assert!(available > TokenAmount::default() && available < balance, "{available} of {balance}");
    let locked = &balance - &available;
    let wanted = available.div_floor(2);
    tell(&world, miner::WITHDRAW_BALANCE, &WithdrawBalanceParams { amount_requested: wanted.clone() }).await;
    devnet.check_supply().unwrap();
    let (kept, left) =
        (devnet.balance(&MINER).await.unwrap(), devnet.available_balance(&MINER, &head()).await.unwrap());
    // A block that was mined meanwhile earns, and locks most of it.
    assert!(&kept - &left >= locked, "what is locked stays: {kept} less {left}");
    let owner = devnet.balance(&world.bls).await.unwrap();
    assert!(owner > support::fil(1000) + wanted - support::fil(1), "the owner has what it withdrew: {owner}");
}

#[tokio::test]
async fn prices_are_above_zero_and_refuse_what_is_no_sector() {
    let world = World::new(45, 1);
    let devnet = &world.devnet;
    let spec = |verified_size| PledgeSpec { duration: 540 * 2880, sector_size: 2048, verified_size };
    let plain = devnet.initial_pledge(&spec(0), &head()).await.unwrap();
    assert!(plain > TokenAmount::default());
    assert!(devnet.initial_pledge(&spec(2048), &head()).await.unwrap() > plain);
    for bad in [
        spec(2049),
        PledgeSpec { sector_size: 1000, ..spec(0) },
        PledgeSpec { duration: 0, ..spec(0) },
        PledgeSpec { duration: i64::MIN, ..spec(0) },
    ] {
        assert_eq!(devnet.initial_pledge(&bad, &head()).await.unwrap_err().kind(), ErrorKind::Invalid);
    }
    let deposit = devnet.precommit_deposit(&MINER, &precommit(9), &head()).await.unwrap();
    assert!(deposit > TokenAmount::default());
    for seal_proof in [-1, 20, i64::MIN, i64::MAX] {
        let odd = SectorPreCommitInfo { seal_proof, ..precommit(9) };
        let refused = devnet.precommit_deposit(&MINER, &odd, &head()).await.unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::Invalid);
    }
    for size in [0, 127, 64, 2047] {
        let refused = devnet.collateral_bounds(size, false, &head()).await.unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::Invalid);
    }
    let bounds = devnet.collateral_bounds(1 << 35, true, &head()).await.unwrap();
    assert!(bounds.min > TokenAmount::default() && bounds.min < bounds.max);
}

#[tokio::test]
async fn who_or_what_is_not_there_is_not_found() {
    let world = World::new(46, 1);
    let devnet = &world.devnet;
    let nobody = Address::new_id(999_999);
    let unknown = TipsetKey::from(vec![blake2b_cid(b"nothing")]);
    for (address, key) in [(&nobody, &head()), (&MINER, &unknown)] {
        let errors = [
            devnet.info(address, key).await.err(),
            devnet.power(address, key).await.err(),
            devnet.available_balance(address, key).await.err(),
            devnet.proving_deadline(address, key).await.err(),
            devnet.deadlines(address, key).await.err(),
            devnet.partitions(address, 0, key).await.err(),
            devnet.all_partitions(address, key).await.err(),
            devnet.sectors(address, None, key).await.err(),
            devnet.precommit(address, 0, key).await.err(),
            devnet.is_allocated(address, 0, key).await.err(),
            devnet.sector_expiration(address, 0, key).await.err(),
            devnet.precommit_deposit(address, &precommit(9), key).await.err(),
            devnet.market_balance(address, key).await.err(),
            devnet.datacap(address, key).await.err(),
            devnet.allocations(address, key).await.err(),
            devnet.claims(address, key).await.err(),
        ];
        for (i, error) in errors.into_iter().enumerate() {
            assert_eq!(error.map(|e| e.kind()), Some(ErrorKind::NotFound), "{i}");
        }
    }
    // An account is no miner.
    let account = devnet.info(&world.bls, &head()).await.unwrap_err();
    assert_eq!(account.kind(), ErrorKind::NotFound);
    // What exists and has nothing there has nothing.
    assert_eq!(devnet.market_balance(&MINER, &head()).await.unwrap(), MarketBalance::default());
    assert_eq!(devnet.deal(7, &head()).await.unwrap(), None);
    assert_eq!(devnet.allocation_for_deal(7, &head()).await.unwrap(), None);
    assert_eq!(devnet.datacap(&world.bls, &head()).await.unwrap(), None);
    let network = devnet.network().await.unwrap();
    assert_eq!(network.address_network, Network::Testnet);
}

async fn change(world: &World, change: StateChange) {
    let epoch = world.devnet.change_state(change).unwrap();
    while world.head().await.height() <= epoch {
        world.extend().await;
    }
    world.devnet.check_supply().unwrap();
}

#[tokio::test]
async fn miner_reader_keeps_its_contract() {
    let world = World::new(47, 2);
    let earlier = world.extend().await.key().clone();
    let power = StateChange::GrantPower { miner: MINER, raw: 2048.into(), quality_adjusted: 2048.into() };
    change(&world, power).await;
    let fixture = MinerReaderFixture { miner: MINER, sector: 3, no_sector: 99, earlier };
    suites::miner_reader(&world.devnet, &fixture).await;
}

#[tokio::test]
async fn faults_come_and_go() {
    let world = World::new(48, 2);
    let devnet = &world.devnet;
    let before = devnet.power(&MINER, &head()).await.unwrap();
    let sectors = BitField::try_from_bits([2, 5]).unwrap();
    change(&world, StateChange::FaultSectors { miner: MINER, sectors: sectors.clone() }).await;
    assert_eq!(devnet.faults(&MINER, &head()).await.unwrap(), sectors);
    let count = devnet.sector_count(&MINER, &head()).await.unwrap();
    assert_eq!((count.live, count.active, count.faulty), (8, 6, 2));
    let less = devnet.power(&MINER, &head()).await.unwrap();
    assert_eq!(less.miner_power.raw_byte_power, (6 * 2048).into());
    change(&world, StateChange::RecoverSectors { miner: MINER, sectors }).await;
    assert!(devnet.faults(&MINER, &head()).await.unwrap().is_empty());
    assert_eq!(devnet.power(&MINER, &head()).await.unwrap().miner_power, before.miner_power);
}

#[tokio::test]
async fn balances_are_set_and_added_to() {
    let world = World::new(49, 1);
    let to = world.signer.new_secp();
    change(&world, StateChange::SetBalance { address: to, balance: support::fil(5) }).await;
    change(&world, StateChange::AddBalance { address: to, amount: support::fil(-2) }).await;
    assert_eq!(world.devnet.balance(&to).await.unwrap(), support::fil(3));
}
