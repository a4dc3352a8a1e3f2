//! What may happen to a message, as a table. Effects live elsewhere: every writer asks [`plan`] first and then
//! moves the row by compare-and-set.

use venus_core::api::MessageState;

/// Where a message stands in the store.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum RowState {
    /// Accepted, no nonce.
    Unfilled,
    /// Signed; offered to the mempool.
    Filled,
    /// Executed on the chain that is followed.
    Landed,
    /// Another message used the nonce. A reorg can give it back, so it is no end, and it never gets a second nonce.
    Conflicted,
    /// Can never be sent; never signed.
    Failed,
    /// Taken back; never signed.
    Cancelled,
}

impl RowState {
    /// All states.
    pub const ALL: [Self; 6] =
        [Self::Unfilled, Self::Filled, Self::Landed, Self::Conflicted, Self::Failed, Self::Cancelled];

    /// The name in the store.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Conflicted => "conflicted",
            other => other.public().as_str(),
        }
    }

    /// Reads the name in the store.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == name)
    }

    /// What callers see. A conflict is a filled message with an error: the contract knows no other end for it.
    pub fn public(self) -> MessageState {
        match self {
            Self::Unfilled => MessageState::Unfilled,
            Self::Filled | Self::Conflicted => MessageState::Filled,
            Self::Landed => MessageState::Landed,
            Self::Failed => MessageState::Failed,
            Self::Cancelled => MessageState::Cancelled,
        }
    }
}

/// Something that happens to a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Event {
    /// Nonce, gas and a first signature are there.
    Sign,
    /// A further attempt with the same nonce is there.
    Replace,
    /// The chain executed an attempt, or the same call under other fees.
    Land,
    /// The chain executed another call with the nonce.
    Take,
    /// The tipset that executed the nonce left the chain.
    Revert,
    /// It turned out that it can never be sent.
    Reject,
    /// The caller takes it back.
    Cancel,
}

impl Event {
    /// All events.
    pub const ALL: [Self; 7] =
        [Self::Sign, Self::Replace, Self::Land, Self::Take, Self::Revert, Self::Reject, Self::Cancel];
}

/// What an event means in a state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// The message moves, perhaps to where it is, with other facts.
    Go(RowState),
    /// It happened already, or does not concern the message.
    Stay,
    /// It must not happen here.
    Refuse,
}

/// The transition of `state` at `event`.
pub fn plan(state: RowState, event: Event) -> Step {
    use RowState::{Cancelled, Conflicted, Failed, Filled, Landed, Unfilled};
    match (state, event) {
        (Unfilled, Event::Sign) => Step::Go(Filled),
        (Unfilled, Event::Reject) => Step::Go(Failed),
        (Unfilled, Event::Cancel) => Step::Go(Cancelled),
        (Filled, Event::Replace) => Step::Go(Filled),
        (Filled | Landed | Conflicted, Event::Land) => Step::Go(Landed),
        (Filled | Landed | Conflicted, Event::Take) => Step::Go(Conflicted),
        (Landed | Conflicted, Event::Revert) => Step::Go(Filled),
        (Unfilled | Filled | Failed | Cancelled, Event::Revert) => Step::Stay,
        (Failed | Cancelled, Event::Cancel | Event::Reject) => Step::Stay,
        // A signature exists: it could land whatever we do. And what was never signed cannot land.
        (Filled | Landed | Conflicted, Event::Sign | Event::Reject | Event::Cancel)
        | (Landed | Conflicted, Event::Replace)
        | (Unfilled, Event::Replace | Event::Land | Event::Take)
        | (Failed | Cancelled, Event::Sign | Event::Replace | Event::Land | Event::Take) => Step::Refuse,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Rows are states, columns events in the order of `Event::ALL`: u f l c = where it goes, `.` stays, `x` refused.
    const TABLE: [(RowState, &str); 6] = [
        (RowState::Unfilled, "fxxx.FC"),
        (RowState::Filled, "xflc.xx"),
        (RowState::Landed, "xxlcfxx"),
        (RowState::Conflicted, "xxlcfxx"),
        (RowState::Failed, "xxxx..."),
        (RowState::Cancelled, "xxxx..."),
    ];

    #[test]
    fn every_pair_does_what_the_table_says() {
        for (state, steps) in TABLE {
            assert_eq!(steps.len(), Event::ALL.len());
            for (event, step) in Event::ALL.into_iter().zip(steps.chars()) {
                let expected = match step {
                    'f' => Step::Go(RowState::Filled),
                    'l' => Step::Go(RowState::Landed),
                    'c' => Step::Go(RowState::Conflicted),
                    'F' => Step::Go(RowState::Failed),
                    'C' => Step::Go(RowState::Cancelled),
                    '.' => Step::Stay,
                    _ => Step::Refuse,
                };
                assert_eq!(plan(state, event), expected, "{state:?} at {event:?}");
            }
        }
    }

    #[test]
    fn what_is_signed_never_gets_back_to_unsigned() {
        let signed = |s| matches!(s, RowState::Filled | RowState::Landed | RowState::Conflicted);
        for state in RowState::ALL.into_iter().filter(|s| signed(*s)) {
            for event in Event::ALL {
                if let Step::Go(next) = plan(state, event) {
                    assert!(signed(next), "{state:?} at {event:?} goes to {next:?}");
                }
            }
        }
    }

    #[test]
    fn names_are_read_back() {
        for state in RowState::ALL {
            assert_eq!(RowState::from_name(state.as_str()), Some(state));
        }
        assert_eq!(RowState::from_name("lost"), None);
    }
}
