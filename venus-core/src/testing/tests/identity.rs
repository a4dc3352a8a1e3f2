//! Tokens and accounts.

use std::sync::Arc;
use std::time::Duration;

use fvm_shared::address::Address;
use time::OffsetDateTime;

use super::super::doubles::*;
use super::super::suites::{self, *};
use crate::api::*;
use crate::clock::ManualClock;
use crate::error::{Classify, ErrorKind};

struct World {
    clock: ManualClock,
    accounts: Arc<MemoryAccounts>,
    signer: Address,
}

const MINER: Address = Address::new_id(1000);

impl World {
    fn new() -> Self {
        let clock = ManualClock::new(Duration::from_secs(1000));
        let accounts = Arc::new(MemoryAccounts::new(Arc::new(clock.clone())));
        for name in ["bob", "alice", "carol"] {
            accounts.add(name);
        }
        accounts.bind_miner("alice", AccountMiner { miner: MINER, open_mining: true }).unwrap();
        let limit = AccountLimit {
            id: "root".into(),
            service: String::new(),
            api: String::new(),
            capacity: 10,
            period: Duration::from_secs(60),
        };
        accounts.set_limit("alice", limit.clone()).unwrap();
        let too_short = AccountLimit { period: Duration::from_millis(999), ..limit };
        assert_eq!(accounts.set_limit("alice", too_short).unwrap_err().kind(), ErrorKind::Invalid);
        Self { clock, accounts, signer: TestSigner::new(3).new_bls() }
    }

    fn issue(&self, account: &str, level: &str) -> String {
        self.accounts.issue(Some(account), Permissions::up_to(level), None).unwrap()
    }
}

async fn directory_suite(wrap: impl Fn(Arc<MemoryAccounts>) -> Box<dyn AccountDirectory>) {
    let world = World::new();
    world.accounts.register_signers("alice", &[world.signer]).await.unwrap();
    let fixture = AccountDirectoryFixture {
        account: "alice".into(),
        other: "bob".into(),
        miner: MINER,
        signer: world.signer,
        free_miner: Address::new_id(1001),
    };
    suites::account_directory(&*wrap(world.accounts), &fixture).await;
}

#[tokio::test]
async fn memory_accounts_pass_the_directory_suite() {
    directory_suite(|accounts| Box::new(accounts)).await;
    directory_suite(|accounts| Box::new(accounts as Arc<dyn AccountDirectory>)).await;
    directory_suite(|accounts| Box::new(Flaky::new(accounts, 0))).await;
}

async fn authenticator_suite(authenticator: &dyn Authenticator, world: &World) {
    let levels = [Permission::Read, Permission::Write, Permission::Sign, Permission::Admin, Permission::None];
    let mut good: Vec<_> = levels
        .iter()
        .map(|level| GoodToken {
            token: world.issue("alice", level.as_str()),
            account: Some("alice".into()),
            level: *level,
        })
        .collect();
    let nameless = world.accounts.issue(None, Permissions::READ, None).unwrap();
    good.push(GoodToken { token: nameless, account: None, level: Permission::Read });
    let end = OffsetDateTime::UNIX_EPOCH + Duration::from_secs(1000);
    let expired = world.accounts.issue(Some("alice"), Permissions::ALL, Some(end)).unwrap();
    world.accounts.add("gone");
    let deleted = world.issue("gone", "read");
    world.accounts.remove("gone");
    world.accounts.set_enabled("carol", false).unwrap();
    let (disabled, revoked) = (world.issue("carol", "admin"), world.issue("bob", "admin"));
    let fixture = AuthenticatorFixture {
        good,
        bad: vec![expired, deleted],
        disabled: vec![disabled],
        revoked: revoked.clone(),
        revoke: step(async || world.accounts.revoke(&revoked)),
    };
    suites::authenticator(authenticator, &fixture).await;
}

#[tokio::test]
async fn memory_accounts_pass_the_authenticator_suite() {
    let world = World::new();
    authenticator_suite(&*world.accounts, &world).await;
    let world = World::new();
    let shared: Arc<dyn Authenticator> = world.accounts.clone();
    authenticator_suite(&shared, &world).await;
    let world = World::new();
    let boxed: Box<dyn Authenticator> = Box::new(Flaky::new(world.accounts.clone(), 0));
    authenticator_suite(&boxed, &world).await;
}

#[tokio::test]
async fn tokens_end_by_the_clock() {
    let world = World::new();
    let end = OffsetDateTime::UNIX_EPOCH + Duration::from_secs(1005);
    let token = world.accounts.issue(Some("alice"), Permissions::up_to("sign"), Some(end)).unwrap();
    let caller = world.accounts.authenticate(&token).await.unwrap();
    assert_eq!(caller.expires_at, Some(end));
    assert!(caller.may(Permission::Sign) && !caller.may(Permission::Admin));
    assert!(caller.speaks_for("alice") && !caller.speaks_for("bob"));
    world.clock.advance(Duration::from_secs(5));
    let error = world.accounts.authenticate(&token).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unauthenticated);
    let all = format!("{error} {error:?} {:?} {caller:?}", world.accounts);
    assert!(!all.contains(&token), "a token is a secret: {all}");
}

#[tokio::test]
async fn not_knowing_lets_nobody_in() {
    let world = World::new();
    let flaky = Flaky::new(world.accounts.clone(), 3);
    let caller = Principal::new(Some("alice".into()), Permissions::READ);
    assert_eq!(flaky.authenticate("token-1").await.unwrap_err().kind(), ErrorKind::Transient);
    assert_eq!(flaky.may_use_miner(&caller, &MINER).await.unwrap_err().kind(), ErrorKind::Transient);
    let signer = flaky.may_use_signer(&caller, &world.signer).await;
    assert_eq!(signer.unwrap_err().kind(), ErrorKind::Transient);
    flaky.may_use_miner(&caller, &MINER).await.unwrap();
    let limited = IdentityError::RateLimited { retry_after: Some(Duration::from_secs(2)) };
    assert_eq!(
        (limited.kind(), limited.retry_after()),
        (ErrorKind::RateLimited, Some(Duration::from_secs(2)))
    );
}

/// Trusts whoever begins right.
struct Gullible(Arc<MemoryAccounts>);

#[async_trait::async_trait]
impl Authenticator for Gullible {
    async fn authenticate(&self, token: &str) -> Result<Principal, IdentityError> {
        self.0.authenticate(token.trim_end_matches('x')).await
    }
}

#[tokio::test]
#[should_panic(expected = "a guess is Unauthenticated")]
async fn the_authenticator_suite_catches_a_gullible_one() {
    let world = World::new();
    authenticator_suite(&Gullible(world.accounts.clone()), &world).await;
}
