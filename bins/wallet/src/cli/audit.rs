//! `audit` commands.

use clap::Subcommand;

use super::{CliError, Ctx};

/// The commands.
#[derive(Debug, Subcommand)]
pub(crate) enum AuditCommand {
    /// Placeholder until the first command is written.
    Version,
}

/// Runs one.
pub(crate) async fn run(ctx: &Ctx, command: AuditCommand) -> Result<(), CliError> {
    match command {
        AuditCommand::Version => ctx.print("1", &1),
    }
}
