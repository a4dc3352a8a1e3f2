//! Whatever comes in as CBOR or text: an error that names the field, or a value that goes out as it came in. Never a panic.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

mod common;

use std::fmt::Debug;
use std::sync::LazyLock;

use common::real_chain::CHAIN;
use data_encoding::HEXLOWER;
use proptest::prelude::*;
use serde::Serialize;
use serde::de::DeserializeOwned;
use venus_core::cbor::{CborErrorKind, Decode, Encode};
use venus_core::consensus::vrf;
use venus_core::crypto;
use venus_core::types::*;

/// A CBOR decoder, how it is checked, and encodings that it takes.
struct Decoder {
    name: &'static str,
    check: fn(&[u8]),
    valid: Vec<Vec<u8>>,
}

/// Checks one input of a decoder for `T`.
fn check<T: Decode + Encode + Debug>(bytes: &[u8]) {
    match T::from_cbor(bytes) {
        Ok(value) => assert_eq!(value.to_cbor(), bytes, "{value:?} is written otherwise"),
        Err(e) => {
            let trailing = matches!(e.kind, CborErrorKind::Trailing(_));
            assert!(trailing || !e.path.is_empty(), "no field is named: {e}");
            assert!(e.offset <= bytes.len(), "{e}");
            assert!(e.to_string().len() < 300, "{e}");
        }
    }
}

/// VRF parameters are read in any order and case of keys, so only what was read must survive.
fn check_draw(bytes: &[u8]) {
    match DrawRandomParams::from_cbor(bytes) {
        Ok(params) => assert_eq!(DrawRandomParams::from_cbor(&params.to_cbor()).unwrap(), params),
        Err(e) => {
            assert!(matches!(e.kind, CborErrorKind::Trailing(_)) || e.path.starts_with("DrawRandomParams"))
        }
    }
}

/// A decoder of a bare value has no field to name.
fn check_scalar<T: Decode + Encode + Debug>(bytes: &[u8]) {
    if let Ok(value) = T::from_cbor(bytes) {
        assert_eq!(value.to_cbor(), bytes, "{value:?} is written otherwise");
    }
}

fn decoder<T: Decode + Encode + Debug>(name: &'static str, values: &[T]) -> Decoder {
    Decoder { name, check: check::<T>, valid: values.iter().map(Encode::to_cbor).collect() }
}

fn scalar<T: Decode + Encode + Debug>(name: &'static str, values: &[T]) -> Decoder {
    Decoder { name, check: check_scalar::<T>, valid: values.iter().map(Encode::to_cbor).collect() }
}

static DECODERS: LazyLock<Vec<Decoder>> = LazyLock::new(|| {
    let block = |height: i64| &CHAIN.at(height).blocks[0];
    let (signed, bls) = (&block(32).messages.secp, &CHAIN.at(93).blocks[1].messages.bls);
    let header = &block(32).header;
    let bare = BlockHeader { ticket: None, election_proof: None, bls_aggregate: None, ..header.clone() };
    let receipts = [
        Receipt::new(ExitCode::OK, vec![1, 2, 3], 4),
        Receipt { events_root: Some(header.messages), ..Receipt::new(ExitCode::new(33), Vec::new(), -5) },
        Receipt { version: ReceiptVersion::V0, ..Receipt::new(ExitCode::OK, vec![9; 30], 1 << 40) },
    ];
    let block_msg = BlockMsg {
        header: header.clone(),
        bls_messages: header.parents.clone(),
        secp_messages: block(32).message_cids.clone(),
    };
    let draws = [
        vrf::ticket_input(5, &header.miner, Some(&[7; 96])).params(&[1; 32]),
        vrf::election_input(5, &header.miner).params(&[]),
    ];
    let addresses =
        [signed[0].message.from, signed[1].message.from, bls[0].from, header.miner, Address::new_actor(b"x")];
    let draws = Decoder {
        name: "DrawRandomParams",
        check: check_draw,
        valid: draws.iter().map(Encode::to_cbor).collect(),
    };
    let mut decoders = vec![
        decoder("Message", &[signed[0].message.clone(), bls[0].clone()]),
        decoder("SignedMessage", &signed[..3]),
        decoder("BlockHeader", &[header.clone(), bare]),
        decoder("MessageReceipt", &receipts),
        decoder("TipSetKey", &[TipsetKey::default(), header.parents.clone().into()]),
        decoder("BlockMsg", &[block_msg]),
        decoder("Signature", &[signed[0].signature.clone()]),
        decoder("Ticket", &[header.ticket.clone().unwrap()]),
        decoder("ElectionProof", &[header.election_proof.clone().unwrap()]),
        decoder("BeaconEntry", &header.beacon_entries),
        decoder("PostProof", &header.win_post_proof),
        draws,
        scalar("Address", &addresses),
        scalar("BigInt", &[BigInt::from(0), BigInt::from(-5), header.parent_weight.clone()]),
        scalar("Cid", &[header.messages]),
        scalar("list of CIDs", std::slice::from_ref(&header.parents)),
        scalar("optional signature", &[None, header.block_sig.clone()]),
        scalar("i64", &[0, 23, 24, -1, i64::MIN, i64::MAX]),
        scalar("u64", &[0u64, 255, 256, 65536, u64::MAX]),
    ];
    decoders.extend([
        recorded::<SignedVoucher>("SignedVoucher"),
        recorded::<StorageAsk>("StorageAsk"),
        recorded::<AskResponse>("AskResponse"),
        recorded::<DealResponse>("DealResponse"),
        recorded::<ProviderDealState>("ProviderDealState"),
    ]);
    decoders
});

/// Objects that a wallet of Go read (venus-wallet v1.20.0); JSON keeps all of them but bytes in a label.
fn recorded<T: Decode + Encode + Debug + PartialEq + Serialize + DeserializeOwned>(
    name: &'static str,
) -> Decoder {
    let of_type = RECORDED.iter().filter(|(ty, _)| *ty == name);
    let valid: Vec<_> = of_type.map(|(_, hex)| HEXLOWER.decode(hex.as_bytes()).unwrap()).collect();
    for bytes in &valid {
        let value = T::from_cbor(bytes).unwrap();
        let text = serde_json::to_string(&value).unwrap();
        let again: T = serde_json::from_str(&text).unwrap();
        assert_eq!(serde_json::to_string(&again).unwrap(), text);
        assert!(again == value || text.contains(r#""Label":"""#), "{text}");
    }
    Decoder { name, check: check::<T>, valid }
}

const RECORDED: [(&str, &str); 8] = [
    ("SignedVoucher", "8b4300f8060102420102834200630341040506430002bc0881820102f6"),
    (
        "SignedVoucher",
        "8b4300f8060102420102834200630341040506430002bc08818201025842010505050505050505050505050505050505050505050505050505050505050505050505050505050505050505050505050505050505050505050505050505050505",
    ),
    ("SignedVoucher", "8b4300f806000040f60000400080f6"),
    (
        "StorageAsk",
        "a8654d696e65724300e80765507269636545001dcd6500655365714e6f07664578706972791a001e84806954696d657374616d701a000f42406c4d6178506965636553697a651b00000008000000006c4d696e506965636553697a651910006d56657269666965645072696365450002faf080",
    ),
    (
        "AskResponse",
        "a16341736ba26341736ba8654d696e65724300e80765507269636545001dcd6500655365714e6f07664578706972791a001e84806954696d657374616d701a000f42406c4d6178506965636553697a651b00000008000000006c4d696e506965636553697a651910006d56657269666965645072696365450002faf080695369676e6174757265586102030303030303030303030303030303030303030303030303030303030303030303030303030303030303030303030303030303030303030303030303030303030303030303030303030303030303030303030303030303030303030303030303",
    ),
    (
        "DealResponse",
        "a465537461746512674d657373616765626f6b6850726f706f73616cd82a5827000171a0e4022030f89a8b0373ad69079dbcbc5addfe9b34dce932189786e50d3eb432ede3ba9c6e5075626c6973684d657373616765f6",
    ),
    (
        "DealResponse",
        "a465537461746512674d657373616765626f6b6850726f706f73616cd82a5827000171a0e4022030f89a8b0373ad69079dbcbc5addfe9b34dce932189786e50d3eb432ede3ba9c6e5075626c6973684d657373616765d82a5827000171a0e4022030f89a8b0373ad69079dbcbc5addfe9b34dce932189786e50d3eb432ede3ba9c",
    ),
    (
        "ProviderDealState",
        "a865537461746507664465616c4944184d674d657373616765666163746976656850726f706f73616c8bd82a5828000181e203922020077e5fde35c50a9303a55009e3498a4ebedff39c42b710b730d8ec7ac7afa63e190800f45501fc58e91d12bbaa54aa2ebe8cf8e0147b2405e71a4300e807626c6201024040406a5075626c697368436964f66b41646446756e6473436964f66b50726f706f73616c436964d82a5827000171a0e4022030f89a8b0373ad69079dbcbc5addfe9b34dce932189786e50d3eb432ede3ba9c6d4661737452657472696576616cf5",
    ),
];

fn all_take(bytes: &[u8]) {
    DECODERS.iter().for_each(|d| (d.check)(bytes));
}

#[test]
fn valid_encodings_are_taken() {
    for decoder in DECODERS.iter() {
        assert!(!decoder.valid.is_empty(), "{}", decoder.name);
        decoder.valid.iter().for_each(|bytes| (decoder.check)(bytes));
    }
    BlockMsg::from_cbor(&DECODERS[5].valid[0]).unwrap();
    DrawRandomParams::from_cbor(&DECODERS[11].valid[1]).unwrap();
}

#[test]
fn cut_short_at_every_offset_is_an_error() {
    fn cut<T: Decode + Encode + Debug>(decoder: &Decoder) {
        for bytes in &decoder.valid {
            for end in 0..bytes.len() {
                let e = T::from_cbor(&bytes[..end]).expect_err("cut short");
                assert!(e.path.starts_with(decoder.name), "{} at {end}: {e}", decoder.name);
            }
            let longer = [&bytes[..], &[0]].concat();
            assert!(matches!(T::from_cbor(&longer).unwrap_err().kind, CborErrorKind::Trailing(1)));
        }
    }
    cut::<Message>(&DECODERS[0]);
    cut::<SignedMessage>(&DECODERS[1]);
    cut::<BlockHeader>(&DECODERS[2]);
    cut::<Receipt>(&DECODERS[3]);
    cut::<TipsetKey>(&DECODERS[4]);
    cut::<BlockMsg>(&DECODERS[5]);
    cut::<Signature>(&DECODERS[6]);
    cut::<DrawRandomParams>(&DECODERS[11]);
}

#[test]
fn every_byte_changed_to_a_lying_head() {
    // Long lengths, long integers, indefinite lengths, null, tags, floats.
    let heads: [&[u8]; 12] = [
        &[0x5b, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff],
        &[0x5a, 0x7f, 0xff, 0xff, 0xff],
        &[0x59, 0x20, 0x00],
        &[0x9b, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff],
        &[0x99, 0x20, 0x00],
        &[0x99, 0x20, 0x01],
        &[0xbb, 0, 0, 0, 1, 0, 0, 0, 0],
        &[0x1b, 0, 0, 0, 0, 0, 0, 0, 1],
        &[0x9f],
        &[0x5f],
        &[0xf6],
        &[0xfb, 0x40, 0, 0, 0, 0, 0, 0, 0],
    ];
    for decoder in DECODERS.iter() {
        for bytes in &decoder.valid {
            for at in 0..bytes.len() {
                for head in heads {
                    (decoder.check)(&[&bytes[..at], head, &bytes[at + 1..]].concat());
                }
            }
        }
    }
}

#[test]
fn every_bit_flipped() {
    for decoder in DECODERS.iter() {
        for bytes in &decoder.valid {
            for bit in 0..bytes.len() * 8 {
                let mut flipped = bytes.clone();
                flipped[bit / 8] ^= 1 << (bit % 8);
                (decoder.check)(&flipped);
            }
        }
    }
}

#[test]
fn deep_nesting_and_garbage() {
    for head in [0x81, 0x9f, 0xa1, 0xc1, 0xd8, 0x90, 0x8a, 0x82, 0x40, 0xf6, 0x00, 0xff] {
        all_take(&vec![head; 10_000]);
        all_take(&vec![head; 64 << 10]);
    }
    let mut header = vec![0x90];
    header.extend(std::iter::repeat_n(0x81, 10_000));
    assert_eq!(BlockHeader::from_cbor(&header).unwrap_err().path, "BlockHeader.Miner");
    // A list that claims more than it has takes no memory.
    let parents = [&[0x99, 0x20, 0x00][..], &[0x80; 10]].concat();
    assert!(Vec::<BlockHeader>::from_cbor(&parents).is_err());
}

#[test]
fn errors_name_the_field() {
    let header = &DECODERS[2].valid[0];
    let miner = 1 + BlockHeader::from_cbor(header).unwrap().miner.to_cbor().len();
    // The ticket follows the miner: a list of one byte string.
    let cases: [(usize, &[u8], &str); 4] = [
        (0, &[0x8f], "BlockHeader"),
        (1, &[0x00], "BlockHeader.Miner"),
        (miner, &[0x82], "BlockHeader.Ticket"),
        (miner + 1, &[0x78], "BlockHeader.Ticket.VRFProof"),
    ];
    for (at, bytes, path) in cases {
        let mut broken = header.clone();
        broken[at..at + bytes.len()].copy_from_slice(bytes);
        let e = BlockHeader::from_cbor(&broken).unwrap_err();
        assert_eq!(e.path, path, "{e}");
        assert!(e.to_string().contains(path));
    }
    let block = &DECODERS[5].valid[0];
    let e = BlockMsg::from_cbor(&block[..block.len() - 1]).unwrap_err();
    assert_eq!(e.path, "BlockMsg.SecpkMessages.6");
    let signed = &DECODERS[1].valid[0];
    let mut negative = signed.clone();
    negative[2] = 0x20;
    assert_eq!(SignedMessage::from_cbor(&negative).unwrap_err().path, "SignedMessage.Message.Version");
}

#[test]
fn values_with_a_second_form_are_refused() {
    // Zero with a sign, a leading zero, a sign without a number, no such sign.
    for bytes in [&[0x42, 0x00, 0x00][..], &[0x43, 0x00, 0x00, 0x01], &[0x41, 0x00], &[0x42, 0x02, 0x01]] {
        assert!(BigInt::from_cbor(bytes).is_err(), "{bytes:02x?} was read");
    }
    // A long varint, nothing at all, no such protocol, an ID beyond 63 bits.
    let id_2_63 = [0x4b, 0x00, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x01];
    for bytes in [&[0x43, 0x00, 0x80, 0x00][..], &[0x40], &[0x42, 0x05, 0x00], &id_2_63] {
        assert!(Address::from_cbor(bytes).is_err(), "{bytes:02x?} was read");
    }
    // No kind, no such kind.
    for bytes in [&[0x40][..], &[0x42, 0x04, 0x00]] {
        assert!(Signature::from_cbor(bytes).is_err(), "{bytes:02x?} was read");
    }
    assert!(u64::from_cbor(&[0x18, 0x17]).is_err(), "a long integer was read");
}

#[test]
fn draws_are_read_in_any_order_but_whole() {
    let read = |text: &[u8]| DrawRandomParams::from_cbor(text);
    let canonical = b"\xa4\x65Rbase\x41\x01\x64Pers\x02\x65Round\x03\x67Entropy\x41\x04";
    let params = read(canonical).unwrap();
    assert_eq!(params.to_cbor(), canonical);
    assert_eq!(read(b"\xa4\x67entropy\x41\x04\x65ROUND\x03\x65Rbase\x41\x01\x64Pers\x02").unwrap(), params);
    let broken: [(&[u8], &str); 4] = [
        (b"\xa4\x65Rbase\x41\x01\x65rbase\x41\x01\x64Pers\x02\x65Round\x03", "stands twice"),
        (b"\xa3\x65Rbase\x41\x01\x64Pers\x02\x65Round\x03", "Entropy is missing"),
        (b"\xa4\x65Rbase\x41\x01\x64Pers\x02\x65Round\x03\x65Other\x41\x04", "unknown key"),
        (b"\xa4\x65Rbase\x41\x01\x64Pers\x41\x02\x65Round\x03\x67Entropy\x41\x04", "DrawRandomParams.Pers"),
    ];
    for (bytes, reason) in broken {
        let e = read(bytes).unwrap_err();
        assert!(e.to_string().contains(reason), "{e}");
    }
}

fn arb_address() -> impl Strategy<Value = Address> {
    prop_oneof![
        (0..=i64::MAX as u64).prop_map(Address::new_id),
        any::<[u8; 65]>().prop_map(|k| Address::new_secp256k1(&k).unwrap()),
        any::<Vec<u8>>().prop_map(|d| Address::new_actor(&d)),
        any::<[u8; 48]>().prop_map(|k| Address::new_bls(&k).unwrap()),
        (1..=i64::MAX as u64, prop::collection::vec(any::<u8>(), 0..=54))
            .prop_map(|(ns, sub)| Address::new_delegated(ns, &sub).unwrap()),
    ]
}

fn arb_amount() -> impl Strategy<Value = TokenAmount> {
    let sized = prop_oneof![0usize..20, 100..=127usize];
    (any::<bool>(), sized.prop_flat_map(|n| prop::collection::vec(any::<u8>(), n))).prop_map(
        |(negative, bytes)| {
            let magnitude = BigInt::from_bytes_be(num_bigint::Sign::Plus, &bytes);
            TokenAmount::from_atto(if negative { -magnitude } else { magnitude })
        },
    )
}

prop_compose! {
    fn arb_message()(
        (version, sequence, method_num) in any::<(u64, u64, u64)>(),
        (from, to) in (arb_address(), arb_address()),
        (value, gas_fee_cap, gas_premium) in (arb_amount(), arb_amount(), arb_amount()),
        gas_limit in 0..=i64::MAX as u64,
        params in any::<Vec<u8>>(),
    ) -> Message {
        let params = params.into();
        Message { version, from, to, sequence, value, method_num, params, gas_limit, gas_fee_cap, gas_premium }
    }
}

fn arb_signature() -> impl Strategy<Value = Signature> {
    let kind =
        prop_oneof![Just(SignatureType::Secp256k1), Just(SignatureType::Bls), Just(SignatureType::Delegated)];
    (kind, prop::collection::vec(any::<u8>(), 0..200))
        .prop_map(|(sig_type, data)| Signature { sig_type, data })
}

fn arb_cids() -> impl Strategy<Value = Vec<Cid>> {
    prop::collection::vec(any::<[u8; 8]>().prop_map(|b| blake2b_cid(&b)), 0..5)
}

prop_compose! {
    fn arb_header()(
        miner in arb_address(),
        ticket in prop::option::of(any::<Vec<u8>>()),
        election in prop::option::of(any::<(i64, Vec<u8>)>()),
        entries in prop::collection::vec(any::<(u64, Vec<u8>)>(), 0..3),
        proofs in prop::collection::vec(any::<(i64, Vec<u8>)>(), 0..3),
        (parents, roots) in (arb_cids(), any::<[[u8; 4]; 3]>()),
        (weight, fee) in (arb_amount(), arb_amount()),
        (height, timestamp, fork_signaling) in any::<(i64, u64, u64)>(),
        (bls_aggregate, block_sig) in (prop::option::of(arb_signature()), prop::option::of(arb_signature())),
    ) -> BlockHeader {
        BlockHeader {
            miner,
            ticket: ticket.map(|vrf_proof| Ticket { vrf_proof }),
            election_proof: election.map(|(win_count, vrf_proof)| ElectionProof { win_count, vrf_proof }),
            beacon_entries: entries.into_iter().map(|(round, data)| BeaconEntry { round, data }).collect(),
            win_post_proof: proofs.into_iter().map(|(post_proof, proof_bytes)| PostProof { post_proof, proof_bytes }).collect(),
            parents,
            parent_weight: weight.atto().clone(),
            height,
            parent_state_root: blake2b_cid(&roots[0]),
            parent_message_receipts: blake2b_cid(&roots[1]),
            messages: blake2b_cid(&roots[2]),
            bls_aggregate,
            timestamp,
            block_sig,
            fork_signaling,
            parent_base_fee: fee,
        }
    }
}

/// A value goes through CBOR and JSON unchanged.
fn travels<T>(value: &T) -> Result<(), TestCaseError>
where
    T: Encode + Decode + Serialize + DeserializeOwned + PartialEq + Debug,
{
    prop_assert_eq!(&T::from_cbor(&value.to_cbor()).unwrap(), value);
    let text = serde_json::to_string(value).unwrap();
    prop_assert_eq!(&serde_json::from_str::<T>(&text).unwrap(), value);
    Ok(())
}

proptest! {
    #[test]
    fn any_message_travels(message in arb_message(), signature in arb_signature()) {
        prop_assert_eq!(&Message::from_cbor(&message.to_cbor()).unwrap(), &message);
        travels(&SignedMessage { message, signature })?;
    }

    #[test]
    fn any_header_travels(header in arb_header(), bls_messages in arb_cids(), secp_messages in arb_cids()) {
        prop_assert_eq!(&header.signing_bytes(), &BlockHeader { block_sig: None, ..header.clone() }.to_cbor());
        travels(&header)?;
        travels(&BlockMsg { header, bls_messages, secp_messages })?;
    }

    #[test]
    fn any_draw_travels(rbase: Vec<u8>, pers: i64, round: i64, entropy: Vec<u8>) {
        let params = DrawRandomParams { rbase, pers, round, entropy };
        prop_assert_eq!(&DrawRandomParams::from_cbor(&params.to_cbor()).unwrap(), &params);
    }

    #[test]
    fn any_address_travels(address in arb_address(), testnet: bool) {
        let network = if testnet { Network::Testnet } else { Network::Mainnet };
        let text = address::format(&address, network);
        prop_assert_eq!(address::parse_with_network(&text).unwrap(), (address, network));
        prop_assert_eq!(Address::from_cbor(&address.to_cbor()).unwrap(), address);
    }

    #[test]
    fn random_signatures_are_refused(message in arb_message(), signature in arb_signature(), chain_id: u64) {
        let from = message.from;
        let signed = SignedMessage { message, signature };
        prop_assert!(crypto::verify_message(&signed, &from, chain_id).is_err());
        prop_assert!(crypto::verify(&signed.signature, &from, &signed.to_cbor()).is_err());
    }

    #[test]
    fn random_bytes_are_taken_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        all_take(&bytes);
    }

    #[test]
    fn mutated_encodings_are_taken_or_refused(
        decoder in any::<prop::sample::Index>(),
        sample in any::<prop::sample::Index>(),
        edits in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>(), 0u8..3), 1..6),
    ) {
        let decoder = decoder.get(&DECODERS);
        let mut bytes = sample.get(&decoder.valid).clone();
        for (at, byte, edit) in edits {
            let at = at.index(bytes.len().max(1));
            match edit {
                0 if at < bytes.len() => bytes[at] = byte,
                1 if at < bytes.len() => drop(bytes.remove(at)),
                _ => bytes.insert(at.min(bytes.len()), byte),
            }
        }
        (decoder.check)(&bytes);
    }

    #[test]
    fn address_text_is_canonical_or_refused(
        text in prop_oneof![".{0,130}", "[ft][0-5][a-z2-7]{0,120}", "[ft]4[0-9]{0,21}f[a-z2-7]{0,100}", "[ft][0-4].{0,60}", "[ft]0[0-9]{1,20}"]
    ) {
        if let Ok((parsed, network)) = address::parse_with_network(&text) {
            prop_assert_eq!(address::format(&parsed, network), text);
        }
    }

    #[test]
    fn broken_address_text_is_refused(valid in arb_address(), at: prop::sample::Index, new in any::<char>()) {
        let text = address::format(&valid, Network::Mainnet);
        let mut characters: Vec<char> = text.chars().collect();
        let at = at.index(characters.len());
        characters[at] = new;
        let broken: String = characters.into_iter().collect();
        if let Ok((parsed, network)) = address::parse_with_network(&broken) {
            prop_assert_eq!(address::format(&parsed, network), broken);
        }
        let cut: String = text.chars().take(at).collect();
        if let Ok(parsed) = address::parse(&cut) {
            prop_assert_eq!(address::format(&parsed, Network::Mainnet), cut);
        }
    }

    #[test]
    fn amount_text_is_read_or_refused(
        text in prop_oneof![".{0,90}", "-?[0-9]{0,70}\\.?[0-9]{0,70} ?[a-zA-Z]{0,10}", "[0-9]{1,30} (atto|nano|Fil|FEMTOfil)"]
    ) {
        if let Ok(amount) = parse_fil(&text) {
            prop_assert_eq!(parse_fil(&fil(&amount)).unwrap(), amount);
        }
    }
}

#[test]
fn huge_texts_are_refused() {
    for part in ["f", "0", "9", "-", ".", "1.", "f0", "é", "\u{0}", " "] {
        let text = part.repeat((64 << 10) / part.len());
        assert!(address::parse(&text).is_err());
        let amount = parse_fil(&text);
        if let Err(e) = amount {
            assert!(e.to_string().len() < 400, "an error does not repeat its input");
        }
    }
    let zeros = format!("1.{}", "0".repeat(64 << 10));
    assert_eq!(parse_fil(&zeros).unwrap(), TokenAmount::from_whole(1));
}
