//! Stand-ins for nodes, wallets, provers and messagers. No I/O, no clock of their own, the same answers for the
//! same calls.
//!
//! | double | implements |
//! |---|---|
//! | [`ScriptedChain`] | `ChainReader`, `HeadFeed`, `StateReader` |
//! | [`MemoryPool`] | `MessagePool`, `GasEstimator` |
//! | [`ScriptedProducer`] | `BlockProducer` |
//! | [`TestSigner`] | `ISigner` |
//! | [`ScriptedMessager`] | `IMessager` |
//! | [`ScriptedProver`] | `ProofComputer` |
//! | [`Flaky`], [`Slow`] | whatever the double inside implements, but failing or late |

mod chain;
mod chain_traits;
mod ledger;
mod messager;
mod pool;
mod producer;
mod prover;
mod signer;
mod wrap;

pub use chain::ScriptedChain;
pub use messager::ScriptedMessager;
pub use pool::MemoryPool;
pub use producer::ScriptedProducer;
pub use prover::{ScriptedProver, VALID_PROOF};
pub use signer::TestSigner;
pub use wrap::{Flaky, Injected, Slow};

use std::sync::{Mutex, MutexGuard, PoisonError};

/// A test that panicked elsewhere has failed already; what it left in here is still whole.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
