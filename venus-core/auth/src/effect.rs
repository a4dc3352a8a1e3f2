//! What ends when somebody loses a right.

use uuid::Uuid;
use venus_core::types::Address;

/// Something that was allowed and is not any more. Whoever holds sockets, caches or registrations that rest on it ends
/// them at once.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Effect {
    /// A token does not count any more.
    Token {
        /// Its id.
        id: Uuid,
        /// SHA-256 of the token, lower-case hex, by which those know it who never saw its id.
        hash: String,
    },
    /// An account was disabled, deleted or banned.
    Account(String),
    /// An account has a miner no longer.
    Miner {
        /// The account.
        account: String,
        /// The miner.
        miner: Address,
    },
    /// An account may use a signer no longer.
    Signer {
        /// The account.
        account: String,
        /// The signer.
        signer: Address,
    },
    /// An address may be used by nobody.
    Address(Address),
    /// Requests from there are refused.
    Ip(std::net::IpAddr),
    /// What was missed is not known any more: begin anew, trusting nothing that was cached.
    Reset,
}

/// An effect with its place in the stream of one service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Revocation {
    /// Counts up by one from effect to effect, for the life of one service.
    pub seq: u64,
    /// What ends.
    pub effect: Effect,
}
