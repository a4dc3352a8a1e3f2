//! Many independent signatures in one go.

use blst::BLST_ERROR;
use blst::blst_scalar;
use blst::min_pk::{PublicKey, Signature};

use super::{DST, Identity, PUBLIC_KEY_LEN, parse_key, parse_signature, verify};
use crate::crypto::CryptoError;
use crate::entropy::Entropy;
use crate::error::{Classify, ErrorKind};

/// Bits of the random factors: a wrong batch passes once in 2^64.
const FACTOR_BITS: usize = 64;

/// The first signature of a batch that does not verify.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("signature {index} of the batch: {source}")]
pub struct BatchError {
    /// Its index.
    pub index: usize,
    /// What is wrong with it.
    pub source: CryptoError,
}

impl Classify for BatchError {
    fn kind(&self) -> ErrorKind {
        self.source.kind()
    }
}

/// Checks signatures of different keys at once, with one final exponentiation for all instead of one for each.
///
/// Each is weighted with a random factor, so that two wrong ones cannot make up for each other; without random
/// bytes they are checked one by one. Messages may be equal. No signatures at all are fine.
///
/// # Errors
/// [`BatchError`] naming the first that is malformed or does not verify.
pub fn verify_batch<M: AsRef<[u8]>, S: AsRef<[u8]>>(
    signed: &[([u8; PUBLIC_KEY_LEN], M, S)],
    entropy: &dyn Entropy,
) -> Result<(), BatchError> {
    if signed.is_empty() || holds_at_once(signed, entropy)? {
        return Ok(());
    }
    for (index, (key, message, signature)) in signed.iter().enumerate() {
        verify(key, message.as_ref(), signature.as_ref()).map_err(|source| BatchError { index, source })?;
    }
    Ok(())
}

fn holds_at_once<M: AsRef<[u8]>, S: AsRef<[u8]>>(
    signed: &[([u8; PUBLIC_KEY_LEN], M, S)],
    entropy: &dyn Entropy,
) -> Result<bool, BatchError> {
    let Some(factors) = factors(signed.len(), entropy) else { return Ok(false) };
    let mut keys = Vec::with_capacity(signed.len());
    let mut signatures = Vec::with_capacity(signed.len());
    for (index, (key, _, signature)) in signed.iter().enumerate() {
        let at = |source| BatchError { index, source };
        keys.push(parse_key(key).map_err(at)?);
        signatures.push(parse_signature(signature.as_ref(), Identity::Refused).map_err(at)?);
    }
    let messages: Vec<&[u8]> = signed.iter().map(|(_, message, _)| message.as_ref()).collect();
    let keys: Vec<&PublicKey> = keys.iter().collect();
    let signatures: Vec<&Signature> = signatures.iter().collect();
    // Keys and signatures were checked for their subgroups above.
    let result = Signature::verify_multiple_aggregate_signatures(
        &messages,
        DST,
        &keys,
        false,
        &signatures,
        false,
        &factors,
        FACTOR_BITS,
    );
    Ok(result == BLST_ERROR::BLST_SUCCESS)
}

/// Random factors, none of them zero.
fn factors(count: usize, entropy: &dyn Entropy) -> Option<Vec<blst_scalar>> {
    let mut factors = vec![blst_scalar::default(); count];
    for factor in &mut factors {
        let mut random = [0; FACTOR_BITS / 8];
        entropy.fill(&mut random).ok()?;
        factor.b.iter_mut().zip(random).for_each(|(byte, random)| *byte = random);
        if random == [0; FACTOR_BITS / 8] {
            factor.b = [1; 32];
        }
    }
    Some(factors)
}

#[cfg(test)]
mod tests {
    use blst::min_pk::SecretKey;

    use super::*;
    use crate::entropy::{EntropyError, OsEntropy, SeededEntropy};

    type Item = ([u8; PUBLIC_KEY_LEN], Vec<u8>, Vec<u8>);

    fn batch(n: u8) -> Vec<Item> {
        let item = |i: u8| {
            let key = SecretKey::key_gen(&[i + 1; 32], &[]).unwrap();
            let message = vec![i / 2; 38];
            let signature = key.sign(&message, DST, &[]).compress().to_vec();
            (key.sk_to_pk().compress(), message, signature)
        };
        (0..n).map(item).collect()
    }

    #[test]
    fn good_ones_pass_and_each_bad_one_is_named() {
        for n in [0, 1, 2, 9] {
            assert_eq!(verify_batch(&batch(n), &OsEntropy), Ok(()));
        }
        for bad in 0..5 {
            let mut other_message = batch(5);
            other_message[bad].1[0] ^= 1;
            assert_eq!(verify_batch(&other_message, &OsEntropy).unwrap_err().index, bad);
            let mut malformed = batch(5);
            malformed[bad].2.truncate(95);
            assert_eq!(verify_batch(&malformed, &OsEntropy).unwrap_err().index, bad);
            let mut no_key = batch(5);
            no_key[bad].0 = [0; PUBLIC_KEY_LEN];
            assert_eq!(verify_batch(&no_key, &OsEntropy).unwrap_err().index, bad);
        }
    }

    /// Their sum is right, so an unweighted check of the sum would pass.
    #[test]
    fn two_wrong_ones_do_not_make_up_for_each_other() {
        let mut swapped = batch(4);
        let message = swapped[0].1.clone();
        swapped[1].1.clone_from(&message);
        let (first, second) = (swapped[0].2.clone(), swapped[1].2.clone());
        swapped[0].2 = second;
        swapped[1].2 = first;
        assert_eq!(verify_batch(&swapped, &SeededEntropy::new(1, "factors")).unwrap_err().index, 0);
    }

    struct Dry;

    impl Entropy for Dry {
        fn fill(&self, _: &mut [u8]) -> Result<(), EntropyError> {
            Err(EntropyError::unavailable("dry"))
        }
    }

    #[test]
    fn without_random_bytes_they_are_checked_one_by_one() {
        assert_eq!(verify_batch(&batch(3), &Dry), Ok(()));
        let mut bad = batch(3);
        bad[2].1[0] ^= 1;
        assert_eq!(verify_batch(&bad, &Dry).unwrap_err().index, 2);
    }
}
