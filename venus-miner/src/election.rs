//! One miner's part of a round up to its proof.

use std::sync::Arc;
use std::time::Duration;

use venus_core::api::{SignerExt, WinningPostRequest};
use venus_core::consensus::fault::ConsensusFault;
use venus_core::consensus::vrf::{self, VrfInput};
use venus_core::consensus::{election, ticket};
use venus_core::error::ErrorKind;
use venus_core::types::{
    Address, BeaconEntry, ChainEpoch, ElectionProof, MiningBaseInfo, PostProof, Ticket, Tipset,
};

use crate::miner::Inner;
use crate::report::{Failure, Outcome, Stage};
use crate::store::{Fault, Reservation, ReservationState};
use crate::tasks::within;

/// What a round is for a miner before blocks are made.
#[derive(Debug)]
pub(crate) enum Entry {
    /// It has come to its end already.
    Out(Outcome),
    /// The miner won.
    Won(Box<Winner>),
    /// A block was reserved before, in this round or an earlier one, and is not finished.
    Resumed(Box<Reservation>),
}

/// All that a winner's block needs besides messages.
#[derive(Clone, Debug)]
pub(crate) struct Winner {
    pub(crate) miner: Address,
    pub(crate) worker: Address,
    pub(crate) ticket: Ticket,
    pub(crate) election_proof: ElectionProof,
    pub(crate) beacon_values: Vec<BeaconEntry>,
    pub(crate) winning_post: Vec<PostProof>,
}

impl Winner {
    /// Canonical order of winners: better tickets first, then by miner.
    pub(crate) fn order(ticket: &Ticket, miner: &Address) -> ([u8; 32], u64) {
        (ticket::sort_key(&ticket.vrf_proof), miner.id().unwrap_or(u64::MAX))
    }
}

/// Takes part in the election of `epoch` on `base` for one miner.
pub(crate) async fn enter(inner: Arc<Inner>, miner: Address, epoch: ChainEpoch, base: Arc<Tipset>) -> Entry {
    let entrant = Entrant { inner: &inner, miner, epoch, base: &base };
    match entrant.enter().await {
        Ok(entry) => entry,
        Err((won, failure)) => Entry::Out(Outcome::Failed { won, failure }),
    }
}

/// Whether the election was won, and what failed.
type Failed = (bool, Failure);

struct Entrant<'a> {
    inner: &'a Inner,
    miner: Address,
    epoch: ChainEpoch,
    base: &'a Tipset,
}

impl Entrant<'_> {
    async fn enter(&self) -> Result<Entry, Failed> {
        if let Some(entry) = self.earlier_block().await.map_err(lost)? {
            return Ok(entry);
        }
        let info = match self.base_info().await.map_err(lost)? {
            Ok(info) => info,
            Err(reason) => return Ok(Entry::Out(Outcome::NotEligible(reason))),
        };
        let Some(election_proof) = self.election(&info).await.map_err(lost)? else {
            return Ok(Entry::Out(Outcome::Lost));
        };
        let input = vrf::ticket_input(self.epoch, &self.miner, Some(self.base.min_ticket()));
        let ticket = Ticket { vrf_proof: self.draw(&info, &input, Stage::Ticket).await.map_err(won)? };
        let winning_post = self.proof(&info).await.map_err(won)?;
        Ok(Entry::Won(Box::new(Winner {
            miner: self.miner,
            worker: info.worker_key,
            ticket,
            election_proof,
            beacon_values: info.beacon_entries,
            winning_post,
        })))
    }

    /// A block that binds this miner already: its block of this epoch, or one on these parents. The second is
    /// finished, however late, because nothing else may be built on them.
    async fn earlier_block(&self) -> Result<Option<Entry>, Failure> {
        let store = &self.inner.store;
        let at_height =
            store.at_height(&self.miner, self.epoch).await.map_err(|e| Stage::Store.failed(&e))?;
        if let Some(own) = at_height {
            return Ok(Some(Entry::Resumed(Box::new(own))));
        }
        let on_parents = store.on_parents(&self.miner, self.base.cids()).await;
        let Some(own) = on_parents.map_err(|e| Stage::Store.failed(&e))? else { return Ok(None) };
        let unfinished = matches!(own.state, ReservationState::Reserved | ReservationState::Signed);
        if unfinished {
            return Ok(Some(Entry::Resumed(Box::new(own))));
        }
        let fault = Fault { kind: ConsensusFault::TimeOffset, height: own.height(), witness: own.cid() };
        Ok(Some(Entry::Out(Outcome::Skipped(fault))))
    }

    /// The inner error says why the miner cannot take part.
    async fn base_info(&self) -> Result<Result<MiningBaseInfo, &'static str>, Failure> {
        let call = self.inner.deps.producer.base_info(&self.miner, self.epoch, self.base.key());
        let Some(info) = self.within(Stage::BaseInfo, call).await? else {
            return Ok(Err("no power or no sectors at the lookback"));
        };
        if !info.eligible_for_mining {
            return Ok(Err("not eligible: fee debt, a consensus fault, or too little power"));
        }
        Ok(if info.sectors.is_empty() { Err("no sector to prove") } else { Ok(info) })
    }

    /// The proof of a won election; none if it is lost.
    async fn election(&self, info: &MiningBaseInfo) -> Result<Option<ElectionProof>, Failure> {
        let input = vrf::election_input(self.epoch, &self.miner);
        let vrf_proof = self.draw(info, &input, Stage::Election).await?;
        let win_count = election::win_count(&vrf_proof, &info.miner_power, &info.network_power);
        Ok((win_count > 0).then_some(ElectionProof { win_count, vrf_proof }))
    }

    /// A VRF proof by the worker, verified: a block with a wrong one is refused by all, and by then it is late.
    async fn draw(&self, info: &MiningBaseInfo, input: &VrfInput, stage: Stage) -> Result<Vec<u8>, Failure> {
        let rbase = &info.randomness_base().data;
        let params = input.params(rbase);
        let proof = self.within(stage, self.inner.deps.signer.draw_vrf(&info.worker_key, &params)).await?;
        vrf::verify_vrf(&info.worker_key, &input.digest(rbase), &proof)
            .map_err(|e| stage.failed_with(ErrorKind::Corrupt, format!("signer's VRF proof: {e}")))?;
        Ok(proof)
    }

    async fn proof(&self, info: &MiningBaseInfo) -> Result<Vec<PostProof>, Failure> {
        let limit = self.inner.proof_timeout();
        let randomness =
            vrf::winning_post_input(self.epoch, &self.miner).digest(&info.randomness_base().data);
        let request = WinningPostRequest {
            miner: self.miner,
            sectors: info.sectors.clone(),
            randomness,
            epoch: self.epoch,
            network_version: self.inner.network.network_version,
        };
        let call = self.inner.deps.prover.compute_winning_post(&request, limit);
        let proofs = within(&self.inner.deps.clock, limit, Stage::Proof, call).await?;
        if proofs.is_empty() {
            return Err(Stage::Proof.failed_with(ErrorKind::Corrupt, "the prover answered no proof"));
        }
        Ok(proofs)
    }

    async fn within<T, E>(&self, stage: Stage, call: impl Future<Output = Result<T, E>>) -> Result<T, Failure>
    where
        E: venus_core::error::Classify + std::fmt::Display,
    {
        within(&self.inner.deps.clock, self.limit(), stage, call).await
    }

    fn limit(&self) -> Duration {
        self.inner.config.call_timeout
    }
}

fn lost(failure: Failure) -> Failed {
    (false, failure)
}

fn won(failure: Failure) -> Failed {
    (true, failure)
}
