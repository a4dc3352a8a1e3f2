//! A WebSocket, passed on.
//!
//! The two ends shake hands with each other: the caller's key goes to the component, and its answer comes back. From
//! then on bytes are passed on unread, so that there is no frame that could be too large for this program, nothing is
//! parsed twice, and pings reach whom they are for.

use std::time::Duration;

use axum::body::Body;
use axum::response::Response;
use http::StatusCode;
use http::header::{CONNECTION, HeaderValue, UPGRADE};
use hyper::upgrade::OnUpgrade;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadHalf, WriteHalf};
use tokio::time::{Instant, sleep_until, timeout};
use tokio_util::sync::CancellationToken;

use super::open::Listed;
use super::{Proxy, headers};

/// How long the last bytes of one end may take after the other has gone: nobody answers on half a WebSocket.
const LINGER: Duration = Duration::from_secs(1);
/// Bytes under way in one direction.
const BUFFER: usize = 64 << 10;

/// The answer to the caller; the socket runs in a task of the proxy.
pub(super) fn open(
    proxy: &Proxy,
    caller: OnUpgrade,
    response: reqwest::Response,
    listed: Listed,
) -> Response {
    let mut header = response.headers().clone();
    headers::strip_hop(&mut header);
    let idle = proxy.0.options.idle;
    proxy.0.tasks.spawn(async move {
        let ended = listed.ended.clone();
        let both = async { tokio::join!(caller, response.upgrade()) };
        match timeout(idle, both).await {
            Ok((Ok(caller), Ok(component))) => run(TokioIo::new(caller), component, &ended, idle).await,
            _ => tracing::debug!("an upgrade was given up"),
        }
        drop(listed);
    });
    let mut answer = Response::new(Body::empty());
    *answer.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
    header.insert(CONNECTION, HeaderValue::from_static("Upgrade"));
    header.insert(UPGRADE, HeaderValue::from_static("websocket"));
    *answer.headers_mut() = header;
    answer
}

/// Copies both ways until one end has gone, both are silent for `idle`, or `ended`.
async fn run<A, B>(caller: A, component: B, ended: &CancellationToken, idle: Duration)
where
    A: AsyncRead + AsyncWrite,
    B: AsyncRead + AsyncWrite,
{
    let (from_caller, to_caller) = tokio::io::split(caller);
    let (from_component, to_component) = tokio::io::split(component);
    let clock = Quiet::default();
    let mut there = Box::pin(copy(from_caller, to_component, &clock));
    let mut back = Box::pin(copy(from_component, to_caller, &clock));
    // The end of one direction is the end of the other: half a WebSocket is none.
    tokio::select! {
        biased;
        () = ended.cancelled() => {}
        () = clock.longer_than(idle) => {}
        () = &mut there => drop(timeout(LINGER, back).await),
        () = &mut back => drop(timeout(LINGER, there).await),
    }
}

/// Until the end, which it passes on.
async fn copy<R: AsyncRead, W: AsyncWrite>(mut from: ReadHalf<R>, mut to: WriteHalf<W>, clock: &Quiet) {
    let mut buffer = vec![0; BUFFER];
    while let Ok(read) = from.read(&mut buffer).await {
        let Some(bytes) = buffer.get(..read).filter(|bytes| !bytes.is_empty()) else { break };
        clock.heard();
        if to.write_all(bytes).await.is_err() || to.flush().await.is_err() {
            return;
        }
    }
    let _ = to.shutdown().await;
}

/// When something was heard last.
struct Quiet(std::sync::Mutex<Instant>);

impl Default for Quiet {
    fn default() -> Self {
        Self(std::sync::Mutex::new(Instant::now()))
    }
}

impl Quiet {
    fn heard(&self) {
        *self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner) = Instant::now();
    }

    fn since(&self) -> Instant {
        *self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    async fn longer_than(&self, idle: Duration) {
        loop {
            let until = self.since() + idle;
            if until <= Instant::now() {
                return;
            }
            sleep_until(until).await;
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::duplex;

    use super::*;

    const IDLE: Duration = Duration::from_secs(90);

    #[tokio::test(start_paused = true)]
    async fn bytes_both_ways_until_one_end_goes() {
        let (mut caller, caller_here) = duplex(64);
        let (mut component, component_here) = duplex(64);
        let ended = CancellationToken::new();
        let running = tokio::spawn(async move { run(caller_here, component_here, &ended, IDLE).await });
        let mut read = [0; 5];
        caller.write_all(b"there").await.unwrap();
        component.read_exact(&mut read).await.unwrap();
        component.write_all(b"back!").await.unwrap();
        caller.read_exact(&mut read).await.unwrap();
        assert_eq!(&read, b"back!");
        // The component has a last word, and then both are gone.
        caller.shutdown().await.unwrap();
        assert_eq!(component.read(&mut read).await.unwrap(), 0);
        component.write_all(b"bye!!").await.unwrap();
        caller.read_exact(&mut read).await.unwrap();
        running.await.unwrap();
        assert_eq!(caller.read(&mut read).await.unwrap(), 0);
    }

    #[tokio::test(start_paused = true)]
    async fn silence_and_revocation_end_it() {
        for revoked in [false, true] {
            let (mut caller, caller_here) = duplex(64);
            let (_component, component_here) = duplex(64);
            let ended = CancellationToken::new();
            let stop = ended.clone();
            let running = tokio::spawn(async move { run(caller_here, component_here, &ended, IDLE).await });
            caller.write_all(b"x").await.unwrap();
            if revoked {
                stop.cancel();
            }
            let begun = Instant::now();
            running.await.unwrap();
            assert_eq!(begun.elapsed() < Duration::from_secs(1), revoked);
            assert_eq!(caller.read(&mut [0]).await.unwrap(), 0);
        }
    }
}
