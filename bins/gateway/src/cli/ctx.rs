//! What commands need: the running gateway and an output.

use std::fmt::Display;
use std::path::{Path, PathBuf};

use secrecy::{ExposeSecret, SecretString};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;
use venus_bins_common::keys::KeysError;
use venus_bins_common::listen::{ListenError, in_clear, multiaddr, socket_addr};
use venus_bins_common::{cli, files};
use venus_core::error::BoxError;
use venus_core::rpc::api_info::Token;
use venus_core::rpc::client::{ClientConfig, RpcClient};
use venus_core::rpc::{ApiInfo, CallError};

use crate::config::{ALLOW, Config, ConfigError};

/// Where the daemon writes its multiaddr.
pub(crate) const ADDRESS_FILE: &str = "api";
/// The administrator's token, for programs on this machine. Another one after each start.
pub(crate) const TOKEN_FILE: &str = "token";

/// Why a command failed. Printed on stderr with exit code 1, as sophon-gateway does.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(crate) struct CliError(pub(crate) String);

/// Texts that say everything.
macro_rules! said {
    ($($error:ty),* $(,)?) => {$(
        impl From<$error> for CliError {
            fn from(error: $error) -> Self {
                Self(error.to_string())
            }
        }
    )*};
}

said!(BoxError, ConfigError, KeysError, ListenError, std::io::Error, venus_gateway::HubError);

impl From<CallError> for CliError {
    /// The gateway's own words, without code and method, as Go's commands print them.
    fn from(error: CallError) -> Self {
        match error {
            CallError::Rpc(error) => Self(error.message),
            error @ CallError::Unreachable { .. } => {
                Self(format!("{error}\nIs venus-gateway running? `venus-gateway doctor` looks."))
            }
            other => Self(other.to_string()),
        }
    }
}

/// What every command gets.
#[derive(Debug)]
pub(crate) struct Ctx {
    pub(super) json: bool,
    pub(super) repo: PathBuf,
    pub(super) listen: Option<String>,
}

impl Ctx {
    /// The gateway's directory.
    pub(crate) fn repo(&self) -> &Path {
        &self.repo
    }

    /// Whether `--json` was given.
    pub(crate) fn json(&self) -> bool {
        self.json
    }

    /// The configuration, with `--listen` over it.
    pub(crate) fn config(&self) -> Result<Config, CliError> {
        let mut config = Config::read(&self.repo)?;
        if let Some(listen) = &self.listen {
            config.api.listenaddress.clone_from(listen);
        }
        Ok(config)
    }

    /// The multiaddr of the running gateway.
    pub(crate) fn address(&self) -> Result<String, CliError> {
        let written = std::fs::read_to_string(self.repo.join(ADDRESS_FILE));
        if let (None, Ok(address)) = (&self.listen, written) {
            return Ok(address.trim().to_owned());
        }
        let config = self.config()?;
        let scheme = if config.tls.cert.is_empty() { "http" } else { "https" };
        match socket_addr(&config.api.listenaddress) {
            Ok(addr) => Ok(multiaddr(addr, scheme)),
            // Commands may be for a gateway that has a name.
            Err(_) => Ok(config.api.listenaddress),
        }
    }

    /// The URL of the running gateway, without a path.
    pub(crate) fn url(&self) -> Result<String, CliError> {
        let info = ApiInfo { token: None, address: self.address()? };
        let url = info.rest_url().map_err(|error| CliError(format!("--listen: {error}")))?;
        if in_clear(&url) && !self.config()?.allowcleartext {
            return Err(CliError(format!(
                "{url}: the token would travel in clear: write https, or allow it by {ALLOW}"
            )));
        }
        Ok(url)
    }

    /// The administrator's token.
    pub(crate) fn token(&self) -> Result<SecretString, CliError> {
        let file = self.repo.join(TOKEN_FILE);
        let text = std::fs::read_to_string(&file).map_err(|error| {
            CliError(format!("{}: {error}: has venus-gateway ever run here?", file.display()))
        })?;
        Ok(text.trim().to_owned().into())
    }

    /// Calls a method of the running gateway, `Gateway.` left out.
    pub(crate) async fn call<T: DeserializeOwned>(
        &self,
        method: &str,
        params: impl Serialize,
    ) -> Result<T, CliError> {
        let token = Token::new(self.token()?.expose_secret()).map_err(|e| CliError(e.to_string()))?;
        let url = format!("{}/rpc/v2", self.url()?.trim_end_matches('/'));
        let client = RpcClient::connect(&url, ClientConfig::default().with_token(&token)).await?;
        let params = serde_json::to_string(&params).map_err(|error| CliError(error.to_string()))?;
        Ok(client.call(&format!("Gateway.{method}"), Some(&params)).await?)
    }

    /// The same, for what is only shown.
    pub(crate) async fn ask(&self, method: &str, params: impl Serialize) -> Result<Box<RawValue>, CliError> {
        self.call(method, params).await
    }

    /// Prints `text`, or `value` as JSON if `--json` was given.
    pub(crate) fn print(&self, text: impl Display, value: &impl Serialize) -> Result<(), CliError> {
        let text = text.to_string();
        if text.is_empty() && !self.json {
            return Ok(());
        }
        Ok(cli::print(self.json, text, value)?)
    }
}

/// Makes a directory for its owner alone, with an error that names it.
pub(super) fn create_dir(path: &Path) -> Result<(), CliError> {
    files::create_dir(path).map_err(|error| CliError(format!("{}: {error}", path.display())))
}
