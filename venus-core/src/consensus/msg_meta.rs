//! The `Messages` field of a block header.

use cid::Cid;

use super::amt::{Block, amt_v0_of_cids, amt_v0_root_of_cids};
use crate::cbor::Writer;
use crate::types::blake2b_cid;

/// The CID over a block's messages: `[root of BLS list, root of secp256k1 list]`.
///
/// BLS messages are listed by the CID of the unsigned message, all others by that of the signed one, each list in
/// the order of the block.
pub fn msg_meta_cid(bls: &[Cid], secp: &[Cid]) -> Cid {
    blake2b_cid(&encode(&amt_v0_root_of_cids(bls), &amt_v0_root_of_cids(secp)))
}

/// As [`msg_meta_cid`], with all blocks of DAG-CBOR below it, itself last.
pub fn msg_meta(bls: &[Cid], secp: &[Cid]) -> (Cid, Vec<Block>) {
    let (bls, secp) = (amt_v0_of_cids(bls), amt_v0_of_cids(secp));
    let meta = encode(&bls.root, &secp.root);
    let cid = blake2b_cid(&meta);
    let mut blocks = bls.blocks;
    blocks.extend(secp.blocks);
    blocks.push((cid, meta));
    (cid, blocks)
}

fn encode(bls_root: &Cid, secp_root: &Cid) -> Vec<u8> {
    let mut w = Writer::with_capacity(96);
    w.array(2);
    w.cid(bls_root);
    w.cid(secp_root);
    w.into_vec()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn golden_empty_meta() {
        let cid = msg_meta_cid(&[], &[]);
        assert_eq!(cid.to_string(), "bafy2bzacecmda75ovposbdateg7eyhwij65zklgyijgcjwynlklmqazpwlhba");
    }

    #[test]
    fn the_lists_are_not_interchangeable() {
        let list = [blake2b_cid(b"message")];
        assert_ne!(msg_meta_cid(&list, &[]), msg_meta_cid(&[], &list));
        let (cid, blocks) = msg_meta(&list, &[]);
        assert_eq!(cid, msg_meta_cid(&list, &[]));
        assert_eq!(blocks.len(), 3);
        assert!(blocks.iter().all(|(cid, block)| *cid == blake2b_cid(block)));
    }
}
