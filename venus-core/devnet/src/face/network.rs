//! What a node tells about itself and its network: version, parameters, how far it is.

use std::sync::Arc;

use fvm_shared::clock::ChainEpoch;
use num_bigint::BigInt;
use serde_json::{Value, json};
use time::OffsetDateTime;
use venus_core::api::ChainReader;
use venus_core::json::Json;
use venus_core::types::{
    ActiveSync, ForkUpgradeParams, NetworkParams, ProtocolParams, SectorSizeParams, SyncState, Tipset,
    TipsetKey, Version,
};

use super::methods::{Answer, Methods, method};
use super::{Face, FaceKind};
use crate::genesis::NETWORK_VERSION;

/// Stages of a sync, as nodes number them.
const IDLE: i64 = 0;
const COMPLETE: i64 = 4;
/// Where upgrades stand that are not decided yet.
const NEVER: ChainEpoch = 999_999_999_999_999;
/// Upgrades by network version, the first at version 1. All of them happened before the genesis.
const UPGRADES: [&str; 32] = [
    "Smoke",
    "Breeze",
    "Ignition",
    "Refuel",
    "Tape",
    "Assembly",
    "Liftoff",
    "Kumquat",
    "Calico",
    "Persian",
    "Orange",
    "Claus",
    "Trust",
    "Norwegian",
    "Turbo",
    "Hyperdrive",
    "Chocolate",
    "OhSnap",
    "Skyr",
    "Shark",
    "Hygge",
    "Lightning",
    "Thunder",
    "Watermelon",
    "Dragon",
    "Phoenix",
    "Waffle",
    "Tuktuk",
    "Teep",
    "Tock",
    "GoldenWeek",
    "FireHorse",
];

pub(super) fn register(m: &mut Methods) {
    if m.v0() {
        method!(m, Read "Filecoin.Version" () => version_0, .idempotent());
    } else {
        method!(m, Read "Filecoin.Version" () => version_1, .idempotent());
    }
    method!(m, Read "Filecoin.StateNetworkName" () => name, .idempotent());
    method!(m, Read "Filecoin.StateNetworkVersion" (k: TipsetKey = "types.TipSetKey") => network_version, .idempotent());
    method!(m, Read "Filecoin.StateGetNetworkParams" () => params, .idempotent());
    method!(m, Read "Filecoin.SyncState" () => sync_state, .idempotent());
    method!(m, Read "Filecoin.NodeStatus" (chain: bool = "bool") => status, .idempotent());
    if m.venus() {
        method!(m, Read "Filecoin.BlockTime" () => block_time, .idempotent());
        method!(m, Read "Filecoin.ProtocolParameters" () => protocol, .idempotent());
    } else {
        method!(m, Read "Filecoin.Session" () => session, .idempotent());
        method!(m, Admin "Filecoin.Shutdown" () => refuse_shutdown, .void());
    }
}

async fn version_0(face: Face) -> Answer<Json<Version>> {
    Ok(Json(version(&face, Version::api_number(1, 5, 0))))
}

async fn version_1(face: Face) -> Answer<Json<Version>> {
    Ok(Json(version(&face, Version::api_number(2, 3, 0))))
}

fn version(face: &Face, api_version: u32) -> Version {
    let crate_version = env!("CARGO_PKG_VERSION");
    let agent = match face.kind {
        FaceKind::Venus => None,
        FaceKind::Lotus => Some("lotus"),
        FaceKind::Forest => Some("forest"),
    };
    let network = &face.devnet.genesis_info().network;
    Version {
        version: if agent.is_some() { format!("v{crate_version}+devnet") } else { crate_version.to_owned() },
        api_version,
        block_delay: agent.map(|_| network.block_delay_secs),
        agent: agent.map(str::to_owned),
    }
}

async fn name(face: Face) -> Answer<String> {
    Ok(face.devnet.genesis_info().network.name.clone())
}

async fn network_version(face: Face, key: TipsetKey) -> Answer<u32> {
    face.devnet.tipset(&key).await?;
    Ok(face.devnet.genesis_info().network.network_version)
}

async fn params(face: Face) -> Answer<Json<NetworkParams>> {
    let network = &face.devnet.genesis_info().network;
    let at = face.devnet.at(&TipsetKey::default())?;
    let rules = at.view().tree.rules();
    let venus = face.kind == FaceKind::Venus;
    Ok(Json(NetworkParams {
        network_name: network.name.clone(),
        block_delay_secs: network.block_delay_secs,
        consensus_miner_min_power: BigInt::from(rules.min_power),
        // Seal proofs V1_1 of the five sector sizes.
        supported_proof_types: venus.then(|| (5..=9).collect()),
        pre_commit_challenge_delay: rules.precommit_challenge_delay,
        fork_upgrade_params: upgrades(venus),
        eip155_chain_id: network.eip155_chain_id,
        genesis_timestamp: (!venus).then_some(network.genesis_timestamp),
    }))
}

/// Below zero means before the genesis; the later, the further below, as nodes of 2k networks have it.
fn upgrades(venus: bool) -> ForkUpgradeParams {
    let passed = (1..).zip(UPGRADES).map(|(at, name): (ChainEpoch, _)| (format!("Upgrade{name}Height"), -at));
    let mut upgrades: Vec<_> = passed.collect();
    upgrades.push(("BreezeGasTampingDuration".to_owned(), 0));
    if !venus {
        upgrades.push(("UpgradeXxHeight".to_owned(), NEVER));
    }
    debug_assert_eq!(NETWORK_VERSION, 28);
    ForkUpgradeParams::new(upgrades)
}

async fn block_time(face: Face) -> Answer<i64> {
    Ok(nanoseconds(&face))
}

fn nanoseconds(face: &Face) -> i64 {
    let seconds = i64::try_from(face.devnet.genesis_info().network.block_delay_secs).unwrap_or(i64::MAX);
    seconds.saturating_mul(1_000_000_000)
}

async fn protocol(face: Face) -> Answer<Json<ProtocolParams>> {
    let size = |shift: u32| {
        let size = 1u64 << shift;
        // 127 bytes of data become 128 in a sector.
        SectorSizeParams { size, max_piece_size: size / 128 * 127 }
    };
    Ok(Json(ProtocolParams {
        network: face.devnet.genesis_info().network.name.clone(),
        block_time: nanoseconds(&face),
        supported_sectors: [11, 23, 29, 35, 36].map(size).to_vec(),
    }))
}

/// A devnet has nobody to sync from. Venus remembers how it came to its head, Lotus has a worker that rests.
async fn sync_state(face: Face) -> Answer<Json<SyncState>> {
    let head = face.devnet.head().await?;
    let stats = face.devnet.stats();
    let sync = match face.kind {
        FaceKind::Venus => done(base_of(&face, &head).await?, head),
        FaceKind::Lotus | FaceKind::Forest => resting(),
    };
    // Each block pays its miner and each epoch ends with the cron actor's work: messages that no block contains.
    let vm_applied = stats.blocks.saturating_add_signed(stats.height);
    Ok(Json(SyncState { active_syncs: vec![sync], vm_applied }))
}

async fn base_of(face: &Face, head: &Arc<Tipset>) -> Answer<Arc<Tipset>> {
    match head.height() {
        0 => Ok(head.clone()),
        _ => Ok(face.devnet.tipset(&head.parents()).await?),
    }
}

fn done(base: Arc<Tipset>, target: Arc<Tipset>) -> ActiveSync {
    let seconds = i64::try_from(target.min_timestamp()).unwrap_or_default();
    let time = OffsetDateTime::from_unix_timestamp(seconds).unwrap_or(OffsetDateTime::UNIX_EPOCH);
    ActiveSync {
        worker_id: 1,
        base: Some(base),
        height: target.height(),
        target: Some(target),
        stage: COMPLETE,
        start: time,
        end: time,
        message: String::new(),
    }
}

fn resting() -> ActiveSync {
    let never = time::Date::from_ordinal_date(1, 1)
        .map_or(OffsetDateTime::UNIX_EPOCH, |date| date.midnight().assume_utc());
    ActiveSync {
        worker_id: 1,
        base: None,
        target: None,
        stage: IDLE,
        height: 0,
        start: never,
        end: never,
        message: String::new(),
    }
}

async fn status(face: Face, chain: bool) -> Answer<Value> {
    let head = face.devnet.head().await?;
    let network = &face.devnet.genesis_info().network;
    let late = face.devnet.inner.clock.unix_seconds().saturating_sub(head.min_timestamp());
    let finality = face.devnet.at(&TipsetKey::default())?.view().tree.rules().finality;
    let (last, all) = match chain && head.height() > finality {
        true => {
            (blocks_per_tipset(&face, &head, 100).await?, blocks_per_tipset(&face, &head, finality).await?)
        }
        false => (0.0, 0.0),
    };
    Ok(json!({
        "SyncStatus": { "Epoch": head.height(), "Behind": late / network.block_delay_secs.max(1) },
        "PeerStatus": { "PeersToPublishMsgs": 0, "PeersToPublishBlocks": 0 },
        "ChainStatus": { "BlocksPerTipsetLast100": number(last), "BlocksPerTipsetLastFinality": number(all) },
    }))
}

/// Go writes whole floats without a point.
fn number(value: f64) -> Value {
    if value.fract() == 0.0 { json!(value as i64) } else { json!(value) }
}

async fn blocks_per_tipset(face: &Face, head: &Arc<Tipset>, epochs: ChainEpoch) -> Answer<f64> {
    let (mut tipset, mut blocks) = (head.clone(), 0usize);
    for _ in 0..epochs {
        blocks += tipset.blocks().len();
        if tipset.height() == 0 {
            break;
        }
        tipset = face.devnet.tipset(&tipset.parents()).await?;
    }
    Ok(blocks as f64 / epochs.max(1) as f64)
}

/// An ID for as long as the face lives.
async fn session(face: Face) -> Answer<String> {
    Ok(face.session.to_string())
}

/// Who runs the devnet ends it, not who talks to it.
async fn refuse_shutdown(_: Face) -> Answer<()> {
    Err(super::error::FaceError::said("a devnet is ended by the program that runs it"))
}
