//! What commands need: the running wallet, a terminal, an output.

use std::{
    fmt,
    path::{Path, PathBuf},
};

use secrecy::{ExposeSecret, SecretString};
use serde::{Serialize, de::DeserializeOwned};
use venus_bins_common::cli;
use venus_core::error::BoxError;
use venus_core::rpc::{
    ApiInfo, CallError,
    api_info::Token,
    client::{ClientConfig, RpcClient},
};
use venus_core::types::Network;

use super::prompt;
use crate::config::Config;
use crate::nettype::NetType;

/// Where the daemon writes its address if the configuration leaves the port to the system.
pub(crate) const ADDRESS_FILE: &str = "api";

/// Why a command failed. Printed on stdout with exit code 1, as the Go wallet does.
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

impl From<crate::config::ConfigError> for CliError {
    fn from(error: crate::config::ConfigError) -> Self {
        Self(error.to_string())
    }
}

/// What every command gets.
pub(crate) struct Ctx {
    pub(super) json: bool,
    pub(super) repo: PathBuf,
    pub(super) nettype: NetType,
    pub(super) password_file: Option<PathBuf>,
}

impl fmt::Debug for Ctx {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ctx").field("repo", &self.repo).finish_non_exhaustive()
    }
}

impl Ctx {
    /// Calls a method of the running wallet, `Filecoin.` left out. `params` is a tuple or an array; `()` is none.
    pub(crate) async fn call<T: DeserializeOwned>(
        &self,
        method: &str,
        params: impl Serialize,
    ) -> Result<T, CliError> {
        let client = self.client().await?;
        let params = serde_json::to_string(&params).map_err(|error| CliError(error.to_string()))?;
        client.call(&format!("Filecoin.{method}"), Some(&params)).await.map_err(refused)
    }

    /// A client of the running wallet.
    pub(crate) async fn client(&self) -> Result<RpcClient, CliError> {
        let config = self.config()?;
        let token = Token::new(config.token()?.expose_secret()).map_err(said)?;
        let info = ApiInfo { token: None, address: self.address(&config) };
        let url = info.dial_url("v0").map_err(said)?;
        RpcClient::connect(&url, ClientConfig::default().with_token(&token)).await.map_err(refused)
    }

    /// The multiaddr of the running wallet.
    pub(crate) fn address(&self, config: &Config) -> String {
        if config.api.listenaddress.contains("/tcp/0/") {
            let written = std::fs::read_to_string(self.repo.join(ADDRESS_FILE));
            return written.map_or_else(|_| config.api.listenaddress.clone(), |text| text.trim().to_owned());
        }
        // What is served over TLS is also called so, whatever the address says.
        match config.api.listenaddress.strip_suffix("/http") {
            Some(base) if !config.api.tlscert.is_empty() => format!("{base}/https"),
            _ => config.api.listenaddress.clone(),
        }
    }

    /// Asks for a password: `label` is printed, a terminal shows stars. With `--password-file` nobody is asked.
    pub(crate) fn password(&self, label: &str) -> Result<SecretString, CliError> {
        match &self.password_file {
            Some(path) => prompt::from_file(path),
            None => prompt::password(label, self.json),
        }
    }

    /// The file that `--password-file` names.
    pub(crate) fn password_file(&self) -> Option<&Path> {
        self.password_file.as_deref()
    }

    /// The wallet's directory.
    pub(crate) fn repo(&self) -> &Path {
        &self.repo
    }

    /// The wallet's configuration.
    pub(crate) fn config(&self) -> Result<Config, CliError> {
        Ok(Config::read(&self.repo)?)
    }

    /// The network that addresses are written for.
    pub(crate) fn network(&self) -> Network {
        self.nettype.prefix()
    }

    /// Which network it is.
    pub(crate) fn nettype(&self) -> NetType {
        self.nettype
    }

    /// Whether `--json` was given.
    pub(crate) fn json(&self) -> bool {
        self.json
    }

    /// Prints `text`, or `value` as JSON if `--json` was given.
    pub(crate) fn print(&self, text: &str, value: &impl Serialize) -> Result<(), CliError> {
        // Commands without a word to say are silent.
        if text.is_empty() && !self.json {
            return Ok(());
        }
        Ok(cli::print(self.json, text.strip_suffix('\n').unwrap_or(text), value)?)
    }
}

fn said(error: impl fmt::Display) -> CliError {
    CliError(error.to_string())
}

/// The wallet's own words, without code and method, as the Go commands print them.
fn refused(error: CallError) -> CliError {
    match error {
        CallError::Rpc(error) => CliError(error.message),
        error @ CallError::Unreachable { .. } => CliError(format!("{error}\nIs the venus-wallet running?")),
        other => said(other),
    }
}
