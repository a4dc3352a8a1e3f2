//! The run itself, epoch by epoch.
//!
//! Every step can be repeated after a kill and then does nothing or the same again: messages have names, a round
//! redone makes the same blocks, and an epoch is mined only when all messages due are in the mempool. So the chain
//! depends on the arguments alone.

use std::collections::HashSet;
use std::path::Path;

use tokio_util::sync::CancellationToken;
use venus_bins_common::progress::{Bar, Progress};
use venus_core::api::{ChainReader, IMessager, MessagePool, MessageRecord, MessageState};
use venus_core::types::{ChainEpoch, Cid, SignedMessage, Tipset, TipsetKey};
use venus_devnet::ForkSpec;

use super::audit::{Audit, audit};
use super::compose::Pool;
use super::error::DemoError;
use super::outcome::is_settled;
use super::plan::Transfer;
use super::state::Spec;

/// Tipsets that the fork undoes.
const FORK_DEPTH: u64 = 2;
/// Epochs beyond the wanted ones in which late messages may land, before the run gives up on them.
const EXTRA_EPOCHS: ChainEpoch = 200;

/// A run on its way.
pub(crate) struct Run<'a> {
    pool: &'a Pool,
    plan: &'a [Transfer],
    /// Epochs to mine at least.
    wanted: ChainEpoch,
    stop: &'a CancellationToken,
    dir: &'a Path,
    progress: &'a Progress,
    epochs: Bar,
    sent: Bar,
    landed: Bar,
    /// How many transfers of the plan the messager has, as far as this process knows.
    handed_over: usize,
    /// Those of them that the messager does not report as landed.
    open: Vec<usize>,
}

/// How a run ended.
#[derive(Debug)]
pub(crate) struct Outcome {
    pub(crate) head: TipsetKey,
    pub(crate) audit: Audit,
    /// The last epoch that was mined or tried.
    pub(crate) epochs: ChainEpoch,
}

impl<'a> Run<'a> {
    pub(crate) fn new(
        pool: &'a Pool,
        spec: &Spec,
        plan: &'a [Transfer],
        stop: &'a CancellationToken,
        dir: &'a Path,
        progress: &'a Progress,
    ) -> Self {
        let epochs = progress.bar("epochs", spec.epochs);
        let sent = progress.bar("messages sent", spec.messages);
        let landed = progress.bar("messages landed", spec.messages);
        let wanted = ChainEpoch::try_from(spec.epochs).unwrap_or(ChainEpoch::MAX);
        let (handed_over, open) = (0, Vec::new());
        Self { pool, plan, wanted, stop, dir, progress, epochs, sent, landed, handed_over, open }
    }

    /// Goes on from where the directory stands, until all messages have landed or no more can be hoped for.
    ///
    /// # Errors
    /// [`DemoError::Stopped`] soon after the token is cancelled; whatever breaks.
    pub(crate) async fn finish(mut self) -> Result<Outcome, DemoError> {
        self.redo_last_round().await?;
        loop {
            self.check_stop()?;
            self.pool.messager.catch_up().await?;
            let head = self.pool.devnet.head().await?;
            if self.fork_is_due(&head).await? {
                self.fork().await?;
                continue;
            }
            let reached = self.pool.reached(&head).await?;
            self.epochs.set(reached.clamp(0, self.wanted).unsigned_abs());
            if reached >= self.wanted
                && let Some(outcome) = self.end(&head, reached).await?
            {
                return Ok(outcome);
            }
            self.mine(reached + 1, head.key()).await?;
        }
    }

    fn check_stop(&self) -> Result<(), DemoError> {
        match self.stop.is_cancelled() {
            true => Err(DemoError::Stopped { dir: self.dir.to_path_buf() }),
            false => Ok(()),
        }
    }

    /// Completes the round in which the former process ended, on the same base, so that its blocks come out the same.
    /// A round that came to its end is redone too while nothing stands on it: a disk that is full fails some miners
    /// only, and blocks that exist are not made again.
    async fn redo_last_round(&self) -> Result<(), DemoError> {
        let Some(round) = self.pool.miner.last_round().await? else { return Ok(()) };
        let head = self.pool.devnet.head().await?;
        let is_top =
            *head.key() == round.base || (head.height() == round.epoch && head.parents() == round.base);
        if round.done && !is_top {
            return Ok(());
        }
        // The mempool is not stored: the messages of the round must be there again before it is repeated.
        self.pool.messager.catch_up().await?;
        tracing::info!(epoch = round.epoch, "redoing the last round");
        self.mine_round(round.epoch, &round.base).await
    }

    async fn mine_round(&self, epoch: ChainEpoch, base: &TipsetKey) -> Result<(), DemoError> {
        self.pool.set_clock(epoch);
        let round = self.pool.miner.mine_round(epoch, base).await?;
        // Blocks that miss, or miss messages, would make the outcome depend on what went wrong.
        if let Some((miner, failure)) = round.failures().next() {
            return Err(DemoError::Round { epoch, reason: format!("{miner}: {failure}") });
        }
        match round.selection_error {
            Some(reason) => Err(DemoError::Round { epoch, reason }),
            None => Ok(()),
        }
    }

    async fn mine(&mut self, epoch: ChainEpoch, head: &TipsetKey) -> Result<(), DemoError> {
        self.pool.set_clock(epoch);
        self.hand_over(epoch).await?;
        if self.check_open(head).await.is_err() {
            // The messager took a message and could not send it. Once more, and what hinders it comes to light.
            self.pool.messager.catch_up().await?;
            self.check_open(head).await?;
        }
        self.landed.set(u64::try_from(self.handed_over - self.open.len()).unwrap_or_default());
        self.mine_round(epoch, head).await
    }

    /// Gives the messager what is due. Names make it idempotent, so a new process begins at the first again.
    async fn hand_over(&mut self, epoch: ChainEpoch) -> Result<(), DemoError> {
        while let Some(transfer) = self.plan.get(self.handed_over).filter(|t| t.due <= epoch) {
            self.check_stop()?;
            self.pool.messager.push_with_id(&transfer.id, transfer.request()).await?;
            self.open.push(self.handed_over);
            self.handed_over += 1;
            self.sent.inc(1);
        }
        Ok(())
    }

    /// Makes sure that the round is mined with every message: each waits in the mempool or is in the head already.
    async fn check_open(&mut self, head: &TipsetKey) -> Result<(), DemoError> {
        let pending = self.pool.devnet.pending().await?;
        let in_head = self.pool.devnet.tipset_messages(head).await?;
        let known: HashSet<Cid> =
            pending.iter().map(SignedMessage::cid).chain(in_head.into_iter().map(|(cid, _)| cid)).collect();
        let mut open = Vec::new();
        for index in &self.open {
            let Some(transfer) = self.plan.get(*index) else { continue };
            let record = self.pool.messager.get(&transfer.id).await?;
            if record.state != MessageState::Landed {
                check_on_its_way(&record, &known)?;
                open.push(*index);
            }
        }
        self.open = open;
        Ok(())
    }

    async fn fork_is_due(&self, head: &Tipset) -> Result<bool, DemoError> {
        if self.pool.rival.is_none() || head.height() < self.wanted / 2 || self.pool.devnet.stats().reorgs > 0
        {
            return Ok(false);
        }
        let mut ancestor = head.clone();
        for _ in 0..FORK_DEPTH {
            if ancestor.height() == 0 {
                return Ok(false);
            }
            ancestor = self.pool.devnet.tipset(&ancestor.parents()).await?.as_ref().clone();
        }
        Ok(true)
    }

    /// Lets the rival grow a heavier branch. Cut short, the next call makes the same blocks again.
    async fn fork(&mut self) -> Result<(), DemoError> {
        let Some((rival, signer)) = &self.pool.rival else { return Ok(()) };
        let spec = ForkSpec { depth: FORK_DEPTH, producer: *rival };
        let report = self.pool.devnet.fork(spec, signer, &self.pool.clock).await?;
        tracing::debug!(?report, "forked");
        self.progress.note("a rival's branch became the chain: two tipsets were reverted");
        // What had landed in the reverted tipsets is on its way again.
        self.open = (0..self.handed_over).collect();
        Ok(())
    }

    /// The outcome, if there is nothing left to wait for.
    async fn end(&self, head: &Tipset, reached: ChainEpoch) -> Result<Option<Outcome>, DemoError> {
        let audit = audit(&self.pool.devnet, head.key(), self.plan).await?;
        self.landed.set(audit.landed);
        let is_forked = self.pool.rival.is_none() || self.pool.devnet.stats().reorgs > 0;
        // A fork may still undo what failed, and then it is executed again.
        let is_over = is_forked && is_settled(&self.pool.messager, &audit.missing).await?;
        if !is_over && reached < self.wanted.saturating_add(EXTRA_EPOCHS) {
            return Ok(None);
        }
        [&self.epochs, &self.sent, &self.landed].into_iter().for_each(Bar::finish);
        Ok(Some(Outcome { head: head.key().clone(), audit, epochs: reached }))
    }
}

/// Refuses a message that will not land although it waits.
fn check_on_its_way(record: &MessageRecord, known: &HashSet<Cid>) -> Result<(), DemoError> {
    if record.attempts.iter().any(|attempt| known.contains(&attempt.cid)) {
        return Ok(());
    }
    let reason =
        record.error.clone().unwrap_or_else(|| "it is neither in the mempool nor in the head".into());
    Err(DemoError::Undelivered { id: record.id.clone(), state: record.state.as_str(), reason })
}
