//! The background task: catches up when the head moves, and now and then anyway.

use std::sync::{Arc, Mutex, PoisonError};

use futures::StreamExt;
use tokio::task::JoinSet;
use venus_core::api::{HeadStream, MessagerError, Resume};

use crate::messager::{Inner, Messager};

/// Tasks that end with the last handle.
#[derive(Debug, Default)]
pub(crate) struct Tasks(Mutex<JoinSet<()>>);

impl Messager {
    /// Starts the background task. Once is enough; later calls do nothing.
    ///
    /// # Errors
    /// [`MessagerError::Closed`] after [`Messager::shutdown`].
    pub fn start(&self) -> Result<(), MessagerError> {
        self.inner.check_open()?;
        let mut tasks = self.tasks.0.lock().unwrap_or_else(PoisonError::into_inner);
        if tasks.is_empty() {
            // Of the handle only the inside: the task must not keep alive what ends it.
            tasks.spawn(run(Arc::clone(&self.inner)));
        }
        Ok(())
    }

    /// Ends the background task after the step it is at, wakes all who wait with [`MessagerError::Closed`], and closes
    /// the store. Idempotent. Dropping the last handle ends the task too, at once, and loses nothing either.
    pub async fn shutdown(&self) {
        self.inner.hub.close();
        let mut tasks = std::mem::take(&mut *self.tasks.0.lock().unwrap_or_else(PoisonError::into_inner));
        while tasks.join_next().await.is_some() {}
        self.inner.store.close().await;
    }
}

async fn run(inner: Arc<Inner>) {
    let mut heads: Option<HeadStream> = None;
    while !inner.hub.is_closed() {
        if let Err(error) = inner.catch_up().await {
            tracing::warn!(%error, "catching up");
        }
        let deadline = inner.sources.clock.now().saturating_add(inner.config.retry_interval);
        let stream = heads.get_or_insert_with(|| inner.deps.heads.heads(Resume::Head));
        tokio::select! {
            biased;
            () = inner.hub.closing() => return,
            moved = head_moved(stream) => if !moved { heads = None; inner.pause().await },
            () = inner.sources.clock.sleep_until(deadline) => {}
        }
    }
}

/// Whether the feed lives. The event itself does not matter: catching up asks for the way from the cursor.
async fn head_moved(stream: &mut HeadStream) -> bool {
    matches!(stream.next().await, Some(Ok(_)))
}

impl Inner {
    /// A feed that ended is asked again after a while, not at once.
    async fn pause(&self) {
        let pause = self.config.retry_interval.min(std::time::Duration::from_secs(1));
        let until = self.sources.clock.now().saturating_add(pause);
        tokio::select! {
            () = self.hub.closing() => {}
            () = self.sources.clock.sleep_until(until) => {}
        }
    }
}
