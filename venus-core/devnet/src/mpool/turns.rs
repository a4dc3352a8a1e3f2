//! Who may give the next nonce of a sender to a message.

use std::fmt;
use std::hash::{DefaultHasher, Hash, Hasher};

use fvm_shared::address::Address;
use tokio::sync::{Mutex, MutexGuard};

/// Enough that senders seldom wait for each other.
const TURNS: usize = 64;

/// One turn for each sender: whoever asks for a nonce, signs and pushes holds it meanwhile, or two messages would get
/// the same nonce. Senders may share a turn, so that there is a fixed number.
pub(crate) struct Turns([Mutex<()>; TURNS]);

impl Default for Turns {
    fn default() -> Self {
        Self(std::array::from_fn(|_| Mutex::default()))
    }
}

impl fmt::Debug for Turns {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Turns").finish_non_exhaustive()
    }
}

impl Turns {
    /// Waits for the turn of a sender, which is named by its key address. `None` is none: there is always one.
    pub(crate) async fn of(&self, sender: &Address) -> Option<MutexGuard<'_, ()>> {
        let mut hasher = DefaultHasher::new();
        sender.hash(&mut hasher);
        let at = usize::try_from(hasher.finish() % TURNS as u64).unwrap_or_default();
        Some(self.0.get(at)?.lock().await)
    }
}
