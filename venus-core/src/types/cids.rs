//! Content identifiers as Filecoin makes them.

use std::cell::Cell;

use cid::{Cid, Version};
use multihash::Multihash;

use super::base32;
use crate::cbor::{Encode, Writer};
use crate::crypto::hash::{blake2b_256, blake2b_256_many};

/// Multicodec of DAG-CBOR, the format of all chain objects.
pub const DAG_CBOR: u64 = 0x71;
/// Multicodec of blake2b-256.
const BLAKE2B_256: u64 = 0xb220;
/// How the bytes of nearly every CID of the chain begin: version 1, DAG-CBOR, blake2b-256, 32 bytes.
const USUAL: [u8; 6] = [1, 0x71, 0xa0, 0xe4, 0x02, 0x20];
/// Room for version, codec, code, length (ten bytes each at most) and a digest of 64 bytes.
pub(crate) const MAX_CID: usize = 4 * 10 + 64;
/// The largest buffer that a thread keeps for the next value: a message with all the parameters that mempools take.
const MAX_KEPT: usize = 64 << 10;

/// The CID of DAG-CBOR bytes: version 1, blake2b-256 (Filecoin spec, "CID").
pub fn blake2b_cid(cbor: &[u8]) -> Cid {
    cid_of_digest(blake2b_256(cbor))
}

fn cid_of_digest(digest: [u8; 32]) -> Cid {
    // A 32-byte digest always fits the 64 bytes of a multihash.
    Cid::new_v1(DAG_CBOR, Multihash::wrap(BLAKE2B_256, &digest).unwrap_or_default())
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

/// The CIDs of several values: less work together than one by one.
pub fn cids_of<T: Encode>(values: &[T]) -> Vec<Cid> {
    let mut w = Writer::new();
    let mut ends = Vec::with_capacity(values.len());
    for value in values {
        value.encode(&mut w);
        ends.push(w.as_slice().len());
    }
    let mut rest = w.as_slice();
    let mut start = 0;
    let inputs = ends.iter().map(|end| {
        let (input, behind) = rest.split_at_checked(end - start).unwrap_or_default();
        (rest, start) = (behind, *end);
        input
    });
    blake2b_256_many(inputs).into_iter().map(cid_of_digest).collect()
}

/// A CID as bytes, on the stack.
pub(crate) fn cid_bytes<'a>(cid: &Cid, room: &'a mut [u8; MAX_CID]) -> &'a [u8] {
    let hash = cid.hash();
    if let Ok(digest) = <&[u8; 32]>::try_from(hash.digest())
        && (cid.version(), cid.codec(), hash.code()) == (Version::V1, DAG_CBOR, BLAKE2B_256)
        && let Some((prefix, rest)) = room.split_first_chunk_mut()
        && let Some(to) = rest.first_chunk_mut()
    {
        (*prefix, *to) = (USUAL, *digest);
        return room.get(..USUAL.len() + digest.len()).unwrap_or_default();
    }
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
    if let Some(digest) = bytes.strip_prefix(&USUAL).filter(|digest| digest.len() == 32) {
        return Some(Cid::new_v1(DAG_CBOR, Multihash::wrap(BLAKE2B_256, digest).ok()?));
    }
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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn cids() -> impl Strategy<Value = Cid> {
        let digest =
            prop_oneof![prop::collection::vec(any::<u8>(), 32), prop::collection::vec(any::<u8>(), 0..=64),];
        let code = prop_oneof![Just(BLAKE2B_256), Just(0x12), Just(0), any::<u64>()];
        let codec = prop_oneof![Just(DAG_CBOR), Just(0x55), any::<u64>()];
        (codec, code, digest)
            .prop_map(|(codec, code, digest)| Cid::new_v1(codec, Multihash::wrap(code, &digest).unwrap()))
    }

    proptest! {
        #[test]
        fn bytes_and_text_are_those_of_the_library(cid in cids()) {
            let mut room = [0; MAX_CID];
            prop_assert_eq!(cid_bytes(&cid, &mut room), cid.to_bytes());
            let text = cid.to_string();
            let ours = CidText::of(&cid);
            prop_assert_eq!(ours.as_str(), &text);
            prop_assert_eq!(cid_from_base32(&text), Some(cid));
        }

        #[test]
        fn no_other_text_is_read(cid in cids(), at: prop::sample::Index, symbol in "[a-z0-9A-Z=]", edit in 0..3) {
            let mut text = cid.to_string();
            let at = at.index(text.len());
            match edit {
                0 => text.replace_range(at..=at, &symbol),
                1 => text.insert_str(at, &symbol),
                _ => drop(text.remove(at)),
            }
            if let Some(read) = cid_from_base32(&text) {
                prop_assert_eq!(read.to_string(), text);
            }
        }
    }

    #[test]
    fn many_are_each_as_one() {
        let values: Vec<Vec<u8>> = (0..13_usize).map(|n| vec![n as u8; n * 97]).collect();
        let one_by_one: Vec<Cid> = values.iter().map(cid_of).collect();
        assert_eq!(cids_of(&values), one_by_one);
        assert!(cids_of::<u64>(&[]).is_empty());
    }
}
