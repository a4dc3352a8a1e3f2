//! How often, and how much in all.
//!
//! Periods slide. A period is counted in 64 parts, and a part counts until all of it is out of the period, so a limit
//! is never exceeded, and is free again at most a 64th of the period late. The clock may be set back: time stands
//! still here then.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use venus_core::types::Address;

use super::call::fil_text;

/// Keys times rules that are counted at once.
const MAX_WINDOWS: usize = 65_536;
const PARTS: u128 = 64;

/// What a rule allows in a period.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Limits {
    /// attoFIL.
    pub(crate) total: Option<(u128, Duration)>,
    pub(crate) rate: Option<(u64, Duration)>,
}

/// What a request takes from the limits of a rule.
#[derive(Clone, Debug)]
pub(crate) struct Charge {
    pub(crate) rule: Arc<str>,
    pub(crate) limits: Limits,
    pub(crate) value: u128,
    /// Whether the value is kept over a restart.
    pub(crate) lasting: bool,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Key {
    rule: Arc<str>,
    signer: Address,
    what: What,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum What {
    Count,
    Value,
}

#[derive(Debug)]
struct Window {
    period: Duration,
    /// Parts by number, oldest first, with what was used in them.
    parts: VecDeque<(u128, u128)>,
}

impl Window {
    fn new(period: Duration) -> Self {
        Self { period, parts: VecDeque::new() }
    }

    fn width(&self) -> u128 {
        (self.period.as_millis() / PARTS).max(1)
    }

    /// When a part no longer counts, in milliseconds.
    fn end(&self, part: u128) -> u128 {
        (part + 1) * self.width() + self.period.as_millis()
    }

    fn forget(&mut self, now: u128) {
        while self.parts.front().is_some_and(|(part, _)| self.end(*part) <= now) {
            self.parts.pop_front();
        }
    }

    fn used(&self) -> u128 {
        self.parts.iter().fold(0, |sum, (_, used)| sum.saturating_add(*used))
    }

    fn add(&mut self, now: u128, amount: u128) {
        let part = now / self.width();
        match self.parts.back_mut() {
            Some((last, used)) if *last >= part => *used = used.saturating_add(amount),
            _ => self.parts.push_back((part, amount)),
        }
    }

    /// Follows a rule whose period was changed.
    fn resize(&mut self, period: Duration) {
        let width = self.width();
        let old = std::mem::replace(self, Self::new(period));
        for (part, used) in old.parts {
            self.add((part + 1) * width, used);
        }
    }

    /// When `amount` fits below `limit`, in milliseconds; `None` if it never does.
    fn free_at(&self, amount: u128, limit: u128) -> Option<u128> {
        let mut used = self.used();
        for (part, freed) in &self.parts {
            used = used.saturating_sub(*freed);
            if used.saturating_add(amount) <= limit {
                return Some(self.end(*part));
            }
        }
        None
    }
}

/// What was used of the limits.
#[derive(Debug, Default)]
pub(crate) struct Used(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    windows: HashMap<Key, Window>,
    now: u128,
}

impl Used {
    /// Takes all charges, or none of them.
    pub(crate) fn take(&self, now: Duration, signer: Address, charges: &[Charge]) -> Result<(), String> {
        self.with(now, |state| {
            state.check(signer, charges)?;
            state.apply(signer, charges);
            Ok(())
        })
    }

    /// Whether the charges could be taken.
    pub(crate) fn check(&self, now: Duration, signer: Address, charges: &[Charge]) -> Result<(), String> {
        self.with(now, |state| state.check(signer, charges))
    }

    /// Counts what was spent before a restart.
    pub(crate) fn restore(
        &self,
        at: Duration,
        signer: Address,
        rule: &Arc<str>,
        period: Duration,
        value: u128,
    ) {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let key = Key { rule: rule.clone(), signer, what: What::Value };
        state.windows.entry(key).or_insert_with(|| Window::new(period)).add(at.as_millis(), value);
    }

    fn with<T>(&self, now: Duration, work: impl FnOnce(&mut State) -> T) -> T {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        state.now = state.now.max(now.as_millis());
        work(&mut state)
    }
}

impl State {
    fn check(&mut self, signer: Address, charges: &[Charge]) -> Result<(), String> {
        let now = self.now;
        for (key, amount, limit, period) in parts_of(signer, charges) {
            if self.windows.len() >= MAX_WINDOWS && !self.windows.contains_key(&key) {
                self.make_room()?;
            }
            let Some(window) = self.windows.get_mut(&key) else {
                if amount > limit {
                    return Err(over(&key, &Window::new(period), amount, limit, now));
                }
                continue;
            };
            if window.period != period {
                window.resize(period);
            }
            window.forget(now);
            if window.used().saturating_add(amount) > limit {
                return Err(over(&key, window, amount, limit, now));
            }
        }
        Ok(())
    }

    fn apply(&mut self, signer: Address, charges: &[Charge]) {
        let now = self.now;
        for (key, amount, _, period) in parts_of(signer, charges) {
            self.windows.entry(key).or_insert_with(|| Window::new(period)).add(now, amount);
        }
    }

    fn make_room(&mut self) -> Result<(), String> {
        let now = self.now;
        self.windows.retain(|_, window| {
            window.forget(now);
            !window.parts.is_empty()
        });
        let full = self.windows.len() >= MAX_WINDOWS;
        if full { Err("too many keys are counted already".into()) } else { Ok(()) }
    }
}

/// Charges of one rule belong together: a message and what it proposes may match the same one. Its signature counts
/// once.
fn parts_of(signer: Address, charges: &[Charge]) -> impl Iterator<Item = (Key, u128, u128, Duration)> {
    charges
        .iter()
        .enumerate()
        .filter(|(i, charge)| charges.iter().take(*i).all(|c| c.rule != charge.rule))
        .flat_map(move |(_, charge)| {
            let key = move |what| Key { rule: charge.rule.clone(), signer, what };
            let same = charges.iter().filter(|other| other.rule == charge.rule);
            let value = same.fold(0_u128, |sum, other| sum.saturating_add(other.value));
            let count = charge.limits.rate.map(|(limit, period)| (key(What::Count), 1, limit.into(), period));
            let total = charge.limits.total.map(|(limit, period)| (key(What::Value), value, limit, period));
            count.into_iter().chain(total.filter(|total| total.1 > 0))
        })
}

fn over(key: &Key, window: &Window, amount: u128, limit: u128, now: u128) -> String {
    let (rule, period) = (&key.rule, period_text(window.period));
    let used = match key.what {
        What::Count => {
            format!("{rule:?} allows {limit} signatures in {period}, {} are used", window.used())
        }
        What::Value => format!(
            "{rule:?} allows {} in {period}, {} are used, {} asked for",
            fil_text(limit),
            fil_text(window.used()),
            fil_text(amount)
        ),
    };
    match window.free_at(amount, limit) {
        Some(at) => format!("{used}; again in {} s", at.saturating_sub(now).div_ceil(1000)),
        None => format!("{used}, which is more than it ever allows"),
    }
}

fn period_text(period: Duration) -> String {
    let seconds = period.as_secs();
    match seconds {
        s if s % 86_400 == 0 => format!("{}d", s / 86_400),
        s if s % 3600 == 0 => format!("{}h", s / 3600),
        s if s % 60 == 0 => format!("{}m", s / 60),
        s => format!("{s}s"),
    }
}
