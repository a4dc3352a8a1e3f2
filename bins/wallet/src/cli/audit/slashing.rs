//! `slashing` commands: the history of signed blocks and votes.

use std::path::{Path, PathBuf};

use clap::Subcommand;
use serde_json::{Value, json};
use tokio::fs::{File, OpenOptions};
use tokio::io::{AsyncBufRead, BufReader};
use venus_signer::slashing::{self, SlashingStore, SqliteSlashing, Summary};

use super::{CliError, Ctx, said, table};

/// The commands. They work on the wallet's file; the wallet may be running.
#[derive(Debug, Subcommand)]
pub(crate) enum SlashingCommand {
    /// Writes the history. Stop the wallet before its keys move: the file lacks what it signs afterwards.
    Export {
        /// The file to write, which must not exist; standard output otherwise.
        #[arg(long, short, value_name = "FILE")]
        output: Option<PathBuf>,
    },
    /// Takes over another wallet's history. At or below what it reached nothing new is signed then.
    Import {
        /// The file; `-` for standard input.
        file: PathBuf,
    },
    /// Lists how far each miner and key has signed.
    Status,
}

/// Runs one.
pub(crate) async fn run(ctx: &Ctx, command: SlashingCommand) -> Result<(), CliError> {
    let path = crate::daemon::parts::slashing_file(ctx, &ctx.config()?)?;
    match command {
        SlashingCommand::Export { output } => {
            let store = SqliteSlashing::open_existing(&path).await?;
            export(ctx, &store, output.as_deref()).await
        }
        SlashingCommand::Import { file } => {
            let store = SqliteSlashing::open(&path, ctx.nettype().name()).await?;
            import(ctx, &store, &file).await
        }
        SlashingCommand::Status => {
            let store = SqliteSlashing::open_existing(&path).await?;
            status(ctx, &store).await
        }
    }
}

async fn export(ctx: &Ctx, store: &SqliteSlashing, output: Option<&Path>) -> Result<(), CliError> {
    let Some(path) = output else {
        // The history is all that belongs on standard output.
        slashing::export(store, &mut tokio::io::stdout()).await.map_err(said)?;
        return Ok(());
    };
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    options.mode(0o600);
    let failed = |error: std::io::Error| CliError(format!("{}: {error}", path.display()));
    let mut file = options.open(path).await.map_err(failed)?;
    let entries = slashing::export(store, &mut file).await.map_err(said)?;
    file.sync_all().await.map_err(failed)?;
    ctx.print(&format!("{entries} entries written"), &json!({ "entries": entries }))
}

async fn import(ctx: &Ctx, store: &SqliteSlashing, path: &Path) -> Result<(), CliError> {
    let mut input: Box<dyn AsyncBufRead + Unpin + Send> = if path == Path::new("-") {
        Box::new(BufReader::new(tokio::io::stdin()))
    } else {
        let file =
            File::open(path).await.map_err(|error| CliError(format!("{}: {error}", path.display())))?;
        Box::new(BufReader::new(file))
    };
    let done = slashing::import(store, &mut input).await.map_err(said)?;
    let merged = done.merged;
    let mut text = format!("{} entries: {} new, {} known already", done.entries, merged.added, merged.known);
    if merged.conflicting > 0 {
        text.push_str(&format!(
            ", {} contradict this wallet's own: two wallets signed with one key, find out why",
            merged.conflicting
        ));
    }
    let value = json!({
        "entries": done.entries, "added": merged.added, "known": merged.known, "conflicting": merged.conflicting,
    });
    ctx.print(&text, &value)
}

async fn status(ctx: &Ctx, store: &SqliteSlashing) -> Result<(), CliError> {
    let histories = store.summary().await?;
    let number = |number: Option<i64>| number.map_or_else(|| "-".to_owned(), |number| number.to_string());
    let line = |history: &Summary| {
        vec![history.name.clone(), number(history.highest), number(history.floor), history.kept.to_string()]
    };
    let text = table::text(&["SIGNER", "HIGHEST", "REFUSED UP TO", "KEPT"], histories.iter().map(line));
    let value: Vec<Value> = histories
        .iter()
        .map(|h| json!({"name": h.name, "highest": h.highest, "low_watermark": h.floor, "kept": h.kept}))
        .collect();
    ctx.print(&text, &json!({ "network": store.network(), "histories": value }))
}
