#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
//! Requests through a hub whose providers answer wrongly, late, twice, never, or die.

mod accounts;
mod deadline;
mod failover;
mod home;
mod seams;
mod verified;
