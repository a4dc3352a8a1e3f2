//! Rule 16: the slash filter.

use venus_core::api::{BlockProducer, BlockReject, ChainError};
use venus_core::types::{BlockMsg, Tipset};

use crate::case::won;
use crate::support::World;

async fn slashed(world: &World, block: &BlockMsg, witness: &BlockMsg) {
    let head = world.head().await;
    let result = world.devnet.submit_block(block).await;
    let expected = BlockReject::SlashFilter { witness: witness.cid() };
    assert!(matches!(&result, Err(ChainError::Block(reject)) if *reject == expected), "{result:?}");
    assert_eq!(world.head().await, head);
}

#[tokio::test]
async fn rule_16_two_blocks_of_one_height_are_a_double_fork() {
    let world = World::new(23, 1);
    let (miner, genesis) = (world.devnet.miners()[0], world.head().await);
    let first = won(&world, miner, 1, &genesis).await;
    world.devnet.submit_block(&first).await.unwrap();
    let mut twin = first.clone();
    twin.header.fork_signaling = 9;
    let info = world.devnet.base_info(&miner, first.header.height, genesis.key()).await.unwrap().unwrap();
    world.sign(&mut twin, &info.worker_key).await;
    slashed(&world, &twin, &first).await;
    world.devnet.submit_block(&first).await.unwrap();
    world.extend().await;
}

#[tokio::test]
async fn rule_16_two_blocks_on_the_same_parents_are_a_time_offset() {
    let world = World::new(23, 1);
    let (miner, genesis) = (world.devnet.miners()[0], world.head().await);
    let later = won(&world, miner, 5, &genesis).await;
    let first = won(&world, miner, 1, &genesis).await;
    assert!(later.header.height > first.header.height);
    world.devnet.submit_block(&first).await.unwrap();
    slashed(&world, &later, &first).await;
    world.extend().await;
}

/// The fault is the same when the later block came first.
#[tokio::test]
async fn rule_16_a_time_offset_is_found_in_either_order() {
    let world = World::new(23, 1);
    let (miner, genesis) = (world.devnet.miners()[0], world.head().await);
    let (first, later) = (won(&world, miner, 1, &genesis).await, won(&world, miner, 5, &genesis).await);
    world.devnet.submit_block(&later).await.unwrap();
    slashed(&world, &first, &later).await;
    world.extend().await;
}

#[tokio::test]
async fn rule_16_leaving_out_an_own_block_is_parent_grinding() {
    let world = World::new(24, 2);
    let genesis = world.head().await;
    let (one, two) = (world.devnet.miners()[0], world.devnet.miners()[1]);
    for epoch in 1.. {
        let blocks = world.blocks(epoch, &genesis).await;
        let [own, other] = blocks.as_slice() else { continue };
        assert_eq!((own.header.miner, other.header.miner), (one, two));
        world.devnet.submit_block(own).await.unwrap();
        world.devnet.submit_block(other).await.unwrap();
        let base = Tipset::new(vec![other.header.clone()]).unwrap();
        let grinding = won(&world, one, epoch + 1, &base).await;
        slashed(&world, &grinding, own).await;
        // The other miner may do so: its own block is among the parents.
        let honest = won(&world, two, epoch + 1, &base).await;
        world.devnet.submit_block(&honest).await.unwrap();
        world.extend().await;
        return;
    }
}
