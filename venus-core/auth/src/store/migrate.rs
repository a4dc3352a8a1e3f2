//! Hashing the tokens of a database that sophon-auth, or a clear store of ours, left.

use super::{AuthStore, StoreError};

/// Tokens that one transaction hashes.
const BATCH: u32 = 500;

/// What [`migrate_tokens`] did, or would do.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TokenMigration {
    /// Tokens that stood in clear.
    pub clear: u64,
    /// Tokens that were hashed; 0 for a dry run.
    pub hashed: u64,
}

/// Replaces all clear tokens by their hashes. They go on to count: whoever has one still gets in, but the database does
/// not tell them any more. May be repeated, and stopped anywhere.
///
/// A dry run only counts. What a MySQL server still has in free pages and logs goes with `OPTIMIZE TABLE token`.
///
/// # Errors
/// As the store. What was hashed until then stays so.
pub async fn migrate_tokens(store: &dyn AuthStore, dry_run: bool) -> Result<TokenMigration, StoreError> {
    let mut report = TokenMigration { clear: store.clear_tokens().await?, hashed: 0 };
    if dry_run {
        return Ok(report);
    }
    loop {
        match store.hash_tokens(BATCH).await? {
            0 => return Ok(report),
            hashed => report.hashed = report.hashed.saturating_add(hashed),
        }
    }
}
