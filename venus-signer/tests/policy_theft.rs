#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
//! Ways to make money with a signature that looks like a part of mining.

mod policy_support;

use std::time::Duration;

use policy_support::*;
use venus_core::clock::ManualClock;
use venus_core::types::{Message, MsgMeta, MsgType, TokenAmount};
use venus_signer::policy::{Policy, PolicyConfig};
use venus_signer::{Caller, Check, Payload, Refusal, Review, SignRequest, SigningNetwork};

fn clocked(text: &str) -> (Policy, ManualClock) {
    let clock = ManualClock::new(Duration::from_secs(1_000_000));
    let config = PolicyConfig::from_toml(text).unwrap();
    (Policy::builder(&config).unwrap().clock(clock.clone()).build(), clock)
}

/// A message whose gas costs 5 FIL, of which `premium` attoFIL for each of 10^10 units of gas are for who mines it.
fn dear(premium: u64) -> Message {
    let mut message = send(MINER, "0");
    message.gas_limit = 10_000_000_000;
    message.gas_fee_cap = TokenAmount::from_atto(500_000_000_u64);
    message.gas_premium = TokenAmount::from_atto(premium);
    message
}

#[tokio::test]
async fn a_key_is_not_emptied_by_premiums() {
    let (policy, clock) = clocked("");
    for _ in 0..10 {
        assert!(allows(&policy, &dear(500_000_000)).await);
    }
    let refused = text(ask(&policy, &dear(500_000_000)).await);
    assert!(refused.contains("mining.tip_total") && refused.contains("50 FIL"), "{refused}");
    // What is burnt is nobody's gain, and the proofs of a miner go on with small premiums.
    assert!(allows(&policy, &dear(0)).await);
    clock.advance(Duration::from_secs(86_400 + 86_400 / 64));
    assert!(allows(&policy, &dear(500_000_000)).await);
}

#[tokio::test]
async fn a_premium_above_the_fee_cap_counts_as_what_is_paid() {
    let (policy, _) = clocked("[mining]\ntip_total={value='5 FIL', period='1h'}");
    assert!(allows(&policy, &dear(u64::MAX)).await);
    assert!(!allows(&policy, &dear(1)).await);
}

#[tokio::test]
async fn a_proposal_pays_its_premium_once_and_a_rule_has_its_own_limits() {
    let (policy, _) = clocked("[mining]\ntip_total={value='5 FIL', period='1h'}");
    let mut proposal = dear(500_000_000);
    proposal.method_num = 2;
    proposal.to = addr("f02000");
    proposal.params = propose("f03000", "0", 0, Vec::new()).into();
    assert!(allows(&policy, &proposal).await, "five, and not ten");
    assert!(!allows(&policy, &proposal).await);
    let rule = "[mining]\ntip_total={value='1 FIL', period='1h'}\n[[rule]]\nname='x'\naction='allow'\nmethods=['Send']";
    assert!(allows(&clocked(rule).0, &dear(500_000_000)).await);
}

async fn digest_for(caller: &Caller, policy: &Policy) -> Result<(), Refusal> {
    let meta = MsgMeta::of(MsgType::Unknown);
    let request = SignRequest { signer: bls(), to_sign: &[7; 32], meta: &meta, caller };
    let payload = Payload::read(&request, &SigningNetwork::default()).unwrap();
    policy.check(&Review { request: &request, payload: &payload }).await
}

/// 32 bytes may be the challenge by which another hub makes sure who has a key.
#[tokio::test]
async fn a_hub_does_not_get_the_challenge_of_another_signed_as_unknown_bytes() {
    let hub = Caller::gateway("hostile", vec!["mallory".into()]);
    let (policy, _) = clocked("");
    let refused = text(digest_for(&hub, &policy).await);
    assert!(refused.contains("drawrandomparam"), "{refused}");
    // A Lotus node asks for its draws so, and it is no hub.
    digest_for(&Caller::rpc("lotus", venus_core::api::Permissions::ALL), &policy).await.unwrap();
    let rule = "[[rule]]\nname='old hub'\naction='allow'\ntypes=['raw-digest32']\ncaller={hubs=['hostile']}";
    digest_for(&hub, &clocked(rule).0).await.unwrap();
}
