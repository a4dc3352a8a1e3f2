//! The faces of a running devnet.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use axum::Router;
use axum::routing::get;
use secrecy::{ExposeSecret, SecretString};
use venus_core::api::Permissions;
use venus_devnet::DevnetControl;
use venus_devnet::face::{Face, FaceKind, FaceServer, Tokens};
use venus_signer::LocalWallet;

use super::args::{RunArgs, face_name};
use super::tokens::{tokens_of, write_tokens};
use super::verify::RemoteVerifier;
use crate::error::CliError;
use crate::files;

/// Faces that are served.
pub(super) struct Served {
    servers: Vec<(FaceKind, FaceServer)>,
    /// The token of all rights.
    pub(super) token: SecretString,
    /// The token that may read.
    pub(super) read_token: SecretString,
}

impl Served {
    /// Serves all faces that were asked for.
    ///
    /// # Errors
    /// [`CliError::Listen`], and those of the tokens. Nothing is served then.
    pub(super) async fn start(
        dir: &Path,
        args: &RunArgs,
        control: &DevnetControl,
        wallet: LocalWallet,
    ) -> Result<Self, CliError> {
        let tokens = tokens_of(dir)?;
        write_tokens(dir, &tokens)?;
        let (token, read_token) = (tokens.issue(Permissions::ALL), tokens.issue(Permissions::READ));
        let tokens = with_service(tokens, args)?;
        let mut served = Self { servers: Vec::new(), token, read_token };
        for (kind, address) in args.faces()? {
            let tokens = tokens.clone().like(kind);
            let face = Face::new(control.devnet().clone(), kind)
                .with_keys(Arc::new(wallet.clone()))
                .with_tokens(tokens.clone())
                .with_control(control.clone());
            match face.listen_with(address, tokens, probes()).await {
                Ok(server) => served.servers.push((kind, server)),
                Err(source) => {
                    served.shutdown().await;
                    let (face, address) = (face_name(kind), address.to_string());
                    return Err(CliError::Listen { face, address, source });
                }
            }
        }
        Ok(served)
    }

    /// The URL of each face, without a path: clients add `/rpc/v1` themselves.
    pub(super) fn urls(&self) -> BTreeMap<&'static str, String> {
        self.servers.iter().map(|(kind, server)| (face_name(*kind), server.url())).collect()
    }

    /// The URL of the first face.
    pub(super) fn url(&self) -> String {
        self.first().map(|addr| format!("http://{addr}")).unwrap_or_default()
    }

    /// The address of the first face, as nodes write it.
    pub(super) fn multiaddr(&self) -> String {
        let text = |addr: SocketAddr| {
            let kind = if addr.is_ipv4() { "ip4" } else { "ip6" };
            format!("/{kind}/{}/tcp/{}/http", addr.ip(), addr.port())
        };
        self.first().map(text).unwrap_or_default()
    }

    fn first(&self) -> Option<SocketAddr> {
        self.servers.first().map(|(_, server)| server.local_addr())
    }

    /// Ends all faces.
    pub(super) async fn shutdown(&self) {
        futures::future::join_all(self.servers.iter().map(|(_, server)| server.shutdown())).await;
    }
}

/// The tokens, and those of an auth service besides.
fn with_service(tokens: Tokens, args: &RunArgs) -> Result<Tokens, CliError> {
    let Some(url) = &args.auth_url else { return Ok(tokens) };
    let own = match &args.auth_token_file {
        Some(path) => {
            let text = files::read(path)?.map(SecretString::from);
            let missing = || CliError::Usage(format!("--auth-token-file: {} does not exist", path.display()));
            let text = text.ok_or_else(missing)?;
            Some(SecretString::from(text.expose_secret().trim()))
        }
        None => None,
    };
    Ok(tokens.or_ask(Arc::new(RemoteVerifier::new(url, own)?)))
}

/// What anybody may ask.
fn probes() -> Router {
    Router::new().route("/healthcheck", get(|| async { "{\"status\":\"up\"}" }))
}
