//! Where requests for other components go.

use clap::{Args, Subcommand};
use serde_json::{Value, json};
use venus_gateway::proxy::HostKey;

use super::{CliError, Ctx};

/// `proxy`
#[derive(Debug, Subcommand)]
pub(super) enum ProxyCommand {
    /// Sends requests for a component elsewhere, to a host of [Proxy] AllowedHosts.
    Set(SetArgs),
}

/// Options of `proxy set`.
#[derive(Debug, Args)]
pub(super) struct SetArgs {
    /// AUTH, VENUS, MESSAGER, MINER or DROPLET.
    #[arg(long = "type", value_name = "TYPE")]
    kind: String,
    /// A URL or a multiaddr; nowhere if empty.
    #[arg(long, value_name = "URL")]
    url: String,
}

pub(super) async fn run(ctx: &Ctx, ProxyCommand::Set(args): ProxyCommand) -> Result<(), CliError> {
    let SetArgs { kind, url } = args;
    // Before anybody is asked, as in Go.
    let key: HostKey = kind.parse()?;
    let _: Value = ctx.call("RegisterReverse", (key.as_str(), &url)).await?;
    let text = match url.as_str() {
        "" => format!("unset {key} success "),
        url => format!("set {key} to {url} success "),
    };
    ctx.print(text, &json!({ "type": key.as_str(), "url": url }))
}
