//! What is neither the API nor passed on: health for everybody, the status for administrators.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::response::Response;
use axum::routing::{any, get};
use http::header::{CONTENT_TYPE, HeaderValue, X_CONTENT_TYPE_OPTIONS};
use http::{StatusCode, request};
use tokio::sync::Mutex;
use tokio::time::{Instant, timeout};
use venus_core::api::Permission;
use venus_core::rpc::Identity;
use venus_core::rpc::server::{AuthError, token_of};

use super::{Parts, Status};

/// The path of [`Status`].
pub(crate) const STATUS: &str = "/status";
/// The scope with which a narrowed token may ask for it.
const SCOPE: &str = "gateway.list";
/// How long venus-auth may take to be called ready.
const PATIENCE: Duration = Duration::from_secs(3);
/// How long an answer about that counts: everybody may ask.
const FRESH: Duration = Duration::from_secs(1);
const JSON: &str = "application/json; charset=utf-8";
const TEXT: &str = "text/plain; charset=utf-8";

#[derive(Clone)]
struct Probe {
    parts: Parts,
    ready: Arc<Mutex<Option<(Instant, bool)>>>,
}

pub(super) fn router(parts: Parts) -> Router {
    let healthy = || async { answer(StatusCode::OK, JSON, "{\"status\":\"OK\"}\n") };
    Router::new()
        .route("/healthcheck", get(healthy))
        .route("/livez", get(healthy))
        .route("/readyz", get(ready))
        .route(STATUS, any(status))
        .with_state(Probe { parts, ready: Arc::default() })
}

async fn ready(State(probe): State<Probe>) -> Response {
    // One question for all who ask at once.
    let mut known = probe.ready.lock().await;
    let good = match *known {
        Some((at, good)) if at.elapsed() < FRESH => good,
        _ => {
            let asked = timeout(PATIENCE, probe.parts.auth.version()).await;
            let good = matches!(asked, Ok(Ok(_)));
            *known = Some((Instant::now(), good));
            good
        }
    };
    match good {
        true => answer(StatusCode::OK, JSON, "{\"status\":\"OK\"}\n"),
        false => {
            let body = "{\"status\":\"Service Unavailable\",\"errors\":{\"auth\":\"does not answer\"}}\n";
            answer(StatusCode::SERVICE_UNAVAILABLE, JSON, body)
        }
    }
}

async fn status(State(probe): State<Probe>, request: Request) -> Response {
    let (parts, _) = request.into_parts();
    match known(&probe, &parts).await {
        Err(refused) => refused,
        Ok(who) if !administrates(&who) => {
            answer(StatusCode::FORBIDDEN, TEXT, "needs the permission admin\n")
        }
        Ok(_) => {
            let status = serde_json::to_string(&Status::of(&probe.parts).await).unwrap_or_default();
            answer(StatusCode::OK, JSON, status)
        }
    }
}

fn administrates(who: &Identity) -> bool {
    let mut narrow = who.scopes.iter().filter(|scope| !scope.starts_with("support:")).peekable();
    who.permissions.allow(Permission::Admin)
        && (narrow.peek().is_none() || narrow.any(|scope| scope == SCOPE))
}

async fn known(probe: &Probe, parts: &request::Parts) -> Result<Identity, Response> {
    let refused = |error| {
        answer(
            match error {
                AuthError::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
                AuthError::TooMany => StatusCode::TOO_MANY_REQUESTS,
                _ => StatusCode::UNAUTHORIZED,
            },
            "",
            "",
        )
    };
    let token = token_of(parts, false).map_err(refused)?;
    probe.parts.gate.authenticate(token.as_deref(), parts).await.map_err(refused)
}

fn answer(status: StatusCode, kind: &'static str, body: impl Into<Body>) -> Response {
    let mut response = Response::new(body.into());
    *response.status_mut() = status;
    let headers = response.headers_mut();
    if !kind.is_empty() {
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    }
    if kind == TEXT {
        headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    }
    response
}
