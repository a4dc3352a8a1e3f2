//! `venus-gateway doctor`: why something is not served, and what to do about it.
//!
//! It looks at each step between a caller and a provider, in their order. A step that is missing is a line of its own
//! that ends with the next command; what cannot be looked at because of it is left out.

mod provider;
mod service;
mod surroundings;

use clap::Args;
use serde_json::json;

use super::{CliError, Ctx};

/// Options of `doctor`.
#[derive(Debug, Args)]
pub(super) struct DoctorArgs {
    /// Looks at this account, too: its tokens and what dialled in with them.
    #[arg(long, value_name = "NAME")]
    account: Option<String>,
    /// Looks why signatures of this address do not come through.
    #[arg(long, value_name = "ADDRESS")]
    wallet: Option<String>,
    /// Looks why proofs or unsealed pieces of this miner do not come through.
    #[arg(long, value_name = "ADDRESS")]
    miner: Option<String>,
}

/// What was found, in order.
#[derive(Debug, Default)]
pub(super) struct Findings(Vec<Finding>);

#[derive(Debug, serde::Serialize)]
struct Finding {
    check: String,
    found: Level,
    say: String,
}

/// What a finding means.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "lowercase")]
enum Level {
    Ok,
    /// It works now, and will not always.
    Warn,
    Fail,
}

impl Findings {
    fn good(&mut self, check: &str, say: impl Into<String>) {
        self.add(check, Level::Ok, say.into());
    }

    fn bad(&mut self, check: &str, say: impl Into<String>) {
        self.add(check, Level::Fail, say.into());
    }

    fn warn(&mut self, check: &str, say: impl Into<String>) {
        self.add(check, Level::Warn, say.into());
    }

    fn note(&mut self, check: &str, ok: bool, good: impl Into<String>, bad: impl Into<String>) {
        if ok { self.good(check, good) } else { self.bad(check, bad) }
    }

    fn add(&mut self, check: &str, found: Level, say: String) {
        self.0.push(Finding { check: check.into(), found, say });
    }
}

pub(super) async fn run(ctx: &Ctx, args: DoctorArgs) -> Result<(), CliError> {
    let mut found = Findings::default();
    look(ctx, &args, &mut found).await;
    let well = found.0.iter().all(|finding| finding.found != Level::Fail);
    let line = |f: &Finding| {
        let level = match f.found {
            Level::Ok => "ok  ",
            Level::Warn => "warn",
            Level::Fail => "FAIL",
        };
        format!("{level} {}: {}", f.check, f.say)
    };
    let text = found.0.iter().map(line).collect::<Vec<_>>().join("\n");
    ctx.print(text, &json!({ "ok": well, "checks": found.0 }))?;
    if well { Ok(()) } else { Err(CliError("something is wrong: see above".into())) }
}

async fn look(ctx: &Ctx, args: &DoctorArgs, found: &mut Findings) {
    let Some(config) = surroundings::look(ctx, found) else { return };
    let auth = service::auth(&config, found).await;
    let status = service::gateway(ctx, found).await;
    let Some(auth) = auth else { return };
    let seen = provider::Seen { ctx, auth: &auth, status: status.as_ref() };
    if let Some(account) = &args.account {
        seen.account(account, found).await;
    }
    if let Some(address) = &args.wallet {
        seen.wallet(address, found).await;
    }
    if let Some(miner) = &args.miner {
        seen.miner(miner, found).await;
    }
}
