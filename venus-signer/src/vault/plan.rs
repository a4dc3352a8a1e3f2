//! What a call does to a vault's lock, as a table. Pure: the effects are elsewhere.
//!
//! The order of errors is venus-wallet's: a password that does not open the stored keys is told before anything else
//! is looked at, and which text tells it depends on the state alone, never on how the password is wrong.

use crate::error::WalletError;

/// Whether keys can be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LockState {
    /// No password was set since the start.
    NoPassword,
    /// A password was set, and the wallet was locked.
    Locked,
    /// Keys can be used.
    Unlocked,
}

/// What is asked of the lock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Call {
    SetPassword,
    Unlock,
    Lock,
    VerifyPassword,
    ChangePassword,
    /// Signing, making, importing, exporting, deleting.
    Use,
}

/// How a password is checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Proof {
    /// Any password will do: there is nothing yet that it could fail to open.
    Any,
    /// It is compared with the one in memory.
    Memory,
    /// It has to open a stored key. Costs one derivation.
    StoredKey,
    /// It has to open what was sealed for this purpose while there were no keys. Costs one derivation.
    Token,
}

/// An answer without effect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum No {
    PasswordNotSet,
    Locked,
    AlreadyUnlocked,
    AlreadyLocked,
    Mismatch,
    PasswordExists,
    CouldNotDecrypt,
}

/// What happens with the right password.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Then {
    Nothing,
    Open,
    Lock,
    Change,
    Refuse(No),
}

/// What a call does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Plan {
    /// No password is looked at.
    Refuse(No),
    /// No password is needed.
    Pass,
    /// `wrong` is the answer to a wrong password.
    Check { proof: Proof, wrong: No, then: Then },
}

/// The table. `has_keys`: the store is not empty.
pub(super) fn plan(state: LockState, call: Call, has_keys: bool) -> Plan {
    use LockState::{Locked, NoPassword, Unlocked};
    let check = |proof, wrong, then| Plan::Check { proof, wrong, then };
    let memory = |then| check(Proof::Memory, No::Mismatch, then);
    match (call, state, has_keys) {
        (Call::SetPassword | Call::Unlock, NoPassword, true) => {
            check(Proof::StoredKey, No::CouldNotDecrypt, Then::Open)
        }
        (Call::SetPassword | Call::Unlock, NoPassword, false) => check(Proof::Any, No::Mismatch, Then::Open),

        (Call::SetPassword, Locked, true) => {
            check(Proof::StoredKey, No::CouldNotDecrypt, Then::Refuse(No::PasswordExists))
        }
        // While unlocked the password in memory is the one that opens the keys.
        (Call::SetPassword, Unlocked, true) => {
            check(Proof::Memory, No::CouldNotDecrypt, Then::Refuse(No::PasswordExists))
        }
        (Call::SetPassword, Locked | Unlocked, false) => Plan::Refuse(No::PasswordExists),

        (Call::Unlock, Locked, true) => check(Proof::StoredKey, No::CouldNotDecrypt, Then::Open),
        (Call::Unlock, Locked, false) => check(Proof::Token, No::Mismatch, Then::Open),
        (Call::Unlock, Unlocked, true) => {
            check(Proof::Memory, No::CouldNotDecrypt, Then::Refuse(No::AlreadyUnlocked))
        }
        (Call::Unlock, Unlocked, false) => Plan::Refuse(No::AlreadyUnlocked),

        (Call::Lock, Locked, _) => Plan::Refuse(No::AlreadyLocked),
        (Call::Lock, Unlocked, _) => memory(Then::Lock),

        (Call::Lock | Call::VerifyPassword | Call::ChangePassword | Call::Use, NoPassword, _) => {
            Plan::Refuse(No::PasswordNotSet)
        }
        (Call::VerifyPassword | Call::ChangePassword | Call::Use, Locked, _) => Plan::Refuse(No::Locked),
        (Call::VerifyPassword, Unlocked, _) => memory(Then::Nothing),
        (Call::ChangePassword, Unlocked, _) => memory(Then::Change),
        (Call::Use, Unlocked, _) => Plan::Pass,
    }
}

impl From<No> for WalletError {
    fn from(no: No) -> Self {
        match no {
            No::PasswordNotSet => Self::PasswordNotSet,
            No::Locked => Self::Locked,
            No::AlreadyUnlocked => Self::AlreadyUnlocked,
            No::AlreadyLocked => Self::AlreadyLocked,
            No::Mismatch => Self::PasswordMismatch,
            No::PasswordExists => Self::PasswordExists,
            No::CouldNotDecrypt => Self::CouldNotDecrypt,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::LockState::{Locked, NoPassword, Unlocked};
    use super::*;

    /// What venus-wallet answers: to the right password, to a wrong one. `None` is success.
    type Row = (Call, LockState, bool, Option<&'static str>, Option<&'static str>);

    const NOT_SET: Option<&str> = Some("password not set");
    const LOCKED: Option<&str> = Some("wallet locked");
    const EXISTS: Option<&str> = Some("the password already exists");
    const UNLOCKED: Option<&str> = Some("wallet already unlocked");
    const ALREADY_LOCKED: Option<&str> = Some("wallet already locked");
    const MISMATCH: Option<&str> = Some("password mismatch");
    const DECRYPT: Option<&str> = Some("could not decrypt key with given password");

    const TABLE: [Row; 36] = [
        (Call::SetPassword, NoPassword, false, None, None),
        (Call::SetPassword, NoPassword, true, None, DECRYPT),
        (Call::SetPassword, Locked, false, EXISTS, EXISTS),
        (Call::SetPassword, Locked, true, EXISTS, DECRYPT),
        (Call::SetPassword, Unlocked, false, EXISTS, EXISTS),
        (Call::SetPassword, Unlocked, true, EXISTS, DECRYPT),
        (Call::Unlock, NoPassword, false, None, None),
        (Call::Unlock, NoPassword, true, None, DECRYPT),
        (Call::Unlock, Locked, false, None, MISMATCH),
        (Call::Unlock, Locked, true, None, DECRYPT),
        (Call::Unlock, Unlocked, false, UNLOCKED, UNLOCKED),
        (Call::Unlock, Unlocked, true, UNLOCKED, DECRYPT),
        (Call::Lock, NoPassword, false, NOT_SET, NOT_SET),
        (Call::Lock, NoPassword, true, NOT_SET, NOT_SET),
        (Call::Lock, Locked, false, ALREADY_LOCKED, ALREADY_LOCKED),
        (Call::Lock, Locked, true, ALREADY_LOCKED, ALREADY_LOCKED),
        (Call::Lock, Unlocked, false, None, MISMATCH),
        (Call::Lock, Unlocked, true, None, MISMATCH),
        (Call::VerifyPassword, NoPassword, false, NOT_SET, NOT_SET),
        (Call::VerifyPassword, NoPassword, true, NOT_SET, NOT_SET),
        (Call::VerifyPassword, Locked, false, LOCKED, LOCKED),
        (Call::VerifyPassword, Locked, true, LOCKED, LOCKED),
        (Call::VerifyPassword, Unlocked, false, None, MISMATCH),
        (Call::VerifyPassword, Unlocked, true, None, MISMATCH),
        (Call::ChangePassword, NoPassword, false, NOT_SET, NOT_SET),
        (Call::ChangePassword, NoPassword, true, NOT_SET, NOT_SET),
        (Call::ChangePassword, Locked, false, LOCKED, LOCKED),
        (Call::ChangePassword, Locked, true, LOCKED, LOCKED),
        (Call::ChangePassword, Unlocked, false, None, MISMATCH),
        (Call::ChangePassword, Unlocked, true, None, MISMATCH),
        (Call::Use, NoPassword, false, NOT_SET, NOT_SET),
        (Call::Use, NoPassword, true, NOT_SET, NOT_SET),
        (Call::Use, Locked, false, LOCKED, LOCKED),
        (Call::Use, Locked, true, LOCKED, LOCKED),
        (Call::Use, Unlocked, false, None, None),
        (Call::Use, Unlocked, true, None, None),
    ];

    fn text(no: No) -> String {
        WalletError::from(no).to_string()
    }

    #[test]
    fn every_state_and_call_answers_as_venus_wallet() {
        let mut seen = Vec::new();
        for (call, state, has_keys, right, wrong) in TABLE {
            assert!(!seen.contains(&(call, state, has_keys)));
            seen.push((call, state, has_keys));
            let row = format!("{call:?} {state:?} {has_keys}");
            let (on_right, on_wrong) = match plan(state, call, has_keys) {
                Plan::Refuse(no) => (Some(text(no)), Some(text(no))),
                Plan::Pass => (None, None),
                Plan::Check { proof, wrong, then } => {
                    let on_right = if let Then::Refuse(no) = then { Some(text(no)) } else { None };
                    let on_wrong = if proof == Proof::Any { on_right.clone() } else { Some(text(wrong)) };
                    (on_right, on_wrong)
                }
            };
            assert_eq!((on_right.as_deref(), on_wrong.as_deref()), (right, wrong), "{row}");
        }
    }

    #[test]
    fn only_what_is_locked_pays_for_a_derivation() {
        for (call, state, has_keys, ..) in TABLE {
            if let Plan::Check { proof, .. } = plan(state, call, has_keys) {
                assert_eq!(proof == Proof::Memory, state == Unlocked, "{call:?} {state:?}");
                assert_eq!(proof == Proof::StoredKey, state != Unlocked && has_keys, "{call:?} {state:?}");
            }
        }
    }
}
