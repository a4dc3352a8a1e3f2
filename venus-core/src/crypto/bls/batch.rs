//! Many independent signatures in one go.

use blst::BLST_ERROR;
use blst::blst_scalar;
use blst::min_pk::{PublicKey, Signature};

use super::{CheckedKey, DST, Identity, PUBLIC_KEY_LEN, check, parse_signature, verify};
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

/// Checks signatures of keys that were checked before, and says of each whether it verifies: at once if all do, each
/// by itself else. As [`verify_batch`] in all else.
pub fn verify_each<M: AsRef<[u8]>, S: AsRef<[u8]>>(
    signed: &[(CheckedKey, M, S)],
    entropy: &dyn Entropy,
) -> Vec<Result<(), CryptoError>> {
    let parse = |signature: &S| parse_signature(signature.as_ref(), Identity::Refused);
    let parsed: Vec<_> = signed.iter().map(|(_, _, signature)| parse(signature)).collect();
    let readable = signed.iter().zip(&parsed).filter_map(|((key, message, _), signature)| {
        let signature = signature.as_ref().ok()?;
        Some((&key.0, message.as_ref(), signature))
    });
    let readable: Vec<Item<'_>> = readable.collect();
    // One alone is not cheaper with a factor.
    let all_hold = readable.len() > 1 && hold_at_once(&readable, entropy);
    let verdict = |((key, message, _), signature): (&(CheckedKey, M, S), Result<Signature, _>)| {
        let signature = signature?;
        match all_hold {
            true => Ok(()),
            false => check(signature.verify(false, message.as_ref(), DST, &[], &key.0, false)),
        }
    };
    signed.iter().zip(parsed).map(verdict).collect()
}

fn holds_at_once<M: AsRef<[u8]>, S: AsRef<[u8]>>(
    signed: &[([u8; PUBLIC_KEY_LEN], M, S)],
    entropy: &dyn Entropy,
) -> Result<bool, BatchError> {
    let mut parsed = Vec::with_capacity(signed.len());
    for (index, (key, message, signature)) in signed.iter().enumerate() {
        let at = |source| BatchError { index, source };
        let key = CheckedKey::parse(key).map_err(at)?;
        let signature = parse_signature(signature.as_ref(), Identity::Refused).map_err(at)?;
        parsed.push((key, message.as_ref(), signature));
    }
    let items: Vec<Item<'_>> =
        parsed.iter().map(|(key, message, signature)| (&key.0, *message, signature)).collect();
    Ok(hold_at_once(&items, entropy))
}

type Item<'a> = (&'a PublicKey, &'a [u8], &'a Signature);

/// Keys and signatures were checked for their subgroups before. False also without random bytes.
fn hold_at_once(items: &[Item<'_>], entropy: &dyn Entropy) -> bool {
    let Some(factors) = factors(items.len(), entropy) else { return false };
    let messages: Vec<&[u8]> = items.iter().map(|(_, message, _)| *message).collect();
    let keys: Vec<&PublicKey> = items.iter().map(|(key, _, _)| *key).collect();
    let signatures: Vec<&Signature> = items.iter().map(|(_, _, signature)| *signature).collect();
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
    result == BLST_ERROR::BLST_SUCCESS
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

    type Signed = ([u8; PUBLIC_KEY_LEN], Vec<u8>, Vec<u8>);

    fn batch(n: u8) -> Vec<Signed> {
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

    #[test]
    fn each_gets_its_own_verdict() {
        let checked = |items: Vec<Signed>| -> Vec<(CheckedKey, Vec<u8>, Vec<u8>)> {
            items.into_iter().map(|(key, m, s)| (CheckedKey::parse(&key).unwrap(), m, s)).collect()
        };
        for n in [0, 1, 2, 9] {
            assert!(verify_each(&checked(batch(n)), &OsEntropy).iter().all(Result::is_ok), "{n}");
            assert!(verify_each(&checked(batch(n)), &Dry).iter().all(Result::is_ok), "{n}");
        }
        let mut mixed = checked(batch(6));
        mixed[1].1[0] ^= 1;
        mixed[4].2.truncate(95);
        let verdicts: Vec<bool> = verify_each(&mixed, &OsEntropy).iter().map(Result::is_ok).collect();
        assert_eq!(verdicts, [true, false, true, true, false, true]);
        // Both wrong, with a right sum.
        let mut swapped = checked(batch(3));
        swapped[1].1 = swapped[0].1.clone();
        let (first, second) = (swapped[0].2.clone(), swapped[1].2.clone());
        (swapped[0].2, swapped[1].2) = (second, first);
        let verdicts: Vec<bool> = verify_each(&swapped, &OsEntropy).iter().map(Result::is_ok).collect();
        assert_eq!(verdicts, [false, false, true]);
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
