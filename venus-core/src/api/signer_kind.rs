//! Where keys are, as operators configure it.

use std::fmt;
use std::str::FromStr;

use crate::error::{Classify, ErrorKind};

/// Where the keys of a component are. Whatever it is, the component sees an [`ISigner`](super::ISigner).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum SignerKind {
    /// In a Lotus node, which signs bytes without knowing what they are.
    LotusNode,
    /// In a wallet: venus-wallet, lotus-wallet, or the wallet of a Venus node.
    Wallet,
    /// In wallets that dialled in at a gateway.
    Gateway,
}

/// Why keys cannot be there. Mend the configuration.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SignerKindError {
    /// There is no such kind.
    #[error("unsupport signer type {0}")]
    Unknown(String),
    /// A market client signs deals with its own keys; wallets at a gateway belong to storage providers.
    #[error("signing through the venus-gateway cannot be used for market-client")]
    MarketClient,
}

impl Classify for SignerKindError {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::Unknown(_) => ErrorKind::Unsupported,
            Self::MarketClient => ErrorKind::Invalid,
        }
    }
}

impl SignerKind {
    /// The name in configurations, which is that of Go's.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::LotusNode => "lotusnode",
            Self::Wallet => "wallet",
            Self::Gateway => "gateway",
        }
    }

    /// The same, if the keys of a market client may be there.
    ///
    /// # Errors
    /// [`SignerKindError::MarketClient`] for a gateway.
    pub fn for_market_client(self) -> Result<Self, SignerKindError> {
        match self {
            Self::Gateway => Err(SignerKindError::MarketClient),
            Self::LotusNode | Self::Wallet => Ok(self),
        }
    }
}

impl fmt::Display for SignerKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for SignerKind {
    type Err = SignerKindError;

    fn from_str(text: &str) -> Result<Self, SignerKindError> {
        let all = [Self::LotusNode, Self::Wallet, Self::Gateway];
        let unknown = || SignerKindError::Unknown(text.chars().take(64).collect());
        all.into_iter().find(|kind| kind.as_str() == text).ok_or_else(unknown)
    }
}
