//! What execution costs.
//!
//! The price of putting a message on chain is that of the FVM's price list. What methods cost is in their tables
//! instead of metered code: the same order of magnitude, and always the same. Calls that an actor makes are priced
//! like those of a message, without the inclusion.

use venus_core::types::GasTrace;

/// Price of any message: the base, and the storage of what surrounds it (FVM v4 price list).
const INCLUSION_BASE: u64 = 560_663;
/// Price of a byte of message.
const INCLUSION_PER_BYTE: u64 = 1_300;
/// A transfer to an actor that exists.
pub(super) const SEND: u64 = 500_000;
/// What creating an account costs on top.
pub(super) const CREATE_ACCOUNT: u64 = 1_650_000;
/// Any method that has no price of its own.
pub(super) const OTHER_METHOD: u64 = 10_000_000;
/// A method that only reads.
pub(super) const READ: u64 = 500_000;
/// Verifying a signature.
pub(super) const SIGNATURE: u64 = 17_000_000;

/// Gas for putting a message of `chain_len` bytes into a block; no gas limit may be lower.
pub(crate) fn inclusion_gas(chain_len: usize) -> u64 {
    INCLUSION_PER_BYTE.saturating_mul(chain_len as u64).saturating_add(INCLUSION_BASE)
}

/// How much a message may use, and what it used.
#[derive(Clone, Debug)]
pub(super) struct Gas {
    limit: u64,
    used: u64,
}

impl Gas {
    pub(super) fn new(limit: u64) -> Self {
        Self { limit, used: 0 }
    }

    /// Takes gas. `false` if there is not enough: then all is used, and every call of the message fails.
    #[must_use]
    pub(super) fn charge(&mut self, amount: u64) -> bool {
        self.used = self.used.saturating_add(amount);
        !self.is_exhausted()
    }

    pub(super) fn is_exhausted(&self) -> bool {
        self.used > self.limit
    }

    pub(super) fn used(&self) -> u64 {
        self.used.min(self.limit)
    }

    pub(super) fn left(&self) -> u64 {
        self.limit.saturating_sub(self.used)
    }
}

/// A charge as traces have it. All gas counts as computing.
pub(super) fn charge(name: &str, amount: u64) -> GasTrace {
    let gas = i64::try_from(amount).unwrap_or(i64::MAX);
    GasTrace { name: name.to_owned(), total_gas: gas, compute_gas: gas, storage_gas: 0, time_taken: 0 }
}
