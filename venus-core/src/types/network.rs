//! What a node tells about itself and its network.

use fvm_shared::clock::ChainEpoch;
use num_bigint::BigInt;
use serde::{Deserializer, Serializer};
use std::sync::Arc;
use time::OffsetDateTime;

use super::Tipset;
use crate::json::{LotusJson, lotus_json};

/// Parameters of a network.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NetworkParams {
    /// The name, such as `mainnet` or `localnet-…`.
    pub network_name: String,
    /// Seconds from one epoch to the next.
    pub block_delay_secs: u64,
    /// Power in bytes below which a miner wins no elections.
    pub consensus_miner_min_power: BigInt,
    /// Registered seal proof numbers. Only Venus tells.
    pub supported_proof_types: Option<Vec<i64>>,
    /// Epochs from a pre-commit to its seed.
    pub pre_commit_challenge_delay: ChainEpoch,
    /// When the rules change.
    pub fork_upgrade_params: ForkUpgradeParams,
    /// EIP-155 chain ID of delegated transactions.
    pub eip155_chain_id: u64,
    /// Timestamp of the genesis block, Unix seconds. Only Lotus tells.
    pub genesis_timestamp: Option<u64>,
}

lotus_json!(NetworkParams {
    network_name: "NetworkName",
    block_delay_secs: "BlockDelaySecs",
    consensus_miner_min_power: "ConsensusMinerMinPower",
    supported_proof_types: "SupportedProofTypes" opt,
    pre_commit_challenge_delay: "PreCommitChallengeDelay",
    fork_upgrade_params: "ForkUpgradeParams",
    eip155_chain_id: "Eip155ChainID",
    genesis_timestamp: "GenesisTimestamp" opt,
});

/// Epochs of upgrades by name, such as `UpgradeFireHorseHeight`, in the node's order. Every release of a node
/// adds one, so the names are data.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ForkUpgradeParams(Vec<(String, ChainEpoch)>);

impl ForkUpgradeParams {
    /// Most members that are read.
    const MAX: usize = 256;

    /// Upgrades by name, in this order.
    pub fn new(upgrades: impl IntoIterator<Item = (String, ChainEpoch)>) -> Self {
        Self(upgrades.into_iter().collect())
    }

    /// The epoch of an upgrade, named `FireHorse` or `UpgradeFireHorseHeight`. Negative: since genesis.
    pub fn height(&self, upgrade: &str) -> Option<ChainEpoch> {
        let is = |name: &str| {
            name.eq_ignore_ascii_case(upgrade)
                || (name.len() == upgrade.len() + "UpgradeHeight".len()
                    && name.strip_prefix("Upgrade").and_then(|n| n.strip_suffix("Height")) == Some(upgrade))
        };
        self.0.iter().find(|(name, _)| is(name)).map(|(_, height)| *height)
    }

    /// All names and epochs.
    pub fn iter(&self) -> impl Iterator<Item = (&str, ChainEpoch)> {
        self.0.iter().map(|(name, height)| (name.as_str(), *height))
    }
}

impl LotusJson for ForkUpgradeParams {
    fn write<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.iter())
    }

    fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl<'de> serde::de::Visitor<'de> for Visitor {
            type Value = ForkUpgradeParams;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("an object of epochs")
            }

            fn visit_map<A: serde::de::MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                use serde::de::Error as _;
                let mut upgrades = Vec::new();
                while let Some(name) = map.next_key::<String>()? {
                    let height = map.next_value::<Option<ChainEpoch>>();
                    let height = height.map_err(|e| A::Error::custom(format_args!("{name}: {e}")))?;
                    if upgrades.len() == ForkUpgradeParams::MAX {
                        return Err(A::Error::custom("more upgrades than any network has"));
                    }
                    upgrades.push((name, height.unwrap_or_default()));
                }
                Ok(ForkUpgradeParams(upgrades))
            }
        }
        deserializer.deserialize_map(Visitor)
    }

    fn absent() -> Option<Self> {
        Some(Self::default())
    }
}

lotus_json!(@serde ForkUpgradeParams);

/// Venus's summary of a network.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProtocolParams {
    /// The name.
    pub network: String,
    /// Nanoseconds from one epoch to the next.
    pub block_time: i64,
    /// Sizes of sectors that miners may have.
    pub supported_sectors: Vec<SectorSizeParams>,
}

lotus_json!(ProtocolParams {
    network: "Network",
    block_time: "BlockTime",
    supported_sectors: "SupportedSectors" null,
});

/// A sector size and what fits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SectorSizeParams {
    /// Padded bytes.
    pub size: u64,
    /// Unpadded bytes of the largest piece.
    pub max_piece_size: u64,
}

lotus_json!(SectorSizeParams { size: "Size", max_piece_size: "MaxPieceSize" });

/// A program's version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Version {
    /// The program's own, such as `1.20.0`.
    pub version: String,
    /// The API's: major, minor and patch, a byte each; see [`Version::api`].
    pub api_version: u32,
    /// Seconds from one epoch to the next. Only Lotus and Forest tell.
    pub block_delay: Option<u64>,
    /// `lotus` or `forest`. Only they tell.
    pub agent: Option<String>,
}

lotus_json!(Version {
    version: "Version",
    api_version: "APIVersion",
    block_delay: "BlockDelay" opt,
    agent: "Agent" opt,
});

impl Version {
    /// Major, minor and patch of the API.
    pub fn api(&self) -> (u8, u8, u8) {
        let [_, major, minor, patch] = self.api_version.to_be_bytes();
        (major, minor, patch)
    }

    /// The number for major, minor and patch of an API.
    pub fn api_number(major: u8, minor: u8, patch: u8) -> u32 {
        u32::from_be_bytes([0, major, minor, patch])
    }
}

/// How far a node is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SyncState {
    /// What it works on.
    pub active_syncs: Vec<ActiveSync>,
    /// Messages executed since it started.
    pub vm_applied: u64,
}

lotus_json!(SyncState { active_syncs: "ActiveSyncs" null, vm_applied: "VMApplied" });

/// One branch that a node follows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ActiveSync {
    /// Which worker.
    pub worker_id: u64,
    /// From where.
    pub base: Option<Arc<Tipset>>,
    /// To where.
    pub target: Option<Arc<Tipset>>,
    /// 0 idle, 1 headers, 2 saving, 3 messages, 4 complete, 5 failed, 6 fetching messages.
    pub stage: i64,
    /// How far.
    pub height: ChainEpoch,
    /// Since when; year 1 if it never did.
    pub start: OffsetDateTime,
    /// Until when; year 1 if it still does.
    pub end: OffsetDateTime,
    /// Why it failed.
    pub message: String,
}

lotus_json!(ActiveSync {
    worker_id: "WorkerID",
    base: "Base",
    target: "Target",
    stage: "Stage",
    height: "Height",
    start: "Start",
    end: "End",
    message: "Message",
});

/// Where a libp2p peer can be reached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AddrInfo {
    /// The peer ID.
    pub id: String,
    /// Multiaddresses.
    pub addrs: Vec<String>,
}

lotus_json!(AddrInfo { id: "ID", addrs: "Addrs" });

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn upgrades_by_name() {
        let upgrades = ForkUpgradeParams::new([
            ("UpgradeTockHeight".to_owned(), -30),
            ("BreezeGasTampingDuration".to_owned(), 0),
        ]);
        assert_eq!(upgrades.height("Tock"), Some(-30));
        assert_eq!(upgrades.height("UpgradeTockHeight"), Some(-30));
        assert_eq!(upgrades.height("BreezeGasTampingDuration"), Some(0));
        assert_eq!(upgrades.height("Height"), None);
        let many: String = (0..300).map(|i| format!("\"u{i}\":0,")).collect();
        let error = serde_json::from_str::<ForkUpgradeParams>(&format!("{{{many}\"z\":0}}")).unwrap_err();
        assert!(error.to_string().contains("more upgrades"), "{error}");
        assert!(serde_json::from_str::<ForkUpgradeParams>(r#"{"UpgradeTockHeight":"1"}"#).is_err());
    }

    #[test]
    fn api_versions() {
        assert_eq!(Version::api_number(2, 3, 0), 131_840);
        assert_eq!(Version::api_number(1, 5, 0), 66_816);
        let version: Version = serde_json::from_str(r#"{"Version":"1","APIVersion":131840}"#).unwrap();
        assert_eq!(version.api(), (2, 3, 0));
    }
}
