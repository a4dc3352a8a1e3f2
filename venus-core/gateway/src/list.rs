//! What operators see of those who are there, in the shapes of sophon-gateway's lists, but always in the same order.

use std::sync::Arc;
use std::time::Duration;

use time::OffsetDateTime;
use venus_core::types::address::format_many;
use venus_core::types::gateway::{ConnectState, ConnectionStates, MarketConnectionState, WalletDetail};
use venus_core::types::{Address, Network};

use crate::channel::Channel;
use crate::provider::Kind;
use crate::registry::{Account, State, Wallet};

/// All wallets, in no order yet: what takes long is not done under the registry's lock.
pub(crate) fn wallets(state: &State) -> Vec<WalletDetail> {
    state.accounts().map(|(name, account)| wallet(name, account)).collect()
}

/// The wallets of one account, in no order yet.
pub(crate) fn wallet(name: &str, account: &Account) -> WalletDetail {
    let state = |wallet: &Wallet| ConnectState {
        addrs: wallet.addresses.iter().copied().collect(),
        ..connection(&wallet.channel)
    };
    WalletDetail {
        account: name.to_owned(),
        support_accounts: account.supports.iter().cloned().collect(),
        connect_states: account.wallets().map(state).collect(),
    }
}

/// Puts accounts by name, their wallets as they came, and addresses by text, which is what people see.
pub(crate) fn in_order(mut wallets: Vec<WalletDetail>) -> Vec<WalletDetail> {
    wallets.sort_by(|a, b| a.account.cmp(&b.account));
    for state in wallets.iter_mut().flat_map(|wallet| &mut wallet.connect_states) {
        state.addrs = by_text(std::mem::take(&mut state.addrs));
    }
    for wallet in &mut wallets {
        wallet.connect_states.sort_by_key(|state| (state.create_time, state.channel_id));
    }
    wallets
}

/// The miners that have provers or sealers.
pub(crate) fn miners(state: &State, kind: Kind) -> Vec<Address> {
    let mut miners: Vec<Address> = state.miners(kind).keys().copied().collect();
    miners.sort_by_key(|miner| (miner.id().ok(), miner.to_bytes()));
    miners
}

/// The sealers of all miners.
pub(crate) fn markets(state: &State) -> Vec<MarketConnectionState> {
    let of = |addr: Address| MarketConnectionState {
        addr,
        conn: connections(state.of_miner(Kind::Market, &addr)),
    };
    miners(state, Kind::Market).into_iter().map(of).collect()
}

/// The channels of a miner, in the order they came.
pub(crate) fn connections(channels: &[Arc<Channel>]) -> ConnectionStates {
    let connections: Vec<ConnectState> = channels.iter().map(|channel| connection(channel)).collect();
    let connection_count = count(connections.len());
    ConnectionStates { connections, connection_count }
}

fn connection(channel: &Channel) -> ConnectState {
    ConnectState {
        addrs: Vec::new(),
        channel_id: channel.id,
        ip: channel.provider.remote.map(|remote| remote.to_string()).unwrap_or_default(),
        // Whatever waits in the queue for its turn waits for its answer, too.
        request_count: count(channel.waiting()),
        create_time: time(channel.created),
    }
}

fn by_text(addresses: Vec<Address>) -> Vec<Address> {
    let texts = format_many(&addresses, Network::Mainnet);
    let mut list: Vec<_> = texts.into_iter().zip(addresses).collect();
    list.sort_by(|a, b| a.0.cmp(&b.0));
    list.into_iter().map(|(_, address)| address).collect()
}

/// A time since the Unix epoch; its end, if a clock is so wrong that there is none.
pub(crate) fn time(since: Duration) -> OffsetDateTime {
    let since = time::Duration::try_from(since).unwrap_or(time::Duration::MAX);
    OffsetDateTime::UNIX_EPOCH.saturating_add(since)
}

fn count(n: usize) -> u64 {
    u64::try_from(n).unwrap_or(u64::MAX)
}
