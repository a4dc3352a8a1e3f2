//! What commands need: the running devnet, and an output.

use std::io::Write;
use std::path::PathBuf;
use std::time::Duration;

use secrecy::zeroize::Zeroizing;
use serde::Serialize;
use venus_core::json::with_network;
use venus_core::rpc::api_info::Token;
use venus_core::rpc::client::{ClientConfig, RpcClient};
use venus_core::rpc::{ApiInfo, CallError};
use venus_core::types::Network;
use venus_devnet::DevnetClient;

use crate::error::CliError;
use crate::files;

/// How long a command may take: ten thousand epochs do.
const PATIENCE: Duration = Duration::from_secs(3600);

/// What every command gets.
pub(super) struct Ctx {
    pub(super) dir: PathBuf,
    pub(super) url: Option<String>,
    pub(super) token_file: Option<PathBuf>,
    pub(super) json: bool,
}

impl Ctx {
    /// A client of the running devnet.
    ///
    /// # Errors
    /// [`CliError::NotRunning`] if there is none, [`CliError::Usage`] for a bad URL or token, [`CliError::Call`].
    pub(super) async fn client(&self) -> Result<DevnetClient, CliError> {
        let info = self.address()?;
        let mut config = ClientConfig { deadline: PATIENCE, ..ClientConfig::default() };
        if let Some(token) = self.token(&info)? {
            config = config.with_token(&token);
        }
        match RpcClient::connect(&endpoint(&info)?, config).await {
            Ok(rpc) => Ok(DevnetClient::new(rpc)),
            Err(CallError::Unreachable { .. }) if self.url.is_none() => {
                Err(CliError::NotRunning(self.dir.clone()))
            }
            Err(error) => Err(error.into()),
        }
    }

    fn address(&self) -> Result<ApiInfo, CliError> {
        let text = match &self.url {
            Some(url) => url.clone(),
            None => files::read(&self.dir.join(files::API))?
                .ok_or_else(|| CliError::NotRunning(self.dir.clone()))?,
        };
        text.parse().map_err(|e| CliError::Usage(format!("--url: {e}")))
    }

    fn token(&self, info: &ApiInfo) -> Result<Option<Token>, CliError> {
        if let Some(token) = info.token.clone() {
            return Ok(Some(token));
        }
        let path = self.token_file.clone().unwrap_or_else(|| self.dir.join(files::TOKEN));
        let text = files::read(&path)?.map(Zeroizing::new);
        if text.is_none() && self.token_file.is_some() {
            return Err(CliError::Usage(format!("--token-file: {} does not exist", path.display())));
        }
        let token = text.map(|text| Token::new(text.trim())).transpose();
        token.map_err(|e| CliError::Usage(format!("{}: {e}", path.display())))
    }

    /// Prints `text`, or `value` as one line of JSON.
    ///
    /// # Errors
    /// [`CliError::System`] if standard output is closed.
    pub(super) fn print(&self, text: &str, value: &impl Serialize) -> Result<(), CliError> {
        let mut out = std::io::stdout().lock();
        if self.json {
            let json = with_network(Network::Testnet, || serde_json::to_string(value));
            writeln!(out, "{}", json.map_err(std::io::Error::from)?)?;
        } else {
            writeln!(out, "{}", text.trim_end())?;
        }
        Ok(out.flush()?)
    }
}

/// Over HTTP: a command makes one call. A URL may name the path or leave it out.
fn endpoint(info: &ApiInfo) -> Result<String, CliError> {
    let wrong = |e: &dyn std::fmt::Display| CliError::Usage(format!("--url: {e}"));
    if info.address.contains("://") {
        return match info.address.split_once("/rpc/") {
            Some(_) => Ok(info.address.clone()),
            None => Ok(format!("{}/rpc/v1", info.address.trim_end_matches('/'))),
        };
    }
    info.dial_url("v1").map_err(|e| wrong(&e))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_of_all_kinds_become_urls() {
        let url = |text: &str| endpoint(&text.parse().unwrap()).unwrap();
        assert_eq!(url("http://127.0.0.1:1/"), "http://127.0.0.1:1/rpc/v1");
        assert_eq!(url("a.b.c:ws://127.0.0.1:1/rpc/v0"), "ws://127.0.0.1:1/rpc/v0");
        assert_eq!(url("/ip4/127.0.0.1/tcp/1/http"), "http://127.0.0.1:1/rpc/v1");
        assert!(endpoint(&"nonsense".parse().unwrap()).is_err());
    }
}
