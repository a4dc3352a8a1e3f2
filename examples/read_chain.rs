#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
//! Reads a chain through the traits: network, tipsets, messages, accounts, and the head as it moves. Here it is a
//! chain in this process; `LotusNode`, `VenusNode` and `ForestNode` are read by the same code.

mod support;

use futures::StreamExt;
use support::{Chain, Result};
use venus_core::api::{HeadEvent, NullRound, Resume};
use venus_core::entropy::OsEntropy;
use venus_core::prelude::*;
use venus_core::types::{TipsetKey, fil};
use venus_signer::{KeyType, LocalWallet};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    let wallet = LocalWallet::in_memory();
    let account = wallet.generate(KeyType::Secp256k1, &OsEntropy).await?;
    let chain = Chain::new(&wallet, account).await?;
    for _ in 0..6 {
        chain.mine().await?;
    }
    read(&chain.node, &account).await?;

    let mut heads = chain.node.heads(Resume::Head);
    for _ in 0..3 {
        match heads.next().await.expect("it ends with the node")? {
            HeadEvent::Current(head) => println!("the head is at epoch {}", head.height()),
            HeadEvent::Change(change) => println!("then comes {}", change.apply[0].key()),
            gap => println!("the way is not known: {gap:?}"),
        }
        chain.mine().await?;
    }
    Ok(())
}

/// Reads any node.
async fn read(node: &(impl ChainReader + StateReader), account: &Address) -> Result<()> {
    let network = node.network().await?;
    println!("{}: an epoch every {} s", network.name, network.block_delay_secs);
    let mut tipset = node.head().await?;
    while tipset.height() > 0 {
        let messages = node.tipset_messages(tipset.key()).await?.len();
        println!(
            "{:>3}  {} blocks, {messages} messages  {}",
            tipset.height(),
            tipset.blocks().len(),
            tipset.key()
        );
        tipset = node.tipset(&tipset.parents()).await?;
    }
    let third = node.tipset_at(3, &TipsetKey::default(), NullRound::Before).await?;
    println!("at or before epoch 3 is epoch {}", third.height());
    let actor = node.actor(account, &TipsetKey::default()).await?.expect("it has FIL since the beginning");
    println!("{account} has {} and has sent {} messages", fil(&actor.balance), actor.nonce);
    Ok(())
}
