//! The first tipset and the state below it.

use std::sync::Arc;

use cid::Cid;
use fvm_shared::ActorID;
use fvm_shared::address::{Address, Network};
use fvm_shared::econ::TokenAmount;
use num_bigint::BigInt;
use venus_core::cbor::Encode;
use venus_core::consensus::amt::amt_v0_root_of_cids;
use venus_core::consensus::beacon::mock_genesis_entry;
use venus_core::consensus::msg_meta::msg_meta_cid;
use venus_core::crypto::hash::blake2b_256;
use venus_core::types::{BlockHeader, ElectionProof, NetworkInfo, Ticket, Tipset};

use crate::config::{DevnetConfig, GenesisMiner, REWARD_FIL, TOTAL_FIL};
use crate::error::DevnetError;
use crate::state::{
    Actor, ActorState, BURNT_FUNDS, CRON, Claim, DATACAP, DEADLINE_END, EAM, FIRST_ACCOUNT, FIRST_MINER,
    FIRST_VERIFIER, INIT, Info, MARKET, MinerState, MultisigState, POWER, Power, PowerState, REMAINDER,
    REWARD, RewardState, Rules, SYSTEM, StateTree, VERIFREG, VERIFREG_ROOT, peer_id, preseals,
};

/// What every Filecoin genesis block names as its parent; nobody stores it.
const NO_PARENT: &str = "bafyreiaqpwbbyjo4a42saasj36kkrpv4tsherf2e7bvezkert2a7dhonoi";
/// The network version whose rules hold from the beginning.
pub(crate) const NETWORK_VERSION: u32 = 28;
/// EIP-155 chain ID of development networks.
pub(crate) const CHAIN_ID: u64 = 31_415_926;

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
    let mut state = state(config, &accounts);
    let header = header(config, state.root());
    let tipset = Tipset::new(vec![header])
        .map_err(|e| DevnetError::Config { field: "genesis", reason: e.to_string() })?;
    let digest = blake2b_256(&tipset.key().to_bytes());
    let digits: String = digest.iter().take(4).map(|byte| format!("{byte:02x}")).collect();
    let name = format!("localnet-{digits}");
    state.set_network_name(&name);
    let network = NetworkInfo {
        name,
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

/// Bytes of the genesis addresses of miners are hashed with this, so that they are nobody else's.
const MINER_SALT: &[u8] = b"venus devnet miner";

fn state(config: &DevnetConfig, accounts: &[(ActorID, Address, TokenAmount)]) -> StateTree {
    let rules = Rules::of(config, NETWORK_VERSION, CHAIN_ID);
    let mut tree = StateTree::new(rules);
    put_singletons(&mut tree, config, accounts);
    for (id, address, balance) in accounts {
        tree.put(*id, Actor::new(ActorState::Account { address: *address }).with_balance(balance.clone()));
    }
    put_verifreg_root(&mut tree);
    tree.put(POWER, Actor::new(ActorState::Power(PowerState::default())));
    for (i, miner) in config.miners.iter().enumerate() {
        put_miner(&mut tree, config.seed, miner_id(i), miner);
    }
    let bound: TokenAmount = tree.iter().map(|(_, actor)| &actor.balance).sum();
    let remainder = TokenAmount::from_whole(TOTAL_FIL) - bound;
    tree.update(REMAINDER, |actor| actor.balance = remainder);
    end_of_epoch(&mut tree);
    tree
}

fn put_singletons(tree: &mut StateTree, config: &DevnetConfig, accounts: &[(ActorID, Address, TokenAmount)]) {
    let next_id = accounts.iter().map(|(id, ..)| *id + 1).max().unwrap_or_default();
    let next_id = next_id.max(miner_id(config.miners.len()));
    let own = |id| ActorState::Account { address: Address::new_id(id) };
    let rules = tree.rules().to_cbor();
    tree.put(SYSTEM, Actor::new(ActorState::System { rules }));
    tree.put(INIT, Actor::new(ActorState::Init { next_id }));
    let reward = RewardState { epoch_reward: config.epoch_reward.clone(), ..RewardState::default() };
    tree.put(
        REWARD,
        Actor::new(ActorState::Reward(reward)).with_balance(TokenAmount::from_whole(REWARD_FIL)),
    );
    tree.put(CRON, Actor::new(ActorState::Cron));
    tree.put(MARKET, Actor::new(ActorState::Market));
    tree.put(VERIFREG, Actor::new(ActorState::Verifreg { root_key: VERIFREG_ROOT }));
    tree.put(DATACAP, Actor::new(ActorState::Datacap));
    tree.put(EAM, Actor::new(ActorState::Eam));
    for id in [FIRST_VERIFIER, REMAINDER, BURNT_FUNDS] {
        tree.put(id, Actor::new(own(id)));
    }
}

/// The first account of the configuration decides alone who verifies clients.
fn put_verifreg_root(tree: &mut StateTree) {
    let root = MultisigState { signers: vec![FIRST_ACCOUNT], threshold: 1, ..MultisigState::default() };
    tree.put(VERIFREG_ROOT, Actor::new(ActorState::Multisig(root)));
}

fn put_miner(tree: &mut StateTree, seed: u64, id: ActorID, config: &GenesisMiner) {
    let owner = tree.resolve(&config.owner).unwrap_or_default();
    let worker = tree.resolve(&config.worker).unwrap_or_default();
    let Some(info) = Info::new(owner, worker, config.sector_size) else { return };
    let info = Info { peer_id: peer_id(seed, id), ..info };
    let claim = Claim { window_post_proof: info.window_post_proof, ..Claim::default() };
    let policy = tree.rules().deadlines;
    let mut state = MinerState::new(id, info, &policy, 0);
    state.add_sectors(preseals(seed, id, config.sectors, config.sector_size), &policy, 0);
    let pledge = state.initial_pledge.clone();
    let bytes = u128::from(config.sectors) * u128::from(config.sector_size);
    let (minimum, first_event) = (tree.rules().min_power, state.deadline(&policy, 0).last());
    tree.update_power(|power| {
        power.claims.to_mut().0.insert(id, claim);
        power.add_power(id, &Power::of_bytes(bytes), minimum);
        power.pledge += &pledge;
        power.enroll(first_event, id, DEADLINE_END.to_vec());
    });
    let mut actor = Actor::new(ActorState::Miner(state)).with_balance(pledge);
    actor.robust = Some(Address::new_actor(&[MINER_SALT, &id.to_be_bytes()].concat()));
    tree.put(id, actor);
}

/// What cron does at the end of an epoch, as far as it concerns the genesis.
fn end_of_epoch(tree: &mut StateTree) {
    tree.update_power(|power| {
        power.this_epoch = power.counted().clone();
        power.this_epoch_pledge = power.pledge.clone();
        power.first_cron_epoch = 1;
    });
    tree.update_reward(|reward| reward.epoch = 1);
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
        assert_eq!(genesis.state.miner(1001).unwrap().info.worker, 102);
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
            DevnetConfig { challenge_window: 60, ..base.clone() },
            DevnetConfig { challenge_lookback: 6, ..base.clone() },
            DevnetConfig { fault_cutoff: 16, ..base.clone() },
            DevnetConfig { finality: 900, ..base.clone() },
            DevnetConfig { precommit_challenge_delay: 11, ..base.clone() },
            DevnetConfig { vesting_period: 0, ..base.clone() },
        ];
        for other in &others {
            assert_ne!(cid(&base), cid(other));
        }
        assert_eq!(cid(&base), cid(&DevnetConfig { states_in_memory: 1, ..base.clone() }));
    }
}
