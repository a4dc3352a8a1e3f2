//! Signers behind sockets.
//!
//! | signer | behind it | what travels |
//! |---|---|---|
//! | [`RemoteSigner`] | `venus-wallet`, `lotus-wallet`, or ours | address, bytes, metadata |
//! | [`LotusNodeSigner`] | the wallet of a Lotus or Forest node | address, bytes: the metadata ends here |
//! | [`RoutedSigner`] | several signers of any kind | whatever they want |
//!
//! None of them trusts what it gets: the bytes to sign are recomputed from the typed payload before anybody is asked,
//! and a signature is verified over them before it is handed on.

mod api;
mod error;
mod link;
mod node;
mod routed;
mod signer;
mod verify;
mod wallet;

pub use link::RemoteOptions;
pub use node::LotusNodeSigner;
pub use routed::{RoutedSigner, RoutingOptions};
pub use signer::RemoteSigner;
pub use wallet::RemoteWallet;
