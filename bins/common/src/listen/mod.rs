//! A port: TLS, deadlines, how many connections one address may have, and no tokens in clear.

mod addr;
mod counted;

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum_server::tls_rustls::{RustlsAcceptor, RustlsConfig};
use axum_server::{Handle, Server};
use hyper_util::rt::{TokioExecutor, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use rustls::crypto::{CryptoProvider, aws_lc_rs};
use tokio_util::sync::CancellationToken;

pub use addr::{AddressError, in_clear, multiaddr, socket_addr};
use counted::Counted;

/// How long a caller may take for the header of a request.
const HEADER_DEADLINE: Duration = Duration::from_secs(30);
/// How long running requests may take after the stop.
pub const GRACE: Duration = Duration::from_secs(30);

/// What a port is to be.
#[derive(Clone, Debug)]
pub struct Endpoint {
    /// Where; port 0 takes any.
    pub addr: SocketAddr,
    /// PEM files of the certificate chain and of the key. Without them everybody on the way can read tokens.
    pub tls: Option<(PathBuf, PathBuf)>,
    /// Connections of one address at once.
    pub per_ip: usize,
    /// What happens without TLS where other machines can connect.
    pub clear_text: ClearText,
}

/// What happens to tokens that would travel in clear between machines.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClearText {
    /// The port is refused. The texts are the key and the option that would allow it.
    Refused(&'static str),
    /// The log says so.
    Warned,
    /// The operator knows: there is a proxy or a private network.
    Allowed,
}

/// Why there is no port.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ListenError {
    /// Tokens would travel in clear.
    #[error(
        "{addr} can be reached by other machines, and tokens would travel in clear: set certificate and key for TLS, \
         listen on 127.0.0.1 behind a proxy that has them, or allow it by {allow}"
    )]
    InClear {
        /// The address.
        addr: SocketAddr,
        /// What allows it.
        allow: &'static str,
    },
    /// The port cannot be had. It may work later, where another process has it now.
    #[error("cannot listen on {addr}: {source}")]
    Bind {
        /// The address.
        addr: SocketAddr,
        /// What the operating system said.
        source: io::Error,
    },
    /// The files of TLS cannot be used.
    #[error("TLS certificate {} and key {}: {source}", cert.display(), key.display())]
    Tls {
        /// The certificate.
        cert: PathBuf,
        /// The key.
        key: PathBuf,
        /// What is wrong with one of them.
        source: io::Error,
    },
}

/// The certificate and the key of a configuration, where an empty text is none.
///
/// # Errors
/// One of them is missing.
pub fn tls_files(cert: &str, key: &str) -> Result<Option<(PathBuf, PathBuf)>, String> {
    match (cert, key) {
        ("", "") => Ok(None),
        ("", _) | (_, "") => Err("certificate and key belong together: set both, or none".into()),
        (cert, key) => Ok(Some((crate::files::expand(cert), crate::files::expand(key)))),
    }
}

/// A port that is bound and not served yet.
#[derive(Debug)]
pub struct Port {
    listener: TcpListener,
    addr: SocketAddr,
    tls: Option<RustlsConfig>,
    per_ip: usize,
}

impl Port {
    /// Takes the port. Callers that connect wait until it is served.
    ///
    /// # Errors
    /// [`ListenError`]; nothing is bound then.
    pub async fn bind(endpoint: &Endpoint) -> Result<Self, ListenError> {
        let addr = endpoint.addr;
        if endpoint.tls.is_none() && !addr.ip().is_loopback() {
            match endpoint.clear_text {
                ClearText::Refused(allow) => return Err(ListenError::InClear { addr, allow }),
                ClearText::Warned => {
                    tracing::warn!(%addr, "tokens travel in clear: set certificate and key, or put a proxy in front");
                }
                ClearText::Allowed => {}
            }
        }
        let tls = match &endpoint.tls {
            Some((cert, key)) => Some(tls(cert.clone(), key.clone()).await?),
            None => None,
        };
        let failed = |source| ListenError::Bind { addr, source };
        let listener = TcpListener::bind(addr).map_err(failed)?;
        listener.set_nonblocking(true).map_err(failed)?;
        let addr = listener.local_addr().map_err(failed)?;
        Ok(Self { listener, addr, tls, per_ip: endpoint.per_ip.max(1) })
    }

    /// Where it is: known even if port 0 was asked for.
    #[must_use]
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// Where programs of this machine reach it, if it listens everywhere.
    #[must_use]
    pub fn near(&self) -> SocketAddr {
        let ip = match self.addr.ip() {
            IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
            IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
            ip => ip,
        };
        SocketAddr::new(ip, self.addr.port())
    }

    /// `http`, or `https` with TLS.
    #[must_use]
    pub fn scheme(&self) -> &'static str {
        if self.tls.is_some() { "https" } else { "http" }
    }

    /// Its URL, without a path.
    #[must_use]
    pub fn url(&self) -> String {
        format!("{}://{}", self.scheme(), self.addr)
    }

    /// Serves until `stop`, then takes nothing new, runs `ending` (which closes WebSockets, for which a port would wait)
    /// and lets running requests end within [`GRACE`].
    ///
    /// # Errors
    /// The port broke; `ending` has run then, too.
    pub async fn serve(
        self,
        router: Router,
        stop: CancellationToken,
        ending: impl Future<Output = ()>,
    ) -> io::Result<()> {
        let (handle, stop) = (Handle::new(), stop.child_token());
        let graceful = async {
            stop.cancelled().await;
            handle.graceful_shutdown(Some(GRACE));
            ending.await;
        };
        let serving = async {
            // A port that broke ends its sessions as well.
            let _broken = stop.clone().drop_guard();
            self.accept(router, handle.clone()).await
        };
        tokio::join!(serving, graceful).0
    }

    async fn accept(self, router: Router, handle: Handle<SocketAddr>) -> io::Result<()> {
        let service = router.into_make_service_with_connect_info::<SocketAddr>();
        let counted = Counted::new(self.per_ip);
        match self.tls {
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
        }
    }
}

/// Without a timer a caller that never ends its header keeps its socket for ever.
fn patient(builder: &mut Builder<TokioExecutor>) {
    builder.http1().timer(TokioTimer::new()).header_read_timeout(HEADER_DEADLINE);
}

/// HTTP/1 alone: callers upgrade to WebSockets, and hyper has no timer that ends a silent HTTP/2 connection here.
async fn tls(cert: PathBuf, key: PathBuf) -> Result<RustlsConfig, ListenError> {
    if CryptoProvider::get_default().is_none() {
        // Somebody else may have chosen meanwhile, which is as good.
        let _ = aws_lc_rs::default_provider().install_default();
    }
    match RustlsConfig::from_pem_file(&cert, &key).await {
        Ok(config) => {
            let mut inner = rustls::ServerConfig::clone(&config.get_inner());
            inner.alpn_protocols = vec![b"http/1.1".to_vec()];
            config.reload_from_config(Arc::new(inner));
            Ok(config)
        }
        Err(source) => Err(ListenError::Tls { cert, key, source }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn endpoint(addr: &str) -> Endpoint {
        let clear_text = ClearText::Refused("--allow-clear-text");
        Endpoint { addr: addr.parse().unwrap(), tls: None, per_ip: 2, clear_text }
    }

    #[tokio::test]
    async fn tokens_in_clear_are_refused() {
        let error = Port::bind(&endpoint("0.0.0.0:0")).await.unwrap_err();
        assert!(matches!(error, ListenError::InClear { .. }));
        assert!(error.to_string().contains("--allow-clear-text"), "{error}");
        let port = Port::bind(&endpoint("127.0.0.1:0")).await.unwrap();
        assert!(port.url().starts_with("http://127.0.0.1:") && port.addr().port() != 0);
        let allowed = Endpoint { clear_text: ClearText::Allowed, ..endpoint("0.0.0.0:0") };
        let port = Port::bind(&allowed).await.unwrap();
        assert!(port.addr().ip().is_unspecified() && port.near().ip().is_loopback());
        assert_eq!(port.near().port(), port.addr().port());
    }

    #[tokio::test]
    async fn files_of_tls_are_named() {
        let files = tls_files("/none/cert.pem", "/none/key.pem").unwrap();
        let error = Port::bind(&Endpoint { tls: files, ..endpoint("0.0.0.0:0") }).await.unwrap_err();
        assert!(error.to_string().contains("/none/cert.pem"), "{error}");
        assert!(tls_files("a", "").is_err() && tls_files("", "a").is_err());
        assert!(tls_files("", "").unwrap().is_none());
    }

    #[tokio::test]
    async fn one_address_has_so_many_connections() {
        use tokio::io::{AsyncReadExt, AsyncWriteExt};
        let port = Port::bind(&endpoint("127.0.0.1:0")).await.unwrap();
        let addr = port.addr();
        let stop = CancellationToken::new();
        let router = Router::new().route("/", axum::routing::get(|| async { "here" }));
        let served = tokio::spawn(port.serve(router, stop.clone(), async {}));
        let ask = async |addr| {
            let mut socket = tokio::net::TcpStream::connect(addr).await.unwrap();
            socket.write_all(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
            let mut answer = vec![0; 12];
            let read = tokio::time::timeout(Duration::from_secs(20), socket.read(&mut answer)).await.unwrap();
            (socket, read.unwrap_or(0) > 0)
        };
        let (_first, answered) = ask(addr).await;
        assert!(answered);
        let (second, answered) = ask(addr).await;
        assert!(answered);
        assert!(!ask(addr).await.1);
        drop(second);
        // The server sees the end of the second when it gets to it.
        let again = async { while !ask(addr).await.1 {} };
        tokio::time::timeout(Duration::from_secs(20), again).await.unwrap();
        stop.cancel();
        drop(_first);
        tokio::time::timeout(Duration::from_secs(40), served).await.unwrap().unwrap().unwrap();
    }
}
