//! `audit`, `record` and `slashing` commands.

mod record;
mod slashing;
mod table;

use std::fmt::Display;

use clap::{Args, Subcommand};
use serde_json::json;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use venus_signer::audit::{Anchor, AuditReader, Broken, StoredRecord, Verified};

use super::{CliError, Ctx};

pub(crate) use record::{RecordCommand, run as run_record};
pub(crate) use slashing::{SlashingCommand, run as run_slashing};

/// The commands. They read the wallet's database; the wallet may be running.
#[derive(Debug, Subcommand)]
pub(crate) enum AuditCommand {
    /// Lists records of all requests, latest first.
    List(ListArgs),
    /// Checks that no record was changed, removed, inserted or moved, and prints how many there are and the head of
    /// the chain. Note the head elsewhere: it proves later that nothing before it was changed.
    Verify {
        /// A head that was printed before.
        #[arg(long, value_name = "SEQ:HASH")]
        from: Option<Anchor>,
    },
}

/// What to list.
#[derive(Debug, Args)]
pub(crate) struct ListArgs {
    /// Records before this one, as the last line of a page tells.
    #[arg(long, value_name = "SEQ")]
    before: Option<u64>,
    /// At most so many.
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..=1000))]
    limit: u32,
}

/// Runs one.
pub(crate) async fn run(ctx: &Ctx, command: AuditCommand) -> Result<(), CliError> {
    let path = ctx.config()?.database(ctx.repo())?;
    let reader = AuditReader::open(&path).await.map_err(said)?;
    match command {
        AuditCommand::List(args) => list(ctx, &reader, &args).await,
        AuditCommand::Verify { from } => verify(ctx, &reader, from).await,
    }
}

async fn list(ctx: &Ctx, reader: &AuditReader, args: &ListArgs) -> Result<(), CliError> {
    let page = reader.page(args.before, args.limit).await.map_err(said)?;
    let mut text =
        table::text(&["SEQ", "TIME", "OUTCOME", "TYPE", "SIGNER", "CALLER", "REASON"], page.iter().map(line));
    let last = page.last().and_then(|record| record.seq).filter(|seq| *seq > 1);
    if let Some(last) = last.filter(|_| page.len() >= args.limit as usize) {
        text.push_str(&format!("more: --before {last}\n"));
    }
    ctx.print(&text, &page)
}

fn line(stored: &StoredRecord) -> Vec<String> {
    let record = &stored.record;
    let reason = record.err.as_deref().map(|err| match &stored.denied_by {
        Some(by) => format!("{by}: {err}"),
        None => err.to_owned(),
    });
    vec![
        stored.seq.map(|seq| seq.to_string()).unwrap_or_default(),
        rfc3339(record.created_at),
        stored.outcome.map_or("", |outcome| outcome.as_str()).to_owned(),
        record.msg_type.clone(),
        record.signer.clone(),
        stored.caller.clone().unwrap_or_default(),
        reason.unwrap_or_default().replace(['\n', '\r'], " "),
    ]
}

async fn verify(ctx: &Ctx, reader: &AuditReader, from: Option<Anchor>) -> Result<(), CliError> {
    let found = reader.verify(from).await.map_err(|error| broken(ctx, &error))?;
    let Verified { records, foreign, .. } = found;
    let (from, head) = (found.from.to_string(), found.head.to_string());
    if foreign > 0 {
        let text = format!(
            "{foreign} records are outside of the chain: another program wrote them; {records} records are as they \
             were written\nhead {head}"
        );
        let value = json!({"ok": false, "records": records, "from": from, "head": head, "foreign": foreign});
        return Err(failed(ctx, text, &value));
    }
    let text = format!("{records} records are as they were written\nfrom {from}\nhead {head}");
    ctx.print(&text, &json!({"ok": true, "records": records, "from": from, "head": head, "foreign": 0}))
}

fn broken(ctx: &Ctx, error: &Broken) -> CliError {
    let seq = match error {
        Broken::At { seq, .. } => Some(seq),
        _ => None,
    };
    let value = json!({"ok": false, "error": error.to_string(), "first_bad": seq});
    failed(ctx, error.to_string(), &value)
}

/// With `--json` an answer of its own shape, which ends the program here.
fn failed(ctx: &Ctx, text: String, value: &serde_json::Value) -> CliError {
    if ctx.json() && ctx.print("", value).is_ok() {
        std::process::exit(1);
    }
    CliError(text)
}

fn rfc3339(time: OffsetDateTime) -> String {
    time.format(&Rfc3339).unwrap_or_default()
}

fn said(error: impl Display) -> CliError {
    CliError(error.to_string())
}
