#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
//! Makes a key, signs a transfer and verifies the signature as any node would.

use venus_core::api::MessageRequest;
use venus_core::crypto::verify_message;
use venus_core::entropy::OsEntropy;
use venus_core::prelude::*;
use venus_core::types::address;
use venus_signer::{KeyType, LocalWallet};

/// EIP-155 chain ID of mainnet; only delegated (`f4`) signatures depend on it.
const CHAIN_ID: u64 = 314;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let wallet = LocalWallet::in_memory();
    let from = wallet.generate(KeyType::Secp256k1, &OsEntropy).await?;
    let to = address::parse("f01234")?;

    // Gas is what a node's estimate would say.
    let mut message = MessageRequest::transfer(from, to, TokenAmount::from_nano(1_500_000_000)).message;
    message.gas_limit = 600_000;
    message.gas_fee_cap = TokenAmount::from_nano(2);
    message.gas_premium = TokenAmount::from_nano(1);

    let signed = wallet.sign_message(&message).await?;
    verify_message(&signed, &from, CHAIN_ID)?;
    println!("{} is signed by {from}:\n{}", signed.cid(), serde_json::to_string_pretty(&signed)?);
    Ok(())
}
