//! Accounts: the service of a hub's process, or a process of its own that answers over HTTP.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::Request;
use axum::response::Response;
use axum::routing::post;
use axum::serve::ListenerExt;
use secrecy::ExposeSecret;
use serde::{Deserialize, Serialize};
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use venus_auth::rest::{RestConfig, router};
use venus_auth::{Actor, AuthService, AuthStore, MemoryStore, NewToken, NewUser, Rules, SqlStore};
use venus_core::clock::SystemClock;

use super::role::{CHILD, ready};
use crate::measure::BenchError;

/// Where the service keeps its rows.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(super) enum Store {
    Memory,
    Sqlite,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Config {
    pub(super) store: Store,
    /// Accounts of wallets.
    pub(super) wallets: usize,
}

/// Where a service of accounts is, and who may call whom.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Accounts {
    /// Of the service, where it is a process of its own.
    pub(super) address: Option<SocketAddr>,
    /// An administrator's.
    pub(super) admin: String,
    /// One of each wallet account, with the permission that wallets have.
    pub(super) wallets: Vec<String>,
}

/// Answers what [`verify`](super::verify) compares `/verify` with.
pub(super) const PLAIN: &str = "/bench/plain";
const PLAIN_ANSWER: &str = r#"{"name":"bench-admin","perm":"admin","ext":""}"#;

/// Keeps the service and its files.
pub(super) struct Running {
    _serving: JoinHandle<()>,
    _folder: TempDir,
}

/// Serves and says so.
pub(super) async fn run(config: Config) -> Result<Running, BenchError> {
    let folder = tempfile::tempdir()?;
    let store: Arc<dyn AuthStore> = match config.store {
        Store::Memory => Arc::new(MemoryStore::default()),
        Store::Sqlite => {
            let store = SqlStore::sqlite(&folder.path().join("auth.sqlite")).await;
            Arc::new(store.map_err(|error| CHILD.input(error))?)
        }
    };
    let service = AuthService::new(store, Arc::new(SystemClock), Rules::default());
    let mut accounts = people(&service, config.wallets).await?;
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    accounts.address = Some(listener.local_addr()?);
    let plain = Router::new().route(PLAIN, post(plain));
    let app = plain.merge(router(service, RestConfig::default()));
    let app = app.into_make_service_with_connect_info::<SocketAddr>();
    let listener = listener.tap_io(|socket| {
        // Small answers must not wait; if this fails, figures are worse and nothing else.
        let _ = socket.set_nodelay(true);
    });
    let serving = tokio::spawn(async move {
        let _ = axum::serve(listener, app).await;
    });
    ready(&accounts)?;
    Ok(Running { _serving: serving, _folder: folder })
}

/// Reads a body and answers with as much as `/verify` does.
async fn plain(request: Request) -> Response {
    let read = to_bytes(request.into_body(), 1 << 20).await;
    let text = if read.is_ok() { PLAIN_ANSWER } else { "" };
    Response::new(Body::from(text))
}

/// An administrator, and accounts that wallets register for.
pub(super) async fn people(service: &AuthService, wallets: usize) -> Result<Accounts, BenchError> {
    let admin = person(service, "bench-admin".to_owned(), "admin").await?;
    let mut tokens = Vec::with_capacity(wallets);
    for number in 0..wallets {
        tokens.push(person(service, format!("bench-wallet-{number}"), "read").await?);
    }
    Ok(Accounts { address: None, admin, wallets: tokens })
}

async fn person(service: &AuthService, name: String, perm: &str) -> Result<String, BenchError> {
    let system = Actor::system();
    let user = NewUser { name: name.clone(), ..NewUser::default() };
    service.create_user(&system, user).await.map_err(|error| CHILD.input(error))?;
    let new = NewToken { name, perm: perm.to_owned(), ..NewToken::default() };
    let token = service.create_token(&system, new).await.map_err(|error| CHILD.input(error))?;
    Ok(token.expose_secret().to_owned())
}
