//! What every change leaves behind: an effect, a record.

use std::sync::Arc;
use std::time::Duration;

use venus_auth::{AuditQuery, Ban, Effect, LimitRow, NewToken, Rules, SqlStore, UserChange, UserState};
use venus_core::error::{Classify, ErrorKind};

use crate::{Pool, key, miner};

async fn set_state(pool: &Pool, name: &str, state: UserState) {
    let change = UserChange { comment: None, state: Some(state) };
    pool.auth.update_user(&pool.admin, name, change).await.unwrap();
}

/// Invariant I5 within a process: what is revoked has ended for those who follow, and for the next who asks, when the
/// call that revokes returns.
#[tokio::test]
async fn i5_whatever_is_revoked_ends_at_once() {
    let pool = Pool::new().await;
    let (auth, admin) = (&pool.auth, &pool.admin);
    let token = pool.token("alice", "sign").await;
    let id = auth.check(&token, None).await.unwrap().id;
    auth.bind_miner(admin, "alice", miner(1), true).await.unwrap();
    auth.register_signers(admin, "alice", &[key(1), key(2)]).await.unwrap();
    let account = || Effect::Account("alice".into());
    let gone_miner = |name: &str| Effect::Miner { account: name.into(), miner: miner(1) };
    let gone_key = |n| Effect::Signer { account: "alice".into(), signer: key(n) };

    let mut seq = auth.effects().last();
    macro_rules! ends {
        ($call:expr, [$($effect:expr),*]) => {
            $call.await.unwrap();
            assert_eq!(pool.ended(seq).await, [$($effect),*] as [Effect; _], stringify!($call));
            seq = auth.effects().last();
        };
    }
    ends!(auth.bind_miner(admin, "bob", miner(1), true), [gone_miner("alice")]);
    ends!(auth.bind_miner(admin, "bob", miner(1), false), []);
    ends!(auth.unbind_miner(admin, Some(miner(1))), [gone_miner("bob")]);
    ends!(auth.unregister_signers(admin, "alice", &[key(1), key(9)]), [gone_key(1)]);
    ends!(auth.remove_signer(admin, &key(2)), [gone_key(2)]);

    auth.revoke_token(admin, &token).await.unwrap();
    let [Effect::Token { id: ended, hash }] = &pool.ended(seq).await[..] else { panic!("one token") };
    assert_eq!((*ended, hash.as_str()), (id, venus_auth::jwt::fingerprint(&token).as_str()));
    assert_eq!(auth.check(&token, None).await.unwrap_err().kind(), ErrorKind::Unauthenticated);
    auth.recover_token(admin, &token).await.unwrap();
    auth.check(&token, None).await.unwrap();

    seq = auth.effects().last();
    set_state(&pool, "alice", UserState::Disabled).await;
    assert_eq!(pool.ended(seq).await, [account()]);
    assert_eq!(auth.check(&token, None).await.unwrap_err().kind(), ErrorKind::Unauthenticated);
    set_state(&pool, "alice", UserState::Enabled).await;
    auth.check(&token, None).await.unwrap();

    let ip = "10.9.9.9".parse().unwrap();
    let bans = [Ban::Account("alice".into()), Ban::Token(id), Ban::Ip(ip)];
    for ban in bans {
        auth.ban(admin, &ban, "misuse").await.unwrap();
        assert!(pool.ended(seq).await.len() == 2, "{ban:?}");
        let error = auth.check(&token, Some(ip)).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unauthenticated, "{ban:?}");
        auth.unban(admin, &ban).await.unwrap();
        auth.check(&token, Some(ip)).await.unwrap();
        seq = auth.effects().last() - 1;
    }
    seq = auth.effects().last();
    auth.delete_user(admin, "alice").await.unwrap();
    assert_eq!(pool.ended(seq).await, [account()]);
    assert_eq!(auth.check(&token, None).await.unwrap_err().kind(), ErrorKind::Unauthenticated);
    auth.recover_user(admin, "alice").await.unwrap();
    let revoked = auth.check(&token, None).await.unwrap_err();
    assert_eq!(revoked.kind(), ErrorKind::Unauthenticated, "a recovered user's tokens stay revoked");
}

/// Who is told "no such user" while the database is away would give up for good.
#[tokio::test]
async fn a_store_that_failed_is_no_answer() {
    let store = SqlStore::sqlite_in_memory().await.unwrap();
    let pool = Pool::over(Arc::new(store.clone()), Rules::default()).await;
    let (auth, admin) = (&pool.auth, &pool.admin);
    let token = pool.token("alice", "sign").await;
    store.close().await;
    let new = NewToken { name: "alice".into(), ..NewToken::default() };
    let errors = [
        auth.check(&token, None).await.unwrap_err(),
        auth.create_token(admin, new).await.unwrap_err(),
        auth.has_user(admin, "alice").await.unwrap_err(),
        auth.verify_users(admin, &["alice".into()]).await.unwrap_err(),
        auth.bind_miner(admin, "alice", miner(1), true).await.unwrap_err(),
        auth.register_signers(admin, "alice", &[key(1)]).await.unwrap_err(),
        auth.local_token(None).await.unwrap_err(),
    ];
    for error in errors {
        assert_eq!(error.kind(), ErrorKind::Transient, "{error}");
    }
}

/// Invariant I4: who, from where, when, what before and after.
#[tokio::test]
async fn i4_every_change_is_attributed() {
    let pool = Pool::new().await;
    let (auth, admin) = (&pool.auth, &pool.admin);
    let token = pool.token("alice", "sign").await;
    pool.clock.advance(Duration::from_secs(5));
    set_state(&pool, "alice", UserState::Disabled).await;
    set_state(&pool, "alice", UserState::Enabled).await;
    auth.revoke_token(admin, &token).await.unwrap();
    auth.recover_token(admin, &token).await.unwrap();
    auth.bind_miner(admin, "alice", miner(1), true).await.unwrap();
    auth.unbind_miner(admin, Some(miner(1))).await.unwrap();
    auth.register_signers(admin, "alice", &[key(1)]).await.unwrap();
    auth.grant_signer(admin, &key(1), "bob").await.unwrap();
    auth.unregister_signers(admin, "alice", &[key(1)]).await.unwrap();
    auth.register_signers(admin, "alice", &[key(2)]).await.unwrap();
    auth.remove_signer(admin, &key(2)).await.unwrap();
    let limit = LimitRow {
        id: "l".into(),
        name: "alice".into(),
        service: String::new(),
        api: String::new(),
        capacity: 3,
        period: Duration::from_secs(60),
    };
    auth.put_limit(admin, limit).await.unwrap();
    auth.remove_limit(admin, "alice", "l").await.unwrap();
    auth.ban(admin, &Ban::Account("bob".into()), "misuse").await.unwrap();
    auth.unban(admin, &Ban::Account("bob".into())).await.unwrap();
    auth.delete_user(admin, "alice").await.unwrap();
    auth.recover_user(admin, "alice").await.unwrap();

    let mut records = auth.audit(admin, &AuditQuery { limit: 1000, ..AuditQuery::default() }).await.unwrap();
    records.sort_by_key(|record| record.at);
    let mut actions: Vec<&str> = records.iter().map(|record| record.action.as_str()).collect();
    actions.sort_unstable();
    let mut expected = [
        "user.create",
        "user.create",
        "token.create",
        "user.update",
        "user.update",
        "token.revoke",
        "token.recover",
        "miner.bind",
        "miner.unbind",
        "signer.bind",
        "signer.grant",
        "signer.unbind",
        "signer.bind",
        "signer.remove",
        "limit.put",
        "limit.remove",
        "ban",
        "unban",
        "user.delete",
        "user.recover",
    ];
    expected.sort_unstable();
    assert_eq!(actions, expected);
    for record in &records {
        assert_eq!((record.actor.as_str(), record.remote), ("root", admin.remote), "{record:?}");
        assert!(!record.subject.is_empty(), "{record:?}");
    }
    let update = AuditQuery { action: Some("user.update".into()), ..AuditQuery::default() };
    let updates = auth.audit(admin, &update).await.unwrap();
    assert!(updates.iter().any(|record| record.before == "1" && record.after == "2"), "{updates:?}");
    assert!(updates.iter().all(|record| record.at.unix_timestamp() == 1_700_000_005));
}
