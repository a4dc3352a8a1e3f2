//! The stream of what ends.

use std::time::Duration;

use secrecy::ExposeSecret;
use tokio::time::timeout;
use venus_auth::client::Revocations;
use venus_auth::{Actor, Effect, NewToken, SignerSharing, UserState, jwt};
use venus_core::error::{Classify, ErrorKind};

use crate::support::{Served, config};

async fn next(stream: &mut Revocations) -> Vec<Effect> {
    timeout(Duration::from_secs(60), stream.next()).await.expect("something ends").unwrap()
}

#[tokio::test]
async fn followers_hear_of_everything_once() {
    let served = Served::start(SignerSharing::Grant, config()).await;
    served.user("alice", UserState::Enabled).await;
    let token = served.token("alice", "sign").await;
    let mut stream = served.client().revocations();
    assert_eq!(next(&mut stream).await, [Effect::Reset]);
    served.client().remove_token(token.expose_secret()).await.unwrap();
    let ended = next(&mut stream).await;
    let [Effect::Token { hash, .. }] = &ended[..] else { panic!("{ended:?}") };
    assert_eq!(*hash, jwt::fingerprint(token.expose_secret()));
    // Longer than one question waits.
    let later = tokio::spawn({
        let client = served.client();
        async move {
            tokio::time::sleep(Duration::from_millis(500)).await;
            client.delete_user("alice").await.unwrap();
        }
    });
    assert_eq!(next(&mut stream).await, [Effect::Account("alice".into())]);
    later.await.unwrap();
}

#[tokio::test]
async fn a_restart_resets() {
    let served = Served::start(SignerSharing::Grant, config()).await;
    let mut stream = served.client().revocations();
    assert_eq!(next(&mut stream).await, [Effect::Reset]);
    served.restart();
    assert_eq!(next(&mut stream).await, [Effect::Reset]);
}

#[tokio::test]
async fn a_narrow_token_follows_and_does_nothing_else() {
    let served = Served::start(SignerSharing::Grant, config()).await;
    served.user("gateway", UserState::Enabled).await;
    let mut new = NewToken { name: "gateway".into(), perm: "read".into(), ..NewToken::default() };
    let plain = served.service.create_token(&Actor::system(), new.clone()).await.unwrap();
    let denied = served.client_of(plain).revocations().next().await.unwrap_err();
    assert_eq!(denied.kind(), ErrorKind::Denied);
    new.scopes = vec!["auth.verify".into()];
    let narrow = served.service.create_token(&Actor::system(), new.clone()).await.unwrap();
    let client = served.client_of(narrow.clone());
    assert_eq!(client.revocations().next().await.unwrap(), [Effect::Reset]);
    assert_eq!(client.verify(narrow.expose_secret()).await.unwrap().scopes, ["auth.verify"]);
    assert_eq!(client.user("gateway").await.unwrap_err().kind(), ErrorKind::Denied);
    new.audience = vec!["messager".into()];
    let elsewhere = served.service.create_token(&Actor::system(), new).await.unwrap();
    let denied = served.client_of(elsewhere).revocations().next().await.unwrap_err();
    assert_eq!(denied.kind(), ErrorKind::Denied);
}
