//! Having provers prove.

use std::time::Duration;

use venus_core::types::gateway::ComputeProofRequest;
use venus_core::types::{Address, PostProof};

use super::deadline;
use super::exec::{Limits, Request, json, read};
use super::failure::Failure;
use super::measure::Measured;
use crate::channel::Channel;
use crate::error::HubError;
use crate::hub::Inner;
use crate::provider::Kind;

/// Sizes of sectors. Seal proofs come in groups of so many, one group a version; WinningPoSt proofs in one.
const SIZES: i64 = 5;

struct Prove<'a>(&'a ComputeProofRequest);

impl Request for Prove<'_> {
    type Answer = Vec<PostProof>;

    const METHOD: &'static str = "ComputeProof";

    fn payload(&self, _: &Channel) -> Result<Vec<u8>, HubError> {
        json(self.0)
    }

    async fn read(&self, _: &Channel, payload: &[u8]) -> Result<Vec<PostProof>, Failure> {
        let Some(proofs) = read::<Vec<PostProof>>(payload)? else { return Ok(Vec::new()) };
        match self.fault(&proofs) {
            None => Ok(proofs),
            Some(fault) => Err(Failure::Bad(HubError::Decode(fault))),
        }
    }
}

impl Prove<'_> {
    /// What cannot be a proof of these sectors: nobody here can verify one, but a wrong shape is seen.
    fn fault(&self, proofs: &[PostProof]) -> Option<String> {
        let sector = self.0.sector_infos.first()?;
        let [proof] = proofs else {
            return Some(format!(
                "the prover answered {} proofs, not the one of a WinningPoSt",
                proofs.len()
            ));
        };
        let expected = sector.seal_proof.rem_euclid(SIZES);
        if proof.post_proof != expected {
            let found = proof.post_proof;
            return Some(format!("the prover answered a proof of type {found}, the sectors need {expected}"));
        }
        proof.proof_bytes.is_empty().then(|| "the prover answered a proof without bytes".to_owned())
    }
}

impl Inner {
    /// Has a prover of the miner prove.
    pub(crate) async fn compute_proof(
        &self,
        miner: &Address,
        request: &ComputeProofRequest,
        asked: Option<Duration>,
    ) -> Result<Vec<PostProof>, HubError> {
        let measured = Measured::begin("venus_gateway_compute_proof_seconds");
        let result = self.prove(miner, request, asked).await;
        measured.end(&result);
        result
    }

    async fn prove(
        &self,
        miner: &Address,
        request: &ComputeProofRequest,
        asked: Option<Duration>,
    ) -> Result<Vec<PostProof>, HubError> {
        let (deadline, until) = deadline(asked, self.options.proof);
        let provers = self.of_miner(Kind::Proof, miner).await;
        if provers.is_empty() {
            return Err(self.unless_stopped(HubError::NoConnection(*miner)));
        }
        self.run(&Prove(request), &provers, Limits { deadline, until }).await
    }
}
