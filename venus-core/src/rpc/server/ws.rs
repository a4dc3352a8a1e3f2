//! From an HTTP request to a session.

use std::{pin::pin, sync::Arc};

use axum::{body::Body, response::Response};
use http::{
    StatusCode,
    header::{
        CONNECTION, HeaderValue, SEC_WEBSOCKET_ACCEPT, SEC_WEBSOCKET_KEY, SEC_WEBSOCKET_VERSION, UPGRADE,
    },
    request::Parts,
};
use hyper::upgrade::OnUpgrade;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_tungstenite::{
    WebSocketStream,
    tungstenite::{handshake::derive_accept_key, protocol::Role},
};

use super::{
    REVERSE_DEADLINE, RpcServer,
    http::{bare, caller, identify, token_ended},
    open::{REVOKED, Way},
};
use crate::rpc::{
    dialect::Dialect,
    service::{Caller, Identity, Transport, extensions_for},
    session::{Malformed, Order, Peer, Session, close, link, socket_config},
};

/// Answers the handshake and runs the session in a task of the server. Any origin is let in, no subprotocol and no
/// extension is agreed on, as Go has it.
///
/// `round` is the one in which the caller was asked who it is.
pub(super) fn upgrade(server: RpcServer, mut parts: Parts, identity: Identity, round: u64) -> Response {
    let Some(accept) = accept_key(&parts) else { return bare(StatusCode::BAD_REQUEST) };
    let Some(upgrading) = parts.extensions.remove::<OnUpgrade>() else {
        return bare(StatusCode::UPGRADE_REQUIRED);
    };
    let Ok(place) = server.0.sockets.clone().try_acquire_owned() else {
        return bare(StatusCode::SERVICE_UNAVAILABLE);
    };
    let caller = caller(&parts, identity, Transport::WebSocket, server.next_connection());
    let tasks = server.0.tasks.clone();
    tasks.spawn(async move {
        match upgrading.await {
            Ok(socket) => run(server, TokioIo::new(socket), caller, Some(Asked { parts, round })).await,
            Err(error) => tracing::debug!(%error, "upgrade failed"),
        }
        drop(place);
    });
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
    let headers = response.headers_mut();
    headers.insert(UPGRADE, HeaderValue::from_static("websocket"));
    headers.insert(CONNECTION, HeaderValue::from_static("Upgrade"));
    headers.insert(SEC_WEBSOCKET_ACCEPT, accept);
    response
}

fn accept_key(parts: &Parts) -> Option<HeaderValue> {
    let header = |name| parts.headers.get(name).and_then(|value| value.to_str().ok());
    let websocket = header(UPGRADE)?.to_ascii_lowercase().contains("websocket");
    let version = header(SEC_WEBSOCKET_VERSION)?.trim() == "13";
    let key = parts.headers.get(SEC_WEBSOCKET_KEY).filter(|_| websocket && version)?;
    HeaderValue::from_str(&derive_accept_key(key.as_bytes())).ok()
}

/// What a caller came with, and when it was asked who it is.
pub(super) struct Asked {
    parts: Parts,
    round: u64,
}

/// Runs a session until it ends, or its caller's token does.
pub(super) async fn run<S>(server: RpcServer, socket: S, caller: Caller, asked: Option<Asked>)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let limits = server.0.limits;
    let socket = WebSocketStream::from_raw_socket(socket, Role::Server, Some(socket_config(&limits))).await;
    let (link, queue) = link(limits);
    let (caller, mut extensions) = extensions_for(caller);
    extensions.insert(Peer::new(link.clone(), REVERSE_DEADLINE));
    let entered = server.0.open.enter(caller.clone(), Way::Session(link.clone()));
    if let Some(Asked { parts, round }) = asked
        && round != entered.round
        && identify(&server, &parts).await.ok().as_ref() != Some(&caller.identity)
    {
        link.order(REVOKED);
    }
    if server.0.stop.is_cancelled() {
        link.order(Order::Drain);
    }
    let malformed = match server.0.service.dialect() {
        Dialect::Fork => Malformed::Ends,
        Dialect::Upstream | Dialect::Forest => Malformed::Ignored,
    };
    let session = Session {
        link: link.clone(),
        queue,
        service: Some(Arc::clone(&server.0.service)),
        caller: caller.clone(),
        extensions,
        keep_alive: server.0.keep_alive,
        limits,
        malformed,
    };
    let mut session = pin!(session.run(socket));
    tokio::select! {
        () = &mut session => return,
        () = token_ended(&server, &caller.identity) => {}
    }
    link.order(Order::Close(close::POLICY, "token expired"));
    session.await;
}
