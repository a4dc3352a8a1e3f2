use std::net::SocketAddr;

use futures::{SinkExt, StreamExt};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::{Error, Message};

use super::PATIENCE;
use crate::rpc::{Dialect, MethodSpec, Permissions, Returns};

/// What [`request_guard`] relies on.
pub struct RequestGuardFixture {
    /// Where the server listens.
    pub addr: SocketAddr,
    /// The path of the API.
    pub path: String,
    /// Its dialect.
    pub dialect: Dialect,
    /// Its methods, as [`Service::methods`](crate::rpc::Service::methods) lists them.
    pub methods: Vec<MethodSpec>,
    /// What callers without a token may do; `None` if they are turned away.
    pub strangers: Option<Permissions>,
    /// Tokens that are good, by their level: `read`, `write`, `sign`.
    pub levels: Vec<(&'static str, String)>,
    /// Tokens that are no good: revoked, expired, of disabled accounts, of other services.
    pub refused: Vec<String>,
}

/// Checks that no method of a server runs for a caller who may not call it: every method is called without a token, with
/// tokens that are no good, and with each token whose level is too low, over HTTP and over WebSocket.
///
/// # Panics
/// If a call comes further than it may.
pub async fn request_guard(f: &RequestGuardFixture) {
    assert!(!f.methods.is_empty(), "fixture: a server without methods guards nothing");
    let garbage = ["", "x", "..", "a.b.c", "é"].map(str::to_owned);
    let refused: Vec<&String> = f.refused.iter().chain(&garbage).collect();
    let nobody = f.strangers.is_none().then_some(None);
    let turned_away = || nobody.into_iter().chain(refused.iter().map(|token| Some(token.as_str())));
    for spec in &f.methods {
        for token in turned_away() {
            let (status, body) = post(f, token, spec).await;
            assert_eq!((status, body.as_str()), (401, ""), "{} for a stranger", spec.name);
        }
    }
    for token in turned_away() {
        match dial(f, token).await {
            Err(Error::Http(response)) => assert_eq!(response.status(), 401, "a WebSocket of a stranger"),
            other => panic!("a WebSocket of a stranger: {other:?}"),
        }
    }
    if let Some(rights) = f.strangers {
        low_level(f, rights, "no token", None).await;
    }
    for (level, token) in &f.levels {
        low_level(f, Permissions::up_to(level), level, Some(token)).await;
    }
}

async fn low_level(f: &RequestGuardFixture, rights: Permissions, level: &str, token: Option<&str>) {
    let mut socket = dial(f, token).await.expect("fixture: a token that is good opens a WebSocket");
    for spec in f.methods.iter().filter(|spec| !rights.allow(spec.permission)) {
        let gap = if f.dialect == Dialect::Fork { "  " } else { " " };
        let denied =
            format!("missing permission to invoke '{}'{gap}(need '{}')", spec.short_name(), spec.permission);
        if spec.returns != Returns::Channel {
            let (_, body) = post(f, token, spec).await;
            assert!(body.contains(&denied), "{} with {level}: {body}", spec.name);
        }
        socket.send(Message::text(call(spec))).await.unwrap();
        let answer = text(&mut socket).await;
        assert!(answer.contains(&denied), "{} with {level} over WebSocket: {answer}", spec.name);
    }
}

/// A call with as many parameters as it has to have: what is wrong with them is found later than who calls.
fn call(spec: &MethodSpec) -> String {
    let nulls = vec!["null"; spec.params.len()].join(",");
    format!(r#"{{"jsonrpc":"2.0","id":1,"method":"{}","params":[{nulls}]}}"#, spec.name)
}

async fn text(socket: &mut WebSocketStream<TcpStream>) -> String {
    loop {
        match timeout(PATIENCE, socket.next()).await.expect("an answer in time") {
            Some(Ok(Message::Text(text))) => return text.to_string(),
            Some(Ok(Message::Ping(_) | Message::Pong(_))) => {}
            other => panic!("an answer is expected, not {other:?}"),
        }
    }
}

async fn dial(f: &RequestGuardFixture, token: Option<&str>) -> Result<WebSocketStream<TcpStream>, Error> {
    let socket = TcpStream::connect(f.addr).await.expect("the server listens");
    let mut request = format!("ws://{}{}", f.addr, f.path).into_client_request()?;
    if let Some(token) = token {
        let value = http::HeaderValue::from_bytes(format!("Bearer {token}").as_bytes()).unwrap();
        request.headers_mut().insert(http::header::AUTHORIZATION, value);
    }
    let dialled = tokio_tungstenite::client_async(request, socket);
    timeout(PATIENCE, dialled).await.expect("a handshake in time").map(|(socket, _)| socket)
}

/// A call over HTTP by hand, so that nothing can be added to it.
async fn post(f: &RequestGuardFixture, token: Option<&str>, spec: &MethodSpec) -> (u16, String) {
    let body = call(spec);
    let token = token.map(|token| format!("Authorization: Bearer {token}\r\n")).unwrap_or_default();
    let request = format!(
        "POST {} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: {}\r\n{token}\r\n{body}",
        f.path,
        body.len()
    );
    let exchange = async {
        let mut socket = TcpStream::connect(f.addr).await.expect("the server listens");
        socket.write_all(request.as_bytes()).await.unwrap();
        let mut answer = Vec::new();
        socket.read_to_end(&mut answer).await.unwrap();
        String::from_utf8_lossy(&answer).into_owned()
    };
    let answer = timeout(PATIENCE, exchange).await.expect("an answer in time");
    let (head, body) = answer.split_once("\r\n\r\n").expect("an HTTP answer");
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).expect("a status");
    (status, body.to_owned())
}
