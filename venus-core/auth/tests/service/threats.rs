//! Attacks on auth. Each has a number in the list of threats.

use std::path::Path;
use std::sync::Arc;

use secrecy::ExposeSecret;
use time::OffsetDateTime;
use venus_auth::jwt::{self, Claims};
use venus_auth::{
    AuditQuery, AuthError, AuthStore, Ban, LOCAL_TOKEN, NewToken, NewUser, Page, Provenance, Rules,
    SignerSharing, SqlStore, TokenStorage, UserChange, UserState, migrate_tokens,
};
use venus_core::api::AccountDirectory;
use venus_core::error::{Classify, ErrorKind};

use crate::{Pool, actor, key, miner};

const ALL: Page = Page { skip: 0, limit: 0 };

#[tokio::test]
async fn t03_a_second_account_needs_the_owners_consent() {
    for (sharing, before, after) in [
        (SignerSharing::Deny, false, false),
        (SignerSharing::Grant, false, true),
        (SignerSharing::Allow, true, true),
    ] {
        let pool = Pool::sharing(sharing).await;
        let first = pool.auth.register_signers(&pool.admin, "alice", &[key(1)]).await.unwrap();
        assert!(first[0].bound);
        let both = [key(2), key(1)];
        let second = pool.auth.register_signers(&pool.admin, "bob", &both).await.unwrap();
        assert!(second[0].bound, "one refusal does not cost the others");
        assert_eq!(second[1].bound, before, "{sharing:?}");
        assert_eq!(second[1].owner.as_deref(), (!before).then_some("alice"));
        assert_eq!(pool.auth.accounts_of_signer(&key(1)).await.unwrap().len(), 1 + usize::from(before));
        let consent = pool.auth.grant_signer(&actor("bob", "sign"), &key(1), "bob").await;
        assert_eq!(consent.unwrap_err().kind(), ErrorKind::Denied, "nobody consents to themselves");
        pool.auth.grant_signer(&actor("alice", "read"), &key(1), "bob").await.unwrap();
        let again = pool.auth.register_signers(&pool.admin, "bob", &[key(1)]).await.unwrap();
        assert_eq!(again[0].bound, after, "{sharing:?}");
        let rows = pool.store.signer(&key(1)).await.unwrap();
        assert_eq!((rows[0].user.as_str(), rows[0].provenance), ("alice", Provenance::Owner));
    }
}

#[tokio::test]
async fn t04_naming_an_account_gives_it_nothing() {
    let pool = Pool::new().await;
    for perm in ["read", "write", "sign"] {
        let error = pool.auth.register_signers(&actor("bob", perm), "alice", &[key(1)]).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Denied);
    }
    assert!(pool.auth.signers("alice").await.unwrap().is_empty());
    let error = pool.auth.register_signers(&pool.admin, "nobody", &[key(1)]).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound, "{error}");
    assert!(pool.store.signer(&key(1)).await.unwrap().is_empty());
}

#[tokio::test]
async fn t05_one_owner_cannot_unbind_others() {
    let pool = Pool::sharing(SignerSharing::Allow).await;
    for name in ["alice", "bob"] {
        pool.auth.register_signers(&pool.admin, name, &[key(1)]).await.unwrap();
    }
    let seq = pool.auth.effects().last();
    assert!(pool.auth.remove_signer(&actor("bob", "read"), &key(1)).await.unwrap());
    assert_eq!(pool.auth.accounts_of_signer(&key(1)).await.unwrap(), ["alice"]);
    assert_eq!(pool.ended(seq).await.len(), 1, "and ends nothing of others");
    pool.auth.register_signers(&pool.admin, "bob", &[key(1)]).await.unwrap();
    assert!(pool.auth.remove_signer(&pool.admin, &key(1)).await.unwrap(), "an administrator unbinds all");
    assert!(pool.auth.accounts_of_signer(&key(1)).await.unwrap().is_empty());
}

#[tokio::test]
async fn t06_what_was_taken_away_is_in_no_answer() {
    let pool = Pool::new().await;
    let (auth, admin) = (&pool.auth, &pool.admin);
    let token = pool.token("alice", "sign").await;
    auth.bind_miner(admin, "alice", miner(1), true).await.unwrap();
    auth.register_signers(admin, "alice", &[key(1)]).await.unwrap();
    let served = || async {
        let by_miner = auth.account_of_miner(&miner(1)).await.unwrap().is_some();
        let by_signer = !auth.accounts_of_signer(&key(1)).await.unwrap().is_empty();
        (auth.check(&token, None).await.is_ok(), by_miner, by_signer)
    };
    let set = |state| UserChange { comment: None, state: Some(state) };
    assert_eq!(served().await, (true, true, true));
    auth.update_user(admin, "alice", set(UserState::Disabled)).await.unwrap();
    assert_eq!(served().await, (false, false, false), "disabled means disabled, everywhere");
    assert!(!auth.account("alice").await.unwrap().enabled);
    auth.update_user(admin, "alice", set(UserState::Enabled)).await.unwrap();
    auth.ban(admin, &Ban::Address(key(1)), "stolen").await.unwrap();
    assert_eq!(served().await, (true, true, false));
    auth.ban(admin, &Ban::Account("alice".into()), "misuse").await.unwrap();
    assert_eq!(served().await, (false, false, false));
    for ban in [Ban::Address(key(1)), Ban::Account("alice".into())] {
        auth.unban(admin, &ban).await.unwrap();
    }
    auth.delete_user(admin, "alice").await.unwrap();
    assert_eq!(served().await, (false, false, false), "also in the store's own rows");
    auth.recover_user(admin, "alice").await.unwrap();
    assert_eq!(served().await, (false, true, true), "tokens are recovered one by one");
}

#[tokio::test]
async fn t06_a_token_that_expired_is_refused_to_the_second() {
    let pool = Pool::new().await;
    let ends = OffsetDateTime::UNIX_EPOCH + crate::START + std::time::Duration::from_secs(60);
    let new = NewToken { name: "alice".into(), expires_at: Some(ends), ..NewToken::default() };
    let token = pool.auth.create_token(&pool.admin, new).await.unwrap();
    pool.clock.advance(std::time::Duration::from_secs(59));
    pool.auth.check(token.expose_secret(), None).await.unwrap();
    pool.clock.advance(std::time::Duration::from_secs(1));
    let error = pool.auth.check(token.expose_secret(), None).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unauthenticated);
}

#[tokio::test]
async fn t12_garbage_costs_no_store_and_every_answer_is_bounded() {
    let store = SqlStore::sqlite_in_memory().await.unwrap();
    let pool = Pool::over(Arc::new(store.clone()), Rules::default()).await;
    let many = vec![key(1); 10_001];
    let error = pool.auth.register_signers(&pool.admin, "alice", &many).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Invalid);
    for n in 0..1010 {
        pool.user(&format!("u{n}")).await;
    }
    let page = Page { skip: 0, limit: u32::MAX };
    assert_eq!(pool.auth.users(&pool.admin, page, None).await.unwrap().len(), 1000);
    assert_eq!(pool.auth.users(&pool.admin, Page { skip: 1000, limit: 0 }, None).await.unwrap().len(), 12);
    let query = AuditQuery { limit: u32::MAX, ..AuditQuery::default() };
    assert_eq!(pool.auth.audit(&pool.admin, &query).await.unwrap().len(), 1000);

    store.close().await;
    let hash = venus_auth::TokenKey::hashed("x").as_column().to_owned();
    for garbage in [
        "",
        "a",
        "a.b",
        "a.b.c.d",
        "a.!.c",
        &"x".repeat(1 << 20),
        &format!("a.{}.c", "e".repeat(5000)),
        &hash,
    ] {
        let error = pool.auth.check(garbage, None).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unauthenticated, "the store, which is closed, was not asked");
    }
    let unknown = jwt::encode(&Claims::new("alice", "admin", ""), b"mine");
    assert_eq!(pool.auth.check(&unknown, None).await.unwrap_err().kind(), ErrorKind::Transient);
}

/// Also invariant I7.
#[tokio::test]
async fn t14_no_token_or_secret_in_errors_records_effects_or_debug_texts() {
    for tokens in [TokenStorage::Hashed, TokenStorage::Clear] {
        let pool = Pool::with(Rules { tokens, ..Rules::default() }).await;
        let (auth, admin) = (&pool.auth, &pool.admin);
        let token = pool.token("alice", "admin").await;
        let row = pool.store.tokens_of("alice").await.unwrap().remove(0);
        let mut said =
            vec![format!("{auth:?} {row:?} {:?} {:?}", row.key, auth.tokens(admin, ALL).await.unwrap())];
        let errors: [AuthError; 5] = [
            auth.revoke_token(&actor("bob", "sign"), &token).await.unwrap_err(),
            auth.recover_token(admin, &token).await.unwrap_err(),
            {
                auth.revoke_token(admin, &token).await.unwrap();
                auth.revoke_token(admin, &token).await.unwrap_err()
            },
            auth.check(&token, None).await.unwrap_err(),
            auth.token(admin, &token).await.unwrap_err(),
        ];
        said.extend(errors.iter().map(|error| format!("{error} {error:?}")));
        said.push(format!("{:?}", auth.effects().after(0).await));
        said.push(format!("{:?}", auth.audit(admin, &AuditQuery::default()).await.unwrap()));
        let signature = token.rsplit_once('.').unwrap().1;
        for text in said {
            assert!(!text.contains(signature), "{text}");
            assert!(row.secret.is_empty() || !text.contains(&row.secret), "{text}");
        }
    }
}

fn files(folder: &Path) -> Vec<u8> {
    let entries = std::fs::read_dir(folder).unwrap();
    entries.flat_map(|entry| std::fs::read(entry.unwrap().path()).unwrap()).collect()
}

fn holds(haystack: &[u8], needle: &str) -> bool {
    haystack.windows(needle.len()).any(|window| window == needle.as_bytes())
}

#[tokio::test]
async fn t15_a_stolen_database_opens_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let store = Arc::new(SqlStore::sqlite(&dir.path().join("auth.db")).await.unwrap());
    let clear = Rules { tokens: TokenStorage::Clear, ..Rules::default() };
    let pool = Pool::over(store.clone(), clear).await;
    let token = pool.token("alice", "admin").await;
    let signature = token.rsplit_once('.').unwrap().1.to_owned();
    let secret = store.tokens_of("alice").await.unwrap()[0].secret.clone();
    assert!(holds(&files(dir.path()), &signature), "a clear store holds what it says");
    migrate_tokens(&*store, false).await.unwrap();
    let hashed = pool.auth.check(&token, None).await.unwrap();
    assert_eq!(hashed.name, "alice");
    let bytes = files(dir.path());
    assert!(!holds(&bytes, &signature) && !holds(&bytes, &secret), "not in free pages or the log either");

    let made_hashed =
        venus_auth::AuthService::new(store.clone(), Arc::new(pool.clock.clone()), Rules::default());
    let new = NewToken { name: "alice".into(), perm: "admin".into(), ..NewToken::default() };
    let second = made_hashed.create_token(&pool.admin, new).await.unwrap();
    let second = second.expose_secret();
    assert!(!holds(&files(dir.path()), second.rsplit_once('.').unwrap().1));
    for row in store.tokens_of("alice").await.unwrap() {
        for stolen in [row.key.as_column().to_owned(), row.key.fingerprint(), row.key.display()] {
            let error = made_hashed.check(&stolen, None).await.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Unauthenticated);
        }
    }
}

#[tokio::test]
async fn t18_a_name_is_never_given_to_another() {
    let pool = Pool::new().await;
    let (auth, admin) = (&pool.auth, &pool.admin);
    let token = pool.token("alice", "sign").await;
    auth.register_signers(admin, "alice", &[key(1)]).await.unwrap();
    let id = auth.user(admin, "alice").await.unwrap().id;
    auth.delete_user(admin, "alice").await.unwrap();
    let again = NewUser { name: "alice".into(), ..NewUser::default() };
    assert_eq!(auth.create_user(admin, again).await.unwrap_err().kind(), ErrorKind::Conflict);
    assert!(auth.check(&token, None).await.is_err());
    auth.recover_user(admin, "alice").await.unwrap();
    assert_eq!(auth.user(admin, "alice").await.unwrap().id, id, "the same account, with its id");
    for name in [&"x".repeat(51), "a\u{7}", "a\0"] {
        let new = NewUser { name: name.into(), ..NewUser::default() };
        assert_eq!(auth.create_user(admin, new).await.unwrap_err().kind(), ErrorKind::Invalid);
    }

    let local = auth.local_token(None).await.unwrap();
    assert_eq!(auth.check(local.expose_secret(), None).await.unwrap().name, LOCAL_TOKEN);
    let taken = NewUser { name: LOCAL_TOKEN.into(), ..NewUser::default() };
    assert_eq!(auth.create_user(admin, taken).await.unwrap_err().kind(), ErrorKind::Conflict);
    let same = auth.local_token(Some(local.expose_secret())).await.unwrap();
    assert_eq!(same.expose_secret(), local.expose_secret(), "the file's token is kept while it counts");
    let seq = auth.effects().last();
    let other = auth.local_token(Some("forged.e30.x")).await.unwrap();
    assert!(auth.check(local.expose_secret(), None).await.is_err(), "a lost one is revoked");
    assert!(auth.check(other.expose_secret(), None).await.is_ok());
    assert_eq!(pool.ended(seq).await.len(), 1, "and those who hold it learn so");
}
