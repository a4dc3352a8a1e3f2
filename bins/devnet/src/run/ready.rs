//! What a daemon says when it is ready.

use std::collections::BTreeMap;
use std::io::{self, Write};

use comfy_table::{Table, presets};
use secrecy::ExposeSecret;
use serde::{Deserialize, Serialize};
use venus_core::types::TokenAmount;

use super::keys::{AccountInfo, MinerInfo};
use super::serve::Served;
use crate::error::CliError;

/// What a chain began with, as it is printed and kept.
#[derive(Serialize, Deserialize)]
pub(crate) struct Genesis {
    pub(crate) network: String,
    /// CID of the genesis block.
    pub(crate) genesis: String,
    pub(crate) accounts: Vec<AccountInfo>,
    pub(crate) miners: Vec<MinerInfo>,
}

#[derive(Serialize)]
struct Ready<'a> {
    url: String,
    urls: BTreeMap<&'static str, String>,
    multiaddr: String,
    token: &'a str,
    read_token: &'a str,
    #[serde(flatten)]
    genesis: &'a Genesis,
}

/// Prints it: one line of JSON, or text.
///
/// # Errors
/// [`CliError::System`] if standard output is closed.
pub(super) fn print(genesis: &Genesis, served: &Served, json: bool) -> Result<(), CliError> {
    let ready = Ready {
        url: served.url(),
        urls: served.urls(),
        multiaddr: served.multiaddr(),
        token: served.token.expose_secret(),
        read_token: served.read_token.expose_secret(),
        genesis,
    };
    let text = if json { serde_json::to_string(&ready).map_err(io::Error::from)? } else { ready.text() };
    let mut out = io::stdout().lock();
    writeln!(out, "{text}")?;
    out.flush()?;
    Ok(())
}

impl Ready<'_> {
    fn text(&self) -> String {
        let mut lines = vec![format!("network     {}", self.genesis.network)];
        lines.extend(self.urls.iter().map(|(face, url)| format!("{face:<11} {url}")));
        lines.push(format!("token       {}", self.token));
        lines.push(format!("read token  {}", self.read_token));
        lines.push(String::new());
        lines.push(self.genesis.text());
        lines.join("\n")
    }
}

impl Genesis {
    /// Miners and accounts as tables, keys included.
    pub(crate) fn text(&self) -> String {
        let mut miners = table(["miner", "owner", "worker", "sectors", "mined by"]);
        for miner in &self.miners {
            let by = if miner.external { "others" } else { "this devnet" };
            let sectors = miner.sectors.to_string();
            miners.add_row([&miner.address, &miner.owner, &miner.worker, &sectors, by]);
        }
        let mut accounts = table(["id", "role", "balance", "address"]);
        for account in &self.accounts {
            let balance = account.balance.parse::<venus_core::types::BigInt>().map(TokenAmount::from_atto);
            let balance =
                balance.map_or_else(|_| account.balance.clone(), |balance| venus_core::types::fil(&balance));
            let role = serde_json::to_value(account.role).ok();
            let role = role.as_ref().and_then(|role| role.as_str()).unwrap_or_default().to_owned();
            accounts.add_row([account.id.clone(), role, balance, account.address.clone()]);
        }
        let mut keys = String::from("private keys (test keys: everybody who knows the seed has them)\n");
        for account in &self.accounts {
            keys += &format!("{} {}\n", account.id, account.private_key);
        }
        format!("{miners}\n\n{accounts}\n\n{keys}")
    }
}

fn table<const N: usize>(header: [&str; N]) -> Table {
    let mut table = Table::new();
    table.load_preset(presets::NOTHING).set_header(header);
    table
}
