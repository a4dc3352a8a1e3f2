//! Doubles and conformance suites of the traits in [`crate::api`].
//!
//! [`doubles`] stand in for a node, a wallet or a messager in tests of whatever is built on the traits.
//! [`suites`] check the contracts that the traits' documentation promises; every implementation runs them,
//! the doubles included. [`chain_rules`] judge the blocks of a chain, recorded or running.
//!
//! ```
//! use std::sync::Arc;
//! use venus_core::prelude::*;
//! use venus_core::testing::doubles::{MemoryPool, ScriptedChain, TestSigner};
//!
//! # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
//! let signer = TestSigner::new(7);
//! let (from, to) = (signer.new_bls(), signer.new_secp());
//! let chain = ScriptedChain::new([(from, TokenAmount::from_whole(10))]);
//! let pool = MemoryPool::new(chain.clone());
//!
//! let mut message = venus_core::api::MessageRequest::transfer(from, to, TokenAmount::from_whole(1)).message;
//! message = pool.estimate(&message, &Default::default()).await?;
//! pool.push(&signer.sign_message(&message).await.unwrap()).await?;
//! chain.mine(&pool.pending().await?)?;
//! assert_eq!(chain.balance(&to).await?, TokenAmount::from_whole(1));
//! # Ok::<(), venus_core::api::ChainError>(())
//! # }).unwrap();
//! ```

pub mod chain_rules;
pub mod doubles;
#[doc(hidden)]
pub mod fuzz;
pub mod suites;
#[cfg(test)]
mod tests;
