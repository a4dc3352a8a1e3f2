//! The handle, and the contract of [`IMessager`] on it.

use std::collections::HashMap;
use std::fmt;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use fvm_shared::address::Address;
use fvm_shared::clock::ChainEpoch;
use venus_core::api::{IMessager, MessageId, MessageRecord, MessageRequest, MessagerError, ReplaceFees};
use venus_core::types::Cid;

use crate::config::{MessagerConfig, MessagerDeps, Sources};
use crate::fill::{Lane, Scope};
use crate::state::{Event, RowState, Step, plan};
use crate::store::{Cursor, MessageStore, StoredMessage, Swap};
use crate::task::Tasks;
use crate::wait::WaitHub;

/// Delivers messages through one node and one signer. Clones share everything.
///
/// Nothing happens by itself unless [`Messager::start`] was called: then a background task does what
/// [`Messager::catch_up`] does, on each move of the head and at every retry interval.
#[derive(Clone)]
pub struct Messager {
    pub(crate) inner: Arc<Inner>,
    pub(crate) tasks: Arc<Tasks>,
}

pub(crate) struct Inner {
    pub(crate) config: MessagerConfig,
    pub(crate) deps: MessagerDeps,
    pub(crate) sources: Sources,
    pub(crate) store: Arc<dyn MessageStore>,
    pub(crate) hub: WaitHub,
    /// Only one follows the head at a time. Holds where this messager left the cursor.
    pub(crate) tracking: tokio::sync::Mutex<Option<Cursor>>,
    /// Whether the store has a cursor; it never loses it.
    pub(crate) begun: AtomicBool,
    /// Only one signs for a sender at a time. As many as the signer has keys.
    lanes: Mutex<HashMap<Address, Arc<tokio::sync::Mutex<Lane>>>>,
}

impl Messager {
    /// Opens the database and brings its schema up to date. Asks neither node nor signer.
    ///
    /// # Errors
    /// [`MessagerError::Invalid`] naming the setting; [`MessagerError::Store`] if the database cannot be opened.
    #[cfg(feature = "sqlite")]
    pub async fn open(config: MessagerConfig, deps: MessagerDeps) -> Result<Self, MessagerError> {
        Self::open_with(config, deps, Sources::default()).await
    }

    /// [`Messager::open`] with other sources of time and chance.
    ///
    /// # Errors
    /// As [`Messager::open`].
    #[cfg(feature = "sqlite")]
    pub async fn open_with(
        config: MessagerConfig,
        deps: MessagerDeps,
        sources: Sources,
    ) -> Result<Self, MessagerError> {
        use crate::store::SqliteStore;
        let store = if config.database.as_os_str() == MessagerConfig::IN_MEMORY {
            SqliteStore::in_memory().await?
        } else {
            SqliteStore::open(&config.database).await?
        };
        Self::with_store(config, deps, sources, Arc::new(store)).await
    }

    /// A messager on a store of one's own; [`MessagerConfig::database`] is not looked at.
    ///
    /// # Errors
    /// As [`Messager::open`].
    pub async fn with_store(
        config: MessagerConfig,
        deps: MessagerDeps,
        sources: Sources,
        store: Arc<dyn MessageStore>,
    ) -> Result<Self, MessagerError> {
        config.check()?;
        let height = store.cursor().await?.map_or(0, |cursor| cursor.height);
        let inner = Inner {
            config,
            deps,
            sources,
            store,
            hub: WaitHub::new(height),
            tracking: tokio::sync::Mutex::default(),
            begun: AtomicBool::default(),
            lanes: Mutex::default(),
        };
        Ok(Self { inner: Arc::new(inner), tasks: Arc::default() })
    }
}

impl fmt::Debug for Messager {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Messager").field("config", &self.inner.config).finish_non_exhaustive()
    }
}

impl Inner {
    pub(crate) fn check_open(&self) -> Result<(), MessagerError> {
        if self.hub.is_closed() { Err(MessagerError::Closed) } else { Ok(()) }
    }

    /// A store that was closed under a call is the end of the messager, not of the store.
    pub(crate) fn unless_closed<T>(&self, result: Result<T, MessagerError>) -> Result<T, MessagerError> {
        match result {
            Err(MessagerError::Store(_)) if self.hub.is_closed() => Err(MessagerError::Closed),
            other => other,
        }
    }

    /// What a sender's messages queue in.
    pub(crate) fn lane(&self, sender: &Address) -> Arc<tokio::sync::Mutex<Lane>> {
        let mut lanes = self.lanes.lock().unwrap_or_else(PoisonError::into_inner);
        lanes.entry(*sender).or_default().clone()
    }

    pub(crate) async fn load(&self, id: &str) -> Result<StoredMessage, MessagerError> {
        self.store.get(id).await?.ok_or_else(|| MessagerError::NotFound(id.to_owned()))
    }

    /// What callers see of a message.
    pub(crate) async fn record(&self, id: &str) -> Result<MessageRecord, MessagerError> {
        let row = self.load(id).await?;
        let lookup = row.used.filter(|_| row.state == RowState::Landed);
        let confidence = lookup.as_ref().map_or(0, |l| self.hub.height().saturating_sub(l.height).max(0));
        Ok(MessageRecord {
            id: row.id,
            request: row.request,
            state: row.state.public(),
            attempts: row.attempts,
            lookup,
            confidence,
            error: row.error,
        })
    }

    /// Notes why the last try did not work, or that it did; nothing if the message moved on or nothing is new.
    pub(crate) async fn note(&self, row: &StoredMessage, error: Option<&str>) -> Result<(), MessagerError> {
        if row.error.as_deref() != error {
            // Stale means that the message moved on: whoever moved it knows better.
            let _ = self.store.set_state(row.seq, row.state, row.state, error).await?;
        }
        Ok(())
    }
}

impl Inner {
    async fn cancel(&self, id: &str) -> Result<(), MessagerError> {
        loop {
            let row = self.load(id).await?;
            let to = match plan(row.state, Event::Cancel) {
                Step::Go(to) => to,
                Step::Stay => return Ok(()),
                Step::Refuse => {
                    return Err(MessagerError::State { id: id.to_owned(), state: row.state.public() });
                }
            };
            // A signature that is being made at this moment loses against this write, or this write against it.
            if self.store.set_state(row.seq, row.state, to, None).await? == Swap::Done {
                self.hub.changed([row.seq]);
                return Ok(());
            }
        }
    }
}

#[async_trait]
impl IMessager for Messager {
    async fn push(&self, request: MessageRequest) -> Result<MessageId, MessagerError> {
        let id = self.inner.fresh_id()?;
        self.push_with_id(&id, request).await?;
        Ok(id)
    }

    async fn push_with_id(&self, id: &str, request: MessageRequest) -> Result<(), MessagerError> {
        self.inner.check_open()?;
        let accepted = self.inner.accept(id, request).await;
        if let Some((sender, seq)) = self.inner.unless_closed(accepted)? {
            // The message is safe: whatever goes wrong from here on is noted on it and tried again.
            if let Err(error) = self.inner.fill_sender(&sender, Scope::UpTo(seq)).await {
                tracing::warn!(msg.id = id, %error, "message accepted, not yet sent");
            }
        }
        Ok(())
    }

    async fn get(&self, id: &str) -> Result<MessageRecord, MessagerError> {
        self.inner.check_open()?;
        self.inner.unless_closed(self.inner.record(id).await)
    }

    async fn wait(
        &self,
        id: &str,
        confidence: ChainEpoch,
        timeout: Duration,
    ) -> Result<MessageRecord, MessagerError> {
        self.inner.check_open()?;
        self.inner.unless_closed(self.inner.wait(id, confidence, timeout).await)
    }

    async fn replace(&self, id: &str, fees: ReplaceFees) -> Result<Cid, MessagerError> {
        self.inner.check_open()?;
        self.inner.unless_closed(self.inner.replace(id, &fees).await)
    }

    async fn cancel(&self, id: &str) -> Result<(), MessagerError> {
        self.inner.check_open()?;
        self.inner.unless_closed(self.inner.cancel(id).await)
    }
}
