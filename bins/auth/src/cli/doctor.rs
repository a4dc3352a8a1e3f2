//! `venus-auth doctor`: what is wrong, and what to do about it.

use clap::Args;
use serde_json::json;
use venus_auth::{Ban, UserState};
use venus_core::error::{Classify, ErrorKind};

use super::{CliError, Ctx, TOKEN_FILE};

/// Options of `doctor`.
#[derive(Debug, Args)]
pub(crate) struct DoctorArgs {
    /// Looks at this account too.
    #[arg(long)]
    user: Option<String>,
}

/// What was found.
#[derive(Debug, serde::Serialize)]
struct Finding {
    check: String,
    ok: bool,
    say: String,
}

pub(super) async fn run(ctx: &Ctx, args: DoctorArgs) -> Result<(), CliError> {
    let mut found = Vec::new();
    let mut note = |check: &str, ok: bool, say: String| found.push(Finding { check: check.into(), ok, say });
    match ctx.config().and_then(|config| Ok(config.database(ctx.repo()).map(|_| ())?)) {
        Ok(()) => note("configuration", true, "can be read".into()),
        Err(error) => note("configuration", false, error.0),
    }
    note_file(ctx, &mut note);
    match ctx.client() {
        Err(error) => note("service", false, error.0),
        Ok(client) => match client.version().await {
            Err(error) => note("service", false, format!("{}: {error}: start `venus-auth run`", ctx.url()?)),
            Ok(version) => {
                note("service", true, format!("{} answers, version {version}", ctx.url()?));
                match client.bans().await {
                    Ok(bans) => {
                        note("token", true, "the administrator's token is accepted".into());
                        if let Some(user) = &args.user {
                            account(&client, user, &bans, &mut note).await?;
                        }
                    }
                    Err(error) => {
                        note("token", false, format!("{error}: restart venus-auth to make it anew"))
                    }
                }
            }
        },
    }
    let well = found.iter().all(|finding| finding.ok);
    let line = |f: &Finding| format!("{} {}: {}", if f.ok { "ok  " } else { "FAIL" }, f.check, f.say);
    ctx.print(
        found.iter().map(line).collect::<Vec<_>>().join("\n"),
        &json!({ "ok": well, "checks": found }),
    )?;
    if well { Ok(()) } else { Err(CliError("something is wrong: see above".into())) }
}

fn note_file(ctx: &Ctx, note: &mut impl FnMut(&str, bool, String)) {
    let file = ctx.repo().join(TOKEN_FILE);
    match std::fs::metadata(&file) {
        Err(error) => note("token file", false, format!("{}: {error}: run venus-auth once", file.display())),
        #[cfg(unix)]
        Ok(found) if std::os::unix::fs::PermissionsExt::mode(&found.permissions()) & 0o077 != 0 => {
            let say = format!("{} can be read by others: chmod 600, then restart venus-auth", file.display());
            note("token file", false, say);
        }
        Ok(_) => note("token file", true, "only its owner can read it".into()),
    }
}

async fn account(
    client: &venus_auth::client::AuthClient,
    name: &str,
    bans: &[(Ban, String)],
    note: &mut impl FnMut(&str, bool, String),
) -> Result<(), CliError> {
    match client.user(name).await {
        Err(error) if error.kind() == ErrorKind::NotFound => {
            note(
                "account",
                false,
                format!("there is no user {name}: `venus-auth user add {name}`, or recover it"),
            );
            return Ok(());
        }
        Err(error) => return Err(error.into()),
        Ok(user) if user.state == UserState::Disabled => {
            note("account", false, format!("{name} is disabled: `venus-auth user active {name}`"));
        }
        Ok(_) => note("account", true, format!("{name} is enabled")),
    }
    if let Some((ban, reason)) = bans.iter().find(|(ban, _)| *ban == Ban::Account(name.to_owned())) {
        note("ban", false, format!("{ban} is kept out ({reason}): `venus-auth unban {ban}`"));
    }
    let tokens = client.tokens_of(name).await?;
    let now = time::OffsetDateTime::now_utc();
    let good = tokens.iter().filter(|token| token.expires_at.is_none_or(|at| at > now)).count();
    note(
        "tokens",
        good > 0,
        match good {
            0 => format!("{name} has none that counts: `venus-auth token gen --perm sign {name}`"),
            good => format!("{good} count"),
        },
    );
    let (miners, signers) = (client.miners_of(name).await?.len(), client.signers_of(name).await?.len());
    note("bindings", true, format!("{miners} miners, {signers} signers"));
    Ok(())
}
