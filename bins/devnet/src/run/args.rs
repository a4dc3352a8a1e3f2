//! Options of `run`.

use std::fmt;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use clap::{Args, ValueEnum, value_parser};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use venus_bins_common::config::duration;
use venus_core::types::{Address, TokenAmount, address, parse_fil};
use venus_devnet::face::FaceKind;

use crate::error::CliError;

/// Run a devnet until it is told to stop
///
/// The first start makes the chain: its seed, times, accounts and miners are kept in the directory and need not be
/// named again. Whoever names others then is told so. Prints the keys of all genesis accounts: they are test keys that
/// come from the seed, never use them for anything of value.
#[derive(Debug, Args)]
pub(crate) struct RunArgs {
    /// Faces and where they listen: `venus`, or `venus=127.0.0.1:3453,lotus=127.0.0.1:1234`
    #[arg(long, value_name = "FACES", default_value = "venus", value_delimiter = ',')]
    pub(crate) face: Vec<FaceArg>,
    /// Where the only face listens; the usual port of its node on loopback otherwise
    #[arg(long, value_name = "ADDRESS")]
    pub(crate) listen: Option<SocketAddr>,
    #[command(flatten)]
    pub(crate) chain: ChainArgs,
    /// What time it is: the machine's, or what mining makes of it
    #[arg(long, value_enum, default_value_t = ClockArg::Real)]
    pub(crate) clock: ClockArg,
    /// Mine only when asked to; always so with a manual clock
    #[arg(long)]
    pub(crate) on_demand: bool,
    /// Miners that producers outside mine for: ID addresses, or `all`
    #[arg(long, value_name = "MINERS", value_delimiter = ',')]
    pub(crate) external_miners: Vec<External>,
    /// An auth service that knows more tokens: its `/verify` is asked
    #[arg(long, value_name = "URL")]
    pub(crate) auth_url: Option<String>,
    /// File with the token for the auth service
    #[arg(long, value_name = "FILE", requires = "auth_url")]
    pub(crate) auth_token_file: Option<PathBuf>,
    /// Where `GET /metrics` is answered for Prometheus, as 127.0.0.1:9464
    #[arg(long, value_name = "ADDRESS")]
    pub(crate) metrics: Option<SocketAddr>,
    /// How the log is written to stderr: text or json
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    pub(crate) log_format: String,
}

/// What the chain begins with.
#[derive(Clone, Debug, Default, Args)]
pub(crate) struct ChainArgs {
    /// Miners of the genesis: 3 at first
    #[arg(long, value_name = "N", value_parser = value_parser!(u64).range(1..=100))]
    pub(crate) miners: Option<u64>,
    /// Time of an epoch, whole seconds: 4s at first
    #[arg(long, value_name = "TIME", value_parser = epoch)]
    pub(crate) epoch: Option<u64>,
    /// What keys and tickets come from: a random one at first
    #[arg(long, value_name = "S")]
    pub(crate) seed: Option<u64>,
    /// When the chain begins: Unix seconds, RFC 3339, or how long ago, as 2h. By default now, 1000 epochs ago with
    /// `--clock rush`, and a fixed time with `--clock manual`
    #[arg(long, value_name = "WHEN", value_parser = genesis_time)]
    pub(crate) genesis_time: Option<u64>,
    /// Accounts with FIL, besides those of the miners: 10 at first
    #[arg(long, value_name = "N", value_parser = value_parser!(u64).range(1..=500))]
    pub(crate) accounts: Option<u64>,
    /// FIL of each account: 100000 at first
    #[arg(long, value_name = "FIL", value_parser = fil)]
    pub(crate) balance: Option<TokenAmount>,
}

/// The clock of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum ClockArg {
    /// The machine's. Epochs that lie behind, as after a stop, are mined without pause.
    Real,
    /// As real, for a chain that begins in the past: its epochs up to now are mined without pause.
    Rush,
    /// Stands still until something is mined on demand.
    Manual,
}

/// A face and where it listens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct FaceArg {
    pub(crate) kind: FaceKind,
    pub(crate) listen: Option<SocketAddr>,
}

impl FromStr for FaceArg {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (name, listen) = match text.split_once('=') {
            Some((name, listen)) => (name, Some(listen)),
            None => (text, None),
        };
        let kind = match name {
            "lotus" => FaceKind::Lotus,
            "venus" => FaceKind::Venus,
            "forest" => FaceKind::Forest,
            _ => return Err("is no face: use venus, lotus or forest".into()),
        };
        let listen = listen.map(SocketAddr::from_str).transpose();
        Ok(Self { kind, listen: listen.map_err(|_| "needs an address and a port, as 127.0.0.1:3453")? })
    }
}

/// The name of a face.
pub(crate) fn face_name(kind: FaceKind) -> &'static str {
    match kind {
        FaceKind::Lotus => "lotus",
        FaceKind::Venus => "venus",
        FaceKind::Forest => "forest",
    }
}

/// Miners outside.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum External {
    All,
    One(Address),
}

impl FromStr for External {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text == "all" {
            return Ok(Self::All);
        }
        address::parse(text).map(Self::One).map_err(|e| e.to_string())
    }
}

impl fmt::Display for External {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::All => f.write_str("all"),
            Self::One(address) => write!(f, "{address}"),
        }
    }
}

impl RunArgs {
    /// Every face with its address.
    ///
    /// # Errors
    /// [`CliError::Usage`] if a face stands twice, or `--listen` is ambiguous.
    pub(crate) fn faces(&self) -> Result<Vec<(FaceKind, SocketAddr)>, CliError> {
        let mut faces: Vec<(FaceKind, SocketAddr)> = Vec::new();
        for face in &self.face {
            let name = face_name(face.kind);
            if faces.iter().any(|(kind, _)| *kind == face.kind) {
                return Err(CliError::Usage(format!("--face names {name} twice")));
            }
            let listen = match (face.listen, self.listen) {
                (Some(_), Some(_)) => {
                    return Err(CliError::Usage(format!("--face {name}=… and --listen both say where")));
                }
                (Some(own), None) | (None, Some(own)) => own,
                (None, None) => usual_address(face.kind),
            };
            faces.push((face.kind, listen));
        }
        if faces.len() > 1 && self.listen.is_some() {
            let text = "--listen is for one face: with several write --face venus=ADDRESS,lotus=ADDRESS";
            return Err(CliError::Usage(text.into()));
        }
        Ok(faces)
    }
}

/// Where a node of this kind usually listens.
fn usual_address(kind: FaceKind) -> SocketAddr {
    let port = match kind {
        FaceKind::Lotus => 1234,
        FaceKind::Venus => 3453,
        FaceKind::Forest => 2345,
    };
    (Ipv4Addr::LOCALHOST, port).into()
}

fn epoch(text: &str) -> Result<u64, String> {
    let time = duration::parse(text).map_err(|e| e.to_string())?;
    match (time.as_secs(), time.subsec_nanos()) {
        (1..=3600, 0) => Ok(time.as_secs()),
        _ => Err("must be whole seconds, from 1s to 1h".into()),
    }
}

fn genesis_time(text: &str) -> Result<u64, String> {
    if let Ok(seconds) = text.parse() {
        return Ok(seconds);
    }
    if let Ok(time) = OffsetDateTime::parse(text, &Rfc3339) {
        return u64::try_from(time.unix_timestamp()).map_err(|_| "lies before 1970".into());
    }
    let ago = duration::parse(text)
        .map_err(|_| "is neither Unix seconds, nor as 2026-01-01T00:00:00Z, nor how long ago as 2h")?;
    Ok(now().saturating_sub(ago).as_secs())
}

/// The machine's time since 1970.
pub(super) fn now() -> Duration {
    venus_core::clock::Clock::now(&venus_core::clock::SystemClock)
}

/// An amount in FIL, with up to 18 decimals.
pub(crate) fn fil(text: &str) -> Result<TokenAmount, String> {
    let value = parse_fil(text).map_err(|e| e.to_string())?;
    if value.is_negative() { Err("must not be negative".into()) } else { Ok(value) }
}
