//! A prover with ready answers.

use std::collections::VecDeque;
use std::sync::Mutex;
use std::time::Duration;

use async_trait::async_trait;

use super::lock;
use crate::api::{ProofComputer, ProverError, WinningPostRequest};
use crate::types::PostProof;

/// What test networks without real proofs take as a proof.
pub const VALID_PROOF: &[u8] = b"valid proof";

/// Answers [`VALID_PROOF`] for every request, or the failures it was given, and remembers the requests.
#[derive(Debug, Default)]
pub struct ScriptedProver {
    failures: Mutex<VecDeque<ProverError>>,
    requests: Mutex<Vec<WinningPostRequest>>,
}

impl ScriptedProver {
    /// A prover that succeeds.
    pub fn new() -> Self {
        Self::default()
    }

    /// Makes one later request fail. Failures are used up in the order given.
    pub fn fail_next(&self, error: ProverError) {
        lock(&self.failures).push_back(error);
    }

    /// All requests so far, oldest first.
    pub fn requests(&self) -> Vec<WinningPostRequest> {
        lock(&self.requests).clone()
    }
}

#[async_trait]
impl ProofComputer for ScriptedProver {
    async fn compute_winning_post(
        &self,
        request: &WinningPostRequest,
        deadline: Duration,
    ) -> Result<Vec<PostProof>, ProverError> {
        lock(&self.requests).push(request.clone());
        if let Some(error) = lock(&self.failures).pop_front() {
            return Err(error);
        }
        if request.sectors.is_empty() {
            return Err(ProverError::Invalid("no sectors to prove".into()));
        }
        if deadline.is_zero() {
            return Err(ProverError::Timeout(deadline));
        }
        // Seal proofs come in groups of five sizes, WinningPoSt proofs in one.
        let post_proof = request.sectors.first().map_or(0, |sector| sector.seal_proof.rem_euclid(5));
        Ok(vec![PostProof { post_proof, proof_bytes: VALID_PROOF.to_vec() }])
    }
}
