//! `venus-auth user rate-limit`.

use std::time::Duration;

use clap::Subcommand;
use serde_json::json;
use venus_auth::LimitRow;
use venus_bins_common::config::duration;

use super::{CliError, Ctx};

#[derive(Debug, Subcommand)]
pub(crate) enum LimitCommand {
    /// Limits a user that has no limit.
    Add {
        /// The limit's id; a new one if not given.
        #[arg(long, default_value = "")]
        id: String,
        /// The user.
        name: String,
        /// How many requests.
        requests: i64,
        /// In which time, as 2m.
        period: String,
    },
    /// Changes a limit.
    Update {
        /// The user.
        name: String,
        /// The limit's id.
        id: String,
        /// How many requests.
        requests: i64,
        /// In which time, as 2m.
        period: String,
    },
    /// Shows a user's limits.
    Get {
        /// The user.
        name: String,
    },
    /// Removes a limit.
    Del {
        /// The user.
        name: String,
        /// The limit's id.
        id: String,
    },
}

pub(super) async fn run(ctx: &Ctx, command: LimitCommand) -> Result<(), CliError> {
    let client = ctx.client()?;
    match command {
        LimitCommand::Add { id, name, requests, period } => {
            if let Some(known) = client.limits_of(&name, None).await?.first() {
                return Err(CliError(format!("user rate limit:{} exists", known.id)));
            }
            put(ctx, id, name, requests, &period).await
        }
        LimitCommand::Update { name, id, requests, period } => {
            known(&client.limits_of(&name, Some(&id)).await?, &id)?;
            put(ctx, id, name, requests, &period).await
        }
        LimitCommand::Get { name } => get(ctx, &name).await,
        LimitCommand::Del { name, id } => {
            known(&client.limits_of(&name, Some(&id)).await?, &id)?;
            client.remove_limit(&name, &id).await?;
            ctx.print(format_args!("delete rate limit success, {id}"), &json!({ "deleted": id }))
        }
    }
}

fn known(limits: &[LimitRow], id: &str) -> Result<(), CliError> {
    match limits.iter().any(|limit| limit.id == id) {
        true => Ok(()),
        false => Err(CliError(format!("user rate limit:{id} not exists"))),
    }
}

async fn put(ctx: &Ctx, id: String, name: String, capacity: i64, period: &str) -> Result<(), CliError> {
    let period: Duration = duration::parse(period).map_err(|error| CliError(format!("{period} {error}")))?;
    let limit = LimitRow { id, name, service: String::new(), api: String::new(), capacity, period };
    let id = ctx.client()?.put_limit(&limit).await?;
    ctx.print(format_args!("upsert user rate limit success:\t{id}"), &json!({ "id": id }))
}

async fn get(ctx: &Ctx, name: &str) -> Result<(), CliError> {
    let limits = ctx.client()?.limits_of(name, None).await?;
    let json: Vec<_> = limits
        .iter()
        .map(|limit| json!({ "id": limit.id, "requests": limit.capacity, "period": duration::format(limit.period) }))
        .collect();
    if limits.is_empty() {
        return ctx.print("user have no request rate limit", &json);
    }
    let line = |limit: &LimitRow| {
        let hours = limit.period.as_secs_f64() / 3600.0;
        let (id, capacity) = (&limit.id, limit.capacity);
        format!("user:{name}, limit id:{id}, request limit amount:{capacity}, duration:{hours:.2}(h)")
    };
    ctx.print(limits.iter().map(line).collect::<Vec<_>>().join("\n"), &json)
}
