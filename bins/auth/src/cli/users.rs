//! `venus-auth user`.

use clap::Subcommand;
use serde_json::{Value, json};
use time::OffsetDateTime;
use time::macros::format_description;
use venus_auth::client::UserWithMiners;
use venus_auth::{NewUser, Page, User, UserChange, UserState};

use super::bindings::{self, UserMinerCommand, UserSignerCommand};
use super::ctx::show;
use super::limits::{self, LimitCommand};
use super::{CliError, Ctx};

#[derive(Debug, Subcommand)]
pub(crate) enum UserCommand {
    /// Makes a user.
    Add {
        /// Free text.
        #[arg(long)]
        comment: Option<String>,
        /// 1 for enabled, 2 for disabled: such a user may not use the pool.
        #[arg(long, default_value_t = 1)]
        state: i32,
        /// Its name, for good.
        name: String,
    },
    /// Shows a user.
    Get {
        /// Its name.
        name: String,
    },
    /// Changes a user.
    Update {
        /// Its name.
        #[arg(long)]
        name: String,
        /// Other free text.
        #[arg(long)]
        comment: Option<String>,
        /// 1 for enabled, 2 for disabled.
        #[arg(long)]
        state: Option<i32>,
    },
    /// Enables a user.
    Active {
        /// Its name.
        name: String,
    },
    /// Lists users.
    List {
        /// How many to leave out.
        #[arg(long, default_value_t = 0)]
        skip: u64,
        /// How many at most.
        #[arg(long, default_value_t = 20)]
        limit: u32,
        /// Only those of this state.
        #[arg(long, default_value_t = 0)]
        state: i32,
    },
    /// Deletes a user with its tokens, miners and signers.
    Delete {
        /// Its name.
        name: String,
    },
    /// Brings a deleted user back; its tokens stay revoked.
    Recover {
        /// Its name.
        name: String,
    },
    /// Manages limits of requests.
    #[command(subcommand)]
    RateLimit(LimitCommand),
    /// Manages a user's miners.
    #[command(subcommand)]
    Miner(UserMinerCommand),
    /// Manages a user's signers.
    #[command(subcommand)]
    Signer(UserSignerCommand),
}

pub(super) async fn run(ctx: &Ctx, command: UserCommand) -> Result<(), CliError> {
    match command {
        UserCommand::Add { comment, state, name } => {
            let comment = comment.unwrap_or_default();
            add(ctx, NewUser { name, comment, state: UserState::of_number(state) }).await
        }
        UserCommand::Get { name } => get(ctx, &name).await,
        UserCommand::Update { name, comment, state } => {
            let change = UserChange { comment, state: state.map(UserState::of_number) };
            ctx.client()?.update_user(&name, &change).await?;
            ctx.print("update user success", &json!({ "updated": true }))
        }
        UserCommand::Active { name } => {
            let change = UserChange { state: Some(UserState::Enabled), ..UserChange::default() };
            ctx.client()?.update_user(&name, &change).await?;
            ctx.print("active user success", &json!({ "updated": true }))
        }
        UserCommand::List { skip, limit, state } => list(ctx, Page { skip, limit }, state).await,
        UserCommand::Delete { name } => delete(ctx, &name).await,
        UserCommand::Recover { name } => {
            ctx.client()?.recover_user(&name).await?;
            ctx.print("recover user success", &json!({ "recovered": true }))
        }
        UserCommand::RateLimit(command) => limits::run(ctx, command).await,
        UserCommand::Miner(command) => bindings::user_miner(ctx, command).await,
        UserCommand::Signer(command) => bindings::user_signer(ctx, command).await,
    }
}

async fn add(ctx: &Ctx, new: NewUser) -> Result<(), CliError> {
    let user = ctx.client()?.create_user(&new).await?;
    let text = format!("Add user success: {}, next can add miner for this user", user.id);
    ctx.print(text, &one(&user))
}

async fn get(ctx: &Ctx, name: &str) -> Result<(), CliError> {
    let user = ctx.client()?.user(name).await?;
    let text = format!(
        "name: {}\nstate {} \t// 2: disable, 1: enable\ncomment: {}\ncreateTime: {}\nupdateTime: {}\n",
        user.name,
        state(user.state),
        user.comment,
        long(user.created_at),
        long(user.updated_at)
    );
    ctx.print(text, &one(&user))
}

async fn list(ctx: &Ctx, page: Page, wanted: i32) -> Result<(), CliError> {
    let wanted = Some(wanted).filter(|state| *state != 0).map(UserState::of_number);
    let users = ctx.client()?.users_with_miners(page, wanted).await?;
    let text: Vec<String> = users.iter().enumerate().map(|(n, user)| paragraph(n + 1, user)).collect();
    let json: Vec<Value> = users
        .iter()
        .map(|found| {
            let mut json = one(&found.user);
            if let Some(members) = json.as_object_mut() {
                members.insert("miners".into(), json!(miners(found)));
            }
            json
        })
        .collect();
    ctx.print(text.join("\n"), &json)
}

fn miners(found: &UserWithMiners) -> Option<Vec<String>> {
    found.miners.as_ref().map(|rows| rows.iter().map(|row| show(&row.miner)).collect())
}

fn paragraph(n: usize, found: &UserWithMiners) -> String {
    let user = &found.user;
    let mut text = format!("number: {n}\nname: {}\nstate: {}\n", user.name, state(user.state));
    match miners(found) {
        Some(miners) if miners.is_empty() => {}
        Some(miners) => text.push_str(&format!("miners: [{}]\n", miners.join(" "))),
        None => text.push_str("miners: could not be asked for\n"),
    }
    if !user.comment.is_empty() {
        text.push_str(&format!("comment: {}\n", user.comment));
    }
    let (created, updated) = (long(user.created_at), long(user.updated_at));
    text + &format!("createTime: {created}\nupdateTime: {updated}\n")
}

async fn delete(ctx: &Ctx, name: &str) -> Result<(), CliError> {
    let client = ctx.client()?;
    if !client.has_user(name).await? {
        return Err(CliError("not found user".into()));
    }
    client.delete_user(name).await?;
    ctx.print("remove user success", &json!({ "deleted": true }))
}

fn state(state: UserState) -> &'static str {
    match state {
        UserState::Enabled => "enabled",
        UserState::Disabled => "disabled",
        _ => "unknown state",
    }
}

fn one(user: &User) -> Value {
    json!({
        "id": user.id,
        "name": user.name,
        "comment": user.comment,
        "state": user.state.number(),
        "createTime": user.created_at.unix_timestamp(),
        "updateTime": user.updated_at.unix_timestamp(),
    })
}

/// RFC 1123, as Go's commands print times.
pub(super) fn long(at: OffsetDateTime) -> String {
    let format = format_description!(
        "[weekday repr:short], [day] [month repr:short] [year] [hour]:[minute]:[second] UTC"
    );
    at.format(format).unwrap_or_default()
}
