//! The recorded chains of `lotus_chain.json` and `venus_chain.json`.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use serde::Deserialize;
use serde_json::value::RawValue;
use venus_core::json::{Face, Json, with_face, with_network};
use venus_core::types::{
    BigInt, BlockHeader, BlockMessages, Cid, Message, MiningBaseInfo, Network, Receipt, SignedMessage,
    Tipset, TipsetKey,
};

use super::text;

/// Of a Lotus network: network version 28.
pub static CHAIN: LazyLock<Chain> = LazyLock::new(|| Chain::read("lotus_chain.json", Face::Lotus));
/// Of a Venus network: version 26, and 28 from epoch 201 on; null rounds.
pub static VENUS: LazyLock<Chain> = LazyLock::new(|| Chain::read("venus_chain.json", Face::Venus));

pub struct Chain {
    pub face: Face,
    pub genesis: Tipset,
    pub block_delay_secs: u64,
    pub tipsets: Vec<Recorded>,
}

pub struct Recorded {
    pub height: i64,
    pub network_version: u32,
    pub key: TipsetKey,
    pub weight: BigInt,
    pub parent_receipts: Vec<Receipt>,
    pub parent_messages: Vec<Cid>,
    /// In the order of the key.
    pub blocks: Vec<Block>,
    pub tipset: Tipset,
}

pub struct Block {
    pub cid: Cid,
    pub header: BlockHeader,
    pub messages: BlockMessages,
    pub message_cids: Vec<Cid>,
    pub info: MiningBaseInfo,
}

/// The tipset before another.
pub struct Parents<'a> {
    pub tipset: &'a Tipset,
    /// In the order of execution, each once.
    pub messages: Vec<(Cid, &'a Message)>,
}

#[derive(Deserialize)]
struct FileWire {
    block_delay_secs: u64,
    genesis: Box<RawValue>,
    tipsets: Vec<TipsetWire>,
    bls: BTreeMap<String, Box<RawValue>>,
    secp: BTreeMap<String, Box<RawValue>>,
}

#[derive(Deserialize)]
struct TipsetWire {
    height: i64,
    network_version: u32,
    weight: Json<BigInt>,
    key: Box<RawValue>,
    parent_messages: Json<Vec<Cid>>,
    parent_receipts: Vec<Box<RawValue>>,
    blocks: Vec<BlockWire>,
}

#[derive(Deserialize)]
struct BlockWire {
    cid: Json<Cid>,
    header: Box<RawValue>,
    base_info: Box<RawValue>,
    bls: Vec<String>,
    secp: Vec<String>,
}

impl Chain {
    fn read(name: &str, face: Face) -> Self {
        let file: FileWire = serde_json::from_str(&text(name)).unwrap();
        let bls = file.bls.iter().map(|(cid, m)| (cid.as_str(), exact::<Json<Message>>(m, face).0)).collect();
        let secp = file.secp.iter().map(|(cid, m)| (cid.as_str(), exact::<SignedMessage>(m, face))).collect();
        Self {
            face,
            genesis: exact(&file.genesis, face),
            block_delay_secs: file.block_delay_secs,
            tipsets: file.tipsets.into_iter().map(|t| tipset(t, face, &bls, &secp)).collect(),
        }
    }

    /// The tipset of a height.
    pub fn at(&self, height: i64) -> &Recorded {
        self.tipsets.iter().find(|t| t.height == height).unwrap()
    }

    /// All blocks with the tipset they stand in.
    pub fn blocks(&self) -> impl Iterator<Item = (&Recorded, &Block)> {
        self.tipsets.iter().flat_map(|t| t.blocks.iter().map(move |b| (t, b)))
    }

    /// The parents of a tipset, where they were recorded.
    pub fn parents(&self, of: &Recorded) -> Option<Parents<'_>> {
        let key = of.tipset.parents();
        if key == *self.genesis.key() {
            return Some(Parents { tipset: &self.genesis, messages: Vec::new() });
        }
        let known = self.tipsets.iter().find(|t| t.key == key)?;
        let mut messages: Vec<(Cid, &Message)> = Vec::new();
        for (cid, message) in known.blocks.iter().flat_map(|b| b.messages.iter()) {
            if messages.iter().all(|(seen, _)| *seen != cid) {
                messages.push((cid, message));
            }
        }
        Some(Parents { tipset: &known.tipset, messages })
    }
}

/// Reads a value that is written back letter by letter as the node wrote it.
fn exact<T: serde::de::DeserializeOwned + serde::Serialize>(raw: &RawValue, face: Face) -> T {
    let value: T = serde_json::from_str(raw.get()).unwrap_or_else(|e| panic!("{e} in {raw}"));
    let written = with_face(face, || with_network(Network::Testnet, || serde_json::to_string(&value)));
    assert_eq!(written.unwrap(), raw.get());
    value
}

fn tipset(
    wire: TipsetWire,
    face: Face,
    bls: &BTreeMap<&str, Message>,
    secp: &BTreeMap<&str, SignedMessage>,
) -> Recorded {
    let blocks: Vec<_> = wire.blocks.into_iter().map(|b| block(b, face, bls, secp)).collect();
    Recorded {
        height: wire.height,
        network_version: wire.network_version,
        key: exact(&wire.key, face),
        weight: wire.weight.0,
        parent_receipts: wire.parent_receipts.iter().map(|r| exact(r, face)).collect(),
        parent_messages: wire.parent_messages.0,
        // In reverse, so that the order is ours.
        tipset: Tipset::new(blocks.iter().rev().map(|b| b.header.clone()).collect()).unwrap(),
        blocks,
    }
}

fn block(
    wire: BlockWire,
    face: Face,
    bls: &BTreeMap<&str, Message>,
    secp: &BTreeMap<&str, SignedMessage>,
) -> Block {
    Block {
        cid: wire.cid.0,
        header: exact(&wire.header, face),
        messages: BlockMessages {
            bls: wire.bls.iter().map(|cid| bls[cid.as_str()].clone()).collect(),
            secp: wire.secp.iter().map(|cid| secp[cid.as_str()].clone()).collect(),
        },
        message_cids: wire.bls.iter().chain(&wire.secp).map(|cid| cid.parse().unwrap()).collect(),
        info: exact(&wire.base_info, face),
    }
}
