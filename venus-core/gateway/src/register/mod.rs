//! How a provider comes to be offered.
