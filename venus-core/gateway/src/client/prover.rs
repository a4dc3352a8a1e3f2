//! Provers behind gateways.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use serde::Serialize;
use tokio::time::Instant;
use venus_core::api::{ProofComputer, ProverError, WinningPostRequest};
use venus_core::error::Classify;
use venus_core::json::{Json, JsonRef};
use venus_core::rpc::CallError;
use venus_core::rpc::classify::prover_error;
use venus_core::types::{Address, ExtendedSectorInfo, PostProof};

use super::builder::{Builder, Gateways, Inner};
use super::link::Link;

const COMPUTE: &str = "Gateway.ComputeProof";

/// The provers of all miners that dialled in at the gateways.
///
/// Gateways answer at once when they have no prover of a miner, so they are asked in turn, the one that had it last time
/// first. A prover that fails to compute is not asked again elsewhere: the time is better spent by the caller.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use venus_gateway::client::{GatewayProver, GatewaySigner, GatewayUnsealer, Gateways};
///
/// // One connection to each gateway, for everything.
/// let builder = Gateways::builder().gateway("eyJhbGciOi.eyJuYW1lIjo.c2ln:/ip4/127.0.0.1/tcp/45132");
/// let gateways = builder.build()?;
/// let prover = GatewayProver::from(gateways.clone());
/// let (signer, unsealer) = (GatewaySigner::from(gateways.clone()), GatewayUnsealer::from(gateways.clone()));
/// # drop((prover, signer, unsealer));
/// gateways.shutdown().await;
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct GatewayProver {
    gateways: Gateways,
}

impl fmt::Debug for GatewayProver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("GatewayProver").field(&self.gateways).finish()
    }
}

impl From<Gateways> for GatewayProver {
    fn from(gateways: Gateways) -> Self {
        Self { gateways }
    }
}

impl GatewayProver {
    /// A prover with connections of its own.
    pub fn builder() -> Builder<Self> {
        Builder::new()
    }

    /// The connections.
    pub fn gateways(&self) -> &Gateways {
        &self.gateways
    }
}

/// The parameters of `ComputeProof`.
#[derive(Serialize)]
struct Params<'a>(JsonRef<'a, Address>, &'a [ExtendedSectorInfo], Json<Vec<u8>>, i64, u32);

#[async_trait]
impl ProofComputer for GatewayProver {
    async fn compute_winning_post(
        &self,
        request: &WinningPostRequest,
        deadline: Duration,
    ) -> Result<Vec<PostProof>, ProverError> {
        if request.sectors.is_empty() {
            return Err(ProverError::Invalid("no sectors to prove".to_owned()));
        }
        let WinningPostRequest { miner, sectors, randomness, epoch, network_version } = request;
        let params = Params(JsonRef(miner), sectors, Json(randomness.to_vec()), *epoch, *network_version);
        let params =
            serde_json::to_string(&params).map_err(|error| ProverError::Invalid(error.to_string()))?;
        let inner = &self.gateways.inner;
        let until = Instant::now() + deadline;
        inner.somebody_is_there(until).await;
        inner.in_turn(miner, &params, until, deadline).await
    }
}

impl Inner {
    async fn in_turn(
        &self,
        miner: &Address,
        params: &str,
        until: Instant,
        deadline: Duration,
    ) -> Result<Vec<PostProof>, ProverError> {
        let mut last = ProverError::NoProver(*miner);
        for (at, link) in self.known_first(self.provers.get(miner)) {
            if Instant::now() >= until {
                return Err(ProverError::Timeout(deadline));
            }
            match proven(link, params, until).await.map_err(|error| prover_error(error, miner, deadline)) {
                Err(error @ (ProverError::NoProver(_) | ProverError::Transport(_))) => {
                    self.provers.forget(miner, at);
                    if error.kind().is_retryable() {
                        tracing::warn!(gateway = link.name(), %error, "not proven here");
                        last = error;
                    }
                }
                Err(error) => return Err(error),
                Ok(proofs) => {
                    self.provers.set(miner, Arc::from([at]));
                    return Ok(proofs);
                }
            }
        }
        Err(last)
    }
}

async fn proven(link: &Link, params: &str, until: Instant) -> Result<Vec<PostProof>, CallError> {
    let proofs: Option<Vec<PostProof>> = link.call(COMPUTE, params, until).await?;
    let proofs = proofs.unwrap_or_default();
    if proofs.is_empty() || proofs.iter().any(|proof| proof.proof_bytes.is_empty()) {
        return Err(CallError::Decode { method: COMPUTE.to_owned(), reason: "no proof in it".to_owned() });
    }
    Ok(proofs)
}
