//! Questions over HTTP: deadlines, retries, several addresses.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use http::{HeaderMap, HeaderName, HeaderValue, Method, header};
use secrecy::{ExposeSecret, SecretString};
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::time::{sleep, timeout};
use url::Url;

use super::ClientConfig;
use super::error::{ClientError, kind_named, kind_of};
use crate::wire::MORE;

/// Longest answer that is read, bytes.
const MAX_ANSWER: usize = 16 << 20;
/// Before the first retry; twice as long before each that follows.
const PAUSE: Duration = Duration::from_millis(50);
/// What clients of sophon-auth call its interface; proxies route by it.
const NAMESPACE: (&str, &str) = ("x-venus-api-namespace", "auth.IAuthClient");

/// What is asked.
#[derive(Debug)]
pub(super) struct Question {
    pub(super) method: Method,
    pub(super) path: &'static str,
    pub(super) query: Vec<(&'static str, String)>,
    pub(super) body: Option<String>,
    /// Whether asking twice is as good as once.
    pub(super) again: bool,
    /// For an answer; `None` for that of the configuration.
    pub(super) deadline: Option<Duration>,
}

impl Question {
    pub(super) fn get(path: &'static str, query: &[(&'static str, &str)]) -> Self {
        let query = query.iter().map(|(key, value)| (*key, (*value).to_owned())).collect();
        Self { method: Method::GET, path, query, body: None, again: true, deadline: None }
    }

    /// A change, which must not happen twice.
    pub(super) fn change(method: Method, path: &'static str, body: &impl Serialize) -> Self {
        // Texts, numbers and lists of them always serialise.
        let body = serde_json::to_string(body).unwrap_or_default();
        Self { method, path, query: Vec::new(), body: Some(body), again: false, deadline: None }
    }

    pub(super) fn post(path: &'static str, body: &impl Serialize) -> Self {
        Self::change(Method::POST, path, body)
    }

    /// A question that is a POST.
    pub(super) fn harmless(self) -> Self {
        Self { again: true, ..self }
    }
}

/// The connections.
#[derive(Debug)]
pub(super) struct Transport {
    http: reqwest::Client,
    urls: Vec<Url>,
    token: SecretString,
    config: ClientConfig,
    /// The address that answered last.
    good: AtomicUsize,
}

impl Transport {
    pub(super) fn new(
        urls: Vec<Url>,
        token: SecretString,
        config: ClientConfig,
    ) -> Result<Self, ClientError> {
        venus_core::rpc::client::choose_tls();
        let mut headers = HeaderMap::new();
        headers.insert(header::ACCEPT, HeaderValue::from_static("application/json"));
        headers.insert(HeaderName::from_static(NAMESPACE.0), HeaderValue::from_static(NAMESPACE.1));
        headers.insert(HeaderName::from_static(MORE), HeaderValue::from_static("1"));
        let http = reqwest::Client::builder()
            .default_headers(headers)
            .connect_timeout(config.connect)
            .tcp_nodelay(true)
            // The token must not travel to wherever a redirect points.
            .redirect(reqwest::redirect::Policy::none())
            .build()
            .map_err(|error| ClientError::Unreachable(error.into()))?;
        Ok(Self { http, urls, token, config, good: AtomicUsize::new(0) })
    }

    /// Asks, and reads the answer as JSON.
    pub(super) async fn ask<T: DeserializeOwned>(&self, question: Question) -> Result<T, ClientError> {
        let body = self.send(&question).await?;
        serde_json::from_slice(&body)
            .map_err(|error| ClientError::Corrupt(format!("{}: {error}", question.path)))
    }

    /// Asks for a change whose answer says nothing.
    pub(super) async fn tell(&self, question: Question) -> Result<(), ClientError> {
        self.send(&question).await.map(drop)
    }

    async fn send(&self, question: &Question) -> Result<Vec<u8>, ClientError> {
        let total = question.deadline.unwrap_or(self.config.total);
        let tries = if question.again { self.config.retries + 1 } else { 1 };
        // One silent address must not use up the time of the others.
        let each = if question.again { total / tries } else { total };
        timeout(total, self.attempts(question, tries, each)).await.map_err(|_| ClientError::Timeout(total))?
    }

    async fn attempts(
        &self,
        question: &Question,
        tries: u32,
        each: Duration,
    ) -> Result<Vec<u8>, ClientError> {
        let (mut at, mut tried) = (self.good.load(Ordering::Relaxed), 0);
        loop {
            tried += 1;
            let done = timeout(each, self.attempt(question, at)).await;
            let error = match done.unwrap_or(Err((ClientError::Timeout(each), true))) {
                Ok(body) => {
                    self.good.store(at, Ordering::Relaxed);
                    return Ok(body);
                }
                Err((error, sent)) => {
                    use venus_core::error::Classify;
                    let others = (tried as usize) < self.urls.len();
                    // What never left may go elsewhere, even a change.
                    let again = if sent { question.again && tried < tries } else { others || tried < tries };
                    if !again || !error.kind().is_retryable() {
                        return Err(error);
                    }
                    error
                }
            };
            tracing::debug!(path = question.path, %error, "asking the account service again");
            at = at.wrapping_add(1);
            sleep(PAUSE * 2u32.saturating_pow(tried.min(6) - 1)).await;
        }
    }

    /// One request; with an error whether the request may have arrived.
    async fn attempt(&self, question: &Question, at: usize) -> Result<Vec<u8>, (ClientError, bool)> {
        let url = self.url(question, at).map_err(|error| (error, false))?;
        let mut request = self.http.request(question.method.clone(), url);
        if !self.token.expose_secret().is_empty() {
            request = request.bearer_auth(self.token.expose_secret());
        }
        if let Some(body) = &question.body {
            request = request.header(header::CONTENT_TYPE, "application/json").body(body.clone());
        }
        let response = request.send().await.map_err(|error| {
            let sent = !error.is_connect();
            (ClientError::Unreachable(error.without_url().into()), sent)
        })?;
        let (status, headers) = (response.status(), response.headers().clone());
        let body = read(response).await.map_err(|error| (error, true))?;
        if status.is_success() { Ok(body) } else { Err((refusal(status.as_u16(), &headers, &body), true)) }
    }

    fn url(&self, question: &Question, at: usize) -> Result<Url, ClientError> {
        let none = || ClientError::Address("none is given".into());
        let mut url = self.urls.get(at.checked_rem(self.urls.len()).unwrap_or(0)).ok_or_else(none)?.clone();
        let base = url.path().trim_end_matches('/').to_owned();
        url.set_path(&format!("{base}{}", question.path));
        if !question.query.is_empty() {
            url.query_pairs_mut().extend_pairs(&question.query);
        }
        Ok(url)
    }
}

async fn read(mut response: reqwest::Response) -> Result<Vec<u8>, ClientError> {
    let mut body = Vec::new();
    let broken = |error: reqwest::Error| ClientError::Unreachable(error.without_url().into());
    while let Some(piece) = response.chunk().await.map_err(broken)? {
        if body.len() + piece.len() > MAX_ANSWER {
            return Err(ClientError::Corrupt(format!("is longer than {MAX_ANSWER} bytes")));
        }
        body.extend_from_slice(&piece);
    }
    Ok(body)
}

fn refusal(status: u16, headers: &HeaderMap, body: &[u8]) -> ClientError {
    #[derive(serde::Deserialize)]
    struct Said {
        error: String,
        kind: Option<String>,
        retry_after_ms: Option<u64>,
    }
    let said = serde_json::from_slice::<Said>(body).unwrap_or_else(|_| {
        let text = String::from_utf8_lossy(body).chars().take(200).collect::<String>();
        Said { error: format!("response code is : {status}, msg:{text}"), kind: None, retry_after_ms: None }
    });
    if status == 401 {
        return ClientError::OurToken(said.error);
    }
    let after = headers.get(header::RETRY_AFTER).and_then(|value| value.to_str().ok()?.parse().ok());
    let retry_after = said.retry_after_ms.map(Duration::from_millis).or(after.map(Duration::from_secs));
    let kind = said.kind.as_deref().and_then(kind_named).unwrap_or_else(|| kind_of(status, &said.error));
    ClientError::Refused { text: said.error, kind, retry_after }
}
