//! Who dialled in.

use clap::Subcommand;
use serde_json::value::RawValue;
use serde_json::{Value, from_str};

use super::{CliError, Ctx};

/// `miner`
#[derive(Debug, Subcommand)]
pub(super) enum MinerCommand {
    /// Lists the miners that have provers.
    List,
    /// Shows the provers of a miner.
    State {
        /// The miner.
        miner: String,
    },
}

/// `wallet`
#[derive(Debug, Subcommand)]
pub(super) enum WalletCommand {
    /// Lists all wallets.
    List,
    /// Shows the wallets of an account.
    State {
        /// The account.
        account: String,
    },
    /// Lists the wallets that serve an account.
    ListSupport {
        /// The account.
        account: String,
    },
}

/// `market`
#[derive(Debug, Subcommand)]
pub(super) enum MarketCommand {
    /// Lists all sealers.
    List,
}

pub(super) async fn miner(ctx: &Ctx, command: MinerCommand) -> Result<(), CliError> {
    match command {
        MinerCommand::List => {
            let miners: Option<Vec<String>> = ctx.call("ListConnectedMiners", ()).await?;
            let miners = miners.unwrap_or_default();
            ctx.print(miners.join("\n"), &miners)
        }
        MinerCommand::State { miner } => show(ctx, &ctx.ask("ListMinerConnection", [miner]).await?),
    }
}

pub(super) async fn wallet(ctx: &Ctx, command: WalletCommand) -> Result<(), CliError> {
    match command {
        WalletCommand::List => show(ctx, &ctx.ask("ListWalletInfo", ()).await?),
        WalletCommand::State { account } => show(ctx, &ctx.ask("ListWalletInfoByWallet", [account]).await?),
        WalletCommand::ListSupport { account } => {
            let all: Option<Vec<Box<RawValue>>> = ctx.call("ListWalletInfo", ()).await?;
            let some: Vec<_> =
                all.unwrap_or_default().into_iter().filter(|one| serves(one, &account)).collect();
            let json = serde_json::to_string(&some).map_err(|error| CliError(error.to_string()))?;
            ctx.print(go_indent(&json), &some)
        }
    }
}

pub(super) async fn market(ctx: &Ctx, MarketCommand::List: MarketCommand) -> Result<(), CliError> {
    show(ctx, &ctx.ask("ListMarketConnectionsState", ()).await?)
}

fn serves(wallet: &RawValue, account: &str) -> bool {
    let wallet: Value = from_str(wallet.get()).unwrap_or_default();
    let accounts = wallet.get("SupportAccounts").and_then(Value::as_array);
    accounts.into_iter().flatten().any(|name| name == account)
}

fn show(ctx: &Ctx, answer: &RawValue) -> Result<(), CliError> {
    ctx.print(go_indent(answer.get()), &answer)
}

/// JSON as `json.MarshalIndent(value, " ", "\t")` writes it: members stay in their order.
fn go_indent(json: &str) -> String {
    let (mut out, mut depth, mut quoted, mut escaped) = (String::new(), 0_usize, false, false);
    let line = |out: &mut String, depth: usize| {
        out.push_str("\n ");
        out.extend(std::iter::repeat_n('\t', depth));
    };
    let mut rest = json.chars().peekable();
    while let Some(c) = rest.next() {
        if quoted {
            out.push(c);
            quoted = escaped || c != '"';
            escaped = c == '\\' && !escaped;
            continue;
        }
        match c {
            '"' => {
                quoted = true;
                out.push(c);
            }
            '{' | '[' => {
                out.push(c);
                while rest.next_if(|c| c.is_ascii_whitespace()).is_some() {}
                match rest.next_if(|c| matches!(c, '}' | ']')) {
                    Some(end) => out.push(end),
                    None => {
                        depth += 1;
                        line(&mut out, depth);
                    }
                }
            }
            '}' | ']' => {
                depth = depth.saturating_sub(1);
                line(&mut out, depth);
                out.push(c);
            }
            ',' => {
                out.push(c);
                line(&mut out, depth);
            }
            ':' => out.push_str(": "),
            c if c.is_ascii_whitespace() => {}
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn indented_as_go_does() {
        assert_eq!(go_indent("null"), "null");
        assert_eq!(go_indent("[]"), "[]");
        let json = r#"[{"A":"x, {\"y\\","B":[],"C":[1,2],"D":{ }}]"#;
        let lines = [
            "[",
            " \t{",
            " \t\t\"A\": \"x, {\\\"y\\\\\",",
            " \t\t\"B\": [],",
            " \t\t\"C\": [",
            " \t\t\t1,",
            " \t\t\t2",
            " \t\t],",
            " \t\t\"D\": {}",
            " \t}",
            " ]",
        ];
        assert_eq!(go_indent(json), lines.join("\n"));
    }
}
