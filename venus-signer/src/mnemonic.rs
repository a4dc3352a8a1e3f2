//! Keys from words: BIP-39 mnemonics, and BIP-32 keys on the paths of BIP-44.
//!
//! | key | path | found again by |
//! |---|---|---|
//! | secp256k1 (`f1`) | `m/44'/461'/account'/0/index` | the Filecoin application of Ledger, and most wallets of the network |
//! | secp256k1 of a test network | `m/44'/1'/account'/0/index` | the same, by SLIP-44's number for all test networks |
//! | delegated (`f410f`) | `m/44'/60'/account'/0/index`, on every network | every Ethereum wallet |
//!
//! Some tools did not harden the account (`m/44'/461'/0/0/1`): [`KeyPath::parse`] reads such a path as it is written.
//!
//! **BLS keys do not come from words here.** BIP-32 has no rule for them, and the tools that offer it disagree (EIP-2333,
//! or the ECDSA scalar reduced), so that words would not bring the key back in another wallet. Export BLS keys.

use std::fmt;

use bip32::{ChildNumber, DerivationPath, XPrv};
use bip39::Language;
use secrecy::{ExposeSecret, SecretString};
use venus_core::entropy::Entropy;
use venus_core::types::Network;
use zeroize::Zeroizing;

use crate::error::{KeyError, WalletError};
use crate::key::{KeyInfo, KeyType};

/// Longest text that is looked at, bytes: 24 words of at most 8 letters, and generous white space.
const MAX_TEXT: usize = 1024;
/// Longest passphrase, bytes.
const MAX_PASSPHRASE: usize = 1024;
/// Most steps of a path. BIP-44 has five.
const MAX_STEPS: usize = 10;
/// SLIP-44's numbers.
const FILECOIN: u32 = 461;
const TESTNETS: u32 = 1;
const ETHEREUM: u32 = 60;

/// How many words a new mnemonic has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum WordCount {
    /// 128 bits.
    Twelve,
    /// 256 bits.
    #[default]
    TwentyFour,
}

/// English words that keys are derived from. They are wiped when dropped, and no format shows them.
///
/// ```
/// use venus_core::types::Network;
/// use venus_signer::{KeyPath, KeyType, Mnemonic};
/// // Everybody knows these words: never use them.
/// let words = Mnemonic::parse("equip will roof matter pink blind book anxiety banner elbow sun young")?;
/// let path = KeyPath::standard(KeyType::Secp256k1, Network::Mainnet, 0, 0)?;
/// assert_eq!(path.to_string(), "m/44'/461'/0'/0/0");
/// let key = words.seed(None)?.key(KeyType::Secp256k1, &path)?;
/// assert_eq!(key.key_type(), KeyType::Secp256k1);
/// # Ok::<(), venus_signer::KeyError>(())
/// ```
pub struct Mnemonic(bip39::Mnemonic);

impl Mnemonic {
    /// New words. Their quality is that of `entropy`.
    ///
    /// # Errors
    /// [`WalletError::Entropy`].
    pub fn generate(words: WordCount, entropy: &dyn Entropy) -> Result<Self, WalletError> {
        let mut bytes = Zeroizing::new(match words {
            WordCount::Twelve => vec![0; 16],
            WordCount::TwentyFour => vec![0; 32],
        });
        entropy.fill(&mut bytes)?;
        let words = bip39::Mnemonic::from_entropy(&bytes);
        words.map(Self).map_err(|_| WalletError::Entropy("the random bytes form no words".into()))
    }

    /// Reads 12, 15, 18, 21 or 24 words. Case and the amount of white space do not matter; the checksum does.
    ///
    /// # Errors
    /// [`KeyError::UnknownWord`] tells the position of a word, never the word; [`KeyError::Mnemonic`] for another number
    /// of words or a wrong checksum.
    pub fn parse(text: &str) -> Result<Self, KeyError> {
        if text.len() > MAX_TEXT {
            return Err(KeyError::Mnemonic("is longer than 24 words"));
        }
        // In place: growing a text would leave pieces of it behind in memory.
        let mut lower = Zeroizing::new(text.to_owned());
        lower.make_ascii_lowercase();
        let words = bip39::Mnemonic::parse_in_normalized(Language::English, &lower);
        words.map(Self).map_err(|error| match error {
            bip39::Error::UnknownWord(at) => KeyError::UnknownWord(at + 1),
            bip39::Error::InvalidChecksum => {
                KeyError::Mnemonic("has a wrong checksum: check the words' order")
            }
            _ => KeyError::Mnemonic("must have 12, 15, 18, 21 or 24 words"),
        })
    }

    /// The words, with one space between them, to be written down.
    pub fn phrase(&self) -> SecretString {
        // Exactly as long as needed: growing or shrinking a text leaves a copy of it behind in memory.
        let length: usize = self.0.words().map(|word| word.len() + 1).sum();
        let mut phrase = String::with_capacity(length.saturating_sub(1));
        for word in self.0.words() {
            if !phrase.is_empty() {
                phrase.push(' ');
            }
            phrase.push_str(word);
        }
        phrase.into()
    }

    /// What keys are derived from. A passphrase leads to entirely other keys; none is the same as an empty one, and a
    /// wrong one is no error. Takes 2048 rounds of PBKDF2, some milliseconds.
    ///
    /// # Errors
    /// [`KeyError::Mnemonic`] for a passphrase over 1024 bytes.
    pub fn seed(&self, passphrase: Option<&SecretString>) -> Result<Seed, KeyError> {
        let passphrase = passphrase.map_or("", ExposeSecret::expose_secret);
        if passphrase.len() > MAX_PASSPHRASE {
            return Err(KeyError::Mnemonic("has a passphrase of more than 1024 bytes"));
        }
        Ok(Seed(Zeroizing::new(self.0.to_seed(passphrase))))
    }
}

impl fmt::Debug for Mnemonic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Mnemonic").field("words", &self.0.word_count()).finish_non_exhaustive()
    }
}

/// What all keys of a mnemonic come from. Wiped when dropped, and no format shows it.
pub struct Seed(Zeroizing<[u8; 64]>);

impl Seed {
    /// The key on a path.
    ///
    /// # Errors
    /// [`KeyError::Path`] for BLS keys (see the [module](self)), and, once in 2^127 paths, for one without a key.
    pub fn key(&self, key_type: KeyType, path: &KeyPath) -> Result<KeyInfo, KeyError> {
        if key_type == KeyType::Bls {
            return Err(NO_BLS);
        }
        let key = XPrv::derive_from_path(self.0.as_slice(), &path.0);
        let key = key.map_err(|_| KeyError::Path("has no key, take the next index"))?;
        let secret = Zeroizing::new(<[u8; 32]>::from(key.private_key().to_bytes()));
        KeyInfo::new(key_type, secret.as_slice())
    }
}

impl fmt::Debug for Seed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Seed").finish_non_exhaustive()
    }
}

/// Where a key stands in the tree of keys of a mnemonic.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyPath(DerivationPath);

impl KeyPath {
    /// The usual path; see the [table](self).
    ///
    /// # Errors
    /// [`KeyError::Path`] for BLS keys, and numbers from 2^31.
    pub fn standard(key_type: KeyType, network: Network, account: u32, index: u32) -> Result<Self, KeyError> {
        let coin = match (key_type, network) {
            (KeyType::Bls, _) => return Err(NO_BLS),
            (KeyType::Delegated, _) => ETHEREUM,
            (KeyType::Secp256k1, Network::Mainnet) => FILECOIN,
            (KeyType::Secp256k1, Network::Testnet) => TESTNETS,
        };
        let mut path = DerivationPath::default();
        for (number, hardened) in [(44, true), (coin, true), (account, true), (0, false), (index, false)] {
            let step = ChildNumber::new(number, hardened);
            path.push(step.map_err(|_| KeyError::Path("has an account or index that is not below 2^31"))?);
        }
        Ok(Self(path))
    }

    /// Reads a path as `m/44'/461'/0'/0/1`; a hardened step ends with `'` or `h`.
    ///
    /// # Errors
    /// [`KeyError::Path`] for anything else, and for no step or more than ten.
    pub fn parse(text: &str) -> Result<Self, KeyError> {
        // Counted first, so that what is kept is bounded.
        if !(1..=MAX_STEPS).contains(&text.split('/').skip(1).take(MAX_STEPS + 1).count()) {
            return Err(KeyError::Path("must have 1 to 10 steps, as m/44'/461'/0'/0/0"));
        }
        text.parse().map(Self).map_err(|_| KeyError::Path("must look like m/44'/461'/0'/0/0"))
    }
}

impl fmt::Display for KeyPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

const NO_BLS: KeyError =
    KeyError::Path("leads to no BLS key: wallets disagree on one; generate it and export it");
