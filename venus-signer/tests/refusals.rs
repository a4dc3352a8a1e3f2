#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
//! What a wallet never does: sign what it does not understand, and show a key.

mod recordings;

use std::sync::LazyLock;

use data_encoding::{BASE64, HEXLOWER, HEXUPPER};
use proptest::prelude::*;
use secrecy::ExposeSecret;
use venus_core::api::{ISigner, SignerError, SignerExt};
use venus_core::cbor::{Decode, Encode};
use venus_core::crypto;
use venus_core::entropy::SeededEntropy;
use venus_core::error::{Classify, ErrorKind};
use venus_core::types::{
    Address, BlockHeader, DrawRandomParams, Message, MessageExt, MsgMeta, MsgType, RawBytes, SignedVoucher,
    TokenAmount,
};
use venus_signer::{
    Caller, KeyInfo, KeyType, LocalWallet, Payload, PayloadClass, SignRequest, SigningNetwork, Vault,
    WalletError,
};

struct Fixture {
    runtime: tokio::runtime::Runtime,
    wallet: LocalWallet,
    worker: Address,
    account: Address,
}

static FIXTURE: LazyLock<Fixture> = LazyLock::new(|| {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let wallet = LocalWallet::in_memory();
    let entropy = SeededEntropy::new(1, "refusals");
    let worker = runtime.block_on(wallet.generate(KeyType::Bls, &entropy)).unwrap();
    let account = runtime.block_on(wallet.generate(KeyType::Secp256k1, &entropy)).unwrap();
    Fixture { runtime, wallet, worker, account }
});

fn read(signer: &Address, to_sign: &[u8], meta: &MsgMeta) -> Result<Payload, SignerError> {
    let request = SignRequest { signer: *signer, to_sign, meta, caller: &Caller::embedded() };
    Payload::read(&request, &SigningNetwork::default())
}

fn sign(
    signer: &Address,
    to_sign: &[u8],
    meta: &MsgMeta,
) -> Result<venus_core::types::Signature, SignerError> {
    FIXTURE.runtime.block_on(FIXTURE.wallet.sign(signer, to_sign, meta))
}

fn message(from: Address, nonce: u64) -> Message {
    Message {
        version: 0,
        from,
        to: Address::new_id(1000),
        sequence: nonce,
        value: TokenAmount::from_atto(7),
        method_num: 0,
        params: RawBytes::default(),
        gas_limit: 1_000_000,
        gas_fee_cap: TokenAmount::from_atto(100),
        gas_premium: TokenAmount::from_atto(1),
    }
}

#[test]
fn a_request_without_a_kind_is_unsupported() {
    for to_sign in [&b"hello"[..], &[], &message(FIXTURE.account, 0).cid().to_bytes()] {
        let error = sign(&FIXTURE.account, to_sign, &MsgMeta::of(MsgType::Undefined)).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unsupported, "{error}");
    }
}

#[test]
fn a_vrf_is_no_signature_of_an_account() {
    let params = DrawRandomParams { rbase: vec![1], pers: 1, round: 2, entropy: vec![3] };
    let error = FIXTURE.runtime.block_on(FIXTURE.wallet.draw_vrf(&FIXTURE.account, &params)).unwrap_err();
    assert!(matches!(error, SignerError::BadSignature(_)), "{error}");
}

#[test]
fn a_message_is_signed_by_its_sender_as_version_0_only() {
    let stranger = Address::new_secp256k1(&[4; 65]).unwrap();
    let foreign = message(stranger, 0);
    let error =
        sign(&FIXTURE.account, &foreign.cid().to_bytes(), &MsgMeta::chain_message(&foreign)).unwrap_err();
    assert!(matches!(&error, SignerError::BadPayload { reason, .. } if reason.contains("From")), "{error}");
    let error = sign(&stranger, &foreign.cid().to_bytes(), &MsgMeta::chain_message(&foreign)).unwrap_err();
    assert!(matches!(error, SignerError::KeyNotFound(address) if address == stranger));

    let future = Message { version: 1, ..message(FIXTURE.account, 0) };
    let error =
        sign(&FIXTURE.account, &future.cid().to_bytes(), &MsgMeta::chain_message(&future)).unwrap_err();
    assert!(error.to_string().contains("Version"), "{error}");

    let by_id = message(Address::new_id(7), 0);
    let error = FIXTURE.runtime.block_on(FIXTURE.wallet.sign_message(&by_id)).unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::NotFound));
    let meta = MsgMeta::chain_message(&by_id);
    let error = read(&by_id.from, &by_id.cid().to_bytes(), &meta).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
}

#[test]
fn no_format_shows_a_key() {
    let key = KeyInfo::generate(KeyType::Secp256k1, &SeededEntropy::new(2, "shown")).unwrap();
    let json = key.to_json();
    let start = json.expose_secret().find("PrivateKey").unwrap() + "PrivateKey\":\"".len();
    let base64 = &json.expose_secret()[start..start + 44];
    let bytes = BASE64.decode(base64.as_bytes()).unwrap();
    let hex = HEXLOWER.encode(&bytes);

    let store = Vault::in_memory();
    let address = FIXTURE.runtime.block_on(store.put(key.clone())).unwrap();
    let mut shown = vec![format!("{key:?} {key:#?} {store:?} {store:#?} {json:?} {:?}", key.to_hex())];
    shown.push(format!("{:?} {:?}", KeyInfo::from_json(&hex), KeyInfo::from_hex(&hex)));
    shown.push(format!("{:?}", KeyInfo::from_hex(&format!("{}00", key.to_hex().expose_secret()))));
    shown.push(format!("{:?}", KeyInfo::new(KeyType::Bls, &[&bytes[..], &[1]].concat())));
    let wallet = LocalWallet::in_memory();
    shown.push(format!("{wallet:?} {wallet:#?}"));
    let exported = {
        FIXTURE.runtime.block_on(wallet.import(key.clone())).unwrap();
        FIXTURE.runtime.block_on(wallet.export(&address))
    };
    shown.push(format!("{exported:?}"));
    for text in shown {
        let decimal = format!("{}, {}, {}", bytes[0], bytes[1], bytes[2]);
        for secret in [&hex[..16], &HEXUPPER.encode(&bytes)[..16], &base64[..12], &decimal] {
            assert!(!text.contains(secret), "{text}");
        }
    }
}

#[test]
fn a_wallet_lists_imports_exports_and_forgets() {
    FIXTURE.runtime.block_on(async {
        let wallet = LocalWallet::in_memory();
        let entropy = SeededEntropy::new(3, "wallet");
        let key = KeyInfo::generate(KeyType::Bls, &entropy).unwrap();
        let address = wallet.import(key.clone()).await.unwrap();
        assert_eq!(wallet.import(key).await.unwrap(), address);
        let other = wallet.generate(KeyType::Secp256k1, &entropy).await.unwrap();
        let listed = wallet.list().await.unwrap();
        assert_eq!(listed.len(), 2);
        assert!(listed.contains(&address) && listed.contains(&other));
        assert_eq!(wallet.export(&address).await.unwrap().key_type(), KeyType::Bls);
        assert!(wallet.remove(&address).await.unwrap() && !wallet.remove(&address).await.unwrap());
        assert!(!wallet.has(&address).await.unwrap());
        let error = wallet.export(&address).await.unwrap_err();
        assert!(matches!(error, WalletError::NotFound(a) if a == address));
    });
}

/// Kinds whose bytes have a type, and those that do not.
fn typed(msg_type: MsgType) -> bool {
    !matches!(msg_type, MsgType::Unknown | MsgType::F3 | MsgType::Undefined)
}

#[test]
fn megabytes_of_nesting_are_refused_in_no_time() {
    let heads =
        [0x81, 0xa1, 0x9f, 0xbf, 0x9b, 0xbb, 0x5b, 0x7b, 0xc1, 0xd8, 0xf8, 0xff, 0xc0, 0x90, 0x8b, 0xa8];
    for head in heads {
        let mut junk = vec![head; 1 << 20];
        for prefix in [&[][..], &[0x90], &[0x8b], &[0x8a, 0], &[0xa8, 0x65], &[2], b"GPBFT:", b"VRF:x:"] {
            junk[..prefix.len()].copy_from_slice(prefix);
            for msg_type in MsgType::ALL {
                let meta = MsgMeta { msg_type: *msg_type, extra: junk.clone() };
                match read(&FIXTURE.account, &junk, &meta) {
                    Ok(payload) => assert!(!typed(*msg_type) && payload.signing_bytes() == junk),
                    Err(error) => assert!(error.to_string().len() < 500, "{msg_type}"),
                }
            }
        }
    }
}

/// What a readable request signs is what its object says, and the object is what the caller sent.
fn assert_recomputed(signer: &Address, to_sign: &[u8], meta: &MsgMeta, payload: &Payload) {
    let signed = payload.signing_bytes();
    match payload {
        Payload::Message(message) => {
            assert_eq!((message.to_cbor(), message.from), (meta.extra.clone(), *signer));
            assert_eq!((signed.as_slice(), signed.clone()), (to_sign, message.cid().to_bytes()));
        }
        Payload::Draw(draw) => {
            assert_eq!(signed, draw.digest());
            assert_eq!(&DrawRandomParams::from_cbor(to_sign).unwrap(), draw);
        }
        Payload::Block(header) => {
            assert_eq!(header.to_cbor(), to_sign);
            let unsigned = BlockHeader { block_sig: None, ..(**header).clone() };
            assert_eq!(signed, unsigned.to_cbor());
        }
        Payload::Voucher(voucher) => {
            assert_eq!(voucher.to_cbor(), to_sign);
            let unsigned = SignedVoucher { signature: None, ..(**voucher).clone() };
            assert_eq!(signed, unsigned.to_cbor());
        }
        Payload::ClientDeal(_) | Payload::AskResponse(_) => {
            assert_eq!(payload.record_bytes(), to_sign);
            assert_ne!(signed, to_sign);
        }
        Payload::Challenge(_) => panic!("there is no session"),
        _ => assert_eq!(signed, to_sign),
    }
    // Raw bytes by their class: the one that would sign a message says so.
    let cid = to_sign.len() == 38 && to_sign.starts_with(&[1, 0x71, 0xa0, 0xe4, 2, 0x20]);
    assert_eq!(payload.class() == PayloadClass::RawCid, cid && !typed(meta.msg_type));
}

/// Valid requests of every kind by the recorded keys.
static VALID: LazyLock<Vec<(Address, Vec<u8>, MsgMeta)>> = LazyLock::new(|| {
    let all = recordings::recordings().into_iter().map(|r| (r.signer(), r.to_sign(), r.meta()));
    // What delegated keys sign for messages depends on the chain, and is tested with the chain.
    let all = all.filter(|(signer, ..)| signer.protocol() != venus_core::types::Protocol::Delegated);
    all.filter(|(signer, to_sign, meta)| read(signer, to_sign, meta).is_ok()).collect()
});

#[test]
fn valid_requests_are_recomputed() {
    for (signer, to_sign, meta) in VALID.iter() {
        assert_recomputed(signer, to_sign, meta, &read(signer, to_sign, meta).unwrap());
    }
    let kinds: std::collections::BTreeSet<_> = VALID.iter().map(|(_, _, meta)| meta.msg_type).collect();
    assert_eq!((VALID.len(), kinds.len()), (50, 12), "every kind but challenges");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn garbage_of_any_kind_is_refused_or_raw(
        to_sign in proptest::collection::vec(any::<u8>(), 0..400),
        extra in proptest::collection::vec(any::<u8>(), 0..400),
        kind: prop::sample::Index,
        worker: bool,
    ) {
        let signer = if worker { FIXTURE.worker } else { FIXTURE.account };
        let meta = MsgMeta { msg_type: *kind.get(MsgType::ALL), extra };
        match read(&signer, &to_sign, &meta) {
            Ok(payload) => assert_recomputed(&signer, &to_sign, &meta, &payload),
            Err(_) => prop_assert!(typed(meta.msg_type)),
        }
    }

    /// A valid request with some bytes changed is refused, or it is another valid request and is signed as such.
    #[test]
    fn a_changed_request_is_refused_or_another_request(
        which: prop::sample::Index,
        changes in proptest::collection::vec((any::<prop::sample::Index>(), 1u8..), 1..3),
        in_extra: bool,
        cut in proptest::option::of(any::<prop::sample::Index>()),
        kind in proptest::option::of(any::<prop::sample::Index>()),
    ) {
        let (signer, mut to_sign, mut meta) = which.get(&VALID).clone();
        let target = if in_extra && !meta.extra.is_empty() { &mut meta.extra } else { &mut to_sign };
        for (at, flip) in changes {
            if !target.is_empty() {
                let at = at.index(target.len());
                target[at] ^= flip;
            }
        }
        if let Some(cut) = cut {
            target.truncate(cut.index(target.len() + 1));
        }
        if let Some(kind) = kind {
            meta.msg_type = *kind.get(MsgType::ALL);
        }
        if let Ok(payload) = read(&signer, &to_sign, &meta) {
            assert_recomputed(&signer, &to_sign, &meta, &payload);
            let raw = payload.record_bytes();
            prop_assert!(Payload::from_record(payload.msg_type(), &raw).is_object());
        }
    }

    /// Whoever signs the CID of a message under another name is known to sign a message.
    #[test]
    fn the_cid_of_a_message_is_never_plain(digest: [u8; 32], f3: bool) {
        let bytes = [&[1, 0x71, 0xa0, 0xe4, 2, 0x20][..], &digest].concat();
        let meta = MsgMeta::of(if f3 { MsgType::F3 } else { MsgType::Unknown });
        for signer in [FIXTURE.worker, FIXTURE.account] {
            prop_assert_eq!(read(&signer, &bytes, &meta).unwrap().class(), PayloadClass::RawCid);
        }
    }

    #[test]
    fn a_changed_byte_never_gets_the_old_signature(at: prop::sample::Index, flip in 1u8.., in_extra: bool, nonce: u64) {
        let message = message(FIXTURE.account, nonce);
        let (mut to_sign, mut meta) = (message.cid().to_bytes(), MsgMeta::chain_message(&message));
        let target = if in_extra { &mut meta.extra } else { &mut to_sign };
        let at = at.index(target.len());
        target[at] ^= flip;
        prop_assert!(sign(&FIXTURE.account, &to_sign, &meta).is_err(), "to_sign and the message differ");
    }

    #[test]
    fn a_changed_draw_is_another_draw(at: prop::sample::Index, flip in 1u8.., round: i64) {
        let params = DrawRandomParams { rbase: vec![7; 32], pers: 2, round, entropy: vec![0x43, 0, 0xe8, 7] };
        let mut to_sign = params.to_cbor();
        let at = at.index(to_sign.len());
        to_sign[at] ^= flip;
        let meta = MsgMeta::of(MsgType::DrawRandomParam);
        if let Ok(signature) = sign(&FIXTURE.worker, &to_sign, &meta) {
            let signed = read(&FIXTURE.worker, &to_sign, &meta).unwrap().signing_bytes();
            prop_assert_eq!(signed.len(), 32);
            crypto::verify(&signature, &FIXTURE.worker, &signed).unwrap();
            let same_key_in_other_case = to_sign.eq_ignore_ascii_case(&params.to_cbor());
            prop_assert!(same_key_in_other_case || signed != params.digest().to_vec());
        }
    }
}
