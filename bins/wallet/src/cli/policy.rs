//! `policy` commands.

use clap::Subcommand;

use super::{CliError, Ctx};

/// The commands.
#[derive(Debug, Subcommand)]
pub(crate) enum PolicyCommand {
    /// Placeholder until the first command is written.
    Version,
}

/// Runs one.
pub(crate) async fn run(ctx: &Ctx, command: PolicyCommand) -> Result<(), CliError> {
    match command {
        PolicyCommand::Version => ctx.print("1", &1),
    }
}
