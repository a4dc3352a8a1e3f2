//! The command line.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, value_parser};
use clap_complete::Shell;

use crate::demo::Spec;

/// The Venus storage pool in one program
#[derive(Debug, Parser)]
#[command(
    name = "venus-pool",
    version,
    after_help = "The log goes to stderr; VENUS_LOG=debug shows more of it."
)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    Demo(DemoArgs),
    /// Print the completion script of a shell
    Completions {
        /// The shell
        shell: Shell,
    },
}

/// Run a pool on a chain in this process: sign, send, mine, and count what landed
///
/// Exits with 0 if every message landed exactly once, 1 if not or if something broke, 2 if the arguments or the
/// directory cannot be used, 130 if it was stopped. The same arguments on the same directory continue a run that
/// was stopped or killed, and print the result of a finished one again.
#[derive(Clone, Debug, Args)]
pub(crate) struct DemoArgs {
    /// Messages to send
    #[arg(long, value_name = "N", default_value_t = 100, value_parser = value_parser!(u64).range(1..=10_000))]
    messages: u64,
    /// Miners that mine together
    #[arg(long, value_name = "N", default_value_t = 3, value_parser = value_parser!(u64).range(1..=15))]
    miners: u64,
    /// Epochs to mine at least; the messages are sent in the first four fifths of them
    #[arg(long, value_name = "N", default_value_t = 20, value_parser = value_parser!(u64).range(1..=10_000))]
    epochs: u64,
    /// The same seed ends with the same chain
    #[arg(long, value_name = "S", default_value_t = 7)]
    seed: u64,
    /// Let a rival miner reorganise the chain in the middle
    #[arg(long)]
    fork: bool,
    /// Where state is kept; created if missing
    #[arg(long, value_name = "D", default_value = "venus-demo")]
    pub(crate) dir: PathBuf,
    /// Print the result as one line of JSON
    #[arg(long)]
    pub(crate) json: bool,
}

impl DemoArgs {
    /// The arguments that decide what happens, as opposed to where and how it is shown.
    pub(crate) fn spec(&self) -> Spec {
        Spec::new(self.seed, self.messages, self.miners, self.epochs, self.fork)
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
    fn numbers_have_bounds() {
        for bad in
            ["--messages=0", "--messages=10001", "--miners=0", "--miners=16", "--epochs=0", "--seed=-1"]
        {
            assert!(Cli::try_parse_from(["venus-pool", "demo", bad]).is_err(), "{bad} was taken");
        }
        assert!(Cli::try_parse_from(["venus-pool", "demo", "--miners=15", "--epochs=10000"]).is_ok());
    }
}
