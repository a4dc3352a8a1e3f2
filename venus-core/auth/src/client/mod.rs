//! The typed client of the REST service, ours and sophon-auth's.
//!
//! Questions are asked again, twice, where that is harmless; changes never, unless they did not leave this machine.
//! With several addresses the one that answered last is asked first. A rate limit or an outage is an error of a
//! retryable kind, never an empty answer.

mod address;
mod bindings;
mod directory;
mod error;
mod follow;
mod http;
mod ours;
mod read;
mod tokens;
mod users;

use std::sync::Arc;
use std::time::Duration;

use secrecy::SecretString;

pub use error::ClientError;
pub use follow::Revocations;
pub use tokens::TokenInfo;
pub use users::UserWithMiners;

use http::Transport;

/// How patiently the service is asked.
#[derive(Clone, Debug)]
pub struct ClientConfig {
    /// For a connection.
    pub connect: Duration,
    /// For an answer, retries included.
    pub total: Duration,
    /// How often a harmless question is asked again.
    pub retries: u32,
    /// Whether the token may go in clear over a network. Off: whoever listens there has it.
    pub allow_clear: bool,
}

impl Default for ClientConfig {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(3),
            total: Duration::from_secs(10),
            retries: 2,
            allow_clear: false,
        }
    }
}

/// Asks the service of accounts. Cheap to clone; all clones share their connections.
///
/// Most methods need an administrator's token; those of one's own account need any.
#[derive(Clone, Debug)]
pub struct AuthClient {
    transport: Arc<Transport>,
}

impl AuthClient {
    /// A client of the service at `urls`, which are all of one pool: URLs (`https` if they do not say) or multiaddrs.
    /// Nothing is asked yet.
    ///
    /// # Errors
    /// [`ClientError::Address`].
    pub fn new(
        urls: &[impl AsRef<str>],
        token: SecretString,
        config: ClientConfig,
    ) -> Result<Self, ClientError> {
        if urls.is_empty() {
            return Err(ClientError::Address("none is given".into()));
        }
        let read = |text| address::read(text, config.allow_clear);
        let urls = urls.iter().map(|url| read(url.as_ref())).collect::<Result<_, _>>()?;
        Ok(Self { transport: Arc::new(Transport::new(urls, token, config)?) })
    }
}
