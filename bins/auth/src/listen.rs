//! The port: TLS, deadlines, and how many connections one address may have.

use std::collections::HashMap;
use std::future::{Ready, ready};
use std::io;
use std::net::{IpAddr, SocketAddr, TcpListener};
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::Router;
use axum_server::accept::Accept;
use axum_server::tls_rustls::{RustlsAcceptor, RustlsConfig};
use axum_server::{Handle, Server};
use hyper_util::rt::{TokioExecutor, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio_util::sync::CancellationToken;
use venus_core::error::BoxError;

use crate::config::{Config, Tls};

/// How long a caller may take for the header of a request.
const HEADER_DEADLINE: Duration = Duration::from_secs(30);
/// How long running requests may take after the stop.
pub(crate) const GRACE: Duration = Duration::from_secs(30);

/// A port that is bound and not served yet.
pub(crate) struct Listen {
    listener: TcpListener,
    pub(crate) addr: SocketAddr,
    tls: Option<RustlsConfig>,
    per_ip: usize,
}

impl Listen {
    pub(crate) async fn bind(config: &Config) -> Result<Self, BoxError> {
        let addr: SocketAddr = config.listen.parse().map_err(|_| {
            format!("Listen {:?}: write an address and a port, as 127.0.0.1:8989", config.listen)
        })?;
        let tls = tls(&config.tls).await?;
        if tls.is_none() && !addr.ip().is_loopback() {
            tracing::warn!(%addr, "tokens travel in clear: set [TLS] Cert and Key, or put a proxy in front");
        }
        let listener =
            TcpListener::bind(addr).map_err(|error| format!("cannot listen on {addr}: {error}"))?;
        listener.set_nonblocking(true)?;
        Ok(Self { addr: listener.local_addr()?, listener, tls, per_ip: config.auth.connectionsperip.max(1) })
    }

    pub(crate) fn url(&self) -> String {
        format!("{}://{}", if self.tls.is_some() { "https" } else { "http" }, self.addr)
    }

    /// Serves until the stop, then lets running requests end.
    pub(crate) async fn serve(self, router: Router, stop: CancellationToken) -> Result<(), BoxError> {
        let handle = Handle::new();
        let ending = handle.clone();
        let watch = tokio::spawn(async move {
            stop.cancelled_owned().await;
            ending.graceful_shutdown(Some(GRACE));
        });
        let service = router.into_make_service_with_connect_info::<SocketAddr>();
        let counted = Counted { most: self.per_ip, open: Arc::default() };
        let served = match self.tls {
            Some(tls) => {
                let acceptor = RustlsAcceptor::new(tls).acceptor(counted);
                let mut server: Server<_, _> =
                    axum_server::from_tcp(self.listener)?.acceptor(acceptor).handle(handle);
                patient(server.http_builder());
                server.serve(service).await
            }
            None => {
                let mut server = axum_server::from_tcp(self.listener)?.acceptor(counted).handle(handle);
                patient(server.http_builder());
                server.serve(service).await
            }
        };
        watch.abort();
        Ok(served?)
    }
}

/// Without a timer a caller that never ends its header keeps its socket for ever.
fn patient(builder: &mut Builder<TokioExecutor>) {
    builder.http1().timer(TokioTimer::new()).header_read_timeout(HEADER_DEADLINE);
}

async fn tls(tls: &Tls) -> Result<Option<RustlsConfig>, BoxError> {
    match (tls.cert.as_str(), tls.key.as_str()) {
        ("", "") => Ok(None),
        ("", _) | (_, "") => Err("config.toml: [TLS] Cert and Key belong together".into()),
        (cert, key) => {
            venus_core::rpc::client::choose_tls();
            let config = RustlsConfig::from_pem_file(cert, key).await;
            Ok(Some(config.map_err(|error| format!("TLS certificate {cert} and key {key}: {error}"))?))
        }
    }
}

/// Open connections by address.
type Open = Arc<Mutex<HashMap<IpAddr, usize>>>;

/// Refuses what one address has too many of, so that it cannot take the sockets of all others.
#[derive(Clone, Debug)]
struct Counted {
    most: usize,
    open: Open,
}

impl<S> Accept<TcpStream, S> for Counted {
    type Stream = Held;
    type Service = S;
    type Future = Ready<io::Result<(Held, S)>>;

    fn accept(&self, stream: TcpStream, service: S) -> Self::Future {
        ready(self.take(stream).map(|held| (held, service)))
    }
}

impl Counted {
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

/// A connection that is counted until it ends.
#[derive(Debug)]
struct Held {
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
