//! How a provider behaves.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use venus_core::clock::{Clock, SystemClock};
use venus_core::entropy::{Entropy, OsEntropy};
use venus_core::rpc::Limits;
use venus_core::rpc::client::{BackOff, ClientConfig};

/// How a provider behaves.
#[derive(Clone)]
#[non_exhaustive]
pub struct ProviderOptions {
    /// Proofs of one miner at once, at all hubs together: one, unless there is hardware for more.
    pub proofs: usize,
    /// Proofs of one miner that wait for those. Beyond them a hub is told `overloaded`.
    pub proofs_waiting: usize,
    /// Questions about unsealing of one miner at once.
    pub unseals: usize,
    /// Those that wait. Beyond them a hub is told `overloaded`.
    pub unseals_waiting: usize,
    /// How long a proof may take, waiting included; then the hub is told so.
    pub proof_deadline: Duration,
    /// How long the answer to one question about unsealing may take, waiting included.
    pub unseal_deadline: Duration,
    /// How long a hub may take to confirm a registration.
    pub handshake: Duration,
    /// The first pause between attempts; it doubles.
    pub pause_min: Duration,
    /// The longest pause.
    pub pause_max: Duration,
    /// Whether tokens may travel in clear beyond this machine.
    pub clear_text: bool,
    /// Limits, headers and keep-alive of the connections.
    pub client: ClientConfig,
    /// The time that status tells.
    pub clock: Arc<dyn Clock>,
    /// What spreads pauses.
    pub entropy: Arc<dyn Entropy>,
}

impl Default for ProviderOptions {
    /// One proof a miner and 16 waiting, 25 s each; 16 questions about unsealing and 64 waiting, 60 s each; 60 s for a
    /// registration; pauses from 1 s to 30 s.
    fn default() -> Self {
        Self {
            proofs: 1,
            proofs_waiting: 16,
            unseals: 16,
            unseals_waiting: 64,
            proof_deadline: Duration::from_secs(25),
            unseal_deadline: Duration::from_secs(60),
            handshake: Duration::from_secs(60),
            pause_min: Duration::from_secs(1),
            pause_max: Duration::from_secs(30),
            clear_text: false,
            client: ClientConfig {
                limits: Limits { message_bytes: 4 << 20, channel_values: 256, ..Limits::default() },
                ..ClientConfig::default()
            },
            clock: Arc::new(SystemClock),
            entropy: Arc::new(OsEntropy),
        }
    }
}

impl fmt::Debug for ProviderOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ProviderOptions").field("proofs", &self.proofs).finish_non_exhaustive()
    }
}

const NEVER: Duration = Duration::from_secs(24 * 3600);

impl ProviderOptions {
    /// As hubs are dialled: the loop of a hub redials, with pauses of its own.
    pub(super) fn client(&self) -> ClientConfig {
        ClientConfig { back_off: BackOff { min: NEVER, max: NEVER, factor: 1.0 }, ..self.client.clone() }
    }

    /// The pause before attempt number `attempt`, from 0: up to a quarter shorter than it could be, so that providers
    /// that lost one hub together do not come back together.
    pub(super) fn pause(&self, attempt: u32) -> Duration {
        let grown = self.pause_min.saturating_mul(1 << attempt.min(16)).min(self.pause_max);
        let mut random = [0; 4];
        // Without randomness all providers pause alike, which is no reason not to go on.
        let _ = self.entropy.fill(&mut random);
        let part = f64::from(u32::from_ne_bytes(random)) / f64::from(u32::MAX);
        grown.mul_f64(1.0 - part / 4.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_to_their_bound() {
        let options = ProviderOptions::default();
        for (attempt, most) in [(0, 1), (1, 2), (2, 4), (4, 16), (5, 30), (60, 30), (u32::MAX, 30)] {
            let pause = options.pause(attempt).as_secs_f64();
            assert!(pause <= f64::from(most) && pause >= f64::from(most) * 0.74, "{attempt}: {pause}");
        }
    }
}
