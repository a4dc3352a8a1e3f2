//! The door of a server.

use std::net::{IpAddr, SocketAddr};

use async_trait::async_trait;
use axum::extract::ConnectInfo;
use http::request::Parts;
use venus_core::api::{Authenticator, IdentityError, Permissions};
use venus_core::rpc::Identity;
use venus_core::rpc::server::{AuthError, Authenticate};

use super::{Blacklist, Chain};
use crate::limits::Guesses;

/// Decides who calls a server: nobody from a machine that is kept out, and nobody who guesses tokens faster than
/// [`Guesses`] allows. Callers whose token is known are let in even if others guess from the same machine, as they do
/// behind a proxy.
#[derive(Clone, Debug)]
pub struct Gate {
    chain: Chain,
    blacklist: Blacklist,
    guesses: Guesses,
    strangers: Option<Permissions>,
}

impl Gate {
    /// A door that turns strangers away.
    pub fn new(chain: Chain, blacklist: Blacklist, guesses: Guesses) -> Self {
        Self { chain, blacklist, guesses, strangers: None }
    }

    /// Lets callers without any token in with these rights.
    #[must_use]
    pub fn strangers(self, permissions: Permissions) -> Self {
        Self { strangers: Some(permissions), ..self }
    }

    async fn check(&self, token: &str, from: Option<IpAddr>) -> Result<Identity, AuthError> {
        if from.is_some_and(|ip| self.guesses.are_too_many(ip)) {
            return self.chain.at_hand(token).map(Identity::from).ok_or(AuthError::TooMany);
        }
        match self.chain.authenticate(token).await {
            Ok(caller) => Ok(caller.into()),
            Err(IdentityError::Unauthenticated) => {
                if let Some(ip) = from {
                    self.guesses.count(ip);
                }
                Err(AuthError::Unauthenticated)
            }
            Err(IdentityError::Disabled(_)) => Err(AuthError::Unauthenticated),
            Err(IdentityError::RateLimited { .. }) => Err(AuthError::TooMany),
            Err(error) => {
                tracing::warn!(%error, "callers cannot be verified");
                Err(AuthError::Unavailable)
            }
        }
    }
}

#[async_trait]
impl Authenticate for Gate {
    async fn authenticate(&self, token: Option<&str>, request: &Parts) -> Result<Identity, AuthError> {
        let from = request.extensions.get::<ConnectInfo<SocketAddr>>();
        let from = from.map(|ConnectInfo(addr)| addr.ip().to_canonical());
        let outcome = match (token, self.strangers) {
            _ if from.is_some_and(|ip| self.blacklist.has(ip)) => Err(AuthError::Unauthenticated),
            (Some(token), _) => self.check(token, from).await,
            (None, Some(rights)) => Ok(Identity::new("", rights)),
            (None, None) => Err(AuthError::Unauthenticated),
        };
        let told = match &outcome {
            Ok(_) => "accepted",
            Err(AuthError::Unavailable) => "unavailable",
            Err(_) => "refused",
        };
        metrics::counter!("venus_auth_callers_total", "outcome" => told).increment(1);
        outcome
    }
}
