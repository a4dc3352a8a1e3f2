//! Random bytes from a source that can be replaced.

use std::fmt;
use std::sync::Mutex;

use crate::crypto::hash::blake2b_256;

/// A source of random bytes.
pub trait Entropy: Send + Sync {
    /// Fills `buf`.
    ///
    /// # Errors
    /// [`EntropyError`] if the source is exhausted or not available; nothing in `buf` may be used then.
    fn fill(&self, buf: &mut [u8]) -> Result<(), EntropyError>;
}

/// The system has no random bytes to give.
#[derive(Debug, thiserror::Error)]
#[error("no random bytes: {0}")]
pub struct EntropyError(String);

impl EntropyError {
    /// An error of a source of one's own.
    pub fn unavailable(reason: impl Into<String>) -> Self {
        Self(reason.into())
    }
}

/// The operating system's generator. The only source for keys that hold value.
#[derive(Clone, Copy, Debug, Default)]
pub struct OsEntropy;

impl Entropy for OsEntropy {
    fn fill(&self, buf: &mut [u8]) -> Result<(), EntropyError> {
        getrandom::fill(buf).map_err(|e| EntropyError(e.to_string()))
    }
}

/// The same bytes for the same seed and order of calls: for devnets, demos and replays. **Everybody who knows the
/// seed knows the keys.**
pub struct SeededEntropy {
    key: [u8; 32],
    counter: Mutex<u64>,
}

impl SeededEntropy {
    /// A source that depends on `seed` and `domain` only. Domains keep uses of one seed apart.
    pub fn new(seed: u64, domain: &str) -> Self {
        let input = [b"venus seeded entropy".as_slice(), &seed.to_be_bytes(), domain.as_bytes()].concat();
        Self { key: blake2b_256(&input), counter: Mutex::new(0) }
    }
}

impl Entropy for SeededEntropy {
    fn fill(&self, buf: &mut [u8]) -> Result<(), EntropyError> {
        let mut counter = self.counter.lock().map_err(|e| EntropyError(e.to_string()))?;
        for chunk in buf.chunks_mut(32) {
            let block = blake2b_256(&[self.key.as_slice(), &counter.to_be_bytes()].concat());
            *counter += 1;
            chunk.iter_mut().zip(block).for_each(|(byte, random)| *byte = random);
        }
        Ok(())
    }
}

impl fmt::Debug for SeededEntropy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SeededEntropy")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bytes(source: &dyn Entropy, n: usize) -> Vec<u8> {
        let mut buf = vec![0; n];
        source.fill(&mut buf).unwrap();
        buf
    }

    #[test]
    fn seeded_bytes_repeat_and_domains_differ() {
        let (a, b) = (SeededEntropy::new(7, "keys"), SeededEntropy::new(7, "keys"));
        assert_eq!(bytes(&a, 100), bytes(&b, 100));
        assert_ne!(bytes(&a, 32), bytes(&SeededEntropy::new(7, "ids"), 32));
        assert_ne!(bytes(&a, 32), bytes(&SeededEntropy::new(8, "keys"), 32));
        assert_ne!(bytes(&OsEntropy, 32), bytes(&OsEntropy, 32));
    }
}
