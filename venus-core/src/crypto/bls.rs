//! BLS12-381 signatures: keys in G1 (48 bytes), signatures in G2 (96 bytes), the basic scheme of the IETF
//! draft without augmentation.
//!
//! Every point is checked for its subgroup, and the identity is refused as a key and as a single signature: the
//! identity key verifies the identity signature over any message.

mod batch;
mod key;

use std::collections::HashSet;

use blst::BLST_ERROR;
use blst::min_pk::{AggregateSignature, PublicKey, Signature};
use fvm_shared::address::Address;

use super::CryptoError;

pub use batch::{BatchError, verify_batch, verify_each};
pub use key::CheckedKey;

/// Length of a public key in bytes.
pub const PUBLIC_KEY_LEN: usize = 48;
/// Length of a signature in bytes.
pub const SIGNATURE_LEN: usize = 96;
/// Domain separation tag of all BLS signatures in Filecoin.
pub const DST: &[u8] = b"BLS_SIG_BLS12381G2_XMD:SHA-256_SSWU_RO_NUL_";

/// The aggregate of no signatures: the identity of G2, compressed. A block without BLS messages carries it.
pub const EMPTY_AGGREGATE: [u8; SIGNATURE_LEN] = {
    let mut bytes = [0; SIGNATURE_LEN];
    bytes[0] = 0xc0;
    bytes
};

/// Checks a signature of one key over one message of any length.
///
/// # Errors
/// [`CryptoError::BadLength`] and [`CryptoError::BadPoint`] for malformed input, [`CryptoError::BadSignature`]
/// when it does not verify.
pub fn verify(
    public_key: &[u8; PUBLIC_KEY_LEN],
    message: &[u8],
    signature: &[u8],
) -> Result<(), CryptoError> {
    CheckedKey::parse(public_key)?.verify(message, signature)
}

/// Checks one signature over many messages, each with the key that signed it.
///
/// The messages must all differ, as in the basic scheme: with equal messages a signer could choose a key that
/// cancels another's. Chain messages name their sender, so two honest ones never collide. No messages at all
/// are signed by [`EMPTY_AGGREGATE`] and by nothing else.
///
/// # Errors
/// As [`verify`], and [`CryptoError::DuplicateMessage`].
pub fn verify_aggregate<M: AsRef<[u8]>>(
    signed: &[([u8; PUBLIC_KEY_LEN], M)],
    signature: &[u8],
) -> Result<(), CryptoError> {
    if signed.is_empty() {
        return if signature == EMPTY_AGGREGATE { Ok(()) } else { Err(BAD) };
    }
    let signature = parse_signature(signature, Identity::Allowed)?;
    let messages: Vec<&[u8]> = signed.iter().map(|(_, message)| message.as_ref()).collect();
    let mut seen = HashSet::with_capacity(messages.len());
    if !messages.iter().all(|message| seen.insert(*message)) {
        return Err(CryptoError::DuplicateMessage);
    }
    let keys = signed.iter().map(|(key, _)| parse_key(key)).collect::<Result<Vec<_>, _>>()?;
    let keys: Vec<&PublicKey> = keys.iter().collect();
    check(signature.aggregate_verify(false, &messages, DST, &keys, false))
}

/// Adds signatures up to one of 96 bytes. No signatures give [`EMPTY_AGGREGATE`].
///
/// # Errors
/// [`CryptoError::BadLength`] or [`CryptoError::BadPoint`] for a malformed signature.
pub fn aggregate<S: AsRef<[u8]>>(signatures: &[S]) -> Result<[u8; SIGNATURE_LEN], CryptoError> {
    let Some((first, rest)) = signatures.split_first() else {
        return Ok(EMPTY_AGGREGATE);
    };
    let first = parse_signature(first.as_ref(), Identity::Refused)?;
    let mut sum = AggregateSignature::from_signature(&first);
    for signature in rest {
        let signature = parse_signature(signature.as_ref(), Identity::Refused)?;
        sum.add_signature(&signature, false).map_err(|_| BAD_POINT)?;
    }
    Ok(sum.to_signature().compress())
}

/// The `f3` address of a public key.
///
/// # Errors
/// [`CryptoError::BadPoint`] when the bytes are no valid key: such an address could never sign.
pub fn address_of(public_key: &[u8; PUBLIC_KEY_LEN]) -> Result<Address, CryptoError> {
    parse_key(public_key)?;
    Address::new_bls(public_key).map_err(|_| BAD_KEY)
}

const BAD: CryptoError = CryptoError::BadSignature { what: "BLS" };
const BAD_POINT: CryptoError = CryptoError::BadPoint { what: "BLS signature" };
const BAD_KEY: CryptoError = CryptoError::BadPoint { what: "BLS public key" };

/// Whether the identity may stand as a signature. Aggregates of real signatures may cancel out; a single one is
/// never the identity.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Identity {
    Allowed,
    Refused,
}

fn parse_key(bytes: &[u8; PUBLIC_KEY_LEN]) -> Result<PublicKey, CryptoError> {
    PublicKey::key_validate(bytes).map_err(|_| BAD_KEY)
}

fn parse_signature(bytes: &[u8], identity: Identity) -> Result<Signature, CryptoError> {
    if bytes.len() != SIGNATURE_LEN {
        let (expected, found) = (SIGNATURE_LEN, bytes.len());
        return Err(CryptoError::BadLength { what: "BLS signature", expected, found });
    }
    let signature = Signature::uncompress(bytes).map_err(|_| BAD_POINT)?;
    signature.validate(identity == Identity::Refused).map_err(|_| BAD_POINT)?;
    Ok(signature)
}

fn check(outcome: BLST_ERROR) -> Result<(), CryptoError> {
    match outcome {
        BLST_ERROR::BLST_SUCCESS => Ok(()),
        _ => Err(BAD),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use blst::min_pk::SecretKey;
    use data_encoding::HEXLOWER;

    fn key(seed: u8) -> (SecretKey, [u8; 48]) {
        let secret = SecretKey::key_gen(&[seed; 32], &[]).unwrap();
        let public = secret.sk_to_pk().compress();
        (secret, public)
    }

    fn sign(secret: &SecretKey, message: &[u8]) -> [u8; 96] {
        secret.sign(message, DST, &[]).compress()
    }

    fn golden() -> (SecretKey, [u8; 48]) {
        let mut scalar =
            HEXLOWER.decode(b"33ff38fa8c1c53c3ef1b2f811cee9ce4f7ec2ce90b16ceeb9675dc6aa3d04817").unwrap();
        scalar.reverse(); // Filecoin stores BLS scalars little-endian, blst reads big-endian.
        let secret = SecretKey::from_bytes(&scalar).unwrap();
        let public = secret.sk_to_pk().compress();
        (secret, public)
    }

    #[test]
    fn golden_key_has_its_address() {
        let (_, public) = golden();
        assert_eq!(
            HEXLOWER.encode(&public),
            "99ddf98471b6ef4c7b01cf9fd9945f6ca10069d93ca2d61ed86c43b51080262c4d948b40c2f3571ab0aea9b2e22656fc"
        );
        assert_eq!(
            address_of(&public).unwrap().to_string(),
            "f3tho7tbdrw3xuy6ybz6p5tfc7nsqqa2ozhsrnmhwynrb3keeaeywe3felidbpgvy2wcxktmxcezlpz7pbu5pq"
        );
    }

    #[test]
    fn golden_vrf_signature_verifies() {
        let (_, public) = golden();
        let digest =
            HEXLOWER.decode(b"e284f4f786440cf4751deddd49a6cb89711c901e83dd331295206ec0f722b781").unwrap();
        let mut signature = HEXLOWER
            .decode(b"98fa3bc8211da2ec3c6e00f042b50304f29f0d15c6c670416b09fedb98862d6ff6940f1825c055c99ea1d770ad611c861493e52deedffc47f4ecce8e099f8010dd71bf322463f64f42161dc2cd668160303349c4e10bd02340da785f2176e5f1")
            .unwrap();
        assert_eq!(verify(&public, &digest, &signature), Ok(()));
        assert_eq!(verify(&public, &digest[1..], &signature), Err(BAD));
        signature[95] ^= 1;
        assert!(verify(&public, &digest, &signature).is_err());
    }

    #[test]
    fn malformed_points_are_refused() {
        let (secret, public) = key(1);
        let good = sign(&secret, b"potato");
        let long = CryptoError::BadLength { what: "BLS signature", expected: 96, found: 192 };
        let uncompressed = secret.sign(b"potato", DST, &[]).serialize();
        assert_eq!(verify(&public, b"potato", &uncompressed), Err(long));

        let mut cleared = good;
        cleared[0] &= 0x7f; // Without the compression bit.
        assert_eq!(verify(&public, b"potato", &cleared), Err(BAD_POINT));
        assert_eq!(verify(&public, b"potato", &EMPTY_AGGREGATE), Err(BAD_POINT));

        let mut identity = [0; 48];
        identity[0] = 0xc0;
        assert_eq!(verify(&identity, b"potato", &good), Err(BAD_KEY));
        assert_eq!(address_of(&identity), Err(BAD_KEY));
        assert_eq!(verify(&[0xff; 48], b"potato", &good), Err(BAD_KEY));
    }

    #[test]
    fn points_outside_the_subgroup_are_refused() {
        // Small x coordinates give points of the curve that are almost never in the subgroup of prime order.
        let outside = (1u8..=255).find_map(|x| {
            let mut bytes = [0; 48];
            (bytes[0], bytes[47]) = (0x80, x);
            let key = PublicKey::uncompress(&bytes).ok()?;
            key.validate().is_err().then_some(bytes)
        });
        let (secret, _) = key(2);
        assert_eq!(verify(&outside.unwrap(), b"m", &sign(&secret, b"m")), Err(BAD_KEY));
    }

    #[test]
    fn aggregates_cover_exactly_their_messages() {
        let signers: Vec<_> = (1..=5).map(key).collect();
        let messages: Vec<Vec<u8>> = (0..5u8).map(|i| vec![i; 38]).collect();
        let signatures: Vec<_> = signers.iter().zip(&messages).map(|((s, _), m)| sign(s, m)).collect();
        let sum = aggregate(&signatures).unwrap();
        let mut signed: Vec<_> =
            signers.iter().zip(&messages).map(|((_, k), m)| (*k, m.as_slice())).collect();

        assert_eq!(verify_aggregate(&signed, &sum), Ok(()));
        assert_eq!(verify_aggregate(&signed[..4], &sum), Err(BAD));
        assert_eq!(verify_aggregate(&signed, &EMPTY_AGGREGATE), Err(BAD));
        signed.swap(0, 4);
        assert_eq!(verify_aggregate(&signed, &sum), Ok(()), "the order does not matter");
        signed[0].0 = signed[1].0;
        assert_eq!(verify_aggregate(&signed, &sum), Err(BAD));
        signed.push(signed[1]);
        assert_eq!(verify_aggregate(&signed, &sum), Err(CryptoError::DuplicateMessage));
    }

    #[test]
    fn the_empty_aggregate_signs_only_nothing() {
        let none: [([u8; 48], &[u8]); 0] = [];
        assert_eq!(aggregate::<[u8; 96]>(&[]), Ok(EMPTY_AGGREGATE));
        assert_eq!(verify_aggregate(&none, &EMPTY_AGGREGATE), Ok(()));
        assert_eq!(verify_aggregate(&none, &sign(&key(1).0, b"m")), Err(BAD));
        assert!(aggregate(&[EMPTY_AGGREGATE]).is_err());
        assert!(aggregate(&[&[0u8; 5][..]]).is_err());
    }
}
