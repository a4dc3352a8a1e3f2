//! What is wrong with a message whatever the chain.

use fvm_shared::address::Payload;
use fvm_shared::econ::TokenAmount;
use fvm_shared::message::Message;
use venus_core::api::PoolReject;
use venus_core::consensus::base_fee::{BLOCK_GAS_LIMIT, MINIMUM_BASE_FEE};
use venus_core::crypto::CryptoError;
use venus_core::types::{SignatureType, SignedMessage};

use crate::config::TOTAL_FIL;
use crate::vm::inclusion_gas;

/// Checks all but the signature, in the order of Go nodes, so that of several faults they name the same one.
///
/// The reasons are in the words of these nodes: clients of theirs tell refusals apart by text.
pub(crate) fn check_content(signed: &SignedMessage) -> Result<(), PoolReject> {
    signed.check_size().map_err(|_| PoolReject::TooBig)?;
    let message = &signed.message;
    if let Some(fault) = fault(message) {
        return Err(PoolReject::Invalid(format!("message not valid for block inclusion: {fault}")));
    }
    if message.gas_fee_cap < TokenAmount::from_atto(MINIMUM_BASE_FEE) {
        return Err(PoolReject::FeeCapTooLow);
    }
    if matches!(message.from.payload(), Payload::ID(_) | Payload::Actor(_)) {
        return Err(PoolReject::Signature(format!("{} is no key address", message.from)));
    }
    Ok(())
}

/// The gas limit pays at least for being in a block. Go nodes look at it only after the signature.
pub(crate) fn check_inclusion(signed: &SignedMessage, chain_len: usize) -> Result<(), PoolReject> {
    let (limit, least) = (signed.message.gas_limit, inclusion_gas(chain_len));
    if limit >= least {
        return Ok(());
    }
    Err(PoolReject::Invalid(format!(
        "message will not be included in a block: 'GasLimit' field cannot be less than the cost of storing a \
         message on chain {limit} < {least}"
    )))
}

/// A refusal of a signature.
pub(crate) fn bad_signature(signed: &SignedMessage, error: &CryptoError) -> PoolReject {
    let (cid, kind) = (signed.cid(), signed.signature.sig_type as u8);
    let reason = match signed.signature.sig_type {
        SignatureType::Bls => "bls signature failed to verify".to_owned(),
        SignatureType::Secp256k1 | SignatureType::Delegated => error.to_string(),
    };
    PoolReject::Signature(format!("invalid signature for message {cid} (type {kind}): {reason}"))
}

fn fault(message: &Message) -> Option<String> {
    let said = |text: &str| Some(text.to_owned());
    if message.version != 0 {
        return said("'Version' unsupported");
    }
    if message.to.is_bls_zero_address() {
        return said("invalid 'To' address");
    }
    if message.value.is_negative() {
        return said("'Value' field cannot be negative");
    }
    if message.value > TokenAmount::from_whole(TOTAL_FIL) {
        return said("'Value' field cannot be greater than total filecoin supply");
    }
    fee_fault(message).or_else(|| gas_fault(message.gas_limit))
}

fn fee_fault(message: &Message) -> Option<String> {
    let said = |text: &str| Some(text.to_owned());
    if message.gas_fee_cap.is_negative() {
        return said("'GasFeeCap' field cannot be negative");
    }
    if message.gas_premium.is_negative() {
        return said("'GasPremium' field cannot be negative");
    }
    if message.gas_premium > message.gas_fee_cap {
        return said("'GasFeeCap' less than 'GasPremium'");
    }
    None
}

fn gas_fault(limit: u64) -> Option<String> {
    if limit > BLOCK_GAS_LIMIT {
        let most = BLOCK_GAS_LIMIT;
        return Some(format!(
            "'GasLimit' field cannot be greater than a block's gas limit ({limit} > {most})"
        ));
    }
    (limit == 0).then(|| "'GasLimit' field 0 must be positive".to_owned())
}

#[cfg(test)]
mod tests {
    use fvm_shared::address::Address;
    use proptest::prelude::*;
    use venus_core::types::MessageExt;

    use super::*;

    fn atto(n: i64) -> TokenAmount {
        TokenAmount::from_atto(n)
    }

    prop_compose! {
        fn messages()(
            version in 0u64..2, zero: bool, value in -1i64..2, all: bool, fee_cap in -1i64..3, premium in -1i64..3,
            gas_limit in prop::sample::select(vec![0, 1, BLOCK_GAS_LIMIT, BLOCK_GAS_LIMIT + 1]),
        ) -> Message {
            let mut key = [0; 48];
            key[0] = 0xc0;
            let to = if zero { Address::new_bls(&key).unwrap() } else { Address::new_id(7) };
            let value = atto(value) + TokenAmount::from_whole(if all { TOTAL_FIL } else { 0 });
            Message {
                version, from: Address::new_id(8), to, sequence: 0, value, method_num: 0, params: Default::default(),
                gas_limit, gas_fee_cap: atto(fee_cap), gas_premium: atto(premium),
            }
        }
    }

    proptest! {
        /// The pool's rules are the protocol's, in other words.
        #[test]
        fn what_the_pool_refuses_no_block_takes(message in messages()) {
            prop_assert_eq!(fault(&message).is_none(), message.check_for_block(1).is_ok());
        }
    }
}
