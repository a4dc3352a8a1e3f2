#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
//! The public conformance suite of signers.

use venus_core::entropy::SeededEntropy;
use venus_core::testing::suites::{self, SignerFixture};
use venus_signer::{KeyType, LocalWallet};

#[tokio::test]
async fn a_local_wallet_is_a_signer() {
    let wallet = LocalWallet::in_memory();
    let entropy = SeededEntropy::new(5, "suite");
    let mut owned = Vec::new();
    for key_type in [KeyType::Bls, KeyType::Secp256k1, KeyType::Bls] {
        owned.push(wallet.generate(key_type, &entropy).await.unwrap());
    }
    suites::signer(&wallet, &SignerFixture::new(owned)).await;
}
