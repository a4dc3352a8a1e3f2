#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
//! Defects of the Go wallet's strategies (`bug_…`), and what we do otherwise on purpose.

mod strategy_common;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use async_trait::async_trait;
use venus_core::entropy::SeededEntropy;
use venus_core::types::{MsgType, Network};
use venus_signer::Caller;
use venus_signer::strategy::{
    Change, Id, Level, MemoryStrategyStore, Scope, Singletons, Strategy, StrategyError, StrategyOptions,
    StrategyStore, Tables,
};

use strategy_common::*;

#[tokio::test]
async fn bug_only_the_first_key_bind_of_an_address_counted() {
    let strategy = at(Level::Methods).await;
    strategy.new_key_bind("deals", &key(), &[3], &texts(&["CreateMiner"])).await.unwrap();
    strategy.new_key_bind("pay", &key(), &[1], &texts(&["Send"])).await.unwrap();
    strategy.new_group("g", &texts(&["deals", "pay"])).await.unwrap();
    let caller = holder(&strategy.new_token("g").await.unwrap());
    assert_eq!(may(&strategy, &caller, MsgType::DealProposal).await, Ok(()));
    assert_eq!(may_send(&strategy, &caller, "f01000", 0).await, Ok(()));
    // A key bind that allows no messages does not lend its methods to one that does.
    assert!(may_send(&strategy, &caller, "f04", 2).await.is_err());
}

#[tokio::test]
async fn bug_revoked_rights_kept_signing_from_a_cache() {
    for revocation in 0..6 {
        let strategy = at(Level::Types).await;
        let token = granted(&strategy, &[1, 2], &["Send"]).await;
        let caller = holder(&token);
        assert_eq!(may(&strategy, &caller, MsgType::Block).await, Ok(()));
        match revocation {
            0 => strategy.remove_key_bind("kb").await.unwrap(),
            1 => assert_eq!(strategy.remove_key_binds_of(&key()).await.unwrap(), 1),
            2 => strategy.remove_group("g").await.unwrap(),
            3 => strategy.remove_token(&token.expose()).await.unwrap(),
            4 => drop(strategy.remove_types("kb", &[2]).await.unwrap()),
            _ => strategy.remove_token(&token.shown()).await.unwrap(),
        }
        assert!(may(&strategy, &caller, MsgType::Block).await.is_err(), "{revocation}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn bug_nothing_passes_once_a_revocation_has_returned() {
    for _ in 0..50 {
        let strategy = at(Level::Types).await;
        let token = granted(&strategy, &[2], &[]).await;
        let revoked = Arc::new(AtomicBool::new(false));
        let passed = Arc::new(AtomicUsize::new(0));
        let signers: Vec<_> = (0..4)
            .map(|_| {
                let (strategy, caller) = (strategy.clone(), holder(&token));
                let (revoked, passed) = (revoked.clone(), passed.clone());
                tokio::spawn(async move {
                    loop {
                        let late = revoked.load(Ordering::SeqCst);
                        let allowed = may(&strategy, &caller, MsgType::Block).await.is_ok();
                        assert!(!(late && allowed), "passed after the revocation");
                        passed.fetch_add(usize::from(allowed), Ordering::SeqCst);
                        if late {
                            return;
                        }
                        tokio::task::yield_now().await;
                    }
                })
            })
            .collect();
        while passed.load(Ordering::SeqCst) < 4 {
            tokio::task::yield_now().await;
        }
        strategy.remove_token(&token.expose()).await.unwrap();
        revoked.store(true, Ordering::SeqCst);
        for signer in signers {
            signer.await.unwrap();
        }
    }
}

#[tokio::test]
async fn bug_the_root_token_was_the_same_everywhere() {
    let strategy = at(Level::Types).await;
    granted(&strategy, &[1, 2], &["Send"]).await;
    for token in ["7b226369-7068-4572-a23a-226165732d31", "", "root", "00000000-0000-0000-0000-000000000000"]
    {
        let caller = Caller { strategy_token: Some(token.into()), ..user() };
        assert_eq!(may(&strategy, &caller, MsgType::Block).await, Err(NONE.into()), "{token}");
        assert!(strategy.scope(&caller).await.is_err(), "{token}");
        assert!(!strategy.contains(&caller, &key()).await.unwrap(), "{token}");
    }
}

#[tokio::test]
async fn bug_the_last_method_and_type_could_not_be_removed() {
    let strategy = at(Level::Methods).await;
    let token = granted(&strategy, &[1], &["Send"]).await;
    assert_eq!(may_send(&strategy, &holder(&token), "f01000", 0).await, Ok(()));
    assert!(strategy.remove_methods("kb", &texts(&["Send"])).await.unwrap().methods.is_empty());
    assert!(may_send(&strategy, &holder(&token), "f01000", 0).await.is_err());
    assert_eq!(strategy.remove_types("kb", &[1]).await.unwrap().meta_types.bits(), 0);
    let bind = strategy.key_bind("kb").unwrap();
    assert_eq!((bind.meta_types.bits(), bind.methods.len()), (0, 0));
}

#[tokio::test]
async fn bug_a_removed_key_bind_left_its_id_in_groups() {
    let store = Arc::new(MemoryStrategyStore::new());
    let strategy = Strategy::open(Shared(store.clone()), options(Level::Types)).await.unwrap();
    let token = granted(&strategy, &[1], &[]).await;
    strategy.bind_account("alice", "g").await.unwrap();
    strategy.remove_key_bind("kb").await.unwrap();
    assert!(strategy.group("g").unwrap().key_binds.is_empty());
    assert!(store.load().await.unwrap().groups[&1].binds.is_empty());
    // A group without key binds has a valid token without rights.
    assert_eq!(strategy.scope(&holder(&token)).await.unwrap(), Scope::default());
    strategy.remove_group("g").await.unwrap();
    assert_eq!(store.load().await.unwrap(), Tables::default());
}

/// A store that two owners see, and that can be made to fail.
#[derive(Debug)]
struct Shared(Arc<MemoryStrategyStore>);

#[async_trait]
impl StrategyStore for Shared {
    async fn load(&self) -> Result<Tables, StrategyError> {
        self.0.load().await
    }

    async fn apply(&self, changes: &[Change]) -> Result<Vec<Id>, StrategyError> {
        self.0.apply(changes).await
    }
}

#[tokio::test]
async fn bug_a_prefix_made_another_address() {
    let store = MemoryStrategyStore::new();
    let options = StrategyOptions { network: Network::Testnet, ..options(Level::Types) };
    let strategy = Strategy::with(store, options, Singletons, SeededEntropy::new(3, "x")).await.unwrap();
    let token = granted(&strategy, &[1], &[]).await;
    assert_eq!(strategy.key_bind("kb").unwrap().address, format!("t{}", &KEY[1..]));
    assert_eq!(may(&strategy, &holder(&token), MsgType::ChainMessage).await, Ok(()));
    assert_eq!(strategy.key_binds_of(&key()).len(), 1);
    assert_eq!(strategy.remove_key_binds_of(&key()).await.unwrap(), 1);
}

#[tokio::test]
async fn bug_methods_are_optional_where_the_commands_say_so() {
    let strategy = at(Level::Types).await;
    strategy.new_type_template("t", &[3]).await.unwrap();
    strategy.new_key_bind("kb1", &key(), &[3], &[]).await.unwrap();
    strategy.new_key_bind_from_templates("kb2", &key(), "t", "").await.unwrap();
    assert!(strategy.key_binds(0, 20).unwrap().iter().all(|bind| bind.methods.is_empty()));
}

#[tokio::test]
async fn deviation_03_every_account_of_a_gateway_request_must_be_allowed() {
    let strategy = at(Level::Types).await;
    granted(&strategy, &[1], &[]).await;
    strategy.new_key_bind("blocks", &key(), &[2], &[]).await.unwrap();
    strategy.new_key_bind("elsewhere", &other(), &[1], &[]).await.unwrap();
    strategy.new_group("h", &texts(&["blocks", "elsewhere"])).await.unwrap();
    strategy.bind_account("alice", "g").await.unwrap();
    strategy.bind_account("alice", "h").await.unwrap();
    strategy.bind_account("bob", "g").await.unwrap();
    assert!(strategy.bind_account("bob", "g").await.is_err());

    let cases: [(&[&str], MsgType, bool); 7] = [
        (&["alice"], MsgType::ChainMessage, true),
        (&["alice"], MsgType::Block, true),
        (&["bob"], MsgType::Block, false),
        (&["alice", "bob"], MsgType::ChainMessage, true),
        (&["alice", "bob"], MsgType::Block, false),
        (&["alice", "carol"], MsgType::ChainMessage, false),
        (&[], MsgType::ChainMessage, false),
    ];
    for (accounts, msg_type, allowed) in cases {
        let found = may(&strategy, &through_gateway(accounts), msg_type).await;
        assert_eq!(found.is_ok(), allowed, "{accounts:?} {msg_type}: {found:?}");
    }
    let keys = |accounts: &'static [&'static str]| {
        let strategy = strategy.clone();
        async move { strategy.scope(&through_gateway(accounts)).await.unwrap().addresses }
    };
    assert_eq!(keys(&["alice"]).await.len(), 2);
    assert_eq!(keys(&["alice", "bob"]).await, [key()]);
    assert!(keys(&["alice", "carol"]).await.is_empty());
    assert!(strategy.scope(&through_gateway(&[])).await.is_err());

    let binds = strategy.account_binds(0, 20).unwrap();
    let shown: Vec<_> = binds.iter().map(|bind| (bind.account.as_str(), bind.name.as_str())).collect();
    assert_eq!(shown, [("alice", "g"), ("alice", "h"), ("bob", "g")]);
    strategy.unbind_account("bob", "g").await.unwrap();
    assert!(may(&strategy, &through_gateway(&["bob"]), MsgType::ChainMessage).await.is_err());
    // A token does not help a gateway, nor an account a caller that has none.
    let token = strategy.new_token("h").await.unwrap();
    let both = Caller { strategy_token: Some((&token).into()), ..through_gateway(&["bob"]) };
    assert!(may(&strategy, &both, MsgType::Block).await.is_err());
}

/// A store whose commits may fail after they were made, and which may then be out of reach.
#[derive(Debug, Default)]
struct Faulty {
    store: MemoryStrategyStore,
    fail: Arc<AtomicBool>,
    unreachable: Arc<AtomicBool>,
    hang: Arc<AtomicBool>,
}

#[async_trait]
impl StrategyStore for Faulty {
    async fn load(&self) -> Result<Tables, StrategyError> {
        match self.unreachable.load(Ordering::SeqCst) {
            true => Err(StrategyError::Store("disk is gone".into())),
            false => self.store.load().await,
        }
    }

    async fn apply(&self, changes: &[Change]) -> Result<Vec<Id>, StrategyError> {
        let ids = self.store.apply(changes).await?;
        if self.hang.load(Ordering::SeqCst) {
            std::future::pending::<()>().await;
        }
        match self.fail.load(Ordering::SeqCst) {
            true => Err(StrategyError::Store("no answer".into())),
            false => Ok(ids),
        }
    }
}

#[tokio::test]
async fn after_an_edit_in_doubt_nothing_passes_until_the_store_was_read() {
    let store = Faulty::default();
    let (fail, unreachable, hang) = (store.fail.clone(), store.unreachable.clone(), store.hang.clone());
    let strategy = Strategy::open(store, options(Level::Types)).await.unwrap();
    let token = granted(&strategy, &[1, 2], &[]).await;
    let caller = holder(&token);

    // The commit happened, and its answer was lost.
    fail.store(true, Ordering::SeqCst);
    assert!(strategy.remove_types("kb", &[2]).await.is_err());
    unreachable.store(true, Ordering::SeqCst);
    assert_eq!(
        may(&strategy, &caller, MsgType::ChainMessage).await,
        Err("database operation exception".into())
    );
    unreachable.store(false, Ordering::SeqCst);
    assert_eq!(may(&strategy, &caller, MsgType::ChainMessage).await, Ok(()));
    assert!(may(&strategy, &caller, MsgType::Block).await.is_err());

    // The caller goes away while the store works.
    fail.store(false, Ordering::SeqCst);
    hang.store(true, Ordering::SeqCst);
    {
        let shown = token.shown();
        let mut removal = Box::pin(strategy.remove_token(&shown));
        assert!(futures::poll!(removal.as_mut()).is_pending());
    }
    hang.store(false, Ordering::SeqCst);
    assert_eq!(may(&strategy, &caller, MsgType::ChainMessage).await, Err(NONE.into()));
}
