//! The registry against a model that keeps one list and searches it.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::sync::LazyLock;
use std::time::Duration;

use proptest::prelude::*;
use tokio::sync::mpsc;
use venus_core::api::Permissions;

use super::*;
use crate::provider::Provider;

const CHANNELS: usize = 8;
const ACCOUNTS: [&str; 3] = ["alice", "bob", "carol"];

fn address(n: u8) -> Address {
    static ALL: LazyLock<Vec<Address>> =
        LazyLock::new(|| (0..6).map(|n| Address::new_secp256k1(&[n; 65]).unwrap()).collect());
    ALL[usize::from(n)]
}

fn channel(n: usize) -> Arc<Channel> {
    static ALL: LazyLock<Vec<Arc<Channel>>> = LazyLock::new(|| (0..CHANNELS).map(make).collect());
    ALL[n].clone()
}

/// Two of each account at least, on three connections; every third is a wallet, a prover, a sealer.
fn make(n: usize) -> Arc<Channel> {
    let kind = [Kind::Wallet, Kind::Wallet, Kind::Proof, Kind::Market][n % 4];
    let who = Provider {
        account: ACCOUNTS[n % 3].to_owned(),
        permissions: Permissions::up_to("read"),
        scopes: Vec::new(),
        token: String::new(),
        remote: (n != 0).then(|| SocketAddr::from(([10, 0, 0, u8::try_from(n % 2).unwrap()], 1))),
        connection: u64::try_from(n % 3).unwrap(),
    };
    let miner = (kind != Kind::Wallet).then(|| Address::new_id(u64::try_from(n / 4).unwrap()));
    let id = Uuid::from_u128(u128::try_from(n).unwrap() + 1);
    Arc::new(Channel::new(id, kind, who, miner, Duration::ZERO, mpsc::channel(1).0))
}

#[derive(Clone, Debug)]
enum Step {
    Enter(usize),
    Offer(usize, Vec<u8>, Vec<usize>),
    Add(usize, Vec<u8>, usize),
    Remove(usize, Vec<u8>),
    Withdraw(u8),
    Support(usize, usize),
    Unsupport(usize),
    Leave(usize),
}

fn step() -> impl Strategy<Value = Step> {
    let (n, a, addresses) = (0..CHANNELS, 0..ACCOUNTS.len(), prop::collection::vec(0u8..6, 0..5));
    let accounts = prop::collection::vec(0..ACCOUNTS.len(), 0..3);
    prop_oneof![
        3 => n.clone().prop_map(Step::Enter),
        3 => (n.clone(), addresses.clone(), accounts).prop_map(|(n, k, a)| Step::Offer(n, k, a)),
        2 => (n.clone(), addresses.clone(), 0usize..8).prop_map(|(n, k, most)| Step::Add(n, k, most)),
        2 => (n.clone(), addresses).prop_map(|(n, k)| Step::Remove(n, k)),
        1 => (0u8..6).prop_map(Step::Withdraw),
        1 => (n.clone(), a.clone()).prop_map(|(n, a)| Step::Support(n, a)),
        1 => a.prop_map(Step::Unsupport),
        2 => n.prop_map(Step::Leave),
    ]
}

#[derive(Clone, Debug, Default)]
struct Model {
    /// By number of the channel.
    there: [bool; CHANNELS],
    offered: [bool; CHANNELS],
    addresses: [BTreeSet<u8>; CHANNELS],
    supports: [BTreeSet<usize>; CHANNELS],
}

impl Model {
    /// A channel is offered, and is a wallet's.
    fn wallet(&self, n: usize) -> bool {
        self.offered[n] && channel(n).kind == Kind::Wallet
    }

    fn add(&mut self, n: usize, keys: &[u8], most: usize) -> bool {
        for key in keys {
            if !self.addresses[n].contains(key) {
                if self.addresses[n].len() >= most {
                    return false;
                }
                self.addresses[n].insert(*key);
            }
        }
        true
    }

    fn leave(&mut self, n: usize) -> bool {
        let there = std::mem::take(&mut self.there[n]);
        self.offered[n] = false;
        self.addresses[n].clear();
        self.supports[n].clear();
        there
    }
}

/// Does the same to both; what they answer is the same.
fn apply(state: &mut State, model: &mut Model, step: &Step) {
    let keys = |keys: &[u8]| keys.iter().copied().map(address).collect::<Vec<_>>();
    match step {
        Step::Enter(n) if !model.there[*n] => {
            model.there[*n] = true;
            state.enter(channel(*n));
        }
        Step::Enter(_) => {}
        Step::Offer(n, list, supports) if channel(*n).kind == Kind::Wallet => {
            let names = supports.iter().map(|a| ACCOUNTS[*a].to_owned());
            assert_eq!(state.offer_wallet(&channel(*n), keys(list), names), model.there[*n]);
            if model.there[*n] {
                model.offered[*n] = true;
                model.add(*n, list, usize::MAX);
                model.supports[*n].extend(supports.iter().copied().chain([n % 3]));
            }
        }
        Step::Offer(n, ..) => {
            let channel = channel(*n);
            assert_eq!(state.offer_miner(&channel, channel.miner.unwrap()), model.there[*n]);
            model.offered[*n] = model.there[*n];
        }
        Step::Add(n, list, most) => {
            let all = state.add_addresses(&channel(*n), keys(list), *most);
            assert_eq!(all, model.wallet(*n) && model.add(*n, list, *most));
        }
        Step::Remove(n, list) => {
            state.remove_addresses(&channel(*n), &keys(list));
            list.iter().for_each(|key| _ = model.addresses[*n].remove(key));
        }
        Step::Withdraw(key) => {
            state.withdraw(&address(*key));
            model.addresses.iter_mut().for_each(|keys| _ = keys.remove(key));
        }
        Step::Support(n, account) => {
            state.support(&channel(*n), ACCOUNTS[*account]);
            if model.wallet(*n) {
                model.supports[*n].insert(*account);
            }
        }
        Step::Unsupport(account) => {
            state.unsupport(ACCOUNTS[*account]);
            model.supports.iter_mut().for_each(|supports| _ = supports.remove(account));
        }
        Step::Leave(n) => assert_eq!(state.leave(&channel(*n)), model.leave(*n)),
    }
}

fn ids<'a>(channels: impl IntoIterator<Item = &'a Arc<Channel>>) -> BTreeSet<Uuid> {
    let mut ids = BTreeSet::new();
    for channel in channels {
        assert!(ids.insert(channel.id), "a channel stands twice");
    }
    ids
}

fn same(state: &State, model: &Model) {
    let those = |which: &dyn Fn(usize, &Channel) -> bool| -> BTreeSet<Uuid> {
        (0..CHANNELS).map(|n| (n, channel(n))).filter(|(n, c)| which(*n, c)).map(|(_, c)| c.id).collect()
    };
    assert_eq!(ids(state.channels()), those(&|n, _| model.there[n]));
    for connection in 0..4 {
        let there = those(&|n, c| model.there[n] && c.provider.connection == connection);
        assert_eq!(ids(state.of_connection(connection)), there);
    }
    for key in 0..6 {
        assert_eq!(ids(state.with_signer(&address(key))), those(&|n, _| model.addresses[n].contains(&key)));
    }
    for kind in [Kind::Proof, Kind::Market] {
        for miner in 0..3 {
            let miner = Address::new_id(miner);
            let there = those(&|n, c| model.offered[n] && c.kind == kind && c.miner == Some(miner));
            assert_eq!(ids(state.of_miner(kind, &miner)), there);
        }
    }
    for (a, name) in ACCOUNTS.iter().enumerate() {
        same_account(state, model, a, name);
    }
    same_counts(state, model);
}

fn same_account(state: &State, model: &Model, a: usize, name: &str) {
    let wallets: Vec<usize> = (0..CHANNELS).filter(|n| model.wallet(*n) && n % 3 == a).collect();
    let Some(account) = state.account(name) else { return assert!(wallets.is_empty()) };
    assert_eq!(account.wallets().len(), wallets.len());
    let supports: BTreeSet<_> = wallets.iter().flat_map(|n| &model.supports[*n]).collect();
    assert!(account.supports.iter().eq(supports.iter().map(|a| ACCOUNTS[**a])));
    for n in wallets {
        let wallet = account.wallet(channel(n).id).unwrap();
        let keys: HashMap<_, _> = model.addresses[n].iter().map(|key| (address(*key), ())).collect();
        assert_eq!(wallet.addresses.len(), keys.len());
        assert!(wallet.addresses.iter().all(|key| keys.contains_key(key)));
    }
}

fn same_counts(state: &State, model: &Model) {
    let count = |which: &dyn Fn(usize) -> bool| (0..CHANNELS).filter(|n| which(*n)).count();
    let counts = state.counts();
    assert_eq!(counts.wallets, count(&|n| model.wallet(n)));
    let of = |kind: Kind| count(&|n| model.offered[n] && channel(n).kind == kind);
    assert_eq!(counts.miner_connections, [of(Kind::Proof), of(Kind::Market)]);
    let keys: BTreeSet<_> = model.addresses.iter().flatten().collect();
    assert_eq!(counts.addresses, keys.len());
    let limits = |most| HubLimits { channels_per_account: most, ..HubLimits::default() };
    for (a, name) in ACCOUNTS.iter().enumerate() {
        let there = count(&|n| model.there[n] && n % 3 == a);
        let who = Provider { account: (*name).to_owned(), ..channel(0).provider.clone() };
        let room = |most| state.tally.room_for(&who, 0, &limits(most)).is_ok();
        assert!(room(there + 1) && !room(there));
        assert_eq!(state.turns(name).is_some(), there > 0);
    }
}

proptest! {
    #[test]
    fn it_does_what_a_list_does(steps in prop::collection::vec(step(), 0..60)) {
        let (mut state, mut model) = (State::default(), Model::default());
        for step in &steps {
            apply(&mut state, &mut model, step);
            same(&state, &model);
        }
        for n in 0..CHANNELS {
            state.leave(&channel(n));
        }
        // Nothing is left of anybody.
        prop_assert_eq!(format!("{state:?}"), format!("{:?}", State::default()));
    }
}

#[test]
fn limits_hold_for_an_account_an_ip_and_all() {
    let admit = |limits: HubLimits, first: usize, second: usize| {
        let mut state = State::default();
        state.admit(channel(first), &limits).unwrap();
        state.admit(channel(second), &limits).map_err(|error| error.to_string())
    };
    let limits = HubLimits::default();
    let per_account = HubLimits { channels_per_account: 1, ..limits };
    assert_eq!(admit(per_account, 1, 4).unwrap_err(), "too many channels of this account");
    admit(per_account, 1, 2).unwrap();
    let per_ip = HubLimits { channels_per_ip: 1, ..limits };
    assert_eq!(admit(per_ip, 1, 3).unwrap_err(), "too many channels of this IP address");
    admit(per_ip, 1, 2).unwrap();
    // Those in the hub's own process have no address, and do not share one.
    admit(per_ip, 1, 0).unwrap();
    assert_eq!(admit(HubLimits { channels: 1, ..limits }, 1, 2).unwrap_err(), "too many channels");
}
