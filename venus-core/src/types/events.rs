//! Events that actors emit.

use fvm_shared::ActorID;

use crate::cbor::{CborError, Decode, Encode, FieldContext, MAX_ARRAY, Reader, Writer, cbor_tuple};
use crate::json::lotus_json;

/// An event (FIP-0049).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// ID of the actor.
    pub emitter: ActorID,
    /// What it says.
    pub entries: Vec<EventEntry>,
}

cbor_tuple!(Event { emitter: "Emitter", entries: "Entries" });
lotus_json!(Event { emitter: "Emitter", entries: "Entries" null });

/// A key and a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EventEntry {
    /// Bit 0: the key is indexed; bit 1: the value is.
    pub flags: u64,
    /// The key.
    pub key: String,
    /// Multicodec of the value: 0x55 raw, 0x51 CBOR.
    pub codec: u64,
    /// The value.
    pub value: Vec<u8>,
}

lotus_json!(EventEntry { flags: "Flags", key: "Key", codec: "Codec", value: "Value" });

impl Encode for EventEntry {
    fn encode(&self, w: &mut Writer) {
        w.array(4);
        w.uint(self.flags);
        w.text(&self.key);
        w.uint(self.codec);
        w.bytes(&self.value);
    }
}

impl Decode for EventEntry {
    fn decode(r: &mut Reader<'_>) -> Result<Self, CborError> {
        decode(r).in_field("EventEntry")
    }
}

fn decode(r: &mut Reader<'_>) -> Result<EventEntry, CborError> {
    r.tuple(4)?;
    Ok(EventEntry {
        flags: r.uint().in_field("Flags")?,
        key: r.text(MAX_ARRAY).in_field("Key")?.to_owned(),
        codec: r.uint().in_field("Codec")?,
        value: Decode::decode(r).in_field("Value")?,
    })
}
