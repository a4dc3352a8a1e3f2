//! The devnet's own miners. They take part as any miner does: elections, messages, proofs and signatures through the
//! same traits, and their blocks are validated as those of strangers are.

mod epoch;
mod prover;
mod round;

pub use epoch::EpochSpec;
pub use prover::FakeProver;
pub(crate) use prover::OwnProver;
pub(crate) use round::{Branch, Kind, Miners};
