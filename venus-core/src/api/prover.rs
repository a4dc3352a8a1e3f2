//! Proving.

use std::time::Duration;

use async_trait::async_trait;
use auto_impl::auto_impl;
use fvm_shared::address::Address;
use fvm_shared::clock::ChainEpoch;

use crate::error::{BoxError, Classify, ErrorKind};
use crate::types::{ExtendedSectorInfo, PostProof};

/// Why there is no proof.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ProverError {
    /// Nobody proves for this miner.
    #[error("no prover for {0}")]
    NoProver(Address),
    /// A sector's files are missing or damaged.
    #[error("sector {sector}: {reason}")]
    Sector {
        /// The sector's number.
        sector: u64,
        /// What is wrong.
        reason: String,
    },
    /// The request is wrong.
    #[error("{0}")]
    Invalid(String),
    /// The prover could not be reached.
    #[error("prover unreachable: {0}")]
    Transport(#[source] BoxError),
    /// The deadline passed. A late proof is worthless and is thrown away.
    #[error("no proof within {0:?}")]
    Timeout(Duration),
    /// Computing failed.
    #[error("proof computation failed: {0}")]
    Failed(#[source] BoxError),
}

impl Classify for ProverError {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::NoProver(_) => ErrorKind::NotFound,
            Self::Sector { .. } => ErrorKind::Corrupt,
            Self::Invalid(_) => ErrorKind::Invalid,
            Self::Transport(_) => ErrorKind::Transient,
            Self::Timeout(_) => ErrorKind::Timeout,
            Self::Failed(_) => ErrorKind::Internal,
        }
    }
}

/// What a WinningPoSt proves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WinningPostRequest {
    /// ID address of the miner.
    pub miner: Address,
    /// The sectors that were drawn; not empty.
    pub sectors: Vec<ExtendedSectorInfo>,
    /// The draw, all 256 bits. Provers clear the two highest bits of the last byte themselves.
    pub randomness: [u8; 32],
    /// Epoch of the block.
    pub epoch: ChainEpoch,
    /// Network version at the base.
    pub network_version: u32,
}

/// Computes proofs of space-time.
///
/// Idempotent: the same request may be computed twice. An answer after `deadline` is an error, because the
/// block that needs it would be late.
///
/// # Implementing
/// Run `testing::suites::prover`.
#[async_trait]
#[auto_impl(&, Arc, Box)]
pub trait ProofComputer: Send + Sync {
    /// Computes a WinningPoSt within `deadline` from now.
    ///
    /// # Errors
    /// See [`ProverError`].
    async fn compute_winning_post(
        &self,
        request: &WinningPostRequest,
        deadline: Duration,
    ) -> Result<Vec<PostProof>, ProverError>;
}
