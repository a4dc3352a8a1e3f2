//! Reads from a socket, and ends the session.

use std::{pin::pin, sync::Arc, time::Duration};

use futures::{Stream, StreamExt};
use http::Extensions;
use serde_json::value::RawValue;
use tokio::{
    io::{AsyncRead, AsyncWrite},
    sync::mpsc,
    time::{Instant, sleep, sleep_until, timeout},
};
use tokio_tungstenite::{
    WebSocketStream,
    tungstenite::{Error, Message},
};

use super::{
    KeepAlive, Limits, close,
    incoming::Calls,
    link::{Link, Order, Out},
    writer::write,
};
use crate::rpc::{
    frame::{CANCEL, CHANNEL_CLOSE, CHANNEL_VALUE, Frame},
    id::{FrameId, Id},
    service::{Caller, Service},
};

/// What a frame that is no JSON-RPC object does to the session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Malformed {
    /// The fork's servers drop the connection.
    #[cfg_attr(not(feature = "server"), allow(dead_code, reason = "clients go on"))]
    Ends,
    /// Upstream, and clients of ours, go on.
    Ignored,
}

/// A session before it runs.
pub(crate) struct Session {
    pub(crate) link: Arc<Link>,
    pub(crate) queue: mpsc::Receiver<Out>,
    pub(crate) service: Option<Arc<Service>>,
    pub(crate) caller: Arc<Caller>,
    pub(crate) extensions: Extensions,
    pub(crate) keep_alive: KeepAlive,
    pub(crate) limits: Limits,
    pub(crate) malformed: Malformed,
}

/// Why reading stopped.
#[derive(Debug, PartialEq, Eq)]
enum End {
    /// The peer closed, or the socket broke.
    Gone,
    /// We close, with this code.
    Ours(u16, &'static str),
    /// Without a word, as Go does it.
    Cut,
}

impl Session {
    /// Runs until either side ends it. Afterwards nothing of it is left: calls are aborted, callers get errors.
    pub(crate) async fn run<S>(self, socket: WebSocketStream<S>)
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let (sink, stream) = socket.split();
        let Self { link, queue, service, caller, extensions, keep_alive, limits, malformed } = self;
        let calls = service.map(|service| Calls::new(link.clone(), service, caller, extensions, limits));
        let mut reader = Reader { link: link.clone(), calls, keep_alive, limits, malformed };
        let _ended = Ended(link.clone());
        let writing = write(&link, sink, queue, keep_alive);
        let mut writing = pin!(writing);
        let end = tokio::select! {
            end = reader.read(stream) => end,
            () = &mut writing => End::Cut,
        };
        // Running calls see the end before the peer does.
        drop(reader);
        if let End::Ours(code, reason) = end {
            let goodbye = async { tokio::join!(link.goodbye(code, reason), &mut writing) };
            let _ = timeout(limits.grace, goodbye).await;
        }
    }
}

/// Ends the link however the session ends, also when its task is aborted.
struct Ended(Arc<Link>);

impl Drop for Ended {
    fn drop(&mut self) {
        self.0.end();
    }
}

struct Reader {
    link: Arc<Link>,
    calls: Option<Calls>,
    keep_alive: KeepAlive,
    limits: Limits,
    malformed: Malformed,
}

impl Reader {
    async fn read(&mut self, mut stream: impl Stream<Item = Result<Message, Error>> + Unpin) -> End {
        let mut orders = self.link.orders();
        let mut obeyed = Order::Run;
        let mut alive_until = Instant::now() + self.keep_alive.dead_after;
        let mut dead = pin!(sleep_until(alive_until));
        let mut grace = pin!(sleep(Duration::MAX));
        loop {
            let draining = obeyed == Order::Drain;
            tokio::select! {
                biased;
                order = orders.wait_for(|order| *order != obeyed) => match order.map(|order| *order) {
                    Ok(Order::Close(code, reason)) => return End::Ours(code, reason),
                    _ => {
                        obeyed = Order::Drain;
                        grace.set(sleep(self.limits.grace));
                        self.calls.iter_mut().for_each(Calls::drain);
                    }
                },
                message = stream.next() => {
                    alive_until = Instant::now() + self.keep_alive.dead_after;
                    if let Some(end) = self.message(message) {
                        return end;
                    }
                }
                () = idle(&mut self.calls), if draining => return End::Ours(close::NORMAL, ""),
                () = &mut grace, if draining => return End::Ours(close::NORMAL, ""),
                // Frames move `alive_until` only; the timer catches up when it fires.
                () = &mut dead => {
                    if Instant::now() >= alive_until {
                        return End::Cut;
                    }
                    dead.as_mut().reset(alive_until);
                }
            }
        }
    }

    fn message(&mut self, message: Option<Result<Message, Error>>) -> Option<End> {
        match message {
            Some(Ok(Message::Text(text))) => self.text(&text),
            Some(Ok(Message::Binary(bytes))) => self.text(&String::from_utf8_lossy(&bytes)),
            Some(Ok(Message::Ping(_) | Message::Pong(_) | Message::Frame(_))) => None,
            // The codec answers the close frame by itself, when it is polled once more.
            Some(Ok(Message::Close(_))) => None,
            Some(Err(Error::Capacity(_))) => Some(End::Ours(close::TOO_BIG, "message too big")),
            Some(Err(Error::Utf8(_))) => Some(End::Ours(close::NOT_TEXT, "not UTF-8")),
            Some(Err(error)) => {
                tracing::debug!(%error, "read failed");
                Some(End::Gone)
            }
            None => Some(End::Gone),
        }
    }

    fn text(&mut self, text: &str) -> Option<End> {
        let malformed = match self.malformed {
            Malformed::Ends => Some(End::Cut),
            Malformed::Ignored => None,
        };
        match Frame::decode(text) {
            Ok((Frame { id: FrameId::Odd(_), .. }, _)) => malformed,
            // The fork answers the first object of several, upstream none.
            Ok((_, true)) if self.malformed == Malformed::Ignored => None,
            Ok((frame, _)) => self.frame(&frame),
            Err(error) => {
                tracing::debug!(%error, "malformed frame");
                malformed
            }
        }
    }

    fn frame(&mut self, frame: &Frame<'_>) -> Option<End> {
        match &*frame.method {
            "" => self.response(frame),
            CANCEL => {
                if let (Some(calls), Some(id)) = (&self.calls, cancelled(frame)) {
                    calls.cancel(&id);
                }
            }
            CHANNEL_VALUE => {
                if let Some((number, Some(value))) = channel(frame) {
                    self.link.incoming.value(&self.link, number, value);
                }
            }
            CHANNEL_CLOSE => {
                if let Some((number, _)) = channel(frame) {
                    self.link.incoming.close(number);
                }
            }
            _ => match &mut self.calls {
                Some(calls) => {
                    if !calls.start(frame) {
                        return Some(End::Ours(close::NORMAL, "answers are not read"));
                    }
                }
                None => tracing::debug!(method = %frame.method, "nobody here to call"),
            },
        }
        None
    }

    fn response(&self, frame: &Frame<'_>) {
        let FrameId::Id(id) = &frame.id else { return };
        let Some(id) = id.as_counter() else { return };
        let answer = match (&frame.error, frame.result) {
            (Some(error), _) => Err(error.clone()),
            (None, Some(result)) => Ok(result.to_owned()),
            (None, None) => Ok(RawValue::NULL.to_owned()),
        };
        self.link.answered(id, answer);
    }
}

async fn idle(calls: &mut Option<Calls>) {
    if let Some(calls) = calls {
        calls.idle().await;
    }
}

/// The id that `xrpc.cancel` names. Peers have crashed on less: nothing is taken for granted here.
fn cancelled(frame: &Frame<'_>) -> Option<Id> {
    Id::parse(parameters(frame)?.first()?.get())
}

/// The channel and the value of `xrpc.ch.val` and `xrpc.ch.close`.
fn channel<'a>(frame: &Frame<'a>) -> Option<(u64, Option<&'a RawValue>)> {
    let parameters = parameters(frame)?;
    let number = serde_json::from_str(parameters.first()?.get()).ok()?;
    Some((number, parameters.get(1).copied()))
}

fn parameters<'a>(frame: &Frame<'a>) -> Option<Vec<&'a RawValue>> {
    serde_json::from_str(frame.params?.get()).ok()
}
