use data_encoding::{BASE64, HEXLOWER};
use fvm_ipld_encoding::RawBytes;
use fvm_shared::address::Network;
use proptest::prelude::*;

use super::*;
use crate::crypto::verify_message;
use crate::types::{Signature, SignedMessage};

/// Chain ID of the test networks from which the signatures were taken.
const TEST_CHAIN: u64 = 31_415_926;

fn hex(text: &str) -> Vec<u8> {
    HEXLOWER.decode(text.as_bytes()).unwrap()
}

fn f410(eth: &str) -> Address {
    Address::new_delegated(EAM_NAMESPACE, &hex(eth)).unwrap()
}

fn atto(amount: u64) -> TokenAmount {
    TokenAmount::from_atto(amount)
}

fn call(from: Address, to: Address) -> Message {
    Message {
        version: 0,
        from,
        to,
        sequence: 0,
        value: atto(0),
        method_num: METHOD_INVOKE_EVM,
        params: RawBytes::default(),
        gas_limit: 21_000,
        gas_fee_cap: atto(1),
        gas_premium: atto(1),
    }
}

fn check(message: &Message, data: Vec<u8>, chain_id: u64) -> Result<(), CryptoError> {
    let signed = SignedMessage { message: message.clone(), signature: Signature::delegated(data) };
    verify_message(&signed, &message.from, chain_id)
}

/// A message that a Lotus test network executed.
fn executed() -> (Message, Vec<u8>) {
    let address = Network::Testnet.parse_address("t410fg3dostrhqs75eisglbrczf3eqawiulh5n6gbtqi").unwrap();
    let message = Message {
        value: TokenAmount::from_whole(1),
        gas_limit: 1_684_995,
        gas_fee_cap: atto(19_295_803),
        gas_premium: atto(100_104),
        ..call(address, address)
    };
    let signature =
        "prkCuo8v2gKoGl3x/uuimk7qb/RgwlqFpZ1m/+Jt1twAk05WHLgYnjyc83CDfbLve1e9hKs6H+LUGLUEiehKXwE=";
    (message, BASE64.decode(signature.as_bytes()).unwrap())
}

#[test]
fn an_executed_transfer_verifies() {
    let (message, signature) = executed();
    assert_eq!(check(&message, signature.clone(), TEST_CHAIN), Ok(()));
    assert_eq!(check(&message, signature.clone(), 314), Err(BAD));
    let other = Message { sequence: 1, ..message };
    assert_eq!(check(&other, signature, TEST_CHAIN), Err(BAD));
}

#[test]
fn an_executed_call_with_input_verifies() {
    let address = Network::Testnet.parse_address("t410fmygqavcnr3xepwrc5jqku5zrig4yxvm7tktiyeq").unwrap();
    let message = Message {
        gas_limit: 1_708_395,
        gas_fee_cap: atto(101_115),
        gas_premium: atto(100_061),
        params: RawBytes::new(hex("43010203")),
        ..call(address, address)
    };
    let signature =
        "J/r0q0cRx9f1HhR8v2HTXtFSkLO/UVbFdXz+xRcrbhcf0uIaSrkwljVQ8qqY0QlJz+VqhTfZ6nd0ZJK6Kkbu1QA=";
    assert_eq!(check(&message, BASE64.decode(signature.as_bytes()).unwrap(), TEST_CHAIN), Ok(()));
}

/// The worked example of EIP-155, on Ethereum's own chain.
fn eip_155_example() -> (Message, Vec<u8>) {
    let message = Message {
        sequence: 9,
        value: atto(1_000_000_000_000_000_000),
        gas_fee_cap: atto(20_000_000_000),
        gas_premium: atto(20_000_000_000),
        ..call(f410("9d8a62f656a8d1615c1294fd71e9cfb3e4855a4f"), f410(&"35".repeat(20)))
    };
    let mut signature = vec![EIP_155];
    signature.extend(hex("28ef61340bd939bc2195fe537567866003e1a15d3c71ff63e1590620aa636276"));
    signature.extend(hex("67cbe9d8997f761aecb703304b3800ccf555c9f3dc64214b297fb1966a3b6d83"));
    signature.push(37);
    (message, signature)
}

#[test]
fn the_example_of_eip_155_verifies() {
    let (message, signature) = eip_155_example();
    let (bytes, _) = signed_form(&message, &signature, 1).unwrap();
    assert_eq!(
        HEXLOWER.encode(&bytes),
        "ec098504a817c800825208943535353535353535353535353535353535353535880de0b6b3a764000080018080"
    );
    assert_eq!(
        HEXLOWER.encode(&keccak_256(&bytes)),
        "daf5a779ae972f972197303d7b574746c7ef83eadac0f2791ad23db92e4c8e53"
    );
    assert_eq!(check(&message, signature.clone(), 1), Ok(()));
    assert_eq!(check(&message, signature, 314), Err(BAD), "V belongs to another chain");
}

/// The first transaction that Ethereum's own chain ever executed.
#[test]
fn a_homestead_transaction_verifies() {
    let message = Message {
        value: atto(31_337),
        gas_fee_cap: atto(50_000_000_000_000),
        gas_premium: atto(50_000_000_000_000),
        ..call(
            f410("a1e4380a3b1f749673e270229993ee55f35663b4"),
            f410("5df9b87991262f6ba471f09758cde1c0fc1de734"),
        )
    };
    let mut signature = vec![HOMESTEAD];
    signature.extend(hex("88ff6cf0fefd94db46111149ae4bfc179e9b94721fffd821d38d16464b3f71d0"));
    signature.extend(hex("45e0aff800961cfce805daef7016b9b675c137a6a41a548f7b60a3484c06a33a"));
    signature.push(28);
    assert_eq!(signature.len(), 66);
    assert_eq!(check(&message, signature.clone(), 314), Ok(()));
    signature[65] = 27;
    assert_eq!(check(&message, signature.clone(), 314), Err(BAD));

    let two_prices = Message { gas_premium: atto(0), ..message.clone() };
    let e = check(&two_prices, signature.clone(), 314).unwrap_err();
    assert!(matches!(e, CryptoError::NotEthereum { field: "GasPremium", .. }), "{e}");
    for v in [0, 1, 26, 29] {
        signature[65] = v;
        assert_eq!(check(&message, signature.clone(), 314), Err(BAD));
    }
}

#[test]
fn odd_signatures_are_refused() {
    let (message, signature) = eip_155_example();
    for len in [0, 1, 64] {
        let cut = signature[..len].to_vec();
        let expected = CryptoError::BadLength { what: "delegated signature", expected: 65, found: len };
        assert_eq!(check(&message, cut, 1), Err(expected));
    }
    let mut padded = signature.clone();
    padded.insert(65, 0); // V with a leading zero.
    assert_eq!(check(&message, padded, 1), Err(BAD));
    let mut long = signature.clone();
    long.extend([0; 40]);
    assert_eq!(check(&message, long, 1), Err(BAD));
    let mut unknown = signature;
    unknown[0] = 3;
    assert!(matches!(check(&message, unknown, 1), Err(CryptoError::BadLength { .. })));
}

#[test]
fn messages_without_an_ethereum_form_are_refused() {
    let (good, _) = executed();
    let params = |hex_text: &str| Message { params: RawBytes::new(hex(hex_text)), ..good.clone() };
    let to = |to: Address| Message { to, ..good.clone() };
    let refused = [
        ("Version", Message { version: 1, ..good.clone() }),
        ("Value", Message { value: TokenAmount::from_atto(-1), ..good.clone() }),
        ("GasFeeCap", Message { gas_fee_cap: TokenAmount::from_atto(-1), ..good.clone() }),
        ("GasPremium", Message { gas_premium: TokenAmount::from_atto(-1), ..good.clone() }),
        ("Method", Message { method_num: 0, ..good.clone() }),
        ("Method", to(Address::new_id(EAM_ACTOR_ID))),
        ("To", to(Address::new_bls(&[3; 48]).unwrap())),
        ("To", to(Address::new_delegated(11, &[3; 20]).unwrap())),
        ("To", to(f410(&format!("ff{}", "00".repeat(19))))),
        ("Params", params("40")),
        ("Params", params("4100ff")),
        ("Params", params("580100")),
        ("Params", params("00")),
        ("Params", params("4201")),
    ];
    for (name, message) in refused {
        match signing_bytes(&message, 314) {
            Err(CryptoError::NotEthereum { field, .. }) => assert_eq!(field, name),
            other => panic!("{name}: {other:?}"),
        }
    }
}

#[test]
fn recipients() {
    let (good, _) = executed();
    let deploy = Message {
        to: Address::new_id(EAM_ACTOR_ID),
        method_num: METHOD_CREATE_EXTERNAL,
        params: RawBytes::new(hex("4160")),
        ..good
    };
    assert_eq!(recipient(&deploy), Ok(None));
    let masked = eth_address(&Address::new_id(1000)).unwrap();
    assert_eq!(HEXLOWER.encode(&masked), "ff000000000000000000000000000000000003e8");
    let eth = eth_address(&f410("6e7cef838eb08d6def3acd6579d0bee01d75b04d")).unwrap();
    assert_eq!(HEXLOWER.encode(&eth), "6e7cef838eb08d6def3acd6579d0bee01d75b04d");
}

#[test]
fn golden_key_has_its_address_and_signature() {
    let secret = hex("33ff38fa8c1c53c3ef1b2f811cee9ce4f7ec2ce90b16ceeb9675dc6aa3d04821");
    let key = k256::ecdsa::SigningKey::from_slice(&secret).unwrap();
    let public = key.verifying_key().to_encoded_point(false);
    let signer = address_of(public.as_bytes().try_into().unwrap()).unwrap();
    assert_eq!(signer.to_string(), "f410fnz6o7a4owcgw33z2zvsxtuf64aoxlmcn4dh5hzy");
    let signature = hex(
        "e8f6ad5958dde03013e45fc77f71238cd0013af0d05ec5569007f70ffa7d2453007e7a581dcdf6d9f8e89846de210b74b188d8e1d2629f2d351e9e92f08be29600",
    );
    assert_eq!(verify(&signer, b"hello filecoin", &signature), Ok(()));
}

proptest! {
    #[test]
    fn no_input_panics(data: Vec<u8>, params: Vec<u8>, chain_id: u64) {
        let (message, _) = executed();
        let message = Message { params: RawBytes::new(params), ..message };
        let _ = check(&message, data, chain_id);
    }
}
