//! The tiny server of the recordings, the recordings, and bare peers to talk to ours.

pub mod api;
pub mod bare;
pub mod recording;

use std::sync::Arc;

use venus_core::rpc::{
    CallError, Dialect, Identity, KeepAlive, Limits, Permissions,
    client::{ClientConfig, Connect, RpcClient, Socket, socket_over},
    server::{Everybody, RpcServer},
};

/// The server of the recordings in `dialect`.
pub fn server(dialect: Dialect) -> RpcServer {
    server_with(dialect, Limits::default())
}

pub fn server_with(dialect: Dialect, limits: Limits) -> RpcServer {
    RpcServer::with_limits(api::service(dialect), Everybody(Permissions::ALL), limits, KeepAlive::default())
}

pub fn admin() -> Identity {
    Identity::new("admin", Permissions::ALL)
}

/// Opens pipes to a server in this process.
pub struct Pipe(pub RpcServer);

#[async_trait::async_trait]
impl Connect for Pipe {
    async fn connect(&self) -> Result<Socket, CallError> {
        let (ours, theirs) = tokio::io::duplex(1 << 20);
        let server = self.0.clone();
        tokio::spawn(async move { server.serve_socket(theirs, admin()).await });
        Ok(socket_over(ours, &Limits::default()).await)
    }

    fn url(&self) -> &str {
        "pipe:"
    }
}

/// A client of `server` over a pipe, which serves `Cli.Echo` itself.
pub async fn client(server: &RpcServer) -> RpcClient {
    let reverse = Arc::new(api::reverse_service(Dialect::Fork));
    let config = ClientConfig::default().with_reverse(reverse);
    RpcClient::connect_with(Pipe(server.clone()), config).await.unwrap()
}
