//! Getting pieces back out of sectors.

use std::time::Duration;

use async_trait::async_trait;
use auto_impl::auto_impl;
use cid::Cid;
use fvm_shared::address::{Address, Protocol};

use crate::clock::Clock;
use crate::error::{BoxError, Classify, ErrorKind};

/// Multicodec of unsealed commitments: CommP and CommD.
const UNSEALED_COMMITMENT: u64 = 0xf101;
/// Multihash of unsealed commitments: SHA-256 cut to 254 bits.
const SHA2_256_TRUNC254_PADDED: u64 = 0x1012;
/// Unpadded bytes that become 128 padded ones.
const UNPADDED_UNIT: u64 = 127;
/// Where pieces can be sent.
const SCHEMES: [&str; 5] = ["http", "https", "market", "file", "store"];

/// A piece to unseal and where to put it. Two requests are the same if all fields are equal.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct UnsealRequest {
    /// ID address of the miner.
    pub miner: Address,
    /// CommP of the piece.
    pub piece: Cid,
    /// Number of the sector that holds it.
    pub sector: u64,
    /// Where it begins in the sector, in *unpadded* bytes.
    pub offset: u64,
    /// How long it is, in *unpadded* bytes.
    pub size: u64,
    /// Where it goes: `http(s)://…` (PUT), `market://<store>/<piece>`, `file:///path` or `store://<name>/<path>`.
    pub destination: String,
}

impl UnsealRequest {
    /// Whether the request can be served by anyone. Every implementation refuses what this refuses.
    ///
    /// # Errors
    /// [`UnsealError::Invalid`] naming the field.
    pub fn validate(&self) -> Result<(), UnsealError> {
        let hash = self.piece.hash();
        let is_piece = self.piece.codec() == UNSEALED_COMMITMENT
            && (hash.code(), hash.size()) == (SHA2_256_TRUNC254_PADDED, 32);
        let end = self.offset.checked_add(self.size);
        let scheme = self.destination.split_once("://").map(|(scheme, _)| scheme);
        for (holds, reason) in [
            (self.miner.protocol() == Protocol::ID, "miner: not an ID address"),
            (is_piece, "piece: not the CID of a piece"),
            (is_unpadded_size(self.size), "size: not the unpadded size of a piece"),
            (self.offset.is_multiple_of(UNPADDED_UNIT), "offset: no piece begins there"),
            (end.is_some(), "offset: the piece ends beyond any sector"),
            (scheme.is_some_and(|s| SCHEMES.contains(&s)), "destination: no URL of a known scheme"),
        ] {
            if !holds {
                return Err(UnsealError::Invalid(reason));
            }
        }
        Ok(())
    }
}

/// Whether `size` pads to a power of two of at least 128 bytes.
fn is_unpadded_size(size: u64) -> bool {
    size.is_multiple_of(UNPADDED_UNIT) && (size / UNPADDED_UNIT).is_power_of_two()
}

/// Where an unsealing stands. States only go forward, in the order listed here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum UnsealState {
    /// Accepted; nobody works on it yet. The empty string on the wire.
    Accepted,
    /// The sector is being unsealed.
    Unsealing,
    /// The piece is on its way to the destination.
    Uploading,
    /// The piece is at the destination. Final.
    Finished,
    /// It did not work. Final.
    Failed,
}

impl UnsealState {
    /// The name on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Accepted => "",
            Self::Unsealing => "unsealing",
            Self::Uploading => "uploading",
            Self::Finished => "finished",
            Self::Failed => "failed",
        }
    }

    /// The state that has this name on the wire; `None` for another text.
    pub fn from_wire(text: &str) -> Option<Self> {
        // The name that venus-shared has for it, though no sealer is known to send it.
        if text == "set_up" {
            return Some(Self::Accepted);
        }
        let all = [Self::Accepted, Self::Unsealing, Self::Uploading, Self::Finished, Self::Failed];
        all.into_iter().find(|state| state.as_str() == text)
    }

    /// Whether nothing comes after it.
    pub fn is_final(self) -> bool {
        matches!(self, Self::Finished | Self::Failed)
    }
}

/// Why a request was not taken, or no state is known.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum UnsealError {
    /// Nobody unseals for this miner at the moment.
    #[error("no sealer for {0}")]
    NoSealer(Address),
    /// The miner's sealer does not have this sector.
    #[error("sector {sector} of {miner} not found")]
    SectorNotFound {
        /// The miner.
        miner: Address,
        /// The sector's number.
        sector: u64,
    },
    /// The request is wrong; the text begins with the field.
    #[error("{0}")]
    Invalid(&'static str),
    /// The caller may not use this miner.
    #[error("unsealing for {0} denied")]
    Denied(Address),
    /// The sealer could not be reached. Whether it took the request is unknown: repeat it.
    #[error("sealer unreachable: {0}")]
    Transport(#[source] BoxError),
    /// No answer in time. Whether the sealer took the request is unknown: repeat it.
    #[error("no answer to unsealing within {0:?}")]
    Timeout(Duration),
    /// The sealer tried and could not. Only from [`PieceUnsealer::unseal_and_wait`].
    #[error("piece {0} could not be unsealed")]
    Failed(Cid),
    /// The sealer answered something that is no state.
    #[error("sealer answered no state but {0:?}")]
    Decode(String),
}

impl Classify for UnsealError {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::NoSealer(_) | Self::SectorNotFound { .. } => ErrorKind::NotFound,
            Self::Invalid(_) => ErrorKind::Invalid,
            Self::Denied(_) => ErrorKind::Denied,
            Self::Transport(_) => ErrorKind::Transient,
            Self::Timeout(_) => ErrorKind::Timeout,
            Self::Failed(_) => ErrorKind::Internal,
            Self::Decode(_) => ErrorKind::Corrupt,
        }
    }
}

/// How long [`PieceUnsealer::unseal_and_wait`] waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UnsealPatience {
    /// Time between two questions.
    pub every: Duration,
    /// Time in all.
    pub at_most: Duration,
    /// Retryable errors in a row that end the waiting.
    pub errors: u32,
}

impl Default for UnsealPatience {
    /// Every five minutes for twelve hours, until the fifth error in a row.
    fn default() -> Self {
        Self { every: Duration::from_secs(5 * 60), at_most: Duration::from_secs(12 * 60 * 60), errors: 5 }
    }
}

/// Unseals pieces: hours of work, so a call only starts it or asks how far it is.
///
/// # Contract
/// * The first call with a request starts the work, each further one answers where it stands. There is one work
///   for one request, however often and from wherever it is asked for.
/// * An answer may be old when it comes, and states only go forward: the later state is the true one.
/// * A final state is answered for ten minutes at least, so that every poller sees it. Then it may be forgotten,
///   and the same request starts anew: that is how a piece which the destination has lost is unsealed again.
/// * [`UnsealState::Finished`] means that the destination has taken the last byte. Check CommP there.
///
/// # Implementing
/// Run `testing::suites::piece_unsealer`.
#[async_trait]
#[auto_impl(&, Arc, Box)]
pub trait PieceUnsealer: Send + Sync {
    /// Starts unsealing, or answers where it stands. Idempotent: repeat after any retryable error.
    ///
    /// # Errors
    /// See [`UnsealError`], [`UnsealError::Failed`] excepted: that is a state. After an error that cannot be
    /// retried nothing was started.
    async fn unseal(&self, request: &UnsealRequest) -> Result<UnsealState, UnsealError>;

    /// Asks until the piece is at its destination. Cancel safe: the work goes on without the caller.
    ///
    /// # Errors
    /// [`UnsealError::Failed`] if the sealer could not; [`UnsealError::Timeout`] when `patience` ends before the
    /// work, which goes on; else as [`unseal`](Self::unseal), once for what cannot be retried and after
    /// [`UnsealPatience::errors`] in a row for what can.
    async fn unseal_and_wait(
        &self,
        request: &UnsealRequest,
        clock: &dyn Clock,
        patience: &UnsealPatience,
    ) -> Result<(), UnsealError> {
        let end = clock.now().saturating_add(patience.at_most);
        let mut errors = 0;
        loop {
            match self.unseal(request).await {
                Ok(UnsealState::Finished) => return Ok(()),
                Ok(UnsealState::Failed) => return Err(UnsealError::Failed(request.piece)),
                Ok(_) => errors = 0,
                Err(e) if e.kind().is_retryable() && errors + 1 < patience.errors => errors += 1,
                Err(e) => return Err(e),
            }
            let next = clock.now().saturating_add(patience.every);
            if next > end {
                return Err(UnsealError::Timeout(patience.at_most));
            }
            clock.sleep_until(next).await;
        }
    }
}
