//! Options of `run`.

use std::path::PathBuf;

use clap::Args;
use secrecy::SecretString;
use venus_bins_common::config::Secret;

use crate::cli::CliError;
use crate::config::Config;

/// Options of `run`. They count more than the configuration, which they do not change.
#[derive(Debug, Args)]
pub(crate) struct RunArgs {
    /// The account service.
    #[arg(long, value_name = "URL")]
    auth_url: Option<String>,
    /// The gateway's token there. Everybody on this machine can read it in the list of processes: use --auth-token-file.
    #[arg(long, value_name = "TOKEN", conflicts_with = "auth_token_file")]
    auth_token: Option<SecretText>,
    /// A file with the token, which only its owner can read.
    #[arg(long, value_name = "FILE")]
    auth_token_file: Option<PathBuf>,
    /// Listens, and dials components, where others can read tokens on the way.
    #[arg(long)]
    allow_clear_text: bool,
    /// The Redis that several components count in together.
    #[arg(long, value_name = "URL", hide = true)]
    rate_limit_redis: Option<SecretText>,
    /// Options of sophon-gateway for traces, which this gateway does not write.
    #[arg(long, value_name = "URL", hide = true)]
    jaeger_proxy: Option<String>,
    #[arg(long, value_name = "N", hide = true)]
    trace_sampler: Option<f64>,
    #[arg(long, value_name = "NAME", hide = true)]
    trace_node_name: Option<String>,
    /// How the log is written: text or json.
    #[arg(long, default_value = "text")]
    pub(super) log_format: String,
}

/// A secret on the command line, which no format shows.
#[derive(Clone)]
struct SecretText(SecretString);

impl std::fmt::Debug for SecretText {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("…")
    }
}

impl std::str::FromStr for SecretText {
    type Err = std::convert::Infallible;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Ok(Self(text.into()))
    }
}

impl RunArgs {
    /// Puts the options over the configuration.
    pub(super) fn apply(&self, config: &mut Config) -> Result<(), CliError> {
        if let Some(url) = &self.auth_url {
            config.auth.url.clone_from(url);
        }
        if let Some(SecretText(token)) = &self.auth_token {
            config.auth.token = token.clone();
        }
        if let Some(file) = &self.auth_token_file {
            let token = Secret::in_file(file).get();
            config.auth.token = token.map_err(|error| CliError(format!("--auth-token-file: {error}")))?;
        }
        if let Some(SecretText(url)) = &self.rate_limit_redis {
            config.ratelimit.redis = url.clone();
        }
        config.allowcleartext |= self.allow_clear_text;
        Ok(())
    }
}
