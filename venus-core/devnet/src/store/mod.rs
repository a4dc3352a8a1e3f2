//! Where accepted blocks are kept, and what the admin changed between them.

mod log;
mod record;

use std::fmt::Debug;

use crate::error::DevnetError;

pub(crate) use log::LogStore;
pub(crate) use record::{Entry, Record};

/// Keeps entries in the order in which they were accepted.
pub(crate) trait Store: Debug + Send {
    /// Keeps one more entry. When this returns, no crash loses it.
    ///
    /// # Errors
    /// [`DevnetError`]; the entry was not kept then.
    fn append(&mut self, entry: &Entry) -> Result<(), DevnetError>;
}

/// Keeps nothing beyond the life of the process.
#[derive(Debug, Default)]
pub(crate) struct MemoryStore;

impl Store for MemoryStore {
    fn append(&mut self, _: &Entry) -> Result<(), DevnetError> {
        Ok(())
    }
}
