//! A service behind a socket.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::{ConnectInfo, Request, State};
use axum::response::Response;
use secrecy::{ExposeSecret, SecretString};
use tower::ServiceExt;
use venus_auth::client::{AuthClient, ClientConfig};
use venus_auth::rest::{RestConfig, router};
use venus_auth::{
    Actor, AuthService, MemoryStore, NewToken, NewUser, Rules, SignerSharing, TokenStorage, UserState,
};
use venus_core::clock::SystemClock;

/// A service that can be replaced by another, as by a restart.
pub(crate) struct Served {
    pub(crate) service: AuthService,
    pub(crate) url: String,
    pub(crate) admin: SecretString,
    router: Arc<Mutex<Router>>,
}

async fn hand_over(State(inner): State<Arc<Mutex<Router>>>, request: Request) -> Response<Body> {
    let router = inner.lock().unwrap().clone();
    router.oneshot(request).await.unwrap()
}

pub(crate) fn config() -> RestConfig {
    RestConfig { poll: Duration::from_millis(200), body_bytes: 64 << 10, ..RestConfig::default() }
}

pub(crate) fn service(sharing: SignerSharing) -> AuthService {
    let rules = Rules { sharing, tokens: TokenStorage::Hashed };
    AuthService::new(Arc::new(MemoryStore::default()), Arc::new(SystemClock), rules)
}

impl Served {
    pub(crate) async fn start(sharing: SignerSharing, config: RestConfig) -> Self {
        let service = service(sharing);
        let admin = service.local_token(None).await.unwrap();
        let inner = Arc::new(Mutex::new(router(service.clone(), config)));
        let app = Router::new().fallback(hand_over).with_state(inner.clone());
        let url = listen(app).await;
        Self { service, url, admin, router: inner }
    }

    /// The service ends and begins again, on the same store.
    pub(crate) fn restart(&self) {
        *self.router.lock().unwrap() = router(self.service.clone(), config());
    }

    pub(crate) fn client(&self) -> AuthClient {
        self.client_of(self.admin.clone())
    }

    pub(crate) fn client_of(&self, token: SecretString) -> AuthClient {
        AuthClient::new(&[&self.url], token, ClientConfig::default()).unwrap()
    }

    pub(crate) async fn user(&self, name: &str, state: UserState) {
        let new = NewUser { name: name.into(), state, ..NewUser::default() };
        self.service.create_user(&Actor::system(), new).await.unwrap();
    }

    pub(crate) async fn token(&self, name: &str, perm: &str) -> SecretString {
        let new = NewToken { name: name.into(), perm: perm.into(), ..NewToken::default() };
        self.service.create_token(&Actor::system(), new).await.unwrap()
    }
}

pub(crate) async fn listen(app: Router) -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let addr = listener.local_addr().unwrap();
    let app = app.into_make_service_with_connect_info::<SocketAddr>();
    tokio::spawn(async move { axum::serve(listener, app).await });
    format!("http://{addr}")
}

/// A request by hand, without a socket.
pub(crate) async fn raw(router: Router, request: axum::http::Request<Body>) -> (u16, String) {
    let mut request = request;
    request.extensions_mut().insert(ConnectInfo(SocketAddr::from(([127, 0, 0, 1], 9))));
    let response = router.oneshot(request).await.unwrap();
    let status = response.status().as_u16();
    let body = axum::body::to_bytes(response.into_body(), 1 << 20).await.unwrap();
    (status, String::from_utf8(body.to_vec()).unwrap())
}

pub(crate) fn bearer(token: &SecretString) -> String {
    format!("Bearer {}", token.expose_secret())
}
