#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
//! Rules by each of their dimensions, and the preset.

mod policy_support;

use policy_support::*;
use rstest::rstest;
use venus_core::api::Permissions;
use venus_core::cbor::Encode;
use venus_core::types::{
    BeaconEntry, BlockHeader, DrawRandomParams, ElectionProof, Message, MsgType, Ticket, TokenAmount,
};
use venus_signer::policy::{MethodName, Policy, PolicyConfig, PolicyError, Preset, RuleConfig};
use venus_signer::{Caller, ExprFilter};

fn only(rule: RuleConfig) -> Policy {
    Policy::new(&PolicyConfig::preset(Preset::Deny).rule(rule)).unwrap()
}

#[tokio::test]
async fn the_first_rule_that_matches_decides() {
    let rules = [RuleConfig::deny("no").to([MINER]), RuleConfig::allow("yes").types(["message"])];
    let [no, yes] = rules;
    let first = PolicyConfig::preset(Preset::Deny).rule(no.clone()).rule(yes.clone());
    let second = PolicyConfig::preset(Preset::Deny).rule(yes).rule(no);
    let message = send(MINER, "0");
    assert!(!allows(&Policy::new(&first).unwrap(), &message).await);
    assert!(allows(&Policy::new(&second).unwrap(), &message).await);
    let explained = explain(&Policy::new(&first).unwrap(), &message).await;
    assert_eq!(explained.by, "rule \"no\"");
    assert_eq!(explained.reason, "Send to f01000 is denied");
}

#[rstest]
#[case::deny("deny", "0", false)]
#[case::allow("allow", "5 FIL", true)]
#[case::mining_nothing("mining", "0", true)]
#[case::mining_value("mining", "1 attoFIL", false)]
#[tokio::test]
async fn presets(#[case] preset: &str, #[case] value: &str, #[case] allowed: bool) {
    let policy = policy(&format!("default = {preset:?}"));
    assert_eq!(allows(&policy, &send("f01234", value)).await, allowed);
}

#[rstest]
#[case::same(SECP, true)]
#[case::testnet("t1abjxfbp274xpdqcpuaykwkfb43omjotacm2p3za", true)]
#[case::upper_case("F1ABJXFBP274XPDQCPUAYKWKFB43OMJOTACM2P3ZA", true)]
#[tokio::test]
async fn keys(#[case] key: &str, #[case] allowed: bool) {
    let policy = only(RuleConfig::allow("mine").keys([key]).types(["message"]));
    assert_eq!(allows(&policy, &send(MINER, "1")).await, allowed);
    let foreign = Message { from: other(), ..send(MINER, "1") };
    assert!(!allows(&policy, &foreign).await);
}

#[rstest]
#[case::id("f01000", true)]
#[case::testnet("t01000", true)]
#[case::upper("T01000", true)]
#[case::another("f01001", false)]
#[tokio::test]
async fn recipients(#[case] to: &str, #[case] allowed: bool) {
    let policy = only(RuleConfig::allow("there").to([to]));
    assert_eq!(allows(&policy, &send(MINER, "1")).await, allowed);
}

#[rstest]
#[case::by_number(16.into(), true)]
#[case::by_name("WithdrawBalance".into(), true)]
#[case::by_kind("miner.WithdrawBalance".into(), true)]
#[case::other_kind("market.WithdrawBalance".into(), false)]
#[case::other_number(23.into(), false)]
#[case::send("Send".into(), false)]
#[tokio::test]
async fn methods(#[case] name: MethodName, #[case] allowed: bool) {
    let policy = only(RuleConfig::allow("m").methods([name]));
    assert_eq!(allows(&policy, &call(MINER, 16, "0", withdraw())).await, allowed);
}

#[tokio::test]
async fn a_name_covers_its_exported_twin() {
    let twin = call(MINER, 2_280_458_852, "0", withdraw());
    let rule = RuleConfig::allow("w").methods(["miner.WithdrawBalance"]);
    let declared = PolicyConfig::preset(Preset::Deny).actor(MINER, "miner").rule(rule.clone());
    assert!(allows(&Policy::new(&declared).unwrap(), &twin).await);
    // A contract takes any large number, and nobody said that f01000 is none.
    assert!(!allows(&only(rule.clone()), &twin).await);
    // Whoever names both says it.
    assert!(allows(&only(rule.to([MINER])), &twin).await);
}

#[tokio::test]
async fn values_and_fees() {
    let policy =
        only(RuleConfig::allow("small").methods(["Send"]).max_value("1.5 FIL").max_fee("100 nanoFIL"));
    assert!(allows(&policy, &send(MINER, "1.5")).await);
    let over = ask(&policy, &send(MINER, "1.500000000000000001")).await;
    assert!(text(over).contains("rule \"small\" allows values up to 1.5 FIL"));
    // 10^6 gas times 10^5 attoFIL are exactly 100 nanoFIL.
    let dear = Message { gas_fee_cap: TokenAmount::from_atto(100_001), ..send(MINER, "1") };
    assert!(text(ask(&policy, &dear).await).contains("allows fees up to 0.0000001 FIL"));

    let large = policy_support::policy(
        "default = \"allow\"\n[[rule]]\nname=\"large\"\naction=\"deny\"\nover_value=\"2 FIL\"\n\
         [[rule]]\nname=\"dear\"\naction=\"deny\"\nover_fee=\"100 nanoFIL\"",
    );
    assert!(allows(&large, &send(MINER, "2")).await);
    assert!(!allows(&large, &send(MINER, "2.1")).await);
    assert!(!allows(&large, &dear).await);
}

#[tokio::test]
async fn huge_and_negative_amounts() {
    let policy = policy_support::policy(
        "default = \"allow\"\n[[rule]]\nname=\"x\"\naction=\"deny\"\nover_value=\"1 FIL\"",
    );
    let huge = Message {
        value: TokenAmount::from_atto(venus_core::types::BigInt::from(1) << 900),
        ..send(MINER, "0")
    };
    assert!(!allows(&policy, &huge).await);
    let negative = Message { value: TokenAmount::from_atto(-1), ..send(MINER, "0") };
    assert!(text(ask(&policy, &negative).await).contains("the value is negative"));
}

#[tokio::test]
async fn callers() {
    let cases: [(&str, Caller, bool); 14] = [
        ("origins = [\"rpc\"]", Caller::rpc("a", Permissions::ALL), true),
        ("origins = [\"rpc\"]", Caller::embedded(), false),
        ("origins = [\"rpc\", \"embedded\"]", Caller::embedded(), true),
        ("subjects = [\"a\"]", Caller::rpc("a", Permissions::ALL), true),
        ("subjects = [\"a\"]", Caller::rpc("b", Permissions::ALL), false),
        ("permission = \"sign\"", Caller::rpc("a", Permissions::up_to("sign")), true),
        ("permission = \"sign\"", Caller::rpc("a", Permissions::up_to("write")), false),
        ("accounts = [\"x\", \"y\"]", Caller::gateway("h", vec!["x".into()]), true),
        ("accounts = [\"x\", \"y\"]", Caller::gateway("h", vec!["x".into(), "z".into()]), false),
        ("accounts = [\"x\"]", Caller::gateway("h", Vec::new()), false),
        ("hubs = [\"h\"]", Caller::gateway("h", Vec::new()), true),
        ("hubs = [\"h\"]", Caller::gateway("i", Vec::new()), false),
        ("strategy_token = true", Caller { strategy_token: Some("t".into()), ..Caller::embedded() }, true),
        ("strategy_token = true", Caller::embedded(), false),
    ];
    for (condition, caller, allowed) in cases {
        let rule = format!("[[rule]]\nname = \"c\"\naction = \"allow\"\ncaller = {{ {condition} }}");
        let policy = policy(&format!("default = \"deny\"\n{rule}"));
        let answer = ask_as(&policy, &caller, &send(MINER, "1")).await;
        assert_eq!(answer.is_ok(), allowed, "{condition} {caller:?}");
    }
    // A rule that denies an account denies every request on its behalf.
    let deny =
        policy("default = \"allow\"\n[[rule]]\nname=\"d\"\naction=\"deny\"\ncaller={accounts=[\"x\"]}");
    let both = Caller::gateway("h", vec!["x".into(), "z".into()]);
    assert!(ask_as(&deny, &both, &send(MINER, "1")).await.is_err());
}

fn header() -> BlockHeader {
    let link = venus_core::types::blake2b_cid(b"x");
    BlockHeader {
        miner: addr(MINER),
        ticket: Some(Ticket { vrf_proof: vec![1; 96] }),
        election_proof: Some(ElectionProof { win_count: 1, vrf_proof: vec![2; 96] }),
        beacon_entries: vec![BeaconEntry { round: 1, data: vec![3; 96] }],
        win_post_proof: Vec::new(),
        parents: vec![link],
        parent_weight: 5.into(),
        height: 10,
        parent_state_root: link,
        parent_message_receipts: link,
        messages: link,
        bls_aggregate: None,
        timestamp: 1,
        block_sig: None,
        fork_signaling: 0,
        parent_base_fee: TokenAmount::from_atto(100),
    }
}

#[tokio::test]
async fn types_and_the_preset_for_payloads() {
    let draw = DrawRandomParams { rbase: vec![0xab; 32], pers: 2, round: 1000, entropy: vec![1] };
    let vote =
        [b"GPBFT:filecoin:".as_slice(), &[1], &[0; 16], &[1; 64], &[1, 0x71, 0xa0, 0xe4, 2, 32], &[3; 32]]
            .concat();
    let cases: Vec<(MsgType, Vec<u8>, bool)> = vec![
        (MsgType::Block, header().signing_bytes(), true),
        (MsgType::DrawRandomParam, draw.to_cbor(), true),
        (MsgType::Unknown, vec![5; 32], true),
        (MsgType::F3, vote, true),
        (MsgType::Unknown, vec![5; 33], false),
        (MsgType::Unknown, b"hello".to_vec(), false),
    ];
    let mining = policy("");
    for (kind, bytes, allowed) in cases {
        let answer = ask_raw(&mining, bls(), kind, &bytes).await;
        assert_eq!(answer.is_ok(), allowed, "{kind} {answer:?}");
        // None of it is what an owner's key signs.
        assert!(ask_raw(&mining, secp(), kind, &bytes).await.is_err(), "{kind}");
        let only = only(RuleConfig::allow("t").types([kind.as_str()]));
        assert!(ask_raw(&only, secp(), kind, &bytes).await.is_ok(), "{kind}");
        let elsewhere = policy_support::policy(
            "default=\"deny\"\n[[rule]]\nname=\"m\"\naction=\"allow\"\ntypes=[\"message\"]",
        );
        assert!(ask_raw(&elsewhere, bls(), kind, &bytes).await.is_err(), "{kind}");
    }
}

#[tokio::test]
async fn administrators_sign_plain_bytes_and_nothing_in_disguise() {
    let mining = policy("");
    let cid = [&[1, 0x71, 0xa0, 0xe4, 2, 32][..], &[7; 32]].concat();
    for (kind, bytes, allowed) in [
        (MsgType::Unknown, b"hello".to_vec(), true),
        (MsgType::Unknown, vec![5; 16], true),
        (MsgType::Unknown, vec![5; 32], true),
        (MsgType::Unknown, vec![0], true),
        (MsgType::Unknown, cid, false),
        (MsgType::Unknown, b"GPBFT:filecoin:x".to_vec(), false),
        (MsgType::F3, b"hello".to_vec(), false),
    ] {
        for caller in [Caller::embedded(), Caller::rpc("root", Permissions::ALL)] {
            let answer = ask_raw_as(&mining, &caller, secp(), kind, &bytes).await;
            assert_eq!(answer.is_ok(), allowed, "{kind} {bytes:?} {answer:?}");
        }
        let behind = Caller::gateway("hub", vec!["alice".into()]);
        assert!(ask_raw_as(&mining, &behind, secp(), kind, &bytes).await.is_err(), "{kind} {bytes:?}");
    }
}

#[tokio::test]
async fn the_preset_for_methods() {
    let deals = venus_core::actors::market::PublishStorageDealsParams::default().to_cbor();
    let cases = [
        ("post", MINER, 5, "0", post(), true),
        ("post with value", MINER, 5, "1", post(), false),
        ("post with a tail", MINER, 5, "0", [post(), vec![0]].concat(), false),
        ("pre-commit", MINER, 28, "10", pre_commit(), true),
        ("pre-commit above the cap", MINER, 28, "10.1", pre_commit(), false),
        ("old pre-commit batch", MINER, 25, "0", vec![0x81, 0x80], true),
        ("withdrawal", MINER, 16, "0", withdraw(), false),
        ("owner", MINER, 23, "0", other().to_cbor(), false),
        ("termination", MINER, 9, "0", vec![0x81, 0x80], false),
        ("deals", "f05", 4, "0", deals.clone(), true),
        ("deals with value", "f05", 4, "1", deals.clone(), false),
        ("deals to the power actor", "f04", 4, "0", deals, false),
        ("escrow of nobody we know", "f05", 2, "1", addr(MINER).to_cbor(), false),
        ("market withdrawal", "f05", 3, "0", vec![0x82, 0x43, 0, 0xe8, 7, 0x42, 0, 1], false),
        ("to an account", SECP, 5, "0", post(), false),
        ("contract", "f01000", 3_844_450_837, "0", vec![0x41, 1], false),
    ];
    let mining = policy("");
    for (name, to, method, value, params, allowed) in cases {
        let answer = ask(&mining, &call(to, method, value, params)).await;
        assert_eq!(answer.is_ok(), allowed, "{name}: {answer:?}");
    }
    let named = policy("[mining]\nminers = [\"f01000\"]");
    assert!(allows(&named, &call("f05", 2, "1", addr(MINER).to_cbor())).await);
    assert!(!allows(&named, &call("f01001", 28, "1", pre_commit())).await);
    assert!(allows(&named, &call("t01000", 28, "1", pre_commit())).await);
}

#[tokio::test]
async fn a_denial_says_which_rule_would_help() {
    let answer = text(ask(&policy(""), &call(MINER, 16, "0", withdraw())).await);
    assert_eq!(
        answer,
        "miner.WithdrawBalance (16) to f01000: it is not of the flow of sealing and mining; to allow it, add a rule with \
         types = [\"message\"], to = [\"f01000\"], methods = [16] (default:mining)"
    );
}

#[rstest]
#[case("defaul = 1", "defaul")]
#[case("[[rule]]\nname='a'\naction='allow'\nmethod=[1]", "method")]
#[case("[[rule]]\nname='a'\naction='allow'\ncaller={hub=['a']}", "hub")]
#[case("[mining]\ncap = '1'", "cap")]
#[case("[[rule]]\nname='a'\naction='permit'", "permit")]
fn unknown_keys_are_named(#[case] toml: &str, #[case] key: &str) {
    let error = PolicyConfig::from_toml(toml).unwrap_err().to_string();
    assert!(error.contains(key), "{error}");
}

#[rstest]
#[case("methods = ['Widraw']", "methods")]
#[case("methods = ['maker.Send']", "methods")]
#[case("to = ['f9']", "to")]
#[case("keys = ['f01000']", "keys")]
#[case("types = ['blok']", "types")]
#[case("types = ['block']\nto = ['f05']", "types")]
#[case("max_value = '1 EUR'", "max_value")]
#[case("max_fee = '-1'", "max_fee")]
#[case("rate = { count = 1, period = '5' }", "rate")]
#[case("rate = { count = 1, period = '0s' }", "rate")]
#[case("total = { value = 'x', period = '1h' }", "total")]
#[case("caller = { origins = ['radio'] }", "caller.origins")]
#[case("caller = { permission = 'root' }", "caller.permission")]
fn errors_name_rule_and_field(#[case] body: &str, #[case] expected: &str) {
    let config =
        PolicyConfig::from_toml(&format!("[[rule]]\nname='the rule'\naction='allow'\n{body}")).unwrap();
    match Policy::new(&config).unwrap_err() {
        PolicyError::Rule { rule, field, .. } => assert_eq!((rule.as_str(), field), ("the rule", expected)),
        other => panic!("{other}"),
    }
}

#[test]
fn other_errors() {
    let twice = PolicyConfig::default().rule(RuleConfig::allow("a")).rule(RuleConfig::allow("a"));
    assert!(Policy::new(&twice).unwrap_err().to_string().contains("same name"));
    let cap_in_deny = PolicyConfig::default().rule(RuleConfig::deny("a").max_value("1"));
    assert!(Policy::new(&cap_in_deny).unwrap_err().to_string().contains("over_value"));
    let kind = PolicyConfig::default().actor("f01000", "mine");
    assert!(Policy::new(&kind).unwrap_err().to_string().contains("actors.\"f01000\""));
    let impossible = PolicyConfig::default().actor("f05", "miner");
    assert!(Policy::new(&impossible).is_err());
}

#[tokio::test]
async fn replacing_a_policy_is_immediate_for_all_clones() {
    let policy = policy("default = \"allow\"");
    let clone = policy.clone();
    policy.replace(&PolicyConfig::preset(Preset::Deny)).unwrap();
    assert!(!allows(&clone, &send(MINER, "0")).await);
    let bad = PolicyConfig::preset(Preset::Allow).rule(RuleConfig::allow(""));
    assert!(policy.replace(&bad).is_err());
    assert!(!allows(&clone, &send(MINER, "0")).await);
}

#[tokio::test]
async fn an_explanation_goes_through_json() {
    let explained = explain(&policy(""), &call(MINER, 16, "0", withdraw())).await;
    let json = serde_json::to_value(&explained).unwrap();
    assert_eq!(json["decision"], "deny");
    assert_eq!(json["by"], "default:mining");
    assert_eq!(json["steps"][0]["what"], "miner.WithdrawBalance (16) to f01000");
    assert_eq!(serde_json::from_value::<venus_signer::policy::Explanation>(json).unwrap(), explained);
}

/// Deviation 3 of the wallet's contract: rules beyond strategies, and the external filter with more members.
#[tokio::test]
async fn deviation_03_rules_and_filter_with_signer_and_caller() {
    let filter = ExprFilter::new("grep -q '\"Signer\": \"f1abjxfbp274xpdqcpuaykwkfb43omjotacm2p3za\"'");
    ask(&filter, &send(MINER, "1")).await.unwrap();
    let foreign = Message { from: other(), ..send(MINER, "1") };
    assert!(ask(&filter, &foreign).await.is_err());
    let policy = only(RuleConfig::allow("r").methods(["Send"]).max_value("1").rate(1, "1m"));
    ask(&policy, &send(MINER, "1")).await.unwrap();
    assert!(text(ask(&policy, &send(MINER, "1")).await).contains("again in"));
}
