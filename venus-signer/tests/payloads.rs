#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
//! What payloads are read as, what they tell of themselves, and where they deliberately differ from Go's wallet.

mod recordings;

use data_encoding::{BASE64, HEXLOWER};
use recordings::{recording, recordings};
use serde_json::{Value, json};
use venus_core::api::SignerError;
use venus_core::cbor::Encode;
use venus_core::crypto::delegated;
use venus_core::error::{Classify, ErrorKind};
use venus_core::types::{
    Address, DealLabel, Message, MessageExt, MsgMeta, MsgType, RawBytes, TokenAmount, blake2b_cid,
};
use venus_signer::{
    Caller, EthKind, Payload, PayloadClass, RawClass, SignRequest, SigningNetwork, frc0102, go_text,
};

fn read_on(
    network: &SigningNetwork,
    signer: Address,
    to_sign: &[u8],
    meta: &MsgMeta,
) -> Result<Payload, SignerError> {
    Payload::read(&SignRequest { signer, to_sign, meta, caller: &Caller::embedded() }, network)
}

fn read(signer: Address, to_sign: &[u8], meta: &MsgMeta) -> Result<Payload, SignerError> {
    read_on(&SigningNetwork::default(), signer, to_sign, meta)
}

fn bls() -> Address {
    recording("unknown 0", "bls").signer()
}

fn secp() -> Address {
    recording("unknown 0", "secp256k1").signer()
}

fn f4() -> Address {
    recording("unknown 0", "delegated").signer()
}

fn class_of(signer: Address, bytes: &[u8]) -> PayloadClass {
    let class = read(signer, bytes, &MsgMeta::of(MsgType::Unknown)).unwrap().class();
    assert_eq!(read(signer, bytes, &MsgMeta::of(MsgType::F3)).unwrap().class().is_raw(), class.is_raw());
    class
}

fn message(from: Address) -> Message {
    Message {
        version: 0,
        from,
        to: Address::new_id(1000),
        sequence: 7,
        value: TokenAmount::from_atto(1000),
        method_num: delegated::METHOD_INVOKE_EVM,
        params: RawBytes::new(vec![0x44, 0xde, 0xad, 0xbe, 0xef]),
        gas_limit: 2_000_000,
        gas_fee_cap: TokenAmount::from_atto(101_000),
        gas_premium: TokenAmount::from_atto(100_000),
    }
}

#[test]
fn deviation_01_a_message_is_signed_over_its_own_bytes_only() {
    let (other, message) = (Message { sequence: 8, ..message(secp()) }, message(secp()));
    let meta = MsgMeta::chain_message(&message);
    for foreign in [other.cid().to_bytes(), Vec::new(), meta.extra.clone(), vec![0; 1 << 20]] {
        let error = read(secp(), &foreign, &meta).unwrap_err();
        assert!(matches!(error, SignerError::Mismatch(MsgType::ChainMessage)), "{error}");
    }
    let payload = read(secp(), &message.cid().to_bytes(), &meta).unwrap();
    assert_eq!(payload.signing_bytes(), message.cid().to_bytes());
    assert_eq!(payload.message(), Some(&message));
}

#[test]
fn deviation_01_a_delegated_sender_signs_its_transaction_on_its_chain() {
    let message = message(f4());
    let meta = MsgMeta::chain_message(&message);
    let network = |chain_id| SigningNetwork { chain_id, ..SigningNetwork::default() };
    for chain_id in [314, 314_159, 31_415_926] {
        let transaction = delegated::signing_bytes(&message, chain_id).unwrap();
        let payload = read_on(&network(chain_id), f4(), &transaction, &meta).unwrap();
        assert_eq!(payload.signing_bytes(), transaction);
        let error = read_on(&network(chain_id + 1), f4(), &transaction, &meta).unwrap_err();
        assert!(matches!(error, SignerError::Mismatch(_)), "{error}");
    }
    let cid = message.cid().to_bytes();
    assert!(matches!(read(f4(), &cid, &meta).unwrap_err(), SignerError::Mismatch(_)));

    // The compatibility switch takes both forms, and nothing else.
    let compat = SigningNetwork { cid_for_delegated: true, ..SigningNetwork::default() };
    let transaction = delegated::signing_bytes(&message, 314).unwrap();
    for form in [&cid, &transaction] {
        assert_eq!(&read_on(&compat, f4(), form, &meta).unwrap().signing_bytes(), form);
    }
    assert!(matches!(read_on(&compat, f4(), b"else", &meta).unwrap_err(), SignerError::Mismatch(_)));
}

#[test]
fn deviation_01_a_delegated_sender_has_no_plain_transfer() {
    let transfer = Message { method_num: 0, params: RawBytes::default(), ..message(f4()) };
    let error = read(f4(), &transfer.cid().to_bytes(), &MsgMeta::chain_message(&transfer)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Invalid);
    for word in ["Method", "InvokeEVM", "transfer"] {
        assert!(error.to_string().contains(word), "{error}");
    }
}

#[test]
fn deviation_02_plain_bytes_are_classified() {
    let header = recording("block 0, unsigned header", "bls").to_sign();
    let signed_header = recording("block 0, signed header as toSign", "bls").to_sign();
    let voucher = recording("voucher", "secp256k1").to_sign();
    let cases: Vec<(PayloadClass, Vec<u8>)> = vec![
        (PayloadClass::RawCid, message(secp()).cid().to_bytes()),
        (PayloadClass::RawEth, delegated::signing_bytes(&message(f4()), 314).unwrap()),
        (PayloadClass::RawEth, [&[0x19, 1][..], &[7; 64]].concat()),
        (PayloadClass::RawBlock, header.clone()),
        (PayloadClass::RawBlock, signed_header),
        (PayloadClass::RawBlock, header[..200].to_vec()),
        (PayloadClass::RawVoucher, voucher),
        (PayloadClass::RawDeal, recording("deal proposal", "secp256k1").to_sign()),
        (PayloadClass::RawDeal, recording("client deal", "secp256k1").signed_bytes().unwrap()),
        (PayloadClass::RawMarket, recording("storage ask", "bls").to_sign()),
        (PayloadClass::RawMarket, recording("ask response", "bls").signed_bytes().unwrap()),
        (PayloadClass::RawMarket, recording("network response", "bls").to_sign()),
        (PayloadClass::RawMarket, recording("provider deal state", "bls").to_sign()),
        (PayloadClass::RawFrc102, frc0102::wrap(b"hello")),
        (PayloadClass::RawEthText, frc0102::wrap_ethereum(b"hello")),
        (PayloadClass::RawDigest32, vec![0xab; 32]),
        (PayloadClass::RawUuid, vec![7; 16]),
        (PayloadClass::RawText, b"hello filecoin".to_vec()),
        (PayloadClass::RawOther, Vec::new()),
        (PayloadClass::RawOther, vec![1, 2, 3]),
    ];
    for (class, bytes) in cases {
        assert_eq!(class_of(secp(), &bytes), class, "{}", HEXLOWER.encode(&bytes));
        let payload = read(secp(), &bytes, &MsgMeta::of(MsgType::Unknown)).unwrap();
        assert_eq!((payload.signing_bytes(), payload.msg_type()), (bytes.clone(), MsgType::Unknown));
        assert_eq!(payload.json(), Value::String(BASE64.encode(&bytes)));
    }
    let header = read(bls(), &header, &MsgMeta::of(MsgType::Unknown)).unwrap();
    assert_eq!(header.block().unwrap().miner, Address::new_id(1000));
}

#[test]
fn deviation_02_contents_of_plain_bytes_are_known() {
    let raw = |signer, bytes: &[u8]| match read(signer, bytes, &MsgMeta::of(MsgType::Unknown)).unwrap() {
        Payload::Raw { class, .. } => class,
        typed => panic!("{typed:?}"),
    };
    let cid = message(secp()).cid();
    assert_eq!(raw(bls(), &cid.to_bytes()), RawClass::MessageCid(cid));
    assert_eq!(raw(bls(), &frc0102::wrap(b"hello")), RawClass::Frc102(b"hello".to_vec()));
    let transaction = delegated::signing_bytes(&message(f4()), 314).unwrap();
    let RawClass::Eth(read) = raw(f4(), &transaction) else { panic!("a transaction") };
    assert_eq!((read.kind, read.chain_id), (EthKind::Typed(2), Some(314)));
    // No chain takes a BLS signature for a transaction, and digests of draws must not be taken for one.
    assert_eq!(class_of(bls(), &transaction), PayloadClass::RawOther);
}

fn vote(network: &str) -> Vec<u8> {
    let mut bytes = format!("GPBFT:{network}:").into_bytes();
    bytes.push(4);
    bytes.extend([0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 1, 0]);
    bytes.extend([0; 32]);
    bytes.extend([9; 32]);
    bytes.extend(blake2b_cid(b"power table").to_bytes());
    bytes
}

#[test]
fn deviation_02_f3_payloads_are_parsed_and_belong_to_the_network() {
    let ticket = [&b"VRF:filecoin:"[..], &[5; 96], b":", &[0; 16]].concat();
    for msg_type in [MsgType::F3, MsgType::Unknown] {
        let meta = MsgMeta::of(msg_type);
        let payload = read(bls(), &vote("filecoin"), &meta).unwrap();
        let read_vote = payload.f3_vote().unwrap();
        assert_eq!((read_vote.instance, read_vote.round, read_vote.phase), (256, 1, 4));
        assert_eq!((payload.class(), payload.msg_type()), (PayloadClass::RawF3Vote, msg_type));
        assert_eq!(read(bls(), &ticket, &meta).unwrap().class(), PayloadClass::RawF3Ticket);

        let ours = SigningNetwork { f3_name: Some("filecoin".into()), ..SigningNetwork::default() };
        read_on(&ours, bls(), &vote("filecoin"), &meta).unwrap();
        read_on(&ours, bls(), &ticket, &meta).unwrap();
        let error = read_on(&ours, bls(), &vote("calibrationnet"), &meta).unwrap_err();
        assert!(error.to_string().contains("calibrationnet"), "{error}");
    }
    let broken = &vote("filecoin")[..60];
    for msg_type in [MsgType::F3, MsgType::Unknown] {
        let payload = read(bls(), broken, &MsgMeta::of(msg_type)).unwrap();
        let flagged = matches!(payload, Payload::Raw { class: RawClass::Other { malformed_f3: true }, .. });
        assert!(flagged, "{payload:?}");
    }
    let named = SigningNetwork { f3_name: Some("filecoin".into()), ..SigningNetwork::default() };
    let error = read_on(&named, bls(), b"hello", &MsgMeta::of(MsgType::F3)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Invalid);
}

#[test]
fn deviation_09_labels_of_deals_are_text_or_bytes() {
    let recording = recording("deal proposal with a bytes label", "secp256k1");
    let payload = read(recording.signer(), &recording.to_sign(), &recording.meta()).unwrap();
    assert_eq!(payload.deal().unwrap().label, DealLabel::Bytes(vec![0xff, 0xfe]));
    assert_eq!(payload.signing_bytes(), recording.to_sign());
}

#[test]
fn deviation_09_deal_uuids_and_digests_are_a_class_that_has_to_be_allowed() {
    let compat = SigningNetwork { legacy_deal_bytes: true, ..SigningNetwork::default() };
    let meta = MsgMeta::of(MsgType::DealProposal);
    for bytes in [vec![7; 16], vec![7; 32]] {
        let error = read(secp(), &bytes, &meta).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Invalid);
        let payload = read_on(&compat, secp(), &bytes, &meta).unwrap();
        assert_eq!(payload.class(), PayloadClass::LegacyDealBytes);
        assert_eq!((payload.msg_type(), payload.signing_bytes()), (MsgType::DealProposal, bytes));
    }
    for len in [0, 15, 17, 31, 33, 38] {
        read_on(&compat, secp(), &vec![7; len], &meta).unwrap_err();
    }
}

#[test]
fn keys_have_key_addresses() {
    for signer in [Address::new_id(7), Address::new_actor(b"actor")] {
        let error = read(signer, b"hello", &MsgMeta::of(MsgType::Unknown)).unwrap_err();
        assert!(matches!(error, SignerError::KeyNotFound(address) if address == signer));
        assert_eq!(go_text(&error, "unknown"), "record not found");
    }
}

/// Go writes nothing as `null` or as an empty text, depending on how it came about.
fn nothing_is_null(value: &Value) -> Value {
    match value {
        Value::String(text) if text.is_empty() => Value::Null,
        Value::Array(list) if list.is_empty() => Value::Null,
        Value::Array(list) => list.iter().map(nothing_is_null).collect(),
        Value::Object(map) => map.iter().map(|(k, v)| (k.clone(), nothing_is_null(v))).collect(),
        other => other.clone(),
    }
}

#[test]
fn payloads_are_written_for_filters_and_records_as_go_does() {
    let (mut objects, mut kept) = (0, 0);
    for recording in recordings() {
        let (signer, meta) = (recording.signer(), recording.meta());
        let Ok(payload) = read(signer, &recording.to_sign(), &meta) else { continue };
        if let Some(object) = &recording.object {
            assert_eq!(nothing_is_null(&payload.json()), nothing_is_null(object), "{}", recording.name);
            objects += 1;
        }
        let raw = payload.record_bytes();
        let detail = Payload::from_record(meta.msg_type, &raw);
        if payload.class().is_raw() {
            assert_eq!(raw, recording.to_sign().to_cbor(), "a byte string has a head");
            assert_eq!(detail, json!({ "Hex": HEXLOWER.encode(&raw) }));
        } else {
            let sent = if meta.extra.is_empty() { recording.to_sign() } else { meta.extra.clone() };
            assert_eq!((raw, detail), (sent, payload.json()), "{}", recording.name);
        }
        kept += 1;
    }
    assert_eq!((objects, kept), (16, 76));
}

#[test]
fn details_of_records_never_fail() {
    for msg_type in MsgType::ALL.iter().copied().chain([MsgType::Undefined]) {
        for raw in [&b""[..], b"\xf6", b"\x40", b"\xff\xff", &[0x81; 4096]] {
            assert_eq!(Payload::from_record(msg_type, raw), json!({ "Hex": HEXLOWER.encode(raw) }));
        }
    }
}

#[test]
fn a_message_begins_with_its_cid_and_a_voucher_has_its_old_names() {
    let message = message(secp());
    let payload = read(secp(), &message.cid().to_bytes(), &MsgMeta::chain_message(&message)).unwrap();
    assert!(serde_json::to_string(&payload).unwrap().starts_with(r#"{"CID":{"/":"bafy"#));
    let voucher = recording("voucher", "bls");
    let payload = read(voucher.signer(), &voucher.to_sign(), &voucher.meta()).unwrap();
    let text = serde_json::to_string(&payload).unwrap();
    assert!(text.starts_with(
        r#"{"ChannelAddr":"f0888","TimeLockMin":1,"TimeLockMax":2,"SecretPreimage":"AQI=","Extra":{"#
    ));
    assert!(text.ends_with(r#""Merges":[{"Lane":1,"Nonce":2}],"Signature":null}"#), "{text}");
}
