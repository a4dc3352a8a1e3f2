//! What tokens said a moment ago.
//!
//! Every component asks about the same few tokens many times a second, and each question costs the store several reads.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::Verified;

/// Answers that are kept at most; beyond, all are forgotten, as a flood of tokens must not fill the memory.
const MOST: usize = 4096;

/// A question: the token by its hash, so that none stays in memory, and where its bearer is.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Asked {
    pub(super) token: String,
    pub(super) from: Option<IpAddr>,
}

/// When the store was asked, and the number of the last effect by then.
#[derive(Clone, Copy, Debug)]
pub(super) struct Seen {
    pub(super) at: Instant,
    pub(super) effects: u64,
}

/// Answers that were good. Refusals are not kept: a token that was just made counts at once.
#[derive(Debug, Default)]
pub(super) struct Recent {
    answers: Mutex<HashMap<Asked, (Seen, Verified)>>,
}

impl Recent {
    /// The answer, if it is young enough and nothing ended since. Any effect ends all answers: effects are rare.
    pub(super) fn get(&self, asked: &Asked, now: Seen, most: Duration) -> Option<Verified> {
        let answers = self.answers();
        let (seen, verified) = answers.get(asked)?;
        let holds = seen.effects == now.effects && now.at.duration_since(seen.at) < most;
        holds.then(|| verified.clone())
    }

    pub(super) fn put(&self, asked: Asked, seen: Seen, verified: Verified) {
        let mut answers = self.answers();
        if answers.len() >= MOST {
            answers.clear();
        }
        answers.insert(asked, (seen, verified));
    }

    fn answers(&self) -> MutexGuard<'_, HashMap<Asked, (Seen, Verified)>> {
        self.answers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MOST_AGE: Duration = Duration::from_secs(1);

    fn verified(name: &str) -> Verified {
        Verified {
            id: uuid::Uuid::nil(),
            name: name.into(),
            perm: "read".into(),
            extra: String::new(),
            expires_at: None,
            audience: Vec::new(),
            scopes: Vec::new(),
        }
    }

    fn asked(token: &str) -> Asked {
        Asked { token: token.into(), from: None }
    }

    #[test]
    fn answers_end_with_age_and_with_any_effect() {
        let (recent, seen) = (Recent::default(), Seen { at: Instant::now(), effects: 3 });
        recent.put(asked("a"), seen, verified("alice"));
        let get = |now| recent.get(&asked("a"), now, MOST_AGE).map(|verified| verified.name);
        assert_eq!(get(seen).as_deref(), Some("alice"));
        assert_eq!(get(Seen { effects: 4, ..seen }), None);
        assert_eq!(get(Seen { at: seen.at + MOST_AGE, ..seen }), None);
        let elsewhere = Asked { from: Some(IpAddr::from([127, 0, 0, 1])), ..asked("a") };
        assert_eq!(recent.get(&elsewhere, seen, MOST_AGE), None, "bans may differ from place to place");
    }

    #[test]
    fn floods_are_forgotten() {
        let (recent, seen) = (Recent::default(), Seen { at: Instant::now(), effects: 0 });
        for n in 0..3 * MOST {
            recent.put(asked(&n.to_string()), seen, verified("alice"));
            assert!(recent.answers().len() <= MOST);
        }
    }
}
