//! How a node is reached.

use std::time::Duration;

use fvm_shared::clock::ChainEpoch;

use crate::rpc::client::{ClientConfig, WhileDown};

/// How a node is reached, and how much of it is remembered.
#[derive(Clone, Debug)]
pub struct NodeConfig {
    /// Token, deadlines, limits and back-off of the connection.
    pub client: ClientConfig,
    /// The name of the network that the node must follow. Without it, the one that it follows at first: another
    /// one is refused from then on.
    pub network: Option<String>,
    /// How often a read is repeated that failed because the connection did.
    pub retries: u32,
    /// Time from one question for the head to the next where the node cannot tell of it by itself. Without it, a
    /// fifth of an epoch, three seconds at most.
    pub poll: Option<Duration>,
    /// A head stream that fell behind by more epochs gets a gap.
    pub max_gap: ChainEpoch,
    /// How many tipsets are remembered. Four times as many headers and messages are, and an eighth of it of the
    /// messages and receipts of whole blocks.
    pub remembered: usize,
}

/// Answers about large miners have hundreds of megabytes.
const MESSAGE_BYTES: usize = 512 << 20;

/// Methods that take another time than most, in seconds.
const DEADLINES: [(&str, u64); 9] = [
    ("Filecoin.ChainHead", 10),
    ("Filecoin.StateNetworkName", 10),
    ("Filecoin.MpoolSelect", 10),
    ("Filecoin.MpoolSelects", 10),
    ("Filecoin.MinerGetBaseInfo", 30),
    ("Filecoin.MinerCreateBlock", 30),
    ("Filecoin.StateMinerSectors", 120),
    ("Filecoin.StateSearchMsg", 120),
    ("Filecoin.StateCompute", 300),
];

impl Default for NodeConfig {
    /// Two retries, gaps above 900 epochs, 2048 tipsets.
    fn default() -> Self {
        let mut client = ClientConfig::default();
        client.limits.message_bytes = MESSAGE_BYTES;
        for (method, seconds) in DEADLINES {
            client = client.with_deadline(method, Duration::from_secs(seconds));
        }
        Self { client, network: None, retries: 2, poll: None, max_gap: 900, remembered: 2048 }
    }
}

impl NodeConfig {
    /// The configuration of one node among several: a call that cannot be sent now fails now, for another node may
    /// answer it.
    #[must_use]
    pub fn among_several(mut self) -> Self {
        self.client.while_down = WhileDown::Fail;
        self.retries = 0;
        self
    }

    /// The configuration with the name of the network that the node must follow.
    #[must_use]
    pub fn on_network(mut self, name: impl Into<String>) -> Self {
        self.network = Some(name.into());
        self
    }
}
