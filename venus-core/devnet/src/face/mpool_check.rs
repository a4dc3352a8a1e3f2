//! `MpoolCheck*`: what the pool would say to messages. Lotus's command line asks before it sends.

use fvm_shared::address::Address;
use fvm_shared::econ::TokenAmount;
use fvm_shared::message::Message;
use serde::Deserialize;
use serde_json::{Value, json};
use venus_core::api::{ChainReader, MessagePool, PoolReject, StateReader};
use venus_core::cbor::Encode;
use venus_core::consensus::base_fee::MINIMUM_BASE_FEE;
use venus_core::json::Json;
use venus_core::types::{
    CheckStatusCode, Cid, MessageCheckStatus, MessageExt, Signature, SignatureType, SignedMessage, TipsetKey,
};

use super::Face;
use super::error::FaceError;
use super::methods::{Answer, Methods, method};
use crate::mpool::check_content;
use crate::vm::inclusion_gas;

/// Most messages of one check.
const MOST_AT_ONCE: usize = 1000;
/// The base fee may fall or grow this many times before a message lands.
const BASE_FEE_BOUND: u64 = 10;

pub(super) fn register(m: &mut Methods) {
    method!(m, Read "Filecoin.MpoolCheckMessages" (p: Vec<Prototype> = "[]*api.MessagePrototype") => prototypes, .idempotent());
    method!(m, Read "Filecoin.MpoolCheckPendingMessages" (a: Json<Address> = "address.Address") => pending, .idempotent());
    method!(m, Read "Filecoin.MpoolCheckReplaceMessages" (msgs: Json<Vec<Message>> = "[]*types.Message") => replacements, .idempotent());
}

/// A message that is not signed yet, and whether its nonce is meant.
#[derive(Debug, Deserialize)]
struct Prototype {
    #[serde(rename = "Message")]
    message: Json<Message>,
    #[serde(rename = "ValidNonce", default)]
    valid_nonce: bool,
}

type Checks = Option<Json<Vec<Vec<MessageCheckStatus>>>>;

async fn prototypes(face: Face, asked: Vec<Prototype>) -> Answer<Checks> {
    check_all(&face, asked.into_iter().map(|p| (p.message.0, p.valid_nonce)).collect()).await
}

async fn replacements(face: Face, Json(messages): Json<Vec<Message>>) -> Answer<Checks> {
    check_all(&face, messages.into_iter().map(|message| (message, false)).collect()).await
}

async fn pending(face: Face, Json(sender): Json<Address>) -> Answer<Checks> {
    let waiting = face.devnet.pending().await?.into_iter().map(|m| m.message);
    check_all(&face, waiting.filter(|m| m.from == sender).map(|message| (message, false)).collect()).await
}

/// One list of checks for each message. Go writes null for no messages.
async fn check_all(face: &Face, messages: Vec<(Message, bool)>) -> Answer<Checks> {
    if messages.len() > MOST_AT_ONCE {
        return Err(FaceError::said(format!("more than {MOST_AT_ONCE} messages at once")));
    }
    let base_fee = face.devnet.head().await?.min_ticket_block().parent_base_fee.clone();
    let mut checks = Vec::with_capacity(messages.len());
    for (message, nonce_counts) in &messages {
        checks.push(check(face, message, *nonce_counts, &base_fee).await?);
    }
    Ok((!checks.is_empty()).then_some(Json(checks)))
}

async fn check(
    face: &Face,
    message: &Message,
    nonce_counts: bool,
    base_fee: &TokenAmount,
) -> Answer<Vec<MessageCheckStatus>> {
    use CheckStatusCode as Code;
    let cid = message.cid();
    let Some(actor) = face.devnet.actor(&message.from, &TipsetKey::default()).await? else {
        return Ok(vec![failed(cid, Code::MessageGetStateNonce, "actor not found", Value::Null)]);
    };
    let next = face.devnet.next_nonce(&message.from).await?;
    let mut all = vec![
        status(cid, Code::MessageGetStateNonce, Ok(()), json!({ "nonce": next })),
        status(
            cid,
            Code::MessageGetStateBalance,
            Ok(()),
            json!({ "balance": actor.balance.atto().to_string() }),
        ),
        status(cid, Code::MessageSerialize, Ok(()), Value::Null),
    ];
    all.extend(content(cid, message));
    all.extend(fees(cid, message, base_fee));
    let nonce = verdict(!nonce_counts || message.sequence >= actor.nonce, "message nonce too low");
    all.push(status(cid, Code::MessageNonce, nonce, json!({ "nextNonce": next })));
    let required = message.gas_cost() + &message.value;
    let funds = verdict(actor.balance >= required, "insufficient balance");
    let hint = json!({ "requiredFunds": required.atto().to_string() });
    all.push(status(cid, Code::MessageBalance, funds, hint));
    Ok(all)
}

/// What can be seen without the chain.
fn content(cid: Cid, message: &Message) -> [MessageCheckStatus; 3] {
    use CheckStatusCode as Code;
    let signature = Signature { sig_type: SignatureType::Secp256k1, data: vec![0; 65] };
    let checked = check_content(&SignedMessage { message: message.clone(), signature });
    let size = verdict(!matches!(checked, Err(PoolReject::TooBig)), "message too big");
    let valid = match checked {
        Err(PoolReject::Invalid(why)) => Err(why),
        _ => Ok(()),
    };
    let least = inclusion_gas(message.to_cbor().len());
    let gas = verdict(
        message.gas_limit >= least,
        "'GasLimit' field cannot be less than the cost of storing a message on chain",
    );
    [
        status(cid, Code::MessageSize, size, Value::Null),
        status(cid, Code::MessageValidity, valid, Value::Null),
        status(cid, Code::MessageMinGas, gas, json!({ "minGas": least })),
    ]
}

/// How the fee cap stands to the base fee as it is and as it may become.
fn fees(cid: Cid, message: &Message, base_fee: &TokenAmount) -> [MessageCheckStatus; 4] {
    use CheckStatusCode as Code;
    let (lower, upper) = (base_fee.div_floor(BASE_FEE_BOUND), base_fee * BASE_FEE_BOUND);
    let covers = |fee: &TokenAmount, text| verdict(message.gas_fee_cap >= *fee, text);
    let text = |fee: &TokenAmount| fee.atto().to_string();
    let least = TokenAmount::from_atto(MINIMUM_BASE_FEE);
    [
        status(
            cid,
            Code::MessageMinBaseFee,
            covers(&least, "GasFeeCap less than minimum base fee"),
            Value::Null,
        ),
        status(
            cid,
            Code::MessageBaseFee,
            covers(base_fee, "GasFeeCap less than current base fee"),
            json!({ "baseFee": text(base_fee) }),
        ),
        status(
            cid,
            Code::MessageBaseFeeLowerBound,
            covers(&lower, "GasFeeCap less than base fee lower bound for inclusion in next 20 epochs"),
            json!({ "baseFee": text(base_fee), "baseFeeLowerBound": text(&lower) }),
        ),
        status(
            cid,
            Code::MessageBaseFeeUpperBound,
            // Advice, not a refusal.
            Ok(()),
            json!({ "baseFee": text(base_fee), "baseFeeUpperBound": text(&upper) }),
        ),
    ]
}

type Verdict = Result<(), String>;

fn verdict(good: bool, otherwise: &str) -> Verdict {
    if good { Ok(()) } else { Err(otherwise.to_owned()) }
}

fn failed(cid: Cid, code: CheckStatusCode, why: &str, hint: Value) -> MessageCheckStatus {
    status(cid, code, Err(why.to_owned()), hint)
}

fn status(cid: Cid, code: CheckStatusCode, verdict: Verdict, hint: Value) -> MessageCheckStatus {
    let ok = verdict.is_ok();
    MessageCheckStatus {
        cid,
        code,
        ok,
        err: verdict.err().unwrap_or_default(),
        hint: (!hint.is_null()).then_some(hint),
    }
}
