//! Following what ends.

use std::net::IpAddr;
use std::time::Duration;

use uuid::Uuid;

use super::http::Question;
use super::{AuthClient, ClientError};
use crate::effect::Effect;
use crate::wire::{RevocationsJson, TokensJson};

/// Longer than the service waits before it says that nothing happened.
const PATIENCE: Duration = Duration::from_secs(40);
/// For a question and its answer to travel, where somebody waits for a sign of life.
const TRAVEL: Duration = Duration::from_secs(1);

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
            let ended = self.take(None).await?;
            if !ended.is_empty() {
                return Ok(ended);
            }
        }
    }

    /// As [`Revocations::next`], but the service answers after `wait` if nothing ended: an empty answer says that
    /// nothing had when it was asked. Cancel safe.
    ///
    /// # Errors
    /// As [`Revocations::next`].
    pub async fn poll(&mut self, wait: Duration) -> Result<Vec<Effect>, ClientError> {
        self.take(Some(wait)).await
    }

    async fn take(&mut self, wait: Option<Duration>) -> Result<Vec<Effect>, ClientError> {
        let told = self.ask(wait).await?;
        let begins = self.at.is_none_or(|(life, _)| life != told.life);
        self.at = Some((told.life, told.last));
        if begins {
            return Ok(vec![Effect::Reset]);
        }
        Ok(told.items.into_iter().map(|item| item.effect.into()).collect())
    }

    async fn ask(&self, wait: Option<Duration>) -> Result<RevocationsJson, ClientError> {
        let deadline = Some(wait.map_or(PATIENCE, |wait| wait + TRAVEL));
        let (life, after) = self.at.unwrap_or_default();
        let (life, after) = (life.to_string(), after.to_string());
        let wait = wait.map(|wait| wait.as_millis().to_string());
        let mut query = Vec::new();
        if self.at.is_some() {
            query.extend([("after", after.as_str()), ("life", &life)]);
            query.extend(wait.as_ref().map(|wait| ("wait", wait.as_str())));
        }
        // Whoever asks calls again.
        let question = Question { deadline, again: false, ..Question::get("/revocations", &query) };
        self.client.transport.ask(question).await
    }
}

impl AuthClient {
    /// Which of these tokens, by their SHA-256 in lower-case hex, do not count (any more); a thousand at once at most.
    /// Needs what [`AuthClient::revocations`] needs.
    ///
    /// # Errors
    /// [`ClientError`]; of the kind unsupported if the service is sophon-auth.
    pub async fn lapsed(&self, fingerprints: &[String]) -> Result<Vec<String>, ClientError> {
        let asked = TokensJson { tokens: fingerprints.to_vec() };
        let told: TokensJson =
            self.transport.ask(Question::post("/revocations/lapsed", &asked).harmless()).await?;
        Ok(told.tokens)
    }

    /// The machines from which nobody is let in. Needs what [`AuthClient::revocations`] needs.
    ///
    /// # Errors
    /// As [`AuthClient::lapsed`].
    pub async fn banned_ips(&self) -> Result<Vec<IpAddr>, ClientError> {
        self.transport.ask(Question::get("/bans/ips", &[])).await
    }
}
