//! What can go wrong, in the words of sophon-gateway where clients look for them.

use std::time::Duration;

use uuid::Uuid;
use venus_core::api::IdentityError;
use venus_core::entropy::EntropyError;
use venus_core::error::{Classify, ErrorKind};
use venus_core::types::Address;

/// Why a hub did not do what it was asked.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum HubError {
    /// No wallet that may serve the request has the key. The text is the one that Go callers know.
    #[error("send request must have channel")]
    NoWallet {
        /// The key.
        signer: Address,
    },
    /// No prover or sealer of the miner is there.
    #[error("no connections for this miner {}", text(.0))]
    NoConnection(Address),
    /// No wallet of the account is there.
    #[error("wallet {0} not exit")]
    NoAccount(String),
    /// No prover of the miner is there, in a list.
    #[error("miner {} not exit", text(.0))]
    NoMiner(Address),
    /// There is no such channel of the caller's.
    #[error("channel {0} not found ")]
    NoChannel(Uuid),
    /// The same, in the words of `AddNewAddress`.
    #[error("no connect found for wallet {account} and channelID {channel}")]
    NoChannelOf {
        /// The caller's account.
        account: String,
        /// The channel.
        channel: Uuid,
    },
    /// An answer to what nobody asked, or asked on another connection, or has given up.
    #[error("request id {0} not exit")]
    NoRequest(String),
    /// A provider answered with an error, which is not of the kind that another one could mend.
    #[error("{0}")]
    Provider(String),
    /// The only provider that could serve the request went away, or the caller's own channel ended.
    #[error("channel closed")]
    Closed,
    /// All providers that could serve the request failed.
    #[error("all request failed: {method} {last}")]
    AllFailed {
        /// The method.
        method: &'static str,
        /// How the last one failed.
        last: String,
    },
    /// Every provider that could serve the request has as much to do as it may have.
    #[error("overloaded: every provider of this request has a full queue; try again")]
    Overloaded,
    /// No answer in time. Whether a provider did the work is unknown; an answer that comes later is thrown away.
    #[error("no answer to {method} within {after:?}")]
    Timeout {
        /// The method.
        method: &'static str,
        /// The deadline.
        after: Duration,
    },
    /// A provider answered something that is no answer.
    #[error("{0}")]
    Decode(String),
    /// A wallet answered a signature that its key did not make over these bytes. It was not handed on.
    #[error("the wallet's signature does not verify for {}: {reason}", text(.signer))]
    BadSignature {
        /// The key.
        signer: Address,
        /// What is wrong.
        reason: String,
    },
    /// A wallet could not prove a key that it announces.
    #[error("{0}")]
    Unproven(String),
    /// An argument is wrong; the text begins with its name.
    #[error("{0}")]
    Invalid(String),
    /// The caller may not do this.
    #[error("{0}")]
    Denied(String),
    /// The hub has as many of these as it may have.
    #[error("too many {0}")]
    TooMany(&'static str),
    /// An account that a wallet wants to serve does not exist. Create it, or take it out of the wallet's list.
    #[error("verify user [{}] failed: verify {missing}: Key not found", .accounts.join(" "))]
    UnknownAccount {
        /// All that it wants to serve.
        accounts: Vec<String>,
        /// The first that does not exist.
        missing: String,
    },
    /// Accounts could not be looked up; the kind is that of the source.
    #[error("{context}: {source}")]
    Identity {
        /// What was looked up.
        context: String,
        /// What went wrong.
        #[source]
        source: IdentityError,
    },
    /// There are no random bytes for ids and challenges.
    #[error(transparent)]
    Entropy(#[from] EntropyError),
    /// The hub is shutting down.
    #[error("the gateway is shutting down")]
    Stopped,
}

impl Classify for HubError {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::NoWallet { .. } | Self::NoConnection(_) | Self::NoAccount(_) | Self::NoMiner(_) => {
                ErrorKind::NotFound
            }
            Self::NoChannel(_) | Self::NoChannelOf { .. } | Self::NoRequest(_) => ErrorKind::NotFound,
            Self::UnknownAccount { .. } => ErrorKind::NotFound,
            Self::Provider(_) | Self::Entropy(_) => ErrorKind::Internal,
            Self::AllFailed { .. } | Self::Closed | Self::Stopped => ErrorKind::Transient,
            Self::Overloaded | Self::TooMany(_) => ErrorKind::RateLimited,
            Self::Timeout { .. } => ErrorKind::Timeout,
            Self::Decode(_) | Self::BadSignature { .. } => ErrorKind::Corrupt,
            Self::Invalid(_) => ErrorKind::Invalid,
            Self::Denied(_) | Self::Unproven(_) => ErrorKind::Denied,
            Self::Identity { source, .. } => source.kind(),
        }
    }
}

/// As mainnet writes it, which is what every component of a pool writes.
pub(crate) fn text(address: &Address) -> String {
    venus_core::types::address::format(address, venus_core::types::Network::Mainnet)
}
