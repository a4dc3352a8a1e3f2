use std::collections::HashSet;
use std::sync::Arc;

use fvm_shared::address::Address;
use fvm_shared::clock::ChainEpoch;

use super::{PATIENCE, must, must_fail, unknown_key};
use crate::api::{BlockProducer, ChainReader, ISigner, ProofComputer, SignerExt, WinningPostRequest};
use crate::cbor::Decode;
use crate::consensus::{election, msg_meta, ticket, vrf};
use crate::error::ErrorKind;
use crate::types::{
    BlockMsg, BlockTemplate, ElectionProof, MiningBaseInfo, NetworkInfo, SignedMessage, Ticket, Tipset,
};

/// Epochs in which the miner of the suite must win once.
const MOST_EPOCHS: ChainEpoch = 200;

/// What [`block_producer`] relies on. Nobody else makes blocks meanwhile.
pub struct BlockProducerFixture<'a> {
    /// The chain that blocks go to.
    pub chain: &'a dyn ChainReader,
    /// A miner with power and a sector.
    pub miner: Address,
    /// Owns the miner's worker key.
    pub signer: &'a dyn ISigner,
    /// Proves the miner's sector.
    pub prover: &'a dyn ProofComputer,
    /// An address without power.
    pub stranger: Address,
    /// Lets the time of an epoch come.
    pub epoch_begins: Box<dyn Fn(ChainEpoch) + Send + Sync + 'a>,
}

/// Checks the contract of [`BlockProducer`] by winning an election and making a block.
///
/// # Panics
/// If a clause does not hold.
pub async fn block_producer(producer: &dyn BlockProducer, f: &BlockProducerFixture<'_>) {
    let base = f.chain.head().await.unwrap();
    infos(producer, f, &base).await;
    selection(producer, &base).await;
    let template = win(producer, f, base).await;
    let block = assembly(producer, &template).await;
    submission(producer, f, block).await;
}

async fn infos(producer: &dyn BlockProducer, f: &BlockProducerFixture<'_>, base: &Tipset) {
    let epoch = base.height() + 1;
    let info = must(producer.base_info(&f.miner, epoch, base.key()).await, "base info of a miner");
    let info = info.expect("a miner with power has base info");
    assert!(info.miner_power <= info.network_power, "a miner has no more power than the network");
    assert!(!info.sectors.is_empty(), "a sector is drawn");
    assert!(!info.randomness_base().data.is_empty(), "randomness has a base");
    let again = producer.base_info(&f.miner, epoch, base.key()).await.unwrap();
    assert_eq!(again.as_ref(), Some(&info), "base info is idempotent");
    assert!(must(f.signer.has(&info.worker_key).await, "has"), "the worker is a key address of the fixture");
    let none = must(producer.base_info(&f.stranger, epoch, base.key()).await, "no power is no error");
    assert_eq!(none, None, "without power there is no base info");
    let unknown = producer.base_info(&f.miner, epoch, &unknown_key()).await;
    must_fail(unknown, ErrorKind::NotFound, "an unknown base is TipsetNotFound");
}

async fn selection(producer: &dyn BlockProducer, base: &Tipset) {
    let qualities = [0.9, 0.5, 0.1];
    let lists = must(producer.select_messages(base.key(), &qualities).await, "messages are selected");
    assert_eq!(lists.len(), qualities.len(), "one list for each ticket");
    let mut taken = HashSet::new();
    for list in &lists {
        let senders: HashSet<_> = list.iter().map(|m| m.message.from).collect();
        assert!(senders.iter().all(|sender| taken.insert(*sender)), "lists of one call share no sender");
    }
    let again = producer.select_messages(base.key(), &qualities).await.unwrap();
    assert_eq!(again, lists, "selection is idempotent");
    let none = must(producer.select_messages(base.key(), &[]).await, "no tickets are fine");
    assert!(none.is_empty(), "no tickets, no lists");
    let unknown = producer.select_messages(&unknown_key(), &[0.5]).await;
    must_fail(unknown, ErrorKind::NotFound, "an unknown base is TipsetNotFound");
}

/// Takes part in elections until one is won.
async fn win(producer: &dyn BlockProducer, f: &BlockProducerFixture<'_>, base: Arc<Tipset>) -> BlockTemplate {
    let network = f.chain.network().await.unwrap();
    for epoch in base.height() + 1..base.height() + MOST_EPOCHS {
        (f.epoch_begins)(epoch);
        let info = must(producer.base_info(&f.miner, epoch, base.key()).await, "base info");
        let info = info.expect("a miner with power has base info");
        let params = vrf::election_input(epoch, &f.miner).params(&info.randomness_base().data);
        let vrf_proof = must(f.signer.draw_vrf(&info.worker_key, &params).await, "fixture: VRF");
        let win_count = election::win_count(&vrf_proof, &info.miner_power, &info.network_power);
        if win_count > 0 {
            let proof = ElectionProof { win_count, vrf_proof };
            return template(producer, f, &base, epoch, &info, proof, &network).await;
        }
    }
    panic!("fixture: the miner has won none of {MOST_EPOCHS} elections, give it more power");
}

async fn template(
    producer: &dyn BlockProducer,
    f: &BlockProducerFixture<'_>,
    base: &Tipset,
    epoch: ChainEpoch,
    info: &MiningBaseInfo,
    election_proof: ElectionProof,
    network: &NetworkInfo,
) -> BlockTemplate {
    let rbase = &info.randomness_base().data;
    let params = vrf::ticket_input(epoch, &f.miner, Some(base.min_ticket())).params(rbase);
    let ticket = must(f.signer.draw_vrf(&info.worker_key, &params).await, "fixture: VRF");
    let request = WinningPostRequest {
        miner: f.miner,
        sectors: info.sectors.clone(),
        randomness: vrf::winning_post_input(epoch, &f.miner).digest(rbase),
        epoch,
        network_version: network.network_version,
    };
    let proof = must(f.prover.compute_winning_post(&request, PATIENCE).await, "fixture: proof");
    let mut lists = producer.select_messages(base.key(), &[ticket::quality(&ticket)]).await.unwrap();
    BlockTemplate {
        miner: f.miner,
        parents: base.key().clone(),
        ticket: Ticket { vrf_proof: ticket },
        election_proof,
        beacon_values: info.beacon_entries.clone(),
        messages: lists.remove(0),
        epoch,
        timestamp: network.timestamp_of(epoch),
        winning_post_proof: proof,
    }
}

async fn assembly(producer: &dyn BlockProducer, template: &BlockTemplate) -> BlockMsg {
    let block = must(producer.create_block(template).await, "a block is assembled");
    let again = must(producer.create_block(template).await, "a block is assembled again");
    assert_eq!(block, again, "the same template gives the same block");
    let header = &block.header;
    assert_eq!(header.miner, template.miner, "the block is the miner's");
    assert_eq!(header.height, template.epoch, "the block is of the epoch");
    assert_eq!(header.timestamp, template.timestamp, "the block has the template's time");
    assert_eq!(header.parents, template.parents.cids(), "the block builds on the base");
    assert_eq!(header.ticket.as_ref(), Some(&template.ticket), "the block has the ticket");
    assert_eq!(
        header.election_proof.as_ref(),
        Some(&template.election_proof),
        "the block has the election proof"
    );
    assert_eq!(header.beacon_entries, template.beacon_values, "the block has the beacon entries");
    assert_eq!(header.win_post_proof, template.winning_post_proof, "the block has the proof");
    let root = msg_meta::msg_meta_cid(&block.bls_messages, &block.secp_messages);
    assert_eq!(header.messages, root, "the message root is that of the lists");
    let listed: HashSet<_> = block.bls_messages.iter().chain(&block.secp_messages).collect();
    let chosen: Vec<_> = template.messages.iter().map(SignedMessage::cid).collect();
    assert_eq!(listed, chosen.iter().collect(), "the block has the messages of the template");
    let unknown = BlockTemplate { parents: unknown_key(), ..template.clone() };
    must_fail(
        producer.create_block(&unknown).await,
        ErrorKind::NotFound,
        "unknown parents are TipsetNotFound",
    );
    block
}

async fn submission(producer: &dyn BlockProducer, f: &BlockProducerFixture<'_>, mut block: BlockMsg) {
    let base = f.chain.head().await.unwrap();
    let info = producer.base_info(&f.miner, block.header.height, &block.header.parents.clone().into()).await;
    let worker = info.unwrap().expect("base info").worker_key;
    let signature = must(f.signer.sign_block(&worker, &block.header).await, "fixture: block signature");
    block.header.block_sig = Some(signature);
    let bytes = crate::cbor::Encode::to_cbor(&block.header);
    assert_eq!(crate::types::BlockHeader::from_cbor(&bytes).as_ref(), Ok(&block.header), "headers travel");
    for _ in 0..2 {
        must(producer.submit_block(&block).await, "a valid block is taken, and the same block again");
    }
    let head = f.chain.head().await.unwrap();
    assert_ne!(head.key(), base.key(), "the only block of an epoch moves the head");
    assert!(head.cids().contains(&block.cid()), "the head contains the block");
}
