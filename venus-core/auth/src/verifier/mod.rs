//! Finding out who calls, without asking the account service about every call.
//!
//! A component puts these together: tokens of its own ([`Local`]), then those of the account service through a cache
//! ([`Cached`]), one after the other ([`Chain`]), at the door of its servers ([`Gate`]). The cache is bounded, holds no
//! tokens, asks once however many callers wait for the same answer, and trusts an answer for a second only, unless a
//! [`Watch`](crate::watch::Watch) tells it what ends. When the account service is away, callers are let in for as long
//! as their last answer holds, and then nobody is.

mod blacklist;
mod cached;
mod chain;
mod gate;
mod local;

use venus_core::api::IdentityError;

pub use blacklist::Blacklist;
pub use cached::{CacheConfig, Cached};
pub use chain::Chain;
pub use gate::Gate;
pub use local::Local;

/// The same error for another who asked the same.
pub(crate) fn copy(error: &IdentityError) -> IdentityError {
    match error {
        IdentityError::Unauthenticated => IdentityError::Unauthenticated,
        IdentityError::Disabled(account) => IdentityError::Disabled(account.clone()),
        IdentityError::AccountNotFound(account) => IdentityError::AccountNotFound(account.clone()),
        IdentityError::Denied(text) => IdentityError::Denied(text.clone()),
        IdentityError::Invalid(text) => IdentityError::Invalid(text.clone()),
        IdentityError::RateLimited { retry_after } => {
            IdentityError::RateLimited { retry_after: *retry_after }
        }
        IdentityError::Timeout(after) => IdentityError::Timeout(*after),
        IdentityError::Corrupt(text) => IdentityError::Corrupt(text.clone()),
        IdentityError::Store(source) => IdentityError::Store(source.to_string().into()),
        IdentityError::Transport(source) => IdentityError::Transport(source.to_string().into()),
        other => IdentityError::Transport(other.to_string().into()),
    }
}
