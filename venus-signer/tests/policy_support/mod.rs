//! Requests to try policies with.
#![allow(dead_code)]

use venus_core::actors::{ActorKind, init, miner, multisig};
use venus_core::api::Permissions;
use venus_core::cbor::Encode;
use venus_core::types::{
    Address, BitField, Cid, Message, MsgMeta, MsgType, RawBytes, TokenAmount, address, blake2b_cid,
};
use venus_signer::policy::{Explanation, Policy, PolicyConfig};
use venus_signer::{Caller, Check, MessageToSign, Payload, Refusal, Review, SignRequest, SigningNetwork};

pub(crate) const SECP: &str = "f1abjxfbp274xpdqcpuaykwkfb43omjotacm2p3za";
pub(crate) const MINER: &str = "f01000";

pub(crate) fn addr(text: &str) -> Address {
    address::parse(text).unwrap()
}

pub(crate) fn secp() -> Address {
    addr(SECP)
}

pub(crate) fn bls() -> Address {
    Address::new_bls(&[7; 48]).unwrap()
}

pub(crate) fn other() -> Address {
    Address::new_secp256k1(&[9; 65]).unwrap()
}

/// An address that the init actor gave.
pub(crate) fn robust(seed: u8) -> Address {
    Address::new_actor(&[seed; 20])
}

pub(crate) fn fil(text: &str) -> TokenAmount {
    venus_core::types::parse_fil(text).unwrap()
}

pub(crate) fn call(to: &str, method: u64, value: &str, params: Vec<u8>) -> Message {
    Message {
        version: 0,
        from: secp(),
        to: addr(to),
        sequence: 1,
        value: fil(value),
        method_num: method,
        params: RawBytes::new(params),
        gas_limit: 1_000_000,
        gas_fee_cap: TokenAmount::from_atto(100_000),
        gas_premium: TokenAmount::from_atto(1_000),
    }
}

pub(crate) fn send(to: &str, value: &str) -> Message {
    call(to, 0, value, Vec::new())
}

pub(crate) fn post() -> Vec<u8> {
    miner::SubmitWindowedPostParams {
        deadline: 3,
        partitions: vec![miner::PostPartition { index: 0, skipped: BitField::new() }],
        proofs: Vec::new(),
        chain_commit_epoch: 100,
        chain_commit_rand: vec![1; 32],
    }
    .to_cbor()
}

pub(crate) fn pre_commit() -> Vec<u8> {
    miner::PreCommitSectorBatch2Params { sectors: Vec::new() }.to_cbor()
}

pub(crate) fn withdraw() -> Vec<u8> {
    miner::WithdrawBalanceParams { amount_requested: fil("1") }.to_cbor()
}

pub(crate) fn add_signer() -> Vec<u8> {
    multisig::AddSignerParams { signer: other(), increase: false }.to_cbor()
}

pub(crate) fn propose(to: &str, value: &str, method: u64, params: Vec<u8>) -> Vec<u8> {
    multisig::ProposeParams { to: addr(to), value: fil(value), method, params: RawBytes::new(params) }
        .to_cbor()
}

pub(crate) fn code(kind: ActorKind) -> Cid {
    blake2b_cid(kind.name().as_bytes())
}

pub(crate) fn exec(signers: Vec<Address>) -> Vec<u8> {
    let constructor = multisig::ConstructorParams {
        signers,
        num_approvals_threshold: 1,
        unlock_duration: 0,
        start_epoch: 0,
    };
    let constructor_params = RawBytes::new(constructor.to_cbor());
    init::ExecParams { code_cid: code(ActorKind::Multisig), constructor_params }.to_cbor()
}

pub(crate) fn policy(text: &str) -> Policy {
    Policy::new(&PolicyConfig::from_toml(text).unwrap()).unwrap()
}

pub(crate) fn message_payload(message: &Message) -> Payload {
    let network = SigningNetwork { cid_for_delegated: true, ..SigningNetwork::default() };
    Payload::Message(Box::new(MessageToSign::new(message.clone(), &network).unwrap()))
}

/// Asks a check about a message of its sender.
pub(crate) async fn ask_as(check: &dyn Check, caller: &Caller, message: &Message) -> Result<(), Refusal> {
    let payload = message_payload(message);
    let meta = MsgMeta::chain_message(message);
    let request = SignRequest { signer: message.from, to_sign: &[], meta: &meta, caller };
    check.check(&Review { request: &request, payload: &payload }).await
}

pub(crate) async fn ask(check: &dyn Check, message: &Message) -> Result<(), Refusal> {
    ask_as(check, &Caller::embedded(), message).await
}

pub(crate) async fn explain(policy: &Policy, message: &Message) -> Explanation {
    let payload = message_payload(message);
    let meta = MsgMeta::chain_message(message);
    let caller = Caller::embedded();
    let request = SignRequest { signer: message.from, to_sign: &[], meta: &meta, caller: &caller };
    policy.explain(&Review { request: &request, payload: &payload }).await
}

/// Asks about bytes under a type, read as the wallet reads them.
/// By a service of the pool, which may sign and no more.
pub(crate) async fn ask_raw(
    check: &dyn Check,
    signer: Address,
    kind: MsgType,
    bytes: &[u8],
) -> Result<(), Refusal> {
    let caller = Caller::rpc("messager", Permissions::up_to("sign"));
    ask_raw_as(check, &caller, signer, kind, bytes).await
}

pub(crate) async fn ask_raw_as(
    check: &dyn Check,
    caller: &Caller,
    signer: Address,
    kind: MsgType,
    bytes: &[u8],
) -> Result<(), Refusal> {
    let meta = MsgMeta::of(kind);
    let request = SignRequest { signer, to_sign: bytes, meta: &meta, caller };
    let payload = Payload::read(&request, &SigningNetwork::default()).unwrap();
    check.check(&Review { request: &request, payload: &payload }).await
}

pub(crate) async fn allows(policy: &Policy, message: &Message) -> bool {
    let explained = explain(policy, message).await;
    let answer = ask(policy, message).await;
    assert_eq!(explained.is_allowed(), answer.is_ok(), "{explained} but {answer:?}");
    answer.is_ok()
}

pub(crate) fn text(refusal: Result<(), Refusal>) -> String {
    refusal.unwrap_err().to_string()
}
