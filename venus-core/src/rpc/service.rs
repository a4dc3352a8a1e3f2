//! From a call on the wire to a jsonrpsee method and back.

use std::{
    any::Any,
    borrow::Cow,
    collections::HashMap,
    fmt,
    net::SocketAddr,
    ops::Range,
    panic::AssertUnwindSafe,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use futures::{FutureExt, future::BoxFuture};
use http::{Extensions, HeaderMap};
use jsonrpsee::{
    ConnectionId, MethodCallback, MethodResponse, Methods,
    core::{
        server::{MethodSink, SubscriptionPermit, SubscriptionState},
        traits::IdProvider,
    },
    types::{Id as JsonrpseeId, Params, SubscriptionId},
};
use serde::Deserialize;
use serde_json::value::RawValue;
use tokio::sync::mpsc;

use super::{
    dialect::{Dialect, Fault},
    error::{RpcError, codes},
    frame::Frame,
    params::{elements, go_kind, join, zero_of},
    table::{MethodSpec, MethodTable, Permissions, Returns},
};

/// Who calls, as the authentication of the server found out.
#[derive(Clone, Debug, Default)]
pub struct Identity {
    /// The account, or empty if there is none.
    pub name: String,
    /// What the caller may do.
    pub permissions: Permissions,
}

/// How a call came in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Transport {
    /// One call, one answer. No channels, no reverse calls.
    Http,
    /// A session.
    WebSocket,
}

/// What a method may know about its caller. Methods declared `with_extensions` find an `Arc<Caller>` there, and
/// over WebSocket a [`Peer`](super::Peer) to call back.
#[derive(Clone, Debug)]
pub struct Caller {
    /// Who calls.
    pub identity: Identity,
    /// How.
    pub transport: Transport,
    /// From where, if the server was told.
    pub remote: Option<SocketAddr>,
    /// The headers of the request, or of the one that opened the session. The token is taken out.
    pub headers: HeaderMap,
    /// The number of the connection, unique in this process; 0 over HTTP.
    pub connection: u64,
    /// Whether the caller wants error kinds.
    pub(crate) kinds: bool,
}

impl Caller {
    /// Ourselves, calling ourselves: all rights.
    pub(crate) fn trusted(transport: Transport, connection: u64) -> Self {
        let identity = Identity { name: String::new(), permissions: Permissions::ALL };
        Self { identity, transport, remote: None, headers: HeaderMap::new(), connection, kinds: false }
    }
}

/// Why a table and methods do not fit together. A mistake of the programmer.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ServiceError {
    /// The table lists what no module implements.
    #[error("no module implements {0}")]
    NotImplemented(&'static str),
    /// Two lines have one name or alias.
    #[error("{0} is listed twice")]
    Twice(&'static str),
    /// The table says channel and the module has an ordinary method, or the reverse.
    #[error("{0} is a channel in the table or in the module, but not in both")]
    NotAChannel(&'static str),
}

/// Methods, the table that guards them, and the dialect they answer in.
///
/// Of the methods, only those in a table can be called.
pub struct Service {
    entries: HashMap<&'static str, Entry>,
    aliases: HashMap<&'static str, &'static str>,
    dialect: Dialect,
}

struct Entry {
    spec: MethodSpec,
    callback: MethodCallback,
    /// Whether Go would take null for a parameter that serde refuses.
    mends_null: bool,
}

impl fmt::Debug for Service {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Service").field("dialect", &self.dialect).field("methods", &self.entries.len()).finish()
    }
}

impl Service {
    /// Binds `methods` (what `into_rpc()` of an `#[rpc]` trait gives) to their tables.
    ///
    /// # Errors
    /// [`ServiceError`] if a table does not fit.
    pub fn new(
        methods: impl Into<Methods>,
        tables: &[&MethodTable],
        dialect: Dialect,
    ) -> Result<Self, ServiceError> {
        let methods = methods.into();
        let mut service = Self { entries: HashMap::new(), aliases: HashMap::new(), dialect };
        for spec in tables.iter().flat_map(|table| table.iter()) {
            service.add(&methods, *spec)?;
        }
        Ok(service)
    }

    fn add(&mut self, methods: &Methods, spec: MethodSpec) -> Result<(), ServiceError> {
        let callback = methods.method(spec.name).cloned().ok_or(ServiceError::NotImplemented(spec.name))?;
        let is_channel = matches!(callback, MethodCallback::Subscription(_));
        if is_channel != (spec.returns == Returns::Channel) {
            return Err(ServiceError::NotAChannel(spec.name));
        }
        for alias in spec.aliases {
            if self.aliases.insert(alias, spec.name).is_some() {
                return Err(ServiceError::Twice(alias));
            }
        }
        let mends_null = spec.params.iter().any(|param| zero_of(param.go_type).is_some());
        match self.entries.insert(spec.name, Entry { spec, callback, mends_null }) {
            Some(_) => Err(ServiceError::Twice(spec.name)),
            None => Ok(()),
        }
    }

    /// The dialect of its answers.
    pub fn dialect(&self) -> Dialect {
        self.dialect
    }

    fn entry(&self, method: &str) -> Option<&Entry> {
        self.entries.get(method).or_else(|| self.entries.get(self.aliases.get(method)?))
    }

    /// Checks a call against the table, in Go's order: name, transport, parameters; then the caller's right.
    pub(crate) fn prepare(
        &self,
        method: &str,
        params: Option<&str>,
        caller: &Caller,
    ) -> Result<Prepared, Answer> {
        let Some(entry) = self.entry(method) else {
            return Err(Answer::Fault(Fault::MethodNotFound(method.to_owned())));
        };
        if entry.spec.returns == Returns::Channel && caller.transport == Transport::Http {
            return Err(Answer::Fault(Fault::NoChannels(method.to_owned())));
        }
        let params = entry.params(method, params.unwrap_or("[]")).map_err(Answer::Fault)?;
        if !caller.identity.permissions.allow(entry.spec.permission) {
            return Err(Answer::Error(self.dialect.missing_permission(method, entry.spec.permission.as_str())));
        }
        Ok(Prepared { spec: entry.spec, callback: entry.callback.clone(), params, called: method.to_owned() })
    }
}

impl Entry {
    fn params(&self, method: &str, json: &str) -> Result<String, Fault> {
        let parts = elements(json).map_err(Fault::ParamsKind)?;
        if parts.len() != self.spec.params.len() {
            let (got, want) = (parts.len(), self.spec.params.len());
            return Err(Fault::WrongCount { method: method.to_owned(), got, want });
        }
        if parts.is_empty() {
            return Ok("[]".to_owned());
        }
        if self.mends_null && parts.contains(&"null") {
            return Ok(self.mend(&parts));
        }
        Ok(json.to_owned())
    }

    fn mend(&self, parts: &[&str]) -> String {
        let mended = parts.iter().zip(self.spec.params).map(|(part, param)| match zero_of(param.go_type) {
            Some(zero) if *part == "null" => Cow::Borrowed(zero),
            _ => Cow::Borrowed(*part),
        });
        join(&mended.collect::<Vec<_>>())
    }
}

/// A call that passed the table.
pub(crate) struct Prepared {
    pub(crate) spec: MethodSpec,
    callback: MethodCallback,
    params: String,
    /// The name or alias that was called; Go's texts repeat it.
    called: String,
}

/// What a call came to.
pub(crate) enum Answer {
    Value(Payload),
    Void,
    Error(RpcError),
    Fault(Fault),
}

/// The result inside the response that jsonrpsee made.
pub(crate) struct Payload {
    json: Box<RawValue>,
    range: Range<usize>,
}

impl Payload {
    pub(crate) fn as_str(&self) -> &str {
        self.json.get().get(self.range.clone()).unwrap_or("null")
    }
}

/// An open channel as the method feeds it.
pub(crate) struct ChannelSource {
    rx: mpsc::Receiver<Box<RawValue>>,
}

impl ChannelSource {
    /// The next message of the method; nothing once it is done. Dropping the source tells the method to stop.
    pub(crate) async fn next(&mut self) -> Option<Box<RawValue>> {
        self.rx.recv().await
    }
}

/// The value in a message of a channel; nothing if the method ended with an error.
pub(crate) fn channel_item(message: &RawValue) -> Option<&RawValue> {
    #[derive(Deserialize)]
    struct Notification<'a> {
        #[serde(borrow)]
        params: Payload<'a>,
    }
    #[derive(Deserialize)]
    struct Payload<'a> {
        #[serde(borrow)]
        result: Option<&'a RawValue>,
    }
    serde_json::from_str::<Notification<'_>>(message.get()).ok()?.params.result
}

/// What jsonrpsee writes before a result when the id is 0.
const HEAD: &str = "{\"jsonrpc\":\"2.0\",\"id\":0,\"result\":";
const CALL_ID: JsonrpseeId<'static> = JsonrpseeId::Number(0);

impl Prepared {
    /// Runs an ordinary method. A panic in it is an answer.
    pub(crate) async fn run(self, extensions: Extensions, connection: u64, max_answer: usize) -> Answer {
        let Self { spec, callback, params, called } = self;
        let decoded = Params::new(Some(&params)).into_owned();
        let call = async move {
            match callback {
                MethodCallback::Sync(run) => Some(run(CALL_ID, decoded, max_answer, extensions)),
                MethodCallback::Async(run) => {
                    Some(run(CALL_ID, decoded, connection_id(connection), max_answer, extensions).await)
                }
                MethodCallback::Subscription(_) | MethodCallback::Unsubscription(_) => None,
            }
        };
        match AssertUnwindSafe(call).catch_unwind().await {
            Ok(Some(response)) => answer(response, &spec, &params, &called),
            Ok(None) => Answer::Fault(Fault::MethodNotFound(called)),
            Err(panic) => Answer::Fault(Fault::Panic { method: called, reason: panic_text(&*panic) }),
        }
    }

    /// Opens a channel with room for `buffer` values.
    pub(crate) async fn open(
        self,
        extensions: Extensions,
        connection: u64,
        permit: SubscriptionPermit,
        buffer: usize,
    ) -> Result<ChannelSource, Answer> {
        let Self { spec, callback, params, called } = self;
        let MethodCallback::Subscription(subscribe) = callback else {
            return Err(Answer::Fault(Fault::MethodNotFound(called)));
        };
        let (tx, mut rx) = mpsc::channel(buffer.max(1));
        let (decoded, sink) = (Params::new(Some(&params)).into_owned(), MethodSink::new(tx));
        let call: BoxFuture<'static, MethodResponse> = Box::pin(async move {
            let id_provider = &NextId;
            let conn_id = connection_id(connection);
            let state = SubscriptionState { conn_id, id_provider, subscription_permit: permit };
            subscribe(CALL_ID, decoded, sink, state, extensions).await
        });
        match AssertUnwindSafe(call).catch_unwind().await {
            Ok(response) if response.is_success() => {
                // jsonrpsee also sends the response as the first message of the channel.
                rx.recv().await;
                Ok(ChannelSource { rx })
            }
            Ok(response) => Err(answer(response, &spec, &params, &called)),
            Err(panic) => Err(Answer::Fault(Fault::Panic { method: called, reason: panic_text(&*panic) })),
        }
    }
}

fn connection_id(connection: u64) -> ConnectionId {
    ConnectionId(usize::try_from(connection).unwrap_or(usize::MAX))
}

fn answer(response: MethodResponse, spec: &MethodSpec, params: &str, called: &str) -> Answer {
    if response.is_success() {
        return match spec.returns {
            Returns::Nothing => Answer::Void,
            _ => payload(response.into_json()),
        };
    }
    let json = response.into_json();
    let error = Frame::decode(json.get()).ok().and_then(|(frame, _)| frame.error).unwrap_or_default().opened();
    if error.code == codes::INVALID_PARAMS
        && let Some((go_type, reason)) = refused(spec, params)
    {
        return Answer::Fault(Fault::BadParam { method: called.to_owned(), go_type, reason });
    }
    Answer::Error(error)
}

fn payload(json: Box<RawValue>) -> Answer {
    if json.get().starts_with(HEAD) {
        let range = HEAD.len()..json.get().len().saturating_sub(1);
        return Answer::Value(Payload { json, range });
    }
    // Another version of jsonrpsee may write the members in another order.
    match Frame::decode(json.get()).ok().and_then(|(frame, _)| frame.result.map(ToOwned::to_owned)) {
        Some(json) => Answer::Value(Payload { range: 0..json.get().len(), json }),
        None => Answer::Error(RpcError::new(codes::METHOD, "response without a result")),
    }
}

/// The first parameter that does not decode, and why, in Go's words where Go's words can be known.
fn refused(spec: &MethodSpec, params: &str) -> Option<(&'static str, String)> {
    let parts = elements(params).ok()?;
    parts.iter().zip(spec.params).find_map(|(part, param)| {
        let reason = (param.refuse)(part)?;
        Some((param.go_type, go_reason(part, param.go_type).unwrap_or(reason)))
    })
}

fn go_reason(part: &str, go_type: &str) -> Option<String> {
    let kind = go_kind(part);
    let fits = match zero_of(go_type)? {
        "\"\"" => kind == "string",
        "false" => kind == "bool",
        _ => kind == "number",
    };
    let value = if fits && kind == "number" { format!("number {part}") } else { kind.to_owned() };
    Some(format!("json: cannot unmarshal {value} into Go value of type {go_type}"))
}

fn panic_text(panic: &(dyn Any + Send)) -> String {
    panic
        .downcast_ref::<&str>()
        .map(|text| (*text).to_owned())
        .or_else(|| panic.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "unknown".to_owned())
}

/// Ids that jsonrpsee keeps its channels under; the wire has its own per connection.
#[derive(Debug)]
struct NextId;

impl IdProvider for NextId {
    fn next_id(&self) -> SubscriptionId<'static> {
        static NEXT: AtomicU64 = AtomicU64::new(1);
        SubscriptionId::Num(NEXT.fetch_add(1, Ordering::Relaxed))
    }
}

/// What the methods of one connection find in their extensions.
pub(crate) fn extensions_for(caller: Caller) -> (Arc<Caller>, Extensions) {
    let caller = Arc::new(caller);
    let mut extensions = Extensions::new();
    extensions.insert(caller.clone());
    (caller, extensions)
}
