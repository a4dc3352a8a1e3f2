#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
//! Keys from words.

use data_encoding::HEXLOWER;
use proptest::prelude::*;
use secrecy::{ExposeSecret, SecretString};
use venus_core::entropy::{Entropy, EntropyError, SeededEntropy};
use venus_core::types::{Network, address};
use venus_signer::{KeyError, KeyFormat, KeyPath, KeyType, Mnemonic, WalletError, WordCount};

/// The public test words of Zondax's filecoin-signing-tools; its addresses are facts of the same file.
const ZONDAX: &str = "equip will roof matter pink blind book anxiety banner elbow sun young";
const ABANDON: &str =
    "abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon about";

/// Random bytes that are known.
struct Fixed(Vec<u8>);

impl Entropy for Fixed {
    fn fill(&self, buf: &mut [u8]) -> Result<(), EntropyError> {
        buf.copy_from_slice(&self.0);
        Ok(())
    }
}

/// No random bytes.
struct Exhausted;

impl Entropy for Exhausted {
    fn fill(&self, _: &mut [u8]) -> Result<(), EntropyError> {
        Err(EntropyError::unavailable("none left"))
    }
}

/// Vectors of BIP-39 itself: entropy and words.
#[test]
fn bip39_words() {
    let legal = "legal winner thank year wave sausage worth useful legal winner thank yellow";
    let art = format!("{}art", "abandon ".repeat(23));
    let vote = format!("{}vote", "zoo ".repeat(23));
    let cases = [
        ("00".repeat(16), WordCount::Twelve, ABANDON),
        ("7f".repeat(16), WordCount::Twelve, legal),
        ("00".repeat(32), WordCount::TwentyFour, art.as_str()),
        ("ff".repeat(32), WordCount::TwentyFour, vote.as_str()),
    ];
    for (entropy, count, phrase) in cases {
        let entropy = Fixed(HEXLOWER.decode(entropy.as_bytes()).unwrap());
        let words = Mnemonic::generate(count, &entropy).unwrap();
        assert_eq!(words.phrase().expose_secret(), phrase);
        assert_eq!(Mnemonic::parse(phrase).unwrap().phrase().expose_secret(), phrase);
    }
    let error = Mnemonic::generate(WordCount::Twelve, &Exhausted).unwrap_err();
    assert!(matches!(error, WalletError::Entropy(_)));
}

fn key_on(words: &str, path: &str) -> venus_signer::KeyInfo {
    let seed = Mnemonic::parse(words).unwrap().seed(None).unwrap();
    seed.key(KeyType::Secp256k1, &KeyPath::parse(path).unwrap()).unwrap()
}

#[test]
fn golden_zondax() {
    let cases = [
        ("m/44'/461'/0/0/1", "f1rovwtiuo5ncslpmpjftzu5akswbgsgighjazxoi"),
        ("m/44'/461'/0/0/0", "f1d2xrzcslx7xlbbylc5c3d5lvandqw4iwl6epxba"),
        ("m/44'/1'/0/0/0", "t137sjdbgunloi7couiy4l5nc7pd6k2jmq32vizpy"),
    ];
    for (path, signer) in cases {
        assert_eq!(key_on(ZONDAX, path).address().unwrap(), address::parse(signer).unwrap(), "{path}");
    }
    let json = key_on(ZONDAX, "m/44'/461'/0/0/0").write(KeyFormat::JsonVenus).unwrap();
    assert!(json.expose_secret().contains("8VcW07ADswS4BV2cxi5rnIadVsyTDDhY1NfDH19T8Uo="));
}

/// The first account that every Ethereum wallet shows for these words.
#[test]
fn delegated_keys_are_those_of_ethereum_wallets() {
    let seed = Mnemonic::parse("test test test test test test test test test test test junk").unwrap();
    for network in [Network::Mainnet, Network::Testnet] {
        let path = KeyPath::standard(KeyType::Delegated, network, 0, 0).unwrap();
        assert_eq!(path.to_string(), "m/44'/60'/0'/0/0");
        let key = seed.seed(None).unwrap().key(KeyType::Delegated, &path).unwrap();
        let eth = venus_core::crypto::delegated::eth_address(&key.address().unwrap()).unwrap();
        assert_eq!(HEXLOWER.encode(&eth), "f39fd6e51aad88f6f4ce6ab8827279cfffb92266");
    }
}

#[test]
fn standard_paths() {
    let path = |key_type, network, account, index| {
        KeyPath::standard(key_type, network, account, index).map(|path| path.to_string())
    };
    let secp = KeyType::Secp256k1;
    assert_eq!(path(secp, Network::Mainnet, 0, 5).unwrap(), "m/44'/461'/0'/0/5");
    assert_eq!(path(secp, Network::Testnet, 3, 0).unwrap(), "m/44'/1'/3'/0/0");
    assert_eq!(path(secp, Network::Mainnet, 0, (1 << 31) - 1).unwrap(), "m/44'/461'/0'/0/2147483647");
    for (account, index) in [(1 << 31, 0), (0, 1 << 31), (u32::MAX, u32::MAX)] {
        assert!(matches!(path(secp, Network::Mainnet, account, index), Err(KeyError::Path(_))));
    }
    assert!(matches!(path(KeyType::Bls, Network::Mainnet, 0, 0), Err(KeyError::Path(_))));
    let seed = Mnemonic::parse(ABANDON).unwrap().seed(None).unwrap();
    let path = KeyPath::parse("m/44h/461h/0h/0/0").unwrap();
    assert_eq!(path, KeyPath::standard(secp, Network::Mainnet, 0, 0).unwrap());
    assert!(matches!(seed.key(KeyType::Bls, &path), Err(KeyError::Path(_))));
    for text in ["", "m", "m/", "44'/0", "m/-1", "m/2147483648", "M/1", "m/1//2", &"m/1".repeat(11)] {
        assert!(matches!(KeyPath::parse(text), Err(KeyError::Path(_))), "{text}");
    }
}

#[test]
fn a_passphrase_leads_elsewhere_and_none_is_empty() {
    let words = Mnemonic::parse(ABANDON).unwrap();
    let path = KeyPath::standard(KeyType::Secp256k1, Network::Mainnet, 0, 0).unwrap();
    let signer = |passphrase: Option<&str>| {
        let passphrase = passphrase.map(SecretString::from);
        let seed = words.seed(passphrase.as_ref()).unwrap();
        seed.key(KeyType::Secp256k1, &path).unwrap().address().unwrap()
    };
    assert_eq!(signer(None), signer(Some("")));
    assert_ne!(signer(None), signer(Some("TREZOR")));
    // BIP-39 asks for NFKD: the same text typed in two ways is one passphrase.
    assert_eq!(signer(Some("\u{e9}")), signer(Some("e\u{301}")));
    assert!(words.seed(Some(&"x".repeat(1025).into())).is_err());
}

#[test]
fn what_is_no_mnemonic_is_told_without_a_word() {
    assert!(Mnemonic::parse(&format!("  {}\n", ZONDAX.to_uppercase().replace(' ', "\t "))).is_ok());
    // One of 16 wrong orders passes the four bits of checksum that 12 words have; this text does not.
    let unchecked = "abandon ".repeat(12);
    let cases = [
        (ZONDAX.replace("roof", "roofs"), KeyError::UnknownWord(3)),
        (ZONDAX.replace("young", "secretword"), KeyError::UnknownWord(12)),
    ];
    for (text, expected) in cases {
        let error = Mnemonic::parse(&text).unwrap_err();
        assert_eq!(error, expected);
        assert!(!format!("{error} {error:?}").contains("secretword"));
    }
    for text in [unchecked.as_str(), "", "abandon", &ZONDAX.replace(" young", ""), &"zoo ".repeat(1000)] {
        let error = Mnemonic::parse(text).unwrap_err();
        assert!(matches!(error, KeyError::Mnemonic(_)), "{error}");
    }
    let words = Mnemonic::parse(ZONDAX).unwrap();
    let shown = format!("{words:?} {:?} {:?}", words.seed(None).unwrap(), words.phrase());
    assert!(ZONDAX.split(' ').all(|word| !shown.contains(word)), "{shown}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn new_words_are_read_again(seed: u64, long: bool) {
        let count = if long { WordCount::TwentyFour } else { WordCount::Twelve };
        let words = Mnemonic::generate(count, &SeededEntropy::new(seed, "words")).unwrap();
        let phrase = words.phrase();
        let again = Mnemonic::parse(phrase.expose_secret()).unwrap();
        let again = again.phrase();
        prop_assert_eq!(again.expose_secret(), phrase.expose_secret());
    }

    #[test]
    fn any_text_is_an_error_or_words(text: String) {
        let _ = Mnemonic::parse(&text);
        let _ = KeyPath::parse(&text);
    }

    #[test]
    fn any_path_reads_back(steps in proptest::collection::vec((0u32..1 << 31, any::<bool>()), 1..=10)) {
        let text: String = steps.iter().map(|(n, hard)| format!("/{n}{}", if *hard { "'" } else { "" })).collect();
        let text = format!("m{text}");
        prop_assert_eq!(KeyPath::parse(&text).unwrap().to_string(), text);
    }
}
