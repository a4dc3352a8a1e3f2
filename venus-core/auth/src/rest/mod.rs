//! The REST service: every route of sophon-auth, with the statuses and texts that its clients match, and ours.
//!
//! What differs from it on purpose:
//! * Callers without a token that counts get **401** and no handler runs for them, whatever the path. Open are
//!   `/version`, `/healthcheck`, `/livez` and `/readyz`.
//! * Tokens stand in the header. In the query, where proxies log them, only if [`RestConfig::query_tokens`] says so.
//! * Missing page numbers mean the first page, and wrong parameters are told once.
//! * `503` means that nobody can tell now, `429` that there were too many requests.
//!
//! Ours: `GET /revocations`, `/audit`, `/bans`, `/bans/ips`, `POST /revocations/lapsed`, `/ban`, `/unban`,
//! `/signer/grant`; `expiresAt`, `audience` and
//! `scopes` at `/genToken`. Callers that send `X-Venus-Errors: 1` are told the kind of an error and all of a token.

mod answer;
mod bind;
mod extra;
mod guard;
mod limits;
mod miners;
mod probe;
mod route;
mod signers;
mod tokens;
mod users;

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use axum::Router;
use axum::body::to_bytes;
use axum::extract::{ConnectInfo, Request, State};
use axum::response::Response;
use http::request::Parts;
use http::{Method, StatusCode, header};
use tokio::sync::Semaphore;
use tokio::time::timeout;
use uuid::Uuid;
use venus_core::error::ErrorKind;

use self::answer::{Answer, JSON, Refusal, respond};
use self::bind::Input;
use self::route::{Call, Route};
use crate::error::AuthError;
use crate::limits::Guesses;
use crate::service::{Actor, AuthService, Verified};

/// Decides whether a caller may ask now: where limits of requests come in.
#[async_trait]
pub trait Admission: std::fmt::Debug + Send + Sync {
    /// Asked before a route is served, once it is known who asks. `route` is its path; `changes` says whether it may
    /// change anything.
    ///
    /// # Errors
    /// [`AuthError::Limited`] answers 429 with the time to wait.
    async fn admit(
        &self,
        caller: &Verified,
        route: &'static str,
        changes: bool,
        from: Option<IpAddr>,
    ) -> Result<(), AuthError>;
}

/// How the service is served.
#[derive(Clone, Debug)]
pub struct RestConfig {
    /// Whether tokens are taken from the query, `?token=`, as sophon-auth does. Off: whoever logs requests keeps them.
    pub query_tokens: bool,
    /// Longest body, bytes.
    pub body_bytes: usize,
    /// How long a caller may take for its body.
    pub body_deadline: Duration,
    /// How long a request for revocations waits for one.
    pub poll: Duration,
    /// How many such requests may wait at once; more are answered with what is known.
    pub polls: usize,
    /// What `/version` says.
    pub version: String,
    /// Who may ask how often.
    pub admission: Option<Arc<dyn Admission>>,
    /// How often a machine may come with tokens that are no good.
    pub guesses: Guesses,
}

impl Default for RestConfig {
    fn default() -> Self {
        Self {
            query_tokens: false,
            body_bytes: 1 << 20,
            body_deadline: Duration::from_secs(30),
            poll: Duration::from_secs(25),
            polls: 1024,
            version: env!("CARGO_PKG_VERSION").into(),
            admission: None,
            guesses: Guesses::default(),
        }
    }
}

/// What all requests share.
#[derive(Debug)]
struct Shared {
    service: AuthService,
    config: RestConfig,
    /// Numbers of revocations count for one life only.
    life: Uuid,
    polls: Semaphore,
}

/// The routes. Serve them with
/// [`into_make_service_with_connect_info`](Router::into_make_service_with_connect_info), so that records and bans know
/// where requests come from.
pub fn router(service: AuthService, config: RestConfig) -> Router {
    let polls = Semaphore::new(config.polls);
    let shared = Arc::new(Shared { service, config, life: Uuid::new_v4(), polls });
    // One table instead of the router's own: what it would answer to an unknown path, nobody would have checked.
    Router::new().fallback(entry).with_state(shared)
}

/// A request of a caller who may ask it.
#[derive(Debug)]
struct Ask<'a> {
    shared: &'a Shared,
    actor: Actor,
    caller: Verified,
    input: Input,
    /// Whether the caller wants to know more than those of sophon-auth.
    more: bool,
}

impl Ask<'_> {
    fn service(&self) -> &AuthService {
        &self.shared.service
    }
}

async fn entry(State(shared): State<Arc<Shared>>, request: Request) -> Response {
    let (mut parts, body) = request.into_parts();
    let more = guard::wants_more(&parts.headers);
    let mut response = match serve(&shared, &mut parts, body, more).await {
        Ok(response) => response,
        Err(refusal) => {
            tracing::debug!(path = parts.uri.path(), kind = %refusal.kind(), "refused");
            refusal.into_response(more)
        }
    };
    answer::open_to_pages(&mut response);
    response
}

async fn serve(
    shared: &Shared,
    parts: &mut Parts,
    body: axum::body::Body,
    more: bool,
) -> Result<Response, Refusal> {
    if parts.method == Method::OPTIONS {
        return Ok(respond(StatusCode::OK, JSON, "\"ok!\"".into()));
    }
    if parts.method == Method::GET
        && let Some(response) = probe::answer(shared, parts.uri.path()).await
    {
        return Ok(response);
    }
    let remote = parts.extensions.get::<ConnectInfo<SocketAddr>>().map(|info| info.0.ip());
    let caller = guard::caller(shared, parts, remote).await?;
    let Some(route) = route::find(&parts.method, parts.uri.path()) else { return Ok(lost(parts)) };
    guard::narrow(&caller, route)?;
    if let Some(admission) = &shared.config.admission {
        admission.admit(&caller, route.path, route.changes(), remote).await?;
    }
    let input = read(shared, parts, body).await?;
    let ask = Ask { shared, actor: caller.actor(remote), caller, input, more };
    let answered = call(route, &ask).await;
    let outcome = answered.as_ref().map_or_else(|refusal| refusal.kind().as_str(), |_| "ok");
    metrics::counter!("venus_auth_requests_total", "route" => route.path, "outcome" => outcome).increment(1);
    Ok(answered?.into_response())
}

/// What is asked for is not here; a slash too many is told where it is.
fn lost(parts: &Parts) -> Response {
    let path = parts.uri.path();
    if let Some(trimmed) = path.strip_suffix('/')
        && let Some(found) = route::find(&parts.method, trimmed)
    {
        let permanent = parts.method == Method::GET;
        let status = if permanent { StatusCode::MOVED_PERMANENTLY } else { StatusCode::TEMPORARY_REDIRECT };
        let body = match permanent {
            true => format!("<a href=\"{}\">Moved Permanently</a>.\n\n", found.path),
            false => String::new(),
        };
        let mut response = respond(status, "text/html; charset=utf-8", body);
        response.headers_mut().insert(header::LOCATION, http::HeaderValue::from_static(found.path));
        return response;
    }
    respond(StatusCode::NOT_FOUND, "text/plain", "404 page not found".into())
}

async fn read(shared: &Shared, parts: &Parts, body: axum::body::Body) -> Result<Input, Refusal> {
    let query = parts.uri.query().unwrap_or_default();
    if parts.method == Method::GET {
        return Ok(Input::of_query(query));
    }
    let slow =
        || Refusal::new(StatusCode::REQUEST_TIMEOUT, ErrorKind::Timeout, "the body did not come in time");
    let most = shared.config.body_bytes;
    let read = timeout(shared.config.body_deadline, to_bytes(body, most)).await.map_err(|_| slow())?;
    let body = read.map_err(|_| {
        let text = format!("the body is broken or longer than {most} bytes");
        Refusal::new(StatusCode::PAYLOAD_TOO_LARGE, ErrorKind::Invalid, text)
    })?;
    let content = parts.headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let content = content.unwrap_or_default().split(';').next().unwrap_or_default().trim();
    if content.eq_ignore_ascii_case(JSON) {
        return Ok(Input::of_json(&body)?);
    }
    // Go reads no form from the body of a DELETE, nor from one that says to be something else.
    let form =
        content.eq_ignore_ascii_case("application/x-www-form-urlencoded") && parts.method != Method::DELETE;
    Ok(Input::of_form(if form { &body } else { &[] }, query))
}

async fn call(route: &Route, ask: &Ask<'_>) -> Result<Answer, Refusal> {
    match route.call {
        Call::Verify => tokens::verify(ask).await,
        Call::GenToken => tokens::generate(ask).await,
        Call::GetToken => tokens::get(ask).await,
        Call::ListTokens => tokens::list(ask).await,
        Call::RemoveToken => tokens::remove(ask).await,
        Call::RecoverToken => tokens::recover(ask).await,
        Call::NewUser => users::new(ask).await,
        Call::UpdateUser => users::update(ask).await,
        Call::ListUsers => users::list(ask).await,
        Call::GetUser => users::get(ask).await,
        Call::VerifyUsers => users::verify(ask).await,
        Call::HasUser => users::has(ask).await,
        Call::DeleteUser => users::delete(ask).await,
        Call::RecoverUser => users::recover(ask).await,
        Call::PutLimit => limits::put(ask).await,
        Call::RemoveLimit => limits::remove(ask).await,
        Call::GetLimits => limits::get(ask).await,
        Call::UserOfMiner => miners::user(ask).await,
        Call::BindMiner => miners::bind(ask).await,
        Call::UserHasMiner => miners::exist(ask).await,
        Call::MinersOfUser => miners::list(ask).await,
        Call::UnbindMiner => miners::unbind(ask).await,
        Call::HasMiner => miners::has(ask).await,
        Call::UsersOfSigner => signers::users(ask).await,
        Call::RegisterSigners => signers::register(ask).await,
        Call::UserHasSigner => signers::exist(ask).await,
        Call::SignersOfUser => signers::list(ask).await,
        Call::UnregisterSigners => signers::unregister(ask).await,
        Call::HasSigner => signers::has(ask).await,
        Call::RemoveSigner => signers::remove(ask).await,
        Call::GrantSigner => signers::grant(ask).await,
        Call::Revocations => extra::revocations(ask).await,
        Call::Lapsed => extra::lapsed(ask).await,
        Call::Audit => extra::audit(ask).await,
        Call::Ban => extra::ban(ask).await,
        Call::Unban => extra::unban(ask).await,
        Call::Bans => extra::bans(ask).await,
        Call::BannedIps => extra::banned_ips(ask).await,
    }
}
