//! One channel to one provider: its queue, what was asked and is not answered, how it does.

use std::collections::HashMap;
use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{mpsc, oneshot};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;
use venus_core::types::Address;
use venus_core::types::gateway::{EXT_ACCOUNTS, EXT_REPORT, RequestEvent, ResponseEvent};

use crate::provider::{Kind, Provider};

/// A channel. It lives in the registry from the end of its registration, and here until its [`Events`](crate::Events)
/// are dropped, its account loses its rights, or the hub shuts down.
#[derive(Debug)]
pub(crate) struct Channel {
    pub(crate) id: Uuid,
    pub(crate) kind: Kind,
    pub(crate) provider: Provider,
    /// Of a prover or sealer.
    pub(crate) miner: Option<Address>,
    /// What a wallet understands besides what Go's do, of [`EXT_REPORT`] and [`EXT_ACCOUNTS`].
    pub(crate) ext: Vec<&'static str>,
    /// The random bytes of a wallet, part of Go's challenge.
    pub(crate) sign_bytes: SignBytes,
    /// Since the Unix epoch.
    pub(crate) created: Duration,
    /// Cancelled when the channel ends, by whichever side. Everything that waits for it watches this.
    pub(crate) ended: CancellationToken,
    /// What is queued at the end is still worth telling.
    last_words: AtomicBool,
    queue: mpsc::Sender<RequestEvent>,
    pending: Mutex<HashMap<Uuid, oneshot::Sender<ResponseEvent>>>,
    pub(crate) load: Load,
}

/// Bytes that only the wallet and its hub should know.
#[derive(Clone, Default)]
pub(crate) struct SignBytes(pub(crate) Vec<u8>);

impl fmt::Debug for SignBytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SignBytes")
    }
}

/// What the choice of a provider looks at.
#[derive(Debug, Default)]
pub(crate) struct Load {
    /// Asked and not answered.
    pub(crate) in_flight: AtomicU32,
    /// Moving average of the time to an answer, microseconds.
    pub(crate) latency: AtomicU64,
    /// Failures since the last success.
    pub(crate) failures: AtomicU32,
    /// When the last of them was, microseconds on the engine's clock.
    pub(crate) failed_at: AtomicU64,
}

/// Why an event could not be queued.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NotSent {
    /// The provider does not take what it is sent.
    Full,
    /// It is gone.
    Gone,
}

/// A question under way. Dropping it forgets the question: an answer that comes later is refused.
#[derive(Debug)]
pub(crate) struct Question<'a> {
    channel: &'a Channel,
    id: Uuid,
    answer: oneshot::Receiver<ResponseEvent>,
}

impl Question<'_> {
    /// The answer; nothing if the channel ended first. Cancel safe.
    pub(crate) async fn answer(&mut self) -> Option<ResponseEvent> {
        tokio::select! {
            biased;
            answer = &mut self.answer => answer.ok(),
            () = self.channel.ended.cancelled() => None,
        }
    }
}

impl Drop for Question<'_> {
    fn drop(&mut self) {
        self.channel.pending().remove(&self.id);
        self.channel.load.in_flight.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Channel {
    pub(crate) fn new(
        id: Uuid,
        kind: Kind,
        provider: Provider,
        miner: Option<Address>,
        created: Duration,
        queue: mpsc::Sender<RequestEvent>,
    ) -> Self {
        Self {
            id,
            kind,
            provider,
            miner,
            ext: Vec::new(),
            sign_bytes: SignBytes::default(),
            created,
            ended: CancellationToken::new(),
            last_words: AtomicBool::new(false),
            queue,
            pending: Mutex::default(),
            load: Load::default(),
        }
    }

    /// The channel of a wallet that says this of itself.
    pub(crate) fn of_wallet(mut self, ext: &[String], sign_bytes: SignBytes) -> Self {
        let said = |known: &&str| ext.iter().any(|e| e == known);
        self.ext = [EXT_REPORT, EXT_ACCOUNTS].into_iter().filter(said).collect();
        self.sign_bytes = sign_bytes;
        self
    }

    /// Whether the wallet understands this extension.
    pub(crate) fn understands(&self, ext: &str) -> bool {
        self.ext.contains(&ext)
    }

    /// What is queued will be told although the channel ends.
    pub(crate) fn keep_last_words(&self) {
        self.last_words.store(true, Ordering::Release);
    }

    pub(crate) fn has_last_words(&self) -> bool {
        self.last_words.load(Ordering::Acquire)
    }

    /// Asks, without waiting.
    pub(crate) fn ask(&self, id: Uuid, method: &str, payload: Vec<u8>) -> Result<Question<'_>, NotSent> {
        let (tx, answer) = oneshot::channel();
        self.pending().insert(id, tx);
        self.load.in_flight.fetch_add(1, Ordering::Relaxed);
        let question = Question { channel: self, id, answer };
        self.tell(id, method, payload)?;
        Ok(question)
    }

    /// Sends what nobody answers.
    pub(crate) fn tell(&self, id: Uuid, method: &str, payload: Vec<u8>) -> Result<(), NotSent> {
        if self.ended.is_cancelled() {
            return Err(NotSent::Gone);
        }
        let event = RequestEvent { id: id.to_string(), method: method.to_owned(), payload };
        self.queue.try_send(event).map_err(|error| match error {
            mpsc::error::TrySendError::Full(_) => NotSent::Full,
            mpsc::error::TrySendError::Closed(_) => NotSent::Gone,
        })
    }

    /// Hands an answer to whoever waits for it. Whether somebody did.
    pub(crate) fn answered(&self, id: Uuid, response: ResponseEvent) -> bool {
        match self.pending().remove(&id) {
            Some(waiting) => waiting.send(response).is_ok(),
            None => false,
        }
    }

    /// Whether this question waits for its answer here.
    pub(crate) fn asks(&self, id: Uuid) -> bool {
        self.pending().contains_key(&id)
    }

    /// Questions that are not answered.
    pub(crate) fn waiting(&self) -> usize {
        self.pending().len()
    }

    fn pending(&self) -> MutexGuard<'_, HashMap<Uuid, oneshot::Sender<ResponseEvent>>> {
        self.pending.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
