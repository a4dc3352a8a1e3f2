//! Whether a wallet's signature is what was asked for.

use async_trait::async_trait;
use venus_core::types::{Address, MsgMeta, Signature};

/// Checks every signature before it leaves the hub.
///
/// Implementations may keep what registration proved about a key, so that checking is cheaper than recovering it.
#[async_trait]
pub trait SignatureVerifier: Send + Sync + 'static {
    /// Whether `signer` made `signature` over what `to_sign` and `meta` say together.
    ///
    /// # Errors
    /// Why not, for people.
    async fn verify(
        &self,
        signer: &Address,
        to_sign: &[u8],
        meta: &MsgMeta,
        signature: &Signature,
    ) -> Result<(), String>;
}

/// The verifier of a real hub.
#[derive(Clone, Debug, Default)]
pub struct Verifying {}

#[async_trait]
impl SignatureVerifier for Verifying {
    async fn verify(
        &self,
        signer: &Address,
        to_sign: &[u8],
        _: &MsgMeta,
        signature: &Signature,
    ) -> Result<(), String> {
        venus_core::crypto::verify(signature, signer, to_sign).map_err(|error| error.to_string())
    }
}
