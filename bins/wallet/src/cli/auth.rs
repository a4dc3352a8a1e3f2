//! Commands about tokens, log levels and accounts.

use clap::{Args, Subcommand};
use serde_json::json;
use venus_signer::server::Base64;

use super::{CliError, Ctx, keys};

/// Tokens.
#[derive(Debug, Subcommand)]
pub(super) enum AuthCommand {
    /// Prints what other programs need to call this wallet: a token and the address.
    ApiInfo(ApiInfoArgs),
}

/// Options of `auth api-info`.
#[derive(Debug, Args)]
pub(super) struct ApiInfoArgs {
    /// What the token allows: read, write, sign or admin; each includes those before it.
    #[arg(long)]
    perm: Option<String>,
    /// A name for the token's bearer, which records show. Such a token is not byte for byte that of Go's wallet.
    #[arg(long)]
    name: Option<String>,
}

const LEVELS: [&str; 4] = ["read", "write", "sign", "admin"];

pub(super) async fn auth(ctx: &Ctx, command: AuthCommand) -> Result<(), CliError> {
    let AuthCommand::ApiInfo(args) = command;
    let perm = args.perm.ok_or_else(|| CliError("--perm flag not set".into()))?;
    let Some(level) = LEVELS.iter().position(|level| *level == perm) else {
        return Err(CliError(format!("--perm flag has to be one of: [{}]", LEVELS.join(" "))));
    };
    if level >= 2 {
        keys::verified(ctx).await?;
    }
    let allow: Vec<&str> = LEVELS.into_iter().take(level + 1).collect();
    let token: Base64 = match &args.name {
        Some(name) => ctx.call("AuthNewFor", (&allow, name)).await?,
        None => ctx.call("AuthNew", (&allow,)).await?,
    };
    let token = String::from_utf8(token.0).map_err(|error| CliError(error.to_string()))?;
    let address = ctx.address(&ctx.config()?);
    let info = format!("{token}:{address}");
    ctx.print(&info, &json!({ "api_info": info, "token": token, "address": address, "allow": allow }))
}

/// Log levels of the running wallet.
#[derive(Debug, Subcommand)]
pub(super) enum LogCommand {
    /// Lists what has a level of its own.
    List,
    /// Sets a level: debug, info, warn or error.
    SetLevel {
        /// What it is set for; everything if not given. May be repeated.
        #[arg(long)]
        system: Vec<String>,
        /// The level.
        level: String,
    },
}

pub(super) async fn log(ctx: &Ctx, command: LogCommand) -> Result<(), CliError> {
    match command {
        LogCommand::List => {
            let systems: Vec<String> = ctx.call("LogList", ()).await?;
            ctx.print(&systems.join("\n"), &systems)
        }
        LogCommand::SetLevel { mut system, level } => {
            if system.is_empty() {
                system.push("*".into());
            }
            for system in &system {
                let () = ctx.call("LogSetLevel", (system, &level)).await?;
            }
            ctx.print("", &json!({ "systems": system, "level": level }))
        }
    }
}

/// Options of `support`.
#[derive(Debug, Args)]
pub(super) struct SupportArgs {
    /// The account's name at the gateways.
    account: String,
}

pub(super) async fn support(ctx: &Ctx, args: SupportArgs) -> Result<(), CliError> {
    let () = ctx.call("AddSupportAccount", (&args.account,)).await?;
    ctx.print("", &json!({ "supported": args.account }))
}
