use venus_core::actors::account::{AUTHENTICATE_MESSAGE, PUBKEY_ADDRESS};
use venus_core::actors::reward::{AWARD_BLOCK_REWARD, AwardBlockRewardParams};
use venus_core::actors::{ActorKind, methods};
use venus_core::types::{BigInt, RawBytes};

use super::*;
use crate::state::{CRON, DATACAP, EAM, MARKET, POWER, REWARD, SYSTEM, VERIFREG};
use crate::vm::actors;

#[test]
fn every_method_has_a_name() {
    let version = methods::actors_version(crate::genesis::NETWORK_VERSION);
    for kind in ActorKind::ALL {
        let mut seen = std::collections::BTreeSet::new();
        for method in actors::table(*kind) {
            for number in method.numbers {
                assert!(methods::name(*kind, version, *number).is_some(), "{kind} {number}");
                assert!(seen.insert(*number), "{kind} {number} twice");
            }
        }
    }
}

#[test]
fn methods_that_nobody_has_are_refused() {
    let mut world = World::new();
    for actor in [SYSTEM, REWARD, CRON, POWER, MARKET, VERIFREG, DATACAP, EAM, MINER_ID, id(2)] {
        let to = Address::new_id(actor);
        assert_eq!(world.code(1, to, 9999, &RawBytes::default()), UNHANDLED, "f0{actor}");
        assert_eq!(world.code(1, to, 1, &RawBytes::default()), FORBIDDEN, "f0{actor}: constructor");
    }
}

#[test]
fn what_only_the_system_calls_is_forbidden_to_others() {
    let mut world = World::new();
    let award = AwardBlockRewardParams { miner: MINER, penalty: atto(0), gas_reward: atto(0), win_count: 1 };
    let (power, reward) = (Address::new_id(POWER), Address::new_id(REWARD));
    assert_eq!(world.code(1, reward, AWARD_BLOCK_REWARD, &award), FORBIDDEN);
    assert_eq!(world.code(1, reward, 4, &BigInt::from(1)), FORBIDDEN);
    let empty =
        |world: &mut World, to, method| world.call(1, to, method, Vec::new(), atto(0)).receipt.exit_code;
    assert_eq!(empty(&mut world, Address::new_id(CRON), 2), FORBIDDEN);
    assert_eq!(empty(&mut world, Address::new_id(MARKET), 9), FORBIDDEN);
    assert_eq!(empty(&mut world, power, 5), FORBIDDEN);
    for (method, params) in [(3, vec![0x82, 0x40, 0x40]), (4, vec![0x82, 0, 0x40]), (6, vec![0x40])] {
        let done = world.call(1, power, method, params, atto(0));
        assert_eq!(done.receipt.exit_code, FORBIDDEN, "power {method}");
    }
    for method in [12, 14] {
        let done = world.call(1, MINER, method, vec![0x80], atto(0));
        assert_eq!(done.receipt.exit_code, FORBIDDEN, "miner {method}");
    }
    assert_eq!(world.state.next_epoch(), 1);
}

#[test]
fn power_and_reward_tell_what_they_know() {
    let mut world = World::new();
    world.mine(1, &[(MINER_ID, 2)], &[]);
    let power = Address::new_id(POWER);
    let bytes = BigInt::from(8 * 2048);
    assert_eq!(world.returns::<BigInt>(1, power, 931_722_534, Vec::new()), bytes);
    assert_eq!(world.returns::<u64>(1, power, 1_987_646_258, Vec::new()), 1);
    assert_eq!(world.returns::<u64>(1, power, 196_739_875, Vec::new()), 1);
    let raw = world.call(1, power, 3_753_401_894, MINER_ID.to_cbor(), atto(0)).receipt.return_data;
    let mut expected = vec![0x82];
    expected.extend(bytes.to_cbor());
    expected.push(0xf5);
    assert_eq!(raw, expected);
    assert_eq!(world.code(1, power, 3_753_401_894, &7u64), NOT_FOUND);
    let total = world.call(1, power, 9, Vec::new(), atto(0)).receipt;
    assert!(total.exit_code.is_success() && total.return_data.starts_with(&[0x86]));
    let reward = world.call(1, Address::new_id(REWARD), 3, Vec::new(), atto(0)).receipt;
    assert!(reward.exit_code.is_success() && reward.return_data.starts_with(&[0x82, 0x82]));
    assert_eq!(world.call(1, power, 9, vec![1], atto(0)).receipt.exit_code, ARGUMENT);
}

#[test]
fn accounts_tell_their_key_and_judge_signatures() {
    let mut world = World::new();
    assert_eq!(world.returns::<Address>(1, key(2), PUBKEY_ADDRESS, Vec::new()), key(2));
    let params = venus_core::actors::account::AuthenticateMessageParams {
        signature: vec![1; 96],
        message: b"message".to_vec(),
    };
    assert_eq!(world.code(1, key(2), AUTHENTICATE_MESSAGE, &params), ARGUMENT);
    assert_eq!(world.code(1, id_address(6), AUTHENTICATE_MESSAGE, &params), ARGUMENT);
    assert_eq!(world.code(1, Address::new_id(90), AUTHENTICATE_MESSAGE, &params), ARGUMENT, "no key");
}

#[test]
fn empty_rounds_end_too() {
    let mut slow = World::new();
    let mut fast = World::new();
    (1..=100).for_each(|epoch| slow.advance_to(epoch));
    fast.advance_to(100);
    assert_eq!(slow.state.root(), fast.state.root());
    let miner = fast.miner();
    let now = miner.deadline(&fast.state.rules().deadlines, 101);
    assert_eq!((miner.period_start, miner.current_deadline), (now.period_start, now.index));
}
