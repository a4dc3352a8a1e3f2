//! The same configuration and messages make the same chain, on every machine and in every version.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod support;

use support::World;
use support::traffic::run;
use venus_core::types::SignatureType;

/// The head after 100 epochs. It guards every encoding and rule on the way. A change of the chain on purpose (the
/// layout of the state, what methods cost) changes it: then the failed test says what to write here.
const GOLDEN: &str = "bafy2bzaceb7wzyt4zmi66nvnq47uqncrztuuzahtrx2evyhadajayws6zvbge";

#[tokio::test]
async fn golden_head_after_a_hundred_epochs() {
    let world = World::new(7, 3);
    let traffic = run(&world, 7, 100).await;
    let kinds = |kind| traffic.sent.iter().filter(|m| m.signature.sig_type == kind).count();
    let (bls, secp, delegated) =
        (kinds(SignatureType::Bls), kinds(SignatureType::Secp256k1), kinds(SignatureType::Delegated));
    assert!(bls > 20 && secp > 40 && delegated > 20, "{bls} BLS, {secp} secp256k1, {delegated} delegated");
    let head = world.head().await;
    let found = head.key().cid().to_string();
    assert_eq!(
        found,
        GOLDEN,
        "the chain is another; if that was meant, write const GOLDEN: &str = \"{found}\" (height {})",
        head.height()
    );
}

#[tokio::test]
async fn another_seed_makes_another_chain() {
    let (a, b, c) = (World::new(32, 3), World::new(32, 3), World::new(33, 3));
    for (world, seed) in [(&a, 1), (&b, 1), (&c, 1)] {
        run(world, seed, 10).await;
    }
    assert_eq!(a.head().await, b.head().await);
    assert_ne!(a.head().await.key(), c.head().await.key());
}
