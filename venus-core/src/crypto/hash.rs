//! The hash functions of the protocol.

use blake2b_simd::Params;
use blake2b_simd::many::{HashManyJob, hash_many};
use sha2::{Digest, Sha256};
use sha3::Keccak256;

/// BLAKE2b with a digest of 32 bytes: CIDs, tickets, randomness, secp256k1 message hashes.
pub fn blake2b_256(bytes: &[u8]) -> [u8; 32] {
    blake2b(bytes)
}

/// [`blake2b_256`] of several inputs, several at a time where the processor can.
pub(crate) fn blake2b_256_many<'a>(inputs: impl Iterator<Item = &'a [u8]>) -> Vec<[u8; 32]> {
    let mut params = Params::new();
    params.hash_length(32);
    let mut jobs: Vec<HashManyJob<'_>> = inputs.map(|input| HashManyJob::new(&params, input)).collect();
    hash_many(&mut jobs);
    jobs.iter().map(|job| job.to_hash().as_bytes().first_chunk().copied().unwrap_or([0; 32])).collect()
}

/// BLAKE2b with a digest of 20 bytes: the payload of `f1` and `f2` addresses.
pub fn blake2b_160(bytes: &[u8]) -> [u8; 20] {
    blake2b(bytes)
}

/// BLAKE2b with a digest of 4 bytes: the checksum at the end of an address.
pub fn blake2b_32(bytes: &[u8]) -> [u8; 4] {
    blake2b(bytes)
}

/// BLAKE2b with a digest of 64 bytes: numbers of exported actor methods.
pub fn blake2b_512(bytes: &[u8]) -> [u8; 64] {
    blake2b(bytes)
}

/// Keccak-256 as Ethereum uses it, which is not SHA3-256.
pub fn keccak_256(bytes: &[u8]) -> [u8; 32] {
    Keccak256::digest(bytes).into()
}

/// SHA-256.
pub fn sha256(bytes: &[u8]) -> [u8; 32] {
    Sha256::digest(bytes).into()
}

fn blake2b<const N: usize>(bytes: &[u8]) -> [u8; N] {
    let hash = Params::new().hash_length(N).hash(bytes);
    // The hash has the length that was asked for.
    hash.as_bytes().first_chunk().copied().unwrap_or([0; N])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keccak_is_the_old_padding() {
        let hex = data_encoding::HEXLOWER.encode(&keccak_256(b"password"));
        assert_eq!(hex, "b68fe43f0d1a0d7aef123722670be50268e15365401c442f8806ef83b612976b");
        let empty = data_encoding::HEXLOWER.encode(&sha256(b""));
        assert_eq!(empty, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    }

    #[test]
    fn digest_lengths_are_parameters_not_truncations() {
        assert_ne!(blake2b_160(b"x")[..4], blake2b_32(b"x"));
        assert_ne!(blake2b_256(b"x")[..20], blake2b_160(b"x"));
    }
}
