use venus_core::actors::miner::*;

use super::*;

fn params(to: u8, quota: i64, new_expiration: ChainEpoch) -> ChangeBeneficiaryParams {
    ChangeBeneficiaryParams { new_beneficiary: id_address(to), new_quota: fil(quota), new_expiration }
}

fn withdraw(world: &mut World, from: u8, amount: TokenAmount) -> Applied {
    let params = WithdrawBalanceParams { amount_requested: amount };
    world.call(from, MINER, WITHDRAW_BALANCE, params.to_cbor(), atto(0))
}

/// A miner with 100 FIL that are free.
fn world() -> World {
    let mut world = World::new();
    world.call(4, MINER, 0, Vec::new(), fil(100));
    world
}

#[test]
fn beneficiaries_are_proposed_and_approved() {
    let mut world = world();
    let told: GetBeneficiaryReturn = world.returns(5, MINER, GET_BENEFICIARY, Vec::new());
    assert_eq!((told.active.beneficiary, told.proposed), (id_address(OWNER), None));
    assert_eq!(world.code(3, MINER, CHANGE_BENEFICIARY, &params(3, 10, 50)), FORBIDDEN, "not proposed");
    assert_eq!(world.code(OWNER, MINER, CHANGE_BENEFICIARY, &params(3, 0, 50)), ARGUMENT);
    assert_eq!(world.code(OWNER, MINER, CHANGE_BENEFICIARY, &params(OWNER, 1, 0)), ARGUMENT);
    assert_eq!(world.code(OWNER, MINER, CHANGE_BENEFICIARY, &params(OWNER, 0, 1)), ARGUMENT);
    assert_eq!(world.code(OWNER, MINER, CHANGE_BENEFICIARY, &params(77, 1, 1)), ARGUMENT);

    assert_eq!(world.code(OWNER, MINER, CHANGE_BENEFICIARY, &params(3, 10, 50)), OK);
    let told: GetBeneficiaryReturn = world.returns(5, MINER, 4_158_972_569, Vec::new());
    let proposed = told.proposed.unwrap();
    assert!(proposed.approved_by_beneficiary && !proposed.approved_by_nominee);
    for other in [params(4, 10, 50), params(3, 11, 50), params(3, 10, 51)] {
        assert_eq!(world.code(3, MINER, CHANGE_BENEFICIARY, &other), ARGUMENT);
    }
    assert_eq!(world.code(3, MINER, CHANGE_BENEFICIARY, &params(3, 10, 50)), OK);
    let info = &world.miner().info;
    assert_eq!((info.beneficiary, info.term.quota.clone(), info.term.expiration), (id(3), fil(10), 50));
}

#[test]
fn a_beneficiary_gets_its_quota_until_its_term_ends() {
    let mut world = world();
    world.code(OWNER, MINER, CHANGE_BENEFICIARY, &params(3, 10, 50));
    world.code(3, MINER, CHANGE_BENEFICIARY, &params(3, 10, 50));
    let before = world.balance(id(3));
    // The owner may withdraw too, for the beneficiary.
    assert_eq!(withdraw(&mut world, OWNER, fil(4)).receipt.return_data, fil(4).to_cbor());
    assert_eq!(world.balance(id(3)), &before + fil(4));
    assert_eq!(withdraw(&mut world, 4, fil(1)).receipt.exit_code, FORBIDDEN);
    assert_eq!(withdraw(&mut world, 3, fil(100)).receipt.return_data, fil(6).to_cbor());
    assert_eq!(withdraw(&mut world, 3, fil(1)).receipt.exit_code, FORBIDDEN, "nothing left of the quota");

    // With nothing left to get the present one is not asked, and its next term counts on.
    assert_eq!(world.code(OWNER, MINER, CHANGE_BENEFICIARY, &params(3, 15, 50)), OK);
    assert_eq!(world.code(3, MINER, CHANGE_BENEFICIARY, &params(3, 15, 50)), OK);
    assert_eq!(withdraw(&mut world, 3, fil(1)).receipt.return_data, fil(1).to_cbor());
    world.advance_to(49);
    assert_eq!(withdraw(&mut world, 3, fil(1)).receipt.exit_code, FORBIDDEN, "the term is over");
}

#[test]
fn a_beneficiary_that_may_get_more_must_agree() {
    let mut world = world();
    world.code(OWNER, MINER, CHANGE_BENEFICIARY, &params(3, 10, 50));
    world.code(3, MINER, CHANGE_BENEFICIARY, &params(3, 10, 50));
    assert_eq!(world.code(OWNER, MINER, CHANGE_BENEFICIARY, &params(OWNER, 0, 0)), OK);
    assert_eq!(world.miner().info.beneficiary, id(3), "not without his consent");
    assert_eq!(world.code(3, MINER, CHANGE_BENEFICIARY, &params(OWNER, 0, 0)), OK);
    assert_eq!(world.miner().info.beneficiary, id(OWNER));
    assert!(world.miner().info.term.used_quota.is_zero());
}
