//! Public keys of workers, decompressed and checked once.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use fvm_shared::address::{Address, Payload};
use venus_core::crypto::CryptoError;
use venus_core::crypto::bls::CheckedKey;
use venus_core::types::SignatureType;

/// Keys that are kept. More workers than this at a time only cost time.
const CAPACITY: usize = 1024;

/// A cache. It forgets everything when it is full, which costs a tenth of a millisecond for each key in use.
#[derive(Debug, Default)]
pub(super) struct WorkerKeys(Mutex<HashMap<Address, Arc<CheckedKey>>>);

impl WorkerKeys {
    /// The key of an `f3` address.
    ///
    /// # Errors
    /// [`CryptoError`] if the address is none, or its bytes are no key.
    pub(super) fn get(&self, worker: &Address) -> Result<Arc<CheckedKey>, CryptoError> {
        let Payload::BLS(bytes) = worker.payload() else {
            return Err(CryptoError::TypeMismatch { found: SignatureType::Bls, signer: *worker });
        };
        let mut keys = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = keys.get(worker) {
            return Ok(known.clone());
        }
        let key = Arc::new(CheckedKey::parse(bytes)?);
        if keys.len() >= CAPACITY {
            keys.clear();
        }
        keys.insert(*worker, key.clone());
        Ok(key)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_keys_are_kept() {
        let keys = WorkerKeys::default();
        assert!(keys.get(&Address::new_id(7)).is_err());
        assert!(keys.get(&Address::new_bls(&[7; 48]).unwrap()).is_err());
        assert!(keys.0.lock().unwrap().is_empty());
    }
}
