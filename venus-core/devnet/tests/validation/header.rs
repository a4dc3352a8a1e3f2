//! Rules 1 to 14: the header.

use venus_core::api::{BlockProducer, BlockReject, ChainError};
use venus_core::consensus::election::win_count;
use venus_core::consensus::vrf::{election_input, ticket_input};
use venus_core::types::{Address, PostProof, Signature, TokenAmount};

use crate::case::{Case, nowhere, vrf, won};
use crate::support::World;

#[tokio::test]
async fn the_block_itself_is_valid_and_may_come_twice() {
    let case = Case::new().await;
    for _ in 0..2 {
        case.world.devnet.submit_block(&case.block).await.unwrap();
    }
    case.goes_on().await;
}

#[tokio::test]
async fn rule_1_election_proof_is_there() {
    Case::only_breaks("ElectionProof", |h| h.election_proof = None).await;
}

#[tokio::test]
async fn rule_1_ticket_is_there() {
    Case::only_breaks("Ticket", |h| h.ticket = None).await;
}

#[tokio::test]
async fn rule_1_block_signature_is_there() {
    Case::only_breaks("BlockSig", |h| h.block_sig = None).await;
}

#[tokio::test]
async fn rule_1_aggregate_is_there() {
    Case::only_breaks("BLSAggregate", |h| h.bls_aggregate = None).await;
}

#[tokio::test]
async fn rule_1_miner_is_an_id() {
    let case = Case::new().await;
    let key = case.world.bls;
    case.breaks("Miner", |h| h.miner = key).await;
    case.goes_on().await;
}

#[tokio::test]
async fn rule_1_parents_stand_once() {
    let case = Case::new().await;
    case.breaks("Parents", |h| h.parents.push(h.parents[0])).await;
    case.breaks("Parents", |h| h.parents.clear()).await;
    case.goes_on().await;
}

#[tokio::test]
async fn parents_are_a_tipset_in_its_order() {
    let case = Case::new().await;
    let genesis = case.world.devnet.genesis_info().tipset.cids()[0];
    case.breaks("Parents", |h| h.parents.push(genesis)).await;
    if case.base.cids().len() > 1 {
        case.breaks("Parents", |h| h.parents.reverse()).await;
    }
    case.goes_on().await;
}

#[tokio::test]
async fn rule_2_height_is_above_the_parents() {
    let case = Case::new().await;
    let base = case.base.height();
    // A block of its own at the parents' height would be a fault before it is too low.
    let own = case.base.blocks().iter().any(|b| b.miner == case.block.header.miner);
    for height in [if own { 0 } else { base }, 0, -1, i64::MIN] {
        case.breaks("Height", |h| h.height = height).await;
    }
    for height in [base + 8193, i64::MAX] {
        case.breaks("Height", |h| h.height = height).await;
    }
    case.goes_on().await;
}

#[tokio::test]
async fn rule_3_timestamp_follows_from_the_height() {
    let case = Case::new().await;
    case.breaks("Timestamp", |h| h.timestamp += 1).await;
    case.breaks("Timestamp", |h| h.timestamp -= 1).await;
    case.breaks("Timestamp", |h| h.timestamp = 0).await;
    case.goes_on().await;
}

/// One second of drift is allowed.
#[tokio::test]
async fn rule_4_blocks_of_the_future_have_to_wait() {
    let world = World::new(22, 3);
    let base = world.head().await;
    for epoch in 1.. {
        for miner in world.devnet.miners() {
            let Some((template, info)) = world.template(miner, epoch, &base).await else { continue };
            let mut block = world.devnet.create_block(&template).await.unwrap();
            world.sign(&mut block, &info.worker_key).await;
            let at = std::time::Duration::from_secs(block.header.timestamp);
            world.clock.advance_to(at - std::time::Duration::from_secs(2));
            let early = world.devnet.submit_block(&block).await.unwrap_err();
            assert!(matches!(early, ChainError::Block(BlockReject::Rule { rule: "Timestamp", .. })));
            world.clock.advance_to(at - std::time::Duration::from_secs(1));
            return world.devnet.submit_block(&block).await.unwrap();
        }
    }
}

#[tokio::test]
async fn rule_5_miner_has_power() {
    let case = Case::new().await;
    // An account, nobody, and the power actor.
    for id in [100, 9999, 4] {
        case.breaks("Miner", |h| h.miner = Address::new_id(id)).await;
    }
    case.goes_on().await;
}

#[tokio::test]
async fn rule_6_parent_weight() {
    let case = Case::new().await;
    case.breaks("ParentWeight", |h| h.parent_weight += 1).await;
    case.breaks("ParentWeight", |h| h.parent_weight = -h.parent_weight.clone()).await;
    case.goes_on().await;
}

#[tokio::test]
async fn rule_7_parent_base_fee() {
    Case::only_breaks("ParentBaseFee", |h| h.parent_base_fee += TokenAmount::from_atto(1)).await;
}

#[tokio::test]
async fn rule_8_parent_state_root() {
    Case::only_breaks("ParentStateRoot", |h| h.parent_state_root = nowhere()).await;
}

#[tokio::test]
async fn rule_8_parent_message_receipts() {
    Case::only_breaks("ParentMessageReceipts", |h| h.parent_message_receipts = nowhere()).await;
}

/// Another miner's worker does not do: everything it could sign is over other bytes or by another key.
#[tokio::test]
async fn rule_9_worker_is_the_miners() {
    let case = Case::new().await;
    let miners = case.world.devnet.miners();
    let other = miners.into_iter().find(|miner| *miner != case.block.header.miner).unwrap();
    case.breaks("ElectionProof", |h| h.miner = other).await;
    case.goes_on().await;
}

#[tokio::test]
async fn rule_10_election_proof_verifies() {
    let case = Case::new().await;
    let (epoch, miner) = (case.block.header.height, case.block.header.miner);
    // Real VRF proofs, of another epoch and another draw.
    let proofs = [
        vrf(&case, election_input(epoch + 1, &miner)).await,
        vrf(&case, ticket_input(epoch, &miner, None)).await,
    ];
    for vrf_proof in proofs {
        let wins = win_count(&vrf_proof, &case.info.miner_power, &case.info.network_power);
        let change = |h: &mut venus_core::types::BlockHeader| {
            let proof = h.election_proof.as_mut().unwrap();
            (proof.vrf_proof, proof.win_count) = (vrf_proof, wins);
        };
        case.breaks("ElectionProof", change).await;
    }
    case.breaks("ElectionProof", |h| h.election_proof.as_mut().unwrap().vrf_proof.clear()).await;
    case.breaks("ElectionProof", |h| h.election_proof.as_mut().unwrap().vrf_proof[7] ^= 1).await;
    case.goes_on().await;
}

#[tokio::test]
async fn rule_10_win_count_is_that_of_the_proof() {
    let case = Case::new().await;
    for wins in [-1, 0, 99, case.block.header.election_proof.as_ref().unwrap().win_count + 1] {
        case.breaks("ElectionProof", |h| h.election_proof.as_mut().unwrap().win_count = wins).await;
    }
    case.goes_on().await;
}

/// An epoch whose election the miner honestly lost.
#[tokio::test]
async fn rule_10_an_election_that_was_lost_is_no_proof() {
    let case = Case::new().await;
    let miner = case.block.header.miner;
    for epoch in case.base.height() + 1.. {
        let info = case.world.devnet.base_info(&miner, epoch, case.base.key()).await.unwrap().unwrap();
        let rbase = &info.randomness_base().data;
        let draw = async |input: venus_core::consensus::vrf::VrfInput| {
            use venus_core::api::SignerExt;
            case.world.signer.draw_vrf(&info.worker_key, &input.params(rbase)).await.unwrap()
        };
        let lost = draw(election_input(epoch, &miner)).await;
        if win_count(&lost, &info.miner_power, &info.network_power) > 0 {
            continue;
        }
        let ticket = draw(ticket_input(epoch, &miner, Some(case.base.min_ticket()))).await;
        case.world.at(epoch);
        let change = |h: &mut venus_core::types::BlockHeader| {
            (h.height, h.timestamp) = (epoch, crate::support::GENESIS + epoch as u64 * crate::support::DELAY);
            h.beacon_entries = info.beacon_entries.clone();
            h.ticket.as_mut().unwrap().vrf_proof = ticket;
            let proof = h.election_proof.as_mut().unwrap();
            (proof.vrf_proof, proof.win_count) = (lost, 0);
        };
        case.breaks("ElectionProof", change).await;
        return case.goes_on().await;
    }
}

#[tokio::test]
async fn rule_11_ticket_verifies() {
    let case = Case::new().await;
    let (epoch, miner) = (case.block.header.height, case.block.header.miner);
    let other = vrf(&case, ticket_input(epoch, &miner, None)).await;
    case.breaks("Ticket", |h| h.ticket.as_mut().unwrap().vrf_proof = other).await;
    case.breaks("Ticket", |h| h.ticket.as_mut().unwrap().vrf_proof[5] ^= 1).await;
    case.breaks("Ticket", |h| h.ticket.as_mut().unwrap().vrf_proof.clear()).await;
    case.goes_on().await;
}

#[tokio::test]
async fn rule_12_beacon_entries() {
    let case = Case::new().await;
    case.breaks("BeaconEntries", |h| h.beacon_entries.clear()).await;
    case.breaks("BeaconEntries", |h| h.beacon_entries[0].round += 1).await;
    case.breaks("BeaconEntries", |h| h.beacon_entries[0].data[0] ^= 1).await;
    case.breaks("BeaconEntries", |h| h.beacon_entries.push(h.beacon_entries[0].clone())).await;
    case.goes_on().await;
}

#[tokio::test]
async fn rule_13_winning_post() {
    let case = Case::new().await;
    case.breaks("WinPoStProof", |h| h.win_post_proof.clear()).await;
    case.breaks("WinPoStProof", |h| h.win_post_proof[0].proof_bytes.push(0)).await;
    case.breaks("WinPoStProof", |h| h.win_post_proof[0].post_proof = 3).await;
    let twice = |h: &mut venus_core::types::BlockHeader| {
        let again: PostProof = h.win_post_proof[0].clone();
        h.win_post_proof.push(again);
    };
    case.breaks("WinPoStProof", twice).await;
    case.goes_on().await;
}

#[tokio::test]
async fn rule_14_block_signature_is_of_these_bytes_and_this_worker() {
    let case = Case::new().await;
    let mut block = case.block.clone();
    block.header.fork_signaling = 7;
    assert_eq!(case.rule_of(&block).await, "BlockSig");
    block.header.block_sig = Some(Signature::secp256k1([1; 65]));
    assert_eq!(case.rule_of(&block).await, "BlockSig");
    block.header.block_sig = Some(Signature::bls([0; 96]));
    assert_eq!(case.rule_of(&block).await, "BlockSig");
    let other = case.world.bls;
    case.world.sign(&mut block, &other).await;
    assert_eq!(case.rule_of(&block).await, "BlockSig");
    case.goes_on().await;
}

/// Once there are four miners above the minimum, one below it may not mine though it wins.
#[tokio::test]
async fn rule_5_miner_has_the_minimum_power() {
    let mut world = World::new(27, 5);
    let mut config = world.config.clone();
    config.min_power = 8 * 2048;
    config.miners[4].sectors = 4;
    world.devnet =
        venus_devnet::Devnet::open(config.clone(), std::sync::Arc::new(world.clock.clone()), None).unwrap();
    world.config = config;
    let (miner, base) = (world.devnet.miners()[4], world.head().await);
    let block = won(&world, miner, 1, &base).await;
    let refused = world.devnet.submit_block(&block).await.unwrap_err();
    assert_eq!(refused.to_string(), "block refused: Miner: is not eligible for mining");
    let block = won(&world, world.devnet.miners()[0], 1, &base).await;
    world.devnet.submit_block(&block).await.unwrap();
}
