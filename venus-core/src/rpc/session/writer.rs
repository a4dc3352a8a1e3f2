//! Writes to a socket: messages from the queue, and pings.

use std::{future::poll_fn, task::Poll};

use futures::{Sink, SinkExt};
use tokio::{
    sync::mpsc,
    time::{Instant, MissedTickBehavior, interval_at, timeout},
};
use tokio_tungstenite::tungstenite::{
    Error, Message,
    protocol::{CloseFrame, frame::coding::CloseCode},
};

use super::{
    KeepAlive,
    link::{Link, Out},
};

/// Messages written before a flush, so that pipelined answers share packets.
const BURST: usize = 256;

/// Writes until the queue closes, a close frame is written, or a write takes too long.
pub(super) async fn write<W>(link: &Link, mut sink: W, mut queue: mpsc::Receiver<Out>, keep: KeepAlive)
where
    W: Sink<Message, Error = Error> + Unpin,
{
    let limits = &link.limits;
    let mut ping = interval_at(Instant::now() + keep.ping_every, keep.ping_every);
    ping.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        let written = tokio::select! {
            biased;
            out = queue.recv() => match out {
                Some(out) => timeout(limits.io_deadline, burst(link, &mut sink, out, &mut queue)).await,
                None => break,
            },
            _ = ping.tick() => {
                let sent = sink.send(Message::Ping(bytes::Bytes::new()));
                timeout(limits.io_deadline, async { sent.await.map(|()| true) }).await
            }
        };
        match written {
            Ok(Ok(true)) => {}
            Ok(Ok(false)) => break,
            Ok(Err(error)) => return tracing::debug!(%error, "write failed"),
            Err(_) => return tracing::debug!("the peer does not read"),
        }
    }
    let _ = timeout(limits.io_deadline, sink.flush()).await;
}

/// Writes `first` and what waits behind it; false after a close frame.
async fn burst<W>(
    link: &Link,
    sink: &mut W,
    first: Out,
    queue: &mut mpsc::Receiver<Out>,
) -> Result<bool, Error>
where
    W: Sink<Message, Error = Error> + Unpin,
{
    // Permits go back when the bytes have left.
    let mut permits = Vec::new();
    let (mut next, mut yielded) = (Some(first), false);
    while let Some(out) = next {
        match out {
            Out::Text(text, permit) => {
                sink.feed(Message::text(text)).await?;
                permits.push(permit);
            }
            Out::Close(code, reason) => {
                let frame = CloseFrame { code: CloseCode::from(code), reason: reason.into() };
                return sink.send(Message::Close(Some(frame))).await.map(|()| false);
            }
        }
        next = if permits.len() < BURST { queue.try_recv().ok() } else { None };
        if next.is_none() && !yielded && (permits.len() > 1 || link.is_busy()) {
            // More are about to come, and packets cost more than messages: whoever makes them may run first.
            yielded = true;
            turn().await;
            next = queue.try_recv().ok();
        }
    }
    sink.flush().await.map(|()| true)
}

/// Lets other tasks run that are ready, without a look at the sockets, which the runtime's own yield takes.
async fn turn() {
    let mut waited = false;
    poll_fn(|cx| {
        if std::mem::replace(&mut waited, true) {
            return Poll::Ready(());
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}
