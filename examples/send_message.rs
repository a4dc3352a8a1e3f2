#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
//! Sends a message by hand: gas from the node, a signature from a wallet, the node's own mempool. What a messager
//! adds (nonces that survive a crash, higher fees when a message gets stuck, reorgs) is in `push_message.rs`.

mod support;

use support::{Chain, Result};
use venus_core::api::{GasSpec, MessageRequest, SearchOptions};
use venus_core::entropy::OsEntropy;
use venus_core::prelude::*;
use venus_core::types::fil;
use venus_signer::{KeyType, LocalWallet};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    let wallet = LocalWallet::in_memory();
    let from = wallet.generate(KeyType::Secp256k1, &OsEntropy).await?;
    let to = wallet.generate(KeyType::Bls, &OsEntropy).await?;
    let chain = Chain::new(&wallet, from).await?;
    let node = &chain.node;

    let mut message = MessageRequest::transfer(from, to, TokenAmount::from_whole(3)).message;
    message.sequence = node.next_nonce(&from).await?;
    let message = node.estimate(&message, &GasSpec::default()).await?;
    println!("{} gas, at most {} for each", message.gas_limit, fil(&message.gas_fee_cap));
    let signed = wallet.sign_message(&message).await?;
    let cid = node.push(&signed).await?;
    println!("{cid} waits with {} in the mempool", node.pending().await?.len());

    let landed = loop {
        chain.mine().await?;
        if let Some(lookup) = node.search_message(&cid, &SearchOptions::default()).await? {
            break lookup;
        }
    };
    println!("executed before epoch {}: exit code {}", landed.height, landed.receipt.exit_code);
    println!("{from} has {}, {to} has {}", fil(&node.balance(&from).await?), fil(&node.balance(&to).await?));
    assert_eq!(node.balance(&to).await?, TokenAmount::from_whole(3));
    Ok(())
}
