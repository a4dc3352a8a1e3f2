//! The devnet's own blocks pass the rules that recorded chains of real networks pass.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod support;

use std::sync::Arc;

use support::World;
use support::traffic::run;
use venus_core::api::BlockProducer;
use venus_core::crypto::hash::blake2b_256;
use venus_core::testing::chain_rules::{RULES, check_chain};
use venus_core::types::{MiningBaseInfo, PostProof};
use venus_devnet::{Devnet, FAKE_PROOF, ProofVerifier, WinningPostCheck};

/// Eight sectors of one size, each of which counts once.
fn sectors(info: &MiningBaseInfo) -> u64 {
    u64::try_from(&info.miner_power / info.sector_size).unwrap()
}

async fn every_rule_holds(world: &World) {
    let traffic = run(world, 5, 40).await;
    let counts = check_chain(&world.devnet, sectors).await;
    let blocks = usize::try_from(world.devnet.stats().blocks).unwrap();
    assert!(blocks > 60 && traffic.sent.len() > 40);
    for (name, _) in RULES {
        match name {
            "message signatures" => assert!(counts[name] > 10, "{counts:?}"),
            name => assert_eq!(counts[name], blocks, "{name}"),
        }
    }
}

#[tokio::test]
async fn with_the_text_that_stands_for_a_proof() {
    every_rule_holds(&World::new(71, 3)).await;
}

/// A proof that depends on the miner, the sectors and the randomness, as a real one does.
#[derive(Debug)]
struct HashProofs;

impl ProofVerifier for HashProofs {
    fn verify_winning(&self, check: &WinningPostCheck) -> Result<(), String> {
        if check.proofs == self.prove_winning(check)? { Ok(()) } else { Err("proves something else".into()) }
    }

    fn prove_winning(&self, task: &WinningPostCheck) -> Result<Vec<PostProof>, String> {
        let mut bytes = [task.miner.to_bytes(), task.randomness.to_vec()].concat();
        for sector in &task.sectors {
            bytes.extend(sector.sealed_cid.to_bytes());
        }
        Ok(vec![PostProof { post_proof: 0, proof_bytes: blake2b_256(&bytes).to_vec() }])
    }
}

#[tokio::test]
async fn with_proofs_that_are_verified() {
    let mut world = World::new(72, 3);
    let clock = Arc::new(world.clock.clone());
    world.devnet = Devnet::open_with_proofs(world.config.clone(), clock, None, Arc::new(HashProofs)).unwrap();
    every_rule_holds(&world).await;
    // The text that others take is no proof here.
    let base = world.head().await;
    for epoch in base.height() + 1.. {
        world.at(epoch);
        let Some((template, info)) = world.template(world.devnet.miners()[0], epoch, &base).await else {
            continue;
        };
        assert_eq!(template.winning_post_proof[0].proof_bytes, FAKE_PROOF);
        let mut block = world.devnet.create_block(&template).await.unwrap();
        world.sign(&mut block, &info.worker_key).await;
        let refused = world.devnet.submit_block(&block).await.unwrap_err();
        assert_eq!(refused.to_string(), "block refused: WinPoStProof: proves something else");
        assert_eq!(world.head().await, base);
        return;
    }
}
