//! One request, passed on.

use std::net::SocketAddr;
use std::time::Duration;

use axum::body::Body;
use axum::extract::{ConnectInfo, Request};
use axum::response::Response;
use http::header::{
    CONTENT_LENGTH, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue, X_CONTENT_TYPE_OPTIONS,
};
use http::request::Parts;
use http::{Method, StatusCode};
use hyper::upgrade::OnUpgrade;
use time::OffsetDateTime;
use tokio::time::timeout;
use url::Url;
use venus_core::rpc::{Identity, NAMESPACE_HEADER};

use super::admit::{Refusal, allow, identify};
use super::open::Listed;
use super::targets::HostKey;
use super::{Inner, Proxy, headers, limited, tunnel};

/// Answers a request that names another component.
pub(super) async fn answer(
    proxy: Proxy,
    namespace: &str,
    key: Option<HostKey>,
    request: Request,
) -> Response {
    match pass(&proxy, namespace, key, request).await {
        Ok(response) => response,
        Err((status, text)) => refuse(status, text),
    }
}

async fn pass(
    proxy: &Proxy,
    namespace: &str,
    key: Option<HostKey>,
    request: Request,
) -> Result<Response, Refusal> {
    let inner = &*proxy.0;
    let (mut parts, body) = request.into_parts();
    if inner.stop.is_cancelled() {
        return Err((StatusCode::SERVICE_UNAVAILABLE, String::new()));
    }
    let who = identify(inner, &mut parts).await?;
    let (key, url) = route(inner, namespace, key, &who, &parts)?;
    let permit = inner.permits.clone().try_acquire_owned();
    let permit = permit.map_err(|_| (StatusCode::SERVICE_UNAVAILABLE, "too many requests at once".into()))?;
    let remote = parts.extensions.get::<ConnectInfo<SocketAddr>>().map(|info| info.0);
    let until = who.expires_at;
    let listed = inner.open.enter(who, remote, permit);
    let ended = listed.ended.clone();
    // What came between the decision and the entry is not missed: a stop ends whatever is listed.
    if inner.stop.is_cancelled() {
        ended.cancel();
    }
    expire(proxy, until, &listed);
    let exchange = Exchange { proxy, key, remote, listed };
    tokio::select! {
        biased;
        () = ended.cancelled() => Err((StatusCode::UNAUTHORIZED, String::new())),
        response = exchange.run(url, parts, body) => response,
    }
}

/// Where it goes, if its caller may go there.
fn route(
    inner: &Inner,
    namespace: &str,
    key: Option<HostKey>,
    who: &Identity,
    parts: &Parts,
) -> Result<(HostKey, Url), Refusal> {
    let bad = |text: String| (StatusCode::BAD_REQUEST, text);
    let key = key.ok_or_else(|| {
        let name = NAMESPACE_HEADER.to_ascii_uppercase();
        bad(format!("header({namespace}): invalid venus proxy header for {name}"))
    })?;
    allow(who, key)?;
    let none = || bad(format!("host key({key}) : no reverse proxy registered"));
    let target = inner.targets.get(key).ok_or_else(none)?;
    if headers::came_through(&parts.headers, &inner.name) {
        return Err((StatusCode::LOOP_DETECTED, format!("host key({key}) : its target is this gateway")));
    }
    let path = parts.uri.path_and_query().map_or("/", |path| path.as_str());
    let url = target.join(path).ok_or_else(|| bad("the path leaves the component's own".into()))?;
    Ok((key, url))
}

/// Ends the exchange when its token ends.
fn expire(proxy: &Proxy, until: Option<OffsetDateTime>, listed: &Listed) {
    let Some(until) = until else { return };
    let ended = listed.ended.clone();
    let left = Duration::try_from(until - OffsetDateTime::now_utc()).unwrap_or_default();
    let gone = listed.gone();
    proxy.0.tasks.spawn(async move {
        tokio::select! {
            () = tokio::time::sleep(left) => ended.cancel(),
            () = gone.cancelled_owned() => {}
        }
    });
}

struct Exchange<'a> {
    proxy: &'a Proxy,
    key: HostKey,
    remote: Option<SocketAddr>,
    listed: Listed,
}

impl Exchange<'_> {
    async fn run(self, url: Url, mut parts: Parts, body: Body) -> Result<Response, Refusal> {
        let options = &self.proxy.0.options;
        let websocket = parts.method == Method::GET && headers::is_websocket(&parts.headers);
        let length = length(&parts.headers);
        if length.is_some_and(|length| length > options.body) {
            return Err(too_large(options.body));
        }
        let upgrade = parts.extensions.remove::<OnUpgrade>().filter(|_| websocket);
        let from = self.remote.map(|remote| remote.ip());
        let onward = headers::onward(parts.headers, from, upgrade.is_some(), &self.proxy.0.name);
        let mut request = self.proxy.0.client.request(parts.method, url).headers(onward);
        // A request without a body stays one: some servers refuse a chunked GET.
        if length != Some(0) && !http_body_is_empty(&body) {
            let pieces = limited::request(Box::pin(body.into_data_stream()), options.body, options.idle);
            request = request.body(reqwest::Body::wrap_stream(pieces));
            if let Some(length) = length {
                request = request.header(CONTENT_LENGTH, length);
            }
        }
        let sent = timeout(options.answer, request.send()).await;
        let response = match sent {
            Err(_) => {
                return Err((StatusCode::GATEWAY_TIMEOUT, format!("{} did not answer in time", self.key)));
            }
            Ok(Err(error)) => return Err(self.failed(&error)),
            Ok(Ok(response)) => response,
        };
        match upgrade {
            Some(caller) if response.status() == StatusCode::SWITCHING_PROTOCOLS => {
                Ok(tunnel::open(self.proxy, caller, response, self.listed))
            }
            _ => Ok(self.relay(response)),
        }
    }

    fn failed(&self, error: &reqwest::Error) -> Refusal {
        if limited::is_too_large(error) {
            return too_large(self.proxy.0.options.body);
        }
        tracing::warn!(component = %self.key, connect = error.is_connect(), "a component does not answer");
        (StatusCode::BAD_GATEWAY, format!("{} cannot be reached", self.key))
    }

    fn relay(self, response: reqwest::Response) -> Response {
        let (status, mut header) = (response.status(), response.headers().clone());
        headers::strip_hop(&mut header);
        let pieces =
            limited::answer(Box::pin(response.bytes_stream()), self.listed, self.proxy.0.options.idle);
        let mut answer = Response::new(Body::from_stream(pieces));
        *answer.status_mut() = status;
        *answer.headers_mut() = header;
        answer
    }
}

fn http_body_is_empty(body: &Body) -> bool {
    use axum::body::HttpBody;
    body.is_end_stream()
}

fn length(headers: &HeaderMap) -> Option<u64> {
    headers.get(CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

fn too_large(most: u64) -> Refusal {
    (StatusCode::PAYLOAD_TOO_LARGE, format!("the body is larger than {most} bytes"))
}

/// As Go's `http.Error` writes it; those who are not known read nothing.
fn refuse(status: StatusCode, text: String) -> Response {
    if text.is_empty() {
        let mut response = Response::new(Body::empty());
        *response.status_mut() = status;
        return response;
    }
    let mut response = Response::new(Body::from(format!("{text}\n")));
    *response.status_mut() = status;
    let lines: [(HeaderName, &'static str); 2] =
        [(CONTENT_TYPE, "text/plain; charset=utf-8"), (X_CONTENT_TYPE_OPTIONS, "nosniff")];
    for (name, value) in lines {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    response
}
