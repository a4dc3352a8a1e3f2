//! A client for nodes and for Venus components, over HTTP or WebSocket.
//!
//! [`RpcClient`] implements jsonrpsee's `ClientT` and `SubscriptionClientT`, so the clients that `#[rpc]` generates
//! work on it. An address that begins with `ws` or `wss` is dialled once and redialled whenever it is lost; one that
//! begins with `http` costs nothing until it is called, and has no channels.

mod bridge;
mod channel;
mod clientt;
mod dial;
mod http;
mod reconnect;
mod tls;

use std::{collections::HashMap, fmt, sync::Arc, time::Duration};

use ::http::{HeaderMap, HeaderName, HeaderValue, header::AUTHORIZATION};
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;
use tokio::time::Instant;

pub use channel::{Channel, Resubscribe};
pub(crate) use dial::Dialler;
pub use dial::{Connect, Io, Socket, socket_over};
pub use reconnect::BackOff;
pub use tls::choose_tls;

use self::{dial::unreachable, http::HttpClient, reconnect::WsClient};
use super::{
    ERRORS_HEADER, NAMESPACE_HEADER,
    api_info::{ApiInfoError, Token},
    error::CallError,
    service::Service,
    session::{KeepAlive, Limits, decode},
};

/// What calls do while the WebSocket is being redialled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WhileDown {
    /// Wait for it within their deadline. Nothing was sent, so nothing can happen twice.
    Wait,
    /// Fail at once, as Go clients do.
    Fail,
}

/// How a client behaves.
#[derive(Clone, Debug)]
pub struct ClientConfig {
    /// Sent with every request over HTTP and when a WebSocket opens.
    pub headers: HeaderMap,
    /// How long a call may take, waiting for a connection included.
    pub deadline: Duration,
    /// Other deadlines for some methods.
    pub deadlines: HashMap<String, Duration>,
    /// How long one attempt to connect may take.
    pub connect_deadline: Duration,
    /// The bounds of messages, queues and channels.
    pub limits: Limits,
    /// How a WebSocket stays alive.
    pub keep_alive: KeepAlive,
    /// How a lost WebSocket is redialled.
    pub back_off: BackOff,
    /// What calls do meanwhile.
    pub while_down: WhileDown,
    /// What the server may call. Without it, calls of the server are not answered, as Go has it.
    pub reverse: Option<Arc<Service>>,
}

impl Default for ClientConfig {
    fn default() -> Self {
        Self {
            headers: HeaderMap::from_iter([(
                HeaderName::from_static(ERRORS_HEADER),
                HeaderValue::from_static("1"),
            )]),
            deadline: Duration::from_secs(60),
            deadlines: HashMap::new(),
            connect_deadline: Duration::from_secs(10),
            limits: Limits::default(),
            keep_alive: KeepAlive::default(),
            back_off: BackOff::default(),
            while_down: WhileDown::Wait,
            reverse: None,
        }
    }
}

impl ClientConfig {
    /// The configuration with a token, sent as `Authorization: Bearer`.
    #[must_use]
    pub fn with_token(mut self, token: &Token) -> Self {
        // A token holds nothing that a header may not.
        if let Ok(mut value) = HeaderValue::from_str(&format!("Bearer {}", token.expose())) {
            value.set_sensitive(true);
            self.headers.insert(AUTHORIZATION, value);
        }
        self
    }

    /// The configuration with the name of the API, as Go's Venus clients send it: `v1.FullNode`, `v2.IGateway`.
    ///
    /// # Errors
    /// If it cannot stand in a header.
    pub fn with_namespace(mut self, namespace: &str) -> Result<Self, ApiInfoError> {
        let value = HeaderValue::from_str(namespace);
        let value = value.map_err(|_| ApiInfoError::Url("namespace: unexpected character".to_owned()))?;
        self.headers.insert(HeaderName::from_static(NAMESPACE_HEADER), value);
        Ok(self)
    }

    /// The configuration with a deadline for one method.
    #[must_use]
    pub fn with_deadline(mut self, method: &str, deadline: Duration) -> Self {
        self.deadlines.insert(method.to_owned(), deadline);
        self
    }

    /// The configuration with methods that the server may call.
    #[must_use]
    pub fn with_reverse(mut self, service: Arc<Service>) -> Self {
        self.reverse = Some(service);
        self
    }

    fn deadline_of(&self, method: &str) -> Duration {
        self.deadlines.get(method).copied().unwrap_or(self.deadline)
    }
}

/// A client. Cheap to clone; the connection closes when the last clone is dropped.
#[derive(Clone)]
pub struct RpcClient(Arc<Inner>);

struct Inner {
    transport: Transport,
    config: Arc<ClientConfig>,
}

enum Transport {
    Http(HttpClient),
    Ws(WsClient),
}

impl fmt::Debug for RpcClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (kind, url) = match &self.0.transport {
            Transport::Http(http) => ("http", http.url()),
            Transport::Ws(ws) => ("ws", ws.url()),
        };
        f.debug_struct("RpcClient").field("transport", &kind).field("url", &url).finish_non_exhaustive()
    }
}

impl RpcClient {
    /// A client of the API at `url`, as [`ApiInfo`](super::ApiInfo) makes it. A WebSocket is dialled before this
    /// returns, once: who wants to wait for a server that starts, calls it again.
    ///
    /// # Errors
    /// [`CallError::Unreachable`], [`CallError::Status`] (401: the token), [`CallError::Timeout`].
    pub async fn connect(url: &str, config: ClientConfig) -> Result<Self, CallError> {
        if url.starts_with("ws://") || url.starts_with("wss://") {
            let dialler = Dialler::new(url, &config)?;
            return Self::connect_with(dialler, config).await;
        }
        if !url.starts_with("http://") && !url.starts_with("https://") {
            return Err(unreachable(url, "scheme is not http, https, ws or wss"));
        }
        let config = Arc::new(config);
        let transport = Transport::Http(HttpClient::new(url, &config)?);
        Ok(Self(Arc::new(Inner { transport, config })))
    }

    /// A client over sockets that `connector` opens: another kind of transport, or the other end of a pipe.
    ///
    /// # Errors
    /// Those of the first attempt to connect.
    pub async fn connect_with(connector: impl Connect, config: ClientConfig) -> Result<Self, CallError> {
        let config = Arc::new(config);
        let transport = Transport::Ws(WsClient::start(Arc::new(connector), config.clone()).await?);
        Ok(Self(Arc::new(Inner { transport, config })))
    }

    /// Calls `method` with a JSON array of parameters. A void answer is `null`. Dropping the future cancels the call.
    ///
    /// # Errors
    /// [`CallError`]; see there for what may have happened on the other side.
    pub async fn call_raw(&self, method: &str, params: Option<&str>) -> Result<Box<RawValue>, CallError> {
        let deadline = self.0.config.deadline_of(method);
        match &self.0.transport {
            Transport::Http(http) => http.call(method, params, deadline).await,
            Transport::Ws(ws) => {
                let until = Instant::now() + deadline;
                let peer = ws.peer(until).await?.with_deadline(until - Instant::now());
                peer.call_raw(method, params).await
            }
        }
    }

    /// Calls `method` and decodes its result.
    ///
    /// # Errors
    /// [`CallError`].
    pub async fn call<R: DeserializeOwned>(
        &self,
        method: &str,
        params: Option<&str>,
    ) -> Result<R, CallError> {
        decode(method, &self.call_raw(method, params).await?)
    }

    /// Calls `method` and wants no answer. Over WebSocket this returns when the message is queued.
    ///
    /// # Errors
    /// [`CallError`], if it could not be sent.
    pub async fn notify(&self, method: &str, params: Option<&str>) -> Result<(), CallError> {
        let deadline = self.0.config.deadline_of(method);
        match &self.0.transport {
            Transport::Http(http) => http.notify(method, params, deadline).await,
            Transport::Ws(ws) => {
                let until = Instant::now() + deadline;
                ws.peer(until).await?.with_deadline(until - Instant::now()).notify(method, params).await
            }
        }
    }

    /// Opens the channel that `method` answers with.
    ///
    /// # Errors
    /// [`CallError::NeedsWebSocket`] over HTTP, else as a call.
    pub async fn channel<T: DeserializeOwned>(
        &self,
        method: &str,
        params: Option<&str>,
        resubscribe: Resubscribe,
    ) -> Result<Channel<T>, CallError> {
        Channel::open(self.clone(), method, params, resubscribe).await
    }

    /// Whether calls can be sent at this moment. Always, over HTTP.
    pub fn is_connected(&self) -> bool {
        match &self.0.transport {
            Transport::Http(_) => true,
            Transport::Ws(ws) => ws.is_connected(),
        }
    }

    /// Says goodbye and returns when nothing of the client runs any more. Calls of all clones fail from now on.
    pub async fn shutdown(&self) {
        if let Transport::Ws(ws) = &self.0.transport {
            ws.shutdown().await;
        }
    }

    fn websocket(&self, method: &str) -> Result<&WsClient, CallError> {
        match &self.0.transport {
            Transport::Http(_) => Err(CallError::NeedsWebSocket(method.to_owned())),
            Transport::Ws(ws) => Ok(ws),
        }
    }

    fn config(&self) -> &ClientConfig {
        &self.0.config
    }
}
