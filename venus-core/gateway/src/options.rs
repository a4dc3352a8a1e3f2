//! How a hub behaves.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use uuid::{Builder, Uuid};
use venus_core::clock::{Clock, SystemClock};
use venus_core::entropy::{Entropy, EntropyError, OsEntropy};

use crate::verify::{SignatureVerifier, Verifying};

/// Which accounts' wallets get the challenge of Go gateways, if they do not say that they understand more.
///
/// Go's challenge names nobody: **whoever runs another hub of such a wallet can pass the question on**, and so claim the
/// wallet's keys here for an account that is listed. Accounts that are not listed cannot be used for that, and a wallet
/// that answers only challenges that name its hub cannot be made to answer, whatever stands here. So list the accounts of
/// Go wallets, one by one, until they are replaced; the account service's rule of sharing decides what a key is worth
/// that somebody claims who is not its first owner. Here, unlike in Go gateways, the random bytes are fresh for each key
/// and attempt, so that an answer counts once.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Legacy {
    /// Nobody's.
    #[default]
    None,
    /// Those of these accounts.
    Accounts(BTreeSet<String>),
    /// Everybody's.
    All,
}

impl Legacy {
    /// Whether the wallets of `account` get it.
    pub fn holds_for(&self, account: &str) -> bool {
        match self {
            Self::None => false,
            Self::Accounts(accounts) => accounts.contains(account),
            Self::All => true,
        }
    }
}

/// Whose consent a wallet needs to serve an account besides its own.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SupportRule {
    /// An administrator's: the wallet's token has the scope `support:<account>`, or is an administrator's itself.
    /// Other accounts are left out and reported.
    #[default]
    Granted,
    /// Nobody's, as with sophon-gateway.
    Any,
}

/// The bounds of a hub. What is beyond them is refused at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HubLimits {
    /// Events that wait to be sent on one channel.
    pub queue: usize,
    /// Questions on one channel that are not answered.
    pub in_flight: usize,
    /// Channels of one account.
    pub channels_per_account: usize,
    /// Channels of one IP address.
    pub channels_per_ip: usize,
    /// Channels in all.
    pub channels: usize,
    /// Addresses of one wallet.
    pub addresses: usize,
    /// Accounts that one wallet may support.
    pub support_accounts: usize,
    /// Challenges of one wallet at once.
    pub challenges: usize,
}

impl Default for HubLimits {
    fn default() -> Self {
        Self {
            queue: 256,
            in_flight: 1024,
            channels_per_account: 4096,
            channels_per_ip: 4096,
            channels: 20_000,
            addresses: 10_000,
            support_accounts: 64,
            challenges: 64,
        }
    }
}

/// How a hub behaves.
#[derive(Clone)]
#[non_exhaustive]
pub struct HubOptions {
    /// What it calls itself in its challenges, 1 to 256 bytes; wallets are configured with the same name. No two hubs that
    /// share a wallet may have the same.
    pub name: String,
    /// Its bounds.
    pub limits: HubLimits,
    /// Who gets Go's challenge.
    pub legacy: Legacy,
    /// Whose consent support accounts need.
    pub support: SupportRule,
    /// Whether one key that cannot be proven refuses all of its wallet, as with sophon-gateway.
    pub strict: bool,
    /// How long a registration may take.
    pub handshake: Duration,
    /// How long one challenge may take.
    pub challenge: Duration,
    /// How long a signature may take, unless the caller says less.
    pub sign: Duration,
    /// How long a proof may take, unless the caller says less.
    pub proof: Duration,
    /// How long the answer to one question about unsealing may take.
    pub unseal: Duration,
    /// After how long without an answer a second provider is asked besides the first; `None` for never.
    pub hedge: Option<Duration>,
    /// How long an answer of the accounts may be used.
    pub accounts_ttl: Duration,
    /// Checks signatures.
    pub verifier: Arc<dyn SignatureVerifier>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Where ids and challenges come from: 16 bytes for an id, 32 for a challenge.
    pub entropy: Arc<dyn Entropy>,
}

impl HubOptions {
    /// The defaults, for a hub that calls itself `name`.
    pub fn new(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            limits: HubLimits::default(),
            legacy: Legacy::default(),
            support: SupportRule::default(),
            strict: false,
            handshake: Duration::from_secs(60),
            challenge: Duration::from_secs(10),
            sign: Duration::from_secs(10),
            proof: Duration::from_secs(25),
            unseal: Duration::from_secs(60),
            hedge: None,
            accounts_ttl: venus_core::api::PRINCIPAL_MAX_AGE,
            verifier: Arc::new(Verifying::default()),
            clock: Arc::new(SystemClock),
            entropy: Arc::new(OsEntropy),
        }
    }

    /// A fresh id of a channel or an event.
    pub(crate) fn id(&self) -> Result<Uuid, EntropyError> {
        let mut bytes = [0; 16];
        self.entropy.fill(&mut bytes)?;
        Ok(Builder::from_random_bytes(bytes).into_uuid())
    }

    /// Random bytes that were never used before.
    pub(crate) fn nonce(&self) -> Result<[u8; 32], EntropyError> {
        let mut bytes = [0; 32];
        self.entropy.fill(&mut bytes)?;
        Ok(bytes)
    }
}

impl fmt::Debug for HubOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HubOptions")
            .field("name", &self.name)
            .field("limits", &self.limits)
            .field("legacy", &self.legacy)
            .field("support", &self.support)
            .finish_non_exhaustive()
    }
}
