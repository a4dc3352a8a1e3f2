//! A call that passed the table: to its jsonrpsee method and back.

use std::{
    any::Any,
    fmt,
    ops::Range,
    panic::AssertUnwindSafe,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

use futures::{FutureExt, Stream, StreamExt, future::BoxFuture, stream::BoxStream};
use http::Extensions;
use jsonrpsee::{
    ConnectionId, MethodCallback, MethodResponse,
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
    dialect::Fault,
    error::{RpcError, codes},
    frame::Frame,
    limiter::Limit,
    params::{elements, go_kind, zero_of},
    table::{MethodSpec, Returns},
};

/// A call that passed the table.
pub(crate) struct Prepared {
    pub(crate) spec: MethodSpec,
    pub(super) callback: MethodCallback,
    pub(super) params: String,
    /// The name or alias that was called; Go's texts repeat it.
    pub(super) called: String,
    /// Who is asked before it runs.
    pub(super) limit: Option<Limit>,
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

/// Takes the values of a channel straight from a stream.
///
/// A method that answers with a channel finds it among its extensions. What it gives before it accepts the subscription
/// is sent instead of what it would put into the subscription's sink, which it may drop then: no task and no envelope
/// stand between the stream and the connection. The stream is dropped when nobody wants its values any more.
#[derive(Clone, Default)]
pub struct ChannelFeed(Arc<Mutex<Option<BoxStream<'static, Box<RawValue>>>>>);

impl ChannelFeed {
    /// The values, in order; the channel is closed at their end. A second stream takes the place of the first.
    pub fn give(&self, values: impl Stream<Item = Box<RawValue>> + Send + 'static) {
        *self.slot() = Some(values.boxed());
    }

    fn take(&self) -> Option<BoxStream<'static, Box<RawValue>>> {
        self.slot().take()
    }

    fn slot(&self) -> MutexGuard<'_, Option<BoxStream<'static, Box<RawValue>>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for ChannelFeed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ChannelFeed").field("given", &self.slot().is_some()).finish()
    }
}

/// An open channel as the method feeds it.
pub(crate) enum ChannelSource {
    /// Messages of a subscription's sink.
    Sink(mpsc::Receiver<Box<RawValue>>),
    /// Values.
    Feed(BoxStream<'static, Box<RawValue>>),
}

impl ChannelSource {
    /// The next value; nothing once the method is done or failed. Dropping the source tells the method to stop.
    pub(crate) async fn next(&mut self) -> Option<Box<RawValue>> {
        match self {
            Self::Sink(messages) => {
                messages.recv().await.as_deref().and_then(channel_item).map(RawValue::to_owned)
            }
            Self::Feed(values) => values.next().await,
        }
    }

    /// Tells the method to stop, and returns when it has.
    pub(crate) async fn end(self) {
        match self {
            Self::Sink(mut messages) => {
                messages.close();
                while messages.recv().await.is_some() {}
            }
            // The method is in the stream and ends with it.
            Self::Feed(values) => drop(values),
        }
    }
}

/// The value in a message of a channel; nothing if the method ended with an error.
fn channel_item(message: &RawValue) -> Option<&RawValue> {
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
        let Self { spec, callback, params, called, limit } = self;
        if let Err(refused) = Limit::admit(limit, &spec).await {
            return Answer::Error(refused);
        }
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
        let Self { spec, callback, params, called, limit } = self;
        Limit::admit(limit, &spec).await.map_err(Answer::Error)?;
        let MethodCallback::Subscription(subscribe) = callback else {
            return Err(Answer::Fault(Fault::MethodNotFound(called)));
        };
        let (tx, mut rx) = mpsc::channel(buffer.max(1));
        let feed = ChannelFeed::default();
        let mut extensions = extensions;
        extensions.insert(feed.clone());
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
                Ok(feed.take().map_or(ChannelSource::Sink(rx), ChannelSource::Feed))
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
    let error =
        Frame::decode(json.get()).ok().and_then(|(frame, _)| frame.error).unwrap_or_default().opened();
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
    match (go_type, kind) {
        // A key is decoded as the list that it is, an address from its text between quotes.
        ("types.TipSetKey", kind) if kind != "array" => {
            return Some(format!("json: cannot unmarshal {kind} into Go value of type []cid.Cid"));
        }
        ("address.Address", "string") if part.len() < 5 => return Some("invalid address length".to_owned()),
        _ => {}
    }
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
