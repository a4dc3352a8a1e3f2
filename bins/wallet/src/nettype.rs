//! The networks that a wallet can be for.

use venus_core::types::Network;

use crate::cli::CliError;

/// A network by its name in `--nettype`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum NetType {
    /// The chain with value.
    #[default]
    Mainnet,
    /// Calibration.
    Cali,
    /// Butterfly.
    Butterfly,
    /// Integration.
    Integration,
    /// Interoperability.
    Interop,
    /// Test network of Venus.
    Force,
    /// Small sectors, for one machine.
    TwoK,
}

impl NetType {
    /// The network of a name; mainnet if it is empty.
    pub(crate) fn named(name: &str) -> Result<Self, CliError> {
        Ok(match name {
            "" | "mainnet" => Self::Mainnet,
            "cali" | "calibnet" | "calibrationnet" => Self::Cali,
            "butterfly" | "butterflynet" => Self::Butterfly,
            "integrationnet" => Self::Integration,
            "interop" | "interopnet" => Self::Interop,
            "force" | "forcenet" => Self::Force,
            "2k" => Self::TwoK,
            _ => {
                let known = "mainnet, integrationnet, 2k, cali, interop, force, butterfly";
                return Err(CliError(format!("unknown nettype `{name}`, should be one of {known}")));
            }
        })
    }

    /// Its name.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Mainnet => "mainnet",
            Self::Cali => "cali",
            Self::Butterfly => "butterfly",
            Self::Integration => "integrationnet",
            Self::Interop => "interop",
            Self::Force => "force",
            Self::TwoK => "2k",
        }
    }

    /// How addresses begin.
    pub(crate) fn prefix(self) -> Network {
        if self == Self::Mainnet { Network::Mainnet } else { Network::Testnet }
    }

    /// The chain ID in transactions of `f4` senders.
    pub(crate) fn chain_id(self) -> u64 {
        match self {
            Self::Mainnet => 314,
            Self::Cali => 314_159,
            Self::Butterfly | Self::Interop | Self::Integration => 3_141_592,
            Self::TwoK | Self::Force => 31_415_926,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_mainnet_writes_f() {
        let prefix = |name| NetType::named(name).unwrap().prefix();
        assert_eq!(
            (prefix(""), prefix("mainnet"), prefix("2k")),
            (Network::Mainnet, Network::Mainnet, Network::Testnet)
        );
        assert_eq!(NetType::named("cali").unwrap().chain_id(), 314_159);
        assert!(NetType::named("moon").unwrap_err().to_string().contains("butterfly"));
    }
}
