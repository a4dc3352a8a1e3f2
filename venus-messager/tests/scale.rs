#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
//! Ten thousand messages, accepted and followed to their landing.

mod common;

use std::collections::HashSet;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use common::*;
use venus_core::api::*;
use venus_core::types::{Address, Cid, SignedMessage};
use venus_messager::{Messager, MessagerConfig, MessagerDeps};

const COUNT: u64 = 10_000;
const BLOCK: usize = 1_000;
/// Many times what an idle machine needs for an unoptimised build.
const LIMIT: Duration = Duration::from_secs(200);

/// A pool that takes everything at once: what is measured is the messager, not the mempool.
#[derive(Default)]
struct Shelf(Mutex<(HashSet<Cid>, Vec<SignedMessage>)>);

#[async_trait::async_trait]
impl MessagePool for Shelf {
    async fn push(&self, message: &SignedMessage) -> Result<Cid, ChainError> {
        let mut shelf = self.0.lock().unwrap();
        if shelf.0.insert(message.cid()) {
            shelf.1.push(message.clone());
        }
        Ok(message.cid())
    }

    async fn pending(&self) -> Result<Vec<SignedMessage>, ChainError> {
        Ok(Vec::new())
    }

    async fn next_nonce(&self, sender: &Address) -> Result<u64, ChainError> {
        Err(ChainError::ActorNotFound(*sender))
    }
}

#[tokio::test]
async fn ten_thousand_messages_are_accepted_signed_and_landed() {
    let world = World::new();
    let shelf = Arc::new(Shelf::default());
    let deps = MessagerDeps { pool: shelf.clone(), ..world.deps() };
    let messager = Messager::open(MessagerConfig::default(), deps).await.unwrap();
    let start = Instant::now();
    // The second half is signed in bulk, as after an outage.
    for i in 0..COUNT {
        if i == COUNT / 2 {
            world.signer.fail_next(DOWN);
        }
        messager.push_with_id(&format!("m{i}"), world.transfer((i % 2) as usize, i)).await.unwrap();
    }
    let accepted = start.elapsed();
    world.signer.fail_next(0);
    assert_eq!(messager.catch_up().await.unwrap().filled as u64, COUNT / 2);
    let filled = start.elapsed();
    let signed = std::mem::take(&mut shelf.0.lock().unwrap().1);
    assert_eq!(signed.len() as u64, COUNT);
    for block in signed.chunks(BLOCK) {
        world.chain.inner().mine(block).unwrap();
    }
    world.chain.inner().mine(&[]).unwrap();
    assert_eq!(messager.catch_up().await.unwrap().landed as u64, COUNT);
    let done = start.elapsed();
    println!("accepted {accepted:?}, filled {:?}, landed {:?}", filled - accepted, done - filled);
    assert!(done < LIMIT, "{done:?}");
}
