use std::time::Duration;

use super::{PATIENCE, must, must_fail};
use crate::api::{ProofComputer, WinningPostRequest};
use crate::error::ErrorKind;

/// Checks the contract of [`ProofComputer`]. `request` is one that the implementation can prove.
///
/// # Panics
/// If a clause does not hold.
pub async fn prover(prover: &dyn ProofComputer, request: &WinningPostRequest) {
    for _ in 0..2 {
        let proofs = must(
            prover.compute_winning_post(request, PATIENCE).await,
            "a provable request is proven, as often as it is asked",
        );
        assert!(!proofs.is_empty(), "there is a proof");
        assert!(proofs.iter().all(|p| !p.proof_bytes.is_empty()), "a proof has bytes");
        assert!(proofs.iter().all(|p| (0..5).contains(&p.post_proof)), "the proof is a WinningPoSt");
    }
    let none = WinningPostRequest { sectors: Vec::new(), ..request.clone() };
    let result = prover.compute_winning_post(&none, PATIENCE).await;
    must_fail(result, ErrorKind::Invalid, "a request without sectors is Invalid");
    let late = prover.compute_winning_post(request, Duration::ZERO).await;
    must_fail(late, ErrorKind::Timeout, "an answer after the deadline is Timeout");
}
