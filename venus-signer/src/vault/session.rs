//! What an unlocked vault holds in memory, and the rule that it is gone when locked.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::time::Duration;

use venus_core::types::Address;

use super::plan::{Call, LockState, Plan, plan};
use crate::cipher::PasswordHash;
use crate::error::WalletError;
use crate::key::KeyInfo;

/// The state between a start and its end. All locks are held for the time of a map access.
#[derive(Debug)]
pub(super) struct Session {
    state: RwLock<Inner>,
    /// Milliseconds since the Unix epoch. Beside the lock, so that readers can set it.
    last_use: AtomicU64,
}

#[derive(Debug)]
struct Inner {
    phase: Phase,
    /// Counts locks and unlocks: what began in one session must not leave anything in the next.
    number: u64,
    /// Counts removals: a key that was being opened while it was removed is not kept.
    removals: u64,
}

#[derive(Debug)]
enum Phase {
    NoPassword,
    Locked,
    Open { password: Arc<PasswordHash>, keys: HashMap<Address, Arc<KeyInfo>> },
}

/// What a piece of work needs to know of the session that it began in.
#[derive(Clone, Debug)]
pub(super) struct Ticket {
    pub(super) password: Arc<PasswordHash>,
    number: u64,
    removals: u64,
}

impl Session {
    pub(super) fn new() -> Self {
        let inner = Inner { phase: Phase::NoPassword, number: 0, removals: 0 };
        Self { state: RwLock::new(inner), last_use: AtomicU64::new(0) }
    }

    pub(super) fn state(&self) -> LockState {
        self.read().phase.state()
    }

    /// A key that was opened already. The hot path: one read lock, one lookup, one count.
    ///
    /// # Errors
    /// [`WalletError::Locked`], [`WalletError::PasswordNotSet`].
    pub(super) fn key(&self, address: &Address) -> Result<Option<Arc<KeyInfo>>, WalletError> {
        match &self.read().phase {
            Phase::Open { keys, .. } => Ok(keys.get(address).map(Arc::clone)),
            closed => Err(closed.refusal()),
        }
    }

    /// # Errors
    /// As [`Session::key`].
    pub(super) fn ticket(&self) -> Result<Ticket, WalletError> {
        let inner = self.read();
        match &inner.phase {
            Phase::Open { password, .. } => {
                Ok(Ticket { password: Arc::clone(password), number: inner.number, removals: inner.removals })
            }
            closed => Err(closed.refusal()),
        }
    }

    /// Keeps a key that was opened or made with a ticket.
    ///
    /// # Errors
    /// [`WalletError::Locked`] if the vault was locked meanwhile, even if it is unlocked again.
    pub(super) fn keep(
        &self,
        ticket: &Ticket,
        address: Address,
        key: &Arc<KeyInfo>,
    ) -> Result<(), WalletError> {
        let mut inner = self.write();
        if inner.number != ticket.number {
            return Err(WalletError::Locked);
        }
        let untouched = inner.removals == ticket.removals;
        match &mut inner.phase {
            Phase::Open { keys, .. } => {
                if untouched {
                    keys.insert(address, Arc::clone(key));
                }
                Ok(())
            }
            closed => Err(closed.refusal()),
        }
    }

    pub(super) fn forget(&self, address: &Address) {
        let mut inner = self.write();
        inner.removals = inner.removals.wrapping_add(1);
        if let Phase::Open { keys, .. } = &mut inner.phase {
            keys.remove(address);
        }
    }

    pub(super) fn open(&self, password: Arc<PasswordHash>) {
        let mut inner = self.write();
        inner.number = inner.number.wrapping_add(1);
        inner.phase = Phase::Open { password, keys: HashMap::new() };
    }

    /// Drops password and keys, which wipes them; who is signing right now ends with the key it has. False if there was
    /// nothing to lock.
    pub(super) fn lock(&self) -> bool {
        self.lock_if(|_| true)
    }

    /// Puts another password in the place of the one of the ticket; the keys stay. False if the session is over.
    pub(super) fn change(&self, ticket: &Ticket, new: Arc<PasswordHash>) -> bool {
        let mut inner = self.write();
        let same = inner.number == ticket.number;
        match &mut inner.phase {
            Phase::Open { password, .. } if same => {
                *password = new;
                true
            }
            _ => false,
        }
    }

    pub(super) fn touch(&self, now: Duration) {
        self.last_use.store(millis(now), Ordering::Relaxed);
    }

    /// When an idle session ends, if it is open.
    pub(super) fn ends_at(&self, idle: Duration) -> Option<Duration> {
        let open = matches!(self.read().phase, Phase::Open { .. });
        open.then(|| self.idle_since().saturating_add(idle))
    }

    /// Locks if nothing was used for so long. True if this call did.
    pub(super) fn lock_idle(&self, now: Duration, idle: Duration) -> bool {
        let over = || now.saturating_sub(self.idle_since()) >= idle;
        over() && self.lock_if(|_| over())
    }

    fn idle_since(&self) -> Duration {
        Duration::from_millis(self.last_use.load(Ordering::Relaxed))
    }

    fn lock_if(&self, condition: impl Fn(&Inner) -> bool) -> bool {
        let mut inner = self.write();
        if !matches!(inner.phase, Phase::Open { .. }) || !condition(&inner) {
            return false;
        }
        inner.number = inner.number.wrapping_add(1);
        inner.phase = Phase::Locked;
        true
    }

    fn read(&self) -> RwLockReadGuard<'_, Inner> {
        // No code panics between two writes, so a poisoned state is whole.
        self.state.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, Inner> {
        self.state.write().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Phase {
    fn state(&self) -> LockState {
        match self {
            Self::NoPassword => LockState::NoPassword,
            Self::Locked => LockState::Locked,
            Self::Open { .. } => LockState::Unlocked,
        }
    }

    /// Why keys cannot be used.
    fn refusal(&self) -> WalletError {
        match plan(self.state(), Call::Use, true) {
            Plan::Refuse(no) => no.into(),
            // Keys that can be used are refused to nobody; the safe answer stands here.
            Plan::Pass | Plan::Check { .. } => WalletError::Locked,
        }
    }
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}
