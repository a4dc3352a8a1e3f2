//! What a node's error means.
//!
//! Lotus has typed errors, Forest other codes, Venus nothing but texts. In that order they are looked at; the
//! texts match in any case and anywhere, because nodes wrap them.

mod provider;

use cid::Cid;
use fvm_shared::{address::Address, clock::ChainEpoch};

use super::error::{CallError, RpcError, codes};
use crate::{
    api::{BlockReject, ChainError, PoolReject},
    error::{Classify, ErrorKind},
};

pub use provider::{prover_error, signer_error, unseal_error};

/// What the failure of `method` means for a reader or writer of the chain.
///
/// ```
/// use venus_core::{api::ChainError, rpc::{CallError, RpcError, classify::chain_error}};
///
/// let error = RpcError::new(1, "message nonce too low");
/// assert!(matches!(chain_error("Filecoin.MpoolPush", error.into()), ChainError::Pool(_)));
/// ```
pub fn chain_error(method: &'static str, error: CallError) -> ChainError {
    match error {
        CallError::Rpc(error) => of_rpc(method, *error),
        CallError::Status { status: 401, .. } => ChainError::Unauthorized,
        CallError::Timeout { after, .. } => ChainError::Timeout { method, after },
        CallError::Decode { reason, .. } => ChainError::Decode { method: method.to_owned(), reason },
        CallError::NeedsWebSocket(what) => ChainError::Unsupported(what),
        CallError::Params { .. } | CallError::TooBig { .. } => ChainError::Invalid(error.to_string()),
        CallError::Status { status: 429 | 403, .. } | CallError::TooMany(_) => ChainError::Rpc {
            method,
            code: codes::METHOD,
            message: error.to_string(),
            kind: error.kind(),
            retry_after: error.retry_after(),
        },
        other => ChainError::Transport(Box::new(other)),
    }
}

/// What can be done about an error whose server did not say.
pub(crate) fn kind_of(error: &RpcError) -> ErrorKind {
    of_rpc("", error.clone()).kind()
}

fn of_rpc(method: &'static str, error: RpcError) -> ChainError {
    if let Some(known) = by_code(method, &error).or_else(|| by_text(method, &error)) {
        return known;
    }
    let kind = error.kind.unwrap_or(match error.code {
        codes::PARSE | codes::INVALID_PARAMS | codes::INVALID_REQUEST | BLOCK_RANGE => ErrorKind::Invalid,
        _ => ErrorKind::Internal,
    });
    unnamed(method, &error, kind)
}

fn unnamed(method: &'static str, error: &RpcError, kind: ErrorKind) -> ChainError {
    let RpcError { code, message, retry_after, .. } = error.clone();
    ChainError::Rpc { method, code, message, kind: error.kind.unwrap_or(kind), retry_after }
}

/// Go clients report a lost connection with it, and proxies pass it on.
const LOST: i64 = -1_111_111;
const FOREST_UNSUPPORTED: i64 = -32001;
const EXPENSIVE_FORK: i64 = -32002;
const BLOCK_RANGE: i64 = -32005;
/// Exit codes of the VM.
const OUT_OF_GAS: u32 = 7;
const REVERTED: u32 = 33;

fn by_code(method: &'static str, error: &RpcError) -> Option<ChainError> {
    let execution = |exit_code| ChainError::ExecutionFailed { exit_code, reason: error.message.clone() };
    Some(match error.code {
        codes::METHOD_NOT_FOUND => ChainError::Unsupported(method.to_owned()),
        LOST => ChainError::Transport(Box::new(error.clone())),
        2 => execution(OUT_OF_GAS),
        3 => execution(REVERTED),
        4 => ChainError::Unsupported("f3".to_owned()),
        5 | 9 => unnamed(method, error, ErrorKind::Invalid),
        6..=8 => unnamed(method, error, ErrorKind::Conflict),
        10 => unnamed(method, error, ErrorKind::Transient),
        11 => actor_not_found(method, error),
        12 => null_round(method, error),
        13 => ChainError::Unsupported("payment channels".to_owned()),
        FOREST_UNSUPPORTED => ChainError::Unsupported(method.to_owned()),
        EXPENSIVE_FORK => ChainError::ExpensiveFork(epoch(error)),
        codes::FOREST_DENIED => permission(method, error),
        _ => return None,
    })
}

/// The texts of Lotus and Venus, most specific first, in lower case.
fn by_text(method: &'static str, error: &RpcError) -> Option<ChainError> {
    type Reading = fn(&'static str, &RpcError) -> ChainError;
    const TABLE: [(&str, Reading); 24] = [
        ("missing permission to invoke", permission),
        ("actor not found", actor_not_found),
        ("requested epoch was a null round", null_round),
        ("refusing explicit call due to state fork", |_, error| ChainError::ExpensiveFork(epoch(error))),
        ("message nonce too low", |_, error| {
            let expected = number_after(&error.message, "expected nonce is").unwrap_or_default();
            PoolReject::NonceTooLow { expected }.into()
        }),
        ("message with nonce already exists", |_, _| PoolReject::NonceTaken.into()),
        ("replace by fee has too low gaspremium", premium_too_low),
        ("to trigger replace by fee", premium_too_low),
        ("not enough funds to execute transaction", |_, _| PoolReject::InsufficientFunds.into()),
        ("message too big", |_, _| PoolReject::TooBig.into()),
        ("gas fee cap too low", |_, _| PoolReject::FeeCapTooLow.into()),
        ("unfulfilled nonce gap", |_, _| PoolReject::NonceGap.into()),
        ("too many pending messages", |_, _| PoolReject::TooManyPending.into()),
        ("mpool is full", |_, _| PoolReject::TooManyPending.into()),
        ("validation failure", |_, error| PoolReject::Invalid(error.message.clone()).into()),
        ("found message with equal nonce", |method, error| unnamed(method, error, ErrorKind::Conflict)),
        ("failed to load message", missing_message),
        ("slash filter detected fault", slash_filter),
        ("sync to submitted block failed", |_, error| {
            BlockReject::Rule { rule: "validation", reason: error.message.clone() }.into()
        }),
        ("call ran out of gas", out_of_gas),
        ("exit 7", out_of_gas),
        ("f3 is not enabled", |_, _| ChainError::Unsupported("f3".to_owned())),
        ("f3 is not ready", |method, error| unnamed(method, error, ErrorKind::Transient)),
        ("websocket connection closed", |_, error| ChainError::Transport(Box::new(error.clone()))),
    ];
    let text = error.message.to_ascii_lowercase();
    TABLE.into_iter().find(|(part, _)| text.contains(part)).map(|(_, read)| read(method, error))
}

/// `missing permission to invoke 'MpoolPush' (need 'write')`
fn permission(method: &'static str, error: &RpcError) -> ChainError {
    let quoted = error.message.rsplit_once("need '").and_then(|(_, rest)| rest.split_once('\''));
    let need = quoted.map(|(need, _)| need.to_owned()).unwrap_or_default();
    ChainError::PermissionDenied { method: method.to_owned(), need }
}

fn actor_not_found(method: &'static str, error: &RpcError) -> ChainError {
    match words(&error.message).find_map(address) {
        Some(address) => ChainError::ActorNotFound(address),
        None => unnamed(method, error, ErrorKind::NotFound),
    }
}

fn null_round(method: &'static str, error: &RpcError) -> ChainError {
    match epoch(error) {
        Some(epoch) => ChainError::NullRound(epoch),
        None => unnamed(method, error, ErrorKind::NotFound),
    }
}

fn premium_too_low(_: &'static str, error: &RpcError) -> ChainError {
    let asked = after(&error.message, "increase GasPremium to").and_then(|rest| words(rest).next());
    let digits = |word: &&str| !word.is_empty() && word.bytes().all(|b| b.is_ascii_digit());
    let min_premium = asked.filter(digits).unwrap_or_default().to_owned();
    PoolReject::ReplacePremiumTooLow { min_premium }.into()
}

fn missing_message(method: &'static str, error: &RpcError) -> ChainError {
    match words(&error.message).find_map(|word| word.parse::<Cid>().ok()) {
        Some(cid) => BlockReject::MissingMessage(cid).into(),
        None => unnamed(method, error, ErrorKind::NotFound),
    }
}

fn slash_filter(method: &'static str, error: &RpcError) -> ChainError {
    match words(&error.message).find_map(|word| word.parse::<Cid>().ok()) {
        Some(witness) => BlockReject::SlashFilter { witness }.into(),
        None => unnamed(method, error, ErrorKind::Conflict),
    }
}

fn out_of_gas(_: &'static str, error: &RpcError) -> ChainError {
    ChainError::ExecutionFailed { exit_code: OUT_OF_GAS, reason: error.message.clone() }
}

/// The epoch that an error is about: Lotus puts it into `data`, or after the words of the text.
fn epoch(error: &RpcError) -> Option<ChainEpoch> {
    let data = error.data.as_deref().and_then(|data| serde_json::from_str(data.get()).ok());
    data.or_else(|| number_after(&error.message, "null round"))
        .or_else(|| number_after(&error.message, "epoch"))
}

fn number_after<N: std::str::FromStr>(text: &str, marker: &str) -> Option<N> {
    words(after(text, marker)?).find_map(|word| word.parse().ok())
}

fn after<'a>(text: &'a str, marker: &str) -> Option<&'a str> {
    text.split_once(marker).map(|(_, rest)| rest)
}

fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !c.is_ascii_alphanumeric() && c != '-').filter(|word| !word.is_empty())
}

/// Addresses are told from other words by their protocol digit and, where they have one, their checksum.
fn address(word: &str) -> Option<Address> {
    let (network, _) = word.split_at_checked(1)?;
    if !matches!(network, "f" | "t") || word.len() < 3 {
        return None;
    }
    crate::types::address::parse(word).ok()
}

#[cfg(test)]
mod tests;
