//! Stand-ins for nodes, wallets, provers, messagers and account services. No I/O, no clock of their own, the same answers for the
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
//! | [`ScriptedMiners`] | `MinerReader`, `SectorReader` |
//! | [`ScriptedMarket`] | `MarketReader` |
//! | [`ScriptedUnsealer`] | `PieceUnsealer` |
//! | [`MemoryAccounts`] | `Authenticator`, `AccountDirectory` |
//! | [`Flaky`], [`Slow`] | whatever the double inside implements, but failing or late |

mod accounts;
mod chain;
mod chain_traits;
mod ledger;
mod market;
mod messager;
mod miners;
mod pool;
mod producer;
mod prover;
mod signer;
mod unsealer;
mod versions;
mod wrap;

pub use accounts::MemoryAccounts;
pub use chain::ScriptedChain;
pub use market::{MarketScript, ScriptedMarket};
pub use messager::ScriptedMessager;
pub use miners::{MinerScript, ScriptedMiners};
pub use pool::MemoryPool;
pub use producer::ScriptedProducer;
pub use prover::{ScriptedProver, VALID_PROOF};
pub use signer::TestSigner;
pub use unsealer::ScriptedUnsealer;
pub use wrap::{Flaky, Injected, Slow};

use std::sync::{Mutex, MutexGuard, PoisonError};

/// A test that panicked elsewhere has failed already; what it left in here is still whole.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
