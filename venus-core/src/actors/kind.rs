//! The builtin actors by name.

/// A builtin actor.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum ActorKind {
    /// Holder of a key (`f1`, `f3`).
    Account,
    /// Calls others every epoch (`f03`).
    Cron,
    /// The datacap token (`f07`).
    Datacap,
    /// Makes Ethereum-like actors (`f010`).
    Eam,
    /// An Ethereum account (`f4`) that has signed.
    EthAccount,
    /// A contract.
    Evm,
    /// Makes actors (`f01`).
    Init,
    /// The storage market (`f05`).
    Market,
    /// A storage provider.
    Miner,
    /// A wallet of several keys.
    Multisig,
    /// A payment channel.
    Paych,
    /// An `f4` address that has received and not yet signed.
    Placeholder,
    /// The claims of power (`f04`).
    Power,
    /// The block reward (`f02`).
    Reward,
    /// The root (`f00`).
    System,
    /// Verified clients and their allocations (`f06`).
    Verifreg,
}

impl ActorKind {
    /// All of them.
    pub const ALL: &[Self] = &[
        Self::Account,
        Self::Cron,
        Self::Datacap,
        Self::Eam,
        Self::EthAccount,
        Self::Evm,
        Self::Init,
        Self::Market,
        Self::Miner,
        Self::Multisig,
        Self::Paych,
        Self::Placeholder,
        Self::Power,
        Self::Reward,
        Self::System,
        Self::Verifreg,
    ];

    /// The short name by which people and logs call it: `miner`, `market`, `verifreg`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Market => "market",
            Self::Miner => "miner",
            Self::Paych => "paych",
            Self::Power => "power",
            Self::Verifreg => "verifreg",
            other => other.manifest_name(),
        }
    }

    /// The name in a network's manifest of code CIDs, as `StateActorCodeCIDs` answers it.
    pub const fn manifest_name(self) -> &'static str {
        match self {
            Self::Account => "account",
            Self::Cron => "cron",
            Self::Datacap => "datacap",
            Self::Eam => "eam",
            Self::EthAccount => "ethaccount",
            Self::Evm => "evm",
            Self::Init => "init",
            Self::Market => "storagemarket",
            Self::Miner => "storageminer",
            Self::Multisig => "multisig",
            Self::Paych => "paymentchannel",
            Self::Placeholder => "placeholder",
            Self::Power => "storagepower",
            Self::Reward => "reward",
            Self::System => "system",
            Self::Verifreg => "verifiedregistry",
        }
    }

    /// The actor of a name in a manifest.
    pub fn from_manifest_name(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|kind| kind.manifest_name() == name)
    }

    /// The actor behind an ID address, for the few whose ID never changes.
    pub const fn of_singleton(id: u64) -> Option<Self> {
        match id {
            0 => Some(Self::System),
            1 => Some(Self::Init),
            2 => Some(Self::Reward),
            3 => Some(Self::Cron),
            4 => Some(Self::Power),
            5 => Some(Self::Market),
            6 => Some(Self::Verifreg),
            7 => Some(Self::Datacap),
            10 => Some(Self::Eam),
            _ => None,
        }
    }
}

impl std::fmt::Display for ActorKind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}
