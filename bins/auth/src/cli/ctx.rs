//! What commands need: the running service and an output.

use std::fmt::Display;
use std::path::{Path, PathBuf};

use secrecy::SecretString;
use serde::Serialize;
use venus_auth::client::{AuthClient, ClientConfig, ClientError};
use venus_bins_common::keys::KeysError;
use venus_bins_common::listen::ListenError;
use venus_bins_common::{cli, files};
use venus_core::error::BoxError;
use venus_core::types::{Address, address};

use crate::config::{Config, ConfigError, FILE};

/// Where the daemon writes its URL.
pub(crate) const ADDRESS_FILE: &str = "api";
/// The administrator's token, for programs on this machine.
pub(crate) const TOKEN_FILE: &str = "token";

/// Why a command failed. Printed on stdout with exit code 1, as sophon-auth does.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(crate) struct CliError(pub(crate) String);

impl From<BoxError> for CliError {
    fn from(error: BoxError) -> Self {
        Self(error.to_string())
    }
}

impl From<std::io::Error> for CliError {
    fn from(error: std::io::Error) -> Self {
        Self(error.to_string())
    }
}

impl From<ConfigError> for CliError {
    fn from(error: ConfigError) -> Self {
        Self(error.to_string())
    }
}

impl From<KeysError> for CliError {
    fn from(error: KeysError) -> Self {
        Self(error.to_string())
    }
}

impl From<ListenError> for CliError {
    fn from(error: ListenError) -> Self {
        Self(error.to_string())
    }
}

impl From<ClientError> for CliError {
    fn from(error: ClientError) -> Self {
        match error {
            ClientError::Unreachable(_) => {
                Self(format!("{error}\nIs venus-auth running? `venus-auth doctor` looks."))
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
    pub(super) config: Option<String>,
    pub(super) listen: Option<String>,
}

impl Ctx {
    /// The repository.
    pub(crate) fn repo(&self) -> &Path {
        &self.repo
    }

    /// Whether `--json` was given.
    pub(crate) fn json(&self) -> bool {
        self.json
    }

    /// The configuration, with `--listen` over it.
    pub(crate) fn config(&self) -> Result<Config, CliError> {
        let path = self.config.as_deref().map_or_else(|| self.repo.join(FILE), files::expand);
        let mut config = Config::read(&path)?;
        if let Some(listen) = &self.listen {
            config.listen.clone_from(listen);
        }
        Ok(config)
    }

    /// Where the service is.
    pub(crate) fn url(&self) -> Result<String, CliError> {
        let config = self.config()?;
        let written = std::fs::read_to_string(self.repo.join(ADDRESS_FILE));
        Ok(match (&self.listen, written) {
            (None, Ok(url)) => url.trim().to_owned(),
            _ if !config.tls.cert.is_empty() => format!("https://{}", config.listen),
            _ => format!("http://{}", config.listen),
        })
    }

    /// A client of the running service, as its administrator.
    pub(crate) fn client(&self) -> Result<AuthClient, CliError> {
        let file = self.repo.join(TOKEN_FILE);
        let token = std::fs::read_to_string(&file).map_err(|error| {
            CliError(format!("{}: {error}: has venus-auth ever run here?", file.display()))
        })?;
        let allow_clear = self.config()?.allowcleartext;
        let config = ClientConfig { allow_clear, ..ClientConfig::default() };
        Ok(AuthClient::new(&[self.url()?], SecretString::from(token.trim().to_owned()), config)?)
    }

    /// Prints `text`, or `value` as JSON if `--json` was given.
    pub(crate) fn print(&self, text: impl Display, value: &impl Serialize) -> Result<(), CliError> {
        Ok(cli::print(self.json, text, value)?)
    }
}

/// An address of the command line.
pub(super) fn read(text: &str) -> Result<Address, CliError> {
    address::parse(text).map_err(|error| CliError(format!("{text}: {error}")))
}

/// An address as sophon-auth prints it.
pub(super) fn show(address: &Address) -> String {
    address::format(address, venus_core::types::Network::Mainnet)
}
