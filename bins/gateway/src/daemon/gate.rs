//! Who is let in: who has the token of this machine's administrator, and whom venus-auth knows.

use async_trait::async_trait;
use http::request::Parts;
use secrecy::SecretString;
use venus_auth::client::AuthClient;
use venus_core::api::Permissions;
use venus_core::rpc::Identity;
use venus_core::rpc::server::{AuthError, Authenticate, ByToken};

use super::local::Token;

/// The one door of everything that this program serves.
pub(crate) struct Gate {
    local: Token,
    known: ByToken<AuthClient>,
}

impl Gate {
    pub(super) fn new(local: Token, auth: AuthClient) -> Self {
        Self { local, known: ByToken::new(auth) }
    }

    pub(super) fn local_token(&self) -> &SecretString {
        self.local.text()
    }

    /// What must not leave this program, by SHA-256.
    pub(super) fn own_token(&self) -> String {
        self.local.fingerprint()
    }
}

#[async_trait]
impl Authenticate for Gate {
    async fn authenticate(&self, token: Option<&str>, request: &Parts) -> Result<Identity, AuthError> {
        match token {
            // It belongs to a machine, not to an account: nobody registers with it (T18).
            Some(token) if self.local.is(token) => {
                Ok(Identity { token: self.own_token(), ..Identity::new("", Permissions::ALL) })
            }
            token => self.known.authenticate(token, request).await,
        }
    }
}
