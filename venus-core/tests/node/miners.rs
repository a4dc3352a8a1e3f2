//! Miners, sectors and the market through each adapter.

use std::sync::atomic::Ordering;

use venus_core::api::*;
use venus_core::error::{Classify, ErrorKind};
use venus_core::testing::doubles::MinerScript;
use venus_core::testing::suites::{self, *};
use venus_core::types::*;

use crate::support::face::STYLES;
use crate::support::{Address as At, Face, Style, World, forest, lotus, venus};

const SECTOR_SIZE: u64 = 2048;
pub const MINER: Address = Address::new_id(1000);
const CLIENT: Address = Address::new_id(110);
const STRANGER: Address = Address::new_id(112);

fn earlier() -> TipsetKey {
    TipsetKey::from(vec![blake2b_cid(b"the past")])
}

fn sector(sector_number: u64) -> SectorOnChainInfo {
    SectorOnChainInfo {
        sector_number,
        seal_proof: 5,
        sealed_cid: blake2b_cid(b"replica"),
        deprecated_deal_ids: Vec::new(),
        activation: 10,
        expiration: 600_000,
        deal_weight: BigInt::default(),
        verified_deal_weight: BigInt::default(),
        initial_pledge: TokenAmount::from_whole(1),
        expected_day_reward: None,
        expected_storage_pledge: None,
        power_base_epoch: 10,
        replaced_day_reward: None,
        sector_key_cid: None,
        flags: 1,
        daily_fee: Some(TokenAmount::default()),
    }
}

fn precommit(sector_number: u64) -> SectorPreCommitInfo {
    SectorPreCommitInfo {
        seal_proof: 5,
        sector_number,
        sealed_cid: blake2b_cid(b"promised"),
        seal_rand_epoch: 5,
        deal_ids: Vec::new(),
        expiration: 600_000,
        unsealed_cid: None,
    }
}

fn bits(numbers: impl IntoIterator<Item = u64>) -> BitField {
    BitField::try_from_bits(numbers).unwrap()
}

/// One sector in the past. Now: sectors 1, 2 and 7 active, 3 faulty, 4 recovering, 5 promised.
pub fn set_miners(world: &World) {
    let miners = &world.miners;
    miners.set(MINER, MinerScript::new(Address::new_id(100), Address::new_id(101), SECTOR_SIZE));
    let place = |deadline, partition| SectorLocation { deadline, partition };
    miners.update(&MINER, |m| m.add_sector(sector(1), place(0, 0))).unwrap().unwrap();
    miners.keep_as(earlier());
    miners
        .update(&MINER, |m| {
            m.add_sector(sector(7), place(0, 2)).unwrap();
            m.add_sector(sector(2), place(47, 0)).unwrap();
            for number in [3, 4] {
                m.sectors.insert(number, sector(number));
            }
            m.partitions[5].push(Partition {
                all_sectors: bits([3, 4, 6]),
                faulty_sectors: bits([3, 4]),
                recovering_sectors: bits([4]),
                live_sectors: bits([3, 4]),
                active_sectors: BitField::new(),
            });
            let (info, pre_commit_deposit) = (precommit(5), TokenAmount::from_atto(3));
            let waiting = SectorPreCommitOnChainInfo { info, pre_commit_deposit, pre_commit_epoch: 9 };
            m.precommits.insert(5, waiting);
        })
        .unwrap();
}

pub fn set_market(world: &World) {
    let market = &world.market;
    market.update(|m| m.known.extend([CLIENT, MINER, STRANGER]));
    market.keep_as(earlier());
    let piece = blake2b_cid(b"piece");
    let proposal = DealProposal {
        piece_cid: piece,
        piece_size: 2048,
        verified_deal: true,
        client: CLIENT,
        provider: MINER,
        label: DealLabel::from("data"),
        start_epoch: 100,
        end_epoch: 600_000,
        storage_price_per_epoch: TokenAmount::default(),
        provider_collateral: TokenAmount::from_atto(5000),
        client_collateral: TokenAmount::default(),
    };
    let state =
        DealState { sector_number: 0, sector_start_epoch: -1, last_updated_epoch: -1, slash_epoch: -1 };
    let (client, provider) = (CLIENT.id().unwrap(), MINER.id().unwrap());
    let (data, size, term_min, term_max) = (piece, 2048, 100, 600_000);
    market.update(|m| {
        m.deals.insert(3, MarketDeal { proposal, state });
        let balance =
            MarketBalance { escrow: TokenAmount::from_whole(2), locked: TokenAmount::from_whole(1) };
        m.balances.insert(CLIENT, balance);
        m.datacap.insert(CLIENT, BigInt::from(1u64 << 40));
        let allocation = Allocation { client, provider, data, size, term_min, term_max, expiration: 9000 };
        m.allocations.insert(11, allocation);
        let claim = Claim { provider, client, data, size, term_min, term_max, term_start: 50, sector: 7 };
        m.claims.insert(10, claim);
        m.pending_deals.insert(3, 11);
    });
}

pub async fn miner_suites(miners: &dyn MinerReader, sectors: &dyn SectorReader) {
    let fixture = MinerReaderFixture { miner: MINER, sector: 7, no_sector: 5, earlier: earlier() };
    suites::miner_reader(miners, &fixture).await;
    let fixture = SectorReaderFixture {
        miner: MINER,
        sector: 7,
        precommit: precommit(5),
        unused: 99,
        sector_size: SECTOR_SIZE,
        earlier: earlier(),
    };
    suites::sector_reader(sectors, &fixture).await;
}

pub async fn market_suite(market: &dyn MarketReader) {
    let fixture = MarketReaderFixture {
        client: CLIENT,
        provider: MINER,
        deal: 3,
        pending: (3, 11),
        unused: 77,
        stranger: STRANGER,
        earlier: earlier(),
    };
    suites::market_reader(market, &fixture).await;
}

fn face(style: Style) -> Face {
    let world = World::new();
    set_miners(&world);
    set_market(&world);
    Face::new(world, style)
}

#[tokio::test]
async fn miners_and_market_of_each_kind_of_node_through_each_adapter() {
    for style in STYLES {
        let at = At::of(&face(style));
        let (lotus, venus, forest) = (lotus(&at).await, venus(&at).await, forest(&at).await);
        miner_suites(&lotus, &lotus).await;
        miner_suites(&venus, &venus).await;
        miner_suites(&forest, &forest).await;
        market_suite(&lotus).await;
        market_suite(&venus).await;
        market_suite(&forest).await;
    }
}

#[tokio::test]
async fn many_numbers_are_one_list() {
    let face = face(Style::Lotus);
    let node = lotus(&At::of(&face)).await;
    let numbers =
        |sectors: Vec<SectorOnChainInfo>| sectors.iter().map(|s| s.sector_number).collect::<Vec<_>>();
    let head = TipsetKey::default();
    let few = node.sectors(&MINER, Some(&bits([1, 5, 7, 50])), &head).await.unwrap();
    assert_eq!((numbers(few), face.calls("StateSectorGetInfo")), (vec![1, 7], 4));
    let many = node.sectors(&MINER, Some(&bits(2..500)), &head).await.unwrap();
    assert_eq!((numbers(many), face.calls("StateSectorGetInfo")), (vec![2, 3, 4, 7], 4));
}

#[tokio::test]
async fn what_nobody_can_replace_is_unsupported() {
    let face = face(Style::Lotus).without(&["StateMinerInitialPledgeForSector", "StateGetClaims"]);
    let node = lotus(&At::of(&face)).await;
    let (head, spec) =
        (TipsetKey::default(), PledgeSpec { duration: 1, sector_size: SECTOR_SIZE, verified_size: 0 });
    for _ in 0..2 {
        let pledge = node.initial_pledge(&spec, &head).await.unwrap_err();
        assert_eq!(pledge.kind(), ErrorKind::Unsupported);
        assert_eq!(node.claims(&MINER, &head).await.unwrap_err().kind(), ErrorKind::Unsupported);
    }
    face.state.garbage.store(1, Ordering::SeqCst);
    assert_eq!(node.info(&MINER, &head).await.unwrap_err().kind(), ErrorKind::Corrupt);
}
