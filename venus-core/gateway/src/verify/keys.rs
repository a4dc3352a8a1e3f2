//! Keys that were proven.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use venus_core::crypto::KnownKey;
use venus_core::types::Address;

/// As many keys as were used lately. When half of the bound is in use, the half that was not used since the last time is
/// dropped: a key costs one recovery to know again.
#[derive(Debug)]
pub(super) struct Keys {
    half: usize,
    state: Mutex<Halves>,
}

#[derive(Debug, Default)]
struct Halves {
    young: HashMap<Address, KnownKey>,
    old: HashMap<Address, KnownKey>,
}

impl Keys {
    pub(super) fn new(bound: usize) -> Self {
        Self { half: (bound / 2).max(1), state: Mutex::default() }
    }

    pub(super) fn get(&self, signer: &Address) -> Option<KnownKey> {
        let mut state = self.state();
        if let Some(known) = state.young.get(signer) {
            return Some(*known);
        }
        let known = state.old.remove(signer)?;
        state.insert(known, self.half);
        Some(known)
    }

    pub(super) fn keep(&self, known: KnownKey) {
        self.state().insert(known, self.half);
    }

    pub(super) fn forget(&self, signer: &Address) {
        let mut state = self.state();
        state.young.remove(signer);
        state.old.remove(signer);
    }

    fn state(&self) -> MutexGuard<'_, Halves> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Halves {
    fn insert(&mut self, known: KnownKey, half: usize) {
        if self.young.len() >= half {
            self.old = std::mem::take(&mut self.young);
        }
        self.young.insert(*known.signer(), known);
    }
}

#[cfg(test)]
mod tests {
    use venus_core::api::SignerExt;
    use venus_core::testing::doubles::TestSigner;
    use venus_core::types::{Message, MessageExt};

    use super::*;

    async fn known(wallet: &TestSigner) -> KnownKey {
        let address = wallet.new_secp();
        let message = venus_core::api::MessageRequest::transfer(address, address, Default::default()).message;
        let signature = wallet.sign_message(&message).await.unwrap().signature;
        let bytes = Message::cid(&message).to_bytes();
        KnownKey::prove(&signature, &address, &bytes).unwrap()
    }

    #[tokio::test]
    async fn keys_in_use_stay_and_others_go() {
        let (wallet, keys) = (TestSigner::new(3), Keys::new(4));
        let used = known(&wallet).await;
        keys.keep(used);
        let mut last = used;
        for _ in 0..20 {
            last = known(&wallet).await;
            keys.keep(last);
            assert!(keys.get(used.signer()).is_some());
            let state = keys.state();
            assert!(state.young.len() + state.old.len() <= 4);
        }
        keys.forget(last.signer());
        keys.forget(used.signer());
        assert!(keys.get(last.signer()).is_none() && keys.get(used.signer()).is_none());
    }
}
