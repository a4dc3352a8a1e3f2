//! The command line.

mod audit;
mod policy;
mod strategy;

use std::process::ExitCode;

use clap::{Parser, Subcommand};
use secrecy::SecretString;
use serde::Serialize;
use serde::de::DeserializeOwned;
use venus_core::error::BoxError;

/// The wallet of a Venus storage pool.
#[derive(Debug, Parser)]
#[command(name = "venus-wallet", version)]
struct Cli {
    /// Prints JSON instead of text.
    #[arg(long, global = true)]
    json: bool,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Manages who may sign what by groups of keys.
    #[command(subcommand, alias = "st")]
    Strategy(strategy::StrategyCommand),
    /// Asks what the policy says.
    #[command(subcommand)]
    Policy(policy::PolicyCommand),
    /// Reads and verifies the records of all requests.
    #[command(subcommand)]
    Audit(audit::AuditCommand),
}

/// Why a command failed. Printed on stdout with exit code 1, as the Go wallet does.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(crate) struct CliError(pub(crate) String);

impl From<BoxError> for CliError {
    fn from(error: BoxError) -> Self {
        Self(error.to_string())
    }
}

/// What commands need: the running wallet, a terminal, an output.
#[derive(Debug)]
pub(crate) struct Ctx {
    json: bool,
}

impl Ctx {
    /// Calls a method of the running wallet, `Filecoin.` left out. `params` is a tuple or an array.
    pub(crate) async fn call<T: DeserializeOwned>(
        &self,
        _method: &str,
        _params: impl Serialize,
    ) -> Result<T, CliError> {
        Err(CliError("not connected".into()))
    }

    /// Asks for a password: `label` is printed, the terminal does not echo.
    pub(crate) fn password(&self, _label: &str) -> Result<SecretString, CliError> {
        Err(CliError("EOF".into()))
    }

    /// Whether `--json` was given.
    pub(crate) fn json(&self) -> bool {
        self.json
    }

    /// Prints `text`, or `value` as JSON if `--json` was given.
    pub(crate) fn print(&self, text: &str, value: &impl Serialize) -> Result<(), CliError> {
        let json = serde_json::to_string(value).map_err(|error| CliError(error.to_string()))?;
        println!("{}", if self.json { &json } else { text });
        Ok(())
    }
}

pub(crate) fn main() -> ExitCode {
    let cli = Cli::parse();
    let ctx = Ctx { json: cli.json };
    let Ok(runtime) = tokio::runtime::Runtime::new() else { return ExitCode::FAILURE };
    let done = runtime.block_on(async {
        match cli.command {
            Command::Strategy(command) => strategy::run(&ctx, command).await,
            Command::Policy(command) => policy::run(&ctx, command).await,
            Command::Audit(command) => audit::run(&ctx, command).await,
        }
    });
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            println!("{error}");
            ExitCode::FAILURE
        }
    }
}
