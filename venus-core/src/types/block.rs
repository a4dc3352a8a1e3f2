//! Blocks with their messages.

use cid::Cid;
use fvm_shared::message::Message;
use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};

use super::{BlockHeader, MessageExt, SignedMessage};
use crate::cbor::cbor_tuple;
use crate::json::{JsonRef, lotus_json};

/// A block as it is published: the header and the CIDs of its messages.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BlockMsg {
    /// The header.
    pub header: BlockHeader,
    /// BLS messages, by unsigned CID, in the order of the block.
    pub bls_messages: Vec<Cid>,
    /// secp256k1 and delegated messages, by signed CID, in the order of the block.
    pub secp_messages: Vec<Cid>,
}

cbor_tuple!(BlockMsg { header: "Header", bls_messages: "BlsMessages", secp_messages: "SecpkMessages" });
lotus_json!(BlockMsg {
    header: "Header",
    bls_messages: "BlsMessages" null,
    secp_messages: "SecpkMessages" null,
});

impl BlockMsg {
    /// The CID of the block.
    pub fn cid(&self) -> Cid {
        self.header.cid()
    }
}

/// The messages of one block. BLS messages have no signature of their own: the block aggregates them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BlockMessages {
    /// BLS messages in the order of the block.
    pub bls: Vec<Message>,
    /// secp256k1 and delegated messages in the order of the block.
    pub secp: Vec<SignedMessage>,
}

impl BlockMessages {
    /// The CIDs of all messages as the chain knows them: BLS first, then the others.
    pub fn cids(&self) -> impl Iterator<Item = Cid> {
        self.bls.iter().map(MessageExt::cid).chain(self.secp.iter().map(SignedMessage::cid))
    }

    /// All messages with their chain CIDs, in the order of execution.
    pub fn iter(&self) -> impl Iterator<Item = (Cid, &Message)> {
        let secp = self.secp.iter().map(|m| (m.cid(), &m.message));
        self.bls.iter().map(|m| (m.cid(), m)).chain(secp)
    }

    /// The number of messages.
    pub fn len(&self) -> usize {
        self.bls.len() + self.secp.len()
    }

    /// Whether there is no message.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

lotus_json!(@read BlockMessages { bls: "BlsMessages", secp: "SecpkMessages" });
lotus_json!(@delegate BlockMessages);

/// Writes the derived `Cids` last, as Lotus does.
impl Serialize for BlockMessages {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(3))?;
        map.serialize_entry("BlsMessages", &JsonRef(&self.bls))?;
        map.serialize_entry("SecpkMessages", &JsonRef(&self.secp))?;
        map.serialize_entry("Cids", &JsonRef(&self.cids().collect::<Vec<_>>()))?;
        map.end()
    }
}

/// A message with the CID under which the chain knows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChainMessage {
    /// CID of the signed message for secp256k1 and delegated senders, of the message itself for BLS.
    pub cid: Cid,
    /// The message.
    pub message: Message,
}

lotus_json!(ChainMessage { cid: "Cid", message: "Message" });

/// A block with its messages in one piece. Only Venus sends it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FullBlock {
    /// The header.
    pub header: BlockHeader,
    /// BLS messages in the order of the block.
    pub bls_messages: Vec<Message>,
    /// secp256k1 and delegated messages in the order of the block.
    pub secp_messages: Vec<SignedMessage>,
}

lotus_json!(FullBlock {
    header: "Header",
    bls_messages: "BLSMessages" null,
    secp_messages: "SECPMessages" null,
});
