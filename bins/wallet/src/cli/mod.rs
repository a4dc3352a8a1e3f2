//! The command line.

mod audit;
mod auth;
mod ctx;
mod keys;
mod lock;
mod offline;
mod policy;
mod prompt;
mod strategy;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use clap_complete::Shell;
use venus_bins_common::{cli, files};

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
    /// Makes a key.
    New(keys::NewArgs),
    /// Lists all addresses.
    #[command(visible_alias = "ls")]
    List,
    /// Prints a key, for which the password is asked.
    Export(keys::ExportArgs),
    /// Takes a key over.
    Import(keys::ImportArgs),
    /// Signs hex-encoded bytes.
    Sign(keys::SignArgs),
    /// Removes a key.
    Del(keys::DeleteArgs),
    /// Sets the password of a wallet that has none since its start.
    #[command(visible_alias = "setpwd")]
    SetPassword,
    /// Encrypts all keys under another password.
    ChangePassword(lock::ChangeArgs),
    /// Makes the keys usable.
    Unlock,
    /// Wipes keys and password from memory.
    Lock,
    /// Tells whether the wallet is locked.
    LockState,
    /// Manages tokens.
    #[command(subcommand)]
    Auth(auth::AuthCommand),
    /// Manages what is logged.
    #[command(subcommand)]
    Log(auth::LogCommand),
    /// Serves the requests of an account more at all gateways.
    Support(auth::SupportArgs),
    /// Signs a request in a file, without the wallet running and without a network.
    SignOffline(offline::SignOfflineArgs),
    /// Writes all keys, encrypted as they are, and the history of blocks and votes into a directory.
    Backup(offline::BackupArgs),
    /// Takes over what `backup` wrote.
    Restore(offline::RestoreArgs),
    /// Prints completions for a shell.
    Completions {
        /// The shell.
        shell: Shell,
    },
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

/// Exit code of a command line that cannot be read.
const UNREADABLE: u8 = 2;

pub(crate) fn main() -> ExitCode {
    let cli = match cli::parse::<Cli>(UNREADABLE) {
        Ok(cli) => cli,
        Err(code) => return code,
    };
    let json = cli.json;
    let done = context(&cli).and_then(|ctx| {
        let runtime = tokio::runtime::Runtime::new().map_err(|error| CliError(error.to_string()))?;
        runtime.block_on(run(&ctx, cli.command))
    });
    cli::exit(json, done, cli::Errors::Stdout)
}

async fn run(ctx: &Ctx, command: Command) -> Result<(), CliError> {
    match command {
        Command::Init => init::run(ctx).await,
        Command::Run(args) => daemon::run(ctx, *args).await,
        Command::New(args) => keys::new(ctx, args).await,
        Command::List => keys::list(ctx).await,
        Command::Export(args) => keys::export(ctx, args).await,
        Command::Import(args) => keys::import(ctx, args).await,
        Command::Sign(args) => keys::sign(ctx, args).await,
        Command::Del(args) => keys::delete(ctx, args).await,
        Command::SetPassword => lock::set_password(ctx).await,
        Command::ChangePassword(args) => lock::change_password(ctx, args).await,
        Command::Unlock => lock::unlock(ctx).await,
        Command::Lock => lock::lock(ctx).await,
        Command::LockState => lock::state(ctx).await,
        Command::Auth(command) => auth::auth(ctx, command).await,
        Command::Log(command) => auth::log(ctx, command).await,
        Command::Support(args) => auth::support(ctx, args).await,
        Command::SignOffline(args) => offline::sign(ctx, args).await,
        Command::Backup(args) => offline::backup(ctx, args).await,
        Command::Restore(args) => offline::restore(ctx, args).await,
        Command::Completions { shell } => Ok(cli::completions::<Cli>(shell, "venus-wallet")?),
        Command::Strategy(command) => strategy::run(ctx, command).await,
        Command::Policy(command) => policy::run(ctx, command).await,
        Command::Audit(command) => audit::run(ctx, command).await,
        Command::Record(command) => audit::run_record(ctx, command).await,
        Command::Slashing(command) => audit::run_slashing(ctx, command).await,
    }
}

fn context(cli: &Cli) -> Result<Ctx, CliError> {
    if cli.repo.is_empty() {
        return Err(CliError("--repo is empty: name the wallet's directory".into()));
    }
    let repo = files::expand(&cli.repo);
    // A wallet that does not exist yet has no network but the one of the command line.
    let written = crate::config::Config::read(&repo).map(|config| config.network.nettype).unwrap_or_default();
    let nettype = NetType::named(cli.nettype.as_deref().unwrap_or(&written))?;
    Ok(Ctx { json: cli.json, repo, nettype, password_file: cli.password_file.clone() })
}
