#![doc = include_str!("../README.md")]
#![cfg_attr(docsrs, feature(doc_cfg))]
#![cfg_attr(
    not(feature = "server"),
    allow(dead_code, unused_imports, reason = "much of what may be asked of a state only the faces ask")
)]

mod admin;
mod chain;
mod config;
mod control;
mod error;
mod estimate;
#[cfg(feature = "server")]
pub mod face;
mod fork;
mod gas_face;
mod genesis;
mod heads;
mod message;
mod mining;
mod mpool;
mod node;
mod pool_face;
mod producer;
mod proofs;
mod reader;
mod state;
mod store;
mod submit;
mod vm;

pub use config::{
    DevnetConfig, GenesisAccount, GenesisMiner, MAX_GENESIS_SECTORS, MAX_NULL_ROUNDS, REWARD_FIL, TOTAL_FIL,
};
#[cfg(feature = "client")]
pub use control::DevnetClient;
pub use control::{
    AutoMine, ControlStatus, DevnetClock, DevnetControl, HeadInfo, MineReport, MineSpec, Producers,
    ReorgReport, ReorgSpec, RpcFaultKind, RpcFaultSpec, UntilSpec,
};
pub use error::DevnetError;
pub use fork::{ForkReport, ForkSpec};
pub use genesis::GenesisInfo;
pub use mining::{EpochSpec, FakeProver};
pub use mpool::PoolUpdates;
pub use node::{Devnet, DevnetStats};
pub use proofs::{FAKE_PROOF, FakeProofs, ProofVerifier, WinningPostCheck};
pub use vm::StateChange;
