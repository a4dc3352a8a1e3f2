//! Who is there: channels by signer, account, miner and connection.
//!
//! One lock, under which nothing waits; every registration and removal is one step under it, so that no channel can be
//! half there.

mod account;
mod tally;
#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use uuid::Uuid;
use venus_core::types::Address;

use crate::channel::Channel;
use crate::error::HubError;
use crate::options::HubLimits;
use crate::provider::Kind;

pub(crate) use account::{Account, Wallet};
pub(crate) use tally::Counts;
use tally::Tally;

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
    tally: Tally,
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
    /// As [`State::enter`], unless there are too many.
    pub(crate) fn admit(&mut self, channel: Arc<Channel>, limits: &HubLimits) -> Result<(), HubError> {
        self.tally.room_for(&channel.provider, self.by_id.len(), limits)?;
        self.enter(channel);
        Ok(())
    }

    /// A channel that may answer from now on, and is offered to nobody.
    pub(crate) fn enter(&mut self, channel: Arc<Channel>) {
        self.tally.entered(&channel.provider);
        self.by_connection.entry(channel.provider.connection).or_default().push(channel.clone());
        self.by_id.insert(channel.id, channel);
    }

    /// Offers a wallet's addresses to its account and those that it supports. Nothing happens if it has left: whoever
    /// leaves while it registers stays away. Whether it was there.
    pub(crate) fn offer_wallet(
        &mut self,
        channel: &Arc<Channel>,
        addresses: impl IntoIterator<Item = Address>,
        supports: impl IntoIterator<Item = String>,
    ) -> bool {
        if !self.by_id.contains_key(&channel.id) {
            return false;
        }
        let own = &channel.provider.account;
        let account = self.by_account.entry(own.clone()).or_default();
        if account.wallet(channel.id).is_none() {
            account.enter(channel);
            self.tally.wallets += 1;
        }
        for supported in supports.into_iter().chain([own.clone()]) {
            account.support(channel.id, supported);
        }
        self.add_addresses(channel, addresses, usize::MAX)
    }

    /// Offers more addresses of a wallet that is offered already, `most` of them in all. Whether all found room.
    pub(crate) fn add_addresses(
        &mut self,
        channel: &Arc<Channel>,
        addresses: impl IntoIterator<Item = Address>,
        most: usize,
    ) -> bool {
        let Some(wallet) =
            self.by_account.get_mut(&channel.provider.account).and_then(|a| a.wallet_mut(channel.id))
        else {
            return false;
        };
        for address in addresses {
            if wallet.addresses.contains(&address) {
                continue;
            }
            if wallet.addresses.len() >= most {
                return false;
            }
            wallet.addresses.insert(address);
            self.by_signer.entry(address).or_default().push(channel.clone());
        }
        true
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

    /// Offers an address no more, whoever has it.
    pub(crate) fn withdraw(&mut self, address: &Address) {
        for channel in self.by_signer.remove(address).unwrap_or_default() {
            let account = self.by_account.get_mut(&channel.provider.account);
            if let Some(wallet) = account.and_then(|account| account.wallet_mut(channel.id)) {
                wallet.addresses.remove(address);
            }
        }
    }

    /// A wallet serves one account more; nothing happens if it is not offered.
    pub(crate) fn support(&mut self, channel: &Channel, account: &str) {
        if let Some(own) = self.by_account.get_mut(&channel.provider.account) {
            own.support(channel.id, account.to_owned());
        }
    }

    /// No wallet serves an account any more.
    pub(crate) fn unsupport(&mut self, account: &str) {
        self.by_account.values_mut().for_each(|own| own.unsupport(account));
    }

    /// Offers a prover or a sealer. Nothing happens if it has left, or is there already. Whether it was there.
    pub(crate) fn offer_miner(&mut self, channel: &Arc<Channel>, miner: Address) -> bool {
        let known = self.by_id.contains_key(&channel.id);
        let miners = if channel.kind == Kind::Proof { &mut self.provers } else { &mut self.sealers };
        if known && !miners.get(&miner).is_some_and(|there| there.iter().any(|c| c.id == channel.id)) {
            miners.entry(miner).or_default().push(channel.clone());
            self.tally.miner(channel.kind, 1);
        }
        known
    }

    /// Forgets a channel, wherever it stands. Forgetting twice is fine. Whether it was there.
    pub(crate) fn leave(&mut self, channel: &Channel) -> bool {
        if self.by_id.remove(&channel.id).is_none() {
            return false;
        }
        self.tally.left(&channel.provider);
        remove(&mut self.by_connection, &channel.provider.connection, channel.id);
        if let Some(miner) = &channel.miner {
            let miners = if channel.kind == Kind::Proof { &mut self.provers } else { &mut self.sealers };
            if remove(miners, miner, channel.id) {
                self.tally.miner(channel.kind, -1);
            }
        }
        self.leave_account(channel);
        true
    }

    fn leave_account(&mut self, channel: &Channel) {
        let Some(account) = self.by_account.get_mut(&channel.provider.account) else { return };
        let Some(wallet) = account.leave(channel.id) else { return };
        if account.wallets().len() == 0 {
            self.by_account.remove(&channel.provider.account);
        }
        self.tally.wallets -= 1;
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

    /// A wallet that is offered.
    pub(crate) fn wallet(&self, channel: &Channel) -> Option<&Wallet> {
        self.by_account.get(&channel.provider.account)?.wallet(channel.id)
    }

    /// Those that have a key, whomever they serve.
    pub(crate) fn with_signer(&self, signer: &Address) -> &[Arc<Channel>] {
        self.by_signer.get(signer).map_or(&[], Vec::as_slice)
    }

    /// The wallets of an account.
    pub(crate) fn account(&self, name: &str) -> Option<&Account> {
        self.by_account.get(name)
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

    /// How much of everything there is.
    pub(crate) fn counts(&self) -> Counts {
        Counts {
            accounts: self.by_account.len(),
            wallets: self.tally.wallets,
            addresses: self.by_signer.len(),
            miners: [self.provers.len(), self.sealers.len()],
            miner_connections: self.tally.miners,
        }
    }

    /// Whose checks of signatures wait for whose: those of one account for each other.
    pub(crate) fn turns(&self, account: &str) -> Option<Arc<tokio::sync::Semaphore>> {
        self.tally.turns(account)
    }
}

/// Whether it was there.
fn remove<K: std::hash::Hash + Eq>(map: &mut HashMap<K, Vec<Arc<Channel>>>, key: &K, channel: Uuid) -> bool {
    let Some(list) = map.get_mut(key) else { return false };
    let before = list.len();
    list.retain(|c| c.id != channel);
    let removed = list.len() < before;
    if list.is_empty() {
        map.remove(key);
    }
    removed
}
