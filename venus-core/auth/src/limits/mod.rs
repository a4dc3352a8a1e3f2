//! How often somebody may call.
//!
//! [`CallLimiter`] counts calls by machine, by token and by account: the first two and a limit of all accounts are
//! configured, that of one account is
//! [what the account service says](venus_core::api::AccountDirectory::limits). Counts are buckets in this process, or,
//! with [`RedisWindow`], shared
//! with all components on one Redis, Go's included. Some methods count as several calls. It sits inside guarded servers
//! as their [`Limiter`](venus_core::rpc::Limiter), and in front of the REST service as its `Admission`.
//!
//! [`Guesses`] counts tokens that were no good, before anybody knows who calls.

#[cfg(feature = "server")]
mod admission;
mod bucket;
mod call;
mod directory;
mod guess;
mod hooks;
#[cfg(feature = "redis")]
mod redis;
mod shared;

use std::collections::HashMap;
use std::time::Duration;

use venus_core::api::Permission;

pub use call::{CallLimiter, LimitError};
pub use guess::Guesses;
#[cfg(feature = "redis")]
pub use redis::{RedisError, RedisWindow};
pub use shared::{SharedWindow, Window};

/// A steady rate, and how much of it may come at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    /// Calls in a second, for ever; at least one.
    pub per_second: u32,
    /// Calls at once after a silence; at least one.
    pub burst: u32,
}

/// What is limited.
#[derive(Clone, Debug)]
pub struct LimitConfig {
    /// What this component is called in the limits of accounts, as `gateway`.
    pub service: String,
    /// Of each machine.
    pub per_ip: Option<Rate>,
    /// Of each token.
    pub per_token: Option<Rate>,
    /// Of each account, besides what the account service says.
    pub per_account: Option<Rate>,
    /// How many calls a method counts as, by its name without the namespace; others count as their table says.
    pub weights: HashMap<String, u32>,
    /// From which right on a method is refused while nobody can tell whether the caller may call: the account service
    /// or Redis is away. Methods below it are let through, limited by this process alone. `None`: all are.
    pub closed_from: Option<Permission>,
    /// How long the limits of an account are believed, one to thirty seconds.
    pub limits_max_age: Duration,
    /// Machines, tokens and accounts that are counted at once.
    pub keys: u64,
}

impl Default for LimitConfig {
    /// The limits of accounts alone, believed for ten seconds; what signs and administers is refused while they are not
    /// known.
    fn default() -> Self {
        Self {
            service: String::new(),
            per_ip: None,
            per_token: None,
            per_account: None,
            weights: HashMap::new(),
            closed_from: Some(Permission::Sign),
            limits_max_age: Duration::from_secs(10),
            keys: 20_000,
        }
    }
}
