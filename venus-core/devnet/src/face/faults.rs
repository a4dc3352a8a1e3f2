//! Faults on purpose: what a client has to live with, made to happen.

use std::collections::{HashMap, VecDeque};
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{broadcast, watch};
use venus_core::rpc::{Caller, RpcError};

/// Most faults that wait at once, over all methods.
const MOST: usize = 1024;
/// Stands for any method.
const ANY: &str = "*";

/// What goes wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum FaultKind {
    /// The answer comes later by so much. Zero is a call that is merely counted.
    Delay(Duration),
    /// The call fails with this code and text. The text goes to the client as it is.
    Error {
        /// The code; 1 is that of everything that a method returns.
        code: i64,
        /// The text.
        message: String,
    },
    /// No answer ever comes.
    Drop,
    /// The connection ends instead of an answer.
    Disconnect,
    /// A channel is closed as if its client had not kept up. Calls that are no channels are not touched by it, and
    /// do not use it up.
    SlowReader,
}

/// A fault and how many calls it is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// What goes wrong.
    pub kind: FaultKind,
    /// For how many calls; 0 is none.
    pub count: u64,
}

/// The faults of a face. Clones are handles to the same.
///
/// Faults of one method happen in the order in which they were injected. Those of the method come before those for
/// any method.
#[derive(Clone)]
pub struct Faults(Arc<Inner>);

struct Inner {
    queues: Mutex<HashMap<String, VecDeque<Fault>>>,
    /// Calls that wait for a fault, all methods together.
    left: watch::Sender<u64>,
    cuts: broadcast::Sender<Arc<Caller>>,
}

impl Default for Faults {
    fn default() -> Self {
        let (queues, left, cuts) = (Mutex::default(), watch::Sender::new(0), broadcast::Sender::new(64));
        Self(Arc::new(Inner { queues, left, cuts }))
    }
}

impl fmt::Debug for Faults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Faults").field(&self.pending()).finish()
    }
}

/// Too many faults wait already.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{MOST} faults wait already; clear them first")]
pub struct TooManyFaults;

impl Faults {
    /// Lets the next `fault.count` calls of `method` go wrong: `ChainHead`, `Filecoin.ChainHead`, or `*` for any.
    ///
    /// # Errors
    /// [`TooManyFaults`] if 1024 wait already.
    pub fn inject(&self, method: &str, fault: Fault) -> Result<(), TooManyFaults> {
        let mut queues = self.queues();
        if queues.values().map(VecDeque::len).sum::<usize>() >= MOST {
            return Err(TooManyFaults);
        }
        if fault.count > 0 {
            queues.entry(short(method).to_owned()).or_default().push_back(fault);
        }
        self.recount(&queues);
        Ok(())
    }

    /// Forgets all faults that have not happened. Calls that are delayed or dropped already stay so.
    pub fn clear(&self) {
        let mut queues = self.queues();
        queues.clear();
        self.recount(&queues);
    }

    /// The faults that wait, by method without `Filecoin.`.
    pub fn pending(&self) -> Vec<(String, Fault)> {
        let queues = self.queues();
        let mut all: Vec<_> = queues
            .iter()
            .flat_map(|(method, queue)| queue.iter().map(|f| (method.clone(), f.clone())))
            .collect();
        all.sort_by(|(a, _), (b, _)| a.cmp(b));
        all
    }

    /// Completes when no fault waits any more.
    pub async fn used_up(&self) {
        // The sender lives as long as this handle.
        let _ = self.0.left.subscribe().wait_for(|left| *left == 0).await;
    }

    /// What goes wrong with this call, if anything.
    pub(super) fn next(&self, method: &str, channel: bool) -> Option<FaultKind> {
        // Or nobody could clear them.
        if method.starts_with("Devnet.") {
            return None;
        }
        let mut queues = self.queues();
        let kind = [short(method), ANY].into_iter().find_map(|name| take(&mut queues, name, channel))?;
        self.recount(&queues);
        Some(kind)
    }

    /// The sessions that shall be closed.
    pub(super) fn cuts(&self) -> Cuts {
        Cuts(self.0.cuts.subscribe())
    }

    pub(super) fn cut(&self, caller: Arc<Caller>) {
        // Without a server there is no session to close.
        let _ = self.0.cuts.send(caller);
    }

    fn queues(&self) -> MutexGuard<'_, HashMap<String, VecDeque<Fault>>> {
        self.0.queues.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn recount(&self, queues: &HashMap<String, VecDeque<Fault>>) {
        let left = queues.values().flatten().fold(0u64, |sum, fault| sum.saturating_add(fault.count));
        self.0.left.send_replace(left);
    }
}

fn take(queues: &mut HashMap<String, VecDeque<Fault>>, name: &str, channel: bool) -> Option<FaultKind> {
    let queue = queues.get_mut(name)?;
    let at = queue.iter().position(|fault| channel || fault.kind != FaultKind::SlowReader)?;
    let fault = queue.get_mut(at)?;
    fault.count -= 1;
    let (kind, spent) = (fault.kind.clone(), fault.count == 0);
    if spent {
        queue.remove(at);
    }
    if queue.is_empty() {
        queues.remove(name);
    }
    Some(kind)
}

fn short(method: &str) -> &str {
    method.strip_prefix("Filecoin.").unwrap_or(method)
}

/// What a fault does to an ordinary call before it is answered.
///
/// # Errors
/// The error that the fault is.
pub(super) async fn suffer(
    faults: &Faults,
    kind: FaultKind,
    caller: Option<Arc<Caller>>,
) -> Result<(), RpcError> {
    match kind {
        FaultKind::Delay(time) => {
            tokio::time::sleep(time).await;
            Ok(())
        }
        FaultKind::Error { code, message } => Err(RpcError::new(code, message)),
        FaultKind::Disconnect if super::server::break_request() => {
            Err(RpcError::new(venus_core::rpc::codes::METHOD, "connection broken on purpose"))
        }
        FaultKind::Disconnect => {
            caller.into_iter().for_each(|caller| faults.cut(caller));
            std::future::pending().await
        }
        // The server's deadline for calls, or the client, ends it.
        FaultKind::Drop => std::future::pending().await,
        FaultKind::SlowReader => Ok(()),
    }
}

/// Sessions that shall be closed.
pub(super) struct Cuts(broadcast::Receiver<Arc<Caller>>);

impl Cuts {
    pub(super) async fn next(&mut self) -> Option<Arc<Caller>> {
        loop {
            match self.0.recv().await {
                Ok(caller) => return Some(caller),
                Err(broadcast::error::RecvError::Lagged(_)) => {}
                Err(broadcast::error::RecvError::Closed) => return None,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn delay(ms: u64, count: u64) -> Fault {
        Fault { kind: FaultKind::Delay(Duration::from_millis(ms)), count }
    }

    #[test]
    fn faults_happen_in_order_and_as_often_as_wanted() {
        let faults = Faults::default();
        faults.inject("Filecoin.ChainHead", delay(1, 2)).unwrap();
        faults.inject("ChainHead", delay(2, 1)).unwrap();
        faults.inject("*", delay(3, 1)).unwrap();
        faults.inject("ChainHead", delay(9, 0)).unwrap();
        let taken: Vec<_> = (0..5).map(|_| faults.next("Filecoin.ChainHead", false)).collect();
        let ms = |n| Some(FaultKind::Delay(Duration::from_millis(n)));
        assert_eq!(taken, [ms(1), ms(1), ms(2), ms(3), None]);
        assert!(faults.pending().is_empty());
    }

    #[test]
    fn slow_readers_are_channels() {
        let faults = Faults::default();
        faults.inject("*", Fault { kind: FaultKind::SlowReader, count: 1 }).unwrap();
        assert_eq!(faults.next("Filecoin.ChainHead", false), None);
        assert_eq!(faults.next("Filecoin.ChainNotify", true), Some(FaultKind::SlowReader));
    }

    #[test]
    fn there_is_a_bound() {
        let faults = Faults::default();
        for _ in 0..MOST {
            faults.inject("ChainHead", delay(1, 1)).unwrap();
        }
        assert_eq!(faults.inject("ChainHead", delay(1, 1)), Err(TooManyFaults));
        faults.clear();
        faults.inject("ChainHead", delay(1, u64::MAX)).unwrap();
        assert_eq!(faults.pending(), [("ChainHead".to_owned(), delay(1, u64::MAX))]);
    }

    #[tokio::test]
    async fn being_used_up_can_be_waited_for() {
        let faults = Faults::default();
        faults.used_up().await;
        faults.inject("StateWaitMsg", delay(0, 1)).unwrap();
        let waiting = tokio::spawn({
            let faults = faults.clone();
            async move { faults.used_up().await }
        });
        tokio::task::yield_now().await;
        assert!(!waiting.is_finished());
        faults.next("Filecoin.StateWaitMsg", false);
        tokio::time::timeout(Duration::from_secs(30), waiting).await.unwrap().unwrap();
    }
}
