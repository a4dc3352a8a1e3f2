//! Hearing of what ends, and ending whatever rests on it.
//!
//! A [`Watch`] follows an [`EffectSource`] (the service in this process, or another's over REST) and tells whoever holds
//! something open: the [`Cached`](crate::verifier::Cached) verifier first, then servers ([`Sockets`]), registrations and
//! whatever else implements [`OnEffect`].
//!
//! # What is promised
//! * Every effect of a right that is revoked ends within one second, while the account service can be reached: the
//!   source speaks several times a second, and what has not been heard from for [`Liveness::WINDOW`] is not believed.
//! * After a gap, as a restart of the account service leaves, what is open is checked again by the names (SHA-256) of the
//!   tokens that it rests on, and ends where they do not count any more. Nobody has to reconnect who may stay.
//! * While the source is lost the verifier trusts its answers for [`PRINCIPAL_MAX_AGE`](venus_core::api::PRINCIPAL_MAX_AGE)
//!   only, so that nobody gets in who cannot be verified, and what is open goes on for
//!   [`WatchConfig::patience`]; then it ends, because nobody can tell whether it may.
//! * sophon-auth does not tell what ends. With it the verifier asks every second, and sockets stay open until their token
//!   expires, as in Go.

mod liveness;
mod sockets;
mod source;

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Instant, sleep};

pub use liveness::Liveness;
pub use sockets::Sockets;
#[cfg(feature = "client")]
pub use source::FromService;
#[cfg(feature = "server")]
pub(crate) use source::ips;
pub use source::{EffectSource, InProcess, WatchError};

use crate::effect::Effect;

/// Between two attempts to reach a source that is lost, at first; at most [`MAX_PAUSE`].
const PAUSE: Duration = Duration::from_millis(50);
const MAX_PAUSE: Duration = Duration::from_millis(500);
/// Between two attempts at a source that does not tell what ends.
const LONG_PAUSE: Duration = Duration::from_secs(30);
/// How often the list of machines that are kept out is read anew: lifting a ban is no effect.
const BANS_EVERY: Duration = Duration::from_secs(30);
/// Tokens that are checked with one question.
const AT_ONCE: usize = 500;

/// Holds something that ends when a right does.
pub trait OnEffect: Send + Sync {
    /// Something ended. Called in order and at once, so it must not wait for anybody.
    fn ended(&self, effect: &Effect);

    /// Requests from these machines, and no others, are refused.
    fn banned(&self, _ips: &[IpAddr]) {}

    /// The names (SHA-256, lower-case hex) of the tokens that something open rests on. Asked after a gap.
    fn tokens(&self) -> Vec<String> {
        Vec::new()
    }

    /// For too long nobody could tell what ends: end what cannot be verified.
    fn lost(&self) {}
}

impl<F: Fn(&Effect) + Send + Sync> OnEffect for F {
    fn ended(&self, effect: &Effect) {
        self(effect);
    }
}

/// How a watch behaves when its source is lost.
#[derive(Clone, Debug)]
pub struct WatchConfig {
    /// For how long what is open goes on although nobody can tell whether it may. `None`: for ever, which lets a
    /// revoked token keep its sockets through an outage of the account service.
    pub patience: Option<Duration>,
}

impl Default for WatchConfig {
    /// 10 s.
    fn default() -> Self {
        Self { patience: Some(Duration::from_secs(10)) }
    }
}

/// Follows a source for those who listen.
pub struct Watch {
    source: Box<dyn EffectSource>,
    liveness: Liveness,
    config: WatchConfig,
    listeners: Vec<Arc<dyn OnEffect>>,
    /// Something may have been missed, and what is open was not checked since.
    gap: bool,
    bans_read: Option<Instant>,
    /// Since when nothing was heard; whether those who listen were told.
    lost: Option<(Instant, bool)>,
    pause: Duration,
}

impl std::fmt::Debug for Watch {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Watch").field("liveness", &self.liveness).finish_non_exhaustive()
    }
}

impl Watch {
    /// Follows `source`. `liveness` is what a [`Cached`](crate::verifier::Cached) trusts.
    pub fn new(source: impl EffectSource, liveness: Liveness, config: WatchConfig) -> Self {
        Self {
            source: Box::new(source),
            liveness,
            config,
            listeners: Vec::new(),
            gap: false,
            bans_read: None,
            lost: None,
            pause: PAUSE,
        }
    }

    /// Tells `listener` too, after those who were added before. Verifiers come first.
    #[must_use]
    pub fn tell(mut self, listener: impl OnEffect + 'static) -> Self {
        self.listeners.push(Arc::new(listener));
        self
    }

    /// Follows until it is dropped.
    pub async fn run(mut self) {
        loop {
            self.turn().await;
        }
    }

    async fn turn(&mut self) {
        let asked = Instant::now();
        match self.hear().await {
            Ok(()) => {
                if self.lost.take().is_some() {
                    tracing::info!("the account service tells what ends again");
                }
                self.pause = PAUSE;
                self.liveness.heard(asked);
                metrics::gauge!("venus_auth_watch_alive").set(1.0);
            }
            Err(WatchError::Unsupported(text)) => {
                if self.lost.is_none() {
                    tracing::warn!(
                        text,
                        "the account service does not tell what ends: open sockets stay open"
                    );
                }
                self.lost = Some((asked, true));
                sleep(LONG_PAUSE).await;
            }
            Err(WatchError::Failed(error)) => self.away(asked, &error).await,
        }
    }

    async fn hear(&mut self) -> Result<(), WatchError> {
        if self.gap {
            self.catch_up().await?;
        }
        let effects = self.source.next().await?;
        for effect in &effects {
            metrics::counter!("venus_auth_effects_total").increment(1);
            self.listeners.iter().for_each(|listener| listener.ended(effect));
        }
        if effects.contains(&Effect::Reset) {
            self.gap = true;
            self.catch_up().await?;
        }
        if self.bans_read.is_none_or(|at| at.elapsed() >= BANS_EVERY) {
            self.read_bans().await;
        }
        Ok(())
    }

    /// Checks what is open: what ended in a gap, nobody tells any more.
    async fn catch_up(&mut self) -> Result<(), WatchError> {
        let mut tokens: Vec<String> =
            self.listeners.iter().flat_map(|listener| listener.tokens()).filter(|t| !t.is_empty()).collect();
        tokens.sort_unstable();
        tokens.dedup();
        for some in tokens.chunks(AT_ONCE) {
            for hash in self.source.lapsed(some).await? {
                let effect = Effect::Token { id: uuid::Uuid::nil(), hash };
                self.listeners.iter().for_each(|listener| listener.ended(&effect));
            }
        }
        self.gap = false;
        self.bans_read = None;
        Ok(())
    }

    async fn read_bans(&mut self) {
        match self.source.banned_ips().await {
            Ok(ips) => {
                self.listeners.iter().for_each(|listener| listener.banned(&ips));
                self.bans_read = Some(Instant::now());
            }
            Err(error) => tracing::warn!(%error, "who is kept out is not known"),
        }
    }

    async fn away(&mut self, asked: Instant, error: &venus_core::error::BoxError) {
        let (since, told) = *self.lost.get_or_insert_with(|| {
            tracing::warn!(%error, "the account service cannot tell what ends");
            metrics::gauge!("venus_auth_watch_alive").set(0.0);
            (asked, false)
        });
        if !told && self.config.patience.is_some_and(|patience| since.elapsed() >= patience) {
            tracing::error!(%error, "nobody could tell what ends for too long: what is open is closed");
            self.listeners.iter().for_each(|listener| listener.lost());
            self.lost = Some((since, true));
        }
        sleep(self.pause).await;
        self.pause = (self.pause * 2).min(MAX_PAUSE);
    }
}
