//! Where the wallet listens.

use std::net::SocketAddr;

use axum::Router;
use venus_bins_common::listen::{ClearText, Endpoint, Port, multiaddr, socket_addr, tls_files};
use venus_bins_common::task::Tasks;
use venus_core::error::BoxError;
use venus_signer::server::WalletServer;

use crate::config::Api;

/// Ports that are bound and not served yet.
pub(super) struct Listen {
    main: Bound,
    lotus: Option<Bound>,
    scheme: &'static str,
}

struct Bound {
    /// Until it is served. Nobody else keeps it open then: a socket that the system accepts after the stop would be
    /// reset instead of refused.
    port: Option<Port>,
    addr: SocketAddr,
}

impl Bound {
    async fn bind(api: &Api, address: &str) -> Result<Self, BoxError> {
        let tls = tls_files(&api.tlscert, &api.tlskey)
            .map_err(|error| format!("config.toml: [API] TLSCert, TLSKey: {error}"))?;
        let addr = socket_addr(address).map_err(|error| format!("config.toml: [API]: {error}"))?;
        // One address is often a proxy that all callers come through.
        let endpoint = Endpoint { addr, tls, per_ip: usize::MAX, clear_text: ClearText::Warned };
        let port = Port::bind(&endpoint).await?;
        Ok(Self { addr: port.addr(), port: Some(port) })
    }
}

impl Listen {
    pub(super) async fn bind(api: &Api) -> Result<Self, BoxError> {
        let main = Bound::bind(api, &api.listenaddress).await?;
        let lotus = match api.lotuslistenaddress.as_str() {
            "" => None,
            address => Some(Bound::bind(api, address).await?),
        };
        let scheme = main.port.as_ref().map_or("http", Port::scheme);
        Ok(Self { main, lotus, scheme })
    }

    /// Serves everything until the stop.
    pub(super) fn serve(&mut self, server: &WalletServer, tasks: &mut Tasks) {
        let main = Some((&mut self.main, server.router()));
        let lotus = self.lotus.as_mut().map(|bound| (bound, server.lotus_router()));
        for (bound, router) in [main, lotus].into_iter().flatten() {
            let Some(port) = bound.port.take() else { continue };
            let name = format!("listener {}", bound.addr);
            tasks.critical(name, serve(port, router, tasks.stop_token(), server.clone()));
        }
    }

    pub(super) fn url(&self) -> String {
        format!("{}://{}/rpc/v0", self.scheme, self.main.addr)
    }

    /// A URL for Lotus' `[Wallet] RemoteBackend`, to which Lotus itself adds `/rpc/v0`.
    pub(super) fn lotus_url(&self) -> String {
        match &self.lotus {
            Some(bound) => format!("{}://{}", self.scheme, bound.addr),
            None => format!("{}://{}/lotus", self.scheme, self.main.addr),
        }
    }

    pub(super) fn multiaddr(&self) -> String {
        multiaddr(self.main.addr, self.scheme)
    }
}

async fn serve(
    port: Port,
    router: Router,
    stop: tokio_util::sync::CancellationToken,
    server: WalletServer,
) -> std::io::Result<()> {
    port.serve(router, stop, async move { server.shutdown().await }).await
}
