//! Opening sockets.

use std::{fmt, time::Duration};

use async_trait::async_trait;
use http::{HeaderMap, Response};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpStream,
    time::timeout,
};
use tokio_tungstenite::{
    MaybeTlsStream, WebSocketStream, client_async_tls_with_config,
    tungstenite::{Error, client::IntoClientRequest, handshake::client::Request, protocol::Role},
};
use url::Url;

use super::{ClientConfig, choose_tls};
use crate::rpc::{
    error::CallError,
    session::{Limits, socket_config},
};

/// Anything that bytes go through.
pub trait Io: AsyncRead + AsyncWrite + Unpin + Send {}

impl<T: AsyncRead + AsyncWrite + Unpin + Send> Io for T {}

/// A socket on which the WebSocket handshake is done.
pub type Socket = WebSocketStream<MaybeTlsStream<Box<dyn Io>>>;

/// A socket over `io` without a handshake: the other end must not want one either.
pub async fn socket_over(io: impl Io + 'static, limits: &Limits) -> Socket {
    let io: Box<dyn Io> = Box::new(io);
    WebSocketStream::from_raw_socket(MaybeTlsStream::Plain(io), Role::Client, Some(socket_config(limits)))
        .await
}

/// Opens one socket after the other to the same server.
#[async_trait]
pub trait Connect: Send + Sync + 'static {
    /// Opens a socket.
    ///
    /// # Errors
    /// [`CallError`]; the client tries again later, but for the first time.
    async fn connect(&self) -> Result<Socket, CallError>;

    /// Where to, for logs and errors. Without the token.
    fn url(&self) -> &str;
}

/// TCP, and TLS for `wss`.
pub(crate) struct Dialler {
    url: String,
    host: String,
    port: u16,
    headers: HeaderMap,
    limits: Limits,
    deadline: Duration,
}

impl fmt::Debug for Dialler {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Dialler").field("url", &self.url).finish_non_exhaustive()
    }
}

impl Dialler {
    pub(crate) fn new(url: &str, config: &ClientConfig) -> Result<Self, CallError> {
        let unusable = |why: &str| unreachable(url, why.to_owned());
        let parsed = Url::parse(url).map_err(|error| unusable(&error.to_string()))?;
        let host = parsed.host_str().ok_or_else(|| unusable("no host"))?;
        let port = parsed.port_or_known_default().ok_or_else(|| unusable("no port"))?;
        Ok(Self {
            host: host.trim_matches(['[', ']']).to_owned(),
            port,
            url: url.to_owned(),
            headers: config.headers.clone(),
            limits: config.limits,
            deadline: config.connect_deadline,
        })
    }

    fn request(&self) -> Result<Request, CallError> {
        let request = self.url.as_str().into_client_request();
        let mut request = request.map_err(|error| unreachable(&self.url, error))?;
        request.headers_mut().extend(self.headers.clone());
        Ok(request)
    }

    async fn dial(&self) -> Result<Socket, CallError> {
        let tcp = TcpStream::connect((self.host.as_str(), self.port)).await;
        let tcp = tcp.map_err(|error| unreachable(&self.url, error))?;
        // Small calls must not wait for the acknowledgement of earlier ones.
        tcp.set_nodelay(true).map_err(|error| unreachable(&self.url, error))?;
        let io: Box<dyn Io> = Box::new(tcp);
        let config = Some(socket_config(&self.limits));
        choose_tls();
        match client_async_tls_with_config(self.request()?, io, config, None).await {
            Ok((socket, _)) => Ok(socket),
            Err(Error::Http(response)) => Err(refused(&response)),
            Err(error) => Err(unreachable(&self.url, error)),
        }
    }
}

#[async_trait]
impl Connect for Dialler {
    async fn connect(&self) -> Result<Socket, CallError> {
        let late =
            |_| CallError::Timeout { method: format!("connecting to {}", self.url), after: self.deadline };
        timeout(self.deadline, self.dial()).await.map_err(late)?
    }

    fn url(&self) -> &str {
        &self.url
    }
}

pub(super) fn unreachable(url: &str, source: impl Into<crate::error::BoxError>) -> CallError {
    let without_query = url.split('?').next().unwrap_or_default();
    CallError::Unreachable { url: without_query.to_owned(), source: source.into() }
}

fn refused(response: &Response<Option<Vec<u8>>>) -> CallError {
    let body = response.body().as_deref().unwrap_or_default();
    CallError::Status { status: response.status().as_u16(), body: beginning(&String::from_utf8_lossy(body)) }
}

/// As much of a body as an error should carry.
pub(super) fn beginning(body: &str) -> String {
    body.trim().chars().take(200).collect()
}
