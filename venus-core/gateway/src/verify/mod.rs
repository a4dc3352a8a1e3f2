//! Whether a wallet's signature is what was asked for.

mod batch;
mod keys;

use std::sync::Arc;

use async_trait::async_trait;
use venus_core::crypto::{KnownKey, bls, signed_bytes};
use venus_core::types::{Address, MsgMeta, Signature, SignatureType};

use batch::Batches;
use keys::Keys;

/// Keys that are kept.
const KEPT: usize = 50_000;

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

    /// No wallet offers this key any more.
    fn forget(&self, _signer: &Address) {}
}

/// The verifier of a real hub. Clones share what they know.
///
/// The first good signature of a key, which is the answer to its challenge, has the key recovered and kept; later ones
/// are checked against it. ECDSA is checked where it stands; BLS, which takes ten times as long, on threads for work that
/// blocks, and whatever comes meanwhile is checked together.
#[derive(Clone, Debug)]
pub struct Verifying {
    keys: Arc<Keys>,
    batches: Batches,
}

impl Default for Verifying {
    fn default() -> Self {
        Self { keys: Arc::new(Keys::new(KEPT)), batches: Batches::default() }
    }
}

impl Verifying {
    /// The key that an `f3` address is.
    fn bls_key(&self, signer: &Address) -> Result<Option<bls::CheckedKey>, String> {
        if let Some(known) = self.keys.get(signer) {
            return Ok(known.bls().copied());
        }
        let known = KnownKey::of_address(signer).map_err(|error| error.to_string())?;
        Ok(known.and_then(|known| {
            self.keys.keep(known);
            known.bls().copied()
        }))
    }
}

#[async_trait]
impl SignatureVerifier for Verifying {
    async fn verify(
        &self,
        signer: &Address,
        to_sign: &[u8],
        meta: &MsgMeta,
        signature: &Signature,
    ) -> Result<(), String> {
        let bytes = signed_bytes(to_sign, meta).map_err(|error| error.to_string())?;
        if signature.sig_type == SignatureType::Bls
            && let Some(key) = self.bls_key(signer)?
        {
            return self.batches.verify(key, bytes.into_owned(), signature.data.clone()).await;
        }
        let verified = match self.keys.get(signer) {
            Some(known) => known.verify(signature, &bytes),
            None => KnownKey::prove(signature, signer, &bytes).map(|known| self.keys.keep(known)),
        };
        verified.map_err(|error| error.to_string())
    }

    fn forget(&self, signer: &Address) {
        self.keys.forget(signer);
    }
}

#[cfg(test)]
mod tests;
