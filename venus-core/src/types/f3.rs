//! Fast finality (FIP-0086), as far as a pool takes part in it.

use fvm_shared::ActorID;
use fvm_shared::clock::ChainEpoch;
use serde_json::Value;

use crate::json::lotus_json;

/// How long a node signs finality messages for a miner.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct F3Lease {
    /// The network's name.
    pub network: String,
    /// Peer ID of the node that gave it. Another node refuses it.
    pub issuer: String,
    /// The miner's ID.
    pub miner_id: ActorID,
    /// First instance that it covers.
    pub from_instance: u64,
    /// How many instances.
    pub validity_term: u64,
}

lotus_json!(F3Lease {
    network: "Network",
    issuer: "Issuer",
    miner_id: "MinerID",
    from_instance: "FromInstance",
    validity_term: "ValidityTerm",
});

/// A miner that a node signs for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct F3Participant {
    /// The miner's ID.
    pub miner_id: ActorID,
    /// First instance.
    pub from_instance: u64,
    /// How many instances are left.
    pub validity_term: u64,
}

lotus_json!(F3Participant {
    miner_id: "MinerID",
    from_instance: "FromInstance",
    validity_term: "ValidityTerm",
});

/// Where the node's instance stands.
#[derive(Clone, Debug, PartialEq)]
pub struct F3Progress {
    /// Instance.
    pub id: u64,
    /// Round.
    pub round: u64,
    /// Phase: 0 initial, 1 quality, 2 converge, 3 prepare, 4 commit, 5 decide, 6 terminated.
    pub phase: i64,
    /// The chain that it began with.
    pub input: Value,
}

lotus_json!(F3Progress { id: "ID", round: "Round", phase: "Phase", input: "Input" });

/// Parameters of the finality network. What only nodes need is carried as it is.
#[derive(Clone, Debug, PartialEq)]
pub struct F3Manifest {
    /// Version of the protocol.
    pub protocol_version: u64,
    /// First instance.
    pub initial_instance: u64,
    /// When it starts.
    pub bootstrap_epoch: ChainEpoch,
    /// The name, which differs from the chain's.
    pub network_name: String,
    /// CID of the first power table.
    pub initial_power_table: Value,
    /// Instances between the power table and its use.
    pub committee_lookback: u64,
    /// Nanoseconds an instance takes at least while catching up; leases are renewed in steps of it.
    pub catch_up_alignment: i64,
    /// Of the consensus protocol.
    pub gpbft: Value,
    /// Of the chain below.
    pub ec: Value,
    /// Of the exchange of certificates.
    pub certificate_exchange: Value,
    /// Of gossip.
    pub pub_sub: Value,
    /// Of the exchange of chains.
    pub chain_exchange: Value,
    /// Of messages without their chain.
    pub partial_message_manager: Value,
}

lotus_json!(F3Manifest {
    protocol_version: "ProtocolVersion",
    initial_instance: "InitialInstance",
    bootstrap_epoch: "BootstrapEpoch",
    network_name: "NetworkName",
    initial_power_table: "InitialPowerTable",
    committee_lookback: "CommitteeLookback",
    catch_up_alignment: "CatchUpAlignment",
    gpbft: "Gpbft",
    ec: "EC",
    certificate_exchange: "CertificateExchange",
    pub_sub: "PubSub",
    chain_exchange: "ChainExchange",
    partial_message_manager: "PartialMessageManager",
});
