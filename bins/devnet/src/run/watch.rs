//! What a running devnet tells about itself: a bar while it catches up, and figures.

use futures::StreamExt;
use tokio_util::sync::CancellationToken;
use venus_bins_common::progress::{Bar, Progress};
use venus_core::api::{HeadFeed, Resume};
use venus_devnet::{AutoMine, DevnetControl};

/// Epochs behind the clock from which it counts as catching up.
const BEHIND: u64 = 3;

/// Follows the head until the stop.
pub(super) async fn watch(control: &DevnetControl, progress: &Progress, stop: &CancellationToken) {
    let mut heads = control.devnet().heads(Resume::Head);
    let mut catching_up: Option<CatchingUp> = None;
    while let Some(Some(_)) = stop.run_until_cancelled(heads.next()).await {
        let status = control.status();
        metrics::gauge!("venus_devnet_head_height").set(count(status.head.height.unsigned_abs()));
        metrics::gauge!("venus_devnet_pending_messages").set(count(status.pending));
        metrics::counter!("venus_devnet_blocks_total").absolute(status.blocks);
        metrics::counter!("venus_devnet_reorgs_total").absolute(status.reorgs);
        let behind = if status.auto_mine == AutoMine::Clock { control.behind() } else { 0 };
        metrics::gauge!("venus_devnet_behind_epochs").set(count(behind));
        catching_up = match catching_up {
            None if behind > BEHIND => Some(CatchingUp::new(progress, behind)),
            Some(bar) if behind == 0 => {
                bar.bar.finish();
                tracing::info!(epoch = status.head.height, "caught up with the clock");
                None
            }
            Some(mut bar) => {
                bar.set(behind);
                Some(bar)
            }
            None => None,
        };
    }
    // Whoever waits for a bar, and not for its end, is told that it stops.
    stop.cancelled().await;
}

/// A bar whose end moves on with the clock.
struct CatchingUp {
    bar: Bar,
    most: u64,
}

impl CatchingUp {
    fn new(progress: &Progress, behind: u64) -> Self {
        Self { bar: progress.bar("epochs caught up", behind), most: behind }
    }

    fn set(&mut self, behind: u64) {
        self.bar.set(self.most.saturating_sub(behind));
    }
}

/// Gauges are floats; no count of a devnet comes near where they lose digits.
#[allow(clippy::cast_precision_loss)]
fn count(n: u64) -> f64 {
    n as f64
}
