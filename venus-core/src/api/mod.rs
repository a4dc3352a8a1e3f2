//! The traits at the doors of a pool, and the contracts behind them.
//!
//! All are object safe and implemented for `&T`, `Arc<T>` and `Box<T>`, so that a program is composed with
//! `Arc<dyn Trait>`. Each has a double and a public conformance suite in [`crate::testing`] (feature
//! `test-utils`), which every implementation passes, adapters over sockets included.
//!
//! | trait | promise |
//! |---|---|
//! | [`ChainReader`], [`StateReader`], [`MinerReader`], [`SectorReader`], [`MarketReader`] | read-only chain facts, all idempotent |
//! | [`HeadFeed`] | apply/revert stream without gaps |
//! | [`MessagePool`], [`GasEstimator`] | pushing the same signed bytes twice is success; batch results are per message |
//! | [`BlockProducer`] | base info, selection, unsigned block, submit |
//! | [`ISigner`] | signatures only over bytes recomputed from the typed payload |
//! | [`IMessager`] | a message is accepted once and lands once |
//! | [`ProofComputer`] | WinningPoSt with a deadline |
//! | [`PieceUnsealer`] | one work for one request, asked for as often as one likes |
//! | [`Authenticator`], [`AccountDirectory`] | who calls; which account owns which miner and signer |
//!
//! Every error tells by [`Classify::kind`](crate::error::Classify::kind) whether to retry, give up or mend the input.

mod block;
mod chain;
mod chain_error;
mod heads;
mod identity;
mod market;
mod messager;
mod miner;
mod mpool;
mod permission;
mod prover;
mod signer;
mod signer_kind;
mod unsealer;

pub use block::BlockProducer;
pub use chain::{ActorInfo, ChainReader, NullRound, SearchOptions, StateReader};
pub use chain_error::{BlockReject, ChainError, PoolReject};
pub use heads::{HeadChange, HeadEvent, HeadFeed, HeadStream, Resume, path_between};
pub use identity::{
    Account, AccountDirectory, AccountLimit, AccountMiner, Authenticator, IdentityError, MAX_PAGE,
    PRINCIPAL_MAX_AGE, Principal,
};
pub use market::MarketReader;
pub use messager::{
    Attempt, IMessager, MessageId, MessageRecord, MessageRequest, MessageState, MessagerError, ReplaceFees,
    SendSpec,
};
pub use miner::{MinerReader, PledgeSpec, SectorReader};
pub use mpool::{GasEstimator, GasSpec, MessagePool};
pub use permission::{Permission, Permissions};
pub use prover::{ProofComputer, ProverError, WinningPostRequest};
pub use signer::{ISigner, SignerError, SignerExt};
pub use signer_kind::{SignerKind, SignerKindError};
pub use unsealer::{PieceUnsealer, UnsealError, UnsealPatience, UnsealRequest, UnsealState};
