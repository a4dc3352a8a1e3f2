//! Bans and records.

use clap::Args;
use serde_json::json;
use time::format_description::well_known::Rfc3339;
use uuid::Uuid;
use venus_auth::{AuditQuery, Ban};

use super::{CliError, Ctx};

/// Options of `ban`.
#[derive(Debug, Args)]
pub(crate) struct BanArgs {
    /// Whom: account:<name>, token:<id>, address:<f…> or ip:<address>.
    subject: Ban,
    /// Why.
    #[arg(long, default_value = "")]
    reason: String,
}

/// Options of `unban`.
#[derive(Debug, Args)]
pub(crate) struct UnbanArgs {
    /// Whom, as for `ban`.
    subject: Ban,
}

/// Options of `audit`.
#[derive(Debug, Args)]
pub(crate) struct AuditArgs {
    /// Only what this account did.
    #[arg(long)]
    actor: Option<String>,
    /// Only what was done to this.
    #[arg(long)]
    subject: Option<String>,
    /// Only what begins so, as `token.`.
    #[arg(long)]
    action: Option<String>,
    /// Only what is older than the record of this id.
    #[arg(long)]
    before: Option<Uuid>,
    /// How many at most.
    #[arg(long, default_value_t = 100)]
    limit: u32,
}

pub(super) async fn ban(ctx: &Ctx, args: BanArgs) -> Result<(), CliError> {
    ctx.client()?.ban(&args.subject, &args.reason).await?;
    ctx.print(format_args!("{} is kept out", args.subject), &json!({ "banned": args.subject.to_string() }))
}

pub(super) async fn unban(ctx: &Ctx, args: UnbanArgs) -> Result<(), CliError> {
    ctx.client()?.unban(&args.subject).await?;
    ctx.print(format_args!("{} may come in", args.subject), &json!({ "unbanned": args.subject.to_string() }))
}

pub(super) async fn bans(ctx: &Ctx) -> Result<(), CliError> {
    let bans = ctx.client()?.bans().await?;
    let text: Vec<String> = bans.iter().map(|(ban, reason)| format!("{ban}  {reason}")).collect();
    let json: Vec<_> =
        bans.iter().map(|(ban, reason)| json!({ "subject": ban.to_string(), "reason": reason })).collect();
    ctx.print(if text.is_empty() { "nobody is kept out".into() } else { text.join("\n") }, &json)
}

pub(super) async fn audit(ctx: &Ctx, args: AuditArgs) -> Result<(), CliError> {
    let AuditArgs { actor, subject, action, before, limit } = args;
    let records = ctx.client()?.audit(&AuditQuery { actor, subject, action, before, limit }).await?;
    let (mut text, mut all) = (Vec::new(), Vec::new());
    for record in &records {
        let at = record.at.format(&Rfc3339).unwrap_or_default();
        let from = record.remote.map(|ip| format!(" from {ip}")).unwrap_or_default();
        let (actor, action, subject) = (&record.actor, &record.action, &record.subject);
        let (before, after) = (&record.before, &record.after);
        text.push(format!("{at}  {actor}{from}  {action}  {subject}  {before} -> {after}"));
        all.push(json!({
            "id": record.id, "at": at, "actor": actor, "remote": record.remote, "action": action,
            "subject": subject, "before": before, "after": after,
        }));
    }
    ctx.print(text.join("\n"), &all)
}
