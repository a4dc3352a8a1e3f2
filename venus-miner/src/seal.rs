//! Reserve, sign, publish: the part of a round that must not happen twice with different bytes.

use std::sync::Arc;
use std::time::Duration;

use venus_core::api::{BlockReject, ChainError, SignerExt};
use venus_core::crypto;
use venus_core::error::ErrorKind;
use venus_core::types::{BlockMsg, Signature, Tipset};

use crate::election::Winner;
use crate::miner::Inner;
use crate::report::{Failure, Outcome, Stage};
use crate::store::{Claim, Reservation, ReservationState, StoreError, Submission};
use crate::tasks::within;

/// Reserves a block that was just assembled. After this returns, this block or none is made at its height.
///
/// A node that owns the worker's key has signed it already; that signature counts from here on.
pub(crate) async fn reserve(
    inner: &Inner,
    winner: &Winner,
    base: &Tipset,
    block: BlockMsg,
) -> Result<Reservation, Outcome> {
    let by_node = block.header.block_sig.clone();
    let claim = Claim::new(block, winner.worker, base).map_err(|e| failed(Stage::Reserve.failed(&e)))?;
    let reserved = inner.store.reserve(&claim).await.map_err(|e| match e {
        StoreError::Fault(fault) => Outcome::Skipped(fault),
        other => failed(Stage::Reserve.failed(&other)),
    })?;
    match by_node {
        Some(signature) if reserved.state == ReservationState::Reserved => {
            keep(inner, &reserved, signature).await.map_err(failed)
        }
        _ => Ok(reserved),
    }
}

/// Brings a reserved block as far as it goes: signed, stored, submitted.
pub(crate) async fn finish(inner: Arc<Inner>, reservation: Reservation) -> Outcome {
    match try_finish(&inner, reservation).await {
        Ok(outcome) => outcome,
        Err(failure) => failed(failure),
    }
}

async fn try_finish(inner: &Inner, reservation: Reservation) -> Result<Outcome, Failure> {
    let signed = match reservation.state {
        ReservationState::Reserved => sign(inner, &reservation).await?,
        ReservationState::Signed | ReservationState::Submitted => reservation,
        ReservationState::Refused | ReservationState::Abandoned => {
            let reason = reservation.reason.unwrap_or_else(|| reservation.state.as_str().into());
            return Err(Stage::Submit.failed_with(ErrorKind::Conflict, reason));
        }
    };
    let block = signed.signed.as_ref().ok_or_else(|| {
        Stage::Store.failed_with(ErrorKind::Corrupt, "a signed block is not stored with its signature")
    })?;
    if signed.state == ReservationState::Signed {
        submit(inner, block).await?;
    }
    Ok(Outcome::Mined {
        block: block.cid(),
        height: block.header.height,
        win_count: block.header.election_proof.as_ref().map_or(0, |proof| proof.win_count),
        messages: block.bls_messages.len() + block.secp_messages.len(),
    })
}

/// Has the reserved header signed, and stores the result.
async fn sign(inner: &Inner, reservation: &Reservation) -> Result<Reservation, Failure> {
    let call = inner.deps.signer.sign_block(&reservation.worker, &reservation.unsigned.header);
    let signature = within(&inner.deps.clock, inner.config.call_timeout, Stage::Sign, call).await?;
    keep(inner, reservation, signature).await
}

/// Stores the signature of a reserved block, if it is one.
async fn keep(
    inner: &Inner,
    reservation: &Reservation,
    signature: Signature,
) -> Result<Reservation, Failure> {
    let mut block = reservation.unsigned.clone();
    crypto::verify(&signature, &reservation.worker, &block.header.signing_bytes())
        .map_err(|e| Stage::Sign.failed_with(ErrorKind::Corrupt, format!("block signature: {e}")))?;
    block.header.block_sig = Some(signature);
    inner.store.record_signature(&block).await.map_err(|e| Stage::Store.failed(&e))
}

/// Publishes a stored block, not before its time: nodes refuse blocks from the future.
async fn submit(inner: &Inner, block: &BlockMsg) -> Result<(), Failure> {
    let header = &block.header;
    inner.deps.clock.sleep_until(Duration::from_secs(header.timestamp)).await;
    let call = async {
        match inner.deps.producer.submit_block(block).await {
            // The filter knows this very block, from another instance of ours: it is out.
            Err(ChainError::Block(BlockReject::SlashFilter { witness })) if witness == block.cid() => Ok(()),
            answer => answer,
        }
    };
    let submitted = within(&inner.deps.clock, inner.config.call_timeout, Stage::Submit, call).await;
    let submission = match &submitted {
        Ok(()) => Submission::Accepted,
        // Against the rules: it will not get better. Everything else may be tried again with the same bytes.
        Err(f) if matches!(f.kind, ErrorKind::Invalid | ErrorKind::Conflict) => {
            Submission::Refused(f.reason.clone())
        }
        Err(failure) => return Err(failure.clone()),
    };
    let recorded = inner.store.record_submission(&header.miner, header.height, &submission).await;
    recorded.map_err(|e| Stage::Store.failed(&e))?;
    submitted
}

fn failed(failure: Failure) -> Outcome {
    Outcome::Failed { won: true, failure }
}
