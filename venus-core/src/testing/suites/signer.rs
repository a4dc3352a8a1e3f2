use fvm_shared::address::{Address, Protocol};
use fvm_shared::econ::TokenAmount;
use fvm_shared::message::Message;
use num_bigint::BigInt;

use super::{must, must_fail, nobody, nowhere};
use crate::api::{ISigner, MessageRequest, SignerError, SignerExt};
use crate::cbor::Encode;
use crate::consensus::vrf;
use crate::crypto;
use crate::error::{Classify, ErrorKind};
use crate::types::{
    BlockHeader, DrawRandomParams, ElectionProof, MessageExt, MsgMeta, MsgType, Signature, SignatureType,
    SignedMessage, Ticket,
};

/// What [`signer`] relies on.
#[derive(Clone, Debug)]
pub struct SignerFixture {
    /// `f1` and `f3` addresses whose keys the signer owns; at least one.
    pub owned: Vec<Address>,
    /// Kinds that the signer signs with a key that fits. All others may be [`SignerError::Unsupported`] or denied.
    pub kinds: Vec<MsgType>,
}

impl SignerFixture {
    /// A signer that owns these keys and signs messages, blocks and VRF draws.
    pub fn new(owned: Vec<Address>) -> Self {
        Self { owned, kinds: vec![MsgType::ChainMessage, MsgType::Block, MsgType::DrawRandomParam] }
    }
}

/// Checks the contract of [`ISigner`]. Signs blocks at heights from 1 on of the miner f01000, each height once.
///
/// # Panics
/// If a clause does not hold.
pub async fn signer(signer: &dyn ISigner, fixture: &SignerFixture) {
    assert!(!fixture.owned.is_empty(), "fixture: no addresses");
    keys(signer, &fixture.owned).await;
    for (height, address) in (1..).zip(&fixture.owned) {
        let suite = Suite { signer, fixture, address, height };
        suite.messages().await;
        suite.blocks().await;
        suite.draws().await;
        let undefined = signer.sign(address, b"anything", &MsgMeta::of(MsgType::Undefined)).await;
        assert!(undefined.is_err(), "nobody signs bytes without a kind");
    }
}

async fn keys(signer: &dyn ISigner, owned: &[Address]) {
    let list = must(signer.list().await, "list answers");
    assert!(list.iter().all(|a| a.protocol() != Protocol::ID), "addresses are key addresses: {list:?}");
    for address in owned {
        assert!(list.contains(address), "list names every address: {address} is missing");
        assert!(must(signer.has(address).await, "has answers"), "has is true for {address}");
    }
    for other in [nobody(), Address::new_id(1000)] {
        assert!(!must(signer.has(&other).await, "has answers"), "has is false for {other}");
        let message = MessageRequest::transfer(other, other, TokenAmount::default()).message;
        let result = signer.sign_message(&message).await;
        must_fail(result, ErrorKind::NotFound, "without a key the answer is KeyNotFound");
    }
}

struct Suite<'a> {
    signer: &'a dyn ISigner,
    fixture: &'a SignerFixture,
    address: &'a Address,
    height: i64,
}

impl Suite<'_> {
    /// Whether the signer must sign this kind. Elections need a BLS key.
    fn must_sign(&self, kind: MsgType) -> bool {
        let fits = kind == MsgType::ChainMessage || self.address.protocol() == Protocol::BLS;
        fits && self.fixture.kinds.contains(&kind)
    }

    /// Takes a signature over `bytes`, or a refusal where it is allowed.
    fn accept(&self, kind: MsgType, bytes: &[u8], result: Result<Signature, SignerError>) {
        match result {
            Ok(signature) => {
                let fits = match self.address.protocol() {
                    Protocol::BLS => SignatureType::Bls,
                    _ => SignatureType::Secp256k1,
                };
                assert_eq!(signature.sig_type, fits, "the address decides the algorithm");
                let verified = crypto::verify(&signature, self.address, bytes);
                must(verified, "a signature verifies over the bytes of the typed payload");
            }
            Err(e) if self.must_sign(kind) => panic!("{kind} is signed with {}: {e:?}", self.address),
            Err(e) => {
                let refused = matches!(e.kind(), ErrorKind::Unsupported | ErrorKind::Denied);
                assert!(refused, "a kind that is not signed is Unsupported or Denied: {e:?}");
            }
        }
    }

    /// Refuses a signature over a payload that contradicts itself.
    fn refuse(&self, kind: MsgType, result: Result<Signature, SignerError>, clause: &str) {
        match result {
            Ok(_) => panic!("{clause}: signed"),
            Err(e) if self.must_sign(kind) => assert_eq!(e.kind(), ErrorKind::Invalid, "{clause}: {e:?}"),
            Err(_) => {}
        }
    }

    fn message(&self, nonce: u64) -> Message {
        let mut message =
            MessageRequest::transfer(*self.address, nobody(), TokenAmount::from_atto(5)).message;
        (message.sequence, message.gas_limit) = (nonce, 1_000_000);
        message
    }

    async fn messages(&self) {
        let (message, kind) = (self.message(1), MsgType::ChainMessage);
        let to_sign = message.cid().to_bytes();
        let meta = MsgMeta::chain_message(&message);
        for _ in 0..2 {
            self.accept(kind, &to_sign, self.signer.sign(self.address, &to_sign, &meta).await);
        }
        if self.must_sign(kind) {
            let SignedMessage { message: echoed, signature } =
                self.signer.sign_message(&message).await.unwrap();
            assert_eq!(echoed, message, "signing changes nothing");
            self.accept(kind, &to_sign, Ok(signature));
        }
        let other = self.message(2).cid().to_bytes();
        let sign = async |to_sign: &[u8], extra: &[u8]| {
            let meta = MsgMeta { msg_type: kind, extra: extra.to_vec() };
            self.signer.sign(self.address, to_sign, &meta).await
        };
        self.refuse(kind, sign(&other, &meta.extra).await, "bytes of another message are Mismatch");
        self.refuse(kind, sign(&[], &meta.extra).await, "missing bytes are Mismatch");
        self.refuse(kind, sign(&to_sign, &[]).await, "a missing message is BadPayload");
        self.refuse(kind, sign(&to_sign, b"no CBOR").await, "garbage is BadPayload");
        let trailing = [&meta.extra[..], &[0]].concat();
        self.refuse(kind, sign(&to_sign, &trailing).await, "trailing bytes are BadPayload");
    }

    fn header(&self) -> BlockHeader {
        BlockHeader {
            miner: Address::new_id(1000),
            ticket: Some(Ticket { vrf_proof: vec![1; 96] }),
            election_proof: Some(ElectionProof { win_count: 1, vrf_proof: vec![2; 96] }),
            beacon_entries: Vec::new(),
            win_post_proof: Vec::new(),
            // Each height on its own parents, so that no two blocks of the suite contradict each other.
            parents: vec![crate::types::blake2b_cid(&self.height.to_be_bytes())],
            parent_weight: BigInt::from(1000),
            height: self.height,
            parent_state_root: nowhere(),
            parent_message_receipts: nowhere(),
            messages: nowhere(),
            bls_aggregate: Some(Signature::bls(crypto::bls::EMPTY_AGGREGATE)),
            timestamp: 1_600_000_000,
            block_sig: None,
            fork_signaling: 1,
            parent_base_fee: TokenAmount::from_atto(100),
        }
    }

    async fn blocks(&self) {
        let (header, kind) = (self.header(), MsgType::Block);
        let bytes = header.signing_bytes();
        for _ in 0..2 {
            self.accept(kind, &bytes, self.signer.sign_block(self.address, &header).await);
        }
        let sign = async |bytes: &[u8]| self.signer.sign(self.address, bytes, &MsgMeta::of(kind)).await;
        self.refuse(kind, sign(b"no CBOR").await, "garbage is no block");
        self.refuse(kind, sign(&[&bytes[..], &[0]].concat()).await, "trailing bytes are no block");
        self.refuse(kind, sign(&bytes[..bytes.len() - 1]).await, "half a block is no block");
        self.refuse(kind, sign(&self.message(1).to_cbor()).await, "a message is no block");
    }

    async fn draws(&self) {
        let kind = MsgType::DrawRandomParam;
        let params = vrf::election_input(self.height, &Address::new_id(1000)).params(&[7; 32]);
        let meta = MsgMeta::of(kind);
        let result = self.signer.sign(self.address, &params.to_cbor(), &meta).await;
        self.accept(kind, &params.digest(), result);
        let bare = DrawRandomParams { entropy: Vec::new(), ..params.clone() };
        let result = self.signer.sign(self.address, &bare.to_cbor(), &meta).await;
        self.accept(kind, &bare.digest(), result);
        if self.must_sign(kind) {
            let proof = must(self.signer.draw_vrf(self.address, &params).await, "a VRF is drawn");
            must(vrf::verify_vrf(self.address, &params.digest(), &proof), "a VRF proof verifies");
            let again = self.signer.draw_vrf(self.address, &params).await.unwrap();
            assert_eq!(proof, again, "a VRF proof is unique");
        }
        let digest = self.signer.sign(self.address, &params.digest(), &meta).await;
        self.refuse(kind, digest, "a bare digest is not signed: the signer computes it");
    }
}
