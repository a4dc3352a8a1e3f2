//! The command line.

mod audit;
mod ctx;
mod policy;
mod prompt;
mod strategy;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::nettype::NetType;
use crate::{daemon, init};

pub(crate) use ctx::{ADDRESS_FILE, CliError, Ctx};

/// The wallet of a Venus storage pool.
#[derive(Debug, Parser)]
#[command(name = "venus-wallet", version)]
struct Cli {
    /// The wallet's directory.
    #[arg(
        long,
        global = true,
        env = "VENUS_WALLET_PATH",
        value_name = "DIR",
        default_value = "~/.venus_wallet"
    )]
    repo: String,
    /// The network: mainnet, cali, butterfly, integrationnet, interop, force, 2k. Decides between f and t in addresses.
    #[arg(long, global = true, env = "VENUS_ADDRESS_TYPE", value_name = "NET")]
    nettype: Option<String>,
    /// Prints JSON instead of text.
    #[arg(long, global = true)]
    json: bool,
    /// Reads passwords from the first line of this file instead of asking.
    #[arg(long, global = true, value_name = "FILE")]
    password_file: Option<PathBuf>,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Makes a new wallet in the repository; an existing one stays as it is.
    Init,
    /// Runs the wallet until it is told to stop.
    Run(Box<daemon::RunArgs>),
    /// Manages who may sign what by groups of keys.
    #[command(subcommand, alias = "st")]
    Strategy(strategy::StrategyCommand),
    /// Asks what the policy says.
    #[command(subcommand)]
    Policy(policy::PolicyCommand),
    /// Reads and verifies the records of all requests.
    #[command(subcommand)]
    Audit(audit::AuditCommand),
    /// Asks the running wallet for records, as the Go wallet does.
    #[command(subcommand)]
    Record(audit::RecordCommand),
    /// Moves and shows the history of signed blocks and votes.
    #[command(subcommand)]
    Slashing(audit::SlashingCommand),
}

pub(crate) fn main() -> ExitCode {
    let cli = Cli::parse();
    let done = context(&cli).and_then(|ctx| {
        let runtime = tokio::runtime::Runtime::new().map_err(|error| CliError(error.to_string()))?;
        runtime.block_on(run(&ctx, cli.command))
    });
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            println!("{error}");
            ExitCode::FAILURE
        }
    }
}

async fn run(ctx: &Ctx, command: Command) -> Result<(), CliError> {
    match command {
        Command::Init => init::run(ctx).await,
        Command::Run(args) => daemon::run(ctx, *args).await,
        Command::Strategy(command) => strategy::run(ctx, command).await,
        Command::Policy(command) => policy::run(ctx, command).await,
        Command::Audit(command) => audit::run(ctx, command).await,
        Command::Record(command) => audit::run_record(ctx, command).await,
        Command::Slashing(command) => audit::run_slashing(ctx, command).await,
    }
}

fn context(cli: &Cli) -> Result<Ctx, CliError> {
    let repo = expand(&cli.repo);
    // A wallet that does not exist yet has no network but the one of the command line.
    let written = crate::config::Config::read(&repo).map(|config| config.network.nettype).unwrap_or_default();
    let nettype = NetType::named(cli.nettype.as_deref().unwrap_or(&written))?;
    Ok(Ctx { json: cli.json, repo, nettype, password_file: cli.password_file.clone() })
}

fn expand(path: &str) -> PathBuf {
    match (path.strip_prefix("~/"), std::env::home_dir()) {
        (Some(rest), Some(home)) => home.join(rest),
        _ => PathBuf::from(path),
    }
}
