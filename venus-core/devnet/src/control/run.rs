//! Mining by itself.

use std::future::{self, Future};
use std::pin::pin;
use std::time::Duration;

use fvm_shared::address::Address;
use tokio::sync::watch;
use venus_core::api::ChainReader;
use venus_core::clock::Clock;

use super::{AutoMine, DevnetControl, Settings};
use crate::config::MAX_NULL_ROUNDS;
use crate::error::DevnetError;

/// Epochs that a chain may fall behind its clock while all is left to miners outside. Half of what a block can follow.
const MAX_BEHIND: u64 = MAX_NULL_ROUNDS.unsigned_abs() / 2;

impl DevnetControl {
    /// Mines as [`DevnetControl::set_auto_mine`] says, until `stop`. An epoch that has begun is mined to its end.
    ///
    /// An epoch that cannot be mined, because the disk is full or a signer does not answer, is logged and left empty;
    /// the next one is tried an epoch's time later. Call it once.
    pub async fn run(&self, stop: impl Future<Output = ()> + Send) {
        let mut stop = pin!(stop);
        let mut settings = self.shared.settings.subscribe();
        loop {
            let now = settings.borrow_and_update().clone();
            let due = pin!(self.due(&now));
            let changed = pin!(changed(&mut settings));
            tokio::select! {
                biased;
                () = &mut stop => return,
                () = changed => continue,
                () = due => {}
            }
            if let Err(error) = self.mine_due(&now).await {
                tracing::error!(%error, "an epoch was not mined; the next one is tried in its time");
                let pause = self.delay();
                tokio::select! {
                    biased;
                    () = &mut stop => return,
                    () = tokio::time::sleep(pause) => {}
                }
            }
        }
    }

    /// How many epochs the chain is behind its clock. The one that is going on does not count.
    pub fn behind(&self) -> u64 {
        let head = self.shared.devnet.inner.read().chain.head().height();
        u64::try_from(self.clock_epoch() - 1 - head).unwrap_or(0)
    }

    /// Waits until something is to be mined. Safe to give up.
    async fn due(&self, settings: &Settings) {
        if settings.frozen {
            return future::pending().await;
        }
        if self.makers(settings).is_empty() {
            return self.stuck(settings).await;
        }
        match settings.auto_mine {
            AutoMine::Off => future::pending().await,
            AutoMine::Every { ms } => tokio::time::sleep(Duration::from_millis(ms)).await,
            AutoMine::Clock => {
                let next = { self.next_by_clock(&*self.shared.turn.lock().await).await };
                // Without a head there is nothing to wait for; mining says why.
                let Ok(epoch) = next else { return };
                while tokio::time::timeout(self.delay(), self.shared.clock.sleep_until(self.time_of(epoch)))
                    .await
                    .is_err()
                {
                    self.catch_the_clock_up();
                }
            }
        }
    }

    /// A machine whose clock was set back is not waited for, perhaps for hours: as after a restart, the time goes on
    /// from that of the head.
    fn catch_the_clock_up(&self) {
        let head = self.shared.devnet.inner.read().chain.head().min_timestamp();
        let head = Duration::from_secs(head);
        let behind = head.saturating_sub(self.shared.clock.now());
        // Blocks from outside may be a little ahead.
        if behind > self.delay() {
            tracing::warn!(
                seconds = behind.as_secs(),
                "the machine's clock was set back: going on from the head"
            );
            self.shared.clock.advance_to(head);
        }
    }

    fn delay(&self) -> Duration {
        Duration::from_secs(self.network().block_delay_secs)
    }

    /// Who mines now. Where all is left to miners outside, and the chain fell so far behind its clock that soon no block
    /// of theirs could follow its head, as after a night without the devnet, the devnet mines for them until it could.
    fn makers(&self, settings: &Settings) -> Vec<Address> {
        let own = self.producers();
        if own.is_empty() && settings.auto_mine == AutoMine::Clock && self.behind() > MAX_BEHIND {
            return self.shared.devnet.miners();
        }
        own
    }

    /// Waits until miners outside, of which nothing comes, are too far behind.
    async fn stuck(&self, settings: &Settings) {
        if settings.auto_mine != AutoMine::Clock {
            return future::pending().await;
        }
        while self.behind() <= MAX_BEHIND {
            let head = self.shared.devnet.inner.read().chain.head().height();
            let late = head.saturating_add_unsigned(MAX_BEHIND + 2);
            self.shared.clock.sleep_until(self.time_of(late)).await;
        }
    }

    async fn mine_due(&self, settings: &Settings) -> Result<(), DevnetError> {
        let miners = self.makers(settings);
        let mut turn = self.shared.turn.lock().await;
        if miners.is_empty() {
            return Ok(());
        }
        if self.producers().is_empty() {
            // Beside blocks from outside their miners' would be faults.
            turn.reached = turn.reached.max(self.shared.devnet.head().await?.height());
        }
        if settings.auto_mine != AutoMine::Clock {
            return self.next_epoch(&mut turn, &miners).await.map(drop);
        }
        let epoch = self.next_by_clock(&turn).await?;
        // A request may have mined the epoch that was waited for.
        if self.shared.clock.now() < self.time_of(epoch) {
            return Ok(());
        }
        self.epoch(&mut turn, epoch, &miners).await.map(drop)
    }
}

/// Returns when the settings change; their sender lives as long as the control.
async fn changed(settings: &mut watch::Receiver<Settings>) {
    if settings.changed().await.is_err() {
        future::pending().await
    }
}
