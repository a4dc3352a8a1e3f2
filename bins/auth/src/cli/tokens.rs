//! `venus-auth token`.

use clap::Subcommand;
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Value, json};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use time::macros::format_description;
use venus_auth::client::TokenInfo;
use venus_auth::{NewToken, Page};
use venus_bins_common::config::duration;

use super::{CliError, Ctx};

#[derive(Debug, Subcommand)]
pub(crate) enum TokenCommand {
    /// Makes a token, which is shown this once.
    Gen {
        /// What it may do: read, write, sign or admin.
        #[arg(long)]
        perm: Option<String>,
        /// Free text that it carries.
        #[arg(long, default_value = "")]
        extra: String,
        /// How long it counts, as 720h; for ever if not given.
        #[arg(long, value_name = "TIME")]
        expires: Option<String>,
        /// A service that it is meant for. May be repeated.
        #[arg(long)]
        audience: Vec<String>,
        /// What it is narrowed to, as auth.verify. May be repeated.
        #[arg(long)]
        scope: Vec<String>,
        /// The user.
        name: String,
    },
    /// Shows the tokens of a user, or one.
    Get {
        /// The user.
        #[arg(long, default_value = "")]
        name: String,
        /// The token.
        #[arg(long, default_value = "")]
        token: String,
    },
    /// Lists tokens.
    List {
        /// How many to leave out.
        #[arg(long, default_value_t = 0)]
        skip: u64,
        /// How many at most.
        #[arg(long, default_value_t = 20)]
        limit: u32,
    },
    /// Revokes a token: whole, its id, or the eight characters of lists.
    Rm {
        /// The token.
        token: String,
    },
    /// Brings a revoked token back.
    Recover {
        /// The token.
        token: String,
    },
}

pub(super) async fn run(ctx: &Ctx, command: TokenCommand) -> Result<(), CliError> {
    match command {
        TokenCommand::Gen { perm, extra, expires, audience, scope, name } => {
            let perm = perm.ok_or_else(|| CliError("`perm` flag not set".into()))?;
            if !["read", "write", "sign", "admin"].contains(&perm.as_str()) {
                return Err(CliError("`perm` flag invalid".into()));
            }
            let expires_at = expires.as_deref().map(expiry).transpose()?;
            generate(ctx, NewToken { name, perm, extra, expires_at, audience, scopes: scope }).await
        }
        TokenCommand::Get { name, token } => get(ctx, &name, token).await,
        TokenCommand::List { skip, limit } => list(ctx, Page { skip, limit }).await,
        TokenCommand::Rm { token } => {
            ctx.client()?.remove_token(&token).await?;
            ctx.print(format_args!("remove token success: {token}"), &json!({ "removed": true }))
        }
        TokenCommand::Recover { token } => {
            ctx.client()?.recover_token(&token).await?;
            ctx.print(format_args!("recover token success: {token}"), &json!({ "recovered": true }))
        }
    }
}

fn expiry(text: &str) -> Result<OffsetDateTime, CliError> {
    let after = duration::parse(text).map_err(|error| CliError(format!("--expires {error}")))?;
    OffsetDateTime::now_utc()
        .checked_add(time::Duration::try_from(after).unwrap_or(time::Duration::MAX))
        .ok_or_else(|| CliError("--expires is too long".into()))
}

async fn generate(ctx: &Ctx, new: NewToken) -> Result<(), CliError> {
    let token = ctx.client()?.generate_token(&new).await?;
    let token = token.expose_secret();
    ctx.print(format_args!("generate token success: {token}"), &json!({ "token": token }))
}

async fn get(ctx: &Ctx, name: &str, token: String) -> Result<(), CliError> {
    let client = ctx.client()?;
    let found = match token.as_str() {
        "" => client.tokens_of(name).await?,
        _ => vec![client.token(&SecretString::from(token)).await?],
    };
    let created = |token: &TokenInfo| {
        // Go's own way to write a time.
        let text = token.created_at.format(&Rfc3339).unwrap_or_default();
        text.replace('T', " ").replace('Z', " +0000 UTC")
    };
    let mut text = String::new();
    for token in &found {
        text.push_str(&format!(
            "name:        {}\nperm:        {}\ncreate time: {}\ntoken:       {}\n\n",
            token.name,
            token.perm,
            created(token),
            token.text.expose_secret()
        ));
    }
    ctx.print(text.trim_end_matches('\n').to_owned() + "\n", &all(&found))
}

async fn list(ctx: &Ctx, page: Page) -> Result<(), CliError> {
    let found = ctx.client()?.tokens(page).await?;
    let short = format_description!("[year]-[month]-[day] [hour]:[minute]:[second]");
    let mut text = String::from("num\tname\t\tperm\t\tcreateTime\t\ttoken");
    for (n, token) in found.iter().enumerate() {
        let tabs = if token.name.len() < 8 { "\t\t" } else { "\t" };
        let created = token.created_at.format(short).unwrap_or_default();
        let (name, perm, shown) = (&token.name, &token.perm, token.text.expose_secret());
        text.push_str(&format!("\n{}\t{name}{tabs}{perm}\t{created}\t{shown}", n + 1));
    }
    ctx.print(text, &all(&found))
}

fn all(tokens: &[TokenInfo]) -> Vec<Value> {
    let one = |token: &TokenInfo| {
        json!({
            "id": token.id,
            "token": token.text.expose_secret(),
            "name": token.name,
            "perm": token.perm,
            "createTime": token.created_at.format(&Rfc3339).unwrap_or_default(),
            "expiresAt": token.expires_at.and_then(|at| at.format(&Rfc3339).ok()),
            "audience": token.audience,
            "scopes": token.scopes,
        })
    };
    tokens.iter().map(one).collect()
}
