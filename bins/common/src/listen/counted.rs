//! How many connections one address may have.

use std::collections::HashMap;
use std::future::{Ready, ready};
use std::io;
use std::net::IpAddr;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};

use axum_server::accept::Accept;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

/// Open connections by address.
type Open = Arc<Mutex<HashMap<IpAddr, usize>>>;

/// Refuses what one address has too many of, so that it cannot take the sockets of all others.
#[derive(Clone, Debug)]
pub(super) struct Counted {
    most: usize,
    open: Open,
}

impl Counted {
    pub(super) fn new(most: usize) -> Self {
        Self { most, open: Arc::default() }
    }

    fn take(&self, stream: TcpStream) -> io::Result<Held> {
        stream.set_nodelay(true)?;
        let ip = stream.peer_addr()?.ip();
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        let count = open.entry(ip).or_default();
        if *count >= self.most {
            return Err(io::Error::other("too many connections of one address"));
        }
        *count += 1;
        drop(open);
        Ok(Held { stream, ip, open: self.open.clone() })
    }
}

impl<S> Accept<TcpStream, S> for Counted {
    type Stream = Held;
    type Service = S;
    type Future = Ready<io::Result<(Held, S)>>;

    fn accept(&self, stream: TcpStream, service: S) -> Self::Future {
        ready(self.take(stream).map(|held| (held, service)))
    }
}

/// A connection that is counted until it ends.
#[derive(Debug)]
pub(super) struct Held {
    stream: TcpStream,
    ip: IpAddr,
    open: Open,
}

impl Drop for Held {
    fn drop(&mut self) {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = open.get_mut(&self.ip) {
            *count = count.saturating_sub(1);
            if *count == 0 {
                open.remove(&self.ip);
            }
        }
    }
}

impl AsyncRead for Held {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buf)
    }
}

impl AsyncWrite for Held {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
