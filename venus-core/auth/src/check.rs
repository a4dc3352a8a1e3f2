//! Which addresses are miners, and which signers.

use fvm_shared::address::Protocol;
use venus_core::api::IdentityError;
use venus_core::types::Address;

/// A miner has an ID address.
pub(crate) fn miner(address: &Address) -> Result<(), IdentityError> {
    check(address, "miner", &[Protocol::ID])
}

/// A signer has the address of a key.
pub(crate) fn signer(address: &Address) -> Result<(), IdentityError> {
    check(address, "signer", &[Protocol::Secp256k1, Protocol::BLS, Protocol::Delegated])
}

fn check(address: &Address, what: &str, wanted: &[Protocol]) -> Result<(), IdentityError> {
    if wanted.contains(&address.protocol()) {
        return Ok(());
    }
    let shown = crate::text::address(address);
    Err(IdentityError::Invalid(format!("{what}: {shown} is of another kind of address")))
}
