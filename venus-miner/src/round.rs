//! One round for all miners: elections, messages, blocks.

use std::sync::Arc;

use venus_core::error::ErrorKind;
use venus_core::types::{Address, ChainEpoch, SignedMessage, Ticket, Tipset};

use crate::assemble;
use crate::election::{self, Entry, Winner};
use crate::error::MinerError;
use crate::miner::Inner;
use crate::report::{MinerReport, Outcome, RoundReport, Stage};
use crate::seal;
use crate::store::Reservation;
use crate::tasks::run_all;

/// Whether the head is looked at once more before blocks are made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Recheck {
    /// The caller fixed the base.
    No,
    /// A better base is taken if there is one by then.
    Yes,
}

pub(crate) async fn mine(
    inner: &Arc<Inner>,
    epoch: ChainEpoch,
    mut base: Arc<Tipset>,
    recheck: Recheck,
) -> Result<RoundReport, MinerError> {
    if epoch <= base.height() {
        return Err(MinerError::Epoch { epoch, base: base.height() });
    }
    inner.store.begin_round(epoch, base.key()).await?;
    let mut entries = enter_all(inner, epoch, &base).await;
    let has_winner = entries.iter().any(|(_, entry)| matches!(entry, Entry::Won(_)));
    let better = match recheck {
        Recheck::Yes if has_winner => better_base(inner, epoch, &base).await,
        _ => None,
    };
    if let Some(better) = better {
        tracing::info!(epoch, from = %base.key(), to = %better.key(), "there is a better base");
        inner.store.begin_round(epoch, better.key()).await?;
        if !same_draws(&base, &better) {
            entries = enter_all(inner, epoch, &better).await;
        }
        base = better;
    }
    let (miners, selection_error) = produce(inner, epoch, &base, entries).await;
    let report = RoundReport { epoch, base: base.key().clone(), miners, selection_error };
    inner.store.finish_round(epoch, report.won(), report.mined()).await?;
    log(&report);
    Ok(report)
}

async fn enter_all(inner: &Arc<Inner>, epoch: ChainEpoch, base: &Arc<Tipset>) -> Vec<(Address, Entry)> {
    let miners = inner.config.miners.iter().map(|miner| (*miner, *miner)).collect();
    let entering = |miner| election::enter(inner.clone(), miner, epoch, base.clone());
    let entries = for_miners(inner, miners, entering).await;
    let entry = |entry: Option<Entry>| entry.unwrap_or_else(|| Entry::Out(died(false)));
    entries.into_iter().map(|(miner, entered)| (miner, entry(entered))).collect()
}

/// The head, if it is another tipset that the round could build on. A head at the round's own height holds blocks
/// of others for this round: the base stays.
async fn better_base(inner: &Inner, epoch: ChainEpoch, base: &Tipset) -> Option<Arc<Tipset>> {
    let waited = inner.config.propagation_delay + inner.config.equivocation_delay;
    let due = inner.time_of(epoch.saturating_sub(1)) + waited;
    inner.deps.clock.sleep_until(due).await;
    match inner.deps.chain.head().await {
        Ok(head) => (head.key() != base.key() && head.height() < epoch).then_some(head),
        Err(error) => {
            tracing::warn!(epoch, %error, "head is unknown, the base stays");
            None
        }
    }
}

/// Whether every draw on one base is the same on the other: siblings came or went beside the smallest ticket.
fn same_draws(a: &Tipset, b: &Tipset) -> bool {
    a.height() == b.height() && a.parents() == b.parents() && a.min_ticket() == b.min_ticket()
}

/// A block to be made or finished.
enum Job {
    Make(Box<Winner>, Vec<SignedMessage>),
    Finish(Box<Reservation>),
}

/// Makes the blocks of all winners and reports on all miners in their order.
///
/// All blocks are reserved before the first is published. So when the round is redone, a mempool that has seen a
/// published block drop its messages cannot change the others. Only the node and the store are waited for in
/// common; a signer delays its own miner alone.
async fn produce(
    inner: &Arc<Inner>,
    epoch: ChainEpoch,
    base: &Arc<Tipset>,
    entries: Vec<(Address, Entry)>,
) -> (Vec<MinerReport>, Option<String>) {
    let mut reports = Vec::new();
    let mut going = Vec::new();
    for (miner, entry) in entries {
        match entry {
            Entry::Out(outcome) => reports.push(MinerReport { miner, outcome }),
            entry => going.push((miner, entry)),
        }
    }
    let (jobs, selection_error) = hand_out(inner, epoch, base, going).await;
    let reserving = |job| reserve(inner.clone(), epoch, base.clone(), job);
    let mut reserved = Vec::new();
    for (miner, result) in for_miners(inner, jobs, reserving).await {
        match result.unwrap_or_else(|| Err(died(true))) {
            Ok(reservation) => reserved.push((miner, reservation)),
            Err(outcome) => reports.push(MinerReport { miner, outcome }),
        }
    }
    let finishing = |reservation| seal::finish(inner.clone(), reservation);
    for (miner, outcome) in for_miners(inner, reserved, finishing).await {
        reports.push(MinerReport { miner, outcome: outcome.unwrap_or_else(|| died(true)) });
    }
    reports.sort_by_key(|report| report.miner.id().ok());
    (reports, selection_error)
}

/// Does the same for many miners at a time; `None` where the task panicked.
async fn for_miners<T, F>(
    inner: &Inner,
    items: Vec<(Address, T)>,
    work: impl Fn(T) -> F,
) -> Vec<(Address, Option<F::Output>)>
where
    F: Future + Send + 'static,
    F::Output: Send + 'static,
{
    let (miners, items): (Vec<Address>, Vec<T>) = items.into_iter().unzip();
    let results = run_all(inner.config.concurrency, items.into_iter().map(work).collect()).await;
    miners.into_iter().zip(results).collect()
}

/// Orders the winners and gives each its messages, all selected in one call. Blocks of this round that are reserved
/// already take part in the selection, so that the others get the same messages as the first time.
async fn hand_out(
    inner: &Inner,
    epoch: ChainEpoch,
    base: &Tipset,
    mut going: Vec<(Address, Entry)>,
) -> (Vec<(Address, Job)>, Option<String>) {
    going.sort_by_cached_key(|(miner, entry)| ticket_of(entry).map(|ticket| Winner::order(ticket, miner)));
    let tickets: Vec<&Ticket> =
        going.iter().filter(|(_, e)| competes(e, epoch, base)).filter_map(|(_, e)| ticket_of(e)).collect();
    let fresh = going.iter().any(|(_, entry)| matches!(entry, Entry::Won(_)));
    let (lists, error) =
        if fresh { assemble::select(inner, base, &tickets).await } else { Default::default() };
    let mut lists = lists.into_iter();
    let mut jobs = Vec::new();
    for (miner, entry) in going {
        let messages = competes(&entry, epoch, base).then(|| lists.next()).flatten().unwrap_or_default();
        match entry {
            Entry::Won(winner) => jobs.push((miner, Job::Make(winner, messages))),
            Entry::Resumed(reservation) => jobs.push((miner, Job::Finish(reservation))),
            Entry::Out(_) => {}
        }
    }
    (jobs, error)
}

fn ticket_of(entry: &Entry) -> Option<&Ticket> {
    match entry {
        Entry::Won(winner) => Some(&winner.ticket),
        Entry::Resumed(reservation) => reservation.unsigned.header.ticket.as_ref(),
        Entry::Out(_) => None,
    }
}

/// Whether the block will stand in the tipset that this round makes.
fn competes(entry: &Entry, epoch: ChainEpoch, base: &Tipset) -> bool {
    match entry {
        Entry::Won(_) => true,
        Entry::Resumed(own) => own.height() == epoch && own.unsigned.header.parents == base.cids(),
        Entry::Out(_) => false,
    }
}

async fn reserve(
    inner: Arc<Inner>,
    epoch: ChainEpoch,
    base: Arc<Tipset>,
    job: Job,
) -> Result<Reservation, Outcome> {
    let (winner, messages) = match job {
        Job::Finish(reservation) => return Ok(*reservation),
        Job::Make(winner, messages) => (winner, messages),
    };
    let created = assemble::create(&inner, &winner, epoch, &base, messages).await;
    let block = created.map_err(|failure| Outcome::Failed { won: true, failure })?;
    seal::reserve(&inner, &winner, &base, block).await
}

fn died(won: bool) -> Outcome {
    let failure = Stage::Task.failed_with(ErrorKind::Internal, "the miner's task panicked");
    Outcome::Failed { won, failure }
}

fn log(report: &RoundReport) {
    let RoundReport { epoch, base, .. } = report;
    tracing::info!(epoch, %base, won = report.won(), mined = report.mined(), "round is done");
    for (miner, failure) in report.failures() {
        tracing::warn!(epoch, %miner, %failure, "no block");
    }
}
