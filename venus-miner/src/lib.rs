#![doc = include_str!("../README.md")]
#![cfg_attr(docsrs, feature(doc_cfg))]

mod assemble;
mod config;
mod election;
mod error;
mod miner;
mod prover;
mod report;
mod round;
mod runner;
mod seal;
mod store;
mod tasks;

pub use config::MinerConfig;
pub use error::MinerError;
pub use miner::{Miner, MinerDeps};
pub use prover::FixedProver;
pub use report::{Failure, MinerReport, Outcome, RoundReport, Stage};
pub use runner::MinerHandle;
pub use store::{
    Claim, Fault, MemoryReservations, MinerStats, Reservation, ReservationState, ReservationStore, Round,
    SqliteReservations, StoreError, Submission,
};
