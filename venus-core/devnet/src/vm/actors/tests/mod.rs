//! The actors by messages, as accounts send them.

mod beneficiary;
mod change;
mod control;
mod creation;
mod fault;
mod money;
mod multisig;
mod nesting;
mod random;
mod system;

use fvm_shared::ActorID;
use fvm_shared::clock::ChainEpoch;
use fvm_shared::econ::TokenAmount;
use fvm_shared::error::ExitCode;
use fvm_shared::message::Message;
use venus_core::api::MessageRequest;
use venus_core::cbor::{Decode, Encode};
use venus_core::types::Address;

use crate::config::{DevnetConfig, GenesisAccount, GenesisMiner, TOTAL_FIL};
use crate::state::{MinerState, StateTree};
use crate::vm::{Applied, ApplyMode, Context, ExecBlock, NativeVm, StateChange, TipsetExec, Vm};

const OWNER: u8 = 1;
const WORKER: u8 = 2;
const MINER: Address = Address::new_id(1000);
const MINER_ID: ActorID = 1000;
const OK: ExitCode = ExitCode::OK;
/// Exit codes that are looked for most.
const ARGUMENT: ExitCode = ExitCode::USR_ILLEGAL_ARGUMENT;
const FORBIDDEN: ExitCode = ExitCode::USR_FORBIDDEN;
const NOT_FOUND: ExitCode = ExitCode::USR_NOT_FOUND;
const FUNDS: ExitCode = ExitCode::USR_INSUFFICIENT_FUNDS;
const STATE: ExitCode = ExitCode::USR_ILLEGAL_STATE;
const SERIALIZATION: ExitCode = ExitCode::USR_SERIALIZATION;
const UNHANDLED: ExitCode = ExitCode::USR_UNHANDLED_MESSAGE;

fn key(n: u8) -> Address {
    Address::new_bls(&[n; 48]).unwrap()
}

fn id(n: u8) -> ActorID {
    99 + ActorID::from(n)
}

fn id_address(n: u8) -> Address {
    Address::new_id(id(n))
}

fn fil(n: i64) -> TokenAmount {
    TokenAmount::from_whole(n)
}

fn atto(n: i64) -> TokenAmount {
    TokenAmount::from_atto(n)
}

/// Six accounts of 1000 FIL (`f0100` to `f0105`, the last with a secp256k1 key) and a miner of the first two.
struct World {
    state: StateTree,
}

impl World {
    fn new() -> Self {
        Self::with(DevnetConfig::default())
    }

    fn with(config: DevnetConfig) -> Self {
        let secp = Address::new_secp256k1(&[4; 65]).unwrap();
        let keys = (1..=5).map(key).chain([secp]);
        let miner = GenesisMiner { owner: key(OWNER), worker: key(WORKER), ..GenesisMiner::default() };
        let config = DevnetConfig {
            accounts: keys.map(|address| GenesisAccount { address, balance: fil(1000) }).collect(),
            miners: vec![miner],
            ..config
        };
        config.check().unwrap();
        Self { state: crate::genesis::build(&config).unwrap().state }
    }

    /// Sends a message, and looks whether everything adds up afterwards.
    fn call(&mut self, from: u8, to: Address, method: u64, params: Vec<u8>, value: TokenAmount) -> Applied {
        self.call_with_gas(from, to, method, params, value, 9_000_000_000)
    }

    fn call_with_gas(
        &mut self,
        from: u8,
        to: Address,
        method_num: u64,
        params: Vec<u8>,
        value: TokenAmount,
        gas_limit: u64,
    ) -> Applied {
        let message = Message {
            sequence: self.state.get(id(from)).unwrap().nonce,
            method_num,
            params: params.into(),
            gas_limit,
            gas_fee_cap: atto(100),
            ..MessageRequest::transfer(id_address(from), to, value).message
        };
        let applied = NativeVm.apply_one(
            &mut self.state,
            &Context { base_fee: atto(100) },
            &message,
            ApplyMode::Explicit { chain_len: 300 },
        );
        self.check();
        applied
    }

    /// Sends a message and answers its exit code.
    #[track_caller]
    fn code(&mut self, from: u8, to: Address, method: u64, params: &impl Encode) -> ExitCode {
        self.call(from, to, method, params.to_cbor(), atto(0)).receipt.exit_code
    }

    /// Sends a message that must succeed, and answers what it returned.
    #[track_caller]
    fn returns<R: Decode>(&mut self, from: u8, to: Address, method: u64, params: Vec<u8>) -> R {
        let applied = self.call(from, to, method, params, atto(0));
        assert_eq!(applied.receipt.exit_code, OK, "{}", applied.reason);
        R::from_cbor(&applied.receipt.return_data).unwrap()
    }

    /// Mines empty epochs up to a height.
    fn advance_to(&mut self, epoch: ChainEpoch) {
        self.mine(epoch, &[], &[]);
    }

    /// Mines a tipset of blocks without messages, by miner and wins.
    fn mine(&mut self, epoch: ChainEpoch, wins: &[(ActorID, i64)], changes: &[(ChainEpoch, StateChange)]) {
        let block = |(miner, win_count): &(ActorID, i64)| ExecBlock {
            miner: *miner,
            win_count: *win_count,
            messages: Vec::new(),
        };
        let blocks: Vec<ExecBlock> = wins.iter().map(block).collect();
        let exec = TipsetExec { epoch, base_fee: atto(100), blocks: &blocks, changes, trace: false };
        self.state = NativeVm.apply_tipset(&self.state, &exec).state;
        assert_eq!(self.state.next_epoch(), epoch + 1);
        self.check();
    }

    /// No FIL comes or goes, no miner has less than is bound, and the power actor knows what all have bound.
    #[track_caller]
    fn check(&self) {
        assert_eq!(self.state.supply(), fil(TOTAL_FIL));
        let mut bound = atto(0);
        for (id, actor) in self.state.iter() {
            assert!(!actor.balance.is_negative());
            if let Some(miner) = self.state.miner(id) {
                assert!(miner.is_solvent(&actor.balance), "f0{id}");
                let vesting: TokenAmount = miner.vesting.0.iter().map(|(_, amount)| amount).sum();
                assert_eq!(vesting, miner.locked_funds);
                bound += &miner.locked_funds + &miner.initial_pledge;
            }
        }
        assert_eq!(self.state.power().unwrap().pledge, bound);
    }

    fn miner(&self) -> &MinerState {
        self.state.miner(MINER_ID).unwrap()
    }

    fn balance(&self, id: ActorID) -> TokenAmount {
        self.state.get(id).unwrap().balance.clone()
    }
}
