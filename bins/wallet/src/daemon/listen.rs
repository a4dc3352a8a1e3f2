//! Where the wallet listens.

use std::io;
use std::net::{IpAddr, SocketAddr, TcpListener};
use std::time::Duration;

use axum::Router;
use axum_server::Handle;
use axum_server::tls_rustls::RustlsConfig;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use tokio_util::sync::CancellationToken;
use venus_bins_common::task::Tasks;
use venus_core::error::BoxError;
use venus_core::rpc::client::choose_tls;
use venus_signer::server::WalletServer;

use super::GRACE;
use crate::config::Api;

/// How long a caller may take for the header of a request.
const HEADER_DEADLINE: Duration = Duration::from_secs(30);

/// Ports that are bound and not served yet.
pub(super) struct Listen {
    main: Port,
    lotus: Option<Port>,
    tls: Option<RustlsConfig>,
}

struct Port {
    /// Until it is served. Nobody else keeps it open then: a socket that the system accepts after the stop would be
    /// reset instead of refused.
    listener: Option<TcpListener>,
    addr: SocketAddr,
}

impl Port {
    fn bind(multiaddr: &str) -> Result<Self, BoxError> {
        let addr = socket_addr(multiaddr)?;
        let failed = |error: io::Error| format!("cannot listen on {addr}: {error}");
        let listener = TcpListener::bind(addr).map_err(failed)?;
        listener.set_nonblocking(true)?;
        let addr = listener.local_addr()?;
        Ok(Self { listener: Some(listener), addr })
    }
}

impl Listen {
    pub(super) async fn bind(api: &Api) -> Result<Self, BoxError> {
        let main = Port::bind(&api.listenaddress)?;
        let lotus = match api.lotuslistenaddress.as_str() {
            "" => None,
            address => Some(Port::bind(address)?),
        };
        Ok(Self { main, lotus, tls: tls(api).await? })
    }

    /// Serves everything until the stop.
    pub(super) fn serve(&mut self, server: &WalletServer, tasks: &mut Tasks) {
        let main = Some((&mut self.main, server.router()));
        let lotus = self.lotus.as_mut().map(|port| (port, server.lotus_router()));
        for (port, router) in [main, lotus].into_iter().flatten() {
            let Some(listener) = port.listener.take() else { continue };
            let served = serve(listener, router, self.tls.clone(), tasks.stop_token(), server.clone());
            tasks.critical(format!("listener {}", port.addr), served);
        }
    }

    pub(super) fn url(&self) -> String {
        format!("{}://{}/rpc/v0", self.scheme(), self.main.addr)
    }

    /// A URL for Lotus' `[Wallet] RemoteBackend`, to which Lotus itself adds `/rpc/v0`.
    pub(super) fn lotus_url(&self) -> String {
        match &self.lotus {
            Some(port) => format!("{}://{}", self.scheme(), port.addr),
            None => format!("{}://{}/lotus", self.scheme(), self.main.addr),
        }
    }

    pub(super) fn multiaddr(&self) -> String {
        let addr = self.main.addr;
        let kind = if addr.is_ipv4() { "ip4" } else { "ip6" };
        format!("/{kind}/{}/tcp/{}/{}", addr.ip(), addr.port(), self.scheme())
    }

    fn scheme(&self) -> &'static str {
        if self.tls.is_some() { "https" } else { "http" }
    }
}

async fn tls(api: &Api) -> Result<Option<RustlsConfig>, BoxError> {
    match (api.tlscert.as_str(), api.tlskey.as_str()) {
        ("", "") => Ok(None),
        ("", _) | (_, "") => Err("config.toml: [API] TLSCert and TLSKey belong together".into()),
        (cert, key) => {
            let failed = |error: io::Error| format!("TLS certificate {cert} and key {key}: {error}");
            choose_tls();
            Ok(Some(RustlsConfig::from_pem_file(cert, key).await.map_err(failed)?))
        }
    }
}

/// Without a timer a caller that never ends its header keeps its socket for ever.
fn patient(builder: &mut Builder<TokioExecutor>) {
    builder.http1().timer(TokioTimer::new()).header_read_timeout(HEADER_DEADLINE);
}

async fn serve(
    listener: TcpListener,
    router: Router,
    tls: Option<RustlsConfig>,
    stop: CancellationToken,
    server: WalletServer,
) -> Result<(), BoxError> {
    let handle = Handle::new();
    let service = router.into_make_service_with_connect_info::<SocketAddr>();
    let ending = {
        let handle = handle.clone();
        async move {
            stop.cancelled_owned().await;
            // Sessions end first: a port waits for its sockets.
            handle.graceful_shutdown(Some(GRACE));
            server.shutdown().await;
        }
    };
    let serving = async {
        match tls {
            Some(tls) => {
                let mut server = axum_server::from_tcp_rustls(listener, tls)?.handle(handle);
                patient(server.http_builder());
                server.serve(service).await
            }
            None => {
                let mut server = axum_server::from_tcp(listener)?.handle(handle);
                patient(server.http_builder());
                server.serve(service).await
            }
        }
    };
    let (served, ()) = tokio::join!(serving, ending);
    Ok(served?)
}

/// `/ip4/127.0.0.1/tcp/5678/http`; host names are resolved by nobody here.
fn socket_addr(multiaddr: &str) -> Result<SocketAddr, BoxError> {
    let wrong = || {
        format!(
            "`{multiaddr}` is no address to listen on ([API] in config.toml): write /ip4/127.0.0.1/tcp/5678/http"
        )
    };
    let mut parts = multiaddr.strip_prefix('/').ok_or_else(wrong)?.split('/');
    let (kind, ip) = (parts.next().ok_or_else(wrong)?, parts.next().ok_or_else(wrong)?);
    let (tcp, port) = (parts.next().ok_or_else(wrong)?, parts.next().ok_or_else(wrong)?);
    let ip: IpAddr = ip.parse().map_err(|_| wrong())?;
    let port: u16 = port.parse().map_err(|_| wrong())?;
    let fits = matches!((kind, ip), ("ip4", IpAddr::V4(_)) | ("ip6", IpAddr::V6(_))) && tcp == "tcp";
    let known = parts.all(|part| matches!(part, "http" | "https" | "ws" | "wss"));
    if fits && known { Ok(SocketAddr::new(ip, port)) } else { Err(wrong().into()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn multiaddrs() {
        assert_eq!(socket_addr("/ip4/127.0.0.1/tcp/5678/http").unwrap().to_string(), "127.0.0.1:5678");
        assert_eq!(socket_addr("/ip6/::1/tcp/0").unwrap().to_string(), "[::1]:0");
        for text in ["", "127.0.0.1:5678", "/ip4/::1/tcp/1", "/ip4/127.0.0.1/udp/1", "/ip4/127.0.0.1/tcp/1/x"]
        {
            assert!(socket_addr(text).is_err(), "{text}");
        }
    }
}
