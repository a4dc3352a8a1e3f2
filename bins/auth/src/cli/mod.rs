//! The command line: the commands of sophon-auth, with its words, and ours.

mod admin;
mod bindings;
mod ctx;
mod doctor;
mod limits;
mod local;
mod tokens;
mod users;

use std::process::ExitCode;

use clap::{Parser, Subcommand};
use clap_complete::Shell;
use venus_bins_common::cli::{self, repo};

use crate::daemon;

pub(crate) use ctx::{ADDRESS_FILE, CliError, Ctx, TOKEN_FILE};

/// The accounts of a Venus storage pool.
#[derive(Debug, Parser)]
#[command(name = "venus-auth", version)]
struct Cli {
    /// The service's directory [env: VENUS_AUTH_PATH, SOPHON_AUTH_PATH] [default: ~/.sophon-auth, or ~/.venus-auth if
    /// only that exists].
    #[arg(long, global = true, value_name = "DIR")]
    repo: Option<String>,
    /// The configuration, instead of config.toml in the repository.
    #[arg(long, short, global = true, value_name = "FILE")]
    config: Option<String>,
    /// Where the service listens, instead of what the configuration says.
    #[arg(long, global = true, value_name = "ADDRESS")]
    listen: Option<String>,
    /// Prints JSON instead of text.
    #[arg(long, global = true)]
    json: bool,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Runs the service until it is told to stop.
    Run(daemon::RunArgs),
    /// Manages tokens.
    #[command(subcommand)]
    Token(tokens::TokenCommand),
    /// Manages users, and what they have.
    #[command(subcommand)]
    User(users::UserCommand),
    /// Asks about miners.
    #[command(subcommand)]
    Miner(bindings::MinerCommand),
    /// Asks about signers, and removes them.
    #[command(subcommand)]
    Signer(bindings::SignerCommand),
    /// Keeps out account:<name>, token:<id>, address:<f…> or ip:<address>.
    Ban(admin::BanArgs),
    /// Lets in again.
    Unban(admin::UnbanArgs),
    /// Lists what is kept out.
    Bans,
    /// Lists who changed what.
    Audit(admin::AuditArgs),
    /// Makes the repository with a configuration to edit; an existing one stays as it is.
    Init,
    /// Replaces the clear tokens of a database by their hashes. Stop the service first.
    Migrate(local::MigrateArgs),
    /// Looks for what is wrong: the repository, the service, an account.
    Doctor(doctor::DoctorArgs),
    /// Prints completions for a shell.
    Completions {
        /// The shell.
        shell: Shell,
    },
}

pub(crate) fn main() -> ExitCode {
    // Go's commands end with 1 for everything that is wrong.
    let cli = match cli::parse::<Cli>(1) {
        Ok(cli) => cli,
        Err(code) => return code,
    };
    let json = cli.json;
    let done = tokio::runtime::Runtime::new().map_err(CliError::from).and_then(|runtime| {
        let repo = repo(
            cli.repo.as_deref(),
            &["VENUS_AUTH_PATH", "SOPHON_AUTH_PATH"],
            &["~/.sophon-auth", "~/.venus-auth"],
        );
        let ctx = Ctx { json, repo, config: cli.config, listen: cli.listen };
        runtime.block_on(run(&ctx, cli.command))
    });
    cli::exit(json, done, cli::Errors::Stdout)
}

async fn run(ctx: &Ctx, command: Command) -> Result<(), CliError> {
    match command {
        Command::Run(args) => daemon::run(ctx, args).await,
        Command::Token(command) => tokens::run(ctx, command).await,
        Command::User(command) => users::run(ctx, command).await,
        Command::Miner(command) => bindings::miner(ctx, command).await,
        Command::Signer(command) => bindings::signer(ctx, command).await,
        Command::Ban(args) => admin::ban(ctx, args).await,
        Command::Unban(args) => admin::unban(ctx, args).await,
        Command::Bans => admin::bans(ctx).await,
        Command::Audit(args) => admin::audit(ctx, args).await,
        Command::Init => local::init(ctx),
        Command::Migrate(args) => local::migrate(ctx, args).await,
        Command::Doctor(args) => doctor::run(ctx, args).await,
        Command::Completions { shell } => Ok(cli::completions::<Cli>(shell, "venus-auth")?),
    }
}
