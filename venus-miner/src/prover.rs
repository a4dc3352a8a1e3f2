//! Proofs for networks that check none.

use std::time::Duration;

use async_trait::async_trait;
use venus_core::api::{ProofComputer, ProverError, WinningPostRequest};
use venus_core::types::{NetworkInfo, PostProof};

/// What nodes of such networks take for a proof.
const VALID_PROOF: &[u8] = b"valid proof";
/// How the names of such networks begin.
const TEST_NETWORKS: [&str; 2] = ["localnet-", "devnet"];
/// Registered seal proofs come in groups of five sizes: 2 KiB, 8 MiB, 512 MiB, 32 GiB, 64 GiB.
const SIZES: i64 = 5;
/// Seal proofs that are known: V1, V1.1, synthetic and non-interactive.
const SEAL_PROOFS: i64 = 4 * SIZES;

/// Answers the text `valid proof` for every request: the convention of test networks that run without real proofs.
/// Exists only for networks whose name begins with `localnet-` or `devnet`.
#[derive(Clone, Debug)]
pub struct FixedProver(());

impl FixedProver {
    /// A prover for this network.
    ///
    /// # Errors
    /// [`ProverError::Invalid`] for any network that is not a test network by its name.
    pub fn new(network: &NetworkInfo) -> Result<Self, ProverError> {
        if TEST_NETWORKS.iter().any(|prefix| network.name.starts_with(prefix)) {
            return Ok(Self(()));
        }
        let name: String = network.name.chars().take(64).collect();
        Err(ProverError::Invalid(format!(
            "network {name:?} needs real proofs, fixed ones are for test networks"
        )))
    }
}

#[async_trait]
impl ProofComputer for FixedProver {
    async fn compute_winning_post(
        &self,
        request: &WinningPostRequest,
        deadline: Duration,
    ) -> Result<Vec<PostProof>, ProverError> {
        let Some(sector) = request.sectors.first() else {
            return Err(ProverError::Invalid("no sectors to prove".into()));
        };
        if deadline.is_zero() {
            return Err(ProverError::Timeout(deadline));
        }
        if !(0..SEAL_PROOFS).contains(&sector.seal_proof) {
            return Err(ProverError::Invalid(format!("SealProof: {} is not registered", sector.seal_proof)));
        }
        let post_proof = sector.seal_proof.rem_euclid(SIZES);
        Ok(vec![PostProof { post_proof, proof_bytes: VALID_PROOF.to_vec() }])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use venus_core::api::ChainReader;
    use venus_core::testing::{doubles::ScriptedChain, suites};
    use venus_core::types::{Address, ExtendedSectorInfo, blake2b_cid};

    fn request(seal_proof: i64) -> WinningPostRequest {
        let sector = ExtendedSectorInfo {
            seal_proof,
            sector_number: 1,
            sector_key: None,
            sealed_cid: blake2b_cid(b""),
        };
        let miner = Address::new_id(1000);
        WinningPostRequest {
            miner,
            sectors: vec![sector],
            randomness: [7; 32],
            epoch: 5,
            network_version: 28,
        }
    }

    #[tokio::test]
    async fn test_networks_have_fixed_proofs_and_others_have_none() {
        let network = ScriptedChain::new([]).network().await.unwrap();
        let prover = FixedProver::new(&network).unwrap();
        suites::prover(&prover, &request(5)).await;
        for (seal_proof, expected) in [(0, 0), (5, 0), (8, 3), (14, 4), (15, 0)] {
            let proofs = prover.compute_winning_post(&request(seal_proof), Duration::MAX).await.unwrap();
            assert_eq!(proofs, [PostProof { post_proof: expected, proof_bytes: b"valid proof".to_vec() }]);
        }
        for seal_proof in [-1, 20] {
            assert!(prover.compute_winning_post(&request(seal_proof), Duration::MAX).await.is_err());
        }
        for name in ["mainnet", "calibrationnet", "mylocalnet-1", ""] {
            let network = NetworkInfo { name: name.into(), ..(*network).clone() };
            assert!(FixedProver::new(&network).unwrap_err().to_string().contains("needs real proofs"));
        }
    }
}
