//! The command line: the commands of sophon-gateway, with its words, and ours.

mod ctx;
mod doctor;
mod list;
mod local;
mod proxy;

use std::process::ExitCode;

use clap::{Parser, Subcommand};
use clap_complete::Shell;
use venus_bins_common::cli::{self, Errors, repo};

use crate::daemon;

pub(crate) use ctx::{ADDRESS_FILE, CliError, Ctx, TOKEN_FILE};

/// The gateway of a Venus storage pool.
#[derive(Debug, Parser)]
#[command(name = "venus-gateway", version)]
struct Cli {
    /// The gateway's directory [env: VENUS_GATEWAY_PATH, SOPHON_GATEWAY_PATH, SOPHON_GATEWAY] [default: ~/.venus-gateway,
    /// or ~/.sophon-gateway or ~/.venusgateway if only that exists].
    #[arg(long, global = true, value_name = "DIR")]
    repo: Option<String>,
    /// Where the gateway listens, as a multiaddr or an address and a port, instead of what the configuration says.
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
    /// Runs the gateway until it is told to stop.
    Run(Box<daemon::RunArgs>),
    /// Asks about provers.
    #[command(subcommand)]
    Miner(list::MinerCommand),
    /// Asks about wallets.
    #[command(subcommand)]
    Wallet(list::WalletCommand),
    /// Asks about sealers that unseal for the market.
    #[command(subcommand)]
    Market(list::MarketCommand),
    /// Says where requests for other components go, until the gateway ends.
    #[command(subcommand)]
    Proxy(proxy::ProxyCommand),
    /// Makes the repository with a configuration to edit; an existing one stays as it is.
    Init,
    /// Looks why something is not served: the repository, venus-auth, the gateway, a wallet, a miner.
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
            &["VENUS_GATEWAY_PATH", "SOPHON_GATEWAY_PATH", "SOPHON_GATEWAY"],
            &["~/.venus-gateway", "~/.sophon-gateway", "~/.venusgateway"],
        );
        let ctx = Ctx { json, repo, listen: cli.listen };
        runtime.block_on(run(&ctx, cli.command))
    });
    cli::exit(json, done, Errors::Stderr)
}

async fn run(ctx: &Ctx, command: Command) -> Result<(), CliError> {
    match command {
        Command::Run(args) => daemon::run(ctx, *args).await,
        Command::Miner(command) => list::miner(ctx, command).await,
        Command::Wallet(command) => list::wallet(ctx, command).await,
        Command::Market(command) => list::market(ctx, command).await,
        Command::Proxy(command) => proxy::run(ctx, command).await,
        Command::Init => local::init(ctx),
        Command::Doctor(args) => doctor::run(ctx, args).await,
        Command::Completions { shell } => Ok(cli::completions::<Cli>(shell, "venus-gateway")?),
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_sound() {
        super::Cli::command().debug_assert();
    }
}
