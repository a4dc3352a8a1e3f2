//! A wire that can be cut, with the same address on this side whoever is at the other.

use std::net::SocketAddr;

use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;

pub(crate) const LOOPBACK: SocketAddr =
    SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 0);

/// Forwards to a server, or to nobody. Ends when it is dropped, with all connections.
pub(crate) struct Link {
    at: SocketAddr,
    to: watch::Sender<Option<SocketAddr>>,
    _accepting: JoinSet<()>,
}

impl Link {
    pub(crate) async fn to(server: SocketAddr) -> Self {
        let listener = TcpListener::bind(LOOPBACK).await.unwrap();
        let at = listener.local_addr().unwrap();
        let (to, seen) = watch::channel(Some(server));
        let mut accepting = JoinSet::new();
        accepting.spawn(accept(listener, seen));
        Self { at, to, _accepting: accepting }
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.at
    }

    /// Breaks all connections, in the middle of whatever they carry. New ones are forwarded.
    pub(crate) fn cut(&self) {
        self.to.send_modify(|_| {});
    }

    /// Breaks all connections and forwards new ones there, or breaks those as well.
    pub(crate) fn point(&self, to: Option<SocketAddr>) {
        self.to.send_replace(to);
    }
}

async fn accept(listener: TcpListener, to: watch::Receiver<Option<SocketAddr>>) {
    let mut connections = JoinSet::new();
    while let Ok((socket, _)) = listener.accept().await {
        connections.spawn(forward(socket, to.clone()));
        while connections.try_join_next().is_some() {}
    }
}

async fn forward(mut near: TcpStream, mut to: watch::Receiver<Option<SocketAddr>>) {
    let target = *to.borrow_and_update();
    let Some(target) = target else { return };
    let Ok(mut far) = TcpStream::connect(target).await else { return };
    tokio::select! {
        _ = copy_bidirectional(&mut near, &mut far) => {}
        _ = to.changed() => {}
    }
}
