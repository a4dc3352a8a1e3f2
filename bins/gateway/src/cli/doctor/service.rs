//! The two programs that have to run.

use std::time::Duration;

use secrecy::ExposeSecret;
use time::format_description::BorrowedFormatItem;
use time::macros::format_description;
use time::{OffsetDateTime, PrimitiveDateTime};
use venus_auth::client::AuthClient;
use venus_core::api::Permission;
use venus_core::error::{Classify, ErrorKind};

use super::Findings;
use crate::cli::{CliError, Ctx};
use crate::config::Config;
use crate::daemon::{STATUS, Status};

/// How long the two may take to say how they are.
const PATIENCE: Duration = Duration::from_secs(20);
/// Clocks that differ by more let tokens end early or late.
const DRIFT: u64 = 5;
/// As HTTP writes it.
const HTTP_DATE: &[BorrowedFormatItem<'_>] =
    format_description!("[weekday repr:short], [day] [month repr:short] [year] [hour]:[minute]:[second] GMT");

/// A client of venus-auth that may ask.
pub(super) async fn auth(config: &Config, found: &mut Findings) -> Option<AuthClient> {
    let client = match config.auth_client() {
        Ok(client) => client,
        Err(error) => {
            found.bad("venus-auth", error.to_string());
            return None;
        }
    };
    let url = &config.auth.url;
    match client.version().await {
        Ok(version) => {
            found.good("venus-auth", format!("{url} answers, version {version}"));
            clock(config, found).await;
        }
        Err(error) => {
            found.bad("venus-auth", format!("{error}: start `venus-auth run`, or correct [Auth] URL"));
            return None;
        }
    }
    let token = config.auth_token().ok()?;
    match client.verify(token.expose_secret()).await {
        Ok(verified) if verified.permissions().allow(Permission::Admin) => {
            ends(verified.expires_at, found);
            Some(client)
        }
        Ok(verified) => {
            let text = "the gateway's token is no administrator's";
            found.bad("token", format!("{text}: `venus-auth token gen --perm admin {}`", verified.name));
            None
        }
        Err(error) => {
            let text = "the gateway's token is not accepted: `venus-auth token gen --perm admin <user>`, then [Auth] Token";
            let known =
                matches!(error.kind(), ErrorKind::Unauthenticated | ErrorKind::Denied | ErrorKind::NotFound);
            found.bad("token", if known { text.to_owned() } else { format!("{text} ({error})") });
            None
        }
    }
}

fn ends(at: Option<OffsetDateTime>, found: &mut Findings) {
    if at.is_some_and(|at| at < OffsetDateTime::now_utc() + Duration::from_secs(86_400)) {
        let text =
            "the gateway's token ends within a day: make another by `venus-auth token gen --perm admin …`";
        return found.warn("token", text);
    }
    found.good("token", "venus-auth takes the gateway's token");
}

/// Tokens begin and end by venus-auth's clock, and here by this machine's.
async fn clock(config: &Config, found: &mut Findings) {
    let Some(theirs) = date(config).await else { return };
    let drift = theirs.unix_timestamp().abs_diff(OffsetDateTime::now_utc().unix_timestamp());
    if drift <= DRIFT {
        return found.good("clock", "venus-auth's is this machine's");
    }
    found.bad(
        "clock",
        format!("venus-auth's differs by {drift} s, and tokens end by it: run an NTP client on both"),
    );
}

/// When the account service thinks it is.
async fn date(config: &Config) -> Option<OffsetDateTime> {
    let url = format!("{}healthcheck", config.auth_url()?);
    let answer = http().ok()?.get(url).send().await.ok()?;
    let text = answer.headers().get(reqwest::header::DATE)?.to_str().ok()?;
    Some(PrimitiveDateTime::parse(text, HTTP_DATE).ok()?.assume_utc())
}

/// How the running gateway is, if it runs.
pub(super) async fn gateway(ctx: &Ctx, found: &mut Findings) -> Option<Status> {
    let status = match ask(ctx).await {
        Ok(status) => status,
        Err(error) => {
            found.bad("venus-gateway", format!("{error}: start `venus-gateway run`"));
            return None;
        }
    };
    found.good("venus-gateway", format!("{} answers, and is called {}", status.url, status.hub));
    if let Some(error) = &status.auth_error {
        found.bad("venus-gateway to venus-auth", format!("{error}: does it use the same [Auth] URL?"));
    }
    let (limit, most) = (status.open_files.unwrap_or_default(), status.channels);
    if status.enough_files {
        found.good("open files", format!("enough for {most} channels"));
    } else {
        let text = "raise `ulimit -Hn` (LimitNOFILE of systemd) and restart, or lower it";
        let told = format!("{limit} are too few for the {most} channels of [Limits] Channels: {text}");
        found.warn("open files", told);
    }
    if status.unnamed {
        found.warn(
            "name",
            "wallets refuse challenges of a gateway that they do not know: set [Hub] Name to what they dial",
        );
    }
    Some(status)
}

async fn ask(ctx: &Ctx) -> Result<Status, CliError> {
    let said = |error: reqwest::Error| CliError(reason(&error.without_url()));
    let url = ctx.url()?;
    let asked = http().map_err(said)?.get(format!("{}{STATUS}", url.trim_end_matches('/')));
    let answer = asked.bearer_auth(ctx.token()?.expose_secret()).send().await.map_err(said)?;
    if !answer.status().is_success() {
        return Err(CliError(format!("{url} answers {}: is it another program's port?", answer.status())));
    }
    let text = answer.text().await.map_err(said)?;
    serde_json::from_str(&text).map_err(|_| CliError(format!("{url} is no venus-gateway")))
}

fn http() -> reqwest::Result<reqwest::Client> {
    venus_core::rpc::client::choose_tls();
    reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).timeout(PATIENCE).build()
}

/// The last cause says what happened.
fn reason(error: &dyn std::error::Error) -> String {
    let mut last = error;
    while let Some(cause) = last.source() {
        last = cause;
    }
    last.to_string()
}
