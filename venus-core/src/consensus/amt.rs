//! Roots of AMTs, version 0: the array structure of message and receipt lists.
//!
//! The lists are complete when they are hashed, so the tree is built from the leaves up, each node encoded once.
//! A node is `[bitmap, links, values]` of width 8, the root block `[height, count, node]`.

use cid::Cid;

use crate::cbor::Writer;
use crate::types::blake2b_cid;

/// Elements or links in one node.
const WIDTH: usize = 8;

/// A block of DAG-CBOR under its CID.
pub type Block = (Cid, Vec<u8>);

/// A finished tree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Amt {
    /// The CID of the root block.
    pub root: Cid,
    /// All blocks, the root last, for callers that store the list.
    pub blocks: Vec<Block>,
}

/// The root over elements that are CBOR already, such as receipts.
pub fn amt_v0_root<E: AsRef<[u8]>>(elements: &[E]) -> Cid {
    build(elements, &mut |_, _| {})
}

/// The root over links, such as those of a block's messages.
pub fn amt_v0_root_of_cids(cids: &[Cid]) -> Cid {
    amt_v0_root(&links(cids))
}

/// The whole tree over elements that are CBOR already.
pub fn amt_v0<E: AsRef<[u8]>>(elements: &[E]) -> Amt {
    let mut blocks = Vec::new();
    let root = build(elements, &mut |cid, block| blocks.push((cid, block)));
    Amt { root, blocks }
}

/// The whole tree over links.
pub fn amt_v0_of_cids(cids: &[Cid]) -> Amt {
    amt_v0(&links(cids))
}

fn links(cids: &[Cid]) -> Vec<Vec<u8>> {
    let encode = |cid: &Cid| {
        let mut w = Writer::with_capacity(48);
        w.cid(cid);
        w.into_vec()
    };
    cids.iter().map(encode).collect()
}

fn build<E: AsRef<[u8]>>(elements: &[E], store: &mut impl FnMut(Cid, Vec<u8>)) -> Cid {
    let mut height = 0;
    let mut level = level_of(elements, leaf);
    while level.len() > 1 {
        let cids: Vec<Cid> = level.into_iter().map(|node| put(node, store)).collect();
        level = level_of(&cids, branch);
        height += 1;
    }
    let mut root = Writer::new();
    root.array(3);
    root.uint(height);
    root.uint(elements.len() as u64);
    // An empty list is one empty leaf.
    root.raw(&level.pop().unwrap_or_else(|| leaf::<E>(&[])));
    put(root.into_vec(), store)
}

fn level_of<T>(items: &[T], node: impl Fn(&[T]) -> Vec<u8>) -> Vec<Vec<u8>> {
    items.chunks(WIDTH).map(node).collect()
}

fn leaf<E: AsRef<[u8]>>(values: &[E]) -> Vec<u8> {
    let mut w = start_node(values.len());
    w.array(0);
    w.array(values.len() as u64);
    values.iter().for_each(|value| w.raw(value.as_ref()));
    w.into_vec()
}

fn branch(links: &[Cid]) -> Vec<u8> {
    let mut w = start_node(links.len());
    w.array(links.len() as u64);
    links.iter().for_each(|link| w.cid(link));
    w.array(0);
    w.into_vec()
}

/// Lists have no gaps, so the bitmap is as many low bits as the node has entries.
fn start_node(entries: usize) -> Writer {
    let mut w = Writer::with_capacity(64 * WIDTH);
    w.array(3);
    w.bytes(&[((1u16 << entries) - 1) as u8]);
    w
}

fn put(block: Vec<u8>, store: &mut impl FnMut(Cid, Vec<u8>)) -> Cid {
    let cid = blake2b_cid(&block);
    store(cid, block);
    cid
}

#[cfg(test)]
mod tests {
    use super::*;
    use fvm_ipld_amt::Amtv0;
    use fvm_ipld_blockstore::{Blockstore, MemoryBlockstore};
    use proptest::prelude::*;

    fn cids(n: u64) -> Vec<Cid> {
        (0..n).map(|i| blake2b_cid(&i.to_be_bytes())).collect()
    }

    fn reference(cids: &[Cid], store: &MemoryBlockstore) -> Cid {
        let mut amt = Amtv0::new(store);
        amt.batch_set(cids.iter().copied()).unwrap();
        amt.flush().unwrap()
    }

    #[test]
    fn golden_empty_root() {
        let empty = amt_v0_of_cids(&[]);
        assert_eq!(empty.root.to_string(), "bafy2bzacedswlcz5ddgqnyo3sak3jmhmkxashisnlpq6ujgyhe4mlobzpnhs6");
        assert_eq!(empty.blocks, [(empty.root, vec![0x83, 0, 0, 0x83, 0x41, 0, 0x80, 0x80])]);
    }

    #[test]
    fn golden_large_root() {
        let root = amt_v0_root_of_cids(&cids(4097));
        assert_eq!(root.to_string(), "bafy2bzacecyeklmuetpcajej6h3cih2665j6x462plwvjbbni6qms6rfyfywq");
    }

    #[test]
    fn receipts_are_values_not_links() {
        let store = MemoryBlockstore::new();
        let mut amt = Amtv0::new(&store);
        let values: Vec<u64> = (0..100).collect();
        amt.batch_set(values.iter().copied()).unwrap();
        let encoded: Vec<_> = values.iter().map(crate::cbor::Encode::to_cbor).collect();
        assert_eq!(amt_v0_root(&encoded), amt.flush().unwrap());
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn equals_the_reference_amt(n in prop_oneof![0u64..80, 500u64..530, Just(4096), Just(600)]) {
            let store = MemoryBlockstore::new();
            let cids = cids(n);
            let root = reference(&cids, &store);
            let amt = amt_v0_of_cids(&cids);
            prop_assert_eq!(amt.root, root);
            prop_assert_eq!(amt_v0_root_of_cids(&cids), root);
            for (cid, block) in amt.blocks {
                prop_assert_eq!(store.get(&cid).unwrap(), Some(block));
            }
        }
    }
}
