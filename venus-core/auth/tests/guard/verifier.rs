//! Finding out who calls.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use secrecy::{ExposeSecret, SecretSlice, SecretString};
use time::OffsetDateTime;
use tokio::time::advance;
use uuid::Uuid;
use venus_auth::jwt::{self, Claims};
use venus_auth::verifier::{CacheConfig, Cached, Chain, Local};
use venus_auth::watch::{Liveness, OnEffect};
use venus_auth::{Actor, AuthService, Ban, Effect, LimitRow, SignerSharing, UserChange, UserState};
use venus_core::api::{Authenticator, IdentityError, Permission, Permissions, Principal};
use venus_core::clock::ManualClock;
use venus_core::error::{Classify, ErrorKind};
use venus_core::testing::suites::{
    AccountDirectoryFixture, AuthenticatorFixture, GoodToken, account_directory, authenticator, step,
};
use venus_core::types::Address;

use crate::support::{Counted, START, service, service_with, token};

fn cached(inner: &Arc<Counted>) -> Cached {
    let config = CacheConfig { clock: Arc::new(inner.clock.clone()), ..CacheConfig::default() };
    Cached::new(inner.clone(), Liveness::default(), config)
}

fn issue(inner: &Counted) -> String {
    inner.accounts.issue(Some("alice"), Permissions::up_to("sign"), None).unwrap()
}

fn ended(token: &str) -> Effect {
    Effect::Token { id: Uuid::nil(), hash: jwt::fingerprint(token) }
}

#[tokio::test(start_paused = true)]
async fn contract_of_the_cached_verifier() {
    let inner = Counted::new();
    inner.accounts.add("off");
    let off = inner.accounts.issue(Some("off"), Permissions::READ, None).unwrap();
    inner.accounts.set_enabled("off", false).unwrap();
    let (good, revoked) = (issue(&inner), issue(&inner));
    let expired = inner
        .accounts
        .issue(Some("alice"), Permissions::READ, Some(OffsetDateTime::UNIX_EPOCH + START))
        .unwrap();
    let account = Some("alice".to_owned());
    let fixture = AuthenticatorFixture {
        good: vec![GoodToken { token: good, account, level: Permission::Sign }],
        bad: vec![expired],
        disabled: vec![off],
        revoked: revoked.clone(),
        revoke: step(|| async {
            inner.accounts.revoke(&revoked);
            advance(Duration::from_secs(1)).await;
        }),
    };
    authenticator(&cached(&inner), &fixture).await;
}

fn key(n: u8) -> Address {
    Address::new_secp256k1(&[n; 65]).unwrap()
}

/// What was wrong before: pages of any size, lists in no order, addresses of any kind.
#[tokio::test]
async fn contract_of_the_directory_in_this_process() {
    let (auth, system) = (service_with(SignerSharing::Allow).await, Actor::system());
    auth.bind_miner(&system, "alice", Address::new_id(1000), true).await.unwrap();
    AuthService::register_signers(&auth, &system, "alice", &[key(1)]).await.unwrap();
    let limit = LimitRow {
        id: "l".into(),
        name: "alice".into(),
        service: String::new(),
        api: String::new(),
        capacity: 10,
        period: Duration::from_millis(500),
    };
    auth.put_limit(&system, limit).await.unwrap();
    let fixture = AccountDirectoryFixture {
        account: "alice".into(),
        other: "bob".into(),
        miner: Address::new_id(1000),
        signer: key(1),
        free_miner: Address::new_id(2000),
    };
    account_directory(&auth, &fixture).await;
}

/// What was wrong before: a disabled account was refused as guesses are.
#[tokio::test]
async fn contract_of_the_authenticator_in_this_process() {
    let (auth, system) = (service().await, Actor::system());
    let (good, revoked) = (token(&auth, "alice", "sign").await, token(&auth, "alice", "read").await);
    let disabled = token(&auth, "bob", "read").await;
    let change = UserChange { state: Some(UserState::Disabled), ..UserChange::default() };
    auth.update_user(&system, "bob", change).await.unwrap();
    let text = |token: &SecretString| token.expose_secret().to_owned();
    let good = GoodToken { token: text(&good), account: Some("alice".into()), level: Permission::Sign };
    let fixture = AuthenticatorFixture {
        good: vec![good],
        bad: Vec::new(),
        disabled: vec![text(&disabled)],
        revoked: text(&revoked),
        revoke: step(|| async { auth.revoke_token(&system, revoked.expose_secret()).await.unwrap() }),
    };
    authenticator(&auth, &fixture).await;
}

#[tokio::test(start_paused = true)]
async fn answers_hold_for_a_second_or_for_as_long_as_somebody_tells_what_ends() {
    let inner = Counted::new();
    let verifier = cached(&inner);
    let token = issue(&inner);
    let asks = async |age| {
        advance(Duration::from_millis(age)).await;
        verifier.authenticate(&token).await.unwrap();
        inner.asked()
    };
    assert_eq!([asks(0).await, asks(0).await, asks(999).await, asks(1).await], [1, 0, 0, 1]);
}

#[tokio::test(start_paused = true)]
async fn many_who_come_at_once_are_one_question() {
    let inner = Counted::new();
    *inner.delay.lock().unwrap() = Duration::from_millis(50);
    let (verifier, token) = (cached(&inner), issue(&inner));
    let all = futures::future::join_all((0..1000).map(|_| verifier.authenticate(&token))).await;
    assert!(all.iter().all(Result::is_ok));
    assert_eq!(inner.asked(), 1);
    let all = futures::future::join_all((0..1000).map(|_| verifier.authenticate("a.guess"))).await;
    assert!(all.iter().all(Result::is_err));
    assert_eq!(inner.asked(), 1, "a refusal too");
}

#[tokio::test(start_paused = true)]
async fn when_the_service_is_away_answers_run_out_and_nobody_is_let_in() {
    let inner = Counted::new();
    let (verifier, token) = (cached(&inner), issue(&inner));
    verifier.authenticate(&token).await.unwrap();
    inner.is_away.store(true, Ordering::SeqCst);
    advance(Duration::from_millis(900)).await;
    verifier.authenticate(&token).await.unwrap();
    advance(Duration::from_millis(100)).await;
    let error = verifier.authenticate(&token).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Transient, "nobody can tell, which is no refusal");
    inner.is_away.store(false, Ordering::SeqCst);
    verifier.authenticate(&token).await.unwrap();
}

/// Contract of the trait: an answer that comes later than it holds is worthless.
#[tokio::test(start_paused = true)]
async fn an_answer_that_comes_too_late_is_none() {
    let inner = Counted::new();
    let (verifier, token) = (cached(&inner), issue(&inner));
    *inner.delay.lock().unwrap() = Duration::from_millis(1500);
    assert_eq!(verifier.authenticate(&token).await.unwrap_err().kind(), ErrorKind::Timeout);
    *inner.delay.lock().unwrap() = Duration::from_millis(500);
    verifier.authenticate(&token).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn t06_what_ended_is_forgotten_at_once_and_does_not_come_back() {
    let inner = Counted::new();
    let (verifier, token, other) = (cached(&inner), issue(&inner), issue(&inner));
    for (effect, asked) in [
        (ended(&other), 0),
        (ended(&token), 1),
        (Effect::Account("bob".into()), 0),
        (Effect::Account("alice".into()), 1),
        (Effect::Token { id: Uuid::nil(), hash: String::new() }, 1),
        (Effect::Reset, 1),
    ] {
        verifier.authenticate(&token).await.unwrap();
        inner.asked();
        verifier.ended(&effect);
        verifier.authenticate(&token).await.unwrap();
        assert_eq!(inner.asked(), asked, "{effect:?}");
    }
    // Revoked while the answer that it counts is on its way.
    verifier.ended(&Effect::Reset);
    *inner.delay.lock().unwrap() = Duration::from_millis(100);
    let slow = tokio::spawn({
        let (verifier, token) = (verifier.clone(), token.clone());
        async move { verifier.authenticate(&token).await }
    });
    tokio::time::sleep(Duration::from_millis(50)).await;
    inner.accounts.revoke(&token);
    verifier.ended(&ended(&token));
    assert!(matches!(slow.await.unwrap(), Err(IdentityError::Unauthenticated)));
    assert!(verifier.known(&token).is_none());
}

#[tokio::test(start_paused = true)]
async fn no_answer_outlives_its_token() {
    let inner = Counted::new();
    let end = OffsetDateTime::UNIX_EPOCH + START + Duration::from_secs(10);
    let token = inner.accounts.issue(Some("alice"), Permissions::READ, Some(end)).unwrap();
    let verifier = cached(&inner);
    verifier.authenticate(&token).await.unwrap();
    inner.clock.advance(Duration::from_secs(10));
    assert!(matches!(verifier.authenticate(&token).await, Err(IdentityError::Unauthenticated)));
    assert!(verifier.known(&token).is_none());
}

#[tokio::test(start_paused = true)]
async fn refusals_hold_for_five_seconds_and_guesses_take_no_room() {
    let inner = Counted::new();
    let config = CacheConfig { tokens: 10, refusals: 10, ..CacheConfig::default() };
    let verifier = Cached::new(inner.clone(), Liveness::default(), config);
    let token = issue(&inner);
    verifier.authenticate(&token).await.unwrap();
    for n in 0..1000 {
        assert!(verifier.authenticate(&format!("guess.{n}")).await.is_err());
    }
    inner.asked();
    verifier.authenticate(&token).await.unwrap();
    assert_eq!(inner.asked(), 0, "a flood of guesses does not push tokens out");
    let refused = inner.accounts.issue(Some("alice"), Permissions::READ, None).unwrap();
    inner.accounts.set_enabled("alice", false).unwrap();
    for (wait, asked) in [(0, 1), (4999, 0), (1, 1)] {
        advance(Duration::from_millis(wait)).await;
        let error = verifier.authenticate(&refused).await.unwrap_err();
        assert!(matches!(error, IdentityError::Disabled(name) if name == "alice"));
        assert_eq!(inner.asked(), asked);
    }
    let long = "x".repeat(1 << 20);
    assert!(verifier.authenticate(&long).await.is_err() && verifier.authenticate("").await.is_err());
    assert_eq!(inner.asked(), 0, "what can be no token is no question");
}

fn local(clock: &ManualClock) -> Local {
    Local::new(SecretSlice::from((0..32).collect::<Vec<u8>>()), Arc::new(clock.clone()))
}

#[tokio::test(start_paused = true)]
async fn local_tokens_are_those_of_go_and_come_first() {
    let inner = Counted::new();
    let local = local(&inner.clock);
    let go = local.token(&Claims::new("alice", "sign", ""));
    assert!(go.expose_secret().ends_with(".kfSwMOmgcf4lahGgfswdtlsEVNDA_dD41grUuQyjY_0"));
    let remote = issue(&inner);
    let chain = Chain::new("gateway").local(local.clone()).remote(cached(&inner));
    let caller = chain.authenticate(go.expose_secret()).await.unwrap();
    assert_eq!(caller, Principal::new(Some("alice".into()), Permissions::up_to("sign")));
    assert_eq!(inner.asked(), 0);
    assert_eq!(chain.authenticate(&remote).await.unwrap().account.as_deref(), Some("alice"));
    assert_eq!(inner.asked(), 1);
    let end = |at| Claims { exp: Some(at), ..Claims::new("a", "read", "") };
    let now = i64::try_from(START.as_secs()).unwrap();
    let [ended, lasts] = [now, now + 1].map(|at| local.token(&end(at)));
    assert!(local.check(ended.expose_secret()).is_none() && local.check(lasts.expose_secret()).is_some());
    let nobody = Chain::new("gateway").authenticate(go.expose_secret()).await;
    assert!(matches!(nobody, Err(IdentityError::Unauthenticated)), "without a verifier nobody is let in");
    assert!(!format!("{local:?} {chain:?}").contains("[0, 1"));
}

#[tokio::test(start_paused = true)]
async fn a_token_for_another_service_is_refused() {
    let clock = ManualClock::new(START);
    let local = local(&clock);
    let chain = Chain::new("gateway").local(local.clone());
    for (audience, accepted) in [
        (vec![], true),
        (vec!["gateway"], true),
        (vec!["messager", "gateway"], true),
        (vec!["messager"], false),
    ] {
        let aud = audience.iter().map(|name| (*name).to_owned()).collect();
        let token = local.token(&Claims { aud, ..Claims::new("alice", "read", "") });
        assert_eq!(chain.authenticate(token.expose_secret()).await.is_ok(), accepted, "{audience:?}");
        assert_eq!(chain.at_hand(token.expose_secret()).is_some(), accepted);
    }
}

/// The comparison takes one time whatever differs: it is `Hmac::verify_slice`, which compares without branches. Here:
/// nothing that comes close is let in, and nothing tells how close it came.
#[test]
fn t21_a_wrong_signature_tells_nothing() {
    let clock = ManualClock::new(START);
    let local = local(&clock);
    let token = local.token(&Claims::new("alice", "sign", ""));
    let token = token.expose_secret();
    let at = token.rfind('.').unwrap() + 1;
    let mut errors = BTreeMap::new();
    for place in at..token.len() {
        let mut other = token.as_bytes().to_vec();
        other[place] = if other[place] == b'A' { b'E' } else { b'A' };
        let other = String::from_utf8(other).unwrap();
        assert!(local.check(&other).is_none(), "byte {place}");
        let secret: Vec<u8> = (0..32).collect();
        *errors.entry(jwt::verify(&other, &secret).unwrap_err().to_string()).or_insert(0) += 1;
    }
    assert_eq!(errors.into_keys().collect::<Vec<_>>(), ["jwt: HMAC verification failed"]);
    for cut in at..token.len() {
        assert!(local.check(&token[..cut]).is_none(), "a shorter signature is no signature");
    }
}

#[tokio::test]
async fn who_bans_a_token_by_its_id_ends_it_by_its_name() {
    let auth = service().await;
    let token = token(&auth, "alice", "read").await;
    let id = auth.check(token.expose_secret(), None).await.unwrap().id;
    let seq = auth.effects().last();
    auth.ban(&Actor::system(), &Ban::Token(id), "").await.unwrap();
    let ended: Vec<Effect> = auth.effects().after(seq).await.into_iter().map(|r| r.effect).collect();
    assert_eq!(ended, [Effect::Token { id, hash: jwt::fingerprint(token.expose_secret()) }]);
}
