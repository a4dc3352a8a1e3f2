#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
//! Ways around a policy, all closed.

mod policy_support;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use async_trait::async_trait;
use policy_support::*;
use proptest::prelude::*;
use rstest::rstest;
use venus_core::actors::{ActorKind, methods, multisig};
use venus_core::api::{ChainError, SearchOptions, StateReader};
use venus_core::cbor::{Encode, Writer};
use venus_core::types::{
    ActorInfo, Address, Cid, Message, MessageExt, MessageLookup, MsgType, Network, RawBytes, TipsetKey,
    address,
};
use venus_signer::policy::{
    ActorKinds, CodeTable, KnownActor, Policy, PolicyConfig, Preset, RuleConfig, StateKinds,
};

const PROPOSE_EXPORTED: u64 = 1_696_838_335;

fn mining() -> Policy {
    policy("")
}

/// Deviation 2 of the wallet's contract: raw bytes are what they turn out to be.
#[tokio::test]
async fn deviation_02_raw_bytes_are_reclassified() {
    let cid = send(MINER, "100").cid().to_bytes();
    let lenient = policy("[[rule]]\nname='raw'\naction='allow'\ntypes=['unknown', 'f3']");
    let any_key =
        policy("[[rule]]\nname='all'\naction='allow'\nkeys=['f1abjxfbp274xpdqcpuaykwkfb43omjotacm2p3za']");
    for kind in [MsgType::Unknown, MsgType::F3] {
        for policy in [&mining(), &lenient, &any_key] {
            assert!(ask_raw(policy, secp(), kind, &cid).await.is_err(), "{kind}");
        }
    }
    let named = policy("[[rule]]\nname='raw'\naction='allow'\ntypes=['raw-cid']");
    ask_raw(&named, secp(), MsgType::Unknown, &cid).await.unwrap();
    // Who may not send that message may not sign its CID either, even where all else is allowed.
    let denied = policy("default='allow'\n[[rule]]\nname='no'\naction='deny'\nmethods=['WithdrawBalance']");
    assert!(ask_raw(&denied, secp(), MsgType::Unknown, &cid).await.is_err());
    assert!(ask(&denied, &send(MINER, "1")).await.is_ok());
}

#[tokio::test]
async fn ethereum_transactions_as_raw_bytes() {
    let delegated = Address::new_delegated(10, &[5; 20]).unwrap();
    let to = Address::new_delegated(10, &[6; 20]).unwrap();
    let message = Message {
        from: delegated,
        to,
        method_num: 3_844_450_837,
        params: RawBytes::new(vec![0x41, 1]),
        ..send(MINER, "1")
    };
    let bytes = venus_core::crypto::delegated::signing_bytes(&message, 314).unwrap();
    let lenient = policy("[[rule]]\nname='raw'\naction='allow'\ntypes=['unknown']");
    assert!(ask_raw(&lenient, delegated, MsgType::Unknown, &bytes).await.is_err());
    assert!(ask_raw(&mining(), delegated, MsgType::Unknown, &bytes).await.is_err());
    assert!(!allows(&mining(), &message).await);
}

#[tokio::test]
async fn a_multisig_in_place_of_a_miner() {
    // Method 5 proves sectors to a miner and adds a signer to a multisig.
    for method in 2..=9 {
        let message = call(MINER, method, "0", add_signer());
        assert!(!allows(&mining(), &message).await, "{method}");
    }
    let by_name =
        policy("default='deny'\n[[rule]]\nname='p'\naction='allow'\nmethods=['miner.SubmitWindowedPoSt']");
    assert!(!allows(&by_name, &call(MINER, 5, "0", add_signer())).await);
    assert!(allows(&by_name, &call(MINER, 5, "0", post())).await);
}

#[tokio::test]
async fn proposals_are_inspected() {
    let cases = [
        ("a proof", propose(MINER, "0", 5, post()), true),
        ("a transfer", propose(SECP, "1", 0, Vec::new()), false),
        ("a withdrawal", propose(MINER, "0", 16, withdraw()), false),
        ("pledge below the cap", propose(MINER, "3", 28, pre_commit()), true),
        ("pledge above the cap", propose(MINER, "11", 28, pre_commit()), false),
        ("an own signer", propose("f02000", "0", 5, add_signer()), false),
        ("rubbish", vec![0x84, 1, 2, 3, 4], false),
        ("long integers", [vec![0x98, 4], propose(SECP, "1", 0, Vec::new())[1..].to_vec()].concat(), false),
    ];
    for (name, params, allowed) in cases {
        for method in [multisig::PROPOSE, PROPOSE_EXPORTED] {
            let message = call("f02000", method, "0", params.clone());
            assert_eq!(allows(&mining(), &message).await, allowed, "{name} {method}");
        }
    }
    // Value that goes to the multisig itself is no proposal's.
    assert!(!allows(&mining(), &call("f02000", 2, "1", propose(MINER, "0", 5, post()))).await);
}

#[tokio::test]
async fn a_rule_for_proposals_does_not_allow_what_is_proposed() {
    let outer = RuleConfig::allow("propose").to(["f02000"]).methods(["multisig.Propose"]);
    let config = PolicyConfig::preset(Preset::Deny).rule(outer);
    let transfer = call("f02000", 2, "0", propose(SECP, "1", 0, Vec::new()));
    let policy = Policy::new(&config).unwrap();
    let explained = explain(&policy, &transfer).await;
    assert!(!explained.is_allowed());
    let decisions: Vec<_> =
        explained.steps.iter().map(|step| (step.what.as_str(), step.by.as_str())).collect();
    assert_eq!(decisions[0].1, "rule \"propose\"");
    assert_eq!(decisions[1], (format!("proposed Send to {SECP} with 1 FIL").as_str(), "default:deny"));

    let inner = config.rule(RuleConfig::allow("pay").to([SECP]).methods(["Send"]).max_value("1"));
    let policy = Policy::new(&inner).unwrap();
    assert!(allows(&policy, &transfer).await);
    assert!(!allows(&policy, &call("f02000", 2, "0", propose(SECP, "1.1", 0, Vec::new()))).await);
}

#[tokio::test]
async fn nesting_is_bounded() {
    let nested = |depth: usize| {
        let mut params = post();
        let (mut to, mut method) = (MINER, 5);
        for _ in 0..depth {
            params = propose(to, "0", method, params);
            (to, method) = ("f02000", 2);
        }
        call(to, method, "0", params)
    };
    for (depth, allowed) in [(0, true), (1, true), (4, true), (5, false), (50, false)] {
        assert_eq!(allows(&mining(), &nested(depth)).await, allowed, "{depth}");
    }
    // What is at the bottom counts, wherever it is.
    let deny = policy("default='allow'\n[[rule]]\nname='no'\naction='deny'\nmethods=['SubmitWindowedPoSt']");
    for depth in 0..8 {
        assert!(!allows(&deny, &nested(depth)).await, "{depth}");
    }
}

#[tokio::test]
async fn approvals_and_new_multisigs_need_rules() {
    let approve = multisig::TxnIdParams { id: 1, proposal_hash: vec![1; 32] }.to_cbor();
    for method in [3, 4, 1_289_044_053, 3_365_893_656] {
        assert!(!allows(&mining(), &call("f02000", method, "0", approve.clone())).await, "{method}");
    }
    let make = call("f01", 2, "1", exec(vec![other()]));
    assert!(!allows(&mining(), &make).await);
    let outer_only = policy("[[rule]]\nname='make'\naction='allow'\nmethods=['init.Exec']");
    assert!(!allows(&outer_only, &make).await);
    let both = policy(
        "[[rule]]\nname='make'\naction='allow'\nto=['f01']\nmethods=['init.Exec', 'multisig.Constructor']\nmax_value='1'",
    );
    assert!(allows(&both, &make).await);
    assert!(!allows(&both, &call("f01", 2, "1.1", exec(vec![other()]))).await);
}

#[tokio::test]
async fn other_addresses_of_the_recipient() {
    let deny = |extra: &str| {
        policy(&format!("default='allow'\n{extra}\n[[rule]]\nname='no'\naction='deny'\nto=['f01000']"))
    };
    let f2 = address::format(&robust(1), Network::Mainnet);
    let masked =
        Address::new_delegated(10, &[&[0xff][..], &[0; 11], &1000_u64.to_be_bytes()].concat()).unwrap();
    let masked = address::format(&masked, Network::Mainnet);
    for to in ["f01000", "t01000", f2.as_str(), masked.as_str()] {
        assert!(!allows(&deny(""), &send(to, "1")).await, "{to}");
    }
    assert!(allows(&deny(""), &send("f01001", "1")).await);
    // A miner has no key: an account's address is another's.
    assert!(!allows(&deny(""), &send(SECP, "1")).await);
    let declared = "[actors]\n'f01000'='miner'";
    assert!(allows(&deny(declared), &send(SECP, "1")).await);
    assert!(!allows(&deny(declared), &send(&f2, "1")).await);
    // Whoever allows one address did not allow another.
    let allow = policy("default='deny'\n[[rule]]\nname='yes'\naction='allow'\nto=['f01000']");
    assert!(!allows(&allow, &send(&f2, "1")).await);
    assert!(allows(&allow, &send(&masked, "1")).await);
}

#[rstest]
#[case::number("[16]")]
#[case::name("['WithdrawBalance']")]
#[case::exported("['WithdrawBalanceExported']")]
#[case::qualified("['miner.WithdrawBalance']")]
#[tokio::test]
async fn exported_twins_are_denied_too(#[case] methods: &str) {
    let policy = policy(&format!("default='allow'\n[[rule]]\nname='no'\naction='deny'\nmethods={methods}"));
    for method in [16, 2_280_458_852] {
        assert!(!allows(&policy, &call(MINER, method, "0", withdraw())).await, "{method}");
        let proposed = propose(MINER, "0", method, withdraw());
        assert!(!allows(&policy, &call("f02000", 2, "0", proposed)).await, "{method}");
    }
    assert!(allows(&policy, &call(MINER, 5, "0", post())).await);
}

#[tokio::test]
async fn a_name_in_a_rule_that_denies_covers_whatever_the_recipient_may_be() {
    let deny =
        policy("default='allow'\n[[rule]]\nname='no'\naction='deny'\nmethods=['miner.ChangeOwnerAddress']");
    assert!(!allows(&deny, &call(MINER, 23, "0", vec![1, 2, 3])).await);
    assert!(!allows(&deny, &call(&address::format(&robust(1), Network::Mainnet), 23, "0", Vec::new())).await);
    assert!(allows(&deny, &call("f05", 23, "0", Vec::new())).await);
    assert!(allows(&deny, &call(SECP, 23, "0", Vec::new())).await);
}

/// A node that knows f01000 and its other address.
#[derive(Debug, Clone, Default)]
struct Known(Arc<AtomicUsize>, Option<u32>);

#[async_trait]
impl ActorKinds for Known {
    async fn kind(&self, address: &Address) -> Option<KnownActor> {
        self.0.fetch_add(1, Ordering::SeqCst);
        let is_it = *address == addr(MINER) || *address == robust(1);
        is_it.then_some(KnownActor { kind: ActorKind::Miner, version: self.1, id: Some(1000) })
    }
}

#[tokio::test]
async fn a_node_tells_kinds_and_aliases() {
    let f2 = address::format(&robust(1), Network::Mainnet);
    let build = |text: &str, known: &Known| {
        Policy::builder(&PolicyConfig::from_toml(text).unwrap()).unwrap().kinds(known.clone()).build()
    };
    let known = Known::default();
    let allow = build(
        "default='deny'\n[[rule]]\nname='w'\naction='allow'\nto=['f01000']\nmethods=['WithdrawBalance']",
        &known,
    );
    assert!(allows(&allow, &call(&f2, 16, "0", withdraw())).await);
    assert!(allows(&allow, &call(&f2, 2_280_458_852, "0", withdraw())).await);
    assert!(!allows(&allow, &call("f01001", 16, "0", withdraw())).await);
    let asked = known.0.load(Ordering::SeqCst);
    allows(&allow, &call("f05", 4, "0", Vec::new())).await;
    assert_eq!(known.0.load(Ordering::SeqCst), asked, "the market is known");
    // In version 13 the number was another method.
    let rule =
        "default='deny'\n[[rule]]\nname='c'\naction='allow'\nmethods=['InternalSectorSetupForPreseal']";
    assert!(!allows(&build(rule, &Known(Arc::default(), Some(13))), &call(MINER, 17, "0", Vec::new())).await);
    assert!(allows(&build(rule, &Known(Arc::default(), Some(14))), &call(MINER, 17, "0", Vec::new())).await);
}

#[test]
fn codes_that_say_what_they_are() {
    let named = |text: &str| {
        let hash =
            venus_core::types::Cid::try_from([&[1, 0x55, 0, text.len() as u8], text.as_bytes()].concat());
        hash.unwrap()
    };
    let table = CodeTable::default()
        .with_manifest(18, [("storageminer", code(ActorKind::Miner)), ("odd", code(ActorKind::Evm))]);
    assert_eq!(table.get(&named("fil/1/storageminer")), Some((ActorKind::Miner, 0)));
    assert_eq!(table.get(&named("fil/7/multisig")), Some((ActorKind::Multisig, 7)));
    assert_eq!(table.get(&named("fil/8/multisig")), None);
    assert_eq!(table.get(&code(ActorKind::Miner)), Some((ActorKind::Miner, 18)));
    assert_eq!(table.get(&code(ActorKind::Evm)), None);
}

fn any_message() -> impl Strategy<Value = Message> {
    let to = prop_oneof![
        Just("f01000".to_owned()),
        Just("f02000".to_owned()),
        Just("f05".to_owned()),
        Just("f01".to_owned()),
        Just(SECP.to_owned()),
        Just(address::format(&robust(1), Network::Mainnet)),
    ];
    let known: Vec<u64> = methods::all(ActorKind::Miner, 18)
        .chain(methods::all(ActorKind::Multisig, 18))
        .map(|m| m.0)
        .collect();
    let method = prop_oneof![Just(0), Just(2), prop::sample::select(known), any::<u64>()];
    let params = prop_oneof![
        Just(Vec::new()),
        Just(post()),
        Just(add_signer()),
        Just(propose(MINER, "1", 28, pre_commit())),
        Just(propose(MINER, "0", 5, post())),
        Just(propose("f02000", "0", 2, propose(SECP, "1", 0, Vec::new()))),
        Just(exec(vec![other()])),
        prop::collection::vec(any::<u8>(), 0..40),
    ];
    (to, method, prop::sample::select(vec!["0", "1", "20"]), params)
        .prop_map(|(to, method, value, params)| call(&to, method, value, params))
}

fn any_rule(name: &'static str, deny: bool) -> impl Strategy<Value = RuleConfig> {
    let to = prop::sample::subsequence(vec!["f01000", "f02000", "f05", SECP], 0..2);
    let names = vec![
        "Send",
        "WithdrawBalance",
        "multisig.Propose",
        "miner.SubmitWindowedPoSt",
        "AddSigner",
        "init.Exec",
    ];
    let methods = prop::sample::subsequence(names, 0..3);
    (to, methods, any::<bool>()).prop_map(move |(to, methods, bound)| {
        let rule = if deny { RuleConfig::deny(name) } else { RuleConfig::allow(name) };
        let rule = rule.to(to).methods(methods);
        match (bound, deny) {
            (true, true) => rule.over_value("1"),
            (true, false) => rule.max_value("1"),
            (false, _) => rule,
        }
    })
}

proptest! {
    #[test]
    fn a_rule_that_denies_never_allows_more(
        message in any_message(),
        rules in (any_rule("a", false), any_rule("b", true), any_rule("c", false)),
        on_top in any_rule("top", true),
        preset in prop::sample::select(vec![Preset::Mining, Preset::Deny, Preset::Allow]),
    ) {
        let base = PolicyConfig::preset(preset).rule(rules.0).rule(rules.1).rule(rules.2);
        let mut more = base.clone();
        more.rules.insert(0, on_top);
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let decide = |config: &PolicyConfig| {
            runtime.block_on(explain(&Policy::new(config).unwrap(), &message)).is_allowed()
        };
        prop_assert!(!decide(&more) || decide(&base));
    }

    #[test]
    fn no_parameters_make_it_panic(method in any::<u64>(), params in prop::collection::vec(any::<u8>(), 0..200)) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        for to in ["f01000", "f05", "f01"] {
            runtime.block_on(explain(&mining(), &call(to, method, "0", params.clone())));
        }
    }
}

/// A chain where f01000 is a miner, and nothing else is known.
#[derive(Default)]
struct OneMiner(Arc<AtomicUsize>, bool);

#[async_trait]
impl StateReader for OneMiner {
    async fn actor(&self, address: &Address, _: &TipsetKey) -> Result<Option<ActorInfo>, ChainError> {
        self.0.fetch_add(1, Ordering::SeqCst);
        if self.1 {
            std::future::pending::<()>().await;
        }
        let info = ActorInfo {
            code: code(ActorKind::Miner),
            head: code(ActorKind::Miner),
            nonce: 0,
            balance: fil("0"),
            delegated_address: None,
        };
        Ok((*address == addr(MINER) || *address == robust(1)).then_some(info))
    }

    async fn lookup_id(&self, _: &Address, _: &TipsetKey) -> Result<Address, ChainError> {
        Ok(addr(MINER))
    }

    async fn account_key(&self, address: &Address, _: &TipsetKey) -> Result<Address, ChainError> {
        Err(ChainError::ActorNotFound(*address))
    }

    async fn search_message(&self, _: &Cid, _: &SearchOptions) -> Result<Option<MessageLookup>, ChainError> {
        Ok(None)
    }
}

#[tokio::test(start_paused = true)]
async fn a_node_is_asked_once_and_not_waited_for_too_long() {
    let codes = CodeTable::default().with_manifest(18, [("storageminer", code(ActorKind::Miner))]);
    let asked = Arc::new(AtomicUsize::new(0));
    let kinds = StateKinds::new(Arc::new(OneMiner(asked.clone(), false)), codes.clone());
    let expected = KnownActor { kind: ActorKind::Miner, version: Some(18), id: Some(1000) };
    for address in [addr(MINER), robust(1), addr(MINER), robust(1)] {
        assert_eq!(kinds.kind(&address).await, Some(expected));
    }
    assert_eq!(asked.load(Ordering::SeqCst), 2);
    assert_eq!(kinds.kind(&addr("f01001")).await, None);
    // After a while the code may be another one.
    tokio::time::advance(std::time::Duration::from_secs(601)).await;
    assert_eq!(kinds.kind(&addr(MINER)).await, Some(expected));
    assert_eq!(asked.load(Ordering::SeqCst), 4);
    let hanging = StateKinds::new(Arc::new(OneMiner(asked, true)), codes);
    assert_eq!(hanging.kind(&addr(MINER)).await, None);
}

#[tokio::test]
async fn parameters_of_methods_that_the_network_no_longer_has() {
    let with = |write: &dyn Fn(&mut Writer)| {
        let mut writer = Writer::new();
        write(&mut writer);
        writer.into_vec()
    };
    let pre_commit = |w: &mut Writer| {
        w.array(10);
        w.int(8);
        w.uint(1);
        w.cid(&code(ActorKind::Miner));
        w.int(5);
        w.array(0);
        w.int(100);
        w.bool(false);
        (0..3).for_each(|_| w.uint(0));
    };
    let update = |with_comm_d: bool| {
        with(&move |w| {
            w.array(1);
            w.array(1);
            w.array(if with_comm_d { 8 } else { 7 });
            (0..3).for_each(|n| w.uint(n));
            (0..=u8::from(with_comm_d)).for_each(|_| w.cid(&code(ActorKind::Miner)));
            w.array(0);
            w.int(3);
            w.bytes(&[1; 192]);
        })
    };
    let extension = with(&|w| {
        w.array(1);
        w.array(1);
        w.array(4);
        w.uint(1);
        w.uint(2);
        w.bytes(&[]);
        w.int(1000);
    });
    let cases = [
        (6, with(&pre_commit)),
        (7, vec![0x82, 1, 0x41, 9]),
        (8, extension),
        (26, vec![0x82, 0x40, 0x41, 9]),
        (27, update(false)),
        (29, update(true)),
    ];
    for (method, params) in &cases {
        assert!(allows(&mining(), &call(MINER, *method, "0", params.clone())).await, "{method}");
        let longer = [params.as_slice(), &[0]].concat();
        assert!(!allows(&mining(), &call(MINER, *method, "0", longer)).await, "{method}");
        let shorter = params[..params.len() - 1].to_vec();
        assert!(!allows(&mining(), &call(MINER, *method, "0", shorter)).await, "{method}");
        for (other, _) in cases.iter().filter(|case| case.0 != *method) {
            assert!(
                !allows(&mining(), &call(MINER, *other, "0", params.clone())).await,
                "{method} as {other}"
            );
        }
    }
}
