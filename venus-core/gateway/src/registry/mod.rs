//! Who is there: channels by signer, account, miner and connection.
//!
//! One lock, under which nothing waits; every registration and removal is one step under it, so that no channel can be
//! half there.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use uuid::Uuid;
use venus_core::types::Address;

use crate::channel::Channel;
use crate::provider::Kind;

/// All channels that are registered or are registering.
#[derive(Debug, Default)]
pub(crate) struct Registry {
    state: RwLock<State>,
}

#[derive(Debug, Default)]
pub(crate) struct State {
    /// Registering ones included: they answer, too.
    by_connection: HashMap<u64, Vec<Arc<Channel>>>,
    by_id: HashMap<Uuid, Arc<Channel>>,
    by_signer: HashMap<Address, Vec<Arc<Channel>>>,
    by_account: HashMap<String, Account>,
    provers: HashMap<Address, Vec<Arc<Channel>>>,
    sealers: HashMap<Address, Vec<Arc<Channel>>>,
}

/// The wallets of an account.
#[derive(Debug, Default)]
pub(crate) struct Account {
    /// Whom they serve, the account itself included. Grows with each wallet, and ends with the last.
    pub(crate) supports: BTreeSet<String>,
    /// In the order they came.
    pub(crate) wallets: Vec<Wallet>,
}

#[derive(Debug)]
pub(crate) struct Wallet {
    pub(crate) channel: Arc<Channel>,
    pub(crate) addresses: HashSet<Address>,
}

impl Registry {
    pub(crate) fn read(&self) -> RwLockReadGuard<'_, State> {
        self.state.read().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn write(&self) -> RwLockWriteGuard<'_, State> {
        self.state.write().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// A channel that may answer from now on, and is offered to nobody.
    pub(crate) fn enter(&mut self, channel: Arc<Channel>) {
        self.by_connection.entry(channel.provider.connection).or_default().push(channel.clone());
        self.by_id.insert(channel.id, channel);
    }

    /// Offers a wallet's addresses to its account and those that it supports.
    pub(crate) fn offer_wallet(
        &mut self,
        channel: &Arc<Channel>,
        addresses: impl IntoIterator<Item = Address>,
        supports: impl IntoIterator<Item = String>,
    ) {
        let account = self.by_account.entry(channel.provider.account.clone()).or_default();
        account.supports.insert(channel.provider.account.clone());
        account.supports.extend(supports);
        if account.wallet(channel.id).is_none() {
            account.wallets.push(Wallet { channel: channel.clone(), addresses: HashSet::new() });
        }
        self.add_addresses(channel, addresses);
    }

    /// Offers more addresses of a wallet that is offered already.
    pub(crate) fn add_addresses(
        &mut self,
        channel: &Arc<Channel>,
        addresses: impl IntoIterator<Item = Address>,
    ) {
        let Some(wallet) =
            self.by_account.get_mut(&channel.provider.account).and_then(|a| a.wallet_mut(channel.id))
        else {
            return;
        };
        for address in addresses {
            if wallet.addresses.insert(address) {
                self.by_signer.entry(address).or_default().push(channel.clone());
            }
        }
    }

    /// Offers addresses no more.
    pub(crate) fn remove_addresses<'a>(
        &mut self,
        channel: &Channel,
        addresses: impl IntoIterator<Item = &'a Address>,
    ) {
        let account = self.by_account.get_mut(&channel.provider.account);
        let Some(wallet) = account.and_then(|account| account.wallet_mut(channel.id)) else { return };
        for address in addresses {
            if wallet.addresses.remove(address) {
                remove(&mut self.by_signer, address, channel.id);
            }
        }
    }

    /// Offers a prover or a sealer.
    pub(crate) fn offer_miner(&mut self, channel: &Arc<Channel>, miner: Address) {
        let miners = if channel.kind == Kind::Proof { &mut self.provers } else { &mut self.sealers };
        miners.entry(miner).or_default().push(channel.clone());
    }

    /// Forgets a channel, wherever it stands. Forgetting twice is fine.
    pub(crate) fn leave(&mut self, channel: &Channel) {
        if self.by_id.remove(&channel.id).is_none() {
            return;
        }
        remove(&mut self.by_connection, &channel.provider.connection, channel.id);
        if let Some(miner) = &channel.miner {
            remove(&mut self.provers, miner, channel.id);
            remove(&mut self.sealers, miner, channel.id);
        }
        let Some(account) = self.by_account.get_mut(&channel.provider.account) else { return };
        let Some(at) = account.wallets.iter().position(|wallet| wallet.channel.id == channel.id) else {
            return;
        };
        let wallet = account.wallets.remove(at);
        if account.wallets.is_empty() {
            self.by_account.remove(&channel.provider.account);
        }
        for address in &wallet.addresses {
            remove(&mut self.by_signer, address, channel.id);
        }
    }

    /// The channels of a connection.
    pub(crate) fn of_connection(&self, connection: u64) -> &[Arc<Channel>] {
        self.by_connection.get(&connection).map_or(&[], Vec::as_slice)
    }

    /// A channel, registered or registering.
    pub(crate) fn channel(&self, id: &Uuid) -> Option<&Arc<Channel>> {
        self.by_id.get(id)
    }

    /// Those that have a key, whomever they serve.
    pub(crate) fn with_signer(&self, signer: &Address) -> &[Arc<Channel>] {
        self.by_signer.get(signer).map_or(&[], Vec::as_slice)
    }

    /// The wallets of an account.
    pub(crate) fn account(&self, name: &str) -> Option<&Account> {
        self.by_account.get(name)
    }

    /// As [`State::account`], to be changed.
    pub(crate) fn account_mut(&mut self, name: &str) -> Option<&mut Account> {
        self.by_account.get_mut(name)
    }

    /// All accounts that have wallets.
    pub(crate) fn accounts(&self) -> impl Iterator<Item = (&String, &Account)> {
        self.by_account.iter()
    }

    /// The provers or sealers of a miner.
    pub(crate) fn of_miner(&self, kind: Kind, miner: &Address) -> &[Arc<Channel>] {
        self.miners(kind).get(miner).map_or(&[], Vec::as_slice)
    }

    /// All miners that have provers or sealers.
    pub(crate) fn miners(&self, kind: Kind) -> &HashMap<Address, Vec<Arc<Channel>>> {
        if kind == Kind::Proof { &self.provers } else { &self.sealers }
    }

    /// All channels.
    pub(crate) fn channels(&self) -> impl Iterator<Item = &Arc<Channel>> {
        self.by_id.values()
    }
}

impl Account {
    pub(crate) fn wallet(&self, channel: Uuid) -> Option<&Wallet> {
        self.wallets.iter().find(|wallet| wallet.channel.id == channel)
    }

    fn wallet_mut(&mut self, channel: Uuid) -> Option<&mut Wallet> {
        self.wallets.iter_mut().find(|wallet| wallet.channel.id == channel)
    }
}

fn remove<K: std::hash::Hash + Eq>(map: &mut HashMap<K, Vec<Arc<Channel>>>, key: &K, channel: Uuid) {
    if let Some(list) = map.get_mut(key) {
        list.retain(|c| c.id != channel);
        if list.is_empty() {
            map.remove(key);
        }
    }
}
