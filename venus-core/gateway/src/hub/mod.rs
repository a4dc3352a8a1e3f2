//! The hub, from outside.

mod call;
mod provide;
mod signer;

use std::fmt;
use std::sync::Arc;

use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use venus_core::api::AccountDirectory;

pub use call::Accounts;
pub use signer::HubSigner;

use crate::engine::Engine;
use crate::options::HubOptions;
use crate::register::{Cause, Failures, Recheck};
use crate::registry::Registry;

/// Connects those who dialled in with those who need them. Cheap to clone; all clones are one hub.
#[derive(Clone)]
pub struct Hub {
    pub(crate) inner: Arc<Inner>,
}

pub(crate) struct Inner {
    pub(crate) options: HubOptions,
    pub(crate) directory: Arc<dyn AccountDirectory>,
    pub(crate) registry: Registry,
    pub(crate) engine: Engine,
    pub(crate) failures: Failures,
    pub(crate) recheck: Recheck,
    pub(crate) stop: CancellationToken,
    pub(crate) tasks: TaskTracker,
}

impl fmt::Debug for Hub {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Hub").field("options", &self.inner.options).finish_non_exhaustive()
    }
}

impl Hub {
    /// A hub that asks `directory` what belongs to whom.
    pub fn new(directory: Arc<dyn AccountDirectory>, options: HubOptions) -> Self {
        let inner = Inner {
            options,
            directory,
            registry: Registry::default(),
            engine: Engine::default(),
            failures: Failures::default(),
            recheck: Recheck::default(),
            stop: CancellationToken::new(),
            tasks: TaskTracker::new(),
        };
        Self { inner: Arc::new(inner) }
    }

    /// How it behaves.
    pub fn options(&self) -> &HubOptions {
        &self.inner.options
    }

    /// Ends all channels, refuses what comes, and returns when nothing of the hub runs any more.
    pub async fn shutdown(&self) {
        self.inner.stop.cancel();
        let channels: Vec<_> = self.inner.registry.read().channels().cloned().collect();
        for channel in channels {
            self.close(&channel, Cause::Shutdown);
        }
        self.inner.tasks.close();
        self.inner.tasks.wait().await;
    }
}
