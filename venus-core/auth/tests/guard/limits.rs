//! How often somebody may call.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use async_trait::async_trait;
use tokio::time::advance;
use venus_auth::limits::{CallLimiter, LimitConfig, Rate, SharedWindow, Window};
use venus_core::api::{
    Account, AccountDirectory, AccountLimit, AccountMiner, IdentityError, Permission, Permissions,
};
use venus_core::error::BoxError;
use venus_core::rpc::Identity;
use venus_core::rpc::server::{Everybody, RpcServer};
use venus_core::types::Address;

use crate::support::{Counted, Socket, api};

fn limit(id: &str, capacity: u64, period: Duration) -> AccountLimit {
    AccountLimit { id: id.into(), service: String::new(), api: String::new(), capacity, period }
}

const MINUTE: Duration = Duration::from_secs(60);

/// The limits of accounts, which can be away.
struct Directory(Arc<Counted>);

#[async_trait]
impl AccountDirectory for Directory {
    async fn limits(&self, account: &str) -> Result<Vec<AccountLimit>, IdentityError> {
        self.0.asked.fetch_add(1, Ordering::SeqCst);
        match self.0.is_away.load(Ordering::SeqCst) {
            true => Err(IdentityError::Transport("away".into())),
            false => self.0.accounts.limits(account).await,
        }
    }

    async fn account(&self, name: &str) -> Result<Account, IdentityError> {
        self.0.accounts.account(name).await
    }

    async fn accounts(&self, skip: u64, limit: u32) -> Result<Vec<Account>, IdentityError> {
        self.0.accounts.accounts(skip, limit).await
    }

    async fn account_of_miner(&self, miner: &Address) -> Result<Option<String>, IdentityError> {
        self.0.accounts.account_of_miner(miner).await
    }

    async fn accounts_of_signer(&self, signer: &Address) -> Result<Vec<String>, IdentityError> {
        self.0.accounts.accounts_of_signer(signer).await
    }

    async fn miners(&self, account: &str) -> Result<Vec<AccountMiner>, IdentityError> {
        self.0.accounts.miners(account).await
    }

    async fn signers(&self, account: &str) -> Result<Vec<Address>, IdentityError> {
        self.0.accounts.signers(account).await
    }

    async fn register_signers(&self, account: &str, signers: &[Address]) -> Result<(), IdentityError> {
        self.0.accounts.register_signers(account, signers).await
    }
}

struct World {
    accounts: Arc<Counted>,
    server: RpcServer,
}

impl World {
    fn new(config: LimitConfig, shared: Option<Arc<dyn SharedWindow>>) -> Self {
        let accounts = Counted::new();
        let directory: Arc<dyn AccountDirectory> = Arc::new(Directory(accounts.clone()));
        let limiter = CallLimiter::new(config, Some(directory), shared);
        let server = RpcServer::new(api().limited(limiter), Everybody(Permissions::NONE));
        Self { accounts, server }
    }

    async fn socket(&self, account: &str, token: &str) -> Socket {
        let token = token.to_owned();
        Socket::open(&self.server, Identity { token, ..Identity::new(account, Permissions::ALL) }).await
    }
}

fn is_done(answer: &str) -> bool {
    answer.contains("\"result\":\"done\"")
}

#[tokio::test(start_paused = true)]
async fn accounts_are_limited_as_the_account_service_says() {
    let world = World::new(LimitConfig::default(), None);
    world.accounts.accounts.set_limit("alice", limit("l", 3, MINUTE)).unwrap();
    let (mut one, mut two) = (world.socket("alice", "t1").await, world.socket("alice", "t2").await);
    assert!(is_done(&one.call("T.Read").await) && is_done(&two.call("T.Sign").await));
    assert!(is_done(&one.call("T.Read").await));
    let refused = two.call("T.Read").await;
    assert_eq!(
        refused,
        "{\"jsonrpc\":\"2.0\",\"id\":1,\"error\":{\"code\":1,\"message\":\"rate-limit,user:alice, host:, method:Read is \
         limited, cap=3, used=4,will reset in 0.33(m)\"}}\n",
        "Go's words"
    );
    assert!(is_done(&world.socket("bob", "t3").await.call("T.Read").await), "nobody else");
    advance(Duration::from_secs(20)).await;
    assert!(is_done(&one.call("T.Read").await), "a third of the minute brings one back");
    assert!(!is_done(&one.call("T.Read").await));
}

#[tokio::test(start_paused = true)]
async fn limits_of_one_service_or_method_hold_for_it_alone_and_methods_have_weights() {
    let weights = [("Write".to_owned(), 3)].into();
    let world =
        World::new(LimitConfig { service: "gateway".into(), weights, ..LimitConfig::default() }, None);
    let accounts = &world.accounts.accounts;
    let of = |id: &str, service: &str, api: &str, capacity| AccountLimit {
        service: service.into(),
        api: api.into(),
        ..limit(id, capacity, MINUTE)
    };
    accounts.set_limit("alice", of("a", "messager", "", 1)).unwrap();
    accounts.set_limit("alice", of("b", "gateway", "Sign", 1)).unwrap();
    accounts.set_limit("alice", of("c", "", "", 10)).unwrap();
    accounts.set_limit("alice", of("d", "", "", 0)).unwrap();
    let mut socket = world.socket("alice", "").await;
    assert!(is_done(&socket.call("T.Sign").await) && !is_done(&socket.call("T.Sign").await));
    // One went to the call that another limit refused: limits are asked in the order of their ids.
    assert!(is_done(&socket.call("T.Heavy").await), "five");
    assert!(is_done(&socket.call("T.Write").await), "three, as configured");
    assert!(is_done(&socket.call("T.Read").await));
    assert!(!is_done(&socket.call("T.Read").await));
}

#[tokio::test(start_paused = true)]
async fn tokens_machines_and_accounts_have_rates_of_their_own() {
    let rate = Some(Rate { per_second: 1, burst: 2 });
    let world = World::new(LimitConfig { per_token: rate, ..LimitConfig::default() }, None);
    let (mut one, mut two) = (world.socket("alice", "t1").await, world.socket("alice", "t2").await);
    for _ in 0..2 {
        assert!(is_done(&one.call("T.Read").await) && is_done(&two.call("T.Read").await));
    }
    assert!(!is_done(&one.call("T.Read").await) && !is_done(&two.call("T.Read").await));
    let world = World::new(LimitConfig { per_account: rate, ..LimitConfig::default() }, None);
    let (mut one, mut two) = (world.socket("alice", "t1").await, world.socket("alice", "t2").await);
    assert!(is_done(&one.call("T.Read").await) && is_done(&two.call("T.Read").await));
    assert!(!is_done(&one.call("T.Read").await) && !is_done(&two.call("T.Read").await));
}

#[tokio::test(start_paused = true)]
async fn t16_what_is_expensive_is_refused_while_limits_are_unknown() {
    let world = World::new(LimitConfig::default(), None);
    let mut socket = world.socket("alice", "").await;
    world.accounts.is_away.store(true, Ordering::SeqCst);
    assert!(is_done(&socket.call("T.Read").await) && is_done(&socket.call("T.Write").await));
    for method in ["T.Sign", "T.Admin"] {
        let refused = socket.call(method).await;
        assert!(refused.contains("is refused while limits are unknown"), "{refused}");
    }
    world.accounts.is_away.store(false, Ordering::SeqCst);
    assert!(is_done(&socket.call("T.Sign").await));
    world.accounts.is_away.store(true, Ordering::SeqCst);
    advance(Duration::from_secs(29)).await;
    assert!(is_done(&socket.call("T.Sign").await), "what was said half a minute ago is good enough");
    advance(Duration::from_secs(2)).await;
    assert!(!is_done(&socket.call("T.Sign").await));
    let open = World::new(LimitConfig { closed_from: None, ..LimitConfig::default() }, None);
    open.accounts.is_away.store(true, Ordering::SeqCst);
    assert!(is_done(&open.socket("alice", "").await.call("T.Admin").await), "if the operator wants it so");
}

#[tokio::test(start_paused = true)]
async fn limits_are_asked_for_once_in_a_while() {
    let world = World::new(LimitConfig::default(), None);
    let mut socket = world.socket("alice", "").await;
    for _ in 0..100 {
        socket.call("T.Read").await;
    }
    assert_eq!(world.accounts.asked(), 1);
    world.accounts.accounts.set_limit("alice", limit("l", 1, MINUTE)).unwrap();
    advance(Duration::from_secs(10)).await;
    assert!(is_done(&socket.call("T.Read").await) && !is_done(&socket.call("T.Read").await));
    let mut nobody = world.socket("unknown", "").await;
    assert!(
        is_done(&nobody.call("T.Admin").await),
        "an account that the service does not know has no limits"
    );
}

/// Go's enforcers divide by the whole seconds of the period.
#[tokio::test(start_paused = true)]
async fn a7_a_period_below_a_second_limits_and_crashes_nothing() {
    let auth = crate::support::service().await;
    let row = venus_auth::LimitRow {
        id: "l".into(),
        name: "alice".into(),
        service: String::new(),
        api: String::new(),
        capacity: 2,
        period: Duration::from_millis(500),
    };
    auth.put_limit(&venus_auth::Actor::system(), row).await.unwrap();
    let limiter = CallLimiter::new(LimitConfig::default(), Some(Arc::new(auth)), None);
    let server = RpcServer::new(api().limited(limiter), Everybody(Permissions::NONE));
    let mut socket = Socket::open(&server, Identity::new("alice", Permissions::ALL)).await;
    assert!(is_done(&socket.call("T.Read").await) && is_done(&socket.call("T.Read").await));
    assert!(!is_done(&socket.call("T.Read").await));
    advance(Duration::from_millis(500)).await;
    assert!(is_done(&socket.call("T.Read").await));
}

struct Away;

#[async_trait]
impl SharedWindow for Away {
    async fn count(&self, _: &str, _: u32, _: Duration) -> Result<Window, BoxError> {
        Err("no Redis".into())
    }
}

#[tokio::test(start_paused = true)]
async fn t16_without_redis_the_cheap_is_counted_here_and_the_expensive_is_refused() {
    let world = World::new(LimitConfig::default(), Some(Arc::new(Away)));
    world.accounts.accounts.set_limit("alice", limit("l", 2, MINUTE)).unwrap();
    let mut socket = world.socket("alice", "").await;
    assert!(socket.call("T.Sign").await.contains("no Redis"));
    assert!(is_done(&socket.call("T.Read").await) && is_done(&socket.call("T.Read").await));
    assert!(socket.call("T.Read").await.contains("is limited, cap=2"), "limited all the same");
    let free = world.socket("bob", "").await.call("T.Sign").await;
    assert!(is_done(&free), "who has no limit is not counted anywhere");
    assert_eq!(Permission::Sign as u8, 4);
}
