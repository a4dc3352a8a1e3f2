//! The tasks that a program lives by: named, stopped together, and missed when they end.
//!
//! A daemon is some tasks that must all run. Where one ends, by an error, by a panic or without a reason, the others would
//! go on without it and the daemon would look alive; so its end stops them all, and the program ends with the reason.

use std::{any::Any, collections::HashMap, fmt, future::Future, time::Duration};

use tokio::{
    task::{Id, JoinError, JoinSet},
    time,
};
use tokio_util::sync::CancellationToken;

/// An error of a task, whatever its type.
pub type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// Why the tasks ended otherwise than by a stop that was asked for.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TaskError {
    /// A task returned an error.
    #[error("task `{name}` failed: {source}")]
    Failed {
        /// The task.
        name: String,
        /// Its error.
        source: BoxError,
    },
    /// A task panicked: a defect. The panic's own report, with its place, is on stderr.
    #[error("task `{name}` panicked: {message}")]
    Panicked {
        /// The task.
        name: String,
        /// What it panicked with.
        message: String,
    },
    /// A task ended well although nobody asked it to.
    #[error("task `{0}` ended although nobody asked it to")]
    Ended(String),
    /// Tasks that did not stop in time. They were aborted; work that blocks a thread goes on until the process ends.
    #[error("still running {} after the stop, and aborted: {}", Seconds(*.deadline), .names.join(", "))]
    Stuck {
        /// The tasks, sorted.
        names: Vec<String>,
        /// How long they had.
        deadline: Duration,
    },
}

struct Seconds(Duration);

impl fmt::Display for Seconds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} s", self.0.as_secs_f64())
    }
}

/// Named tasks with one stop. Dropping it aborts them.
#[derive(Debug)]
pub struct Tasks {
    set: JoinSet<Result<(), BoxError>>,
    names: HashMap<Id, String>,
    stop: CancellationToken,
}

impl Tasks {
    /// Tasks that stop when `stop` is cancelled, as [`shutdown::install`](crate::shutdown::install) does.
    ///
    /// A failure cancels only the tasks' own token and leaves `stop` alone.
    #[must_use]
    pub fn new(stop: &CancellationToken) -> Self {
        Self { set: JoinSet::new(), names: HashMap::new(), stop: stop.child_token() }
    }

    /// Cancelled when the tasks are to end. Every task watches it.
    #[must_use]
    pub fn stop_token(&self) -> CancellationToken {
        self.stop.clone()
    }

    /// Starts a task that must run until the stop. Call inside a tokio runtime.
    pub fn critical<E: Into<BoxError>>(
        &mut self,
        name: impl Into<String>,
        task: impl Future<Output = Result<(), E>> + Send + 'static,
    ) {
        let handle = self.set.spawn(async { task.await.map_err(Into::into) });
        self.names.insert(handle.id(), name.into());
    }

    /// Waits for the stop or for the first task that ends, then gives all others `deadline` to end as well.
    ///
    /// # Errors
    /// The first [`TaskError`]; it is the cause, and what follows from it is logged by nobody. An error during an
    /// orderly stop counts too: what a task could not finish may be lost.
    pub async fn run(mut self, deadline: Duration) -> Result<(), TaskError> {
        let stop = self.stop.clone();
        let mut first = tokio::select! {
            biased;
            () = stop.cancelled() => None,
            ended = self.next() => ended.map(|(name, end)| end.err().unwrap_or(TaskError::Ended(name))),
        };
        stop.cancel();
        let drained = time::timeout(deadline, async {
            while let Some((_, end)) = self.next().await {
                first = first.take().or(end.err());
            }
        });
        if drained.await.is_err() {
            let mut names: Vec<_> = self.names.into_values().collect();
            names.sort_unstable();
            first = first.or(Some(TaskError::Stuck { names, deadline }));
        }
        first.map_or(Ok(()), Err)
    }

    /// The next task that ends; none if there is none.
    async fn next(&mut self) -> Option<(String, Result<(), TaskError>)> {
        let ended = self.set.join_next_with_id().await?;
        let id = match &ended {
            Ok((id, _)) => *id,
            Err(e) => e.id(),
        };
        let name = self.names.remove(&id).unwrap_or_default();
        let end = match ended {
            Ok((_, Ok(()))) => Ok(()),
            Ok((_, Err(source))) => Err(TaskError::Failed { name: name.clone(), source }),
            Err(e) => Err(TaskError::Panicked { name: name.clone(), message: message(e) }),
        };
        Some((name, end))
    }
}

/// What `panic!` was given: a text, nearly always.
fn message(error: JoinError) -> String {
    let text = |panic: Box<dyn Any + Send>| {
        let owned = panic.downcast_ref::<String>().map(String::as_str);
        owned.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("no text").to_owned()
    };
    error.try_into_panic().map_or_else(|error| error.to_string(), text)
}

#[cfg(test)]
mod tests {
    use std::{
        convert::Infallible,
        future::pending,
        sync::{
            Arc,
            atomic::{AtomicU32, Ordering},
        },
    };

    use super::*;

    const DEADLINE: Duration = Duration::from_secs(5);

    /// Two tasks that count when they are told to stop.
    fn with_watchers(stop: &CancellationToken) -> (Tasks, Arc<AtomicU32>) {
        let (mut tasks, stopped) = (Tasks::new(stop), Arc::new(AtomicU32::new(0)));
        for name in ["first", "second"] {
            let (token, stopped) = (tasks.stop_token(), stopped.clone());
            tasks.critical(name, async move {
                token.cancelled().await;
                stopped.fetch_add(1, Ordering::Relaxed);
                Ok::<_, Infallible>(())
            });
        }
        (tasks, stopped)
    }

    async fn outcome(task: impl Future<Output = Result<(), BoxError>> + Send + 'static) -> String {
        let stop = CancellationToken::new();
        let (mut tasks, stopped) = with_watchers(&stop);
        tasks.critical("odd", task);
        let error = tasks.run(DEADLINE).await.unwrap_err();
        assert_eq!(stopped.load(Ordering::Relaxed), 2, "the others were stopped");
        assert!(!stop.is_cancelled());
        error.to_string()
    }

    #[tokio::test]
    async fn the_first_end_stops_all_and_is_the_reason() {
        assert_eq!(outcome(async { Err("disk full".into()) }).await, "task `odd` failed: disk full");
        assert_eq!(outcome(async { Ok(()) }).await, "task `odd` ended although nobody asked it to");
        assert_eq!(outcome(async { panic!("at {}", 5) }).await, "task `odd` panicked: at 5");
        assert_eq!(outcome(async { std::panic::panic_any(5) }).await, "task `odd` panicked: no text");
    }

    #[tokio::test]
    async fn an_orderly_stop_is_no_error() {
        let stop = CancellationToken::new();
        let (tasks, stopped) = with_watchers(&stop);
        stop.cancel();
        tasks.run(DEADLINE).await.unwrap();
        assert_eq!(stopped.load(Ordering::Relaxed), 2);
    }

    #[tokio::test]
    async fn an_error_while_stopping_counts() {
        let stop = CancellationToken::new();
        let (mut tasks, _) = with_watchers(&stop);
        let token = tasks.stop_token();
        tasks.critical("store", async move {
            token.cancelled().await;
            Err("flush")
        });
        stop.cancel();
        assert_eq!(tasks.run(DEADLINE).await.unwrap_err().to_string(), "task `store` failed: flush");
    }

    #[tokio::test(start_paused = true)]
    async fn whoever_does_not_stop_is_named_and_aborted() {
        struct OnDrop(Arc<AtomicU32>);
        impl Drop for OnDrop {
            fn drop(&mut self) {
                self.0.fetch_add(1, Ordering::Relaxed);
            }
        }
        let stop = CancellationToken::new();
        let (mut tasks, stopped) = with_watchers(&stop);
        for name in ["worse", "bad"] {
            let guard = OnDrop(stopped.clone());
            tasks.critical(name, async move {
                let _guard = guard;
                pending::<Result<(), Infallible>>().await
            });
        }
        stop.cancel();
        let start = time::Instant::now();
        let error = tasks.run(DEADLINE).await.unwrap_err();
        assert_eq!(error.to_string(), "still running 5 s after the stop, and aborted: bad, worse");
        assert_eq!(start.elapsed(), DEADLINE);
        tokio::task::yield_now().await;
        assert_eq!(stopped.load(Ordering::Relaxed), 4);
    }

    #[tokio::test(start_paused = true)]
    async fn the_cause_counts_more_than_who_is_stuck() {
        let mut tasks = Tasks::new(&CancellationToken::new());
        tasks.critical("stuck", pending::<Result<(), Infallible>>());
        tasks.critical("cause", async { Err("first") });
        assert_eq!(tasks.run(DEADLINE).await.unwrap_err().to_string(), "task `cause` failed: first");
    }

    #[tokio::test]
    async fn no_tasks_end_at_once() {
        Tasks::new(&CancellationToken::new()).run(DEADLINE).await.unwrap();
    }
}
