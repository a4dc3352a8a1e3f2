//! Miner
