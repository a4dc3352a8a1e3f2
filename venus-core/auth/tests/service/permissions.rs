//! Every method with every permission that is too low.

use std::time::Duration;

use venus_auth::{AuditQuery, AuthError, Ban, LimitRow, NewToken, NewUser, Page, UserChange};
use venus_core::error::{Classify, ErrorKind};

use crate::{Pool, actor, key, miner};

fn limit() -> LimitRow {
    LimitRow {
        id: String::new(),
        name: "alice".into(),
        service: String::new(),
        api: String::new(),
        capacity: 1,
        period: Duration::from_secs(1),
    }
}

/// Asserts that each of these refuses, by the words that clients match, and changes nothing.
macro_rules! refused {
    ($who:expr, $($call:expr),* $(,)?) => {$(
        let error: AuthError = $call.await.map(drop).expect_err(stringify!($call));
        assert_eq!(error.kind(), ErrorKind::Denied, "{} by {:?}: {error}", stringify!($call), $who);
        assert!(error.to_string().starts_with("need admin prem"), "{error}");
    )*};
}

#[tokio::test]
async fn only_administrators_administer() {
    let pool = Pool::new().await;
    let (auth, page) = (&pool.auth, Page { skip: 0, limit: 10 });
    let before = (auth.effects().last(), auth.audit(&pool.admin, &AuditQuery::default()).await.unwrap());
    // An account's own name opens none of these, nor does a name of those who administer.
    for (name, perm) in [("", ""), ("alice", "none"), ("alice", "read"), ("alice", "write"), ("root", "sign")]
    {
        let who = &actor(name, perm);
        refused!(
            who,
            auth.create_user(who, NewUser { name: "eve".into(), ..NewUser::default() }),
            auth.update_user(who, "alice", UserChange::default()),
            auth.users(who, page, None),
            auth.has_user(who, "alice"),
            auth.verify_users(who, &["alice".into()]),
            auth.delete_user(who, "alice"),
            auth.recover_user(who, "alice"),
            auth.create_token(who, NewToken { name: "alice".into(), ..NewToken::default() }),
            auth.token(who, "a.b.c"),
            auth.tokens(who, page),
            auth.put_limit(who, limit()),
            auth.remove_limit(who, "alice", "x"),
            auth.limits(who, "alice", None),
            auth.bind_miner(who, "alice", miner(1), true),
            auth.has_miner(who, &miner(1)),
            auth.user_of_miner(who, &miner(1)),
            auth.register_signers(who, "alice", &[key(1)]),
            auth.unregister_signers(who, "alice", &[key(1)]),
            auth.has_signer(who, &key(1)),
            auth.users_of_signer(who, &key(1)),
            auth.ban(who, &Ban::Account("bob".into()), ""),
            auth.unban(who, &Ban::Account("bob".into())),
            auth.bans(who),
            auth.audit(who, &AuditQuery::default()),
        );
    }
    let after = (auth.effects().last(), auth.audit(&pool.admin, &AuditQuery::default()).await.unwrap());
    assert_eq!(before, after, "nothing happened");
}

#[tokio::test]
async fn accounts_see_and_give_up_their_own_only() {
    let pool = Pool::new().await;
    let auth = &pool.auth;
    auth.bind_miner(&pool.admin, "alice", miner(1), true).await.unwrap();
    auth.register_signers(&pool.admin, "alice", &[key(1)]).await.unwrap();
    let token = pool.token("alice", "read").await;
    for who in [&actor("bob", "sign"), &actor("", "read"), &actor("", "")] {
        refused!(
            who,
            auth.user(who, "alice"),
            auth.tokens_of(who, "alice"),
            auth.revoke_token(who, &token),
            auth.recover_token(who, &token),
            auth.miners_of(who, "alice"),
            auth.user_has_miner(who, "alice", &miner(1)),
            auth.unbind_miner(who, Some(miner(1))),
            auth.unbind_miner(who, None),
            auth.signers_of(who, "alice"),
            auth.user_has_signer(who, "alice", &key(1)),
            auth.remove_signer(who, &key(1)),
            auth.remove_signer(who, &key(9)),
            auth.grant_signer(who, &key(1), "bob"),
        );
    }
    // No name is nobody's name, also where an empty one stands in a store.
    let nobody = &actor("", "read");
    refused!(nobody, auth.user(nobody, ""), auth.tokens_of(nobody, ""), auth.miners_of(nobody, ""));

    let alice = actor("alice", "read");
    assert_eq!(auth.user(&alice, "alice").await.unwrap().name, "alice");
    assert_eq!(auth.tokens_of(&alice, "alice").await.unwrap().len(), 1);
    assert_eq!(auth.miners_of(&alice, "alice").await.unwrap().len(), 1);
    assert!(auth.user_has_miner(&alice, "alice", &miner(1)).await.unwrap());
    assert_eq!(auth.signers_of(&alice, "alice").await.unwrap().len(), 1);
    assert!(auth.user_has_signer(&alice, "alice", &key(1)).await.unwrap());
    auth.grant_signer(&alice, &key(1), "bob").await.unwrap();
    auth.revoke_token(&alice, &token).await.unwrap();
    auth.recover_token(&alice, &token).await.unwrap();
    assert!(auth.unbind_miner(&alice, Some(miner(1))).await.unwrap());
    assert!(auth.remove_signer(&alice, &key(1)).await.unwrap());
}

#[tokio::test]
async fn a_token_is_looked_at_with_the_right_to_read() {
    let pool = Pool::new().await;
    let token = pool.token("alice", "sign").await;
    let error = pool.auth.verify(&actor("alice", ""), &token).await.unwrap_err();
    assert_eq!(error.to_string(), "need read prem: Permission Deny");
    assert_eq!(pool.auth.verify(&actor("bob", "read"), &token).await.unwrap().name, "alice");
}
