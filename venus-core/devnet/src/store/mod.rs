//! Where accepted blocks are kept.

mod log;
mod record;

use std::fmt::Debug;

use crate::error::DevnetError;

pub(crate) use log::LogStore;
pub(crate) use record::Record;

/// Keeps blocks in the order in which they were accepted.
pub(crate) trait Store: Debug + Send {
    /// Keeps one more block. When this returns, no crash loses it.
    ///
    /// # Errors
    /// [`DevnetError`]; the block was not kept then.
    fn append(&mut self, record: &Record) -> Result<(), DevnetError>;
}

/// Keeps nothing beyond the life of the process.
#[derive(Debug, Default)]
pub(crate) struct MemoryStore;

impl Store for MemoryStore {
    fn append(&mut self, _: &Record) -> Result<(), DevnetError> {
        Ok(())
    }
}
