//! Miners, sectors and the market.

use std::sync::Arc;

use fvm_shared::address::Address;
use fvm_shared::econ::TokenAmount;
use num_bigint::BigInt;

use super::super::doubles::*;
use super::super::suites::{self, *};
use crate::api::*;
use crate::error::{Classify, ErrorKind};
use crate::types::{
    Allocation, BitField, Cid, Claim, DealLabel, DealProposal, DealState, MarketBalance, MarketDeal,
    Partition, SectorLocation, SectorOnChainInfo, SectorPreCommitInfo, SectorPreCommitOnChainInfo, TipsetKey,
    blake2b_cid,
};

const SECTOR_SIZE: u64 = 2048;
const MINER: Address = Address::new_id(1000);

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

/// One sector in the past. Now: sectors 1, 2 and 7 active, 3 faulty, 4 recovering, 5 promised, 6 used up.
fn miners() -> Arc<ScriptedMiners> {
    let miners = ScriptedMiners::new();
    miners.set(MINER, MinerScript::new(Address::new_id(100), Address::new_id(101), SECTOR_SIZE));
    let place = |deadline, partition| SectorLocation { deadline, partition };
    miners.update(&MINER, |m| m.add_sector(sector(1), place(0, 0))).unwrap().unwrap();
    miners.keep_as(earlier());
    miners
        .update(&MINER, |m| {
            m.add_sector(sector(7), place(0, 2)).unwrap();
            m.add_sector(sector(2), place(47, 0)).unwrap();
            assert!(m.add_sector(sector(8), place(48, 0)).is_err());
            assert!(m.add_sector(sector(8), place(0, u64::MAX)).is_err());
            assert!(m.add_sector(sector(u64::MAX), place(0, 0)).is_err());
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
            m.allocated = bits([6]);
        })
        .unwrap();
    Arc::new(miners)
}

fn miner_fixture() -> MinerReaderFixture {
    MinerReaderFixture { miner: MINER, sector: 7, no_sector: 5, earlier: earlier() }
}

#[tokio::test]
async fn scripted_miners_pass_the_miner_and_sector_suites() {
    let miners = miners();
    suites::miner_reader(&*miners, &miner_fixture()).await;
    let shared: Arc<dyn MinerReader> = miners.clone();
    suites::miner_reader(&shared, &miner_fixture()).await;
    let boxed: Box<dyn MinerReader> = Box::new(Flaky::new(miners.clone(), 0));
    suites::miner_reader(&boxed, &miner_fixture()).await;

    let fixture = SectorReaderFixture {
        miner: MINER,
        sector: 7,
        precommit: precommit(5),
        unused: 99,
        sector_size: SECTOR_SIZE,
        earlier: earlier(),
    };
    suites::sector_reader(&*miners, &fixture).await;
    let shared: Arc<dyn SectorReader> = miners.clone();
    suites::sector_reader(&shared, &fixture).await;
    let boxed: Box<dyn SectorReader> = Box::new(Flaky::new(miners, 0));
    suites::sector_reader(&boxed, &fixture).await;
}

#[tokio::test]
async fn what_is_provided_adds_partitions_up() {
    let (miners, head) = (miners(), TipsetKey::default());
    let numbers = |bits: BitField| bits.iter().collect::<Vec<_>>();
    assert_eq!(numbers(miners.active_sectors(&MINER, &head).await.unwrap()), [1, 2, 7]);
    assert_eq!(numbers(miners.faults(&MINER, &head).await.unwrap()), [3, 4]);
    assert_eq!(numbers(miners.recoveries(&MINER, &head).await.unwrap()), [4]);
    let count = miners.sector_count(&MINER, &head).await.unwrap();
    assert_eq!([count.live, count.active, count.faulty], [5, 3, 2]);
    let located = miners.sector_location(&MINER, 7, &head).await.unwrap();
    assert_eq!(located, Some(SectorLocation { deadline: 0, partition: 2 }));
    assert!(miners.is_allocated(&MINER, 6, &head).await.unwrap(), "used up");
    let flaky = Flaky::new(miners, 1);
    assert_eq!(flaky.faults(&MINER, &head).await.unwrap_err().kind(), ErrorKind::Transient);
    flaky.faults(&MINER, &head).await.unwrap();
}

/// Answers the newest state whatever is asked for.
struct Forgetful(Arc<ScriptedMiners>);

#[async_trait::async_trait]
impl SectorReader for Forgetful {
    async fn sectors(
        &self,
        miner: &Address,
        numbers: Option<&BitField>,
        _: &TipsetKey,
    ) -> Result<Vec<SectorOnChainInfo>, ChainError> {
        self.0.sectors(miner, numbers, &TipsetKey::default()).await
    }

    async fn precommit(
        &self,
        miner: &Address,
        sector: u64,
        at: &TipsetKey,
    ) -> Result<Option<SectorPreCommitOnChainInfo>, ChainError> {
        self.0.precommit(miner, sector, at).await
    }

    async fn is_allocated(&self, miner: &Address, sector: u64, at: &TipsetKey) -> Result<bool, ChainError> {
        self.0.is_allocated(miner, sector, at).await
    }

    async fn sector_expiration(
        &self,
        miner: &Address,
        sector: u64,
        at: &TipsetKey,
    ) -> Result<Option<crate::types::SectorExpiration>, ChainError> {
        self.0.sector_expiration(miner, sector, at).await
    }

    async fn precommit_deposit(
        &self,
        miner: &Address,
        sector: &SectorPreCommitInfo,
        at: &TipsetKey,
    ) -> Result<TokenAmount, ChainError> {
        self.0.precommit_deposit(miner, sector, at).await
    }

    async fn initial_pledge(&self, spec: &PledgeSpec, at: &TipsetKey) -> Result<TokenAmount, ChainError> {
        self.0.initial_pledge(spec, at).await
    }
}

#[tokio::test]
#[should_panic(expected = "state at a tipset is that of its time")]
async fn the_sector_suite_catches_a_reader_without_a_past() {
    let fixture = SectorReaderFixture {
        miner: MINER,
        sector: 7,
        precommit: precommit(5),
        unused: 99,
        sector_size: SECTOR_SIZE,
        earlier: earlier(),
    };
    suites::sector_reader(&Forgetful(miners()), &fixture).await;
}

#[tokio::test]
#[should_panic(expected = "active sectors are live")]
async fn the_miner_suite_catches_partitions_that_contradict_themselves() {
    let miners = miners();
    miners
        .update(&MINER, |m| {
            m.partitions[9].push(Partition { active_sectors: bits([9]), ..Partition::default() })
        })
        .unwrap();
    suites::miner_reader(&miners, &miner_fixture()).await;
}

fn piece() -> Cid {
    blake2b_cid(b"piece")
}

fn market(client: u64, provider: u64) -> ScriptedMarket {
    let market = ScriptedMarket::new();
    let stranger = Address::new_id(102);
    let ids = [client, provider].map(Address::new_id);
    market.update(|m| m.known.extend([ids[0], ids[1], stranger]));
    market.keep_as(earlier());
    let proposal = DealProposal {
        piece_cid: piece(),
        piece_size: 2048,
        verified_deal: true,
        client: ids[0],
        provider: ids[1],
        label: DealLabel::from("data"),
        start_epoch: 100,
        end_epoch: 600_000,
        storage_price_per_epoch: TokenAmount::default(),
        provider_collateral: TokenAmount::from_atto(5000),
        client_collateral: TokenAmount::default(),
    };
    let state =
        DealState { sector_number: 0, sector_start_epoch: -1, last_updated_epoch: -1, slash_epoch: -1 };
    let (data, size, term_min, term_max) = (piece(), 2048, 100, 600_000);
    market.update(|m| {
        m.deals.insert(3, MarketDeal { proposal, state });
        let balance =
            MarketBalance { escrow: TokenAmount::from_whole(2), locked: TokenAmount::from_whole(1) };
        m.balances.insert(ids[0], balance);
        m.datacap.insert(ids[0], BigInt::from(1u64 << 40));
        let allocation = Allocation { client, provider, data, size, term_min, term_max, expiration: 9000 };
        m.allocations.insert(11, allocation);
        let claim = Claim { provider, client, data, size, term_min, term_max, term_start: 50, sector: 7 };
        m.claims.insert(10, claim);
        m.pending_deals.insert(3, 11);
    });
    market
}

#[tokio::test]
async fn scripted_market_passes_the_market_suite() {
    let market = Arc::new(market(100, 1000));
    let fixture = MarketReaderFixture {
        client: Address::new_id(100),
        provider: Address::new_id(1000),
        deal: 3,
        pending: (3, 11),
        unused: 77,
        stranger: Address::new_id(102),
        earlier: earlier(),
    };
    suites::market_reader(&*market, &fixture).await;
    let shared: Arc<dyn MarketReader> = market.clone();
    suites::market_reader(&shared, &fixture).await;
    let flaky = Flaky::new(market, 1);
    let lost = flaky.claim(&fixture.provider, 10, &TipsetKey::default()).await.unwrap_err();
    assert_eq!(lost.kind(), ErrorKind::Transient);
    let boxed: Box<dyn MarketReader> = Box::new(flaky);
    suites::market_reader(&boxed, &fixture).await;
}
