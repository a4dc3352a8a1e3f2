//! A store that forgets: for tests and throw-away networks.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use venus_core::types::{Address, BlockMsg, ChainEpoch, Cid, TipsetKey};

use super::rules::{self, Earlier, Verdict};
use super::{
    Claim, MinerStats, Reservation, ReservationState as State, ReservationStore, Round, StoreError,
    Submission, parents_hash, unsigned_cid,
};

/// Reservations in memory. **After a restart nothing protects from signing twice**, so only for chains whose blocks
/// are worth nothing.
#[derive(Debug, Default)]
pub struct MemoryReservations {
    tables: Mutex<Tables>,
}

#[derive(Debug, Default)]
struct Tables {
    rounds: BTreeMap<ChainEpoch, Counted>,
    blocks: BTreeMap<(Vec<u8>, ChainEpoch), Row>,
}

#[derive(Debug)]
struct Counted {
    round: Round,
    won: u64,
}

#[derive(Clone, Debug)]
struct Row {
    reservation: Reservation,
    base_height: ChainEpoch,
    base_parents: [u8; 32],
}

impl MemoryReservations {
    /// An empty store.
    pub fn new() -> Self {
        Self::default()
    }

    fn tables(&self) -> MutexGuard<'_, Tables> {
        // Each change is one assignment, so a poisoned table is whole.
        self.tables.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Tables {
    fn of_miner(&self, miner: &Address) -> impl Iterator<Item = &Row> {
        let miner = miner.to_bytes();
        self.blocks.iter().filter(move |((m, _), _)| *m == miner).map(|(_, row)| row)
    }

    fn row(
        &mut self,
        miner: &Address,
        height: ChainEpoch,
        wanted: State,
    ) -> Result<&mut Reservation, StoreError> {
        let none = StoreError::State { miner: *miner, height, found: "not reserved", wanted };
        self.blocks.get_mut(&(miner.to_bytes(), height)).map(|row| &mut row.reservation).ok_or(none)
    }
}

impl Row {
    fn earlier(&self) -> Earlier {
        Earlier {
            height: self.reservation.height(),
            parents: parents_hash(&self.reservation.unsigned.header.parents),
            base_height: self.base_height,
            base_parents: self.base_parents,
            unsigned_cid: unsigned_cid(&self.reservation.unsigned),
            signed_cid: self.reservation.signed.as_ref().map(BlockMsg::cid),
            state: self.reservation.state,
        }
    }
}

fn step(reservation: &Reservation, wanted: State) -> Result<(), StoreError> {
    if reservation.state.can_become(wanted) {
        return Ok(());
    }
    let (miner, height) = (reservation.miner(), reservation.height());
    Err(StoreError::State { miner, height, found: reservation.state.as_str(), wanted })
}

#[async_trait]
impl ReservationStore for MemoryReservations {
    async fn begin_round(&self, epoch: ChainEpoch, base: &TipsetKey) -> Result<(), StoreError> {
        let mut tables = self.tables();
        if let Some(last) = tables.rounds.last_key_value().map(|(e, _)| *e).filter(|last| *last > epoch) {
            return Err(StoreError::StaleRound { epoch, last });
        }
        let round = Round { epoch, base: base.clone(), done: false };
        tables.rounds.insert(epoch, Counted { round, won: 0 });
        Ok(())
    }

    async fn finish_round(&self, epoch: ChainEpoch, won: u64, _mined: u64) -> Result<(), StoreError> {
        let mut tables = self.tables();
        let counted = tables.rounds.get_mut(&epoch).ok_or(StoreError::Invalid("round was not begun"))?;
        counted.won = won;
        counted.round.done = true;
        Ok(())
    }

    async fn last_round(&self) -> Result<Option<Round>, StoreError> {
        Ok(self.tables().rounds.last_key_value().map(|(_, counted)| counted.round.clone()))
    }

    async fn reserve(&self, claim: &Claim) -> Result<Reservation, StoreError> {
        let mut tables = self.tables();
        let miner = claim.block.header.miner;
        let earlier: Vec<Earlier> =
            tables.of_miner(&miner).map(Row::earlier).filter(|e| rules::matters(claim, e)).collect();
        let verdict = rules::judge(claim, &earlier)?;
        let Verdict::Free { abandon } = verdict else {
            return Ok(tables.row(&miner, claim.block.header.height, State::Reserved)?.clone());
        };
        for height in abandon {
            let left_out = tables.row(&miner, height, State::Abandoned)?;
            step(left_out, State::Abandoned)?;
            left_out.state = State::Abandoned;
            left_out.reason = Some(super::sqlite::LEFT_OUT.into());
        }
        let reservation = Reservation {
            unsigned: claim.block.clone(),
            worker: claim.worker,
            signed: None,
            state: State::Reserved,
            reason: None,
        };
        let row = Row {
            reservation: reservation.clone(),
            base_height: claim.base_height,
            base_parents: parents_hash(claim.base_parents.cids()),
        };
        tables.blocks.insert((miner.to_bytes(), claim.block.header.height), row);
        Ok(reservation)
    }

    async fn at_height(
        &self,
        miner: &Address,
        height: ChainEpoch,
    ) -> Result<Option<Reservation>, StoreError> {
        Ok(self.tables().blocks.get(&(miner.to_bytes(), height)).map(|row| row.reservation.clone()))
    }

    async fn on_parents(&self, miner: &Address, parents: &[Cid]) -> Result<Option<Reservation>, StoreError> {
        let hash = parents_hash(parents);
        let tables = self.tables();
        let mut rows = tables.of_miner(miner);
        Ok(rows.find(|row| row.earlier().parents == hash).map(|row| row.reservation.clone()))
    }

    async fn record_signature(&self, signed: &BlockMsg) -> Result<Reservation, StoreError> {
        let mut tables = self.tables();
        let row = tables.row(&signed.header.miner, signed.header.height, State::Signed)?;
        if unsigned_cid(&row.unsigned) != unsigned_cid(signed) {
            return Err(StoreError::Invalid("another block is reserved"));
        }
        if row.signed.as_ref() != Some(signed) {
            step(row, State::Signed)?;
            row.signed = Some(signed.clone());
            row.state = State::Signed;
        }
        Ok(row.clone())
    }

    async fn record_submission(
        &self,
        miner: &Address,
        height: ChainEpoch,
        submission: &Submission,
    ) -> Result<(), StoreError> {
        let (wanted, reason) = match submission {
            Submission::Accepted => (State::Submitted, None),
            Submission::Refused(reason) => (State::Refused, Some(reason.clone())),
        };
        let mut tables = self.tables();
        let row = tables.row(miner, height, wanted)?;
        if row.state != wanted && row.state != State::Submitted {
            step(row, wanted)?;
            row.state = wanted;
            row.reason = reason;
        }
        Ok(())
    }

    async fn stats(&self) -> Result<MinerStats, StoreError> {
        let tables = self.tables();
        let count =
            |state| tables.blocks.values().filter(|row| row.reservation.state == state).count() as u64;
        let done = tables.rounds.values().filter(|counted| counted.round.done);
        Ok(MinerStats {
            rounds: done.clone().count() as u64,
            rounds_won: done.map(|counted| counted.won).sum(),
            blocks_mined: count(State::Submitted),
            blocks_refused: count(State::Refused),
        })
    }
}
