//! Who is let in, and who ends it: the tokens of this machine's administrator, those of venus-auth, and the watch on what
//! ends there.

use std::net::SocketAddr;
use std::sync::Arc;

use secrecy::SecretString;
use venus_auth::Effect;
use venus_auth::client::AuthClient;
use venus_auth::jwt::Claims;
use venus_auth::limits::{Guesses, Rate};
use venus_auth::verifier::{Blacklist, CacheConfig, Cached, Chain, Gate, Local};
use venus_auth::watch::{FromService, Liveness, OnEffect, Sockets, Watch, WatchConfig};
use venus_core::clock::SystemClock;
use venus_core::entropy::OsEntropy;
use venus_core::rpc::Identity;
use venus_gateway::proxy::Proxy;
use venus_gateway::rpc::GatewayServer;
use venus_gateway::{Ended, Hub};

use crate::cli::CliError;

/// What this component is called in the audience of tokens and in limits.
pub(super) const SERVICE: &str = "gateway";
/// Tokens that are no good, of one machine.
const GUESSES: Rate = Rate { per_second: 10, burst: 100 };

/// The one door of everything that this program serves.
pub(super) struct Door {
    pub(super) gate: Gate,
    /// Made anew at each start, so that what was copied once is worth nothing after the next (T8).
    pub(super) token: SecretString,
    cached: Cached,
    blacklist: Blacklist,
    liveness: Liveness,
}

impl Door {
    pub(super) fn new(auth: &AuthClient) -> Result<Self, CliError> {
        let local = Local::random(&OsEntropy, Arc::new(SystemClock));
        let local = local.map_err(|error| CliError(error.to_string()))?;
        // It belongs to a machine, not to an account: nobody registers with it (T18).
        let token = local.token(&Claims::new("", "admin", ""));
        let liveness = Liveness::default();
        let cached = Cached::new(Arc::new(auth.clone()), liveness.clone(), CacheConfig::default());
        let chain = Chain::new(SERVICE).local(local).remote(cached.clone());
        let blacklist = Blacklist::default();
        let gate = Gate::new(chain, blacklist.clone(), Guesses::new(Some(GUESSES)));
        Ok(Self { gate, token, cached, blacklist, liveness })
    }

    /// Tells everybody what ends, in the order in which it must be known: who is let in, then what is open.
    pub(super) fn watch(self, auth: AuthClient, hub: Hub, server: &GatewayServer, proxy: Proxy) -> Watch {
        let source = FromService::new(auth);
        let mut watch = Watch::new(source, self.liveness, WatchConfig::default());
        watch = watch.tell(self.cached).tell(self.blacklist).tell(Registrations(hub));
        watch = watch.tell(Sockets::of(server.servers().map(Clone::clone)));
        watch.tell(PassedOn(proxy))
    }
}

/// What the hub keeps. Its channels end with the sockets that they came over, too; keys and accounts only here.
struct Registrations(Hub);

impl OnEffect for Registrations {
    fn ended(&self, effect: &Effect) {
        let Some(what) = ended(effect) else { return };
        let channels = self.0.end(&what);
        if channels > 0 {
            tracing::info!(channels, "registrations rested on a right that ended");
        }
    }
}

fn ended(effect: &Effect) -> Option<Ended> {
    Some(match effect {
        Effect::Token { hash, .. } => Ended::Token(hash.clone()),
        Effect::Account(account) => Ended::Account(account.clone()),
        Effect::Miner { account, miner } => Ended::Miner(account.clone(), *miner),
        Effect::Signer { account, signer } => Ended::Signer(account.clone(), *signer),
        Effect::Address(address) => Ended::Address(*address),
        Effect::Ip(ip) => Ended::Ip(*ip),
        Effect::Reset => Ended::Everything,
        _ => return None,
    })
}

/// What goes to other components and back.
struct PassedOn(Proxy);

impl PassedOn {
    fn end(&self, who: impl Fn(&Identity, Option<SocketAddr>) -> bool) {
        let ended = self.0.end(who);
        if ended > 0 {
            tracing::info!(ended, "what was passed on rested on a right that ended");
        }
    }
}

impl OnEffect for PassedOn {
    fn ended(&self, effect: &Effect) {
        match effect {
            Effect::Token { hash, .. } if !hash.is_empty() => self.end(|who, _| who.token == *hash),
            Effect::Account(account) => self.end(|who, _| who.name == *account),
            Effect::Ip(ip) => {
                let ip = ip.to_canonical();
                self.end(|_, from| from.is_some_and(|from| from.ip().to_canonical() == ip));
            }
            _ => {}
        }
    }

    fn tokens(&self) -> Vec<String> {
        self.0.tokens()
    }

    fn lost(&self) {
        self.end(|who, _| !who.token.is_empty());
    }
}
