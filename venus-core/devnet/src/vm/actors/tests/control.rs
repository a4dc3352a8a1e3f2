use venus_core::actors::miner::*;
use venus_core::types::RawBytes;

use super::*;
use crate::state::WorkerChange;

fn worker_change(worker: Address, control: &[u8]) -> ChangeWorkerAddressParams {
    ChangeWorkerAddressParams {
        new_worker: worker,
        new_control_addresses: control.iter().map(|n| key(*n)).collect(),
    }
}

#[test]
fn anybody_may_ask_who_controls_a_miner() {
    let mut world = World::new();
    let told: ControlAddressesReturn = world.returns(5, MINER, CONTROL_ADDRESSES, Vec::new());
    assert_eq!((told.owner, told.worker), (id_address(OWNER), id_address(WORKER)));
    assert!(told.control_addresses.is_empty());
    let asks = |world: &mut World, n| world.call(5, MINER, 348_244_887, key(n).to_cbor(), atto(0)).receipt;
    assert_eq!(asks(&mut world, WORKER).return_data, [0xf5]);
    assert_eq!(asks(&mut world, 3).return_data, [0xf4]);
    assert_eq!(world.returns::<u64>(5, MINER, 3_858_292_296, Vec::new()), 2048);
    let owner = world.call(5, MINER, 3_275_365_574, Vec::new(), atto(0)).receipt.return_data;
    assert_eq!(owner, [0x82, 0x42, 0, 100, 0xf6]);
    let peer = world.call(5, MINER, 2_812_875_329, Vec::new(), atto(0)).receipt.return_data;
    assert_eq!(peer[..3], [0x81, 0x58, 38]);
    let addresses = world.call(5, MINER, 1_332_909_407, Vec::new(), atto(0)).receipt.return_data;
    assert_eq!(addresses, [0x81, 0x80]);
}

#[test]
fn a_worker_takes_over_when_its_time_has_come_and_the_owner_confirms() {
    let mut world = World::new();
    world.advance_to(4);
    assert_eq!(world.code(OWNER, MINER, CHANGE_WORKER_ADDRESS, &worker_change(key(3), &[4, 5])), OK);
    let info = &world.miner().info;
    assert_eq!((info.worker, info.control.clone()), (id(WORKER), vec![id(4), id(5)]));
    assert_eq!(info.pending_worker, Some(WorkerChange { worker: id(3), effective_at: 5 + 20 }));
    // A change that is pending stays, control addresses change at once.
    assert_eq!(world.code(OWNER, MINER, CHANGE_WORKER_ADDRESS, &worker_change(key(4), &[])), OK);
    assert_eq!(world.miner().info.pending_worker.unwrap().worker, id(3));
    assert!(world.miner().info.control.is_empty());
    let confirm = |world: &mut World, from| {
        world.call(from, MINER, CONFIRM_CHANGE_WORKER_ADDRESS, Vec::new(), atto(0)).receipt.exit_code
    };
    world.advance_to(23);
    assert_eq!(confirm(&mut world, OWNER), OK);
    assert_eq!(world.miner().info.worker, id(WORKER), "an epoch early");
    world.advance_to(24);
    assert_eq!(confirm(&mut world, WORKER), FORBIDDEN);
    assert_eq!(confirm(&mut world, OWNER), OK);
    let info = &world.miner().info;
    assert_eq!((info.worker, info.pending_worker), (id(3), None));
}

#[test]
fn workers_that_make_no_sense_are_refused() {
    let mut world = World::new();
    let secp = Address::new_secp256k1(&[4; 65]).unwrap();
    let cases = [
        (WORKER, worker_change(key(3), &[]), FORBIDDEN),
        (OWNER, worker_change(secp, &[]), ARGUMENT),
        (OWNER, worker_change(key(77), &[]), ARGUMENT),
        (OWNER, worker_change(MINER, &[]), ARGUMENT),
        (OWNER, worker_change(key(3), &[77]), ARGUMENT),
        (OWNER, worker_change(key(3), &[3; 11]), ARGUMENT),
    ];
    for (from, params, code) in cases {
        assert_eq!(world.code(from, MINER, CHANGE_WORKER_ADDRESS, &params), code, "{params:?}");
    }
    assert_eq!(world.code(OWNER, MINER, CHANGE_WORKER_ADDRESS, &1u64), SERIALIZATION);
    assert!(world.miner().info.pending_worker.is_none());
}

#[test]
fn who_controls_a_miner_says_where_it_is() {
    let mut world = World::new();
    let peer = |len| ChangePeerIdParams { new_id: vec![7; len] };
    let addresses = |list: &[usize]| ChangeMultiaddrsParams {
        new_multiaddrs: list.iter().map(|len| vec![1; *len]).collect(),
    };
    assert_eq!(world.code(3, MINER, CHANGE_PEER_ID, &peer(38)), FORBIDDEN);
    assert_eq!(world.code(WORKER, MINER, CHANGE_PEER_ID, &peer(129)), ARGUMENT);
    assert_eq!(world.code(WORKER, MINER, CHANGE_PEER_ID, &peer(128)), OK);
    assert_eq!(world.miner().info.peer_id, [7; 128]);
    assert_eq!(world.code(3, MINER, CHANGE_MULTIADDRS, &addresses(&[5])), FORBIDDEN);
    assert_eq!(world.code(OWNER, MINER, CHANGE_MULTIADDRS, &addresses(&[5, 0])), ARGUMENT);
    assert_eq!(world.code(OWNER, MINER, CHANGE_MULTIADDRS, &addresses(&[1000, 25])), ARGUMENT);
    assert_eq!(world.code(OWNER, MINER, 1_063_480_576, &addresses(&[1000, 24])), OK);
    assert_eq!(world.miner().info.multiaddrs.len(), 2);
    world.code(OWNER, MINER, CHANGE_WORKER_ADDRESS, &worker_change(key(WORKER), &[3]));
    assert_eq!(world.code(3, MINER, CHANGE_PEER_ID, &peer(0)), OK, "a control address may");
}

#[test]
fn owners_change_in_two_steps() {
    let mut world = World::new();
    let change = CHANGE_OWNER_ADDRESS;
    assert_eq!(world.code(WORKER, MINER, change, &id_address(3)), FORBIDDEN);
    assert_eq!(world.code(OWNER, MINER, change, &key(3)), ARGUMENT, "no ID address");
    assert_eq!(world.code(OWNER, MINER, change, &Address::new_id(77)), ARGUMENT, "nobody");
    assert_eq!(world.code(OWNER, MINER, change, &id_address(3)), OK);
    assert_eq!(world.miner().info.pending_owner, Some(id(3)));
    assert_eq!(world.code(4, MINER, change, &id_address(4)), FORBIDDEN);
    assert_eq!(world.code(3, MINER, change, &id_address(4)), ARGUMENT);
    // The owner takes it back, and proposes again.
    assert_eq!(world.code(OWNER, MINER, change, &id_address(OWNER)), OK);
    assert_eq!(world.miner().info.pending_owner, None);
    assert_eq!(world.code(3, MINER, change, &id_address(3)), FORBIDDEN);
    assert_eq!(world.code(OWNER, MINER, change, &id_address(3)), OK);
    assert_eq!(world.code(3, MINER, 1_010_589_339, &id_address(3)), OK);
    let info = &world.miner().info;
    assert_eq!((info.owner, info.beneficiary, info.pending_owner), (id(3), id(3), None));
    assert_eq!(world.code(OWNER, MINER, change, &id_address(OWNER)), FORBIDDEN, "no more");
    assert_eq!(world.code(3, MINER, change, &RawBytes::default()), SERIALIZATION);
}
