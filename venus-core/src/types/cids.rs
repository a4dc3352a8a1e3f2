//! Content identifiers as Filecoin makes them.

use std::cell::Cell;

use cid::{Cid, Version};
use multihash::Multihash;

use super::base32;
use crate::cbor::{Encode, Writer};
use crate::crypto::hash::blake2b_256;

/// Multicodec of DAG-CBOR, the format of all chain objects.
pub const DAG_CBOR: u64 = 0x71;
/// Multicodec of blake2b-256.
const BLAKE2B_256: u64 = 0xb220;
/// Room for version, codec, code, length (ten bytes each at most) and a digest of 64 bytes.
pub(crate) const MAX_CID: usize = 4 * 10 + 64;
/// The largest buffer that a thread keeps for the next value: a message with all the parameters that mempools take.
const MAX_KEPT: usize = 64 << 10;

/// The CID of DAG-CBOR bytes: version 1, blake2b-256 (Filecoin spec, "CID").
pub fn blake2b_cid(cbor: &[u8]) -> Cid {
    let digest = Multihash::wrap(BLAKE2B_256, &blake2b_256(cbor));
    // A 32-byte digest always fits the 64 bytes of a multihash.
    Cid::new_v1(DAG_CBOR, digest.unwrap_or_default())
}

thread_local! {
    static SCRATCH: Cell<Writer> = const { Cell::new(Writer::unallocated()) };
}

/// The CID of a value.
pub fn cid_of(value: &impl Encode) -> Cid {
    // A value that computes a CID while it is encoded finds an empty buffer, not this one.
    let mut w = SCRATCH.take();
    w.clear();
    value.encode(&mut w);
    let cid = blake2b_cid(w.as_slice());
    if w.capacity() <= MAX_KEPT {
        SCRATCH.set(w);
    }
    cid
}

/// A CID as bytes, on the stack.
pub(crate) fn cid_bytes<'a>(cid: &Cid, room: &'a mut [u8; MAX_CID]) -> &'a [u8] {
    // The room is enough for any CID, and nothing else can fail.
    let len = cid.write_bytes(room.as_mut_slice()).unwrap_or_default();
    room.get(..len).unwrap_or_default()
}

/// Reads a CID of version 1 from base32, which is what Filecoin writes. `None` if the text is not the one such text
/// of any CID.
pub(crate) fn cid_from_base32(text: &str) -> Option<Cid> {
    let (mut room, mut again) = ([0; MAX_CID], [0; MAX_CID]);
    let len = base32::decode(text.as_bytes().strip_prefix(b"b")?, &mut room)?;
    let bytes = room.get(..len)?;
    // A CID may be read from bytes that it is not written with.
    let cid = Cid::read_bytes(bytes).ok()?;
    (cid.version() == Version::V1 && cid_bytes(&cid, &mut again) == bytes).then_some(cid)
}

/// The text of a CID of version 1 in base32, on the stack.
pub(crate) struct CidText {
    symbols: [u8; 1 + base32::symbols_for(MAX_CID)],
    len: usize,
}

impl CidText {
    pub(crate) fn of(cid: &Cid) -> Self {
        let mut symbols = [b'b'; 1 + base32::symbols_for(MAX_CID)];
        let mut room = [0; MAX_CID];
        let len = base32::encode(cid_bytes(cid, &mut room), symbols.get_mut(1..).unwrap_or_default());
        Self { symbols, len: len + 1 }
    }

    pub(crate) fn as_str(&self) -> &str {
        // Symbols of base32 are ASCII.
        std::str::from_utf8(self.symbols.get(..self.len).unwrap_or_default()).unwrap_or_default()
    }
}
