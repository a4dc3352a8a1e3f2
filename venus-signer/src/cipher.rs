//! Encryption of keys at rest: the `crypto` object of Ethereum's keystore files, version 3, over the Keccak hash of
//! the password. venus-wallet reads what is written here, and the other way round.

mod params;
mod wire;

use std::fmt;

use aes::Aes128;
use aes::cipher::{KeyIvInit, StreamCipher};
use ctr::Ctr128BE;
use secrecy::{ExposeSecret, SecretBox, SecretString};
use sha2::Sha256;
use sha3::{Digest, Keccak256};
use subtle::ConstantTimeEq;
use venus_core::entropy::{Entropy, EntropyError};
use zeroize::Zeroizing;

pub use self::params::ScryptParams;
pub(crate) use self::params::{Kdf, MAX_MEMORY};
use self::wire::Wire;

/// Length of a derived key, bytes: the first half encrypts, the second authenticates.
const DERIVED: usize = 32;
/// Length of new salts, bytes.
const SALT: usize = 32;
/// Length of a counter block, bytes.
const IV: usize = 16;
/// Longest text that is looked at, characters. One over a 32-byte key has about 400.
pub(crate) const MAX_TEXT: usize = 4096;

/// Why a sealed key was not opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum CipherError {
    /// Another password, or the ciphertext was changed: nothing can tell the two apart.
    #[error("could not decrypt key with given password")]
    Mac,
    /// The sealed form is not one, or asks for more than [`MAX_MEMORY`] or minutes of work.
    #[error("{0}")]
    Malformed(&'static str),
}

/// What stands for a password in memory: its legacy Keccak-256 hash, wiped when dropped.
pub(crate) struct PasswordHash(SecretBox<[u8; 32]>);

impl PasswordHash {
    pub(crate) fn of(password: &SecretString) -> Self {
        Self(SecretBox::init_with_mut(|hash: &mut [u8; 32]| {
            Keccak256::new_with_prefix(password.expose_secret()).finalize_into(hash.into());
        }))
    }

    /// A password that nobody knows, for keys that never leave memory.
    pub(crate) fn random(entropy: &dyn Entropy) -> Self {
        Self(SecretBox::init_with_mut(|hash: &mut [u8; 32]| {
            // Without random bytes keys are sealed under zeros; what opens them lies in the same memory anyway.
            let _ = entropy.fill(hash);
        }))
    }

    /// Whether two passwords are equal, in the same time for all.
    pub(crate) fn is(&self, other: &Self) -> bool {
        self.0.expose_secret().ct_eq(other.0.expose_secret()).into()
    }
}

impl fmt::Debug for PasswordHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PasswordHash")
    }
}

/// A sealed secret, read and within bounds, not yet opened.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Sealed {
    kdf: Kdf,
    salt: Vec<u8>,
    iv: [u8; IV],
    ciphertext: Vec<u8>,
    mac: [u8; 32],
}

impl Sealed {
    /// Reads the JSON object.
    ///
    /// # Errors
    /// [`CipherError::Malformed`].
    pub(crate) fn parse(json: &str) -> Result<Self, CipherError> {
        if json.len() > MAX_TEXT {
            return Err(CipherError::Malformed("longer than any sealed key"));
        }
        let wire: Wire =
            serde_json::from_str(json).map_err(|_| CipherError::Malformed("no sealed key (CryptoJSON)"))?;
        wire.read()
    }

    /// Encrypts with a fresh salt and counter. Takes as long and as much memory as `params` say.
    ///
    /// # Errors
    /// [`EntropyError`] without random bytes.
    pub(crate) fn seal(
        password: &PasswordHash,
        params: ScryptParams,
        entropy: &dyn Entropy,
        secret: &[u8],
    ) -> Result<Self, EntropyError> {
        let (mut salt, mut iv) = (vec![0; SALT], [0; IV]);
        entropy.fill(&mut salt)?;
        entropy.fill(&mut iv)?;
        let kdf = Kdf::Scrypt(params);
        let derived = derive(&kdf, password, &salt).map_err(|e| EntropyError::unavailable(e.to_string()))?;
        let mut ciphertext = secret.to_vec();
        apply(&derived, &iv, &mut ciphertext);
        let mac = mac(&derived, &ciphertext);
        Ok(Self { kdf, salt, iv, ciphertext, mac })
    }

    /// The JSON object, with members and bytes as Go writes them.
    pub(crate) fn to_json(&self) -> String {
        wire::write(self)
    }

    /// What opening costs.
    pub(crate) fn kdf(&self) -> &Kdf {
        &self.kdf
    }

    /// Decrypts. Takes as long and as much memory as [`Sealed::kdf`] says.
    ///
    /// # Errors
    /// [`CipherError::Mac`] for another password.
    pub(crate) fn open(&self, password: &PasswordHash) -> Result<Zeroizing<Vec<u8>>, CipherError> {
        let derived = derive(&self.kdf, password, &self.salt)?;
        let matches: bool = mac(&derived, &self.ciphertext).ct_eq(&self.mac).into();
        if !matches {
            return Err(CipherError::Mac);
        }
        let mut secret = Zeroizing::new(self.ciphertext.clone());
        apply(&derived, &self.iv, &mut secret);
        Ok(secret)
    }
}

type Derived = Zeroizing<[u8; DERIVED]>;

fn derive(kdf: &Kdf, password: &PasswordHash, salt: &[u8]) -> Result<Derived, CipherError> {
    let mut derived = Zeroizing::new([0; DERIVED]);
    let password = password.0.expose_secret();
    match kdf {
        Kdf::Scrypt(params) => scrypt::scrypt(password, salt, &params.checked()?, derived.as_mut_slice())
            .map_err(|_| CipherError::Malformed("scrypt parameters are out of range"))?,
        Kdf::Pbkdf2 { rounds } => {
            pbkdf2::pbkdf2_hmac::<Sha256>(password, salt, *rounds, derived.as_mut_slice());
        }
    }
    Ok(derived)
}

/// Encrypts or decrypts in place; counter mode is its own inverse.
fn apply(derived: &Derived, iv: &[u8; IV], data: &mut [u8]) {
    let (key, _) = halves(derived);
    Ctr128BE::<Aes128>::new(&key.into(), iv.into()).apply_keystream(data);
}

fn mac(derived: &Derived, ciphertext: &[u8]) -> [u8; 32] {
    let (_, key) = halves(derived);
    Keccak256::new().chain_update(key).chain_update(ciphertext).finalize().into()
}

fn halves(derived: &Derived) -> ([u8; 16], [u8; 16]) {
    let (mut key, mut mac) = ([0; 16], [0; 16]);
    let (first, second) = derived.split_at(DERIVED / 2);
    key.copy_from_slice(first);
    mac.copy_from_slice(second);
    (key, mac)
}

#[cfg(test)]
mod tests;
