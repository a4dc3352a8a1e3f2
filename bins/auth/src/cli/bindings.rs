//! Miners and signers.

use clap::Subcommand;
use serde_json::json;

use super::ctx::{read, show};
use super::users::long;
use super::{CliError, Ctx};

#[derive(Debug, Subcommand)]
pub(crate) enum MinerCommand {
    /// Whether anybody has a miner.
    Has {
        /// Its ID address.
        miner: String,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum SignerCommand {
    /// Whether anybody may use a signer.
    Has {
        /// Its address.
        signer: String,
    },
    /// Takes a signer from everybody.
    Del {
        /// That it is meant.
        #[arg(long)]
        really_do_it: bool,
        /// Its address.
        signer: String,
    },
    /// Consents to another user having a signer.
    Grant {
        /// Its address.
        signer: String,
        /// The user.
        user: String,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum UserMinerCommand {
    /// Gives a miner to a user.
    Add {
        /// Whether the pool may mine for it.
        #[arg(long = "openMining", visible_alias = "open-mining", num_args = 0..=1, require_equals = true,
              default_value_t = true, default_missing_value = "true", action = clap::ArgAction::Set)]
        open_mining: bool,
        /// The user.
        user: String,
        /// Its ID address.
        miner: String,
    },
    /// Whether a user has a miner.
    Exist {
        /// The user.
        #[arg(long)]
        user: String,
        /// Its ID address.
        miner: String,
    },
    /// Lists a user's miners.
    List {
        /// The user.
        user: String,
    },
    /// Takes a miner from its user.
    Delete {
        /// Its ID address.
        miner: String,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum UserSignerCommand {
    /// Lets a user use a signer.
    Register {
        /// The user.
        user: String,
        /// Its address.
        signer: String,
    },
    /// Whether a user may use a signer.
    Exist {
        /// The user.
        #[arg(long)]
        user: String,
        /// Its address.
        signer: String,
    },
    /// Lists a user's signers.
    List {
        /// The user.
        user: String,
    },
    /// Takes a signer from a user.
    Unregister {
        /// The user.
        #[arg(long)]
        user: String,
        /// Its address.
        signer: String,
    },
}

pub(super) async fn miner(ctx: &Ctx, command: MinerCommand) -> Result<(), CliError> {
    let MinerCommand::Has { miner } = command;
    let has = ctx.client()?.has_miner(&read(&miner)?).await?;
    ctx.print(has, &has)
}

pub(super) async fn signer(ctx: &Ctx, command: SignerCommand) -> Result<(), CliError> {
    match command {
        SignerCommand::Has { signer } => {
            let has = ctx.client()?.has_signer(&read(&signer)?).await?;
            ctx.print(has, &has)
        }
        SignerCommand::Del { really_do_it: false, .. } => Err(CliError(
            "--really-do-it must be specified for this action to have an effect; you have been warned".into(),
        )),
        SignerCommand::Del { signer, .. } => {
            let had = ctx.client()?.remove_signer(&read(&signer)?).await?;
            ctx.print("delete success", &json!({ "deleted": had }))
        }
        SignerCommand::Grant { signer, user } => {
            ctx.client()?.grant_signer(&read(&signer)?, &user).await?;
            ctx.print(format_args!("{user} may have {signer}"), &json!({ "granted": true }))
        }
    }
}

pub(super) async fn user_miner(ctx: &Ctx, command: UserMinerCommand) -> Result<(), CliError> {
    match command {
        UserMinerCommand::Add { open_mining, user, miner } => {
            let created = ctx.client()?.bind_miner(&user, &read(&miner)?, open_mining).await?;
            let done = if created { "create" } else { "update" };
            ctx.print(
                format_args!("{done} user:{user} miner:{miner} success."),
                &json!({ "created": created }),
            )
        }
        UserMinerCommand::Exist { user, miner } => {
            let has = ctx.client()?.user_has_miner(&user, &read(&miner)?).await?;
            ctx.print(has, &has)
        }
        UserMinerCommand::List { user } => list_miners(ctx, &user).await,
        UserMinerCommand::Delete { miner } => {
            let address = read(&miner)?;
            let done = ctx.client()?.unbind_miner(&address).await;
            let had = done.map_err(|error| CliError(format!("delete miner:{miner} failed: {error}")))?;
            let text =
                if had { format!("remove miner:{miner} success.") } else { format!("no miner:{miner}") };
            ctx.print(text, &json!({ "deleted": had }))
        }
    }
}

async fn list_miners(ctx: &Ctx, user: &str) -> Result<(), CliError> {
    let client = ctx.client()?;
    let failed = |error| CliError(format!("list user:{user} miner failed: {error}"));
    client.user(user).await.map_err(failed)?;
    let rows = client.miners_of(user).await.map_err(failed)?;
    let cells = rows.iter().enumerate().map(|(n, row)| {
        vec![n.to_string(), show(&row.miner), row.open_mining.to_string(), long(row.created_at)]
    });
    let text = table(&["idx", "miner", "openMining", "create-time"], cells.collect());
    let json: Vec<_> =
        rows.iter().map(|row| json!({ "miner": show(&row.miner), "openMining": row.open_mining })).collect();
    ctx.print(format_args!("user: {user}, miner count:{}\n{text}", rows.len()), &json)
}

pub(super) async fn user_signer(ctx: &Ctx, command: UserSignerCommand) -> Result<(), CliError> {
    match command {
        UserSignerCommand::Register { user, signer } => {
            ctx.client()?.register_signers(&user, &[read(&signer)?]).await?;
            let text = format!("register signer address:{signer} success for {user}.");
            ctx.print(text, &json!({ "registered": true }))
        }
        UserSignerCommand::Exist { user, signer } => {
            let has = ctx.client()?.user_has_signer(&user, &read(&signer)?).await?;
            ctx.print(has, &has)
        }
        UserSignerCommand::List { user } => list_signers(ctx, &user).await,
        UserSignerCommand::Unregister { user, signer } => {
            let done = ctx.client()?.unregister_signers(&user, &[read(&signer)?]).await;
            done.map_err(|error| CliError(format!("unregister signer:{signer} failed: {error}")))?;
            let text = format!("unregister signers: {signer} of {user} success.");
            ctx.print(text, &json!({ "unregistered": true }))
        }
    }
}

async fn list_signers(ctx: &Ctx, user: &str) -> Result<(), CliError> {
    let client = ctx.client()?;
    let failed = |error| CliError(format!("list user:{user} signer failed: {error}"));
    client.user(user).await.map_err(failed)?;
    let rows = client.signers_of(user).await.map_err(failed)?;
    let cells =
        rows.iter().enumerate().map(|(n, row)| vec![n.to_string(), show(&row.signer), long(row.created_at)]);
    let text = table(&["idx", "signer", "create-time"], cells.collect());
    let json: Vec<_> = rows.iter().map(|row| show(&row.signer)).collect();
    ctx.print(format_args!("user: {user}, signer count:{}\n{text}", rows.len()), &json)
}

/// Columns as Go's table writer makes them: two spaces behind each, the last as well.
fn table(head: &[&str], rows: Vec<Vec<String>>) -> String {
    let head: Vec<String> = head.iter().map(|&text| text.to_owned()).collect();
    let all: Vec<Vec<String>> = std::iter::once(head).chain(rows).collect();
    let width = |n: usize| all.iter().filter_map(|row| row.get(n)).map(String::len).max().unwrap_or_default();
    let line = |row: &Vec<String>| {
        row.iter()
            .enumerate()
            .map(|(n, cell)| format!("{cell:<wide$}", wide = width(n) + 2))
            .collect::<String>()
    };
    all.iter().map(line).collect::<Vec<_>>().join("\n")
}
