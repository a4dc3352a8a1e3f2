//! Calls over HTTP POST, one at a time or, in upstream's dialect, in batches.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use axum::{
    body::{Body, BodyDataStream},
    extract::{ConnectInfo, Request},
    response::Response,
};
use futures::StreamExt;
use http::{
    Extensions, StatusCode,
    header::{CONNECTION, CONTENT_TYPE, HeaderValue},
    request::Parts,
};
use serde_json::value::RawValue;
use time::OffsetDateTime;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use super::{
    RpcServer,
    auth::{AuthError, token_of, without_token},
    open::Way,
    ws,
};
use crate::{
    error::ErrorKind,
    rpc::{
        ERRORS_HEADER,
        dialect::{Dialect, Fault},
        dispatch::Answer,
        error::{RpcError, codes},
        frame::Frame,
        id::FrameId,
        service::{Caller, Identity, Transport, extensions_for},
        session::answer_text,
    },
};

pub(super) async fn answer(server: RpcServer, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    if server.0.stop.is_cancelled() {
        return bare(StatusCode::SERVICE_UNAVAILABLE);
    }
    let round = server.0.open.round();
    let identity = match identify(&server, &parts).await {
        Ok(identity) => identity,
        Err(refused) => return bare(status(refused)),
    };
    if wants_upgrade(&parts) {
        return ws::upgrade(server, parts, identity, round);
    }
    let Ok(_permit) = server.0.requests.clone().try_acquire_owned() else {
        return bare(StatusCode::SERVICE_UNAVAILABLE);
    };
    let (caller, extensions) = extensions_for(caller(&parts, identity, Transport::Http, 0));
    let revoked = CancellationToken::new();
    let entered = server.0.open.enter(caller.clone(), Way::Request(revoked.clone()));
    if entered.round != round && identify(&server, &parts).await.ok().as_ref() != Some(&caller.identity) {
        return bare(StatusCode::UNAUTHORIZED);
    }
    let exchange = Exchange { server: &server, caller: caller.clone(), extensions };
    tokio::select! {
        biased;
        () = revoked.cancelled() => bare(StatusCode::UNAUTHORIZED),
        () = token_ended(&server, &caller.identity) => bare(StatusCode::UNAUTHORIZED),
        response = exchange.take(body) => response,
    }
}

fn status(refused: AuthError) -> StatusCode {
    match refused {
        AuthError::Unauthenticated => StatusCode::UNAUTHORIZED,
        AuthError::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
        AuthError::TooMany => StatusCode::TOO_MANY_REQUESTS,
    }
}

pub(super) async fn identify(server: &RpcServer, parts: &Parts) -> Result<Identity, AuthError> {
    let token = token_of(parts, server.0.query_tokens)?;
    server.0.auth.authenticate(token.as_deref(), parts).await
}

/// Completes when the caller's token has ended; never for one that does not end.
pub(super) async fn token_ended(server: &RpcServer, identity: &Identity) {
    match identity.expires_at {
        Some(at) => {
            let deadline = Duration::try_from(at - OffsetDateTime::UNIX_EPOCH).unwrap_or_default();
            server.0.clock.sleep_until(deadline).await;
        }
        None => std::future::pending().await,
    }
}

/// What Go's servers look at: the word anywhere in the header.
fn wants_upgrade(parts: &Parts) -> bool {
    let values = parts.headers.get_all(CONNECTION).iter().filter_map(|value| value.to_str().ok());
    values.into_iter().any(|value| value.to_ascii_lowercase().contains("upgrade"))
}

pub(super) fn caller(parts: &Parts, identity: Identity, transport: Transport, connection: u64) -> Caller {
    Caller {
        identity,
        transport,
        remote: parts.extensions.get::<ConnectInfo<SocketAddr>>().map(|info| info.0),
        headers: without_token(&parts.headers),
        connection,
        kinds: parts.headers.get(ERRORS_HEADER).is_some_and(|value| value == "1"),
    }
}

pub(super) fn bare(status: StatusCode) -> Response {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = status;
    response
}

/// The body, or nothing if it is larger than `limit` bytes.
async fn read(body: Body, limit: usize) -> Result<Option<Vec<u8>>, axum::Error> {
    let mut chunks = body.into_data_stream();
    let mut bytes = Vec::new();
    while let Some(chunk) = chunks.next().await {
        let chunk = chunk?;
        if bytes.len() + chunk.len() > limit {
            drop(bytes);
            // In vain if it takes long: then the client has to guess.
            let _ = timeout(LINGER, discard(chunks, limit)).await;
            return Ok(None);
        }
        bytes.extend_from_slice(&chunk);
    }
    Ok(Some(bytes))
}

/// How long we wait for the end of a body that is too large.
const LINGER: Duration = Duration::from_secs(5);

/// Reads up to `most` bytes more for nothing: a connection that closes while the client writes looks broken to it,
/// and the client never reads why it was refused.
async fn discard(mut chunks: BodyDataStream, most: usize) {
    let mut left = most;
    while let Some(Ok(chunk)) = chunks.next().await {
        match left.checked_sub(chunk.len()) {
            Some(rest) => left = rest,
            None => return,
        }
    }
}

struct Reply {
    status: u16,
    body: String,
}

impl Reply {
    fn ok(body: String) -> Self {
        Self { status: 200, body }
    }

    fn fault(dialect: Dialect, id: &FrameId, fault: &Fault) -> Self {
        let status = if dialect == Dialect::Fork { 500 } else { fault.status() };
        Self { status, body: dialect.http_fault(id, fault) }
    }

    /// The fork lets Go guess the content type, which needs a body; upstream always says JSON.
    fn into_response(self, dialect: Dialect) -> Response {
        let kind = match dialect {
            Dialect::Fork if self.body.is_empty() => None,
            Dialect::Fork => Some("text/plain; charset=utf-8"),
            Dialect::Upstream | Dialect::Forest => Some("application/json"),
        };
        let mut response = Response::new(Body::from(self.body));
        *response.status_mut() =
            StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        if let Some(kind) = kind {
            response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(kind));
        }
        response
    }
}

struct Exchange<'a> {
    server: &'a RpcServer,
    caller: Arc<Caller>,
    extensions: Extensions,
}

impl Exchange<'_> {
    fn dialect(&self) -> Dialect {
        self.server.0.service.dialect()
    }

    async fn take(self, body: Body) -> Response {
        let (dialect, limits) = (self.dialect(), self.server.0.limits);
        match timeout(limits.io_deadline, read(body, limits.message_bytes)).await {
            Ok(Ok(Some(body))) => self.run(&String::from_utf8_lossy(&body)).await.into_response(dialect),
            Ok(Ok(None)) => {
                let too_big = Fault::TooBig(limits.message_bytes);
                Reply::fault(dialect, &FrameId::None, &too_big).into_response(dialect)
            }
            Ok(Err(_)) => bare(StatusCode::BAD_REQUEST),
            Err(_) => bare(StatusCode::REQUEST_TIMEOUT),
        }
    }

    async fn run(self, body: &str) -> Reply {
        let dialect = self.dialect();
        if dialect != Dialect::Fork {
            let trimmed = body.trim_ascii();
            if trimmed.is_empty() {
                return Reply::fault(dialect, &FrameId::None, &Fault::NotARequest);
            }
            if trimmed.starts_with('[') && trimmed.ends_with(']') {
                return self.batch(trimmed).await;
            }
        }
        match Frame::decode(body) {
            Ok((frame, _)) => self.call(&frame).await,
            Err(_) => Reply::fault(dialect, &FrameId::None, &Fault::Unreadable),
        }
    }

    /// One after the other, as Go does it. Notifications leave no trace.
    async fn batch(&self, body: &str) -> Reply {
        let dialect = self.dialect();
        let parts = serde_json::from_str::<Vec<&RawValue>>(body).unwrap_or_default();
        let frames: Result<Vec<_>, _> = parts.iter().map(|part| Frame::decode(part.get())).collect();
        let frames = match frames {
            Ok(frames) if !parts.is_empty() && parts.len() <= self.server.0.limits.calls => frames,
            Ok(_)
                if parts.is_empty()
                    && body.bytes().any(|b| !matches!(b, b'[' | b']' | b' ' | b'\n' | b'\r' | b'\t')) =>
            {
                return Reply::fault(dialect, &FrameId::None, &Fault::Unreadable);
            }
            Ok(_) => return Reply::fault(dialect, &FrameId::None, &Fault::NotARequest),
            Err(_) => return Reply::fault(dialect, &FrameId::None, &Fault::Unreadable),
        };
        let mut answers = Vec::new();
        for (frame, _) in &frames {
            let reply = self.call(frame).await;
            if !reply.body.is_empty() {
                answers.push(reply.body);
            }
        }
        Reply::ok(format!("[{}]", answers.join(",")))
    }

    async fn call(&self, frame: &Frame<'_>) -> Reply {
        let dialect = self.dialect();
        if let FrameId::Odd(kind) = frame.id {
            return Reply::fault(dialect, &FrameId::None, &Fault::OddId(kind));
        }
        let answer = self.answer(frame).await;
        match (&answer, &frame.id) {
            (Answer::Fault(fault), id) => Reply::fault(dialect, id, fault),
            (_, FrameId::Id(id)) => Reply::ok(answer_text(dialect, id, &answer, self.caller.kinds)),
            _ => Reply::ok(String::new()),
        }
    }

    async fn answer(&self, frame: &Frame<'_>) -> Answer {
        let (service, limits) = (&self.server.0.service, self.server.0.limits);
        let params = frame.params.map(|params| params.get());
        let prepared = match service.prepare(&frame.method, params, &self.caller) {
            Ok(prepared) => prepared,
            Err(answer) => return answer,
        };
        let run = prepared.run(self.extensions.clone(), 0, limits.message_bytes);
        timeout(limits.call_deadline, run).await.unwrap_or_else(|_| {
            let late = RpcError::new(codes::METHOD, "context deadline exceeded");
            Answer::Error(late.with_kind(ErrorKind::Timeout))
        })
    }
}
