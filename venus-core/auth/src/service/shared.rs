//! What ends, told to all: in this process, and to other instances on the same database.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::{Instant, sleep};
use uuid::Uuid;

use super::AuthService;
use crate::effect::Effect;
use crate::error::AuthError;
use crate::store::{Heard, StoreError};

/// How often the other instances are asked.
const EVERY: Duration = Duration::from_millis(100);
/// How long an instance may have heard nothing of the others and still speak for all.
const BEHIND: Duration = Duration::from_millis(300);
/// How often an effect is written that the database does not take.
const TRIES: u32 = 3;

/// What this instance knows of others on its database.
#[derive(Debug, Default)]
pub(super) struct Others {
    /// This instance.
    id: std::sync::OnceLock<Uuid>,
    /// When the others were last asked with success; `None` before they are followed.
    heard: Mutex<Option<Instant>>,
}

impl AuthService {
    /// Forgets what rests on something that ended, and tells everybody.
    pub(super) async fn ended(&self, effect: Effect) {
        self.tell_here(effect.clone());
        for _ in 0..TRIES {
            // It is done in this process and stays done: what fails here is only that others learn of it at once. They
            // learn of it when what they remember gets old.
            if self.store().tell(self.instance(), &effect, self.now()).await.is_ok() {
                return;
            }
        }
        #[cfg(any(feature = "client", feature = "guard"))]
        tracing::error!(?effect, "other instances on this database were not told what ended");
    }

    fn tell_here(&self, effect: Effect) {
        #[cfg(feature = "guard")]
        self.inner.recent.forget(&effect);
        self.effects().publish(effect);
    }

    fn instance(&self) -> Uuid {
        *self.inner.others.id.get_or_init(|| self.new_id().unwrap_or_else(|_| Uuid::new_v4()))
    }

    /// Hears what other instances on the same database end, several times a second, until it is dropped. To be run by
    /// every instance whose [`AuthStore`](crate::AuthStore) several share; returns at once on one that belongs to this
    /// process alone.
    pub async fn follow_others(&self) {
        let mut from = None;
        while self.store().is_shared() {
            let asked = Instant::now();
            match self.hear(&mut from).await {
                Ok(()) => self.heard(asked),
                #[cfg(any(feature = "client", feature = "guard"))]
                Err(error) => tracing::warn!(%error, "other instances are not heard"),
                #[cfg(not(any(feature = "client", feature = "guard")))]
                Err(_) => {}
            }
            sleep(EVERY).await;
        }
    }

    async fn hear(&self, from: &mut Option<Heard>) -> Result<(), StoreError> {
        let (next, effects) = self.store().hear(self.instance(), from.as_ref()).await?;
        if from.replace(next).is_none() {
            // What ended before is known to nobody here.
            self.tell_here(Effect::Reset);
        }
        effects.into_iter().for_each(|effect| self.tell_here(effect));
        Ok(())
    }

    fn heard(&self, asked: Instant) {
        *self.inner.others.heard.lock().unwrap_or_else(PoisonError::into_inner) = Some(asked);
    }

    /// Whether this instance can say what ends anywhere.
    ///
    /// # Errors
    /// [`AuthError::Store`] if it follows others and has not heard of them lately.
    pub fn hears_others(&self) -> Result<(), AuthError> {
        let heard = *self.inner.others.heard.lock().unwrap_or_else(PoisonError::into_inner);
        match heard {
            Some(at) if at.elapsed() > BEHIND + EVERY => {
                let text = "the database does not tell what other instances end";
                Err(StoreError::Backend(text.into()).into())
            }
            _ => Ok(()),
        }
    }
}
