#![doc = include_str!("../README.md")]

pub mod config;
pub mod dirlock;
pub mod logging;
#[cfg(feature = "metrics")]
pub mod metrics;
pub mod progress;
pub mod shutdown;
pub mod task;
