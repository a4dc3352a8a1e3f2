#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
//! The text forms of keys: what they are, and that no broken one panics or is shown.

use data_encoding::{BASE64, HEXLOWER};
use proptest::prelude::*;
use secrecy::ExposeSecret;
use venus_core::entropy::SeededEntropy;
use venus_core::types::address;
use venus_signer::import::forest_keystore;
use venus_signer::{KeyError, KeyFormat, KeyInfo, KeyType, Mnemonic};

/// A key that venus-wallet exported: JSON, its hex, the scalar and the address.
const JSON: &str = r#"{"Type":"secp256k1","PrivateKey":"bnvVe8mSXqq4as8F3eLdzt8yJmhvNCL7q2yZlfWxCA0="}"#;
const HEX: &str = "7b2254797065223a22736563703235366b31222c22507269766174654b6579223a22626e765665386d53587171346173384633654c647a7438794a6d68764e434c377132795a6c6657784341303d227d";
const SECRET: &str = "bnvVe8mSXqq4as8F3eLdzt8yJmhvNCL7q2yZlfWxCA0=";
const SIGNER: &str = "t12mchblwgi243re5i2pg2harmnqvm6q3rwb2cnpy";

fn eth() -> String {
    format!("0x{}", HEXLOWER.encode(&BASE64.decode(SECRET.as_bytes()).unwrap()))
}

fn read(format: KeyFormat, text: &str) -> Result<KeyInfo, KeyError> {
    let key_type = (format == KeyFormat::HexEth).then_some(KeyType::Secp256k1);
    KeyInfo::read(format, text, key_type)
}

#[test]
fn golden_formats() {
    let gfc = format!(r#"{{"KeyInfo":[{{"PrivateKey":"{SECRET}","SigType":1}}]}}"#);
    let eth = eth();
    let cases = [
        (KeyFormat::HexVenus, HEX),
        (KeyFormat::HexLotus, HEX),
        (KeyFormat::JsonVenus, JSON),
        (KeyFormat::JsonLotus, JSON),
        (KeyFormat::GfcJson, gfc.as_str()),
        (KeyFormat::HexEth, eth.as_str()),
    ];
    for (format, text) in cases {
        let key = read(format, &format!("\n {text}\t")).unwrap();
        assert_eq!(key.address().unwrap(), address::parse(SIGNER).unwrap(), "{format}");
        assert_eq!(key.write(format).unwrap().expose_secret(), text, "{format}");
    }
    assert_eq!(KeyFormat::default(), KeyFormat::HexVenus);
    for format in KeyFormat::ALL {
        assert_eq!(format.to_string().parse(), Ok(format));
    }
    let error = KeyFormat::parse(HEX).unwrap_err().to_string();
    assert!(error.starts_with("format: ") && !error.contains(&HEX[..12]), "{error}");
}

#[test]
fn members_may_have_any_case_and_types_be_numbers() {
    for (number, key_type) in [(1, KeyType::Secp256k1), (2, KeyType::Bls), (3, KeyType::Delegated)] {
        let secret = BASE64.encode(&[7; 32]);
        let gfc = format!(
            r#"{{"keyinfo":[{{"privatekey":"{secret}","SIGTYPE":{number},"More":[1,{{}}]}},{{"SigType":9}}]}}"#
        );
        let json = format!(r#"{{"TYPE":{number},"privateKey":"{secret}"}}"#);
        for (format, text) in [(KeyFormat::GfcJson, gfc), (KeyFormat::JsonLotus, json)] {
            let key = KeyInfo::read(format, &text, Some(key_type)).unwrap();
            assert_eq!(key.key_type(), key_type);
            let other = KeyType::ALL.into_iter().find(|other| *other != key_type);
            let error = KeyInfo::read(format, &text, other).unwrap_err();
            assert!(matches!(error, KeyError::Field { field: "Type", .. }), "{error}");
        }
    }
}

#[test]
fn an_ethereum_key_needs_its_type() {
    let digits = eth()[2..].to_uppercase();
    for text in [eth(), digits.clone(), format!("0X{digits}")] {
        for key_type in [KeyType::Secp256k1, KeyType::Delegated] {
            let key = KeyInfo::read(KeyFormat::HexEth, &text, Some(key_type)).unwrap();
            assert_eq!(
                (key.key_type(), key.write(KeyFormat::HexEth).unwrap().expose_secret()),
                (key_type, &*eth())
            );
        }
        for key_type in [None, Some(KeyType::Bls)] {
            let error = KeyInfo::read(KeyFormat::HexEth, &text, key_type).unwrap_err();
            assert!(matches!(error, KeyError::Field { field: "Type", .. }), "{error}");
        }
    }
    let bls = KeyInfo::generate(KeyType::Bls, &SeededEntropy::new(1, "eth")).unwrap();
    assert!(bls.write(KeyFormat::HexEth).is_err() && bls.write(KeyFormat::ForestJson).is_err());
}

#[test]
fn errors_name_the_member() {
    let gfc = |inner: &str| format!(r#"{{"KeyInfo":{inner}}}"#);
    let cases = [
        (KeyFormat::GfcJson, "[]".to_owned(), "key info"),
        (KeyFormat::GfcJson, "{}".into(), "KeyInfo: missing"),
        (KeyFormat::GfcJson, gfc("{}"), "KeyInfo: missing or no list"),
        (KeyFormat::GfcJson, gfc("[]"), "KeyInfo: is empty"),
        (KeyFormat::GfcJson, gfc(&format!("[\"{SECRET}\"]")), "KeyInfo: its first element"),
        (KeyFormat::GfcJson, gfc(&format!("[{{\"PrivateKey\":\"{SECRET}\"}}]")), "SigType: missing"),
        (
            KeyFormat::GfcJson,
            gfc(&format!("[{{\"PrivateKey\":\"{SECRET}\",\"SigType\":4}}]")),
            "SigType: expected",
        ),
        (KeyFormat::GfcJson, gfc("[{\"SigType\":1,\"PrivateKey\":[1]}]"), "PrivateKey: missing or no text"),
        (KeyFormat::JsonVenus, JSON.replace("=\"", "\""), "PrivateKey: not base64"),
        (KeyFormat::JsonVenus, JSON.replace("bnvVe8mS", ""), "PrivateKey has 26 bytes"),
        (KeyFormat::JsonVenus, JSON.replace(SECRET, &BASE64.encode(&[0; 32])), "PrivateKey is zero"),
        (
            KeyFormat::JsonVenus,
            JSON.replace(SECRET, &BASE64.encode(&[255; 32])),
            "out of range for secp256k1",
        ),
        (KeyFormat::HexVenus, JSON.into(), "not hex"),
        (KeyFormat::HexVenus, HEX[1..].into(), "not hex"),
        (KeyFormat::HexEth, format!("0x{}", eth()), "expected 0x"),
        (KeyFormat::HexEth, eth()[..64].into(), "PrivateKey has 31 bytes"),
        (KeyFormat::HexEth, format!("{}\u{e9}", eth()), "expected 0x"),
        (KeyFormat::ForestJson, JSON.into(), "no key of a wallet"),
    ];
    for (format, text, expected) in cases {
        let error = read(format, &text).unwrap_err();
        let shown = format!("{error} {error:?}");
        assert!(shown.contains(expected), "{format}: {shown}");
        assert!(!shown.contains("bnvVe8") && !shown.contains("6e7bd57b"), "{shown}");
    }
    // The biggest BLS scalar text that Go reduces to another key.
    let reduced = format!(r#"{{"Type":"bls","PrivateKey":"{}"}}"#, BASE64.encode(&[255; 32]));
    assert_eq!(read(KeyFormat::JsonVenus, &reduced).unwrap_err(), KeyError::OutOfRange("bls"));
    for format in KeyFormat::ALL {
        assert!(read(format, &"7b".repeat(1 << 20)).is_err(), "{format}");
        assert!(read(format, &"[".repeat(4000)).is_err(), "{format}");
    }
}

#[test]
fn a_forest_keystore_is_read_and_the_rest_counted() {
    let secret = |byte: u8| BASE64.encode(&[byte; 32]);
    let file = format!(
        r#"{{
            "wallet-f1a": {{"key_type":"secp256k1","private_key":"{}"}},
            "default": {{"key_type":1,"private_key":"{}"}},
            "wallet-t3b": {{"key_type":"bls","private_key":"{}"}},
            "wallet-broken": {{"key_type":"bls","private_key":"AAAA"}},
            "wallet-text": "{}",
            "auth-jwt-private": {{"key_type":"bls","private_key":"AAAA"}}
        }}"#,
        secret(1),
        secret(1),
        secret(2),
        secret(3)
    );
    let store = forest_keystore(&file).unwrap();
    let kinds: Vec<KeyType> = store.keys.iter().map(KeyInfo::key_type).collect();
    assert_eq!(kinds, [KeyType::Secp256k1, KeyType::Bls]);
    assert_eq!(store.skipped, (3, Some(KeyError::Length(3))));
    assert!(!format!("{store:?}").contains(&secret(1)[..8]));
    assert!(KeyInfo::read(KeyFormat::ForestJson, &file, None).is_err());
    let two = format!(
        r#"{{"wallet-a":{{"key_type":1,"private_key":"{}"}},"wallet-b":{{"key_type":3,"private_key":"{}"}}}}"#,
        secret(1),
        secret(1)
    );
    let error = KeyInfo::read(KeyFormat::ForestJson, &two, None).unwrap_err();
    assert!(error.to_string().contains("several"), "{error}");
    let one = two.replace("wallet-b", "token");
    assert_eq!(KeyInfo::read(KeyFormat::ForestJson, &one, None).unwrap().key_type(), KeyType::Secp256k1);
    for text in ["", "[]", "null", "7", "{", &" ".repeat((1 << 20) + 1)] {
        assert!(forest_keystore(text).is_err());
    }
}

fn key_type() -> impl Strategy<Value = KeyType> {
    proptest::sample::select(KeyType::ALL.to_vec())
}

fn format() -> impl Strategy<Value = KeyFormat> {
    proptest::sample::select(KeyFormat::ALL.to_vec())
}

/// Texts near to keys: JSON with pieces that belong there, in any order.
fn almost() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        4 => proptest::sample::select(vec![
            "{", "}", "[", "]", ":", ",", "\"", "null", "1", "2", "-1", "1e9", "\"Type\":", "\"type\":2", "\"bls\"",
            "\"PrivateKey\":", "\"KeyInfo\":[", "\"SigType\":3", "\"wallet-f1\":{", "\"key_type\":1,", "0x", "\\u0000",
        ]).prop_map(str::to_owned),
        1 => ".{0,8}",
        1 => Just(format!("\"{SECRET}\"")),
        1 => Just(HEX.to_owned()),
    ];
    proptest::collection::vec(piece, 0..16).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn every_format_reads_what_it_writes(key_type in key_type(), format in format(), seed: u64) {
        let key = KeyInfo::generate(key_type, &SeededEntropy::new(seed, "formats")).unwrap();
        match key.write(format) {
            Ok(text) => {
                let again = KeyInfo::read(format, text.expose_secret(), Some(key_type)).unwrap();
                prop_assert_eq!(again.address(), key.address());
                let (again, first) = (again.to_hex(), key.to_hex());
                prop_assert_eq!(again.expose_secret(), first.expose_secret());
            }
            Err(_) => prop_assert!(
                format == KeyFormat::ForestJson || (format, key_type) == (KeyFormat::HexEth, KeyType::Bls)
            ),
        }
    }

    #[test]
    fn any_bytes_are_a_key_or_an_error(key_type in key_type(), bytes: Vec<u8>, exact: [u8; 32]) {
        let _ = KeyInfo::new(key_type, &bytes);
        // Most 32 bytes are an ECDSA key, and fewer than half are one of BLS.
        if let Ok(key) = KeyInfo::new(key_type, &exact) {
            let hex = HEXLOWER.encode(&exact);
            let shown = format!("{key:?}");
            prop_assert!(!shown.contains(&hex[..12]), "{}", shown);
            prop_assert!(key.to_json().expose_secret().contains(&BASE64.encode(&exact)));
        }
    }

    #[test]
    fn any_text_is_a_key_or_an_error_that_shows_nothing(
        format in format(),
        text in prop_oneof![almost(), any::<String>()],
        key_type in proptest::option::of(key_type()),
    ) {
        let shown = match KeyInfo::read(format, &text, key_type) {
            Ok(key) => format!("{key:?}"),
            Err(error) => format!("{error} {error:?}"),
        };
        for secret in [&SECRET[..10], &HEX[..20], "6e7bd57b"] {
            prop_assert!(!shown.contains(secret), "{}", shown);
        }
    }

    /// A key in which something was broken is another key or an error, and the error shows none of it.
    #[test]
    fn a_broken_export_is_not_shown(format in format(), at: prop::sample::Index, byte in 0x20u8..0x7f, cut: bool) {
        let key = read(KeyFormat::JsonVenus, JSON).unwrap();
        let Ok(text) = key.write(format) else { return Ok(()) };
        let mut text = text.expose_secret().as_bytes().to_vec();
        let at = at.index(text.len());
        if cut { text.truncate(at) } else { text[at] = byte }
        let text = String::from_utf8(text).unwrap();
        if let Err(error) = read(format, &text) {
            let shown = format!("{error} {error:?}");
            for start in (0..text.len().saturating_sub(12)).step_by(4) {
                let piece = &text[start..start + 12];
                prop_assert!(!shown.contains(piece) || piece.contains("Key"), "{}", shown);
            }
        }
        let _ = Mnemonic::parse(&text);
    }
}
