//! The client's whole surface, and the contracts of the core's traits.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use axum::Router;
use axum::http::StatusCode;
use secrecy::{ExposeSecret, SecretString};
use time::OffsetDateTime;
use venus_auth::client::{AuthClient, ClientConfig, ClientError};
use venus_auth::{
    Actor, AuditQuery, Ban, LimitRow, NewToken, NewUser, Page, SignerSharing, UserChange, UserState,
};
use venus_core::api::{AccountDirectory, Permission};
use venus_core::error::{Classify, ErrorKind};
use venus_core::testing::suites::{
    AccountDirectoryFixture, AuthenticatorFixture, GoodToken, account_directory, authenticator, step,
};
use venus_core::types::Address;

use crate::support::{Served, config, listen};

fn signer(n: u8) -> Address {
    Address::new_secp256k1(&[n; 65]).unwrap()
}

fn limit(name: &str) -> LimitRow {
    LimitRow {
        id: String::new(),
        name: name.into(),
        service: String::new(),
        api: String::new(),
        capacity: 10,
        period: Duration::from_secs(60),
    }
}

#[tokio::test]
async fn contract_of_the_directory() {
    let served = Served::start(SignerSharing::Allow, config()).await;
    let client = served.client();
    for name in ["alice", "bob"] {
        served.user(name, UserState::Enabled).await;
    }
    client.bind_miner("alice", &Address::new_id(1000), true).await.unwrap();
    client.register_signers("alice", &[signer(1)]).await.unwrap();
    client.put_limit(&limit("alice")).await.unwrap();
    let fixture = AccountDirectoryFixture {
        account: "alice".into(),
        other: "bob".into(),
        miner: Address::new_id(1000),
        signer: signer(1),
        free_miner: Address::new_id(2000),
    };
    account_directory(&client, &fixture).await;
}

#[tokio::test]
async fn contract_of_the_authenticator() {
    let served = Served::start(SignerSharing::Grant, config()).await;
    for (name, state) in
        [("alice", UserState::Enabled), ("off", UserState::Enabled), ("gone", UserState::Enabled)]
    {
        served.user(name, state).await;
    }
    let mut good = Vec::new();
    for level in [Permission::Read, Permission::Write, Permission::Sign, Permission::Admin] {
        let token = served.token("alice", level.as_str()).await.expose_secret().to_owned();
        good.push(GoodToken { token, account: Some("alice".into()), level });
    }
    let [off, gone, revoked] = ["off", "gone", "alice"].map(|name| served.token(name, "sign"));
    let (off, gone, revoked) = (off.await, gone.await, revoked.await);
    let client = served.client();
    client.delete_user("gone").await.unwrap();
    let change = UserChange { state: Some(UserState::Disabled), ..UserChange::default() };
    client.update_user("off", &change).await.unwrap();
    let fixture = AuthenticatorFixture {
        good,
        bad: vec![gone.expose_secret().to_owned()],
        disabled: vec![off.expose_secret().to_owned()],
        revoked: revoked.expose_secret().to_owned(),
        revoke: step(|| async { client.remove_token(revoked.expose_secret()).await.unwrap() }),
    };
    authenticator(&served.client(), &fixture).await;
}

#[tokio::test]
async fn accounts_and_tokens() {
    let served = Served::start(SignerSharing::Grant, config()).await;
    let client = served.client();
    let new = NewUser { name: "alice".into(), comment: "<first>".into(), state: UserState::Enabled };
    let alice = client.create_user(&new).await.unwrap();
    assert_eq!(client.user("alice").await.unwrap(), alice);
    assert_eq!(client.create_user(&new).await.unwrap_err().kind(), ErrorKind::Conflict);
    assert!(client.has_user("alice").await.unwrap() && !client.has_user("bob").await.unwrap());
    client.verify_users(&["alice".into()]).await.unwrap();
    assert_eq!(client.verify_users(&["bob".into()]).await.unwrap_err().kind(), ErrorKind::NotFound);
    let page = Page { skip: 0, limit: 10 };
    assert_eq!(client.users(page, Some(UserState::Enabled)).await.unwrap(), [alice]);
    client.bind_miner("alice", &Address::new_id(1000), true).await.unwrap();
    let all = client.users_with_miners(page, None).await.unwrap();
    assert_eq!(all[0].miners.as_ref().unwrap().len(), 1);

    let expires_at = Some(OffsetDateTime::now_utc() + Duration::from_secs(3600));
    let new = NewToken { name: "alice".into(), perm: "read".into(), expires_at, ..NewToken::default() };
    let token = client.generate_token(&new).await.unwrap();
    let verified = client.verify(token.expose_secret()).await.unwrap();
    assert_eq!((verified.name.as_str(), verified.expires_at), ("alice", expires_at));
    let shown = client.tokens_of("alice").await.unwrap();
    // Lists show eight characters, by which a token can be revoked and recovered.
    let short = shown[0].text.expose_secret().to_owned();
    assert_eq!((short.len(), shown[0].id), (8, Some(verified.id)));
    client.remove_token(&short).await.unwrap();
    let refused = client.verify(token.expose_secret()).await.unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::Unauthenticated);
    client.recover_token(&short).await.unwrap();
    client.verify(token.expose_secret()).await.unwrap();
    assert_eq!(client.token(&token).await.unwrap().name, "alice");
    assert_eq!(client.tokens(page).await.unwrap().len(), 2);
    client.delete_user("alice").await.unwrap();
    client.recover_user("alice").await.unwrap();
    assert_eq!(client.version().await.unwrap(), env!("CARGO_PKG_VERSION"));
}

#[tokio::test]
async fn bindings_limits_and_ours() {
    let served = Served::start(SignerSharing::Grant, config()).await;
    let client = served.client();
    for name in ["alice", "bob"] {
        served.user(name, UserState::Enabled).await;
    }
    let miner = Address::new_id(1000);
    assert!(client.bind_miner("alice", &miner, false).await.unwrap());
    assert_eq!(client.user_of_miner(&miner).await.unwrap().name, "alice");
    assert!(client.has_miner(&miner).await.unwrap());
    assert!(client.user_has_miner("alice", &miner).await.unwrap());
    assert!(!client.miners_of("alice").await.unwrap()[0].open_mining);
    assert!(client.unbind_miner(&miner).await.unwrap());

    client.register_signers("alice", &[signer(1), signer(2)]).await.unwrap();
    let taken = client.register_signers("bob", &[signer(1)]).await.unwrap_err();
    assert_eq!(taken.kind(), ErrorKind::Denied);
    client.grant_signer(&signer(1), "bob").await.unwrap();
    client.register_signers("bob", &[signer(1)]).await.unwrap();
    let users = client.users_of_signer(&signer(1)).await.unwrap();
    assert_eq!(users.iter().map(|user| user.name.as_str()).collect::<Vec<_>>(), ["alice", "bob"]);
    assert!(client.user_has_signer("bob", &signer(1)).await.unwrap());
    client.unregister_signers("alice", &[signer(2)]).await.unwrap();
    assert!(!client.has_signer(&signer(2)).await.unwrap());
    assert_eq!(client.signers_of("alice").await.unwrap().len(), 1);
    assert!(client.remove_signer(&signer(1)).await.unwrap());

    let id = client.put_limit(&limit("alice")).await.unwrap();
    assert_eq!(client.limits_of("alice", Some(&id)).await.unwrap()[0].capacity, 10);
    client.remove_limit("alice", &id).await.unwrap();
    assert!(client.limits_of("alice", None).await.unwrap().is_empty());

    let bob = served.client_of(served.token("bob", "read").await);
    assert_eq!(bob.user("bob").await.unwrap().name, "bob");
    let ban = Ban::Account("bob".into());
    client.ban(&ban, "owes <money>").await.unwrap();
    assert!(matches!(bob.user("bob").await, Err(ClientError::OurToken(_))));
    assert_eq!(client.bans().await.unwrap(), [(ban.clone(), "owes <money>".to_owned())]);
    client.unban(&ban).await.unwrap();
    bob.user("bob").await.unwrap();
    let records = client.audit(&AuditQuery { action: Some("ban".into()), ..AuditQuery::default() }).await;
    let records = records.unwrap();
    assert_eq!((records.len(), records[0].remote), (1, Some([127, 0, 0, 1].into())));
    assert_eq!(records[0].actor, "defaultLocalToken");
}

/// A gateway asks over the network: it must hear what the service in its process would say.
#[tokio::test]
async fn the_directory_leaves_out_who_is_kept_out_or_disabled() {
    const MINER: Address = Address::new_id(1000);
    let served = Served::start(SignerSharing::Grant, config()).await;
    let client = served.client();
    for name in ["alice", "bob"] {
        served.user(name, UserState::Enabled).await;
    }
    client.bind_miner("alice", &MINER, true).await.unwrap();
    client.register_signers("alice", &[signer(1)]).await.unwrap();
    client.grant_signer(&signer(1), "bob").await.unwrap();
    client.register_signers("bob", &[signer(1)]).await.unwrap();
    let answers = async || {
        let miner = client.account_of_miner(&MINER).await.unwrap();
        (miner.is_some(), client.accounts_of_signer(&signer(1)).await.unwrap().join(" "))
    };
    assert_eq!(answers().await, (true, "alice bob".to_owned()));
    for (ban, left) in [
        (Ban::Account("alice".into()), (false, "bob")),
        (Ban::Address(signer(1)), (true, "")),
        (Ban::Address(MINER), (false, "alice bob")),
    ] {
        client.ban(&ban, "stolen").await.unwrap();
        assert_eq!(answers().await, (left.0, left.1.to_owned()), "{ban}");
        client.unban(&ban).await.unwrap();
    }
    let change = UserChange { state: Some(UserState::Disabled), ..UserChange::default() };
    client.update_user("alice", &change).await.unwrap();
    assert_eq!(answers().await, (false, "bob".to_owned()));
}

/// An address where nobody listens.
async fn dead() -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    format!("http://{}", listener.local_addr().unwrap())
}

#[tokio::test]
async fn another_address_answers() {
    let served = Served::start(SignerSharing::Grant, config()).await;
    let urls = [dead().await, served.url.clone()];
    let client = AuthClient::new(&urls, served.admin.clone(), ClientConfig::default()).unwrap();
    assert!(!client.has_user("alice").await.unwrap());
    // A change that never left may go to another address.
    let client = AuthClient::new(&urls, served.admin.clone(), ClientConfig::default()).unwrap();
    client.create_user(&NewUser { name: "alice".into(), ..NewUser::default() }).await.unwrap();
    let nobody = AuthClient::new(&[dead().await], served.admin, ClientConfig::default()).unwrap();
    assert_eq!(nobody.has_user("alice").await.unwrap_err().kind(), ErrorKind::Transient);
}

#[tokio::test]
async fn only_questions_are_repeated() {
    let asked = Arc::new(AtomicUsize::new(0));
    let count = asked.clone();
    let url = listen(Router::new().fallback(move || {
        let turn = count.fetch_add(1, Ordering::SeqCst);
        async move {
            match turn {
                0 | 1 => (StatusCode::SERVICE_UNAVAILABLE, "later".to_owned()),
                2 => (StatusCode::OK, "true".to_owned()),
                _ => (StatusCode::INTERNAL_SERVER_ERROR, "{\"error\":\"broken\"}".to_owned()),
            }
        }
    }))
    .await;
    let client = AuthClient::new(&[url], SecretString::from("t"), ClientConfig::default()).unwrap();
    assert!(client.has_user("alice").await.unwrap());
    assert_eq!(asked.load(Ordering::SeqCst), 3);
    let failed = client.delete_user("alice").await.unwrap_err();
    assert_eq!((failed.kind(), failed.to_string().as_str()), (ErrorKind::Transient, "broken"));
    assert_eq!(asked.load(Ordering::SeqCst), 4);
}

#[tokio::test]
async fn silence_ends_in_time() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let config = ClientConfig { total: Duration::from_millis(300), ..ClientConfig::default() };
    let client = AuthClient::new(&[url], SecretString::from("t"), config).unwrap();
    let asked = tokio::time::timeout(Duration::from_secs(60), client.has_user("alice")).await;
    assert_eq!(asked.expect("a question ends").unwrap_err().kind(), ErrorKind::Timeout);
}

#[tokio::test]
async fn in_process_and_over_the_network_alike() {
    let served = Served::start(SignerSharing::Grant, config()).await;
    served.user("alice", UserState::Enabled).await;
    let here = served.service.user(&Actor::system(), "alice").await.unwrap();
    let there = served.client().user("alice").await.unwrap();
    assert_eq!((here.id, here.name, here.state), (there.id, there.name, there.state));
}
