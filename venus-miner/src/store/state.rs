//! The life of a reservation.

use std::fmt;

/// How far the block of a reservation has come.
///
/// | from | to | when |
/// |---|---|---|
/// | reserved | signed | the signature is stored, together with the whole block |
/// | reserved | abandoned | a later block took its place before a signature was stored; it is never signed again |
/// | signed | submitted | a node took the block |
/// | signed | refused | a node refused the block for good |
/// | refused | submitted | another node took it all the same |
///
/// Only a stored signature is ever submitted, so a block that is reserved or abandoned has not been published.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ReservationState {
    /// The header is fixed, no signature is stored.
    Reserved,
    /// The signed block is stored; it may be out.
    Signed,
    /// A node took the block.
    Submitted,
    /// A node refused the block; it may be out all the same.
    Refused,
    /// It will never be signed.
    Abandoned,
}

use ReservationState::{Abandoned, Refused, Reserved, Signed, Submitted};

/// All steps there are.
const STEPS: [(ReservationState, ReservationState); 5] =
    [(Reserved, Signed), (Reserved, Abandoned), (Signed, Submitted), (Signed, Refused), (Refused, Submitted)];

impl ReservationState {
    /// All states.
    pub const ALL: [Self; 5] = [Reserved, Signed, Submitted, Refused, Abandoned];

    /// Whether the step to `next` exists.
    pub fn can_become(self, next: Self) -> bool {
        STEPS.contains(&(self, next))
    }

    /// The name in stores and logs.
    pub fn as_str(self) -> &'static str {
        match self {
            Reserved => "reserved",
            Signed => "signed",
            Submitted => "submitted",
            Refused => "refused",
            Abandoned => "abandoned",
        }
    }

    pub(crate) fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == name)
    }
}

impl fmt::Display for ReservationState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_listed_steps_exist_and_ends_are_ends() {
        let steps = ReservationState::ALL.iter().flat_map(|a| ReservationState::ALL.map(|b| (*a, b)));
        assert_eq!(steps.filter(|(a, b)| a.can_become(*b)).count(), 5);
        for end in [Submitted, Abandoned] {
            assert!(ReservationState::ALL.iter().all(|next| !end.can_become(*next)));
        }
        for state in ReservationState::ALL {
            assert_eq!(ReservationState::from_name(state.as_str()), Some(state));
        }
        assert_eq!(ReservationState::from_name("lost"), None);
    }
}
