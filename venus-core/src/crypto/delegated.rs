//! Delegated signatures: an Ethereum key signs a transaction, and the transaction stands for a message.
//!
//! A message of an `f410f` sender maps to exactly one transaction, and its signature says in which of three
//! forms it was signed (FIP-0055, FIP-0091):
//!
//! | form | signature | what is hashed |
//! |---|---|---|
//! | EIP-1559 | 65 bytes `R‖S‖V`, `V` in 0..=3 | `02 ‖ RLP(chain id, nonce, fees, limit, to, value, input, [])` |
//! | Homestead | 66 bytes `01‖R‖S‖V`, `V` 27 or 28 | `RLP(nonce, price, limit, to, value, input)` |
//! | EIP-155 | `02‖R‖S‖V`, `V` = 2·chain id + 35 or 36 | Homestead's fields and `chain id, 0, 0` |
//!
//! Wallets of the network sign the first; the others come from Ethereum tools.

use fvm_shared::address::{Address, Payload};
use fvm_shared::econ::TokenAmount;
use fvm_shared::message::Message;
use num_bigint::BigUint;

use super::CryptoError;
use super::hash::keccak_256;
use super::rlp::{RlpList, minimal};
use super::secp;
use crate::cbor::Reader;

/// Namespace of the Ethereum address manager: `f410f` addresses.
pub const EAM_NAMESPACE: u64 = 10;
/// Actor ID of the Ethereum address manager.
pub const EAM_ACTOR_ID: u64 = 10;
/// Method of the address manager that deploys a contract for an external account.
pub const METHOD_CREATE_EXTERNAL: u64 = 4;
/// Method that calls a contract: FRC-0042 hash of `InvokeEVM`.
pub const METHOD_INVOKE_EVM: u64 = 3_844_450_837;

/// First byte of a Homestead signature.
const HOMESTEAD: u8 = 1;
/// First byte of an EIP-155 signature.
const EIP_155: u8 = 2;
/// Type byte of an EIP-1559 transaction.
const EIP_1559_TYPE: u8 = 2;
/// `R‖S` of a signature.
const SCALARS_LEN: usize = 64;
/// First byte of the Ethereum form of an actor ID: `ff`, eleven zeros, the ID big-endian.
const MASKED_ID: u8 = 0xff;

/// The bytes a delegated key signs for `message`: its EIP-1559 transaction on chain `chain_id` (314 on mainnet).
///
/// # Errors
/// [`CryptoError::NotEthereum`] for a message without an Ethereum form, such as a plain transfer (method 0).
pub fn signing_bytes(message: &Message, chain_id: u64) -> Result<Vec<u8>, CryptoError> {
    let list = RlpList::default()
        .uint(chain_id)
        .uint(message.sequence)
        .big_uint(amount("GasPremium", &message.gas_premium)?)
        .big_uint(amount("GasFeeCap", &message.gas_fee_cap)?);
    Ok(call_fields(list, message)?.empty_list().finish(&[EIP_1559_TYPE]))
}

/// The bytes a delegated key signed for `message`, whichever form `signature` shows, and the same signature as
/// 65 bytes that [`verify`] takes.
///
/// # Errors
/// As [`signing_bytes`]; [`CryptoError::BadLength`] or [`CryptoError::BadSignature`] when the signature has none
/// of the three forms, or one of another chain.
pub fn signed_form(
    message: &Message,
    signature: &[u8],
    chain_id: u64,
) -> Result<(Vec<u8>, [u8; secp::SIGNATURE_LEN]), CryptoError> {
    if let Ok(plain) = signature.try_into() {
        return Ok((signing_bytes(message, chain_id)?, plain));
    }
    let (form, rest) = signature.split_first().ok_or_else(|| bad_length(signature))?;
    let (scalars, v) = rest.split_at_checked(SCALARS_LEN).ok_or_else(|| bad_length(signature))?;
    let (bytes, base) = match *form {
        HOMESTEAD => (legacy_fields(message)?.finish(&[]), 27),
        EIP_155 => {
            let list = legacy_fields(message)?.uint(chain_id).uint(0).uint(0);
            (list.finish(&[]), 2 * u128::from(chain_id) + 35)
        }
        _ => return Err(bad_length(signature)),
    };
    let id = recovery_id(v, base).ok_or(BAD)?;
    let mut plain = [id; secp::SIGNATURE_LEN];
    for (to, from) in plain.iter_mut().zip(scalars) {
        *to = *from;
    }
    Ok((bytes, plain))
}

/// Checks a signature of 65 bytes by an `f410f` signer over the Keccak-256 hash of `bytes`.
///
/// # Errors
/// As [`secp::recover`], and [`CryptoError::BadSignature`] when another key signed.
pub fn verify(signer: &Address, bytes: &[u8], signature: &[u8]) -> Result<(), CryptoError> {
    let key = secp::recover(&keccak_256(bytes), signature)?;
    if address_of(&key)? == *signer { Ok(()) } else { Err(BAD) }
}

/// The Ethereum address of an uncompressed public key: the last 20 bytes of its Keccak-256 hash.
pub fn eth_address_of(public_key: &[u8; secp::PUBLIC_KEY_LEN]) -> [u8; 20] {
    let [_, point @ ..] = public_key;
    let [_, _, _, _, _, _, _, _, _, _, _, _, address @ ..] = keccak_256(point);
    address
}

/// The `f410f` address of an uncompressed public key.
///
/// # Errors
/// [`CryptoError::BadPoint`] when the bytes are no point of the curve.
pub fn address_of(public_key: &[u8; secp::PUBLIC_KEY_LEN]) -> Result<Address, CryptoError> {
    secp::address_of(public_key)?;
    Address::new_delegated(EAM_NAMESPACE, &eth_address_of(public_key))
        .map_err(|_| CryptoError::BadPoint { what: "delegated public key" })
}

/// The Ethereum form of an address: the key hash of an `f410f`, or an actor ID behind `ff` and zeros.
///
/// `None` for every other address, and for an `f410f` whose 20 bytes look like an ID, which the chain refuses.
pub fn eth_address(address: &Address) -> Option<[u8; 20]> {
    match address.payload() {
        Payload::ID(id) => Some(masked_id(*id)),
        Payload::Delegated(d) if d.namespace() == EAM_NAMESPACE => {
            let eth: [u8; 20] = d.subaddress().try_into().ok()?;
            (!is_masked_id(&eth)).then_some(eth)
        }
        _ => None,
    }
}

const BAD: CryptoError = CryptoError::BadSignature { what: "delegated" };

fn bad_length(signature: &[u8]) -> CryptoError {
    CryptoError::BadLength {
        what: "delegated signature",
        expected: secp::SIGNATURE_LEN,
        found: signature.len(),
    }
}

/// The two forms before EIP-1559 have one price, so both fee fields of the message must hold it.
fn legacy_fields(message: &Message) -> Result<RlpList, CryptoError> {
    if message.gas_fee_cap != message.gas_premium {
        return Err(not_ethereum("GasPremium", "differs from GasFeeCap under a legacy signature"));
    }
    let price = amount("GasFeeCap", &message.gas_fee_cap)?;
    call_fields(RlpList::default().uint(message.sequence).big_uint(price), message)
}

fn call_fields(list: RlpList, message: &Message) -> Result<RlpList, CryptoError> {
    if message.version != 0 {
        return Err(not_ethereum("Version", "is not 0"));
    }
    let list = list.uint(message.gas_limit);
    let list = match recipient(message)? {
        Some(to) => list.bytes(&to),
        None => list.bytes(&[]),
    };
    Ok(list.big_uint(amount("Value", &message.value)?).bytes(input(message.params.bytes())?))
}

/// The contract that is called, or `None` for the deployment of one.
fn recipient(message: &Message) -> Result<Option<[u8; 20]>, CryptoError> {
    if *message.to.payload() == Payload::ID(EAM_ACTOR_ID) {
        return match message.method_num {
            METHOD_CREATE_EXTERNAL => Ok(None),
            _ => Err(not_ethereum("Method", "is not CreateExternal, but To is the address manager")),
        };
    }
    if message.method_num != METHOD_INVOKE_EVM {
        return Err(not_ethereum("Method", "is not InvokeEVM"));
    }
    eth_address(&message.to).map(Some).ok_or_else(|| not_ethereum("To", "has no Ethereum form"))
}

/// The content of the one CBOR byte string that parameters consist of.
fn input(params: &[u8]) -> Result<&[u8], CryptoError> {
    if params.is_empty() {
        return Ok(params);
    }
    let mut reader = Reader::new(params);
    let bytes = reader.bytes().map_err(|_| not_ethereum("Params", "is no CBOR byte string"))?;
    reader.finish().map_err(|_| not_ethereum("Params", "has bytes behind the byte string"))?;
    if bytes.is_empty() { Err(not_ethereum("Params", "encodes an empty input")) } else { Ok(bytes) }
}

fn amount<'a>(field: &'static str, amount: &'a TokenAmount) -> Result<&'a BigUint, CryptoError> {
    if amount.is_negative() { Err(not_ethereum(field, "is negative")) } else { Ok(amount.atto().magnitude()) }
}

fn not_ethereum(field: &'static str, reason: &'static str) -> CryptoError {
    CryptoError::NotEthereum { field, reason }
}

/// `v - base` if that is 0 or 1 and `v` has no leading zero.
fn recovery_id(v: &[u8], base: u128) -> Option<u8> {
    if v.len() > 16 || v.is_empty() || minimal(v) != v {
        return None;
    }
    let value = v.iter().fold(0u128, |acc, byte| (acc << 8) | u128::from(*byte));
    match value.checked_sub(base)? {
        0 => Some(0),
        1 => Some(1),
        _ => None,
    }
}

fn masked_id(id: u64) -> [u8; 20] {
    let mut eth = [0; 20];
    let tail = eth.iter_mut().rev().zip(id.to_le_bytes());
    tail.for_each(|(to, from)| *to = from);
    if let Some(first) = eth.first_mut() {
        *first = MASKED_ID;
    }
    eth
}

fn is_masked_id(eth: &[u8; 20]) -> bool {
    matches!(eth, [MASKED_ID, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, ..])
}

#[cfg(test)]
mod tests;
