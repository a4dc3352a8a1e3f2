//! What works on the repository itself.

use std::io::{self, IsTerminal, Write};

use clap::Args;
use secrecy::{ExposeSecret, SecretString};
use serde_json::json;
use venus_auth::{SqlStore, migrate_tokens};
use venus_bins_common::dirlock::DirLock;
use venus_bins_common::files;

use super::{CliError, Ctx};
use crate::config::{Database, FILE};
use crate::daemon;

const TEMPLATE: &str = include_str!("../../config.template.toml");

/// Options of `migrate`.
#[derive(Debug, Args)]
pub(crate) struct MigrateArgs {
    /// Only tells what would be done.
    #[arg(long)]
    dry_run: bool,
    /// Asks nothing.
    #[arg(long, conflicts_with = "dry_run")]
    yes: bool,
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
    if let (true, Database::Mysql(dsn)) = (args.dry_run, config.database(ctx.repo())?) {
        return plan(ctx, &dsn).await;
    }
    let store = daemon::open(&config, ctx).await?;
    if !args.dry_run && !args.yes {
        let clear = store.clear_tokens().await.map_err(|error| CliError(error.to_string()))?;
        ask(clear)?;
    }
    let done = migrate_tokens(&*store, args.dry_run).await.map_err(|error| CliError(error.to_string()))?;
    let text = match args.dry_run {
        true => format!("{} tokens stand in clear and would be hashed", done.clear),
        false => format!("{} of {} clear tokens are hashed", done.hashed, done.clear),
    };
    ctx.print(text, &json!({ "clear": done.clear, "hashed": done.hashed, "dryRun": args.dry_run }))
}

/// There is no way back to sophon-auth from here, so somebody has to want it.
fn ask(clear: u64) -> Result<(), CliError> {
    if clear == 0 {
        return Ok(());
    }
    let what = format!(
        "{clear} tokens would be hashed; they go on to count here, but sophon-auth cannot check them any more"
    );
    if !io::stdin().is_terminal() {
        return Err(CliError(format!("{what}: say --yes")));
    }
    write!(io::stderr().lock(), "{what}. Go on? [y/N] ")?;
    let mut answer = String::new();
    io::stdin().read_line(&mut answer)?;
    match answer.trim().to_ascii_lowercase().as_str() {
        "y" | "yes" => Ok(()),
        _ => Err(CliError("nothing is changed".into())),
    }
}

/// What a first start would do to a MySQL database, found out without touching it: opening it brings it up to date.
async fn plan(ctx: &Ctx, dsn: &SecretString) -> Result<(), CliError> {
    let plan = SqlStore::mysql_plan(dsn.expose_secret()).await.map_err(|e| CliError(e.to_string()))?;
    let adopted = match plan.version {
        Some(version) => format!("tables of sophon-auth, store version {version}, would be used as they are"),
        None => "there are no tables of sophon-auth".to_owned(),
    };
    let tables = match plan.new_tables.as_slice() {
        [] => "no table would be made".to_owned(),
        new => format!("these tables would be made: {}", new.join(", ")),
    };
    let text =
        format!("{adopted}\n{tables}\n{} tokens stand in clear and would be hashed", plan.clear_tokens);
    let json = json!({
        "clear": plan.clear_tokens,
        "hashed": 0,
        "dryRun": true,
        "storeVersion": plan.version,
        "newTables": plan.new_tables,
    });
    ctx.print(text, &json)
}
