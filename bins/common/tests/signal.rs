#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
//! A real SIGTERM, sent to this very process: a file of its own, because the signal reaches every test beside it.
#![cfg(unix)]

use std::process::Command;

#[tokio::test]
async fn sigterm_cancels_the_token() {
    let token = venus_bins_common::shutdown::install().unwrap();
    assert!(!token.is_cancelled());
    let killed = Command::new("kill").args(["-TERM", &std::process::id().to_string()]).status().unwrap();
    assert!(killed.success());
    token.cancelled().await;
}
