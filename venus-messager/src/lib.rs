#![doc = include_str!("../README.md")]
#![cfg_attr(docsrs, feature(doc_cfg))]

mod accept;
mod config;
mod fill;
mod messager;
mod node;
mod offer;
mod replace;
pub mod state;
pub mod store;
mod task;
mod track;
mod wait;

pub use config::{MessagerConfig, MessagerDeps, Sources};
pub use messager::Messager;
pub use track::CatchUp;
