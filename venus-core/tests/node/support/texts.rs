//! How nodes say what went wrong.

use venus_core::api::{BlockReject, ChainError, PoolReject};
use venus_core::rpc::RpcError;

use super::Style;

/// The error as a node of this style puts it on the wire.
pub fn wire_error(style: Style, error: &ChainError) -> RpcError {
    let text = match style {
        Style::Venus => venus(error),
        Style::Lotus | Style::Forest => lotus(error),
    };
    let code = match (style, error) {
        (Style::Lotus, ChainError::ExecutionFailed { .. }) => 3,
        _ => 1,
    };
    RpcError::new(code, text)
}

fn lotus(error: &ChainError) -> String {
    match error {
        ChainError::ActorNotFound(_) => "failed to load miner actor: actor not found".into(),
        ChainError::MessageNotFound(cid) => format!("ipld: could not find {cid}"),
        ChainError::HeightAhead { wanted, head } => {
            format!("looking for tipset with height greater than start point, req: {wanted}, head: {head}")
        }
        ChainError::ExecutionFailed { exit_code, reason } => {
            format!(
                "message execution failed (exit=[SysErr({exit_code})], vm error=[{reason} (RetCode={exit_code})])"
            )
        }
        ChainError::Pool(PoolReject::Signature(why)) => {
            format!("signature verification failed: failed to validate signature: {why}")
        }
        other => shared(other),
    }
}

fn venus(error: &ChainError) -> String {
    match error {
        ChainError::ActorNotFound(a) => format!("address is :{a}: actor not found"),
        ChainError::MessageNotFound(cid) => {
            format!("failed to get secp message {cid}: ipld: could not find {cid}")
        }
        ChainError::HeightAhead { .. } => "looking for tipset with height greater than start point".into(),
        ChainError::ExecutionFailed { exit_code, reason } => {
            format!(
                "estimating gas used: message execution failed: exit SysErr({exit_code}), reason: {reason}"
            )
        }
        ChainError::Pool(PoolReject::Signature(why)) => format!("failed to validate signature: {why}"),
        other => shared(other),
    }
}

fn shared(error: &ChainError) -> String {
    match error {
        ChainError::TipsetNotFound(key) => format!("loading tipset {key}: ipld: could not find it"),
        ChainError::BlockNotFound(cid) => format!("ipld: could not find {cid}"),
        ChainError::Pool(reject) => pool(reject),
        ChainError::Block(reject) => block(reject),
        other => other.to_string(),
    }
}

fn pool(reject: &PoolReject) -> String {
    match reject {
        PoolReject::NonceTooLow { expected } => {
            format!("minimum expected nonce is {expected}: message nonce too low")
        }
        PoolReject::ReplacePremiumTooLow { min_premium } => format!(
            "message from x with nonce 1 already in mpool, increase GasPremium to {min_premium} from 1 to trigger replace by fee: replace by fee has too low GasPremium"
        ),
        PoolReject::Invalid(why) => format!("message not valid for block inclusion: {why}"),
        PoolReject::InsufficientFunds => {
            "mpool push: not enough funds including pending: not enough funds to execute transaction".into()
        }
        PoolReject::TooBig => "mpool message too large: 70000 bytes (max: 65536): message too big".into(),
        other => other.to_string(),
    }
}

fn block(reject: &BlockReject) -> String {
    match reject {
        BlockReject::SlashFilter { witness } => {
            format!("<!!> SLASH FILTER ERROR: SLASH FILTER DETECTED FAULT DUE TO WITNESS BLOCK: {witness}")
        }
        BlockReject::UnknownParents => "loading parent block: ipld: could not find bafy".into(),
        BlockReject::MissingMessage(cid) => {
            format!("failed to load message {cid}: ipld: could not find {cid}")
        }
        other => format!("sync to submitted block failed: {other}"),
    }
}
