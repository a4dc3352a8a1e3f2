//! What a server has open.

use venus_core::rpc::Caller;
use venus_core::rpc::server::RpcServer;

use super::OnEffect;
use crate::effect::Effect;

/// Ends the sockets and requests of servers whose callers lose their rights. Callers whose token has no name, as those of
/// [`Local`](crate::verifier::Local), have nothing that the account service could take away.
#[derive(Clone, Debug)]
pub struct Sockets {
    servers: Vec<RpcServer>,
    own: Option<String>,
}

impl Sockets {
    /// Those of `servers`.
    pub fn of(servers: impl IntoIterator<Item = RpcServer>) -> Self {
        Self { servers: servers.into_iter().collect(), own: None }
    }

    /// Leaves callers alone whose token has this name (SHA-256, lower-case hex): one of a component itself, which the
    /// account service does not know.
    #[must_use]
    pub fn but(self, own: impl Into<String>) -> Self {
        Self { own: Some(own.into()), ..self }
    }

    /// Whether the account service knows a token of this name.
    fn is_theirs(&self, token: &str) -> bool {
        !token.is_empty() && self.own.as_deref() != Some(token)
    }

    fn end(&self, what: &str, who: impl Fn(&Caller) -> bool) {
        let ended: usize = self.servers.iter().map(|server| server.disconnect(&who)).sum();
        if ended > 0 {
            tracing::info!(what, ended, "what rested on a right that ended was closed");
        }
    }
}

impl OnEffect for Sockets {
    fn ended(&self, effect: &Effect) {
        match effect {
            Effect::Token { hash, .. } if !hash.is_empty() => {
                self.end("token", |caller| caller.identity.token == *hash);
            }
            Effect::Account(name) => self.end("account", |caller| caller.identity.name == *name),
            Effect::Ip(ip) => {
                let ip = ip.to_canonical();
                self.end("address", |caller| caller.remote.is_some_and(|at| at.ip().to_canonical() == ip));
            }
            // After a gap the watch asks about the tokens; the others are for those who use them.
            Effect::Token { .. }
            | Effect::Reset
            | Effect::Miner { .. }
            | Effect::Signer { .. }
            | Effect::Address(_) => {}
        }
    }

    fn tokens(&self) -> Vec<String> {
        let held = self.servers.iter().flat_map(RpcServer::held);
        held.map(|held| held.caller.identity.token.clone()).filter(|token| self.is_theirs(token)).collect()
    }

    fn lost(&self) {
        self.end("unverifiable", |caller| self.is_theirs(&caller.identity.token));
    }
}
