//! Why who is not served, for those who ask: a Go gateway closes the channel, and nobody ever learns the reason.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};

use time::OffsetDateTime;

use super::report::bounded;
use crate::provider::{Kind, Provider};

/// Failures that are remembered, of all accounts.
const ALL: usize = 1000;
/// Failures of one account that are remembered, so that one that fails in many ways hides nobody else's.
const OF_ACCOUNT: usize = 8;

/// Why somebody could not register, or not with everything.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Failure {
    /// The account of the token.
    pub account: String,
    /// What it offered.
    pub kind: Kind,
    /// From where, the last time.
    pub remote: Option<SocketAddr>,
    /// When, the last time.
    pub at: OffsetDateTime,
    /// How often.
    pub times: u64,
    /// What was wrong, for people.
    pub reason: String,
}

/// The last ones, for each account. Bounded.
#[derive(Debug, Default)]
pub(crate) struct Failures {
    by_account: Mutex<HashMap<String, Vec<Failure>>>,
}

impl Failures {
    /// Remembers one, and logs it unless it is known: those who fail try again every second.
    pub(crate) fn note(&self, who: &Provider, kind: Kind, at: OffsetDateTime, reason: &str) {
        let reason = on_one_line(&bounded(reason, 500));
        let account = &who.account;
        if self.remember(who, kind, at, &reason) {
            tracing::warn!(%account, %kind, remote = ?who.remote, "registration: {reason}");
        } else {
            tracing::debug!(%account, %kind, remote = ?who.remote, "registration: {reason}");
        }
    }

    /// Whether it is new.
    fn remember(&self, who: &Provider, kind: Kind, at: OffsetDateTime, reason: &str) -> bool {
        let mut all = self.lock();
        let known = all.get_mut(&who.account).and_then(|list| {
            list.iter_mut().find(|failure| failure.kind == kind && failure.reason == reason)
        });
        if let Some(failure) = known {
            failure.remote = who.remote;
            failure.at = at;
            failure.times = failure.times.saturating_add(1);
            return false;
        }
        if all.values().map(Vec::len).sum::<usize>() >= ALL {
            forget_oldest(&mut all);
        }
        let list = all.entry(bounded(&who.account, 256)).or_default();
        if list.len() >= OF_ACCOUNT
            && let Some((oldest, _)) = list.iter().enumerate().min_by_key(|(_, failure)| failure.at)
        {
            list.remove(oldest);
        }
        let account = bounded(&who.account, 256);
        list.push(Failure { account, kind, remote: who.remote, at, times: 1, reason: reason.to_owned() });
        true
    }

    /// Somebody registered with everything: what was wrong there is so no more.
    pub(crate) fn healed(&self, who: &Provider, kind: Kind) {
        let mut all = self.lock();
        let Some(list) = all.get_mut(&who.account) else { return };
        let ip = |remote: Option<SocketAddr>| remote.map(|remote| remote.ip());
        list.retain(|failure| failure.kind != kind || ip(failure.remote) != ip(who.remote));
        if list.is_empty() {
            all.remove(&who.account);
        }
    }

    /// The latest first.
    pub(crate) fn list(&self) -> Vec<Failure> {
        let mut list: Vec<Failure> = self.lock().values().flatten().cloned().collect();
        list.sort_by(|a, b| b.at.cmp(&a.at).then_with(|| a.account.cmp(&b.account)));
        list
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, Vec<Failure>>> {
        self.by_account.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whoever dialled in wrote some of it: it must not look like a line of the log, nor move a terminal's cursor.
fn on_one_line(text: &str) -> String {
    let shown = |c: char| if c.is_control() || matches!(c, '\u{2028}'..='\u{202e}') { '\u{fffd}' } else { c };
    text.chars().map(shown).collect()
}

fn forget_oldest(all: &mut HashMap<String, Vec<Failure>>) {
    let oldest = |list: &Vec<Failure>| list.iter().map(|failure| failure.at).min();
    let account = all.iter().min_by_key(|(_, list)| oldest(list)).map(|(account, _)| account.clone());
    let Some(account) = account else { return };
    let Some(list) = all.get_mut(&account) else { return };
    if let Some((at, _)) = list.iter().enumerate().min_by_key(|(_, failure)| failure.at) {
        list.remove(at);
    }
    if list.is_empty() {
        all.remove(&account);
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use venus_core::api::Permissions;

    use super::*;

    fn who(account: &str, port: u16) -> Provider {
        Provider {
            account: account.to_owned(),
            permissions: Permissions::up_to("read"),
            scopes: Vec::new(),
            token: String::new(),
            remote: Some(SocketAddr::from(([10, 0, 0, 1], port))),
            connection: 1,
        }
    }

    fn at(seconds: u64) -> OffsetDateTime {
        OffsetDateTime::UNIX_EPOCH + Duration::from_secs(seconds)
    }

    #[test]
    fn the_same_cause_is_one_entry_and_ends_with_a_success_from_there() {
        let failures = Failures::default();
        for n in 0..10 {
            assert_eq!(
                failures.remember(&who("alice", 1000 + n), Kind::Wallet, at(n.into()), "locked"),
                n == 0
            );
        }
        failures.note(&who("alice", 1), Kind::Proof, at(20), "not yours");
        let list = failures.list();
        assert_eq!(list.len(), 2);
        assert_eq!((list[1].times, list[1].at, list[1].reason.as_str()), (10, at(9), "locked"));
        failures.healed(&who("alice", 7), Kind::Wallet);
        assert_eq!(failures.list(), list[..1]);
        failures.healed(&who("bob", 7), Kind::Proof);
        assert_eq!(failures.list().len(), 1);
    }

    #[test]
    fn no_reason_forges_a_line_of_the_log_or_moves_a_cursor() {
        let failures = Failures::default();
        failures.note(
            &who("alice", 1),
            Kind::Wallet,
            at(1),
            "locked\nERROR \u{1b}[2Jall is lost\r\u{85}\u{202e}x é",
        );
        let reason = failures.list()[0].reason.clone();
        assert!(!reason.chars().any(|c| c.is_control() || c == '\u{202e}'), "{reason:?}");
        assert!(reason.starts_with("locked\u{fffd}ERROR") && reason.ends_with("x é"));
    }

    #[test]
    fn no_flood_of_failures_grows_without_bound_or_hides_the_latest_of_others() {
        let failures = Failures::default();
        failures.note(&who("quiet", 1), Kind::Wallet, at(1_000_000), "locked");
        for n in 0..3000 {
            failures.note(&who("loud", 1), Kind::Wallet, at(n), &format!("reason {n}"));
        }
        assert_eq!(failures.list().len(), OF_ACCOUNT + 1);
        for n in 0..3000 {
            failures.note(&who(&format!("account {n}"), 1), Kind::Wallet, at(n), &"x".repeat(10_000));
        }
        let list = failures.list();
        assert_eq!(list.len(), ALL);
        assert_eq!(list[0].account, "quiet");
        assert!(list.iter().all(|failure| failure.reason.len() < 600));
    }
}
