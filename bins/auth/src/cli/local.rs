//! What works on the repository itself.

use clap::Args;
use serde_json::json;
use venus_auth::migrate_tokens;
use venus_bins_common::dirlock::DirLock;
use venus_bins_common::files;

use super::{CliError, Ctx};
use crate::config::FILE;
use crate::daemon;

const TEMPLATE: &str = include_str!("../../config.template.toml");

/// Options of `migrate`.
#[derive(Debug, Args)]
pub(crate) struct MigrateArgs {
    /// Only tells what would be done.
    #[arg(long)]
    dry_run: bool,
}

pub(super) fn init(ctx: &Ctx) -> Result<(), CliError> {
    files::create_dir(ctx.repo())?;
    let file = ctx.repo().join(FILE);
    let made = !file.exists();
    if made {
        files::replace(&file, TEMPLATE.as_bytes())?;
    }
    let text = format!("{} {}", file.display(), if made { "is made" } else { "stays as it is" });
    ctx.print(text, &json!({ "config": file, "made": made }))
}

pub(super) async fn migrate(ctx: &Ctx, args: MigrateArgs) -> Result<(), CliError> {
    let config = ctx.config()?;
    let _held = DirLock::acquire(ctx.repo()).map_err(|error| CliError(error.to_string()))?;
    let store = daemon::open(&config, ctx).await?;
    let done = migrate_tokens(&*store, args.dry_run).await.map_err(|error| CliError(error.to_string()))?;
    let text = match args.dry_run {
        true => format!("{} tokens stand in clear and would be hashed", done.clear),
        false => format!("{} of {} clear tokens are hashed", done.hashed, done.clear),
    };
    ctx.print(text, &json!({ "clear": done.clear, "hashed": done.hashed, "dryRun": args.dry_run }))
}
