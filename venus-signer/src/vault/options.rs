//! What a vault can be told.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use venus_core::clock::{Clock, SystemClock};
use venus_core::entropy::{Entropy, OsEntropy};

use crate::cipher::ScryptParams;

/// How a vault encrypts, and when it locks itself.
#[derive(Clone)]
pub struct VaultOptions {
    /// The cost of guessing the password of new keys; stored ones say themselves what they cost.
    pub scrypt: ScryptParams,
    /// Locks after so long without a signature or other use of keys; never if it is `None`, the default.
    pub auto_lock: Option<Duration>,
    /// Counts idle time and waits after wrong passwords.
    pub clock: Arc<dyn Clock>,
    /// Salts and counters of encrypted keys.
    pub entropy: Arc<dyn Entropy>,
}

impl Default for VaultOptions {
    fn default() -> Self {
        Self {
            scrypt: ScryptParams::default(),
            auto_lock: None,
            clock: Arc::new(SystemClock),
            entropy: Arc::new(OsEntropy),
        }
    }
}

impl fmt::Debug for VaultOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = f.debug_struct("VaultOptions");
        shown.field("scrypt", &self.scrypt).field("auto_lock", &self.auto_lock).finish_non_exhaustive()
    }
}
