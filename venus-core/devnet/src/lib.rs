#![doc = include_str!("../README.md")]
#![cfg_attr(docsrs, feature(doc_cfg))]

mod chain;
mod config;
mod error;
mod estimate;
mod fork;
mod genesis;
mod heads;
mod message;
mod mine;
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

pub use config::{DevnetConfig, GenesisAccount, GenesisMiner, MAX_NULL_ROUNDS, REWARD_FIL, TOTAL_FIL};
pub use error::DevnetError;
pub use fork::{ForkReport, ForkSpec};
pub use genesis::GenesisInfo;
pub use mine::MineSpec;
pub use node::{Devnet, DevnetStats};
pub use proofs::{FAKE_PROOF, FakeProofs, ProofVerifier, WinningPostCheck};
