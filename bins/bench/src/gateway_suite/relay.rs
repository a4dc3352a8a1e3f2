//! A network between two ends on one machine: it takes time, and it can break.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::{Instant, sleep_until};

use crate::measure::BenchError;

/// Bytes read at a time, and reads on their way. More than fits waits at the sender, as in a network.
const CHUNK: usize = 64 << 10;
const ON_THE_WAY: usize = 1024;

/// A relay in front of an address.
pub(super) struct Relay {
    pub(super) address: SocketAddr,
    task: JoinHandle<()>,
}

impl Relay {
    /// A relay in front of `to`, each way through which takes `delay`.
    pub(super) async fn start(to: SocketAddr, delay: Duration) -> Result<Self, BenchError> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        Ok(Self { address, task: tokio::spawn(accept(listener, to, delay)) })
    }

    /// Cuts all connections at once, as a machine that loses its power does for those whom its kernel tells.
    pub(super) fn cut(&self) {
        self.task.abort();
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        self.cut();
    }
}

async fn accept(listener: TcpListener, to: SocketAddr, delay: Duration) {
    // Aborted with this task.
    let mut connections = JoinSet::new();
    while let Ok((near, _)) = listener.accept().await {
        connections.spawn(async move {
            if let Ok(far) = TcpStream::connect(to).await {
                join(near, far, delay).await;
            }
        });
    }
}

async fn join(near: TcpStream, far: TcpStream, delay: Duration) {
    // Without this the relay would add delays of its own.
    let _ = (near.set_nodelay(true), far.set_nodelay(true));
    let ((near_read, near_write), (far_read, far_write)) = (near.into_split(), far.into_split());
    tokio::select! {
        () = carry(near_read, far_write, delay) => {}
        () = carry(far_read, near_write, delay) => {}
    }
}

async fn carry(mut from: impl AsyncRead + Unpin, mut to: impl AsyncWrite + Unpin, delay: Duration) {
    let (sender, mut arriving) = mpsc::channel::<(Instant, Vec<u8>)>(ON_THE_WAY);
    let read = async {
        let mut buffer = vec![0; CHUNK];
        while let Ok(size @ 1..) = from.read(&mut buffer).await {
            let bytes = buffer.get(..size).unwrap_or_default().to_vec();
            if sender.send((Instant::now() + delay, bytes)).await.is_err() {
                return;
            }
        }
    };
    let write = async {
        while let Some((at, bytes)) = arriving.recv().await {
            if !delay.is_zero() {
                sleep_until(at).await;
            }
            if to.write_all(&bytes).await.is_err() {
                return;
            }
        }
    };
    tokio::select! { () = read => {}, () = write => {} }
}
