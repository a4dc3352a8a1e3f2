#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
//! Requests that wait for a slow check while the owner locks the wallet or removes the key.

use std::sync::Arc;

use async_trait::async_trait;
use tokio::sync::Notify;
use venus_core::api::{ISigner, SignerError};
use venus_core::entropy::SeededEntropy;
use venus_core::types::{MsgMeta, MsgType};
use venus_signer::{
    Check, KeyInfo, KeyType, LocalWallet, MemoryKeyStore, Refusal, Review, ScryptParams, Vault, VaultOptions,
};

/// Asks a person, who takes a while.
#[derive(Clone, Debug, Default)]
struct Slow {
    asked: Arc<Notify>,
    answered: Arc<Notify>,
}

#[async_trait]
impl Check for Slow {
    fn name(&self) -> &'static str {
        "slow"
    }

    async fn check(&self, _: &Review<'_>) -> Result<(), Refusal> {
        self.asked.notify_one();
        self.answered.notified().await;
        Ok(())
    }
}

#[tokio::test]
async fn nothing_is_signed_after_the_wallet_was_locked_or_the_key_removed() {
    let options = VaultOptions { scrypt: ScryptParams::new(2, 1).unwrap(), ..VaultOptions::default() };
    let vault = Vault::open(Arc::new(MemoryKeyStore::new()), options);
    vault.set_password(&"secret".into()).await.unwrap();
    let key = KeyInfo::generate(KeyType::Bls, &SeededEntropy::new(1, "slow")).unwrap();
    let address = vault.put(key).await.unwrap();
    let slow = Slow::default();
    let wallet = LocalWallet::builder(vault.clone()).check(slow.clone()).build();
    let asking = || {
        let wallet = wallet.clone();
        tokio::spawn(async move { wallet.sign(&address, &[7; 32], &MsgMeta::of(MsgType::Unknown)).await })
    };

    let waiting = asking();
    slow.asked.notified().await;
    vault.lock(&"secret".into()).await.unwrap();
    slow.answered.notify_one();
    assert!(matches!(waiting.await.unwrap(), Err(SignerError::Locked)));

    vault.unlock(&"secret".into()).await.unwrap();
    let waiting = asking();
    slow.asked.notified().await;
    assert!(vault.remove(&address).await.unwrap());
    slow.answered.notify_one();
    assert!(matches!(waiting.await.unwrap(), Err(SignerError::KeyNotFound(_))));
}
