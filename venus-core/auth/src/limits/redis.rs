//! Counting together through Redis, in the keys that Go's components count in.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use redis::aio::{ConnectionManager, ConnectionManagerConfig};
use redis::{Client, ErrorKind as Kind};
use secrecy::{ExposeSecret, SecretString};
use tokio::time::timeout;
use venus_core::clock::{Clock, SystemClock};
use venus_core::error::{BoxError, Classify, ErrorKind};

use super::shared::{SharedWindow, Window, slot};

/// How long a call waits for its count.
const DEADLINE: Duration = Duration::from_millis(500);
/// How much longer than its window a count is kept: clocks of components differ.
const KEPT_ON: u64 = 30;

/// Why there is no Redis.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RedisError {
    /// The address is none. It may hold a password and is not quoted.
    #[error("address of Redis: write redis://[user:password@]host:port[/database]")]
    Address,
    /// It failed.
    #[error("Redis: {0}")]
    Failed(#[source] BoxError),
    /// It did not answer in time.
    #[error("Redis did not answer within {0:?}")]
    Timeout(Duration),
}

impl Classify for RedisError {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::Address => ErrorKind::Invalid,
            Self::Failed(_) => ErrorKind::Transient,
            Self::Timeout(_) => ErrorKind::Timeout,
        }
    }
}

/// Windows that all components on one Redis share. Clones share the connection, which comes back by itself.
#[derive(Clone)]
pub struct RedisWindow {
    connection: ConnectionManager,
    clock: Arc<dyn Clock>,
}

impl fmt::Debug for RedisWindow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RedisWindow")
    }
}

impl RedisWindow {
    /// Counts in the Redis at `url`. It need not be there yet.
    ///
    /// # Errors
    /// [`RedisError::Address`].
    pub fn new(url: &SecretString) -> Result<Self, RedisError> {
        Self::with_clock(url, Arc::new(SystemClock))
    }

    /// Counts in the windows of another clock.
    ///
    /// # Errors
    /// As [`RedisWindow::new`].
    pub fn with_clock(url: &SecretString, clock: Arc<dyn Clock>) -> Result<Self, RedisError> {
        // Go takes host:port.
        let url = url.expose_secret();
        let full = if url.contains("://") { url.to_owned() } else { format!("redis://{url}") };
        let client = Client::open(full).map_err(|_| RedisError::Address)?;
        let config = ConnectionManagerConfig::new()
            .set_connection_timeout(Some(DEADLINE))
            .set_response_timeout(Some(DEADLINE))
            .set_number_of_retries(1);
        let connection =
            ConnectionManager::new_lazy_with_config(client, config).map_err(|_| RedisError::Address)?;
        Ok(Self { connection, clock })
    }

    async fn add(&self, key: &str, calls: u32, keep: u64) -> Result<u64, redis::RedisError> {
        let mut connection = self.connection.clone();
        let mut pipe = redis::pipe();
        pipe.cmd("INCRBY").arg(key).arg(calls).cmd("EXPIRE").arg(key).arg(keep).ignore();
        let (used,): (u64,) = pipe.query_async(&mut connection).await?;
        Ok(used)
    }
}

#[async_trait]
impl SharedWindow for RedisWindow {
    async fn count(&self, name: &str, calls: u32, period: Duration) -> Result<Window, BoxError> {
        let (slot, seconds, reset) = slot(self.clock.now(), period);
        let key = format!("rate:{name}-{slot}");
        let counted = timeout(DEADLINE, self.add(&key, calls, seconds.saturating_add(KEPT_ON))).await;
        let used = counted.map_err(|_| RedisError::Timeout(DEADLINE))?.map_err(failed)?;
        Ok(Window { used, reset })
    }
}

/// What went wrong, without what a server may quote.
fn failed(error: redis::RedisError) -> RedisError {
    match error.kind() {
        Kind::AuthenticationFailed => RedisError::Failed("the user or password is not accepted".into()),
        _ => RedisError::Failed(error.into()),
    }
}
