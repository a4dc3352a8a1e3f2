//! Who does the work.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use venus_core::api::{
    PieceUnsealer, ProofComputer, ProverError, UnsealError, UnsealRequest, UnsealState, WinningPostRequest,
};
use venus_core::types::gateway::{ComputeProofRequest, UnsealPayload};
use venus_core::types::{Address, PostProof};

use crate::provider::Kind;

/// Computes proofs for hubs. Every [`ProofComputer`] is one.
#[async_trait]
pub trait ProofHandler: Send + Sync + 'static {
    /// Computes the proof that a hub asks for, within `deadline`; nobody waits for it longer. Dropping the future gives
    /// the work up.
    ///
    /// # Errors
    /// [`ProverError`]; its text goes to the hub and to the caller there.
    async fn compute(
        &self,
        miner: &Address,
        request: ComputeProofRequest,
        deadline: Duration,
    ) -> Result<Vec<PostProof>, ProverError>;
}

#[async_trait]
impl<T: ProofComputer + 'static> ProofHandler for T {
    async fn compute(
        &self,
        miner: &Address,
        request: ComputeProofRequest,
        deadline: Duration,
    ) -> Result<Vec<PostProof>, ProverError> {
        if request.sector_infos.is_empty() {
            return Err(ProverError::Invalid("must provide sectors for winning post".to_owned()));
        }
        let randomness = <[u8; 32]>::try_from(request.rand.as_slice())
            .map_err(|_| ProverError::Invalid("randomness must have 32 bytes".to_owned()))?;
        let request = WinningPostRequest {
            miner: *miner,
            sectors: request.sector_infos,
            randomness,
            epoch: request.height,
            network_version: request.nw_version,
        };
        self.compute_winning_post(&request, deadline).await
    }
}

/// Unseals pieces for hubs. Every [`PieceUnsealer`] is one.
#[async_trait]
pub trait UnsealHandler: Send + Sync + 'static {
    /// Starts to unseal a piece, or says how far it is. Idempotent.
    ///
    /// # Errors
    /// [`UnsealError`]; its text goes to the hub and to the caller there.
    async fn unseal(&self, request: UnsealPayload) -> Result<UnsealState, UnsealError>;
}

#[async_trait]
impl<T: PieceUnsealer + 'static> UnsealHandler for T {
    async fn unseal(&self, request: UnsealPayload) -> Result<UnsealState, UnsealError> {
        let request = UnsealRequest {
            miner: request.miner,
            piece: request.piece_cid,
            sector: request.sid,
            offset: request.offset,
            size: request.size,
            destination: request.dest,
        };
        request.validate()?;
        PieceUnsealer::unseal(self, &request).await
    }
}

/// What a provider offers: proofs, unsealing, or both.
#[derive(Clone)]
pub struct Handlers {
    pub(super) proof: Option<Arc<dyn ProofHandler>>,
    pub(super) unseal: Option<Arc<dyn UnsealHandler>>,
}

impl fmt::Debug for Handlers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.kinds()).finish()
    }
}

impl Handlers {
    /// Computes proofs.
    pub fn proofs(handler: Arc<dyn ProofHandler>) -> Self {
        Self { proof: Some(handler), unseal: None }
    }

    /// Unseals pieces.
    pub fn unsealing(handler: Arc<dyn UnsealHandler>) -> Self {
        Self { proof: None, unseal: Some(handler) }
    }

    /// Both.
    pub fn both(proofs: Arc<dyn ProofHandler>, unsealing: Arc<dyn UnsealHandler>) -> Self {
        Self { proof: Some(proofs), unseal: Some(unsealing) }
    }

    /// One channel of each is opened for a miner.
    pub(super) fn kinds(&self) -> impl Iterator<Item = Kind> + use<> {
        let proof = self.proof.as_ref().map(|_| Kind::Proof);
        proof.into_iter().chain(self.unseal.as_ref().map(|_| Kind::Market))
    }
}
