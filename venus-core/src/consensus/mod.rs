//! The rules of the chain as pure functions: no I/O, no clock, no keys.
//!
//! | module | rule |
//! |---|---|
//! | [`draw`], [`vrf`] | randomness draws, and what tickets, elections and proofs draw |
//! | [`election`], [`ticket`], [`probability`] | win counts, ticket order and quality, chances of a block |
//! | [`weight`] | which chain is heavier |
//! | [`base_fee`], [`gas`] | the price of gas, and who gets what of a message's gas |
//! | [`amt`], [`msg_meta`] | roots of message and receipt lists |
//! | [`beacon`] | the beacon rounds a block must carry |
//! | [`post`] | the sector that a WinningPoSt proves |
//! | [`fault`] | consensus faults |
//! | [`deadline`] | when sectors are proven |
//!
//! Amounts are attoFIL, power is in bytes, epochs are `i64` as everywhere.

pub mod amt;
pub mod base_fee;
pub mod beacon;
pub mod deadline;
pub mod draw;
pub mod election;
pub mod fault;
pub mod gas;
pub mod msg_meta;
pub mod post;
pub mod probability;
pub mod ticket;
pub mod vrf;
pub mod weight;
