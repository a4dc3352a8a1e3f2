//! What a server has open.

use venus_core::rpc::Caller;
use venus_core::rpc::server::RpcServer;

use super::OnEffect;
use crate::effect::Effect;

/// Ends the sockets and requests of a server whose callers lose their rights. Callers of local tokens have nothing that
/// the account service could take away.
#[derive(Clone, Debug)]
pub struct Sockets(RpcServer);

impl Sockets {
    /// Those of `server`.
    pub fn of(server: RpcServer) -> Self {
        Self(server)
    }

    fn end(&self, what: &str, who: impl Fn(&Caller) -> bool) {
        let ended = self.0.disconnect(who);
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
        self.0.held().into_iter().map(|held| held.caller.identity.token.clone()).collect()
    }

    fn lost(&self) {
        self.end("unverifiable", |caller| !caller.identity.token.is_empty());
    }
}
