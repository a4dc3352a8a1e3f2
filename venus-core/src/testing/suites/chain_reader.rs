use std::collections::HashSet;
use std::sync::Arc;

use cid::Cid;
use fvm_shared::clock::ChainEpoch;

use super::{must, must_fail, nowhere, unknown_key};
use crate::api::{ChainReader, NullRound};
use crate::cbor::Encode;
use crate::consensus::{amt, msg_meta};
use crate::error::ErrorKind;
use crate::types::{MessageExt, SignedMessage, Tipset, TipsetKey};

/// What [`chain_reader`] relies on. The chain must stand still and have three tipsets or more.
#[derive(Clone, Debug)]
pub struct ChainReaderFixture {
    /// Chain CID of a message that is in a block of the chain, the head excepted.
    pub message: Cid,
    /// An epoch below the head without blocks, if there is one.
    pub null_round: Option<ChainEpoch>,
}

/// Checks the contract of [`ChainReader`].
///
/// # Panics
/// If a clause does not hold.
pub async fn chain_reader(chain: &dyn ChainReader, fixture: &ChainReaderFixture) {
    let tipsets = walk(chain).await;
    assert!(tipsets.len() >= 3, "fixture: the chain has only {} tipsets", tipsets.len());
    keys_and_heights(chain, &tipsets).await;
    null_rounds(chain, &tipsets, fixture.null_round).await;
    for tipset in &tipsets {
        blocks(chain, tipset).await;
    }
    messages(chain, fixture.message).await;
    paths(chain, &tipsets).await;
    network(chain, &tipsets).await;
    unknowns(chain).await;
}

/// From the head to genesis.
async fn walk(chain: &dyn ChainReader) -> Vec<Arc<Tipset>> {
    let mut tipset = must(chain.head().await, "head answers");
    let mut tipsets = vec![tipset.clone()];
    while tipset.height() > 0 {
        let parent = must(chain.tipset(&tipset.parents()).await, "every parent is known");
        assert!(parent.height() < tipset.height(), "heights fall towards genesis");
        tipsets.push(parent.clone());
        tipset = parent;
    }
    tipsets
}

async fn keys_and_heights(chain: &dyn ChainReader, tipsets: &[Arc<Tipset>]) {
    let (head, genesis) = (&tipsets[0], &tipsets[tipsets.len() - 1]);
    let empty = TipsetKey::default();
    assert_eq!(chain.tipset(&empty).await.unwrap().key(), head.key(), "the empty key stands for the head");
    assert_eq!(must(chain.genesis().await, "genesis answers").key(), genesis.key(), "genesis is height 0");
    for tipset in tipsets {
        let again = must(chain.tipset(tipset.key()).await, "a tipset is found by its key");
        assert_eq!(again, *tipset, "what is named by key never changes");
        assert_eq!(
            Tipset::new(again.blocks().to_vec()).as_ref(),
            Ok(&*again),
            "blocks stand in ticket order"
        );
        for null in [NullRound::Before, NullRound::After] {
            for anchor in [head.key(), &empty] {
                let at =
                    must(chain.tipset_at(tipset.height(), anchor, null).await, "tipset_at finds heights");
                assert_eq!(at.key(), tipset.key(), "tipset_at answers the ancestor of the anchor");
            }
        }
    }
    let own = must(chain.tipset_at(genesis.height(), genesis.key(), NullRound::After).await, "anchor itself");
    assert_eq!(own.key(), genesis.key(), "the anchor is the last of its ancestors");
    let ahead = chain.tipset_at(head.height() + 1, head.key(), NullRound::After).await;
    must_fail(ahead, ErrorKind::NotFound, "a height above the anchor is HeightAhead");
    let negative = chain.tipset_at(-1, head.key(), NullRound::After).await;
    must_fail(negative, ErrorKind::Invalid, "a negative height is Invalid");
}

async fn null_rounds(chain: &dyn ChainReader, tipsets: &[Arc<Tipset>], epoch: Option<ChainEpoch>) {
    let Some(epoch) = epoch else { return };
    let at = async |null| must(chain.tipset_at(epoch, &TipsetKey::default(), null).await, "null round");
    let (before, after) = (at(NullRound::Before).await, at(NullRound::After).await);
    assert!(before.height() < epoch && epoch < after.height(), "a null round has neighbours, no tipset");
    assert_eq!(after.parents(), *before.key(), "the neighbours of a null round are parent and child");
    assert!(tipsets.contains(&before) && tipsets.contains(&after), "neighbours are on the chain");
}

async fn blocks(chain: &dyn ChainReader, tipset: &Tipset) {
    for (cid, header) in tipset.cids().iter().zip(tipset.blocks()) {
        let block = must(chain.block(cid).await, "a block is found by its CID");
        assert_eq!((&block, block.cid()), (header, *cid), "a block is what its CID names");
        let messages = must(chain.block_messages(cid).await, "messages of a block are found");
        let bls: Vec<_> = messages.bls.iter().map(MessageExt::cid).collect();
        let secp: Vec<_> = messages.secp.iter().map(SignedMessage::cid).collect();
        if header.height == 0 {
            continue; // Genesis blocks name what their network's bootstrap wrote.
        }
        assert_eq!(msg_meta::msg_meta_cid(&bls, &secp), header.messages, "messages are those of the header");
        let receipts = must(chain.parent_receipts(cid).await, "receipts of the parents are found");
        let parents = must(chain.parent_messages(cid).await, "messages of the parents are found");
        let of_tipset =
            must(chain.tipset_messages(&tipset.parents()).await, "messages of a tipset are found");
        assert_eq!(parents, of_tipset, "parent messages are those of the parent tipset");
        assert_eq!(receipts.len(), parents.len(), "one receipt for each message of the parents");
        let encoded: Vec<_> = receipts.iter().map(Encode::to_cbor).collect();
        assert_eq!(
            amt::amt_v0_root(&encoded),
            header.parent_message_receipts,
            "receipts are those of the header"
        );
        let distinct: HashSet<_> = parents.iter().map(|(cid, _)| cid).collect();
        assert_eq!(distinct.len(), parents.len(), "each message of a tipset stands once");
    }
}

async fn messages(chain: &dyn ChainReader, cid: Cid) {
    let message = must(chain.message(&cid).await, "a message is found by its chain CID");
    let by_unsigned = must(chain.message(&message.cid()).await, "a message is found by its unsigned CID");
    assert_eq!(message, by_unsigned, "both CIDs name the same message");
}

async fn paths(chain: &dyn ChainReader, tipsets: &[Arc<Tipset>]) {
    let (head, genesis) = (&tipsets[0], &tipsets[tipsets.len() - 1]);
    let up = must(chain.path(genesis.key(), head.key()).await, "path up");
    let keys = |tipsets: &[Arc<Tipset>]| tipsets.iter().map(|t| t.key().clone()).collect::<Vec<_>>();
    let newest_first = keys(&tipsets[..tipsets.len() - 1]);
    assert!(up.revert.is_empty(), "an ancestor reverts nothing");
    assert!(keys(&up.apply).iter().eq(newest_first.iter().rev()), "apply is oldest first");
    let down = must(chain.path(head.key(), genesis.key()).await, "path down");
    assert_eq!((keys(&down.revert), down.apply.len()), (newest_first, 0), "revert is newest first");
    assert!(must(chain.path(head.key(), head.key()).await, "path to itself").is_empty(), "no way to itself");
    let unknown = chain.path(&unknown_key(), head.key()).await;
    must_fail(unknown, ErrorKind::NotFound, "a path from an unknown tipset is TipsetNotFound");
}

async fn network(chain: &dyn ChainReader, tipsets: &[Arc<Tipset>]) {
    let network = must(chain.network().await, "network answers");
    assert_eq!(network, chain.network().await.unwrap(), "facts of the network never change");
    for block in tipsets.iter().flat_map(|t| t.blocks()) {
        let due = network.timestamp_of(block.height);
        assert_eq!(
            block.timestamp, due,
            "block delay and genesis time fit the timestamp at {}",
            block.height
        );
    }
}

async fn unknowns(chain: &dyn ChainReader) {
    let (cid, kind) = (nowhere(), ErrorKind::NotFound);
    must_fail(chain.tipset(&unknown_key()).await, kind, "an unknown key is TipsetNotFound");
    must_fail(
        chain.tipset_at(0, &unknown_key(), NullRound::After).await,
        kind,
        "an unknown anchor is an error",
    );
    must_fail(
        chain.tipset_messages(&unknown_key()).await,
        kind,
        "messages of an unknown tipset are an error",
    );
    must_fail(chain.block(&cid).await, kind, "an unknown block is BlockNotFound");
    must_fail(chain.block_messages(&cid).await, kind, "messages of an unknown block are BlockNotFound");
    must_fail(chain.message(&cid).await, kind, "an unknown message is MessageNotFound");
    must_fail(chain.parent_receipts(&cid).await, kind, "receipts of an unknown block are BlockNotFound");
    must_fail(chain.parent_messages(&cid).await, kind, "parents of an unknown block are BlockNotFound");
}
