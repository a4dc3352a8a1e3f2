//! The wallets of one account.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use uuid::Uuid;
use venus_core::types::Address;

use crate::channel::Channel;

/// The wallets of an account. Lives as long as there is one.
#[derive(Debug, Default)]
pub(crate) struct Account {
    /// Whom any of them serves, the account itself included. What one wallet brings goes with it, so that nothing of a
    /// token outlives the token.
    pub(crate) supports: BTreeSet<String>,
    /// How many wallets bring each of them.
    brought: HashMap<String, usize>,
    wallets: HashMap<Uuid, Wallet>,
}

/// A wallet that is offered.
#[derive(Debug)]
pub(crate) struct Wallet {
    pub(crate) channel: Arc<Channel>,
    pub(crate) addresses: HashSet<Address>,
    /// The accounts that it brought, its own included.
    pub(crate) supports: BTreeSet<String>,
}

impl Account {
    pub(crate) fn wallet(&self, channel: Uuid) -> Option<&Wallet> {
        self.wallets.get(&channel)
    }

    /// All of them, in no order.
    pub(crate) fn wallets(&self) -> impl ExactSizeIterator<Item = &Wallet> {
        self.wallets.values()
    }

    pub(super) fn wallet_mut(&mut self, channel: Uuid) -> Option<&mut Wallet> {
        self.wallets.get_mut(&channel)
    }

    /// The wallet of a channel, new if it was not there.
    pub(super) fn enter(&mut self, channel: &Arc<Channel>) {
        let new =
            || Wallet { channel: channel.clone(), addresses: HashSet::new(), supports: BTreeSet::new() };
        self.wallets.entry(channel.id).or_insert_with(new);
    }

    /// A wallet serves one account more.
    pub(super) fn support(&mut self, channel: Uuid, account: String) {
        let Some(wallet) = self.wallets.get_mut(&channel) else { return };
        if wallet.supports.insert(account.clone()) {
            *self.brought.entry(account.clone()).or_default() += 1;
            self.supports.insert(account);
        }
    }

    /// No wallet serves an account any more.
    pub(super) fn unsupport(&mut self, account: &str) {
        if self.supports.remove(account) {
            self.brought.remove(account);
            self.wallets.values_mut().for_each(|wallet| {
                wallet.supports.remove(account);
            });
        }
    }

    /// Takes a wallet out, and what only it brought.
    pub(super) fn leave(&mut self, channel: Uuid) -> Option<Wallet> {
        let wallet = self.wallets.remove(&channel)?;
        for account in &wallet.supports {
            let Some(brought) = self.brought.get_mut(account) else { continue };
            *brought -= 1;
            if *brought == 0 {
                self.brought.remove(account);
                self.supports.remove(account);
            }
        }
        Some(wallet)
    }
}
