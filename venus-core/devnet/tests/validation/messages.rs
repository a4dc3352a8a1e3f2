//! Rule 15: the messages.

use venus_core::api::{
    BlockProducer, ChainError, GasEstimator, GasSpec, ISigner, MessagePool, MessageRequest, SignerExt,
};
use venus_core::types::{
    Address, BlockHeader, BlockMsg, Message, MessageExt, MsgMeta, MsgType, Signature, SignedMessage, Tipset,
    TokenAmount,
};

use crate::case::{Case, carry, nowhere, won};
use crate::support::World;

/// The waiting messages of the BLS account and of the other.
async fn waiting(case: &Case) -> (Vec<SignedMessage>, Vec<SignedMessage>) {
    let pending = case.world.devnet.pending().await.unwrap();
    let of = |from| pending.iter().filter(|m| m.message.from == from).cloned().collect::<Vec<_>>();
    (of(case.world.bls), of(case.world.secp))
}

#[tokio::test]
async fn rule_15_aggregate_is_the_sum() {
    let case = Case::new().await;
    case.breaks("BLSAggregate", |h| h.bls_aggregate.as_mut().unwrap().data[9] ^= 1).await;
    let secp = |h: &mut BlockHeader| h.bls_aggregate = Some(Signature::secp256k1([0; 65]));
    case.breaks("BLSAggregate", secp).await;
    let empty = venus_core::crypto::bls::EMPTY_AGGREGATE;
    case.breaks("BLSAggregate", |h| h.bls_aggregate = Some(Signature::bls(empty))).await;
    let (bls, _) = waiting(&case).await;
    let of_one = bls[0].signature.clone();
    case.breaks("BLSAggregate", |h| h.bls_aggregate = Some(of_one)).await;
    case.goes_on().await;
}

#[tokio::test]
async fn rule_15_no_messages_have_the_empty_aggregate() {
    let case = Case::new().await;
    let (bls, _) = waiting(&case).await;
    let mut block = case.with_messages(&[]).await;
    block.header.bls_aggregate = Some(bls[0].signature.clone());
    case.world.sign(&mut block, &case.info.worker_key).await;
    assert_eq!(case.rule_of(&block).await, "BLSAggregate");
    let block = case.with_messages(&[]).await;
    case.world.devnet.submit_block(&block).await.unwrap();
    case.world.extend().await;
}

#[tokio::test]
async fn rule_15_message_root() {
    let case = Case::new().await;
    case.breaks("Messages", |h| h.messages = nowhere()).await;
    let mut block = case.block.clone();
    block.bls_messages.swap(0, 1);
    assert_eq!(case.rule_of(&block).await, "Messages");
    let mut block = case.block.clone();
    block.secp_messages.pop();
    let reject = case.reject_of(&block).await;
    assert!(reject.to_string().contains("provided messages did not match block"), "{reject}");
    case.goes_on().await;
}

#[tokio::test]
async fn rule_15_each_message_stands_in_its_list() {
    let case = Case::new().await;
    let mut block = case.block.clone();
    let moved = block.secp_messages.remove(0);
    block.bls_messages.push(moved);
    assert_eq!(case.rule_of(&block).await, "Messages");
    case.goes_on().await;
}

#[tokio::test]
async fn rule_15_lists_have_a_bound() {
    let case = Case::new().await;
    let mut block = case.block.clone();
    block.bls_messages = vec![nowhere(); 8193];
    assert_eq!(case.rule_of(&block).await, "Messages");
    block.bls_messages = vec![nowhere(); 8000];
    block.secp_messages = vec![nowhere(); 8000];
    assert_eq!(case.rule_of(&block).await, "Messages");
    case.goes_on().await;
}

#[tokio::test]
async fn rule_15_nonces_have_no_gap() {
    let case = Case::new().await;
    let (bls, secp) = waiting(&case).await;
    let cases = [
        vec![bls[1].clone()],
        vec![bls[1].clone(), bls[0].clone()],
        vec![bls[0].clone(), bls[0].clone()],
        vec![bls[0].clone(), secp[1].clone()],
    ];
    for messages in cases {
        let block = case.with_messages(&messages).await;
        assert_eq!(case.rule_of(&block).await, "Nonce");
    }
    let block = case.with_messages(&[bls[0].clone(), secp[0].clone()]).await;
    case.world.devnet.submit_block(&block).await.unwrap();
}

#[tokio::test]
async fn rule_15_a_message_that_landed_before_may_not_land_again() {
    let case = Case::new().await;
    let block = case.with_messages(&case.landed[..1]).await;
    assert_eq!(case.rule_of(&block).await, "Nonce");
    case.goes_on().await;
}

#[tokio::test]
async fn rule_15_gas_of_all_messages_has_a_limit() {
    let case = Case::new().await;
    let world = &case.world;
    let mut heavy = Vec::new();
    for nonce in 2..5 {
        let mut message = MessageRequest::transfer(world.secp, world.bls, TokenAmount::from_atto(7)).message;
        message.sequence = nonce;
        let message = world.devnet.estimate(&message, &GasSpec::default()).await.unwrap();
        let message = Message { gas_limit: 4_000_000_000, ..message };
        let signed = world.signer.sign_message(&message).await.unwrap();
        world.devnet.push(&signed).await.unwrap();
        heavy.push(signed);
    }
    let (_, secp) = waiting(&case).await;
    let block = case.with_messages(&secp).await;
    assert_eq!(case.rule_of(&block).await, "GasLimit");
    let block = case.with_messages(&secp[..4]).await;
    world.devnet.submit_block(&block).await.unwrap();
    world.extend().await;
}

/// An account that came to be after the base.
#[tokio::test]
async fn rule_15_sender_is_an_account_of_the_base() {
    let world = World::new(25, 3);
    let genesis = world.head().await;
    let late = world.signer.new_secp();
    let mut gift = MessageRequest::transfer(world.bls, late, crate::support::fil(1)).message;
    gift = world.devnet.estimate(&gift, &GasSpec::default()).await.unwrap();
    world.devnet.push(&world.signer.sign_message(&gift).await.unwrap()).await.unwrap();
    // This one has no block on the genesis yet, nor at the heights that are taken.
    let miner = world.devnet.miners()[2];
    for _ in 0..2 {
        world.extend_without(&miner).await;
    }
    let message = world.transfer(late, world.bls, 0).await;
    world.devnet.push(&message).await.unwrap();
    let head = world.head().await;
    let mut block = won(&world, miner, head.height() + 1, &genesis).await;
    carry(&mut block, &[message]);
    let info = world.devnet.base_info(&miner, block.header.height, genesis.key()).await.unwrap().unwrap();
    world.sign(&mut block, &info.worker_key).await;
    let result = world.devnet.submit_block(&block).await;
    assert!(result.as_ref().is_err_and(|e| e.to_string().contains("From")), "{result:?}");
    world.extend().await;
}

/// On two branches one ID stands for two keys. A signature that is right on one is wrong on the other.
#[tokio::test]
async fn rule_15_a_signature_is_of_the_sender_on_this_branch() {
    let world = World::new(26, 3);
    let genesis = world.head().await;
    let miners = world.devnet.miners();
    let (x, y) = (world.signer.new_secp(), world.signer.new_secp());
    let mut branches = Vec::new();
    for (miner, to, epoch) in [(miners[0], x, 1), (miners[1], y, 100)] {
        let mut gift = MessageRequest::transfer(world.bls, to, crate::support::fil(1)).message;
        gift = world.devnet.estimate(&gift, &GasSpec::default()).await.unwrap();
        (gift.sequence, gift.gas_limit) = (0, 5_000_000);
        let gift = world.signer.sign_message(&gift).await.unwrap();
        let block = with_template(&world, miner, epoch, &genesis, &[gift]).await;
        world.devnet.submit_block(&block).await.unwrap();
        branches.push(Tipset::new(vec![block.header]).unwrap());
    }
    let id = Address::new_id(1003);
    let mut message = MessageRequest::transfer(id, world.bls, TokenAmount::from_atto(1)).message;
    (message.gas_limit, message.gas_fee_cap) = (5_000_000, TokenAmount::from_nano(10));
    let meta =
        MsgMeta { msg_type: MsgType::ChainMessage, extra: venus_core::cbor::Encode::to_cbor(&message) };
    let signature = world.signer.sign(&x, &message.cid().to_bytes(), &meta).await.unwrap();
    let signed = SignedMessage { message, signature };
    // Only looking, nothing is submitted: the node knows the message from now on.
    with_template(&world, miners[2], 200, &branches[0], std::slice::from_ref(&signed)).await;
    let mut block = won(&world, miners[2], 200, &branches[1]).await;
    carry(&mut block, &[signed]);
    let info = world.devnet.base_info(&miners[2], block.header.height, branches[1].key()).await;
    world.sign(&mut block, &info.unwrap().unwrap().worker_key).await;
    let result = world.devnet.submit_block(&block).await;
    assert!(result.as_ref().is_err_and(|e| e.to_string().contains("not its sender's")), "{result:?}");
}

/// As [`won`], with messages.
async fn with_template(
    world: &World,
    miner: Address,
    epoch: i64,
    base: &Tipset,
    messages: &[SignedMessage],
) -> BlockMsg {
    for epoch in epoch.. {
        if let Some((mut template, info)) = world.template(miner, epoch, base).await {
            world.at(epoch);
            template.messages = messages.to_vec();
            let mut block = world.devnet.create_block(&template).await.unwrap();
            world.sign(&mut block, &info.worker_key).await;
            return block;
        }
    }
    unreachable!()
}

/// What the pool never takes can get into a block only through a template.
#[tokio::test]
async fn rule_15_templates_with_messages_that_no_block_takes_are_refused() {
    let case = Case::new().await;
    let world = &case.world;
    let (mut template, _) =
        world.template(case.block.header.miner, case.block.header.height, &case.base).await.unwrap();
    let good = world.devnet.pending().await.unwrap()[0].message.clone();
    let stranger = world.signer.new_bls();
    let bad = [
        Message { gas_limit: 1000, ..good.clone() },
        Message { gas_limit: 10_000_000_001, ..good.clone() },
        Message { version: 1, ..good.clone() },
        Message { value: TokenAmount::from_atto(-1), ..good.clone() },
        Message { gas_premium: &good.gas_fee_cap + TokenAmount::from_atto(1), ..good.clone() },
        Message { sequence: good.sequence + 1, ..good.clone() },
        Message { from: stranger, sequence: 0, ..good.clone() },
    ];
    for message in bad {
        template.messages = vec![world.signer.sign_message(&message).await.unwrap()];
        let result = world.devnet.create_block(&template).await;
        assert!(matches!(result, Err(ChainError::Invalid(_))), "{message:?}: {result:?}");
    }
    let mut forged = world.signer.sign_message(&good).await.unwrap();
    forged.message.value = TokenAmount::from_atto(9);
    template.messages = vec![forged];
    assert!(matches!(world.devnet.create_block(&template).await, Err(ChainError::Invalid(_))));
    let half = Message { gas_limit: 5_000_000_001, ..good.clone() };
    let second = Message { sequence: half.sequence + 1, ..half.clone() };
    template.messages = vec![
        world.signer.sign_message(&half).await.unwrap(),
        world.signer.sign_message(&second).await.unwrap(),
    ];
    let error = world.devnet.create_block(&template).await.unwrap_err();
    assert!(error.to_string().contains("GasLimit"), "{error}");
    case.goes_on().await;
}
