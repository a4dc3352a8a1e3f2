//! `strategy` commands.

use clap::Subcommand;

use super::{CliError, Ctx};

/// The commands.
#[derive(Debug, Subcommand)]
pub(crate) enum StrategyCommand {
    /// Placeholder until the first command is written.
    Version,
}

/// Runs one.
pub(crate) async fn run(ctx: &Ctx, command: StrategyCommand) -> Result<(), CliError> {
    match command {
        StrategyCommand::Version => ctx.print("1", &1),
    }
}
