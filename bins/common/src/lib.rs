#![doc = include_str!("../README.md")]

pub mod dirlock;
pub mod logging;
pub mod progress;
pub mod shutdown;
