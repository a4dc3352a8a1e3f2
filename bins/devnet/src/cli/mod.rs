//! The command line.

mod amounts;
mod commands;
mod ctx;
mod faults;

use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use clap_complete::Shell;
use venus_bins_common::cli;

use crate::error::CliError;
use crate::run::args::RunArgs;
use crate::{files, run};
use ctx::Ctx;

/// A Filecoin chain on this machine that speaks as Lotus, Venus or Forest
#[derive(Debug, Parser)]
#[command(
    name = "venus-devnet",
    version,
    after_help = "The log goes to stderr; VENUS_LOG=debug shows more of it."
)]
struct Cli {
    /// The devnet's directory
    #[arg(
        long,
        global = true,
        env = "VENUS_DEVNET_DIR",
        value_name = "DIR",
        default_value = "~/.venus-devnet"
    )]
    dir: String,
    /// A running devnet elsewhere: URL or multiaddr, a token and `:` may stand before it
    #[arg(long, global = true, env = "VENUS_DEVNET_URL", value_name = "URL")]
    url: Option<String>,
    /// File with the token for --url; the one of --dir otherwise
    #[arg(long, global = true, value_name = "FILE")]
    token_file: Option<PathBuf>,
    /// Print one line of JSON instead of text
    #[arg(long, global = true)]
    json: bool,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Run(Box<RunArgs>),
    /// Show head, clock and who mines
    Status,
    Mine(commands::MineArgs),
    /// Mine so many epochs, whether somebody wins or not
    Advance {
        /// Epochs
        #[arg(default_value_t = 1)]
        epochs: u64,
    },
    Until(commands::UntilArgs),
    /// Leave the next epochs empty
    Null {
        /// Epochs
        #[arg(default_value_t = 1)]
        epochs: u64,
    },
    Fork(commands::ForkArgs),
    /// Decide when epochs are mined: `clock`, `off`, or every so many milliseconds
    Auto {
        /// clock, off, or milliseconds
        when: commands::When,
    },
    /// Decide whom the devnet mines for: `all`, `none`, or ID addresses
    Producers {
        /// Miners
        #[arg(required = true, value_delimiter = ',')]
        miners: Vec<String>,
    },
    /// Let the head stand still: nothing is mined, and blocks from outside are refused
    Freeze,
    /// Let the head go on
    Thaw,
    #[command(subcommand)]
    Fault(faults::FaultCommand),
    #[command(flatten)]
    Amounts(amounts::AmountCommand),
    /// Make tokens
    #[command(subcommand)]
    Token(TokenCommand),
    /// Show accounts and miners of the genesis with their keys; the devnet need not run
    Accounts,
    /// Print the completion script of a shell
    Completions {
        /// The shell
        shell: Shell,
    },
}

#[derive(Debug, Subcommand)]
enum TokenCommand {
    /// Make a token; the devnet need not run
    New {
        /// What it allows: read, write, sign or admin, each includes those before
        #[arg(long, value_parser = ["read", "write", "sign", "admin"])]
        perm: String,
    },
}

/// Runs what was asked for, prints errors to stderr, and answers the exit code.
pub(crate) fn main() -> ExitCode {
    let cli = Cli::parse();
    match execute(cli) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // A closed stderr is no reason to fail in another way.
            let _ = writeln!(io::stderr(), "error: {error}");
            ExitCode::from(error.exit_code())
        }
    }
}

fn execute(cli: Cli) -> Result<(), CliError> {
    if let Command::Completions { shell } = cli.command {
        return Ok(venus_bins_common::cli::completions::<Cli>(shell, "venus-devnet")?);
    }
    if cli.dir.is_empty() {
        return Err(CliError::Usage("--dir is empty: name the devnet's directory".into()));
    }
    let dir = files::expand(&cli.dir);
    let ctx = Ctx { dir, url: cli.url, token_file: cli.token_file, json: cli.json };
    let runtime = tokio::runtime::Runtime::new()?;
    let done = runtime.block_on(dispatch(&ctx, cli.command));
    // What still reads a long log when the stop came need not come to its end.
    runtime.shutdown_background();
    done
}

async fn dispatch(ctx: &Ctx, command: Command) -> Result<(), CliError> {
    match command {
        Command::Run(args) => run::run(&ctx.dir, *args, ctx.json).await,
        Command::Status => commands::status(ctx).await,
        Command::Mine(args) => commands::mine(ctx, args).await,
        Command::Advance { epochs } => commands::advance(ctx, epochs).await,
        Command::Until(args) => commands::until(ctx, args).await,
        Command::Null { epochs } => commands::null(ctx, epochs).await,
        Command::Fork(args) => commands::fork(ctx, args).await,
        Command::Auto { when } => commands::auto(ctx, when).await,
        Command::Producers { miners } => commands::producers(ctx, &miners).await,
        Command::Freeze => commands::freeze(ctx, true).await,
        Command::Thaw => commands::freeze(ctx, false).await,
        Command::Fault(command) => faults::run(ctx, command).await,
        Command::Amounts(command) => amounts::run(ctx, command).await,
        Command::Token(TokenCommand::New { perm }) => commands::token(ctx, &perm),
        Command::Accounts => commands::accounts(ctx),
        Command::Completions { shell } => Ok(cli::completions::<Cli>(shell, "venus-devnet")?),
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_sound() {
        Cli::command().debug_assert();
    }

    #[test]
    fn options_have_bounds() {
        let run = |args: &[&str]| Cli::try_parse_from([&["venus-devnet", "run"], args].concat());
        for bad in [
            "--miners=0",
            "--miners=101",
            "--epoch=500ms",
            "--epoch=4",
            "--face=geth",
            "--face=venus=1",
            "--genesis-time=yesterday",
            "--balance=-1",
            "--balance=much",
            "--external-miners=x",
            "--auth-token-file=x",
            "--accounts=0",
        ] {
            assert!(run(&[bad]).is_err(), "{bad} was taken");
        }
        for good in [
            "--epoch=1s",
            "--genesis-time=2h",
            "--genesis-time=2026-01-01T00:00:00Z",
            "--genesis-time=1700000000",
            "--face=venus=127.0.0.1:0,lotus=[::1]:0,forest",
            "--external-miners=all",
            "--external-miners=t01000,f01001",
            "--balance=1.5",
        ] {
            assert!(run(&[good]).is_ok(), "{good} was refused");
        }
    }

    #[test]
    fn faces_know_where_they_listen() {
        let faces = |args: &[&str]| {
            let cli = Cli::try_parse_from([&["venus-devnet", "run"], args].concat()).unwrap();
            let Command::Run(args) = cli.command else { panic!("another command") };
            let faces = args.faces()?;
            Ok::<_, CliError>(faces.iter().map(|(_, addr)| addr.to_string()).collect::<Vec<_>>())
        };
        assert_eq!(faces(&[]).unwrap(), ["127.0.0.1:3453"]);
        assert_eq!(faces(&["--listen=127.0.0.1:0"]).unwrap(), ["127.0.0.1:0"]);
        let two = faces(&["--face=venus=127.0.0.1:7,lotus"]).unwrap();
        assert_eq!(two, ["127.0.0.1:7", "127.0.0.1:1234"]);
        assert!(faces(&["--face=venus,venus"]).is_err());
        assert!(faces(&["--face=venus,lotus", "--listen=127.0.0.1:0"]).is_err());
        assert!(faces(&["--face=venus=127.0.0.1:7", "--listen=127.0.0.1:0"]).is_err());
    }
}
