//! Sealers behind gateways.

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use serde::Serialize;
use tokio::time::Instant;
use venus_core::api::{PieceUnsealer, UnsealError, UnsealRequest, UnsealState};
use venus_core::error::Classify;
use venus_core::json::JsonRef;
use venus_core::rpc::CallError;
use venus_core::rpc::classify::unseal_error;
use venus_core::types::{Address, Cid};

use super::builder::{Builder, Gateways};
use super::link::Link;

const UNSEAL: &str = "Gateway.SectorsUnsealPiece";

/// The sealers of all miners that dialled in at the gateways, asked in turn, the one that answered last time first.
#[derive(Clone)]
pub struct GatewayUnsealer {
    gateways: Gateways,
}

impl fmt::Debug for GatewayUnsealer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("GatewayUnsealer").field(&self.gateways).finish()
    }
}

impl From<Gateways> for GatewayUnsealer {
    fn from(gateways: Gateways) -> Self {
        Self { gateways }
    }
}

impl GatewayUnsealer {
    /// An unsealer with connections of its own.
    pub fn builder() -> Builder<Self> {
        Builder::new()
    }

    /// The connections.
    pub fn gateways(&self) -> &Gateways {
        &self.gateways
    }
}

/// The parameters of `SectorsUnsealPiece`.
#[derive(Serialize)]
struct Params<'a>(JsonRef<'a, Address>, JsonRef<'a, Cid>, u64, u64, u64, &'a str);

#[async_trait]
impl PieceUnsealer for GatewayUnsealer {
    async fn unseal(&self, request: &UnsealRequest) -> Result<UnsealState, UnsealError> {
        request.validate()?;
        let UnsealRequest { miner, piece, sector, offset, size, destination } = request;
        let params = Params(JsonRef(miner), JsonRef(piece), *sector, *offset, *size, destination);
        let params =
            serde_json::to_string(&params).map_err(|_| UnsealError::Invalid("request: cannot be sent"))?;
        let inner = &self.gateways.inner;
        let after = inner.options.deadline;
        let until = Instant::now() + after;
        inner.somebody_is_there(until).await;
        let mut last = UnsealError::NoSealer(*miner);
        for (at, link) in inner.known_first(inner.sealers.get(miner)) {
            let asked = asked(link, &params, until).await;
            match asked.map_err(|error| unseal_error(error, miner, *sector, after)) {
                Err(error @ UnsealError::NoSealer(_)) => {
                    tracing::debug!(gateway = link.name(), %error, "not unsealed here");
                    inner.sealers.forget(miner, at);
                }
                Err(error) if error.kind().is_retryable() => {
                    tracing::warn!(gateway = link.name(), %error, "not unsealed here");
                    inner.sealers.forget(miner, at);
                    last = error;
                }
                Err(error) => return Err(error),
                Ok(state) => {
                    inner.sealers.set(miner, Arc::from([at]));
                    return Ok(state);
                }
            }
        }
        Err(last)
    }
}

async fn asked(link: &Link, params: &str, until: Instant) -> Result<UnsealState, CallError> {
    let name: String = link.call(UNSEAL, params, until).await?;
    let unknown = || CallError::Decode { method: UNSEAL.to_owned(), reason: name.chars().take(64).collect() };
    UnsealState::from_wire(&name).ok_or_else(unknown)
}
