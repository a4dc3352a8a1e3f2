use data_encoding::{BASE64, HEXLOWER};
use venus_core::crypto;
use venus_core::entropy::{Entropy, EntropyError, SeededEntropy};
use venus_core::types::{Address, SignatureType, address};
use zeroize::{Zeroize, ZeroizeOnDrop};

use super::*;
use crate::error::WalletError;

/// The orders of the groups, big-endian.
const BLS_ORDER: &str = "73eda753299d7d483339d80809a1d80553bda402fffe5bfeffffffff00000001";
const SECP_ORDER: &str = "fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141";

fn hex(text: &str) -> Vec<u8> {
    HEXLOWER.decode(text.as_bytes()).unwrap()
}

fn key(key_type: KeyType, text: &str) -> KeyInfo {
    KeyInfo::new(key_type, &hex(text)).unwrap()
}

#[test]
fn golden_secp256k1() {
    let key = key(KeyType::Secp256k1, "2a2a2a2a2a2a2a2a5fbf0ed0f8364c01ff27540ecd6669ff4cc548cbe60ef5ab");
    assert_eq!(key.address().unwrap().to_string(), "f17rmoshisxovfjkrox2gpryaupmsalzy2tlaluiq");
    let signature = key.sign(b"hello filecoin").unwrap();
    assert_eq!(
        HEXLOWER.encode(&signature.data),
        "4c49bacbd5a1e9734595d77a7ae8909ae35859e182344c0f1c081d8fdc6749302d50ae81d0d80c9c4be9cf3071bf7b0c465a19aea1023b21239b8bbdffd0ca8d01"
    );
    assert_eq!(signature.sig_type, SignatureType::Secp256k1);
}

#[test]
fn golden_bls() {
    let key = key(KeyType::Bls, "33ff38fa8c1c53c3ef1b2f811cee9ce4f7ec2ce90b16ceeb9675dc6aa3d04817");
    assert_eq!(
        key.address().unwrap().to_string(),
        "f3tho7tbdrw3xuy6ybz6p5tfc7nsqqa2ozhsrnmhwynrb3keeaeywe3felidbpgvy2wcxktmxcezlpz7pbu5pq"
    );
    assert_eq!(
        HEXLOWER.encode(&key.sign(b"hello filecoin").unwrap().data),
        "828e485cf906ae5deda33ec3e16b2a5ac761ab5a6109f481134a4dd40d7b5c3b03d187f614c7dd85d142ff50b902bdf50923f58b5bb741b4a522bf17f8efe5cf3f8f51715cd31a765eb5e5d76889102752d2cc2efa4287829cacb4de2be07cf7"
    );
}

#[test]
fn golden_delegated() {
    let key = key(KeyType::Delegated, "33ff38fa8c1c53c3ef1b2f811cee9ce4f7ec2ce90b16ceeb9675dc6aa3d04821");
    let address = key.address().unwrap();
    assert_eq!(address.to_string(), "f410fnz6o7a4owcgw33z2zvsxtuf64aoxlmcn4dh5hzy");
    let eth = crypto::delegated::eth_address(&address).unwrap();
    assert_eq!(HEXLOWER.encode(&eth), "6e7cef838eb08d6def3acd6579d0bee01d75b04d");
    let signature = key.sign(b"hello filecoin").unwrap();
    assert_eq!(
        HEXLOWER.encode(&signature.data),
        "e8f6ad5958dde03013e45fc77f71238cd0013af0d05ec5569007f70ffa7d2453007e7a581dcdf6d9f8e89846de210b74b188d8e1d2629f2d351e9e92f08be29600"
    );
    assert_eq!(signature.sig_type, SignatureType::Delegated);
}

/// The keys that web3signer's Filecoin mode was tested with.
#[test]
fn golden_web3signer() {
    let cases = [
        (
            KeyType::Secp256k1,
            "WrwTNNmNFDIVDfMQ+dL9UXgKK4p0iYkfXUq5535vsWk=",
            "t1656rklyebnscuzs5dee3zwh2xknlqsy7r2ypxei",
        ),
        (
            KeyType::Bls,
            "z38sVnSEnswoEHFC9e4g/aPk96c1NvXt425UKv/tKz0=",
            "t3sjhgtrk5fdio52k5lzanh7yy4mj4rqbiowd6odddzprrxejgbjbl2irr3gmpbf7epigf45oy7asljj3v3lva",
        ),
    ];
    for (key_type, secret, signer) in cases {
        let key = KeyInfo::new(key_type, &BASE64.decode(secret.as_bytes()).unwrap()).unwrap();
        assert_eq!(key.address().unwrap(), address::parse(signer).unwrap());
        for bytes in [b"".as_slice(), b"42"] {
            let signature = key.sign(bytes).unwrap();
            crypto::verify(&signature, &key.address().unwrap(), bytes).unwrap();
            assert_eq!(key.sign(bytes).unwrap(), signature);
        }
    }
}

#[test]
fn deviation_07_signatures_are_deterministic_and_of_low_s() {
    for key_type in KeyType::ALL {
        let key = KeyInfo::generate(key_type, &SeededEntropy::new(9, "sign")).unwrap();
        for length in [0, 1, 38, 1000] {
            let bytes = vec![7; length];
            let signature = key.sign(&bytes).unwrap();
            assert_eq!(signature.sig_type, key_type.signature_type());
            crypto::verify(&signature, &key.address().unwrap(), &bytes).unwrap();
            assert_eq!(key.clone().sign(&bytes).unwrap(), signature);
            if key_type != KeyType::Bls {
                assert!(signature.data.len() == 65 && signature.data[64] < 2);
                let scalars = k256::ecdsa::Signature::from_slice(&signature.data[..64]).unwrap();
                assert!(scalars.normalize_s().is_none(), "high S");
            }
        }
        assert!(std::ptr::eq(key.expose(), key.clone().expose()));
        assert_eq!(KeyInfo::new(key_type, key.expose()).unwrap().address(), key.address());
    }
}

/// The types promise it; only with unsafe code could a test look.
#[test]
fn what_holds_a_secret_wipes_itself() {
    fn wiped_on_drop<T: ZeroizeOnDrop>() {}
    fn wiped<T: Zeroize>() {}
    wiped_on_drop::<EcdsaKey>();
    wiped_on_drop::<SecretBox<[u8; KEY_LEN]>>();
    wiped::<BlsKey>();
}

#[test]
fn deviation_07_scalars_are_refused_and_never_reduced() {
    let cases = [
        (KeyType::Bls, BLS_ORDER, true),
        (KeyType::Secp256k1, SECP_ORDER, false),
        (KeyType::Delegated, SECP_ORDER, false),
    ];
    for (key_type, order, little_endian) in cases {
        let ordered = |mut big_endian: Vec<u8>| {
            if little_endian {
                big_endian.reverse();
            }
            big_endian
        };
        let order = hex(order);
        let mut largest = order.clone();
        largest[31] -= 1;
        let refused = KeyError::OutOfRange(key_type.as_str());
        assert_eq!(KeyInfo::new(key_type, &ordered(order)).unwrap_err(), refused);
        assert_eq!(KeyInfo::new(key_type, &[0xff; 32]).unwrap_err(), refused);
        assert!(KeyInfo::new(key_type, &ordered(largest)).is_ok());
        let mut one = vec![0; 32];
        one[31] = 1;
        assert!(KeyInfo::new(key_type, &ordered(one)).is_ok());
        assert_eq!(KeyInfo::new(key_type, &[0; 32]).unwrap_err(), KeyError::Zero);
        for len in [0, 31, 33] {
            assert_eq!(KeyInfo::new(key_type, &vec![1; len]).unwrap_err(), KeyError::Length(len));
        }
    }
}

#[test]
fn deviation_07_a_public_key_outside_the_subgroup_verifies_nothing() {
    // Small x coordinates give points of the curve that are almost never in the subgroup of prime order.
    let outside = (1u8..=255).find_map(|x| {
        let mut bytes = [0; 48];
        (bytes[0], bytes[47]) = (0x80, x);
        let point = blst::min_pk::PublicKey::uncompress(&bytes).ok()?;
        point.validate().is_err().then_some(bytes)
    });
    let signer = Address::new_bls(&outside.unwrap()).unwrap();
    let signature =
        KeyInfo::generate(KeyType::Bls, &SeededEntropy::new(4, "other")).unwrap().sign(b"m").unwrap();
    let error = crypto::verify(&signature, &signer, b"m").unwrap_err();
    assert!(matches!(error, crypto::CryptoError::BadPoint { .. }), "{error}");
}

#[test]
fn generated_keys_follow_the_entropy() {
    let address = |key_type, seed| {
        let key = KeyInfo::generate(key_type, &SeededEntropy::new(seed, "keys")).unwrap();
        assert_eq!(key.key_type(), key_type);
        key.address().unwrap()
    };
    for key_type in KeyType::ALL {
        assert_eq!(address(key_type, 1), address(key_type, 1));
        assert_ne!(address(key_type, 1), address(key_type, 2));
    }
}

/// A source that gives one byte for ever.
struct Stuck(u8);

impl Entropy for Stuck {
    fn fill(&self, buf: &mut [u8]) -> Result<(), EntropyError> {
        buf.fill(self.0);
        Ok(())
    }
}

#[test]
fn a_broken_source_gives_no_key() {
    for (key_type, byte) in [(KeyType::Secp256k1, 0), (KeyType::Secp256k1, 0xff), (KeyType::Delegated, 0xff)]
    {
        let e = KeyInfo::generate(key_type, &Stuck(byte)).unwrap_err();
        assert!(matches!(e, WalletError::Entropy(_)), "{e}");
    }
}
