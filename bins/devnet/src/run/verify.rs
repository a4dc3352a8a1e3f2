//! Tokens of an auth service.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use reqwest::{Client, StatusCode, header};
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use tokio::sync::Semaphore;
use tokio::time::{Instant, timeout_at};
use venus_core::api::{Authenticator, IdentityError, PRINCIPAL_MAX_AGE, Permissions, Principal};
use venus_core::crypto::hash::blake2b_256;
use venus_core::rpc::client::choose_tls;

use crate::error::CliError;

/// How long the service may take.
const PATIENCE: Duration = Duration::from_secs(5);
/// Longest answer that is read, bytes.
const MAX_ANSWER: usize = 16 << 10;
/// Most answers that are remembered.
const MAX_KNOWN: usize = 1024;
/// Most questions at once.
const MAX_QUESTIONS: usize = 64;

/// Asks the `/verify` of an auth service who a token belongs to. An answer is used for a second.
pub(crate) struct RemoteVerifier {
    client: Client,
    url: String,
    own: Option<SecretString>,
    known: Mutex<HashMap<[u8; 32], (Instant, Principal)>>,
    questions: Semaphore,
}

impl fmt::Debug for RemoteVerifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RemoteVerifier").field("url", &self.url).finish_non_exhaustive()
    }
}

#[derive(Serialize)]
struct Question<'a> {
    token: &'a str,
}

#[derive(Deserialize)]
struct Answer {
    #[serde(default)]
    name: String,
    #[serde(default)]
    perm: String,
}

impl RemoteVerifier {
    /// Asks at `url`, with `own` as the token of the asker. Nothing is asked yet.
    ///
    /// # Errors
    /// [`CliError::Usage`] if the URL is none.
    pub(crate) fn new(url: &str, own: Option<SecretString>) -> Result<Self, CliError> {
        let wrong = |reason: &dyn fmt::Display| CliError::Usage(format!("--auth-url: {reason}"));
        if !url.starts_with("http://") && !url.starts_with("https://") {
            return Err(wrong(&"must begin with http:// or https://"));
        }
        choose_tls();
        let client = Client::builder().timeout(PATIENCE).redirect(reqwest::redirect::Policy::none()).build();
        let client = client.map_err(|e| wrong(&e.without_url()))?;
        let url = format!("{}/verify", url.trim_end_matches('/'));
        let (known, questions) = (Mutex::default(), Semaphore::new(MAX_QUESTIONS));
        Ok(Self { client, url, own, known, questions })
    }

    /// A principal that was asked for not long ago.
    fn remembered(&self, key: &[u8; 32]) -> Option<Principal> {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known
            .get(key)
            .filter(|(asked, _)| asked.elapsed() < PRINCIPAL_MAX_AGE)
            .map(|(_, found)| found.clone())
    }

    fn remember(&self, key: [u8; 32], asked: Instant, principal: &Principal) {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= MAX_KNOWN {
            known.retain(|_, (asked, _)| asked.elapsed() < PRINCIPAL_MAX_AGE);
        }
        if known.len() < MAX_KNOWN {
            known.insert(key, (asked, principal.clone()));
        }
    }

    async fn ask(&self, token: &str) -> Result<Principal, IdentityError> {
        let mut request = self.client.post(&self.url).json(&Question { token });
        if let Some(own) = &self.own {
            request = request.header(header::AUTHORIZATION, format!("Bearer {}", own.expose_secret()));
        }
        let mut response = request.send().await.map_err(unreachable)?;
        match response.status() {
            StatusCode::OK => {}
            // What the service answers for tokens that it does not know.
            StatusCode::BAD_REQUEST => return Err(IdentityError::Unauthenticated),
            // It may mean the token in question or ours: nobody is let in either way.
            refusal @ (StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN) => {
                tracing::warn!(status = %refusal, "the auth service refuses: does --auth-token-file hold its token?");
                return Err(IdentityError::Unauthenticated);
            }
            other => return Err(IdentityError::Transport(format!("auth service: status {other}").into())),
        }
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(unreachable)? {
            if body.len() + chunk.len() > MAX_ANSWER {
                return Err(IdentityError::Transport("auth service: the answer is too long".into()));
            }
            body.extend_from_slice(&chunk);
        }
        principal(&body)
    }
}

fn principal(body: &[u8]) -> Result<Principal, IdentityError> {
    let answer: Answer = serde_json::from_slice(body)
        .map_err(|_| IdentityError::Transport("auth service: the answer is not understood".into()))?;
    let permissions = Permissions::up_to(&answer.perm);
    if permissions == Permissions::NONE {
        return Err(IdentityError::Unauthenticated);
    }
    let account = Some(answer.name).filter(|name| !name.is_empty());
    Ok(Principal::new(account, permissions))
}

/// The error of a request, without its URL: whoever asks knows it.
fn unreachable(error: reqwest::Error) -> IdentityError {
    IdentityError::Transport(Box::new(error.without_url()))
}

#[async_trait]
impl Authenticator for RemoteVerifier {
    async fn authenticate(&self, token: &str) -> Result<Principal, IdentityError> {
        let key = blake2b_256(token.as_bytes());
        if let Some(found) = self.remembered(&key) {
            return Ok(found);
        }
        let asked = Instant::now();
        let late = |_| IdentityError::Transport("auth service: too many questions at once".into());
        let _turn = timeout_at(asked + PATIENCE, self.questions.acquire()).await.map_err(late)?;
        let found = self.ask(token).await?;
        self.remember(key, asked, &found);
        Ok(found)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_are_read_and_rights_are_levels() {
        let found = principal(br#"{"name":"alice","perm":"sign","ext":""}"#).unwrap();
        assert_eq!(
            (found.account.as_deref(), found.permissions),
            (Some("alice"), Permissions::up_to("sign"))
        );
        for nobody in [r#"{"name":"bob","perm":""}"#, r#"{"name":"bob"}"#, r#"{"perm":"root"}"#] {
            assert!(matches!(principal(nobody.as_bytes()), Err(IdentityError::Unauthenticated)), "{nobody}");
        }
        assert!(matches!(principal(b"<html>"), Err(IdentityError::Transport(_))));
    }

    #[test]
    fn what_is_remembered_is_bounded() {
        let verifier = RemoteVerifier::new("http://127.0.0.1:1", None).unwrap();
        let found = Principal::new(None, Permissions::READ);
        for n in 0..=MAX_KNOWN as u64 {
            verifier.remember(blake2b_256(&n.to_be_bytes()), Instant::now(), &found);
        }
        assert_eq!(verifier.known.lock().unwrap().len(), MAX_KNOWN);
        assert_eq!(verifier.remembered(&blake2b_256(&5u64.to_be_bytes())), Some(found));
        assert!(RemoteVerifier::new("auth.example", None).is_err());
    }
}
