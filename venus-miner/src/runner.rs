//! The loop that mines epoch after epoch.

use std::time::Duration;

use tokio::task::JoinSet;
use venus_core::types::ChainEpoch;

use crate::error::MinerError;
use crate::miner::Miner;
use crate::round::Recheck;

/// How long the loop rests after an error.
const REST: Duration = Duration::from_secs(1);

/// Owns the loop of [`Miner::start`]. Dropping it stops the loop.
#[derive(Debug)]
pub struct MinerHandle {
    tasks: JoinSet<()>,
}

impl MinerHandle {
    /// Stops the loop and waits until it is gone. A round in progress is cut off, as by a crash: it is completed
    /// by the next start, with the same blocks.
    pub async fn shutdown(mut self) {
        self.tasks.shutdown().await;
    }
}

pub(crate) fn start(miner: Miner) -> MinerHandle {
    let mut tasks = JoinSet::new();
    tasks.spawn(run(miner));
    MinerHandle { tasks }
}

async fn run(miner: Miner) {
    loop {
        if let Err(error) = next_round(&miner).await {
            tracing::error!(%error, "round failed");
            let clock = &miner.inner().deps.clock;
            clock.sleep_until(clock.now() + REST).await;
        }
    }
}

/// Waits for the next epoch's base and mines on it.
async fn next_round(miner: &Miner) -> Result<(), MinerError> {
    let inner = miner.inner();
    let epoch = next_epoch(miner).await?;
    let base_time = inner.time_of(epoch.saturating_sub(1)) + inner.config.propagation_delay;
    inner.deps.clock.sleep_until(base_time).await;
    let base = inner.deps.chain.head().await?;
    // The chain went on without us while we waited: take the epoch after it.
    if base.height() < epoch {
        miner.round(epoch, base, Recheck::Yes).await?;
    }
    Ok(())
}

/// The epoch after the head and after the last round; the last round itself if it was cut off and the chain has not
/// passed it.
async fn next_epoch(miner: &Miner) -> Result<ChainEpoch, MinerError> {
    let head = miner.inner().deps.chain.head().await?;
    let after_head = head.height().saturating_add(1);
    let after_last = match miner.last_round().await? {
        Some(round) if round.done => round.epoch.saturating_add(1),
        Some(round) => round.epoch,
        None => 0,
    };
    Ok(after_head.max(after_last))
}
