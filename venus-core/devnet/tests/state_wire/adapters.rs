//! What the adapters read of a devnet over a socket is what the process reads.
use std::fmt::Debug;

use venus_core::api::{
    ChainError, ChainReader, MarketReader, MinerReader, Permissions, PledgeSpec, SearchOptions, SectorReader,
    StateReader,
};
use venus_core::error::{Classify, ErrorKind};
use venus_core::node::{ForestNode, LotusNode, NodeConfig, VenusNode};
use venus_core::rpc::server::{Everybody, Listening, RpcServer};
use venus_core::testing::suites::{self, MinerReaderFixture};
use venus_core::types::{Address, BitField, Cid, SectorPreCommitInfo, TipsetKey, blake2b_cid};
use venus_devnet::StateChange;
use venus_devnet::face::{Face, FaceKind};

use crate::support::World;

const MINER: Address = Address::new_id(1000);

/// Everything that reads state.
trait Reader: StateReader + MinerReader + SectorReader + MarketReader {}
impl<T: StateReader + MinerReader + SectorReader + MarketReader> Reader for T {}

/// A chain with messages of both kinds, and the CIDs of two of them.
async fn world() -> (World, Vec<Cid>) {
    let world = World::new(51, 3);
    let mut sent = world.send(world.bls, world.secp, 2).await;
    world.extend().await;
    sent.extend(world.send(world.secp, world.bls, 2).await);
    for _ in 0..3 {
        world.extend().await;
    }
    (world, vec![sent[0].cid(), sent[3].cid()])
}

async fn serve(world: &World, kind: FaceKind) -> (String, (RpcServer, Listening)) {
    let service = Face::new(world.devnet.clone(), kind).service().unwrap();
    let server = RpcServer::new(service, Everybody(Permissions::ALL));
    let listening = server.listen("127.0.0.1:0".parse().unwrap(), &["/rpc/v1"]).await.unwrap();
    (format!("http://{}/rpc/v1", listening.local_addr()), (server, listening))
}

#[tokio::test]
async fn venus() {
    let (world, messages) = world().await;
    let (url, _server) = serve(&world, FaceKind::Venus).await;
    let node = VenusNode::connect_url(&url, NodeConfig::default()).await.unwrap();
    agree(&node, &world, &messages).await;
    keeps_contract(&node, &world).await;
}

#[tokio::test]
async fn lotus() {
    let (world, messages) = world().await;
    let (url, _server) = serve(&world, FaceKind::Lotus).await;
    let node = LotusNode::connect_url(&url, NodeConfig::default()).await.unwrap();
    agree(&node, &world, &messages).await;
    keeps_contract(&node, &world).await;
}

#[tokio::test]
async fn forest() {
    let (world, messages) = world().await;
    let (url, _server) = serve(&world, FaceKind::Forest).await;
    let node = ForestNode::connect_url(&url, NodeConfig::default()).await.unwrap();
    agree(&node, &world, &messages).await;
    keeps_contract(&node, &world).await;
}

/// The contract of miners' readers, over the wire.
async fn keeps_contract(node: &dyn Reader, world: &World) {
    let earlier = world.head().await.key().clone();
    let power = StateChange::GrantPower { miner: MINER, raw: 2048.into(), quality_adjusted: 2048.into() };
    let epoch = world.devnet.change_state(power).unwrap();
    while world.head().await.height() <= epoch + 1 {
        world.extend().await;
    }
    suites::miner_reader(&node, &MinerReaderFixture { miner: MINER, sector: 3, no_sector: 99, earlier })
        .await;
}

async fn agree(node: &dyn Reader, world: &World, messages: &[Cid]) {
    let (head, genesis) = (world.head().await, world.devnet.genesis().await.unwrap());
    let middle = world.devnet.tipset(&head.parents()).await.unwrap();
    for at in [genesis.key(), middle.key(), head.key()] {
        addresses(node, world, at).await;
        miners(node, world, at).await;
        sectors(node, world, at).await;
        market(node, world, at).await;
    }
    // Nodes take the head for the empty key, and its parent state.
    let now = node.info(&MINER, &TipsetKey::default()).await;
    same("info", now, world.devnet.info(&MINER, head.key()).await);
    let now = node.proving_deadline(&MINER, &TipsetKey::default()).await;
    same("proving_deadline", now, world.devnet.proving_deadline(&MINER, head.key()).await);
    let now = node.actor(&world.bls, &TipsetKey::default()).await;
    same("actor", now, world.devnet.actor(&world.bls, head.key()).await);
    same("balance", node.balance(&world.bls).await, world.devnet.balance(&world.bls).await);
    for message in messages {
        for from in [TipsetKey::default(), head.key().clone()] {
            let options = SearchOptions { from, ..SearchOptions::default() };
            let found = world.devnet.search_message(message, &options).await;
            assert!(found.as_ref().is_ok_and(Option::is_some));
            same("search_message", node.search_message(message, &options).await, found);
        }
    }
    unknowns(node, world).await;
}

/// Two answers that must not differ, and of which neither may be an error of the wire.
#[track_caller]
fn same<T: Debug + PartialEq>(what: &str, wire: Result<T, ChainError>, process: Result<T, ChainError>) {
    match (wire, process) {
        (Ok(wire), Ok(process)) => assert_eq!(wire, process, "{what}"),
        (Err(wire), Err(process)) => assert_eq!(wire.kind(), process.kind(), "{what}: {wire:?}, {process:?}"),
        (wire, process) => panic!("{what}: over the wire {wire:?}, in the process {process:?}"),
    }
}

async fn addresses(node: &dyn Reader, world: &World, at: &TipsetKey) {
    let devnet = &world.devnet;
    let nobody = Address::new_id(999_999);
    let stranger = world.signer.new_secp();
    for address in [world.bls, world.secp, MINER, Address::new_id(100), Address::new_id(99), nobody, stranger]
    {
        same("actor", node.actor(&address, at).await, devnet.actor(&address, at).await);
        same("lookup_id", node.lookup_id(&address, at).await, devnet.lookup_id(&address, at).await);
        same(
            "market_balance",
            node.market_balance(&address, at).await,
            devnet.market_balance(&address, at).await,
        );
        same("datacap", node.datacap(&address, at).await, devnet.datacap(&address, at).await);
        same("allocations", node.allocations(&address, at).await, devnet.allocations(&address, at).await);
        same("claims", node.claims(&address, at).await, devnet.claims(&address, at).await);
        same("allocation", node.allocation(&address, 1, at).await, devnet.allocation(&address, 1, at).await);
        same("claim", node.claim(&address, 1, at).await, devnet.claim(&address, 1, at).await);
    }
    for address in [world.bls, world.secp, MINER, Address::new_id(100), nobody, stranger] {
        same("account_key", node.account_key(&address, at).await, devnet.account_key(&address, at).await);
    }
}

async fn miners(node: &dyn Reader, world: &World, at: &TipsetKey) {
    let d = &world.devnet;
    for m in [MINER, Address::new_id(1002), Address::new_id(999_999), world.bls] {
        same("info", node.info(&m, at).await, d.info(&m, at).await);
        same("available_balance", node.available_balance(&m, at).await, d.available_balance(&m, at).await);
        same("proving_deadline", node.proving_deadline(&m, at).await, d.proving_deadline(&m, at).await);
        same("deadlines", node.deadlines(&m, at).await, d.deadlines(&m, at).await);
        for deadline in [0, 1, 47, 48, u64::MAX] {
            same("partitions", node.partitions(&m, deadline, at).await, d.partitions(&m, deadline, at).await);
        }
        same("all_partitions", node.all_partitions(&m, at).await, d.all_partitions(&m, at).await);
        same("faults", node.faults(&m, at).await, d.faults(&m, at).await);
        same("recoveries", node.recoveries(&m, at).await, d.recoveries(&m, at).await);
        same("active_sectors", node.active_sectors(&m, at).await, d.active_sectors(&m, at).await);
        same("sector_count", node.sector_count(&m, at).await, d.sector_count(&m, at).await);
        for sector in [0, 7, 8] {
            let wire = node.sector_location(&m, sector, at).await;
            same("sector_location", wire, d.sector_location(&m, sector, at).await);
        }
    }
    for m in [MINER, Address::new_id(999_999)] {
        same("power", node.power(&m, at).await, d.power(&m, at).await);
    }
}

async fn sectors(node: &dyn Reader, world: &World, at: &TipsetKey) {
    let d = &world.devnet;
    let some = BitField::try_from_bits([1, 5, 300]).unwrap();
    for m in [MINER, Address::new_id(999_999)] {
        for numbers in [None, Some(&some), Some(&BitField::new())] {
            same("sectors", node.sectors(&m, numbers, at).await, d.sectors(&m, numbers, at).await);
        }
        for n in [0, 7, 8] {
            same("sector", node.sector(&m, n, at).await, d.sector(&m, n, at).await);
            same("precommit", node.precommit(&m, n, at).await, d.precommit(&m, n, at).await);
            same("is_allocated", node.is_allocated(&m, n, at).await, d.is_allocated(&m, n, at).await);
            let wire = node.sector_expiration(&m, n, at).await;
            same("sector_expiration", wire, d.sector_expiration(&m, n, at).await);
        }
        let sector = SectorPreCommitInfo {
            seal_proof: 5,
            sector_number: 9,
            sealed_cid: blake2b_cid(b"sealed"),
            seal_rand_epoch: 0,
            deal_ids: Vec::new(),
            expiration: 600_000,
            unsealed_cid: None,
        };
        let wire = node.precommit_deposit(&m, &sector, at).await;
        same("precommit_deposit", wire, d.precommit_deposit(&m, &sector, at).await);
    }
    for (sector_size, verified_size) in
        [(2048, 0), (2048, 2048), (32 << 30, 1 << 30), (2048, 4096), (1000, 0)]
    {
        let spec = PledgeSpec { duration: 540 * 2880, sector_size, verified_size };
        same("initial_pledge", node.initial_pledge(&spec, at).await, d.initial_pledge(&spec, at).await);
    }
}

async fn market(node: &dyn Reader, world: &World, at: &TipsetKey) {
    let d = &world.devnet;
    for id in [0, 1, 999] {
        same("deal", node.deal(id, at).await, d.deal(id, at).await);
        same(
            "allocation_for_deal",
            node.allocation_for_deal(id, at).await,
            d.allocation_for_deal(id, at).await,
        );
    }
    for size in [128, 2048, 1 << 36, 0, 129] {
        let wire = node.collateral_bounds(size, true, at).await;
        same("collateral_bounds", wire, d.collateral_bounds(size, true, at).await);
    }
}

/// A tipset that nobody has.
async fn unknowns(node: &dyn Reader, world: &World) {
    let at = TipsetKey::from(vec![blake2b_cid(b"a block that nobody made")]);
    let kinds = [
        node.actor(&world.bls, &at).await.map(drop),
        node.lookup_id(&world.bls, &at).await.map(drop),
        node.info(&MINER, &at).await.map(drop),
        node.power(&MINER, &at).await.map(drop),
        node.partitions(&MINER, 0, &at).await.map(drop),
        node.sectors(&MINER, None, &at).await.map(drop),
        node.deal(0, &at).await.map(drop),
        node.market_balance(&MINER, &at).await.map(drop),
    ];
    for (i, answer) in kinds.into_iter().enumerate() {
        assert_eq!(answer.unwrap_err().kind(), ErrorKind::NotFound, "{i}");
    }
}
