//! What the pool's seed note asks of auth.

use venus_auth::{Actor, SignerSharing};
use venus_core::api::{AccountDirectory, Authenticator, Permission};
use venus_core::error::{Classify, ErrorKind};

use crate::{Pool, key, miner};

#[tokio::test]
async fn seed_s01_an_account_gets_tokens_with_the_permission_it_needs() {
    let pool = Pool::new().await;
    for (perm, may, may_not) in [
        ("read", Some(Permission::Read), Some(Permission::Write)),
        ("sign", Some(Permission::Sign), Some(Permission::Admin)),
        ("admin", Some(Permission::Admin), None),
        ("", None, Some(Permission::Read)),
    ] {
        let token = pool.token("alice", perm).await;
        let principal = pool.auth.authenticate(&token).await.unwrap();
        assert_eq!(principal.account.as_deref(), Some("alice"));
        assert!(may.is_none_or(|p| principal.permissions.allow(p)), "{perm}");
        assert!(may_not.is_none_or(|p| !principal.permissions.allow(p)), "{perm}");
    }
}

#[tokio::test]
async fn seed_s02_one_account_has_many_miners_and_a_miner_one_account() {
    let pool = Pool::new().await;
    for id in [3, 1, 2] {
        assert!(pool.auth.bind_miner(&pool.admin, "alice", miner(id), true).await.unwrap());
    }
    assert!(!pool.auth.bind_miner(&pool.admin, "bob", miner(2), true).await.unwrap(), "known already");
    let miners: Vec<u64> =
        pool.auth.miners("alice").await.unwrap().iter().map(|m| m.miner.id().unwrap()).collect();
    assert_eq!(miners, [1, 3]);
    assert_eq!(pool.auth.account_of_miner(&miner(2)).await.unwrap().as_deref(), Some("bob"));
}

#[tokio::test]
async fn seed_s03_a_shared_token_finds_accounts_by_miner_and_by_signer() {
    let pool = Pool::new().await;
    pool.auth.bind_miner(&pool.admin, "alice", miner(1), true).await.unwrap();
    pool.auth.register_signers(&pool.admin, "bob", &[key(1)]).await.unwrap();
    let directory: &dyn AccountDirectory = &pool.auth;
    assert_eq!(directory.account_of_miner(&miner(1)).await.unwrap().as_deref(), Some("alice"));
    assert_eq!(directory.accounts_of_signer(&key(1)).await.unwrap(), ["bob"]);
    assert_eq!(directory.account_of_miner(&miner(2)).await.unwrap(), None);
    assert!(directory.accounts_of_signer(&key(2)).await.unwrap().is_empty());
}

#[tokio::test]
async fn seed_s04_accounts_and_signers_are_many_to_many() {
    let pool = Pool::sharing(SignerSharing::Allow).await;
    for name in ["alice", "bob"] {
        pool.auth.register_signers(&pool.admin, name, &[key(1), key(2)]).await.unwrap();
    }
    assert_eq!(pool.auth.accounts_of_signer(&key(1)).await.unwrap(), ["alice", "bob"], "the owner first");
    assert_eq!(pool.auth.signers("bob").await.unwrap().len(), 2);
}

#[tokio::test]
async fn seed_s05_miners_are_known_without_any_signer_or_connection() {
    let pool = Pool::new().await;
    pool.auth.bind_miner(&pool.admin, "alice", miner(1), true).await.unwrap();
    assert!(pool.auth.signers("alice").await.unwrap().is_empty());
    assert_eq!(pool.auth.miners("alice").await.unwrap().len(), 1);
}

#[tokio::test]
async fn seed_s14_signers_are_not_miners() {
    let pool = Pool::new().await;
    let system = Actor::system();
    let actors = [miner(1), venus_core::types::Address::new_actor(b"x")];
    for actor in actors {
        let error = pool.auth.register_signers(&system, "alice", &[actor]).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Invalid);
    }
    let error = pool.auth.bind_miner(&system, "alice", key(1), true).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Invalid);
    pool.auth.register_signers(&system, "alice", &[key(1)]).await.unwrap();
    assert!(pool.auth.miners("alice").await.unwrap().is_empty(), "who looks for deals sees miners only");
}
