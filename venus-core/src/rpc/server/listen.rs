//! A server on a port of its own.

use std::{io, net::SocketAddr};

use axum::{Router, serve::ListenerExt};
use tokio::net::TcpListener;

use super::RpcServer;

/// A port that is served until [`RpcServer::shutdown`].
#[derive(Debug)]
pub struct Listening {
    local: SocketAddr,
}

impl Listening {
    /// Where: the port is known even if 0 was asked for.
    pub fn local_addr(&self) -> SocketAddr {
        self.local
    }
}

impl RpcServer {
    /// Serves `paths` on `addr`, which should be loopback unless the operator said otherwise.
    ///
    /// # Errors
    /// If the port cannot be had.
    pub async fn listen(&self, addr: SocketAddr, paths: &[&str]) -> io::Result<Listening> {
        self.listen_with(addr, self.router(paths)).await
    }

    /// Serves `router`, in which [`RpcServer::router`] is merged with other routes.
    ///
    /// # Errors
    /// If the port cannot be had.
    pub async fn listen_with(&self, addr: SocketAddr, router: Router) -> io::Result<Listening> {
        let listener = TcpListener::bind(addr).await?;
        let local = listener.local_addr()?;
        // Small answers must not wait for the acknowledgement of earlier ones.
        let listener = listener.tap_io(|socket| {
            if let Err(error) = socket.set_nodelay(true) {
                tracing::debug!(%error, "no delay");
            }
        });
        let stop = self.0.stop.clone();
        let service = router.into_make_service_with_connect_info::<SocketAddr>();
        self.0.tasks.spawn(async move {
            let serving = axum::serve(listener, service).with_graceful_shutdown(stop.cancelled_owned());
            if let Err(error) = serving.await {
                tracing::error!(%error, "server stopped");
            }
        });
        Ok(Listening { local })
    }
}
