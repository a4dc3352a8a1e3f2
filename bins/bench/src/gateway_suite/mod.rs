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

use tokio::runtime::Runtime;

use crate::measure::{BenchError, Effort, Measure};

pub(crate) use role::child;

/// All measures of the suite.
///
/// # Errors
/// A process cannot be started, or something does not work.
pub(crate) fn measure(effort: &Effort) -> Result<Vec<Measure>, BenchError> {
    let (runtime, scale) = (Runtime::new()?, Scale::of(effort));
    runtime.block_on(async {
        let mut measures = sign::measure(&scale).await?;
        measures.extend(many::measure(&scale).await?);
        measures.push(registration::measure(&scale).await?);
        measures.extend(real_keys::measure(&scale).await?);
        measures.extend(verify::measure(&scale).await?);
        measures.push(revocation::measure(&scale).await?);
        measures.push(failover::measure(&scale).await?);
        Ok(measures)
    })
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
