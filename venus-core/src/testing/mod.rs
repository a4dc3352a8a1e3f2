//! Doubles and conformance suites of the traits in [`crate::api`].
