//! The first tipset and the state below it.

use std::collections::BTreeMap;
use std::sync::Arc;

use cid::Cid;
use fvm_shared::ActorID;
use fvm_shared::address::{Address, Network};
use fvm_shared::econ::TokenAmount;
use num_bigint::BigInt;
use venus_core::cbor::Writer;
use venus_core::consensus::amt::amt_v0_root_of_cids;
use venus_core::consensus::beacon::mock_genesis_entry;
use venus_core::consensus::msg_meta::msg_meta_cid;
use venus_core::crypto::hash::blake2b_256;
use venus_core::types::{BlockHeader, ElectionProof, NetworkInfo, Ticket, Tipset};

use crate::config::{DevnetConfig, REWARD_FIL, TOTAL_FIL};
use crate::error::DevnetError;
use crate::state::{
    Actor, ActorState, BURNT_FUNDS, CRON, Claim, FIRST_ACCOUNT, FIRST_MINER, INIT, MinerState, POWER,
    PowerState, REMAINDER, REWARD, SYSTEM, StateTree,
};

/// What every Filecoin genesis block names as its parent; nobody stores it.
const NO_PARENT: &str = "bafyreiaqpwbbyjo4a42saasj36kkrpv4tsherf2e7bvezkert2a7dhonoi";
/// The network version whose rules hold from the beginning.
pub(crate) const NETWORK_VERSION: u32 = 28;
/// EIP-155 chain ID of development networks.
const CHAIN_ID: u64 = 31_415_926;

/// What stands at the beginning of a devnet.
#[derive(Clone, Debug)]
pub struct GenesisInfo {
    /// The first tipset.
    pub tipset: Arc<Tipset>,
    /// Name, timing and addresses of the network. The name is `localnet-` and eight digits of the genesis CID.
    pub network: Arc<NetworkInfo>,
    /// ID, key and balance (attoFIL) of the accounts of the configuration, then of the keys of miners.
    pub accounts: Vec<(Address, Address, TokenAmount)>,
    /// ID addresses of the miners, in the order of the configuration.
    pub miners: Vec<Address>,
}

pub(crate) struct Genesis {
    pub(crate) info: GenesisInfo,
    pub(crate) state: StateTree,
}

/// Builds the genesis of a configuration, which must have been checked.
pub(crate) fn build(config: &DevnetConfig) -> Result<Genesis, DevnetError> {
    let accounts = accounts(config);
    let state = state(config, &accounts);
    let header = header(config, state.root());
    let tipset = Tipset::new(vec![header])
        .map_err(|e| DevnetError::Config { field: "genesis", reason: e.to_string() })?;
    let digest = blake2b_256(&tipset.key().to_bytes());
    let name: String = digest.iter().take(4).map(|byte| format!("{byte:02x}")).collect();
    let network = NetworkInfo {
        name: format!("localnet-{name}"),
        address_network: Network::Testnet,
        network_version: NETWORK_VERSION,
        block_delay_secs: config.block_delay_secs,
        genesis_timestamp: config.genesis_timestamp,
        eip155_chain_id: CHAIN_ID,
    };
    let miners = (0..config.miners.len()).map(|i| Address::new_id(miner_id(i))).collect();
    let accounts =
        accounts.into_iter().map(|(id, key, balance)| (Address::new_id(id), key, balance)).collect();
    let info = GenesisInfo { tipset: Arc::new(tipset), network: Arc::new(network), accounts, miners };
    Ok(Genesis { info, state })
}

fn miner_id(index: usize) -> ActorID {
    FIRST_MINER + index as ActorID
}

/// Accounts have the IDs below the miners', and those after them once these are used up.
fn account_id(index: usize, miners: usize) -> ActorID {
    let index = index as ActorID;
    match FIRST_ACCOUNT + index {
        id if id < FIRST_MINER => id,
        id => id + miners as ActorID,
    }
}

fn accounts(config: &DevnetConfig) -> Vec<(ActorID, Address, TokenAmount)> {
    let mut keys: Vec<(Address, TokenAmount)> =
        config.accounts.iter().map(|account| (account.address, account.balance.clone())).collect();
    for key in config.miners.iter().flat_map(|miner| [miner.owner, miner.worker]) {
        if !keys.iter().any(|(known, _)| *known == key) {
            keys.push((key, TokenAmount::default()));
        }
    }
    let numbered = keys.into_iter().enumerate();
    numbered.map(|(i, (key, balance))| (account_id(i, config.miners.len()), key, balance)).collect()
}

fn state(config: &DevnetConfig, accounts: &[(ActorID, Address, TokenAmount)]) -> StateTree {
    let mut tree = StateTree::default();
    let spent: TokenAmount = accounts.iter().map(|(_, _, balance)| balance).sum();
    let remainder = TokenAmount::from_whole(TOTAL_FIL - REWARD_FIL) - spent;
    let next_id = accounts.iter().map(|(id, ..)| *id + 1).max().unwrap_or_default();
    let next_id = next_id.max(miner_id(config.miners.len()));
    let own = |id| ActorState::Account { address: Address::new_id(id) };
    tree.put(SYSTEM, Actor::new(ActorState::System { params: params(config) }));
    tree.put(INIT, Actor::new(ActorState::Init { next_id }));
    let reward = ActorState::Reward { epoch_reward: config.epoch_reward.clone() };
    tree.put(REWARD, Actor::new(reward).with_balance(TokenAmount::from_whole(REWARD_FIL)));
    tree.put(CRON, Actor::new(ActorState::Cron));
    tree.put(REMAINDER, Actor::new(own(REMAINDER)).with_balance(remainder));
    tree.put(BURNT_FUNDS, Actor::new(own(BURNT_FUNDS)));
    for (id, address, balance) in accounts {
        tree.put(*id, Actor::new(ActorState::Account { address: *address }).with_balance(balance.clone()));
    }
    let mut claims = BTreeMap::new();
    for (i, miner) in config.miners.iter().enumerate() {
        let id = miner_id(i);
        let bytes = u128::from(miner.sectors) * u128::from(miner.sector_size);
        claims.insert(id, Claim { raw: bytes, quality_adjusted: bytes });
        let state = MinerState {
            owner: tree.resolve(&miner.owner).unwrap_or_default(),
            worker: tree.resolve(&miner.worker).unwrap_or_default(),
            sector_size: miner.sector_size,
            preseals: miner.sectors,
            seed: config.seed,
            fee_debt: TokenAmount::default(),
            fault_until: -1,
        };
        tree.put(id, Actor::new(ActorState::Miner(state)));
    }
    tree.put(POWER, Actor::new(ActorState::Power(PowerState { claims })));
    tree
}

/// The rules that are no part of any other state, so that the genesis CID tells two configurations apart.
fn params(config: &DevnetConfig) -> Vec<u8> {
    let mut w = Writer::new();
    w.array(6);
    w.uint(config.seed);
    w.uint(config.block_delay_secs);
    w.int(config.lookback);
    w.uint(config.min_power);
    w.uint(u64::from(NETWORK_VERSION));
    w.uint(CHAIN_ID);
    w.into_vec()
}

fn header(config: &DevnetConfig, state_root: Cid) -> BlockHeader {
    let seed = [b"venus devnet genesis ticket".as_slice(), &config.seed.to_be_bytes()].concat();
    BlockHeader {
        miner: Address::new_id(SYSTEM),
        ticket: Some(Ticket { vrf_proof: blake2b_256(&seed).to_vec() }),
        election_proof: Some(ElectionProof { win_count: 0, vrf_proof: Vec::new() }),
        beacon_entries: vec![mock_genesis_entry()],
        win_post_proof: Vec::new(),
        parents: vec![NO_PARENT.parse().unwrap_or_default()],
        parent_weight: BigInt::ZERO,
        height: 0,
        parent_state_root: state_root,
        parent_message_receipts: amt_v0_root_of_cids(&[]),
        messages: msg_meta_cid(&[], &[]),
        bls_aggregate: None,
        timestamp: config.genesis_timestamp,
        block_sig: None,
        fork_signaling: 0,
        parent_base_fee: config.base_fee.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{GenesisAccount, GenesisMiner};

    fn config() -> DevnetConfig {
        let key = |n: u8| Address::new_bls(&[n; 48]).unwrap();
        let miner = |n| GenesisMiner { worker: key(n), owner: key(1), ..GenesisMiner::default() };
        DevnetConfig {
            accounts: vec![GenesisAccount { address: key(1), balance: TokenAmount::from_whole(10) }],
            miners: vec![miner(2), miner(3)],
            ..DevnetConfig::default()
        }
    }

    #[test]
    fn all_fil_is_there_and_ids_are_in_order() {
        let genesis = build(&config()).unwrap();
        assert_eq!(genesis.state.supply(), TokenAmount::from_whole(TOTAL_FIL));
        let ids: Vec<u64> = genesis.info.accounts.iter().map(|(id, ..)| id.id().unwrap()).collect();
        assert_eq!(ids, [100, 101, 102]);
        assert_eq!(genesis.info.miners, [Address::new_id(1000), Address::new_id(1001)]);
        assert_eq!(genesis.state.miner(1001).unwrap().worker, 102);
        assert_eq!(genesis.state.total_power(), BigInt::from(2 * 8 * 2048));
        assert!(genesis.info.network.name.starts_with("localnet-"));
        assert_eq!(genesis.info.tipset.parents().cids()[0].to_string(), NO_PARENT);
        assert_eq!((account_id(899, 2), account_id(900, 2)), (999, 1002));
    }

    #[test]
    fn any_other_configuration_has_another_genesis() {
        let cid = |config: &DevnetConfig| *build(config).unwrap().info.tipset.cids().first().unwrap();
        let base = config();
        assert_eq!(cid(&base), cid(&base));
        let others = [
            DevnetConfig { seed: 1, ..base.clone() },
            DevnetConfig { genesis_timestamp: 5, ..base.clone() },
            DevnetConfig { block_delay_secs: 30, ..base.clone() },
            DevnetConfig { lookback: 900, ..base.clone() },
            DevnetConfig { accounts: vec![], ..base.clone() },
            DevnetConfig { miners: base.miners[..1].to_vec(), ..base.clone() },
            DevnetConfig { epoch_reward: TokenAmount::from_whole(1), ..base.clone() },
            DevnetConfig { min_power: 7, ..base.clone() },
        ];
        for other in &others {
            assert_ne!(cid(&base), cid(other));
        }
        assert_eq!(cid(&base), cid(&DevnetConfig { states_in_memory: 1, ..base.clone() }));
    }
}
