//! Content identifiers as Filecoin makes them.

use cid::Cid;
use multihash::Multihash;

use crate::cbor::Encode;
use crate::crypto::hash::blake2b_256;

/// Multicodec of DAG-CBOR, the format of all chain objects.
pub const DAG_CBOR: u64 = 0x71;
/// Multicodec of blake2b-256.
const BLAKE2B_256: u64 = 0xb220;

/// The CID of DAG-CBOR bytes: version 1, blake2b-256 (Filecoin spec, "CID").
pub fn blake2b_cid(cbor: &[u8]) -> Cid {
    let digest = Multihash::wrap(BLAKE2B_256, &blake2b_256(cbor));
    // A 32-byte digest always fits the 64 bytes of a multihash.
    Cid::new_v1(DAG_CBOR, digest.unwrap_or_default())
}

/// The CID of a value.
pub fn cid_of(value: &impl Encode) -> Cid {
    blake2b_cid(&value.to_cbor())
}
