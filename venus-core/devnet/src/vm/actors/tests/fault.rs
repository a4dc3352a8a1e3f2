use venus_core::actors::miner::*;
use venus_core::api::SignerExt;
use venus_core::testing::doubles::TestSigner;
use venus_core::types::{BlockHeader, blake2b_cid};

use super::*;
use crate::state::BURNT_FUNDS;

/// A world whose miner signs with a real key.
fn world() -> (World, TestSigner, Address) {
    let signer = TestSigner::new(5);
    let worker = signer.new_bls();
    let miner = GenesisMiner { owner: key(OWNER), worker, ..GenesisMiner::default() };
    let config = DevnetConfig {
        accounts: (1..=5).map(|n| GenesisAccount { address: key(n), balance: fil(1000) }).collect(),
        miners: vec![miner],
        epoch_reward: fil(50),
        ..DevnetConfig::default()
    };
    let mut world = World { state: crate::genesis::build(&config).unwrap().state };
    world.mine(30, &[(MINER_ID, 10)], &[]);
    (world, signer, worker)
}

fn header(height: ChainEpoch, name: &str) -> BlockHeader {
    let cid = blake2b_cid(name.as_bytes());
    BlockHeader {
        miner: MINER,
        ticket: None,
        election_proof: None,
        beacon_entries: vec![],
        win_post_proof: vec![],
        parents: vec![blake2b_cid(b"parent")],
        parent_weight: 7.into(),
        height,
        parent_state_root: cid,
        parent_message_receipts: cid,
        messages: cid,
        bls_aggregate: None,
        timestamp: 3,
        block_sig: None,
        fork_signaling: 0,
        parent_base_fee: atto(100),
    }
}

async fn sign(signer: &TestSigner, worker: &Address, mut header: BlockHeader) -> Vec<u8> {
    header.block_sig = Some(signer.sign_block(worker, &header).await.unwrap());
    header.to_cbor()
}

fn report(header1: &[u8], header2: &[u8]) -> ReportConsensusFaultParams {
    ReportConsensusFaultParams {
        header1: header1.to_vec(),
        header2: header2.to_vec(),
        header_extra: Vec::new(),
    }
}

#[tokio::test]
async fn a_fault_costs_the_miner_pays_the_reporter_and_excludes_for_a_finality() {
    let (mut world, signer, worker) = world();
    let a = sign(&signer, &worker, header(9, "a")).await;
    let b = sign(&signer, &worker, header(9, "b")).await;
    let (before, burnt, reporter) =
        (world.balance(MINER_ID), world.balance(BURNT_FUNDS), world.balance(id(3)));
    let done = world.call(3, MINER, REPORT_CONSENSUS_FAULT, report(&a, &b).to_cbor(), atto(0));
    assert_eq!(done.receipt.exit_code, OK, "{}", done.reason);
    assert!(done.receipt.gas_used > 34_000_000, "signatures have their price");
    // Five rewards of 10 FIL, a quarter of one for the reporter.
    assert_eq!(before - world.balance(MINER_ID), fil(50));
    let cost = done.gas.unwrap().total_cost();
    assert_eq!(world.balance(id(3)), reporter + TokenAmount::from_atto(25 * 10i128.pow(17)) - &cost);
    let by_fault = world.balance(BURNT_FUNDS) - burnt - cost;
    assert_eq!(by_fault, TokenAmount::from_atto(475 * 10i128.pow(17)));
    assert_eq!(world.miner().info.fault_until, 31 + 20);
    let params = report(&a, &b);
    assert_eq!(world.code(3, MINER, REPORT_CONSENSUS_FAULT, &params), FORBIDDEN, "punished already");
}

#[tokio::test]
async fn what_proves_nothing_is_refused() {
    let (mut world, signer, worker) = world();
    let stranger = signer.new_bls();
    let of = async |height, name: &str| sign(&signer, &worker, header(height, name)).await;
    let (a, b) = (of(9, "a").await, of(9, "b").await);
    let foreign = BlockHeader { miner: Address::new_id(1001), ..header(9, "b") };
    let far = BlockHeader { parents: vec![blake2b_cid(b"other")], ..header(10, "b") };
    let cases = [
        report(&a, &a),
        report(&a, &sign(&signer, &stranger, header(9, "b")).await),
        report(&a, &sign(&signer, &worker, foreign).await),
        report(&a, &sign(&signer, &worker, far).await),
        report(&a, &header(9, "b").to_cbor()),
        report(&a, &[1, 2, 3]),
        report(&of(31, "a").await, &of(31, "b").await),
        ReportConsensusFaultParams { header_extra: vec![1], ..report(&a, &b) },
    ];
    for (i, params) in cases.iter().enumerate() {
        assert_eq!(world.code(3, MINER, REPORT_CONSENSUS_FAULT, params), ARGUMENT, "case {i}");
    }
    assert_eq!(world.miner().info.fault_until, -1);
    let offset = report(&of(8, "a").await, &of(9, "b").await);
    assert_eq!(world.code(3, MINER, REPORT_CONSENSUS_FAULT, &offset), OK, "a time offset");
}
