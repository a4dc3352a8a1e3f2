//! Accounts, and who dialled in for them.

use serde_json::Value;
use time::OffsetDateTime;
use venus_auth::client::{AuthClient, ClientError};
use venus_auth::{Ban, UserState};
use venus_core::error::{Classify, ErrorKind};
use venus_core::types::{Address, Network, address};

use super::Findings;
use crate::cli::Ctx;
use crate::daemon::Status;

/// What can be asked.
pub(super) struct Seen<'a> {
    pub(super) ctx: &'a Ctx,
    pub(super) auth: &'a AuthClient,
    pub(super) status: Option<&'a Status>,
}

impl Seen<'_> {
    /// An account: whether it may, and whether its wallet is there.
    pub(super) async fn account(&self, name: &str, found: &mut Findings) {
        if !self.may(name, found).await || self.status.is_none() {
            return;
        }
        match self.ctx.call::<Value>("ListWalletInfoByWallet", [name]).await {
            Ok(wallet) => {
                let states = wallet.get("ConnectStates").and_then(Value::as_array).map_or(0, Vec::len);
                found.good("connection", format!("{states} wallets of {name} dialled in"));
            }
            Err(_) => found.bad("connection", format!("no wallet of {name} dialled in: {}", self.dial_in())),
        }
        self.failures(name, "wallet", found);
    }

    /// A key: who has it, and whether a wallet that serves them is there.
    pub(super) async fn wallet(&self, text: &str, found: &mut Findings) {
        let Some(signer) = parsed(text, found) else { return };
        let shown = show(&signer);
        let users = match self.auth.users_of_signer(&signer).await {
            Ok(users) => users.into_iter().map(|user| user.name).collect(),
            Err(error) if error.kind() == ErrorKind::NotFound => Vec::new(),
            Err(error) => return found.bad("binding", error.to_string()),
        };
        let offering = self.offering(&shown).await;
        if users.is_empty() {
            let told = match offering.first() {
                Some(account) => format!("`venus-auth user signer register {account} {shown}`"),
                None => format!("its wallet does that when it registers: {}", self.dial_in()),
            };
            found.bad("binding", format!("venus-auth knows no account that has {shown}: {told}"));
        } else {
            found.good("binding", format!("{shown} belongs to {}", users.join(", ")));
        }
        for user in &users {
            self.may(user, found).await;
        }
        if self.status.is_none() {
            return;
        }
        let bad = format!("no wallet that dialled in has {shown}: {}", self.dial_in());
        found.note(
            "connection",
            !offering.is_empty(),
            format!("a wallet of {} has it", offering.join(", ")),
            bad,
        );
        for account in if offering.is_empty() { &users } else { &offering } {
            self.failures(account, "wallet", found);
        }
    }

    /// A miner: whose it is, and whether its provers and sealers are there.
    pub(super) async fn miner(&self, text: &str, found: &mut Findings) {
        let Some(miner) = parsed(text, found) else { return };
        let shown = show(&miner);
        let user = match self.auth.user_of_miner(&miner).await {
            Ok(user) if !user.name.is_empty() => user.name,
            Err(error) if error.kind() != ErrorKind::NotFound => {
                return found.bad("binding", error.to_string());
            }
            _ => {
                let text =
                    format!("{shown} belongs to no account: `venus-auth user miner add <user> {shown}`");
                return found.bad("binding", text);
            }
        };
        found.good("binding", format!("{shown} belongs to {user}"));
        if !self.may(&user, found).await || self.status.is_none() {
            return;
        }
        let provers = self.ctx.call::<Value>("ListMinerConnection", [&shown]).await;
        let proof = format!("no prover of {shown} dialled in: {}", self.dial_in());
        found.note("provers", provers.is_ok(), "dialled in", proof);
        let sealers = self.ctx.call::<Option<Vec<Value>>>("ListMarketConnectionsState", ()).await;
        let there = sealers.ok().flatten().unwrap_or_default();
        let there = there.iter().any(|one| one.get("Addr").and_then(Value::as_str) == Some(&shown));
        let market = format!("no sealer of {shown} dialled in for the market: {}", self.dial_in());
        found.note("sealers", there, "dialled in", market);
        for kind in ["proof", "market"] {
            self.failures(&user, kind, found);
        }
    }

    /// Whether an account counts, and has a token to dial in with.
    async fn may(&self, name: &str, found: &mut Findings) -> bool {
        match self.auth.user(name).await {
            Err(error) if error.kind() == ErrorKind::NotFound => {
                found.bad("account", format!("there is no user {name}: `venus-auth user add {name}`"));
                return false;
            }
            Err(error) => {
                found.bad("account", error.to_string());
                return false;
            }
            Ok(user) if user.state == UserState::Disabled => {
                found.bad("account", format!("{name} is disabled: `venus-auth user active {name}`"));
                return false;
            }
            Ok(_) => found.good("account", format!("{name} is enabled")),
        }
        match self.counts(name).await {
            Ok(Ok(good)) => found.good("tokens", format!("{good} of {name} count")),
            Ok(Err(text)) => {
                found.bad("tokens", text);
                return false;
            }
            Err(error) => found.bad("tokens", error.to_string()),
        }
        true
    }

    async fn counts(&self, name: &str) -> Result<Result<usize, String>, ClientError> {
        let bans = match self.auth.bans().await {
            // sophon-auth keeps nobody out.
            Err(error) if error.kind() == ErrorKind::Unsupported => Vec::new(),
            other => other?,
        };
        if let Some((ban, reason)) = bans.iter().find(|(ban, _)| *ban == Ban::Account(name.to_owned())) {
            return Ok(Err(format!("{ban} is kept out ({reason}): `venus-auth unban {ban}`")));
        }
        let now = OffsetDateTime::now_utc();
        let tokens = self.auth.tokens_of(name).await?;
        let good = tokens.iter().filter(|token| token.expires_at.is_none_or(|at| at > now)).count();
        let none = format!("{name} has none that counts: `venus-auth token gen --perm sign {name}`");
        Ok(if good == 0 { Err(none) } else { Ok(good) })
    }

    /// The accounts whose wallets have a key.
    async fn offering(&self, signer: &str) -> Vec<String> {
        let wallets = self.ctx.call::<Option<Vec<Value>>>("ListWalletInfo", ()).await;
        let has = |wallet: &Value| {
            let states = wallet.get("ConnectStates").and_then(Value::as_array);
            let addrs = states.into_iter().flatten().filter_map(|state| state.get("Addrs")?.as_array());
            addrs.flatten().any(|address| address == signer)
        };
        let name = |wallet: &Value| Some(wallet.get("Account")?.as_str()?.to_owned());
        wallets.ok().flatten().unwrap_or_default().iter().filter(|one| has(one)).filter_map(name).collect()
    }

    /// Why those who tried could not.
    fn failures(&self, account: &str, kind: &str, found: &mut Findings) {
        let all = self.status.into_iter().flat_map(|status| &status.failures);
        for failure in all.filter(|one| one.account == account && one.kind == kind) {
            let from = failure.remote.map(|remote| format!(" from {remote}")).unwrap_or_default();
            let (times, at, reason) = (failure.times, &failure.at, &failure.reason);
            found.bad(
                "last error",
                format!("{kind} of {account}{from}, {times} times, last at {at}: {reason}"),
            );
        }
    }

    fn dial_in(&self) -> String {
        let url = self.ctx.address().unwrap_or_default();
        format!("`venus-wallet run --gateway-api {} --gateway-token …` there", url.trim_end_matches("/http"))
    }
}

fn parsed(text: &str, found: &mut Findings) -> Option<Address> {
    match address::parse(text) {
        Ok(address) => Some(address),
        Err(error) => {
            found.bad("address", format!("{text}: {error}"));
            None
        }
    }
}

/// As every component of a pool writes it.
fn show(address: &Address) -> String {
    address::format(address, Network::Mainnet)
}
