//! The prover that belongs to [`FakeProofs`](crate::FakeProofs).

use std::time::Duration;

use async_trait::async_trait;
use venus_core::api::{ProofComputer, ProverError, WinningPostRequest};
use venus_core::types::PostProof;

use crate::config::sector_size;
use crate::proofs::{FAKE_PROOF, ProofVerifier, WinningPostCheck};

/// What seal proofs V1.1 have over the WinningPoSt of the same sector size.
const SEAL_OVER_POST: i64 = 5;

/// Answers at once with the text that stands for a proof on test networks.
#[derive(Clone, Copy, Debug, Default)]
pub struct FakeProver;

#[async_trait]
impl ProofComputer for FakeProver {
    async fn compute_winning_post(
        &self,
        request: &WinningPostRequest,
        _: Duration,
    ) -> Result<Vec<PostProof>, ProverError> {
        let Some(sector) = request.sectors.first() else {
            return Err(ProverError::Invalid(format!("no sector of {} was drawn", request.miner)));
        };
        let post_proof = sector.seal_proof % SEAL_OVER_POST;
        Ok(vec![PostProof { post_proof, proof_bytes: FAKE_PROOF.to_vec() }])
    }
}

/// Asks the devnet's own [`ProofVerifier`] for what it would take.
pub(crate) struct OwnProver<'a>(pub(crate) &'a dyn ProofVerifier);

#[async_trait]
impl ProofComputer for OwnProver<'_> {
    async fn compute_winning_post(
        &self,
        request: &WinningPostRequest,
        _: Duration,
    ) -> Result<Vec<PostProof>, ProverError> {
        let kind = request.sectors.first().map(|sector| sector.seal_proof % SEAL_OVER_POST);
        let task = WinningPostCheck {
            miner: request.miner,
            sectors: request.sectors.clone(),
            sector_size: kind.and_then(sector_size).unwrap_or_default(),
            randomness: request.randomness,
            proofs: Vec::new(),
        };
        self.0.prove_winning(&task).map_err(ProverError::Invalid)
    }
}

#[cfg(test)]
mod tests {
    use venus_core::types::{Address, ExtendedSectorInfo};

    use super::*;

    #[tokio::test]
    async fn the_kind_follows_from_the_sector_and_none_is_refused() {
        let sector = |seal_proof| ExtendedSectorInfo {
            seal_proof,
            sector_number: 0,
            sector_key: None,
            sealed_cid: Default::default(),
        };
        let request = |sectors| WinningPostRequest {
            miner: Address::new_id(1000),
            sectors,
            randomness: [0; 32],
            epoch: 1,
            network_version: 28,
        };
        // 2 KiB and 32 GiB in V1.1, 2 KiB with synthetic PoRep and without interaction.
        for (seal, post) in [(5, 0), (8, 3), (10, 0), (15, 0)] {
            let proofs = FakeProver.compute_winning_post(&request(vec![sector(seal)]), Duration::ZERO).await;
            assert_eq!(proofs.unwrap()[0].post_proof, post, "{seal}");
        }
        let none = FakeProver.compute_winning_post(&request(vec![]), Duration::ZERO).await;
        assert!(matches!(none, Err(ProverError::Invalid(_))));
    }
}
