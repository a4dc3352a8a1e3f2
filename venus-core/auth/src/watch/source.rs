//! Who tells what ends.

use std::net::IpAddr;
use std::time::Duration;

use async_trait::async_trait;
use tokio::time::timeout;
use venus_core::error::{BoxError, Classify, ErrorKind};

use crate::effect::Effect;
use crate::error::AuthError;
use crate::model::Ban;
use crate::service::{Actor, AuthService};

/// How long a source is silent at most. A question and its answer must fit twice into
/// [`Liveness::WINDOW`](super::Liveness::WINDOW), with time to travel.
pub(crate) const HEARTBEAT: Duration = Duration::from_millis(200);

/// Why nobody tells what ends.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum WatchError {
    /// The account service is one that does not.
    #[error("{0}")]
    Unsupported(String),
    /// It could not be reached, or failed.
    #[error("{0}")]
    Failed(#[source] BoxError),
}

impl Classify for WatchError {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::Unsupported(_) => ErrorKind::Unsupported,
            Self::Failed(_) => ErrorKind::Transient,
        }
    }
}

impl From<AuthError> for WatchError {
    fn from(error: AuthError) -> Self {
        Self::Failed(error.into())
    }
}

/// Tells what ends.
#[async_trait]
pub trait EffectSource: Send + Sync + 'static {
    /// What ended since the last call, in order. Returns within a fraction of a second even if nothing did: an empty
    /// answer says that nothing had ended when it was asked. The first answer, and that after a gap, holds an
    /// [`Effect::Reset`]. Cancel safe.
    ///
    /// # Errors
    /// [`WatchError`]; nothing is lost by it.
    async fn next(&mut self) -> Result<Vec<Effect>, WatchError>;

    /// Which of these tokens, by their SHA-256, do not count any more.
    ///
    /// # Errors
    /// [`WatchError`].
    async fn lapsed(&self, tokens: &[String]) -> Result<Vec<String>, WatchError>;

    /// The machines that are kept out.
    ///
    /// # Errors
    /// [`WatchError`].
    async fn banned_ips(&self) -> Result<Vec<IpAddr>, WatchError>;
}

/// The account service in this process.
#[derive(Debug)]
pub struct InProcess {
    service: AuthService,
    seq: Option<u64>,
}

impl InProcess {
    /// Follows `service`.
    pub fn new(service: AuthService) -> Self {
        Self { service, seq: None }
    }
}

#[async_trait]
impl EffectSource for InProcess {
    async fn next(&mut self) -> Result<Vec<Effect>, WatchError> {
        self.service.hears_others()?;
        let Some(seq) = self.seq else {
            self.seq = Some(self.service.effects().last());
            return Ok(vec![Effect::Reset]);
        };
        let ended = timeout(HEARTBEAT, self.service.effects().after(seq)).await.unwrap_or_default();
        if let Some(last) = ended.last() {
            self.seq = Some(last.seq);
        }
        Ok(ended.into_iter().map(|revocation| revocation.effect).collect())
    }

    async fn lapsed(&self, tokens: &[String]) -> Result<Vec<String>, WatchError> {
        Ok(self.service.lapsed(tokens).await?)
    }

    async fn banned_ips(&self) -> Result<Vec<IpAddr>, WatchError> {
        Ok(ips(self.service.bans(&Actor::system()).await?))
    }
}

pub(crate) fn ips(bans: Vec<(Ban, String)>) -> Vec<IpAddr> {
    let ip = |(ban, _)| match ban {
        Ban::Ip(ip) => Some(ip),
        Ban::Account(_) | Ban::Token(_) | Ban::Address(_) => None,
    };
    bans.into_iter().filter_map(ip).collect()
}

/// The account service over REST. Needs an administrator's token, or one with the scope `auth.verify`.
#[cfg(feature = "client")]
#[derive(Debug)]
pub struct FromService {
    client: crate::client::AuthClient,
    stream: crate::client::Revocations,
}

#[cfg(feature = "client")]
impl FromService {
    /// Follows the service of `client`.
    pub fn new(client: crate::client::AuthClient) -> Self {
        Self { stream: client.revocations(), client }
    }
}

#[cfg(feature = "client")]
impl From<crate::client::ClientError> for WatchError {
    fn from(error: crate::client::ClientError) -> Self {
        match error.kind() {
            ErrorKind::Unsupported => Self::Unsupported(error.to_string()),
            _ => Self::Failed(error.into()),
        }
    }
}

#[cfg(feature = "client")]
#[async_trait]
impl EffectSource for FromService {
    async fn next(&mut self) -> Result<Vec<Effect>, WatchError> {
        Ok(self.stream.poll(HEARTBEAT).await?)
    }

    async fn lapsed(&self, tokens: &[String]) -> Result<Vec<String>, WatchError> {
        Ok(self.client.lapsed(tokens).await?)
    }

    async fn banned_ips(&self) -> Result<Vec<IpAddr>, WatchError> {
        Ok(self.client.banned_ips().await?)
    }
}
