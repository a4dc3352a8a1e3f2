//! The recorded chain of `lotus_chain.json`.

use std::sync::LazyLock;

use data_encoding::HEXLOWER;
use serde_json::Value;
use venus_core::json::Json;
use venus_core::types::{
    BigInt, BlockHeader, BlockMessages, Cid, Message, MiningBaseInfo, Receipt, SignedMessage, Tipset,
    TipsetKey,
};

use super::{list, parsed, str_of, text, typed};

/// The file as it is, for comparisons of text.
pub static TEXT: LazyLock<String> = LazyLock::new(|| text("lotus_chain.json"));
/// The chain.
pub static CHAIN: LazyLock<Chain> = LazyLock::new(Chain::read);

pub struct Chain {
    pub genesis: Tipset,
    pub block_delay_secs: u64,
    /// Heights 1–8, 30–34 and 90–96.
    pub tipsets: Vec<Recorded>,
    only_as_parents: Vec<Recorded>,
}

pub struct Recorded {
    pub height: i64,
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
    pub cbor: Vec<u8>,
    pub messages: BlockMessages,
    pub message_cids: Vec<Cid>,
    pub info: MiningBaseInfo,
}

impl Chain {
    fn read() -> Self {
        let file: Value = serde_json::from_str(&TEXT).unwrap();
        let tipsets = |member: &str| list(&file[member]).iter().map(recorded).collect();
        Self {
            genesis: typed(&file["genesis"]),
            block_delay_secs: file["block_delay_secs"].as_u64().unwrap(),
            tipsets: tipsets("tipsets"),
            only_as_parents: tipsets("only_as_parents"),
        }
    }

    /// All blocks with the tipset they stand in.
    pub fn blocks(&self) -> impl Iterator<Item = (&Recorded, &Block)> {
        self.tipsets.iter().flat_map(|t| t.blocks.iter().map(move |b| (t, b)))
    }

    /// The parents of a tipset, where they were recorded, with the CIDs and messages of them in tipset order.
    pub fn parents(&self, of: &Recorded) -> Option<(&Tipset, Vec<(Cid, &Message)>)> {
        let key = of.tipset.parents();
        if key == *self.genesis.key() {
            return Some((&self.genesis, Vec::new()));
        }
        let known = self.tipsets.iter().chain(&self.only_as_parents).find(|t| t.key == key)?;
        let mut messages: Vec<(Cid, &Message)> = Vec::new();
        for (cid, message) in known.blocks.iter().flat_map(|b| b.messages.iter()) {
            if messages.iter().all(|(seen, _)| *seen != cid) {
                messages.push((cid, message));
            }
        }
        Some((&known.tipset, messages))
    }
}

fn recorded(value: &Value) -> Recorded {
    let blocks: Vec<_> = list(&value["blocks"]).iter().map(block).collect();
    Recorded {
        height: value["height"].as_i64().unwrap(),
        key: typed(&value["key"]),
        weight: parsed(value, "weight"),
        parent_receipts: typed(&value["parent_receipts"]),
        parent_messages: cids(&value["parent_messages"]),
        tipset: Tipset::new(blocks.iter().rev().map(|b| b.header.clone()).collect()).unwrap(),
        blocks,
    }
}

fn block(value: &Value) -> Block {
    let messages = |member: &str| list(&value[member]).iter();
    Block {
        cid: typed::<Json<Cid>>(&value["cid"]).0,
        header: typed(&value["header"]),
        cbor: HEXLOWER.decode(str_of(value, "header_cbor").as_bytes()).unwrap(),
        messages: BlockMessages {
            bls: messages("bls_messages").map(|m| typed::<Json<Message>>(m).0).collect(),
            secp: messages("secp_messages").map(typed::<SignedMessage>).collect(),
        },
        message_cids: cids(&value["message_cids"]),
        info: typed(&value["base_info"]),
    }
}

fn cids(value: &Value) -> Vec<Cid> {
    list(value).iter().map(|cid| typed::<Json<Cid>>(cid).0).collect()
}
