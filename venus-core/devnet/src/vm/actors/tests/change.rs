use venus_core::types::{BigInt, BitField};

use super::*;
use crate::state::{BURNT_FUNDS, REMAINDER, REWARD};
use crate::vm::apply_change;

#[track_caller]
fn apply(world: &mut World, change: &StateChange) -> Option<TokenAmount> {
    let done = apply_change(&mut world.state, change).unwrap();
    world.check();
    done
}

#[track_caller]
fn refused(world: &mut World, change: &StateChange) {
    let root = world.state.root();
    apply_change(&mut world.state, change).unwrap_err();
    assert_eq!(world.state.root(), root);
}

#[test]
fn balances_come_from_the_remainder() {
    let mut world = World::new();
    let before = world.balance(REMAINDER);
    apply(&mut world, &StateChange::SetBalance { address: key(3), balance: fil(5000) });
    assert_eq!((world.balance(id(3)), before - world.balance(REMAINDER)), (fil(5000), fil(4000)));
    apply(&mut world, &StateChange::SetBalance { address: id_address(3), balance: atto(1) });
    assert_eq!(world.balance(id(3)), atto(1));
    apply(&mut world, &StateChange::AddBalance { address: key(88), amount: fil(2) });
    assert_eq!(world.balance(world.state.resolve(&key(88)).unwrap()), fil(2));
    apply(&mut world, &StateChange::AddBalance { address: MINER, amount: fil(2) });
    for address in [Address::new_id(REMAINDER), Address::new_id(REWARD), Address::new_id(BURNT_FUNDS)] {
        refused(&mut world, &StateChange::AddBalance { address, amount: fil(1) });
    }
    refused(&mut world, &StateChange::AddBalance { address: Address::new_id(77), amount: fil(1) });
    refused(&mut world, &StateChange::AddBalance { address: key(2), amount: fil(-1001) });
    refused(&mut world, &StateChange::AddBalance { address: MINER, amount: fil(-3) });
    refused(&mut world, &StateChange::SetBalance { address: MINER, balance: atto(0) });
    refused(&mut world, &StateChange::SetBalance { address: key(2), balance: fil(-1) });
    refused(&mut world, &StateChange::SetBalance { address: key(99), balance: fil(2_000_000_000) });
}

#[test]
fn power_is_granted_and_taken() {
    let mut world = World::new();
    let grant = |miner, bytes: i64| StateChange::GrantPower {
        miner,
        raw: BigInt::from(bytes),
        quality_adjusted: BigInt::from(10 * bytes),
    };
    apply(&mut world, &grant(MINER, 100));
    assert_eq!(world.state.total_power(), BigInt::from(8 * 2048 + 1000));
    refused(&mut world, &grant(MINER, -2000));
    refused(&mut world, &grant(key(1), 1));
}

#[test]
fn sectors_fail_and_come_back() {
    let mut world = World::new();
    let sectors = BitField::try_from_bits([1, 2, 99]).unwrap();
    let miner = MINER;
    apply(&mut world, &StateChange::FaultSectors { miner, sectors: sectors.clone() });
    assert_eq!(world.state.total_power(), BigInt::from(6 * 2048));
    assert_eq!(world.miner().active_sectors(), 6);
    assert_eq!(world.miner().active_sector(1).unwrap().sector_number, 3);
    apply(&mut world, &StateChange::FaultSectors { miner, sectors: sectors.clone() });
    assert_eq!(world.state.total_power(), BigInt::from(6 * 2048), "they were faulty already");
    apply(&mut world, &StateChange::RecoverSectors { miner, sectors });
    assert_eq!(world.state.total_power(), BigInt::from(8 * 2048));
    let all = BitField::try_from_bits(0..8).unwrap();
    apply(&mut world, &StateChange::FaultSectors { miner, sectors: all.clone() });
    assert!(world.miner().sector(0).is_none());
    refused(&mut world, &StateChange::FaultSectors { miner: key(1), sectors: all });
}

#[test]
fn base_fees_are_answered() {
    let mut world = World::new();
    assert_eq!(apply(&mut world, &StateChange::SetBaseFee { base_fee: atto(100) }), Some(atto(100)));
    refused(&mut world, &StateChange::SetBaseFee { base_fee: atto(99) });
}

#[test]
fn changes_are_made_at_the_end_of_their_epoch_even_if_it_is_empty() {
    let add = |n: u8| StateChange::AddBalance { address: key(n), amount: fil(1) };
    let changes = [(3, add(2)), (3, add(2)), (5, StateChange::SetBaseFee { base_fee: atto(777) })];
    let mut world = World::new();
    world.mine(2, &[], &changes);
    assert_eq!(world.balance(id(2)), fil(1000));
    let exec = TipsetExec { epoch: 5, base_fee: atto(100), blocks: &[], changes: &changes, trace: true };
    let outcome = NativeVm.apply_tipset(&world.state, &exec);
    assert_eq!(outcome.next_base_fee, Some(atto(777)));
    assert_eq!(outcome.state.get(id(2)).unwrap().balance, fil(1002));
    assert_eq!(outcome.traces.len(), 3, "the ends of three epochs");
}
