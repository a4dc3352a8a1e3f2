//! Verifying proofs of storage.

use std::fmt::Debug;

use fvm_shared::address::Address;
use venus_core::types::{ExtendedSectorInfo, PostProof};

use crate::config::proof_number;

/// What stands for a proof on test networks that have no real ones.
pub const FAKE_PROOF: &[u8] = b"valid proof";

/// What the WinningPoSt of a block has to prove.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WinningPostCheck {
    /// ID address of the miner.
    pub miner: Address,
    /// The sectors that were drawn.
    pub sectors: Vec<ExtendedSectorInfo>,
    /// Bytes of each of them.
    pub sector_size: u64,
    /// The draw, all 256 bits.
    pub randomness: [u8; 32],
    /// What the block says.
    pub proofs: Vec<PostProof>,
}

/// Decides whether a proof holds.
pub trait ProofVerifier: Debug + Send + Sync {
    /// Verifies the WinningPoSt of a block. Runs while no lock is held and may take its time.
    ///
    /// # Errors
    /// What is wrong with it, in words.
    fn verify_winning(&self, check: &WinningPostCheck) -> Result<(), String>;

    /// Makes the WinningPoSt that [`ProofVerifier::verify_winning`] takes, for blocks that the devnet makes itself
    /// ([`Devnet::mine`](crate::Devnet::mine), [`Devnet::fork`](crate::Devnet::fork)). `task.proofs` is empty.
    /// A verifier need not be able to.
    ///
    /// # Errors
    /// Why there is none, in words.
    fn prove_winning(&self, task: &WinningPostCheck) -> Result<Vec<PostProof>, String> {
        Err(format!("nothing here proves the storage of {}; mine through a miner", task.miner))
    }
}

/// The convention of test networks: a proof is the text `valid proof`.
///
/// Number and kind of proofs are checked all the same, so that a miner that asks its prover for the wrong thing is
/// told so here.
#[derive(Clone, Copy, Debug, Default)]
pub struct FakeProofs;

impl ProofVerifier for FakeProofs {
    fn verify_winning(&self, check: &WinningPostCheck) -> Result<(), String> {
        let [proof] = check.proofs.as_slice() else {
            return Err(format!("has {} proofs, expected 1", check.proofs.len()));
        };
        let expected = proof_number(check.sector_size);
        if Some(proof.post_proof) != expected {
            return Err(format!("is of kind {}, expected {}", proof.post_proof, expected.unwrap_or(-1)));
        }
        if proof.proof_bytes != FAKE_PROOF {
            return Err("is not the text that stands for a valid proof".into());
        }
        Ok(())
    }

    fn prove_winning(&self, task: &WinningPostCheck) -> Result<Vec<PostProof>, String> {
        let post_proof = proof_number(task.sector_size).ok_or("no proof is for sectors of this size")?;
        Ok(vec![PostProof { post_proof, proof_bytes: FAKE_PROOF.to_vec() }])
    }
}
