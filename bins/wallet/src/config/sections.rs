//! The sections. Names here are in lower case; the README has them as they are written.

use std::time::Duration;

use secrecy::SecretString;
use serde::Deserialize;
use venus_bins_common::config::duration;

/// `[API]`
#[derive(Debug, Deserialize)]
#[serde(default)]
pub(crate) struct Api {
    /// Where the wallet listens, a multiaddr.
    pub(crate) listenaddress: String,
    /// Where else it listens as a Lotus remote wallet only.
    pub(crate) lotuslistenaddress: String,
    /// PEM file with the certificate chain.
    pub(crate) tlscert: String,
    /// PEM file with the private key.
    pub(crate) tlskey: String,
}

impl Default for Api {
    fn default() -> Self {
        Self {
            listenaddress: "/ip4/127.0.0.1/tcp/5678/http".into(),
            lotuslistenaddress: String::new(),
            tlscert: String::new(),
            tlskey: String::new(),
        }
    }
}

/// `[DB]`
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Db {
    /// Path of the database; `keystore.sqlit` in the repository if empty.
    pub(crate) conn: String,
}

/// `[JWT]`, both hex.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Jwt {
    /// The token with all rights.
    pub(crate) token: SecretString,
    /// What tokens are signed with.
    pub(crate) secret: SecretString,
}

/// `[Factor]`: what a guess of the password costs. Both zero means the default.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Factor {
    pub(crate) scryptn: u32,
    pub(crate) scryptp: u32,
}

/// `[SignFilter]`
#[derive(Debug, Deserialize)]
#[serde(default)]
pub(crate) struct SignFilter {
    /// A shell command that is asked about every request; none if empty.
    pub(crate) expr: String,
    /// How long it may take.
    #[serde(with = "duration")]
    pub(crate) timeout: Duration,
}

impl Default for SignFilter {
    fn default() -> Self {
        Self { expr: String::new(), timeout: Duration::from_secs(5) }
    }
}

/// `[APIRegisterHub]`
#[derive(Clone, Default, Deserialize)]
#[serde(default)]
pub(crate) struct RegisterHub {
    /// The gateways.
    pub(crate) registerapi: Vec<String>,
    /// The token for all of them.
    pub(crate) token: SecretString,
    /// Whose requests are served, besides those of the token's own account.
    pub(crate) supportaccounts: Vec<String>,
}

/// Addresses of gateways may begin with a token.
impl std::fmt::Debug for RegisterHub {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RegisterHub").field("registerapi", &self.registerapi.len()).finish_non_exhaustive()
    }
}

/// `[SignRecorder]`. Without the section records are kept for a week.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct SignRecorder {
    /// Go's switch. Records protect the owner, so ours can be shortened and not switched off.
    pub(crate) enable: bool,
    /// How long records are kept, as Go writes durations; a week if empty.
    pub(crate) keepduration: String,
}

/// `[Strategy]`
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Strategy {
    /// 0 off, 1 kinds of messages, 2 also methods.
    pub(crate) level: u8,
    /// The node that knows actors' code, for level 2.
    pub(crate) nodeurl: String,
}

/// `[Policy]`
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Policy {
    /// The file with the rules; `policy.toml` in the repository if empty.
    pub(crate) file: String,
}

/// `[Slashing]`
#[derive(Debug, Deserialize)]
#[serde(default)]
pub(crate) struct Slashing {
    /// Never two blocks for one height.
    pub(crate) enable: bool,
}

impl Default for Slashing {
    fn default() -> Self {
        Self { enable: true }
    }
}

/// `[Network]`
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct NetworkSection {
    /// `mainnet`, `cali`, `butterfly`, `integrationnet`, `interop`, `force`, `2k`; `--nettype` wins.
    pub(crate) nettype: String,
    /// The chain ID in transactions of `f4` senders; that of the network if 0.
    pub(crate) chainid: u64,
    /// The network's name in F3 votes; any if empty.
    pub(crate) f3name: String,
}

/// `[Lock]`
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Lock {
    /// Locks after this time without a signature; never if empty.
    pub(crate) autolock: String,
    /// Unlocks at the start with the password in this file.
    pub(crate) passwordfile: String,
}

/// `[Metrics]`
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Metrics {
    /// Where Prometheus asks, as `127.0.0.1:9678`; nowhere if empty.
    pub(crate) listenaddress: String,
    /// The token that Prometheus sends; needed when other machines reach the address.
    pub(crate) token: SecretString,
}

/// `[Compat]`: where Go's wallet is less strict, and some rely on it.
#[derive(Debug, Deserialize)]
#[serde(default)]
pub(crate) struct Compat {
    /// Callers without a token may read.
    pub(crate) anonymousread: bool,
    /// `WalletExport` needs no password.
    pub(crate) exportwithoutpassword: bool,
    /// How long a password counts for exports after a token has shown it.
    #[serde(with = "duration")]
    pub(crate) passwordproof: Duration,
    /// `f4` senders may have the CID signed, as sophon-messager asks for it. No chain takes such a signature.
    pub(crate) cidfordelegated: bool,
    /// `dealproposal` may be a deal's UUID or a hash, as Curio and Boost send it.
    pub(crate) legacydealbytes: bool,
    /// Challenges that do not name a configured hub are answered, as hubs written in Go need it.
    pub(crate) gohubs: bool,
}

impl Default for Compat {
    fn default() -> Self {
        Self {
            anonymousread: false,
            exportwithoutpassword: false,
            passwordproof: Duration::from_secs(60),
            cidfordelegated: false,
            legacydealbytes: false,
            gohubs: false,
        }
    }
}
