//! Having sealers unseal.

use venus_core::api::UnsealState;
use venus_core::types::gateway::UnsealPayload;

use super::deadline;
use super::exec::{Limits, Request, json, read};
use super::failure::Failure;
use super::measure::Measured;
use crate::channel::Channel;
use crate::error::HubError;
use crate::hub::Inner;
use crate::provider::Kind;

struct Unseal<'a>(&'a UnsealPayload);

impl Request for Unseal<'_> {
    type Answer = UnsealState;

    const METHOD: &'static str = "SectorsUnsealPiece";

    fn payload(&self, _: &Channel) -> Result<Vec<u8>, HubError> {
        json(self.0)
    }

    /// No state is the first state, as with Go.
    async fn read(&self, _: &Channel, payload: &[u8]) -> Result<UnsealState, Failure> {
        let name = read::<String>(payload)?.unwrap_or_default();
        match (UnsealState::from_wire(&name), name.as_str()) {
            (Some(state), _) => Ok(state),
            (None, "set_up") => Ok(UnsealState::Accepted),
            (None, other) => {
                let shown: String = other.chars().take(64).collect();
                Err(Failure::Bad(HubError::Decode(format!("the sealer answered no state but {shown:?}"))))
            }
        }
    }
}

impl Inner {
    /// Has a sealer of the miner unseal, or say how far it is.
    pub(crate) async fn unseal_piece(&self, request: &UnsealPayload) -> Result<UnsealState, HubError> {
        let measured = Measured::begin("venus_gateway_sectors_unseal_piece_seconds");
        let result = self.unseal(request).await;
        measured.end(&result);
        result
    }

    async fn unseal(&self, request: &UnsealPayload) -> Result<UnsealState, HubError> {
        let (deadline, until) = deadline(None, self.options.unseal);
        let sealers = self.of_miner(Kind::Market, &request.miner).await;
        if sealers.is_empty() {
            return Err(self.unless_stopped(HubError::NoConnection(request.miner)));
        }
        self.run(&Unseal(request), &sealers, Limits { deadline, until }).await
    }
}
