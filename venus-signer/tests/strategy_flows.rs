#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
//! Strategies at work: levels, the flows of venus-wallet v1.8, errors and limits.

mod strategy_common;

use async_trait::async_trait;
use venus_core::actors::ActorKind;
use venus_core::api::{Permissions, SignerError};
use venus_core::entropy::SeededEntropy;
use venus_core::error::{BoxError, Classify, ErrorKind};
use venus_core::testing::doubles::ScriptedChain;
use venus_core::types::{Address, Message, MessageExt, MsgMeta, MsgType, TipsetKey, TokenAmount};
use venus_signer::strategy::{
    ActorKinds, Level, MemoryStrategyStore, NodeActors, Scope, StToken, Strategy, StrategyError,
    StrategyOptions,
};
use venus_signer::{Caller, KeyType, LocalWallet, Vault};

use strategy_common::*;

#[tokio::test]
async fn level_0_and_rights_of_admins_let_everything_pass() {
    let off = at(Level::Disabled).await;
    assert_eq!(may(&off, &user(), MsgType::Block).await, Ok(()));
    assert!(off.scope(&user()).await.unwrap().root);
    let on = at(Level::Methods).await;
    for caller in [Caller::embedded(), Caller::rpc("boss", Permissions::ALL)] {
        assert_eq!(may(&on, &caller, MsgType::ChainMessage).await, Ok(()));
        assert_eq!(on.scope(&caller).await.unwrap(), Scope { root: true, addresses: vec![] });
        assert!(on.contains(&caller, &other()).await.unwrap());
    }
    assert_eq!(may(&on, &user(), MsgType::ChainMessage).await, Err(NONE.into()));
    assert_eq!(on.scope(&user()).await.unwrap_err().to_string(), NONE);
    assert!(!on.contains(&user(), &key()).await.unwrap());
    // The challenge of a gateway is no matter of strategies.
    assert_eq!(may(&on, &through_gateway(&[]), MsgType::VerifyAddress).await, Ok(()));
    assert_eq!(
        [0, 1, 2].map(Level::from_number).map(Option::unwrap),
        [Level::Disabled, Level::Types, Level::Methods]
    );
    assert_eq!(Level::from_number(3), None);
}

#[tokio::test]
async fn level_1_asks_for_the_type() {
    let strategy = at(Level::Types).await;
    let token = granted(&strategy, &[0, 1, 3], &[]).await;
    let caller = holder(&token);
    for allowed in [MsgType::Unknown, MsgType::F3, MsgType::ChainMessage, MsgType::DealProposal] {
        assert_eq!(may(&strategy, &caller, allowed).await, Ok(()), "{allowed}");
    }
    let denied = "this metaType or method is not allowed to pass: msgType block";
    assert_eq!(may(&strategy, &caller, MsgType::Block).await, Err(denied.into()));
    assert_eq!(strategy.scope(&caller).await.unwrap().addresses, [key()]);
    assert!(strategy.contains(&caller, &key()).await.unwrap());
    assert!(!strategy.contains(&caller, &other()).await.unwrap());
    let elsewhere = strategy.verify(&caller, &other(), MsgType::ChainMessage, None).await.unwrap_err();
    assert_eq!((elsewhere.to_string().as_str(), elsewhere.kind()), (NONE, ErrorKind::NotFound));
}

#[tokio::test]
async fn level_2_asks_for_the_method() {
    let strategy = at(Level::Methods).await;
    let token = granted(&strategy, &[1, 2], &["Send", "AddBalance", "CreateMiner"]).await;
    let caller = holder(&token);
    let not = |what: &str| Err(format!("this metaType or method is not allowed to pass: {what}"));
    assert_eq!(may_send(&strategy, &caller, "f01000", 0).await, Ok(()));
    assert_eq!(may_send(&strategy, &caller, "f05", 2).await, Ok(()));
    assert_eq!(may_send(&strategy, &caller, "t04", 2).await, Ok(()));
    assert_eq!(may_send(&strategy, &caller, "f05", 3).await, not("method WithdrawBalance"));
    assert_eq!(may_send(&strategy, &caller, "f05", 99).await, not("unknown method 99 for actor market"));
    assert_eq!(may_send(&strategy, &caller, OTHER, 5).await, not("unknown method 5 for actor account"));
    assert_eq!(may(&strategy, &caller, MsgType::Block).await, Ok(()));
    let blind = may(&strategy, &caller, MsgType::ChainMessage).await;
    assert_eq!(blind, not("method unknown: send the message itself, as type message"));
    strategy.remove_methods("kb", &texts(&["Send"])).await.unwrap();
    assert_eq!(may_send(&strategy, &caller, "f01000", 0).await, not("method Send"));
}

#[tokio::test]
async fn an_unknown_actor_may_be_any_and_every_reading_has_to_be_allowed() {
    let strategy = at(Level::Methods).await;
    let token = granted(&strategy, &[1], &["ChangeWorkerAddress"]).await;
    let caller = holder(&token);
    // 3 is ChangeWorkerAddress of miners, and something else of others.
    let denied = may_send(&strategy, &caller, "f01000", 3).await.unwrap_err();
    assert!(denied.starts_with("this metaType or method is not allowed to pass: method "), "{denied}");
    let all: Vec<String> = ActorKind::ALL
        .iter()
        .filter_map(|kind| venus_core::actors::methods::name(*kind, 19, 3))
        .map(str::to_owned)
        .collect();
    strategy.add_methods("kb", &all).await.unwrap();
    assert_eq!(may_send(&strategy, &caller, "f01000", 3).await, Ok(()));
    // Only miners have 36, and a contract takes any exported number.
    strategy
        .add_methods("kb", &texts(&["ProveCommitSectorsNI", "ChangeOwnerAddressExported"]))
        .await
        .unwrap();
    assert_eq!(may_send(&strategy, &caller, "f01000", 36).await, Ok(()));
    let denied = may_send(&strategy, &caller, "f01000", 1_010_589_339).await.unwrap_err();
    assert!(denied.ends_with("method InvokeContract"), "{denied}");
    let denied = may_send(&strategy, &caller, "f01000", 999).await.unwrap_err();
    assert!(denied.contains("configure a node"), "{denied}");
}

/// Says what it is told; `Err` if it is told nothing.
#[derive(Debug)]
struct Told(Option<ActorKind>);

#[async_trait]
impl ActorKinds for Told {
    async fn kind(&self, _: &Address) -> Result<Option<ActorKind>, BoxError> {
        self.0.map(Some).ok_or_else(|| "node is down".into())
    }
}

#[tokio::test]
async fn a_node_tells_the_kind_and_without_its_answer_nothing_passes() {
    for (told, expected) in
        [(Some(ActorKind::Miner), Ok(())), (None, Err("cannot look up the actor: node is down"))]
    {
        let store = MemoryStrategyStore::new();
        let strategy = Strategy::with(store, options(Level::Methods), Told(told), SeededEntropy::new(1, "x"))
            .await
            .unwrap();
        let token = granted(&strategy, &[1], &["ChangeWorkerAddress"]).await;
        let found = may_send(&strategy, &holder(&token), "f01000", 3).await;
        assert_eq!(found, expected.map_err(str::to_owned));
    }
}

#[tokio::test]
async fn the_actor_version_names_the_method() {
    let store = MemoryStrategyStore::new();
    let options = StrategyOptions { actors_version: 8, ..options(Level::Methods) };
    let strategy =
        Strategy::with(store, options, Told(Some(ActorKind::Miner)), SeededEntropy::new(1, "x")).await;
    let strategy = strategy.unwrap();
    let token = granted(&strategy, &[1], &["ConfirmUpdateWorkerKey"]).await;
    assert_eq!(may_send(&strategy, &holder(&token), "f01000", 21).await, Ok(()));
}

#[tokio::test]
async fn the_flow_of_v1_8() {
    let strategy = at(Level::Types).await;
    strategy.new_type_template("mttmp1", &[0, 1, 2, 3, 4, 5]).await.unwrap();
    assert_eq!(strategy.type_template("mttmp1").unwrap().meta_types.bits(), 63);
    strategy.new_method_template("mtmp1", &texts(&["Send", "CreateMiner", "Send"])).await.unwrap();
    assert_eq!(strategy.method_template("mtmp1").unwrap().methods, ["Send", "CreateMiner"]);
    strategy.new_key_bind_from_templates("kb1", &key(), "mttmp1", "mtmp1").await.unwrap();
    strategy.new_key_bind("kb2", &other(), &[1], &texts(&["Send"])).await.unwrap();
    // Templates are copied: what becomes of them later does not matter.
    strategy.remove_type_template("mttmp1").await.unwrap();
    strategy.remove_method_template("mtmp1").await.unwrap();
    let kb1 = strategy.key_bind("kb1").unwrap();
    assert_eq!((kb1.id, kb1.address.as_str(), kb1.meta_types.bits()), (1, KEY, 63));

    strategy.new_group("g", &texts(&["kb2", "kb1", "kb2"])).await.unwrap();
    let group = strategy.group("g").unwrap();
    assert_eq!(group.key_binds.iter().map(|bind| bind.name.as_str()).collect::<Vec<_>>(), ["kb1", "kb2"]);
    assert!(strategy.groups(0, 20).unwrap()[0].key_binds.is_empty());
    let (a, b) = (strategy.new_token("g").await.unwrap(), strategy.new_token("g").await.unwrap());
    assert_ne!(a, b);
    assert_eq!(strategy.tokens_of("g").unwrap().len(), 2);
    assert_eq!(strategy.token_info(&a.expose()).unwrap().token, a.expose());
    let mut keys = vec![key(), other()];
    keys.sort();
    assert_eq!(strategy.scope(&holder(&a)).await.unwrap().addresses, keys);

    strategy.remove_token(&a.expose()).await.unwrap();
    assert_eq!(may(&strategy, &holder(&a), MsgType::Block).await, Err(NONE.into()));
    assert_eq!(may(&strategy, &holder(&b), MsgType::Block).await, Ok(()));
    // As lists show it.
    strategy.remove_token(&b.shown()).await.unwrap();
    assert_eq!(may(&strategy, &holder(&b), MsgType::Block).await, Err(NONE.into()));
}

#[tokio::test]
async fn types_and_methods_are_added_and_removed() {
    let strategy = at(Level::Types).await;
    strategy.new_key_bind("kb", &key(), &[1], &texts(&["Send"])).await.unwrap();
    assert_eq!(strategy.add_types("kb", &[1, 2]).await.unwrap().meta_types.bits(), 6);
    assert_eq!(strategy.add_types("kb", &[2]).await.unwrap().meta_types.bits(), 6);
    assert_eq!(strategy.remove_types("kb", &[1, 10]).await.unwrap().meta_types.bits(), 4);
    assert_eq!(strategy.remove_types("kb", &[1]).await.unwrap().meta_types.bits(), 4);
    let methods = strategy.add_methods("kb", &texts(&["Burn", "Send", "Burn"])).await.unwrap().methods;
    assert_eq!(methods, ["Send", "Burn"]);
    assert_eq!(strategy.remove_methods("kb", &texts(&["Send", "Mint"])).await.unwrap().methods, ["Burn"]);
    assert_eq!(strategy.key_bind("kb").unwrap().methods, ["Burn"]);
}

#[tokio::test]
async fn every_error_has_the_text_of_go() {
    let strategy = at(Level::Types).await;
    strategy.new_type_template("t", &[1]).await.unwrap();
    strategy.new_method_template("m", &texts(&["Send"])).await.unwrap();
    strategy.new_key_bind("kb", &key(), &[1], &[]).await.unwrap();
    strategy.new_group("g", &texts(&["kb"])).await.unwrap();
    let send = texts(&["Send"]);
    let nonsense = texts(&["Send", "A", "B", "A"]);
    let cases: Vec<(Result<(), StrategyError>, &str)> = vec![
        (strategy.new_type_template("t", &[1]).await, "the data already exists"),
        (strategy.new_type_template("u", &[]).await, "nil reference"),
        (strategy.new_type_template("u", &[11]).await, "code over flow"),
        (strategy.type_template("u").map(drop), NONE),
        (strategy.remove_type_template("u").await, NONE),
        (strategy.new_method_template("m", &send).await, "the data already exists"),
        (strategy.new_method_template("n", &[]).await, "nil reference"),
        (strategy.new_method_template("n", &nonsense).await, "method name illegal: A,B"),
        (strategy.method_template("n").map(drop), NONE),
        (strategy.remove_method_template("n").await, NONE),
        (
            strategy.new_key_bind("kb", &key(), &[1], &send).await,
            "failed to store keybind:the data already exists ",
        ),
        (strategy.new_key_bind("k2", &key(), &[], &send).await, "nil reference"),
        (strategy.new_key_bind("k2", &key(), &[-1], &send).await, "code over flow"),
        (strategy.new_key_bind("k2", &key(), &[1], &nonsense).await, "method name illegal: A,B"),
        (
            strategy.new_key_bind_from_templates("k2", &key(), "x", "m").await,
            "find msgType template failed:data does not exists",
        ),
        (
            strategy.new_key_bind_from_templates("k2", &key(), "t", "x").await,
            "find msg method template failed:data does not exists",
        ),
        (strategy.key_bind("k2").map(drop), NONE),
        (strategy.remove_key_bind("k2").await, NONE),
        (strategy.add_types("k2", &[1]).await.map(drop), NONE),
        (strategy.add_types("kb", &[]).await.map(drop), "nil reference"),
        (strategy.remove_types("kb", &[12]).await.map(drop), "code over flow"),
        (strategy.add_methods("k2", &send).await.map(drop), NONE),
        (strategy.add_methods("kb", &[]).await.map(drop), "nil reference"),
        (strategy.remove_methods("kb", &nonsense).await.map(drop), "method name illegal: A,B"),
        (strategy.new_group("g", &texts(&["kb"])).await, "the data already exists"),
        (strategy.new_group("h", &[]).await, "nil reference"),
        (strategy.new_group("h", &texts(&["a", "kb", "b"])).await, "keybind name not exists:a b "),
        (strategy.group("h").map(drop), NONE),
        (strategy.remove_group("h").await, NONE),
        (strategy.new_token("h").await.map(drop), NONE),
        (strategy.tokens_of("h").map(drop), NONE),
        (strategy.token_info("5a4ce5ad-6c4a-4d4b-8a5e-9d1a7f3c2b1e").map(drop), NONE),
        (strategy.remove_token("nonsense").await, NONE),
        (strategy.bind_account("alice", "h").await, NONE),
        (strategy.unbind_account("alice", "g").await, NONE),
        (strategy.groups(-1, 20).map(drop), "from must not be negative"),
        (strategy.key_binds(0, 1001).map(drop), "to must be 0 to 1000: it is the number of rows"),
        (strategy.key_binds(0, -1).map(drop), "to must be 0 to 1000: it is the number of rows"),
    ];
    for (at, (found, expected)) in cases.into_iter().enumerate() {
        assert_eq!(found.map_err(|error| error.to_string()), Err(expected.to_owned()), "case {at}");
    }
}

#[tokio::test]
async fn names_and_lists_have_limits() {
    let strategy = at(Level::Types).await;
    let long = "n".repeat(33);
    for name in ["", "a b", "a,b", "ä", "a\n", long.as_str()] {
        assert!(strategy.new_type_template(name, &[1]).await.is_err(), "{name:?}");
        assert!(strategy.new_method_template(name, &texts(&["Send"])).await.is_err(), "{name:?}");
        assert!(strategy.new_key_bind(name, &key(), &[1], &[]).await.is_err(), "{name:?}");
    }
    let best = "n".repeat(32);
    strategy.new_key_bind(&best, &key(), &[1], &[]).await.unwrap();
    assert!(strategy.new_group(&long, std::slice::from_ref(&best)).await.is_err());
    let many = vec![best.clone(); 1001];
    let error = strategy.new_group("g", &many).await.unwrap_err().to_string();
    assert_eq!(error, "too many keyBinds in a group: the limit is 1000");
    assert!(strategy.new_method_template("m", &vec!["Send".to_owned(); 513]).await.is_err());
    strategy.new_group("g", &[best]).await.unwrap();
    for account in ["", "a b", "a,b", &"a".repeat(256)] {
        assert!(strategy.bind_account(account, "g").await.is_err(), "{account:?}");
    }
    // An error does not repeat more of the input than helps.
    let illegal = strategy.new_method_template("m", &["x".repeat(1_000_000)]).await.unwrap_err();
    assert!(illegal.to_string().len() < 300);
}

#[tokio::test]
async fn lists_have_offset_and_limit() {
    let strategy = at(Level::Types).await;
    for at in 1..=5 {
        strategy.new_key_bind(&format!("kb{at}"), &key(), &[1], &[]).await.unwrap();
    }
    let names = |from, to| {
        strategy.key_binds(from, to).unwrap().into_iter().map(|bind| bind.name).collect::<Vec<_>>()
    };
    assert_eq!(names(0, 20).len(), 5);
    assert_eq!(names(1, 2), ["kb2", "kb3"]);
    assert_eq!(names(4, 20), ["kb5"]);
    assert!(names(9, 20).is_empty() && names(0, 0).is_empty());
    for at in 6..=105 {
        strategy.new_key_bind(&format!("kb{at}"), &key(), &[1], &[]).await.unwrap();
    }
    assert_eq!(strategy.key_binds_of(&key()).len(), 100);
}

#[tokio::test]
async fn a_wallet_signs_what_a_strategy_allows() {
    let strategy = at(Level::Methods).await;
    let wallet = LocalWallet::builder(Vault::in_memory()).check(strategy.clone()).build();
    let signer = wallet.generate(KeyType::Secp256k1, &SeededEntropy::new(9, "strategy")).await.unwrap();
    strategy.new_key_bind("kb", &signer, &[0, 1], &texts(&["Send"])).await.unwrap();
    strategy.new_group("g", &texts(&["kb"])).await.unwrap();
    let caller = holder(&strategy.new_token("g").await.unwrap());

    let send = Message { from: signer, ..message("f01000", 0) };
    let sign = |message: Message, caller: Caller| {
        let wallet = wallet.clone();
        async move {
            let meta = MsgMeta::chain_message(&message);
            wallet.sign_as(&caller, &message.from, &message.cid().to_bytes(), &meta).await
        }
    };
    assert!(sign(send.clone(), caller.clone()).await.is_ok());
    let withdraw = Message { method_num: 3, ..send.clone() };
    assert!(matches!(sign(withdraw, caller.clone()).await, Err(SignerError::Denied(_))));
    assert!(matches!(sign(send.clone(), user()).await, Err(SignerError::Denied(_))));

    // Who may sign unknown bytes may not sign a message's CID so.
    let unknown = MsgMeta::of(MsgType::Unknown);
    assert!(wallet.sign_as(&caller, &signer, b"plain text", &unknown).await.is_ok());
    let by_cid = wallet.sign_as(&caller, &signer, &send.cid().to_bytes(), &unknown).await;
    assert!(matches!(by_cid, Err(SignerError::Denied(_))), "{by_cid:?}");
}

#[test]
fn tokens_and_callers_do_not_show_themselves() {
    let token = StToken::generate(&SeededEntropy::new(1, "shown")).unwrap();
    let shown = format!("{token:?} {:?}", holder(&token));
    assert!(!shown.contains(&token.shown()));
}

#[tokio::test]
async fn a_node_names_actors_by_their_code() {
    use venus_core::api::StateReader;
    let chain = ScriptedChain::new([(key(), TokenAmount::from_atto(5))]);
    let code = chain.actor(&key(), &TipsetKey::default()).await.unwrap().unwrap().code;
    for (name, expected) in [
        ("storageminer", Some(ActorKind::Miner)),
        ("fil/8/storagemarket", Some(ActorKind::Market)),
        ("nonsense", None),
    ] {
        let actors = NodeActors::new(chain.clone(), [(name.to_owned(), code)]);
        assert_eq!(actors.kind(&key()).await.unwrap(), expected, "{name}");
        assert_eq!(actors.kind(&other()).await.unwrap(), None);
    }
}
