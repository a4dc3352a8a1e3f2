//! Devnet
