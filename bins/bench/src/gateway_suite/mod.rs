//! What `venus-gateway` and `venus-auth` take for each signature, registration and token.
//!
//! Hub, accounts and crowds of wallets are processes of their own, so that their processor time and memory are theirs
//! alone; callers are in this one. All talk over loopback sockets, with tokens.

mod auth;
mod child;
mod crowd;
mod hub;
mod keys;
mod load;
mod process;
mod role;
mod wallet;

mod failover;
mod many;
mod real_keys;
mod registration;
mod relay;
mod revocation;
mod sign;
mod verify;

use std::time::Duration;

use futures::FutureExt;
use futures::future::BoxFuture;
use tokio::runtime::Runtime;

use crate::measure::{BenchError, Effort, Measure};

pub(crate) use role::child;

/// What a group comes to.
type Measures<'a> = BoxFuture<'a, Result<Vec<Measure>, BenchError>>;

/// Measures that are taken together, and their names.
struct Group {
    names: &'static [&'static str],
    measure: for<'a> fn(&'a Scale) -> Measures<'a>,
}

const GROUPS: &[Group] = &[
    Group { names: sign::NAMES, measure: |scale| sign::measure(scale).boxed() },
    Group { names: &["wallets_10000"], measure: |scale| many::latency(scale).boxed() },
    Group { names: &["idle_10000"], measure: |scale| many::idle(scale).boxed() },
    Group { names: &["register_1000_keys"], measure: |scale| registration::measure(scale).boxed() },
    Group { names: &["real_keys_secp"], measure: |scale| real_keys::secp(scale).boxed() },
    Group { names: &["real_keys_bls"], measure: |scale| real_keys::bls(scale).boxed() },
    Group { names: verify::MEMORY_NAMES, measure: |scale| verify::memory(scale).boxed() },
    Group { names: verify::SQLITE_NAMES, measure: |scale| verify::sqlite(scale).boxed() },
    Group { names: &["revocation"], measure: |scale| revocation::measure(scale).boxed() },
    Group { names: &["failover"], measure: |scale| failover::measure(scale).boxed() },
];

/// The measures of the suite whose names begin with `only`, and those that are taken together with them.
///
/// # Errors
/// A process cannot be started, or something does not work.
pub(crate) fn measure(effort: &Effort, only: &str) -> Result<Vec<Measure>, BenchError> {
    let (runtime, scale) = (Runtime::new()?, Scale::of(effort));
    let mut measures = Vec::new();
    for group in GROUPS {
        if group.names.iter().any(|name| name.starts_with(only)) {
            measures.extend(runtime.block_on((group.measure)(&scale))?);
        }
    }
    Ok(measures)
}

/// How much of everything. Sockets and processes need longer rounds than code in one process, and fewer of them.
#[derive(Clone, Copy, Debug)]
struct Scale {
    rounds: u32,
    slice: Duration,
    /// Whether crowds have the size that the targets speak of.
    full: bool,
}

impl Scale {
    fn of(effort: &Effort) -> Self {
        let rounds = effort.rounds.div_ceil(20);
        Self { rounds, slice: effort.slice * 200, full: effort.rounds >= 20 }
    }

    /// The whole crowd, or a handful to see that everything works.
    fn crowd(&self, size: usize) -> usize {
        if self.full { size } else { size.min(40) }
    }
}
