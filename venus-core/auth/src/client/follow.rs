//! Following what ends.

use std::time::Duration;

use uuid::Uuid;

use super::http::Question;
use super::{AuthClient, ClientError};
use crate::effect::Effect;
use crate::wire::RevocationsJson;

/// Longer than the service waits before it says that nothing happened.
const PATIENCE: Duration = Duration::from_secs(40);

/// What ends at the service, as it ends, in order and without gaps across reconnects and restarts.
#[derive(Debug)]
pub struct Revocations {
    client: AuthClient,
    at: Option<(Uuid, u64)>,
}

impl AuthClient {
    /// Follows what ends, from now on. Needs an administrator's token, or one with the scope `auth.verify`.
    pub fn revocations(&self) -> Revocations {
        Revocations { client: self.clone(), at: None }
    }
}

impl Revocations {
    /// What ended since the last call, waiting for something. Cancel safe.
    ///
    /// The first answer is an [`Effect::Reset`], and so is that after a gap: what was cached before counts no more.
    /// Nothing is lost by an error; call again after a pause, and trust caches no longer than without this stream.
    ///
    /// # Errors
    /// [`ClientError`]; of the kind unsupported if the service is sophon-auth.
    pub async fn next(&mut self) -> Result<Vec<Effect>, ClientError> {
        loop {
            let told = self.ask().await?;
            let begins = self.at.is_none_or(|(life, _)| life != told.life);
            self.at = Some((told.life, told.last));
            if begins {
                return Ok(vec![Effect::Reset]);
            }
            if !told.items.is_empty() {
                return Ok(told.items.into_iter().map(|item| item.effect.into()).collect());
            }
        }
    }

    async fn ask(&self) -> Result<RevocationsJson, ClientError> {
        let question = match self.at {
            None => Question::get("/revocations", &[]),
            Some((life, after)) => {
                let (life, after) = (life.to_string(), after.to_string());
                let asked = Question::get("/revocations", &[("after", &after), ("life", &life)]);
                // Whoever asks calls again.
                Question { deadline: Some(PATIENCE), again: false, ..asked }
            }
        };
        self.client.transport.ask(question).await
    }
}
