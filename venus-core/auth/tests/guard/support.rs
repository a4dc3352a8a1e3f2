//! Accounts, a service behind a door, and clients of it.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use futures::StreamExt;
use jsonrpsee::RpcModule;
use secrecy::{ExposeSecret, SecretString};
use tokio::io::DuplexStream;
use tokio::time::timeout;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::Role;
use venus_auth::{Actor, AuthService, MemoryStore, NewToken, NewUser, Rules, SignerSharing, UserState};
use venus_core::api::{Authenticator, IdentityError, Permission, Principal};
use venus_core::clock::{ManualClock, SystemClock};
use venus_core::rpc::server::RpcServer;
use venus_core::rpc::{Dialect, Identity, MethodSpec, Service};
use venus_core::testing::doubles::MemoryAccounts;

pub(crate) const START: Duration = Duration::from_secs(1_700_000_000);

/// Waits, but not for ever.
pub(crate) async fn in_time<T>(future: impl Future<Output = T>) -> T {
    timeout(Duration::from_secs(60), future).await.expect("in time")
}

/// Accounts that count how often they are asked, and can be away.
pub(crate) struct Counted {
    pub(crate) accounts: MemoryAccounts,
    pub(crate) clock: ManualClock,
    pub(crate) asked: AtomicUsize,
    pub(crate) is_away: std::sync::atomic::AtomicBool,
    /// How long an answer takes.
    pub(crate) delay: std::sync::Mutex<Duration>,
}

impl Counted {
    pub(crate) fn new() -> Arc<Self> {
        let clock = ManualClock::new(START);
        let accounts = MemoryAccounts::new(Arc::new(clock.clone()));
        accounts.add("alice");
        Arc::new(Self {
            accounts,
            clock,
            asked: AtomicUsize::new(0),
            is_away: false.into(),
            delay: Duration::ZERO.into(),
        })
    }

    pub(crate) fn asked(&self) -> usize {
        self.asked.swap(0, Ordering::SeqCst)
    }
}

#[async_trait]
impl Authenticator for Counted {
    async fn authenticate(&self, token: &str) -> Result<Principal, IdentityError> {
        self.asked.fetch_add(1, Ordering::SeqCst);
        if self.is_away.load(Ordering::SeqCst) {
            return Err(IdentityError::Transport("away".into()));
        }
        let answer = self.accounts.authenticate(token).await;
        let delay = *self.delay.lock().unwrap();
        if !delay.is_zero() {
            tokio::time::sleep(delay).await;
        }
        let token = venus_auth::jwt::fingerprint(token);
        answer.map(|caller| Principal { token, ..caller })
    }
}

/// A service with the users `alice` and `bob`.
pub(crate) async fn service() -> AuthService {
    service_with(SignerSharing::Grant).await
}

pub(crate) async fn service_with(sharing: SignerSharing) -> AuthService {
    let rules = Rules { sharing, ..Rules::default() };
    let auth = AuthService::new(Arc::new(MemoryStore::default()), Arc::new(SystemClock), rules);
    for name in ["alice", "bob"] {
        let new = NewUser { name: name.into(), state: UserState::Enabled, ..NewUser::default() };
        auth.create_user(&Actor::system(), new).await.unwrap();
    }
    auth
}

pub(crate) async fn token(auth: &AuthService, name: &str, perm: &str) -> SecretString {
    let new = NewToken { name: name.into(), perm: perm.into(), ..NewToken::default() };
    auth.create_token(&Actor::system(), new).await.unwrap()
}

const TABLE: &[MethodSpec] = &[
    MethodSpec::new("T.Read", Permission::Read, &[]),
    MethodSpec::new("T.Heavy", Permission::Read, &[]).weight(5),
    MethodSpec::new("T.Write", Permission::Write, &[]),
    MethodSpec::new("T.Sign", Permission::Sign, &[]),
    MethodSpec::new("T.Admin", Permission::Admin, &[]),
];

/// An API with one method for each right.
pub(crate) fn api() -> Service {
    let mut module = RpcModule::new(());
    for spec in TABLE {
        module.register_method(spec.name, |_, (), _| "done").unwrap();
    }
    Service::new(module, &[TABLE], Dialect::Fork).unwrap()
}

pub(crate) struct Socket(WebSocketStream<DuplexStream>);

impl Socket {
    /// A socket of a caller whom the door let in.
    pub(crate) async fn open(server: &RpcServer, caller: Identity) -> Self {
        let (ours, theirs) = tokio::io::duplex(1 << 16);
        let serving = server.clone();
        tokio::spawn(async move { serving.serve_socket(theirs, caller).await });
        Self(WebSocketStream::from_raw_socket(ours, Role::Client, None).await)
    }

    pub(crate) async fn call(&mut self, method: &str) -> String {
        use futures::SinkExt;
        let call = format!(r#"{{"id":1,"method":"{method}","params":[]}}"#);
        self.0.send(Message::text(call)).await.unwrap();
        loop {
            match in_time(self.0.next()).await {
                Some(Ok(Message::Text(text))) => return text.to_string(),
                Some(Ok(Message::Ping(_) | Message::Pong(_))) => {}
                other => panic!("{other:?}"),
            }
        }
    }

    /// The code that the server closes with.
    pub(crate) async fn closed(&mut self) -> Option<u16> {
        loop {
            match in_time(self.0.next()).await {
                Some(Ok(Message::Close(frame))) => return frame.map(|frame| frame.code.into()),
                Some(Ok(Message::Ping(_) | Message::Pong(_))) => {}
                other => panic!("a close frame is expected, not {other:?}"),
            }
        }
    }
}

pub(crate) fn bearer(token: &SecretString) -> String {
    format!("Bearer {}", token.expose_secret())
}
