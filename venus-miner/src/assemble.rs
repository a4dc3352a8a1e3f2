//! From winners to unsigned blocks.

use venus_core::consensus::ticket;
use venus_core::error::ErrorKind;
use venus_core::types::{BlockMsg, BlockTemplate, ChainEpoch, SignedMessage, Ticket, Tipset};

use crate::election::Winner;
use crate::miner::Inner;
use crate::report::{Failure, Stage};
use crate::tasks::within;

/// One list of messages for each ticket, in their order. Lists are empty if the node fails: a block without
/// messages still earns its reward. The text says what went wrong.
pub(crate) async fn select(
    inner: &Inner,
    base: &Tipset,
    tickets: &[&Ticket],
) -> (Vec<Vec<SignedMessage>>, Option<String>) {
    let qualities: Vec<f64> = tickets.iter().map(|ticket| ticket::quality(&ticket.vrf_proof)).collect();
    let call = inner.deps.producer.select_messages(base.key(), &qualities);
    let (mut lists, error) =
        match within(&inner.deps.clock, inner.config.call_timeout, Stage::Create, call).await {
            Ok(lists) => (lists, None),
            Err(failure) => (Vec::new(), Some(failure.reason)),
        };
    lists.resize_with(tickets.len(), Vec::new);
    (lists, error)
}

/// Has the winner's block assembled, and checks that it is the winner's. If a message makes it impossible, the
/// block is made without messages.
pub(crate) async fn create(
    inner: &Inner,
    winner: &Winner,
    epoch: ChainEpoch,
    base: &Tipset,
    messages: Vec<SignedMessage>,
) -> Result<BlockMsg, Failure> {
    let mut template = template(inner, winner, epoch, base, messages);
    let mut block = create_block(inner, &template).await;
    let bad_message = |f: &Failure| f.kind == ErrorKind::Invalid && !template.messages.is_empty();
    if let Some(failure) = block.as_ref().err().filter(|f| bad_message(f)) {
        tracing::warn!(miner = %winner.miner, epoch, %failure, "block is made without messages");
        template.messages.clear();
        block = create_block(inner, &template).await;
    }
    let mut block = block?;
    check(&template, &block)?;
    if block.header.block_sig.is_none() && block.header.fork_signaling == 0 {
        block.header.fork_signaling = inner.config.fork_signaling;
    }
    Ok(block)
}

async fn create_block(inner: &Inner, template: &BlockTemplate) -> Result<BlockMsg, Failure> {
    let call = inner.deps.producer.create_block(template);
    within(&inner.deps.clock, inner.config.call_timeout, Stage::Create, call).await
}

fn template(
    inner: &Inner,
    winner: &Winner,
    epoch: ChainEpoch,
    base: &Tipset,
    messages: Vec<SignedMessage>,
) -> BlockTemplate {
    let epochs = u64::try_from(epoch.saturating_sub(base.height())).unwrap_or_default();
    let since_base = inner.network.block_delay_secs.saturating_mul(epochs);
    BlockTemplate {
        miner: winner.miner,
        parents: base.key().clone(),
        ticket: winner.ticket.clone(),
        election_proof: winner.election_proof.clone(),
        beacon_values: winner.beacon_values.clone(),
        messages,
        epoch,
        // Validators demand exactly this.
        timestamp: base.min_timestamp().saturating_add(since_base),
        winning_post_proof: winner.winning_post.clone(),
    }
}

/// What the node returns must be the block that was asked for. Anything else would be signed in the miner's name.
fn check(template: &BlockTemplate, block: &BlockMsg) -> Result<(), Failure> {
    let header = &block.header;
    let messages = block.bls_messages.len() + block.secp_messages.len();
    let wrong = [
        (header.miner != template.miner, "Miner"),
        (header.parents != template.parents.cids(), "Parents"),
        (header.height != template.epoch, "Height"),
        (header.timestamp != template.timestamp, "Timestamp"),
        (header.ticket.as_ref() != Some(&template.ticket), "Ticket"),
        (header.election_proof.as_ref() != Some(&template.election_proof), "ElectionProof"),
        (header.beacon_entries != template.beacon_values, "BeaconEntries"),
        (header.win_post_proof != template.winning_post_proof, "WinPoStProof"),
        (messages != template.messages.len(), "Messages"),
    ];
    match wrong.into_iter().find(|(wrong, _)| *wrong) {
        Some((_, field)) => {
            let reason = format!("the node's block has another {field} than the template");
            Err(Stage::Create.failed_with(ErrorKind::Corrupt, reason))
        }
        None => Ok(()),
    }
}
