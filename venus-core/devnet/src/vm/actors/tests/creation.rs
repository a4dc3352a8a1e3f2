use venus_core::actors::miner::{CHANGE_PEER_ID, ChangePeerIdParams};
use venus_core::actors::power::*;
use venus_core::types::BigInt;

use super::*;
use crate::state::POWER;

fn params() -> CreateMinerParams {
    CreateMinerParams {
        owner: key(3),
        worker: key(4),
        window_post_proof_type: 10,
        peer: vec![1; 38],
        multiaddrs: vec![vec![2; 8]],
    }
}

fn create(world: &mut World, params: &CreateMinerParams, value: TokenAmount) -> Applied {
    world.call(3, Address::new_id(POWER), CREATE_MINER, params.to_cbor(), value)
}

/// What a miner has to deposit.
fn deposit(world: &World) -> TokenAmount {
    NativeVm.view(&world.state, 1).initial_pledge(&BigInt::from(2048 / 10))
}

#[test]
fn a_deposit_makes_a_miner() {
    let mut world = World::new();
    world.advance_to(7);
    let (deposit, next) = (deposit(&world), world.state.next_id());
    let made = create(&mut world, &params(), fil(1));
    assert_eq!(made.receipt.exit_code, OK, "{}", made.reason);
    let made = CreateMinerReturn::from_cbor(&made.receipt.return_data).unwrap();
    assert_eq!(
        (made.id_address, world.state.resolve(&made.robust_address)),
        (Address::new_id(next), Some(next))
    );
    let miner = world.state.miner(next).unwrap();
    assert_eq!((miner.info.owner, miner.info.worker, miner.info.sector_size), (id(3), id(4), 2048));
    assert_eq!((miner.locked_funds.clone(), world.balance(next)), (deposit, fil(1)));
    let now = miner.deadline(&world.state.rules().deadlines, 8);
    assert_eq!((miner.period_start, miner.current_deadline), (now.period_start, now.index));
    assert_eq!(world.state.claim(next).unwrap().raw, BigInt::ZERO);
    let view = NativeVm.view(&world.state, 8);
    assert_eq!(view.miners(), [MINER_ID, next]);
    assert!(!view.power(Some(next)).has_min_power && view.sectors(next, None).unwrap().is_empty());
    assert_eq!(view.robust(next), Some(made.robust_address));
    let peer = ChangePeerIdParams { new_id: vec![] };
    assert_eq!(world.code(4, made.robust_address, CHANGE_PEER_ID, &peer), OK);
    // The next message of the same sender makes another one.
    let other = create(&mut world, &params(), fil(1)).receipt.return_data;
    assert_ne!(CreateMinerReturn::from_cbor(&other).unwrap().robust_address, made.robust_address);
}

#[test]
fn miners_that_make_no_sense_are_refused() {
    let mut world = World::new();
    let secp = Address::new_secp256k1(&[4; 65]).unwrap();
    let cases = [
        (CreateMinerParams { owner: key(77), ..params() }, ARGUMENT),
        (CreateMinerParams { owner: MINER, ..params() }, ARGUMENT),
        (CreateMinerParams { worker: secp, ..params() }, ARGUMENT),
        (CreateMinerParams { worker: key(77), ..params() }, ARGUMENT),
        (CreateMinerParams { window_post_proof_type: 5, ..params() }, ARGUMENT),
        (CreateMinerParams { peer: vec![1; 129], ..params() }, ARGUMENT),
        (CreateMinerParams { multiaddrs: vec![vec![]], ..params() }, ARGUMENT),
    ];
    let next = world.state.next_id();
    for (params, code) in &cases {
        let made = create(&mut world, params, fil(1));
        assert_eq!(made.receipt.exit_code, *code, "{} {params:?}", made.reason);
    }
    let little = deposit(&world) - atto(1);
    assert_eq!(create(&mut world, &params(), little).receipt.exit_code, FUNDS);
    assert_eq!(world.state.next_id(), next);
    assert_eq!(world.code(3, Address::new_id(POWER), CREATE_MINER, &1u64), SERIALIZATION);
    let sizes: Vec<u64> = [11, 12, 13, 14]
        .map(|window_post_proof_type| {
            let made = create(&mut world, &CreateMinerParams { window_post_proof_type, ..params() }, fil(1));
            let made = CreateMinerReturn::from_cbor(&made.receipt.return_data).unwrap();
            world.state.miner(made.id_address.id().unwrap()).unwrap().info.sector_size
        })
        .into();
    assert_eq!(sizes, [8 << 20, 512 << 20, 32 << 30, 64 << 30]);
}
