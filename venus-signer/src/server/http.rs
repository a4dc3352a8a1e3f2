//! What stands around the RPC endpoint: headers as Go's wallet sends them, health, and nothing else.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::middleware::{self, Next};
use axum::response::Response;
use axum::routing::get;
use data_encoding::HEXLOWER;
use http::header::{AUTHORIZATION, CONTENT_TYPE, HeaderName, HeaderValue, X_CONTENT_TYPE_OPTIONS};
use http::{HeaderMap, Method, StatusCode, request::Parts};
use serde_json::json;
use sha2::{Digest, Sha256};
use venus_core::rpc::Identity;
use venus_core::rpc::server::{AuthError, Authenticate};

use super::seams::Probe;
use super::service::WalletService;
use super::token::{Tokens, fingerprint};
use crate::strategy::rpc::STRATEGY_HEADER;
use crate::vault::LockState;

/// The hash of the token that a call came with. Set here, never taken from callers.
pub(super) const BEARER_HEADER: HeaderName = HeaderName::from_static("x-venus-bearer");
/// How long a check of readiness may take.
const PROBE_DEADLINE: Duration = Duration::from_secs(2);

/// Knows callers by the wallet's tokens.
#[derive(Clone, Debug)]
pub(super) struct Gate {
    pub(super) tokens: Arc<Tokens>,
    /// Callers without a token may read.
    pub(super) strangers_read: bool,
}

#[async_trait::async_trait]
impl Authenticate for Gate {
    async fn authenticate(&self, token: Option<&str>, _: &Parts) -> Result<Identity, AuthError> {
        let Some(token) = token else {
            let read = if self.strangers_read { "read" } else { "" };
            return Ok(Identity { permissions: super::Permissions::NONE.with(read), ..Identity::default() });
        };
        let claims = self.tokens.verify(token).map_err(|_| AuthError::Unauthenticated)?;
        let permissions = claims.permissions();
        Ok(Identity::new(claims.subject.unwrap_or_else(|| fingerprint(token)), permissions))
    }
}

/// The headers of every answer under `/rpc/v0`. Pages of other sites may ask, but have no token to show.
const CORS: [(&str, &str); 3] = [
    (
        "access-control-allow-headers",
        "DNT,X-Mx-ReqToken,Keep-Alive,User-Agent,X-Requested-With,If-Modified-Since,Cache-Control,Content-Type,Authorization",
    ),
    ("access-control-allow-methods", "GET, POST, OPTIONS"),
    ("access-control-allow-origin", "*"),
];

/// Cuts strategy tokens off, answers OPTIONS, and sets the headers. `cors` is what Go's wallet has and Lotus' has not.
pub(super) fn dressed(router: Router, tokens: Arc<Tokens>, cors: bool) -> Router {
    router.layer(middleware::from_fn_with_state((tokens, cors), dress))
}

async fn dress(
    State((tokens, cors)): State<(Arc<Tokens>, bool)>,
    mut request: Request,
    next: Next,
) -> Response {
    if cors && request.method() == Method::OPTIONS {
        let mut response = Response::new(Body::empty());
        set_cors(response.headers_mut());
        return response;
    }
    split_token(&tokens, &mut request);
    name_bearer(&mut request);
    let mut response = next.run(request).await;
    if cors && response.status() != StatusCode::SWITCHING_PROTOCOLS {
        set_cors(response.headers_mut());
    }
    response
}

fn set_cors(headers: &mut HeaderMap) {
    for (name, value) in CORS {
        headers.insert(HeaderName::from_static(name), HeaderValue::from_static(value));
    }
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
}

/// `<JWT>___<strategy token>`, in the header or in the query, becomes two headers. Nothing behind the underscores is no
/// strategy token, as in Go.
fn split_token(tokens: &Tokens, request: &mut Request) {
    let Some(bearer) = bearer(request) else { return };
    let (token, strategy) = tokens.split(&bearer);
    if token.len() == bearer.len() {
        return;
    }
    set_secret(request.headers_mut(), AUTHORIZATION, &format!("Bearer {token}"));
    if let Some(strategy) = strategy {
        set_secret(request.headers_mut(), STRATEGY_HEADER, strategy);
    }
}

/// What came out of a header or an address holds nothing that a header may not.
fn set_secret(headers: &mut HeaderMap, name: HeaderName, text: &str) {
    if let Ok(mut value) = HeaderValue::from_str(text) {
        value.set_sensitive(true);
        headers.insert(name, value);
    }
}

/// Says to the methods which token a call came with, by its hash. Names will not do: several tokens may have one, and
/// whoever makes tokens gives any. What a caller writes there himself is removed.
fn name_bearer(request: &mut Request) {
    request.headers_mut().remove(BEARER_HEADER);
    if let Some(token) = bearer(request) {
        set_secret(request.headers_mut(), BEARER_HEADER, &HEXLOWER.encode(&Sha256::digest(token.as_bytes())));
    }
}

fn bearer(request: &Request) -> Option<String> {
    if let Some(header) = request.headers().get(AUTHORIZATION) {
        return header.to_str().ok()?.strip_prefix("Bearer ").map(str::to_owned);
    }
    let query = request.uri().query()?;
    query.split('&').find_map(|pair| pair.strip_prefix("token=")).map(str::to_owned)
}

type Probes = Arc<Vec<Arc<dyn Probe>>>;

/// Health and what nobody knows.
pub(super) fn health(service: WalletService, probes: Vec<Arc<dyn Probe>>) -> Router {
    Router::new()
        .route("/healthcheck", get(async || json_answer(StatusCode::OK, "{\"status\":\"OK\"}\n")))
        .route("/livez", get(async || json_answer(StatusCode::OK, "{\"status\":\"ok\"}\n")))
        .route("/readyz", get(readyz).with_state((service, Arc::new(probes))))
        .fallback(async || not_found())
}

/// Ready: unlocked, all stores well, and at least one of the configured hubs connected. Says how many and not which,
/// for it is asked without a token.
async fn readyz(State((service, probes)): State<(WalletService, Probes)>) -> Response {
    let mut checks = serde_json::Map::new();
    let unlocked = service.wallet().vault().state() == LockState::Unlocked;
    let mut ready = unlocked;
    checks.insert("unlocked".into(), json!({ "ok": unlocked }));
    for probe in probes.iter() {
        let ok = tokio::time::timeout(PROBE_DEADLINE, probe.ready()).await.unwrap_or(false);
        ready &= ok;
        checks.insert(probe.name().into(), json!({ "ok": ok }));
    }
    let hubs = service.hubs().map(|hubs| hubs.connected()).unwrap_or_default();
    let connected = hubs.iter().filter(|(_, connected)| *connected).count();
    let ok = hubs.is_empty() || connected > 0;
    ready &= ok;
    checks.insert("hubs".into(), json!({ "ok": ok, "configured": hubs.len(), "connected": connected }));
    let (status, word) =
        if ready { (StatusCode::OK, "ok") } else { (StatusCode::SERVICE_UNAVAILABLE, "unavailable") };
    json_answer(status, format!("{}\n", json!({ "status": word, "checks": checks })))
}

fn json_answer(status: StatusCode, body: impl Into<Body>) -> Response {
    let mut response = Response::new(body.into());
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json; charset=utf-8"));
    response
}

fn not_found() -> Response {
    let mut response = Response::new(Body::from("404 page not found\n"));
    *response.status_mut() = StatusCode::NOT_FOUND;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    response
}
