//! The contracts of the traits as public test suites.
//!
//! A suite takes an implementation and a fixture that says what it may rely on: addresses that exist, a way to
//! make the chain move. It panics with the clause of the contract that does not hold, so call it from a test:
//!
//! ```
//! use venus_core::testing::doubles::TestSigner;
//! use venus_core::testing::suites::{self, SignerFixture};
//!
//! # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
//! let signer = TestSigner::new(7);
//! let owned = vec![signer.new_bls(), signer.new_secp()];
//! suites::signer(&signer, &SignerFixture::new(owned)).await;
//! # });
//! ```
//!
//! Suites need a Tokio runtime with time enabled. They leave what they did behind (messages, blocks), so each
//! run wants a fresh implementation.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_debug_implementations,
    reason = "suites are test code: a broken contract is a panic"
)]

mod account_directory;
mod authenticator;
mod block_producer;
mod chain_reader;
mod gas_estimator;
mod head_feed;
mod market_reader;
mod message_pool;
mod messager;
mod miner_reader;
mod piece_unsealer;
mod prover;
#[cfg(feature = "server")]
mod request_guard;
mod sector_reader;
mod signer;
mod state_reader;

pub use account_directory::{AccountDirectoryFixture, account_directory};
pub use authenticator::{AuthenticatorFixture, GoodToken, authenticator};
pub use block_producer::{BlockProducerFixture, block_producer};
pub use chain_reader::{ChainReaderFixture, chain_reader};
pub use gas_estimator::{GasEstimatorFixture, gas_estimator};
pub use head_feed::{HeadFeedFixture, head_feed};
pub use market_reader::{MarketReaderFixture, market_reader};
pub use message_pool::{MessagePoolFixture, message_pool};
pub use messager::{MessagerFixture, messager};
pub use miner_reader::{MinerReaderFixture, miner_reader};
pub use piece_unsealer::{PieceUnsealerFixture, piece_unsealer};
pub use prover::prover;
#[cfg(feature = "server")]
pub use request_guard::{RequestGuardFixture, request_guard};
pub use sector_reader::{SectorReaderFixture, sector_reader};
pub use signer::{SignerFixture, signer};
pub use state_reader::{StateReaderFixture, state_reader};

use std::fmt::Debug;
use std::future::Future;
use std::time::Duration;

use cid::Cid;
use futures::future::BoxFuture;
use fvm_shared::address::Address;

use crate::error::{Classify, ErrorKind};
use crate::types::{TipsetKey, blake2b_cid};

/// Something that a fixture does to the world behind the implementation.
pub type Step<'a> = Box<dyn Fn() -> BoxFuture<'a, ()> + Send + Sync + 'a>;

/// Makes a [`Step`] of an async closure.
pub fn step<'a, F: Future<Output = ()> + Send + 'a>(f: impl Fn() -> F + Send + Sync + 'a) -> Step<'a> {
    Box::new(move || Box::pin(f()))
}

/// The patience of suites with answers that must come.
const PATIENCE: Duration = Duration::from_secs(60);

/// A CID that stands for nothing anywhere.
fn nowhere() -> Cid {
    blake2b_cid(b"a block that nobody made")
}

fn unknown_key() -> TipsetKey {
    TipsetKey::from(vec![nowhere()])
}

/// A well-formed key address that nobody owns.
fn nobody() -> Address {
    Address::new_secp256k1(&[9; 65]).unwrap()
}

#[track_caller]
fn must<T, E: Debug>(result: Result<T, E>, clause: &str) -> T {
    match result {
        Ok(value) => value,
        Err(e) => panic!("{clause}: {e:?}"),
    }
}

#[track_caller]
fn must_fail<T: Debug, E: Classify + Debug>(result: Result<T, E>, kind: ErrorKind, clause: &str) {
    match result {
        Ok(value) => panic!("{clause}: expected an error of kind {kind}, got {value:?}"),
        Err(e) => assert_eq!(e.kind(), kind, "{clause}: {e:?}"),
    }
}
