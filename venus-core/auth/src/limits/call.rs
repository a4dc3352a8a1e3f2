//! One call.

use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use venus_core::api::{AccountDirectory, AccountLimit, Permission};
use venus_core::error::{Classify, ErrorKind};

use super::bucket::{Buckets, Full, Key, in_period, steady};
use super::directory::Known;
use super::shared::SharedWindow;
use super::{LimitConfig, Rate};

/// Why a call may not be made now.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum LimitError {
    /// There were too many. The text is that of Go's components.
    #[error(
        "rate-limit,user:{account}, host:{host}, method:{method} is limited, cap={capacity}, used={used},will reset in \
         {:.2}(m)",
        reset.as_secs_f64() / 60.0
    )]
    TooMany {
        /// Of whom.
        account: String,
        /// From where.
        host: String,
        /// Of what.
        method: String,
        /// How many are allowed.
        capacity: u64,
        /// How many there were.
        used: u64,
        /// When there is room again.
        reset: Duration,
    },
    /// Nobody can tell how many there were, and the method is one that needs to know.
    #[error("method:{method} is refused while limits are unknown ({reason}): try again later")]
    Unknown {
        /// Of what.
        method: String,
        /// What is away.
        reason: String,
    },
}

impl Classify for LimitError {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::TooMany { .. } => ErrorKind::RateLimited,
            Self::Unknown { .. } => ErrorKind::Transient,
        }
    }

    fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::TooMany { reset, .. } => Some(*reset),
            Self::Unknown { .. } => None,
        }
    }
}

/// A call as far as limits care.
#[derive(Clone, Debug)]
pub(super) struct Call<'a> {
    /// Empty for none.
    pub(super) account: &'a str,
    /// Its name; empty if it has none.
    pub(super) token: &'a str,
    pub(super) ip: Option<IpAddr>,
    /// As texts have it.
    pub(super) host: String,
    pub(super) method: &'a str,
    pub(super) needs: Permission,
    pub(super) weight: u32,
}

/// Decides how often somebody may call. Clones count together.
#[derive(Clone)]
pub struct CallLimiter(Arc<Inner>);

struct Inner {
    config: LimitConfig,
    known: Option<Known>,
    shared: Option<Arc<dyn SharedWindow>>,
    buckets: Buckets,
}

impl fmt::Debug for CallLimiter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CallLimiter").field("config", &self.0.config).finish_non_exhaustive()
    }
}

impl CallLimiter {
    /// Limits as configured, and as `directory` says of accounts. With `shared`, limits of accounts are counted together
    /// with other processes.
    pub fn new(
        config: LimitConfig,
        directory: Option<Arc<dyn AccountDirectory>>,
        shared: Option<Arc<dyn SharedWindow>>,
    ) -> Self {
        let known = directory.map(|directory| Known::new(directory, &config));
        let buckets = Buckets::new(config.keys);
        Self(Arc::new(Inner { config, known, shared, buckets }))
    }

    pub(super) async fn decide(&self, mut call: Call<'_>) -> Result<(), LimitError> {
        call.weight = self.0.config.weights.get(call.method).copied().unwrap_or(call.weight).max(1);
        let decided = self.0.decide(&call).await;
        let outcome = match &decided {
            Ok(()) => "let_through",
            Err(LimitError::TooMany { .. }) => "too_many",
            Err(LimitError::Unknown { .. }) => "unknown",
        };
        metrics::counter!("venus_auth_limits_total", "outcome" => outcome).increment(1);
        decided
    }
}

impl Inner {
    async fn decide(&self, call: &Call<'_>) -> Result<(), LimitError> {
        self.steady(call, self.config.per_ip, call.ip.map(|ip| Key::Ip(ip.to_canonical())))?;
        let named = |text: &str| Some(text.to_owned()).filter(|text| !text.is_empty());
        self.steady(call, self.config.per_token, named(call.token).map(Key::Token))?;
        self.steady(call, self.config.per_account, named(call.account).map(Key::Account))?;
        let (Some(known), false) = (&self.known, call.account.is_empty()) else { return Ok(()) };
        let limits = match known.limits(call.account).await {
            Ok(limits) => limits,
            Err(error) => return self.unknown(call, &error),
        };
        for limit in limits.iter().filter(|limit| self.holds(limit, call)) {
            self.limit(call, limit).await?;
        }
        Ok(())
    }

    fn steady(&self, call: &Call<'_>, rate: Option<Rate>, key: Option<Key>) -> Result<(), LimitError> {
        let (Some(rate), Some(key)) = (rate, key) else { return Ok(()) };
        self.buckets.take(&key, steady(rate), call.weight).map_err(|full| too_many(call, full))
    }

    fn holds(&self, limit: &AccountLimit, call: &Call<'_>) -> bool {
        let service = limit.service.is_empty() || limit.service == self.config.service;
        limit.capacity > 0 && service && (limit.api.is_empty() || limit.api == call.method)
    }

    async fn limit(&self, call: &Call<'_>, limit: &AccountLimit) -> Result<(), LimitError> {
        if let Some(shared) = &self.shared {
            match shared.count(&window(call.account, limit), call.weight, limit.period).await {
                Ok(window) if window.used <= limit.capacity => return Ok(()),
                Ok(window) => {
                    let full = Full { capacity: limit.capacity, reset: window.reset };
                    return Err(too_many_of(call, full, window.used));
                }
                // What is let through all the same is counted here.
                Err(error) => self.unknown(call, &error)?,
            }
        }
        let Some(quota) = in_period(limit.capacity, limit.period) else { return Ok(()) };
        let key = Key::Limit(call.account.to_owned(), limit.id.clone());
        self.buckets.take(&key, quota, call.weight).map_err(|full| too_many(call, full))
    }

    /// Lets through what may go without being counted.
    fn unknown(&self, call: &Call<'_>, error: &dyn fmt::Display) -> Result<(), LimitError> {
        let closed = self.config.closed_from.is_some_and(|from| call.needs as u8 >= from as u8);
        tracing::warn!(%error, method = call.method, closed, "the limits of a caller are not known");
        match closed {
            true => Err(LimitError::Unknown { method: call.method.to_owned(), reason: error.to_string() }),
            false => Ok(()),
        }
    }
}

fn too_many(call: &Call<'_>, full: Full) -> LimitError {
    too_many_of(call, full, full.capacity.saturating_add(call.weight.into()))
}

fn too_many_of(call: &Call<'_>, full: Full, used: u64) -> LimitError {
    LimitError::TooMany {
        account: call.account.to_owned(),
        host: call.host.clone(),
        method: call.method.to_owned(),
        capacity: full.capacity,
        used,
        reset: full.reset,
    }
}

/// What a limit is counted under. The one that holds for everything is Go's only one; others have names of ours.
fn window(account: &str, limit: &AccountLimit) -> String {
    match (limit.service.as_str(), limit.api.as_str()) {
        ("", "") => account.to_owned(),
        (service, api) => format!("{account}:{service}:{api}"),
    }
}
