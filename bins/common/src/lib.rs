#![doc = include_str!("../README.md")]

#[cfg(feature = "cli")]
pub mod cli;
pub mod config;
pub mod dirlock;
pub mod files;
#[cfg(feature = "keys")]
pub mod keys;
#[cfg(feature = "listen")]
pub mod listen;
pub mod logging;
#[cfg(feature = "metrics")]
pub mod metrics;
pub mod open_files;
pub mod progress;
pub mod shutdown;
pub mod task;
