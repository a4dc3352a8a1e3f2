use proptest::prelude::*;
use venus_core::actors::ActorKind;
use venus_core::actors::init::{EXEC, ExecParams};
use venus_core::actors::miner::*;
use venus_core::actors::multisig::{ConstructorParams, PROPOSE, ProposeParams};
use venus_core::actors::power::{CREATE_MINER, CreateMinerParams};

use super::*;
use crate::state::{INIT, POWER, code};

/// What an account may do.
#[derive(Clone, Debug)]
enum Act {
    Send { to: u64, method: u64, params: Vec<u8>, value: i64 },
    MakeWallet { signer: u8, threshold: u64, unlock: i64, value: i64 },
    MakeMiner { value: i64 },
    Propose { wallet: u64, to: u64, method: u64, value: i64 },
    Withdraw { fil: i64 },
    Beneficiary { to: u8, quota: i64 },
    Mine { epochs: i64, wins: i64 },
}

fn act() -> impl Strategy<Value = Act> {
    let ids = prop_oneof![0u64..12, 80u64..110, 999u64..1010];
    let methods = prop_oneof![0u64..40, Just(1_570_634_796), any::<u64>()];
    let bytes = prop::collection::vec(any::<u8>(), 0..40);
    prop_oneof![
        (ids.clone(), methods.clone(), bytes, -1i64..200).prop_map(|(to, method, params, value)| Act::Send {
            to,
            method,
            params,
            value
        }),
        (1u8..8, 0u64..3, -1i64..300, 0i64..300).prop_map(|(signer, threshold, unlock, value)| {
            Act::MakeWallet { signer, threshold, unlock, value }
        }),
        (0i64..3).prop_map(|value| Act::MakeMiner { value }),
        (1001u64..1010, ids, methods, -1i64..200).prop_map(|(wallet, to, method, value)| Act::Propose {
            wallet,
            to,
            method,
            value
        }),
        (-1i64..100).prop_map(|fil| Act::Withdraw { fil }),
        (1u8..6, 0i64..50).prop_map(|(to, quota)| Act::Beneficiary { to, quota }),
        (1i64..40, 0i64..6).prop_map(|(epochs, wins)| Act::Mine { epochs, wins }),
    ]
}

fn perform(world: &mut World, from: u8, act: Act) {
    match act {
        Act::Send { to, method, params, value } => {
            world.call(from, Address::new_id(to), method, params, fil(value));
        }
        Act::MakeWallet { signer, threshold, unlock, value } => {
            let constructor = ConstructorParams {
                signers: vec![id_address(from), key(signer)],
                num_approvals_threshold: threshold,
                unlock_duration: unlock,
                start_epoch: 5,
            };
            let constructor_params = constructor.to_cbor().into();
            let params = ExecParams { code_cid: code(ActorKind::Multisig), constructor_params };
            world.call(from, Address::new_id(INIT), EXEC, params.to_cbor(), fil(value));
        }
        Act::MakeMiner { value } => {
            let params = CreateMinerParams {
                owner: key(from.min(5)),
                worker: key(2),
                window_post_proof_type: 10,
                peer: vec![],
                multiaddrs: vec![],
            };
            world.call(from, Address::new_id(POWER), CREATE_MINER, params.to_cbor(), fil(value));
        }
        Act::Propose { wallet, to, method, value } => {
            let params =
                ProposeParams { to: Address::new_id(to), value: fil(value), method, params: vec![].into() };
            world.call(from, Address::new_id(wallet), PROPOSE, params.to_cbor(), atto(0));
        }
        Act::Withdraw { fil: amount } => {
            let params = WithdrawBalanceParams { amount_requested: fil(amount) };
            world.call(from, MINER, WITHDRAW_BALANCE, params.to_cbor(), atto(0));
        }
        Act::Beneficiary { to, quota } => {
            let params = ChangeBeneficiaryParams {
                new_beneficiary: id_address(to),
                new_quota: fil(quota),
                new_expiration: 100,
            };
            world.call(from, MINER, CHANGE_BENEFICIARY, params.to_cbor(), atto(0));
        }
        Act::Mine { epochs, wins } => {
            let epoch = world.state.next_epoch() + epochs - 1;
            let wins: &[(ActorID, i64)] = if wins > 0 { &[(MINER_ID, wins)] } else { &[] };
            world.mine(epoch, wins, &[]);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    /// Whatever happens: FIL is conserved, miners are solvent, and the pledges add up. `World::call` looks.
    #[test]
    fn money_adds_up_whatever_happens(acts in prop::collection::vec((1u8..=6, act()), 1..40)) {
        let config = DevnetConfig { vesting_period: 360, ..DevnetConfig::default() };
        let mut world = World::with(config);
        for (from, act) in acts {
            perform(&mut world, from, act);
        }
    }

    /// No parameters make an actor do anything but answer.
    #[test]
    fn any_parameters_are_answered(
        to in prop_oneof![0u64..12, Just(80), Just(101), Just(1000)],
        method in 0u64..40,
        params in prop::collection::vec(any::<u8>(), 0..60),
    ) {
        let mut world = World::new();
        world.call(3, Address::new_id(to), method, params, atto(0));
    }
}
