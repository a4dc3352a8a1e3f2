//! What ends when somebody's rights end.

use std::net::IpAddr;
use std::sync::Arc;

use venus_core::types::Address;

use super::{Cause, gauges};
use crate::channel::Channel;
use crate::hub::Hub;

/// What somebody may do no more; [`Hub::end`] ends what rests on it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Ended {
    /// A token, by its SHA-256 in hex.
    Token(String),
    /// An account.
    Account(String),
    /// An account has a miner no more.
    Miner(String, Address),
    /// An account has a signer no more.
    Signer(String, Address),
    /// Nobody may use an address, a signer's or a miner's.
    Address(Address),
    /// Nobody may come from there.
    Ip(IpAddr),
    /// What was missed is unknown: nothing that was looked up counts any more, and everything that is registered is
    /// looked up again.
    Everything,
}

impl Hub {
    /// Ends everything that rests on what is gone: channels, offered keys, cached accounts. Returns how many channels
    /// ended. Call it *after* whatever caches the directory's answers knows, so that nobody comes back on an old one, and
    /// within a tokio runtime: [`Ended::Everything`] is looked up in the background.
    pub fn end(&self, what: &Ended) -> usize {
        match what {
            Ended::Token(_) | Ended::Ip(_) => {}
            Ended::Signer(_, signer) => self.inner.forget_accounts(Some(signer)),
            _ => self.inner.forget_accounts(None),
        }
        let doomed = self.doomed(what);
        doomed.iter().filter(|channel| self.close(channel, Cause::Revoked)).count()
    }

    /// Takes away what can be taken from channels that stay, and names those that go.
    fn doomed(&self, what: &Ended) -> Vec<Arc<Channel>> {
        match what {
            // Tokens that nobody named are not all the same one.
            Ended::Token(token) if token.is_empty() => Vec::new(),
            Ended::Token(token) => self.channels_where(|channel| channel.provider.token == *token),
            Ended::Account(account) => {
                self.inner.registry.write().unsupport(account);
                self.channels_where(|channel| channel.provider.account == *account)
            }
            Ended::Miner(account, miner) => self.channels_where(|channel| {
                channel.miner.as_ref() == Some(miner) && channel.provider.account == *account
            }),
            Ended::Address(address) => {
                let mut state = self.inner.registry.write();
                state.withdraw(address);
                gauges::publish(&state.counts());
                drop(state);
                self.options().verifier.forget(address);
                self.channels_where(|channel| channel.miner.as_ref() == Some(address))
            }
            Ended::Ip(ip) => {
                let ip = ip.to_canonical();
                self.channels_where(|channel| {
                    channel.provider.remote.is_some_and(|remote| remote.ip().to_canonical() == ip)
                })
            }
            // The keys stay offered to the wallet's other accounts; who may use one is the directory's to say.
            Ended::Signer(..) => Vec::new(),
            Ended::Everything => {
                self.look_up_again();
                Vec::new()
            }
        }
    }

    fn channels_where(&self, which: impl Fn(&Channel) -> bool) -> Vec<Arc<Channel>> {
        self.inner.registry.read().channels().filter(|channel| which(channel)).cloned().collect()
    }
}
