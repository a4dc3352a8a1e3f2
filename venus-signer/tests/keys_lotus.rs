#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
//! The folder that Lotus keeps its keys in.
#![cfg(unix)]

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt, symlink};
use std::path::{Path, PathBuf};

use data_encoding::BASE32_NOPAD;
use proptest::prelude::*;
use secrecy::ExposeSecret;
use venus_core::entropy::SeededEntropy;
use venus_core::error::{Classify, ErrorKind};
use venus_core::types::{Address, Network, address};
use venus_signer::import::LotusKeystore;
use venus_signer::{KeyInfo, KeyType, WalletError};

fn key(key_type: KeyType, seed: u64) -> (Address, KeyInfo) {
    let key = KeyInfo::generate(key_type, &SeededEntropy::new(seed, "lotus")).unwrap();
    (key.address().unwrap(), key)
}

fn path_of(folder: &Path, name: &str) -> PathBuf {
    folder.join(BASE32_NOPAD.encode(name.as_bytes()))
}

fn put(path: &Path, text: &str) {
    let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(path).unwrap();
    file.write_all(text.as_bytes()).unwrap();
}

fn wallet_name(signer: &Address, network: Network) -> String {
    format!("wallet-{}", address::format(signer, network))
}

#[test]
fn keys_of_both_networks_are_read_and_the_rest_is_named() {
    let repository = tempfile::tempdir().unwrap();
    let folder = repository.path().join("keystore");
    fs::create_dir(&folder).unwrap();
    let networks = [Network::Mainnet, Network::Testnet, Network::Mainnet];
    let mut keys: Vec<(Address, KeyInfo)> = KeyType::ALL.into_iter().map(|kind| key(kind, 1)).collect();
    for ((signer, key), network) in keys.iter().zip(networks) {
        put(&path_of(&folder, &wallet_name(signer, network)), key.to_json().expose_secret());
    }
    for name in ["auth-jwt-private", "default", "trash-f1abc", "wallet-nobody"] {
        put(&path_of(&folder, name), "{}");
    }
    put(&folder.join("wallet-f1abc\u{1b}[2J"), "not base32");
    put(&path_of(&folder, "line\nbreak"), "not printable");

    for opened in [repository.path(), &folder] {
        let store = LotusKeystore::open(opened).unwrap();
        let listing = store.list().unwrap();
        keys.sort_by_key(|(signer, _)| signer.to_bytes());
        assert_eq!(listing.addresses, keys.iter().map(|(signer, _)| *signer).collect::<Vec<_>>());
        assert_eq!(listing.skipped.len(), 6);
        for name in ["auth-jwt-private", "default", "trash-f1abc", "wallet-nobody", "wallet-f1abc\\u{1b}[2J"]
        {
            assert!(listing.skipped.iter().any(|skipped| skipped == name), "{name}: {:?}", listing.skipped);
        }
        assert!(listing.skipped.iter().all(|name| !name.contains(char::is_control)));
        for (signer, key) in &keys {
            let read = store.read(signer).unwrap();
            assert_eq!(read.to_json().expose_secret(), key.to_json().expose_secret());
        }
        let error = store.read(&key(KeyType::Bls, 2).0).unwrap_err();
        assert!(matches!(error, WalletError::NotFound(_)));
    }
}

#[test]
fn a_file_open_to_others_is_refused_as_lotus_refuses_it() {
    let folder = tempfile::tempdir().unwrap();
    let (signer, key) = key(KeyType::Secp256k1, 3);
    let path = path_of(folder.path(), &wallet_name(&signer, Network::Mainnet));
    put(&path, key.to_json().expose_secret());
    let store = LotusKeystore::open(folder.path()).unwrap();
    for (mode, fine) in
        [(0o600, true), (0o400, true), (0o640, false), (0o604, false), (0o610, false), (0o644, false)]
    {
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        match store.read(&signer) {
            Ok(_) => assert!(fine, "{mode:o}"),
            Err(error) => assert!(!fine && error.to_string().contains("0600"), "{mode:o}: {error}"),
        }
    }
}

#[test]
fn what_a_file_holds_must_be_the_key_it_is_named_after() {
    let folder = tempfile::tempdir().unwrap();
    let ((signer, own), (_, other)) = (key(KeyType::Bls, 4), key(KeyType::Bls, 5));
    let path = path_of(folder.path(), &wallet_name(&signer, Network::Mainnet));
    let store = LotusKeystore::open(folder.path()).unwrap();
    let own = own.to_json();
    let own = own.expose_secret();
    let ledger = r#"{"Type":"secp256k1-ledger","PrivateKey":"eyJBZGRyZXNzIjoiIn0="}"#;
    for text in
        [other.to_json().expose_secret(), ledger, "", "{}", &own[..40], &format!("{own}{}", " ".repeat(5000))]
    {
        put(&path, text);
        let error = store.read(&signer).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Invalid, "{error}");
    }
    put(&path, own);
    assert!(store.read(&signer).is_ok());
    fs::rename(&path, folder.path().join("elsewhere")).unwrap();
    symlink(folder.path().join("elsewhere"), &path).unwrap();
    assert!(matches!(store.read(&signer).unwrap_err(), WalletError::NotFound(_)));
}

#[test]
fn a_folder_that_is_none_is_an_error() {
    let folder = tempfile::tempdir().unwrap();
    assert!(LotusKeystore::open(folder.path().join("missing")).is_err());
    put(&folder.path().join("file"), "");
    assert!(LotusKeystore::open(folder.path().join("file")).is_err());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn any_content_is_an_error_that_shows_nothing(content in proptest::collection::vec(any::<u8>(), 0..200)) {
        let folder = tempfile::tempdir().unwrap();
        let (signer, _) = key(KeyType::Bls, 6);
        let path = path_of(folder.path(), &wallet_name(&signer, Network::Testnet));
        put(&path, "");
        fs::write(&path, &content).unwrap();
        let error = LotusKeystore::open(folder.path()).unwrap().read(&signer).unwrap_err();
        if let Ok(text) = String::from_utf8(content) {
            let shown = format!("{error} {error:?}");
            prop_assert!(text.len() < 12 || !shown.contains(&text), "{}", shown);
        }
    }
}
