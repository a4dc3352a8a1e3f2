//! On whose behalf a key may be used.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use proptest::prelude::*;
use venus_core::api::{
    Account, AccountDirectory, AccountLimit, AccountMiner, ISigner, IdentityError, PRINCIPAL_MAX_AGE,
};
use venus_core::error::{Classify, ErrorKind};
use venus_core::types::Address;
use venus_core::types::gateway::{EXT_ACCOUNTS, WalletRegisterPolicy, WalletSignRequest};
use venus_gateway::{Accounts, Ended, Hub, HubError, SupportRule};

use crate::home::{Party, Pool, honest, hub, key, miner, proof, prove, soon, unknown, wallet, who};

/// What belongs to whom, as the test says; registering binds nothing.
#[derive(Debug, Default)]
struct Directory {
    owners: Mutex<BTreeMap<Address, BTreeSet<String>>>,
    miners: Mutex<BTreeMap<Address, String>>,
    off: Mutex<BTreeSet<String>>,
    down: AtomicBool,
    slow: AtomicBool,
    lookups: AtomicUsize,
}

impl Directory {
    fn own(&self, signer: Address, accounts: &[&str]) {
        let accounts = accounts.iter().map(|&account| account.to_owned()).collect();
        self.owners.lock().unwrap().insert(signer, accounts);
    }

    async fn look(&self) -> Result<(), IdentityError> {
        if self.slow.load(Ordering::SeqCst) {
            tokio::time::sleep(Duration::from_millis(300)).await;
        }
        match self.down.load(Ordering::SeqCst) {
            true => Err(IdentityError::Transport("no route".into())),
            false => Ok(()),
        }
    }
}

#[async_trait]
impl AccountDirectory for Directory {
    async fn account(&self, name: &str) -> Result<Account, IdentityError> {
        self.look().await?;
        let enabled = !self.off.lock().unwrap().contains(name);
        Ok(Account { name: name.to_owned(), comment: String::new(), enabled })
    }

    async fn accounts(&self, _: u64, _: u32) -> Result<Vec<Account>, IdentityError> {
        Ok(Vec::new())
    }

    async fn account_of_miner(&self, miner: &Address) -> Result<Option<String>, IdentityError> {
        self.look().await?;
        Ok(self.miners.lock().unwrap().get(miner).cloned())
    }

    async fn accounts_of_signer(&self, signer: &Address) -> Result<Vec<String>, IdentityError> {
        self.lookups.fetch_add(1, Ordering::SeqCst);
        let owners = self.owners.lock().unwrap().get(signer).cloned().unwrap_or_default();
        self.look().await?;
        Ok(owners.into_iter().collect())
    }

    async fn miners(&self, _: &str) -> Result<Vec<AccountMiner>, IdentityError> {
        Ok(Vec::new())
    }

    async fn signers(&self, account: &str) -> Result<Vec<Address>, IdentityError> {
        self.look().await?;
        let owners = self.owners.lock().unwrap();
        Ok(owners
            .iter()
            .filter(|(_, accounts)| accounts.contains(account))
            .map(|(signer, _)| *signer)
            .collect())
    }

    async fn limits(&self, _: &str) -> Result<Vec<AccountLimit>, IdentityError> {
        Ok(Vec::new())
    }

    async fn register_signers(&self, _: &str, _: &[Address]) -> Result<(), IdentityError> {
        Ok(())
    }
}

fn hub_of(directory: &Arc<Directory>) -> Hub {
    hub(directory.clone(), |options| options.support = SupportRule::Any)
}

fn supporting(accounts: &[&str]) -> WalletRegisterPolicy {
    let support_accounts = accounts.iter().map(|&account| account.to_owned()).collect();
    WalletRegisterPolicy { support_accounts, ..WalletRegisterPolicy::default() }
}

fn names(names: &[&str]) -> Vec<String> {
    names.iter().map(|&name| name.to_owned()).collect()
}

async fn sign(hub: &Hub, signer: &Address, accounts: &[&str]) -> Result<(), HubError> {
    let (accounts, meta) = (names(accounts), unknown());
    let sign = hub.wallet_sign(signer, Accounts::Only(&accounts), b"bytes", &meta, None);
    soon(sign).await.map(|_| ())
}

async fn has(hub: &Hub, signer: &Address, accounts: &[&str]) -> bool {
    soon(hub.wallet_has(signer, Accounts::Only(&names(accounts)))).await.unwrap()
}

#[tokio::test(start_paused = true)]
async fn seed_s09_gateway_resolves_accounts() {
    let pool = Pool::plain();
    let (signer, address) = key(1);
    let _party = wallet(&pool.hub, who("alice", 1), supporting(&["bob"]), &signer, honest(&signer)).await;
    // Nobody named: those of the account service. Registering has bound the key to both accounts.
    pool.sign(&address, b"bytes").await.unwrap();
    sign(&pool.hub, &address, &[]).await.unwrap();
    for (named, served) in
        [(vec!["alice"], true), (vec!["bob"], true), (vec!["carol"], false), (vec!["carol", "bob"], true)]
    {
        assert_eq!(has(&pool.hub, &address, &named).await, served, "{named:?}");
        assert_eq!(sign(&pool.hub, &address, &named).await.is_ok(), served, "{named:?}");
    }
    let error = sign(&pool.hub, &address, &["carol"]).await.unwrap_err();
    assert_eq!(
        (error.to_string().as_str(), error.kind()),
        ("send request must have channel", ErrorKind::NotFound)
    );
    let (_, stranger) = key(2);
    assert!(!has(&pool.hub, &stranger, &[]).await);
    assert!(!has(&pool.hub, &miner(1000), &["alice"]).await, "an ID address is no key");
}

#[tokio::test(start_paused = true)]
async fn seed_s03_components_without_an_account_are_served_by_what_the_service_says() {
    // The caller names no account anywhere: keys are found by their signer, proofs by their miner.
    let pool = Pool::plain();
    let (alices, alice) = key(1);
    let (bobs, bob) = key(2);
    let parties = [
        pool.wallet("alice", 1, &alices, honest(&alices)).await,
        pool.wallet("bob", 2, &bobs, honest(&bobs)).await,
        pool.prover(3, |_| Box::pin(async { proof(b"alice's") })).await,
    ];
    pool.sign(&alice, b"bytes").await.unwrap();
    pool.sign(&bob, b"bytes").await.unwrap();
    assert_eq!(prove(&pool.hub, 1, None).await.unwrap()[0].proof_bytes, b"alice's");
    assert_eq!(parties.iter().map(Party::asked).collect::<Vec<_>>(), [1, 1, 1]);
}

#[tokio::test(start_paused = true)]
async fn what_is_named_reaches_only_wallets_that_understand() {
    let (signer, address) = key(1);
    for (ext, expected) in [(vec![EXT_ACCOUNTS.to_owned()], vec!["alice", "bob"]), (vec![], vec![])] {
        let pool = Pool::plain();
        let policy = WalletRegisterPolicy { ext, ..supporting(&["carol", "bob"]) };
        let party = wallet(&pool.hub, who("alice", 1), policy, &signer, honest(&signer)).await;
        sign(&pool.hub, &address, &["bob", "alice", "nobody"]).await.unwrap();
        let heard = party.heard.lock().unwrap().clone();
        let request: WalletSignRequest = serde_json::from_slice(&heard[0].payload).unwrap();
        assert_eq!(request.accounts, expected);
        assert_eq!(String::from_utf8_lossy(&heard[0].payload).contains("Accounts"), !expected.is_empty());
    }
}

#[tokio::test(start_paused = true)]
async fn a_grant_is_the_wallets_and_not_its_sisters() {
    let directory = Arc::new(Directory::default());
    let (signer, address) = key(1);
    directory.own(address, &["bob"]);
    let hub = hub(directory.clone(), |options| options.support = SupportRule::Granted);
    let token = |connection, scopes: &[&str]| {
        let scopes = scopes.iter().map(|&scope| scope.to_owned()).collect();
        let permissions = venus_core::api::Permissions::up_to("read");
        venus_gateway::Provider { permissions, scopes, ..who("alice", connection) }
    };
    let narrow = wallet(&hub, token(1, &[]), supporting(&["bob"]), &signer, honest(&signer)).await;
    assert!(!has(&hub, &address, &["bob"]).await);
    let wide = wallet(&hub, token(2, &["support:bob"]), supporting(&["bob"]), &signer, honest(&signer)).await;
    for _ in 0..4 {
        sign(&hub, &address, &["bob"]).await.unwrap();
        sign(&hub, &address, &[]).await.unwrap();
    }
    assert_eq!((narrow.asked(), wide.asked()), (0, 8));
    // With the wallet that may go, the account may not.
    drop(wide);
    while has(&hub, &address, &["bob"]).await {
        tokio::task::yield_now().await;
    }
    assert!(matches!(sign(&hub, &address, &[]).await, Err(HubError::NoWallet { .. })));
    assert_eq!(soon(hub.signer().list()).await.unwrap(), []);
}

#[tokio::test(start_paused = true)]
async fn while_the_account_service_is_away_nobody_signs() {
    let directory = Arc::new(Directory::default());
    let (signer, address) = key(1);
    directory.own(address, &["alice"]);
    let hub = hub_of(&directory);
    let party = wallet(&hub, who("alice", 1), supporting(&[]), &signer, honest(&signer)).await;
    sign(&hub, &address, &[]).await.unwrap();
    directory.down.store(true, Ordering::SeqCst);
    sign(&hub, &address, &[]).await.expect("what was looked up a moment ago still counts");
    tokio::time::advance(PRINCIPAL_MAX_AGE).await;
    let error = sign(&hub, &address, &[]).await.unwrap_err();
    assert!(matches!(error, HubError::Identity { .. }), "{error:?}");
    assert_eq!(error.kind(), ErrorKind::Transient);
    assert!(soon(hub.wallet_has(&address, Accounts::All)).await.is_err());
    assert!(soon(hub.signer().list()).await.is_err());
    assert_eq!(party.asked(), 2);
    directory.down.store(false, Ordering::SeqCst);
    sign(&hub, &address, &[]).await.expect("errors are not kept");
}

#[tokio::test(start_paused = true)]
async fn answers_of_the_service_are_shared_for_a_second_and_end_with_what_they_said() {
    let directory = Arc::new(Directory::default());
    let (signer, address) = key(1);
    directory.own(address, &["alice"]);
    let hub = hub_of(&directory);
    let _party = wallet(&hub, who("alice", 1), supporting(&["bob"]), &signer, honest(&signer)).await;
    let lookups = || directory.lookups.load(Ordering::SeqCst);

    directory.slow.store(true, Ordering::SeqCst);
    let all = futures::future::join_all((0..50).map(|_| sign(&hub, &address, &[]))).await;
    assert!(all.iter().all(Result::is_ok));
    assert_eq!(lookups(), 1, "fifty at once are one question");
    directory.slow.store(false, Ordering::SeqCst);
    tokio::time::advance(PRINCIPAL_MAX_AGE).await;
    sign(&hub, &address, &[]).await.unwrap();
    assert_eq!(lookups(), 2, "after a second it is asked again");

    directory.own(address, &["bob"]);
    assert!(has(&hub, &address, &["alice"]).await, "within the second");
    hub.end(&Ended::Signer("alice".to_owned(), address));
    assert!(!has(&hub, &address, &["alice"]).await, "told of the end, at once");
    assert!(has(&hub, &address, &["bob"]).await);

    // A revocation overtakes an answer that is on its way.
    directory.slow.store(true, Ordering::SeqCst);
    hub.end(&Ended::Signer("bob".to_owned(), address));
    let (signed, ()) = futures::join!(sign(&hub, &address, &[]), async {
        tokio::time::sleep(Duration::from_millis(100)).await;
        directory.own(address, &[]);
        hub.end(&Ended::Signer("bob".to_owned(), address));
    });
    assert!(matches!(signed, Err(HubError::NoWallet { .. })), "{signed:?}");
}

#[tokio::test(start_paused = true)]
async fn accounts_that_are_switched_off_use_no_key() {
    let directory = Arc::new(Directory::default());
    let (signer, address) = key(1);
    directory.own(address, &["alice", "bob"]);
    let hub = hub_of(&directory);
    let _party = wallet(&hub, who("alice", 1), supporting(&["bob"]), &signer, honest(&signer)).await;
    sign(&hub, &address, &["bob"]).await.unwrap();
    directory.off.lock().unwrap().insert("bob".to_owned());
    tokio::time::advance(PRINCIPAL_MAX_AGE).await;
    assert!(!has(&hub, &address, &["bob"]).await);
    assert!(sign(&hub, &address, &["bob"]).await.is_err());
    sign(&hub, &address, &["bob", "alice"]).await.unwrap();
    assert_eq!(soon(hub.signer().only(["bob"]).list()).await.unwrap(), []);
    assert_eq!(soon(hub.signer().list()).await.unwrap(), [address]);
}

/// How a signature ends that is under way for bob, with a wallet of alice's, when `what` ends.
async fn overtaken(what: impl FnOnce(&Directory, &Hub, Address)) -> Result<(), HubError> {
    let directory = Arc::new(Directory::default());
    let (signer, address) = key(1);
    directory.own(address, &["bob"]);
    let hub = hub_of(&directory);
    let signing = honest(&signer);
    let slow = move |event| -> futures::future::BoxFuture<'static, _> {
        let signed = signing(event);
        Box::pin(async move { signed.await.later(500) })
    };
    let _party = wallet(&hub, who("alice", 1), supporting(&["bob"]), &signer, slow).await;
    let (signed, ()) = futures::join!(sign(&hub, &address, &[]), async {
        tokio::time::sleep(Duration::from_millis(100)).await;
        what(&directory, &hub, address);
    });
    signed
}

#[tokio::test(start_paused = true)]
async fn no_signature_leaves_whose_right_ended_while_the_wallet_signed() {
    let refused = |signed| assert!(matches!(signed, Err(HubError::NoWallet { .. })), "{signed:?}");
    refused(
        overtaken(|directory, hub, _| {
            directory.off.lock().unwrap().insert("bob".to_owned());
            hub.end(&Ended::Account("bob".to_owned()));
        })
        .await,
    );
    refused(
        overtaken(|directory, hub, address| {
            directory.own(address, &[]);
            hub.end(&Ended::Signer("bob".to_owned(), address));
        })
        .await,
    );
    refused(overtaken(|_, hub, address| _ = hub.end(&Ended::Address(address))).await);
    // What ends for others ends for others.
    let carol = || "carol".to_owned();
    overtaken(|_, hub, _| _ = hub.end(&Ended::Account(carol()))).await.unwrap();
    overtaken(|_, hub, address| _ = hub.end(&Ended::Signer(carol(), address))).await.unwrap();
    overtaken(|_, hub, _| _ = hub.end(&Ended::Miner(carol(), miner(1000)))).await.unwrap();
    let away = overtaken(|directory, hub, _| {
        directory.down.store(true, Ordering::SeqCst);
        hub.end(&Ended::Account(carol()));
    });
    assert_eq!(away.await.unwrap_err().kind(), ErrorKind::Transient, "nobody can tell whether it may");
}

#[tokio::test(start_paused = true)]
async fn a_miner_that_went_to_another_account_is_served_by_nobody() {
    let directory = Arc::new(Directory::default());
    directory.miners.lock().unwrap().insert(miner(1000), "alice".to_owned());
    let hub = hub_of(&directory);
    let mut events = soon(hub.listen_proof(who("alice", 1), miner(1000))).await.unwrap();
    soon(events.next()).await.unwrap();
    let proven = async || prove(&hub, 1, Some(Duration::from_millis(10))).await.unwrap_err();
    assert!(matches!(proven().await, HubError::Timeout { .. }), "asked");
    directory.down.store(true, Ordering::SeqCst);
    tokio::time::advance(PRINCIPAL_MAX_AGE).await;
    assert!(matches!(proven().await, HubError::Timeout { .. }), "blocks are made while the service is away");
    directory.down.store(false, Ordering::SeqCst);
    directory.miners.lock().unwrap().insert(miner(1000), "bob".to_owned());
    tokio::time::advance(PRINCIPAL_MAX_AGE).await;
    assert!(matches!(proven().await, HubError::NoConnection(_)));
}

const ALL: [&str; 4] = ["alice", "bob", "carol", "dave"];

fn some() -> impl Strategy<Value = Vec<&'static str>> {
    prop::sample::subsequence(ALL.to_vec(), 0..=ALL.len())
}

/// What a request must come to: whose wallets may be asked.
fn may_be_asked(wallets: &[(&str, Vec<&str>)], owners: &[&str], off: &[&str], named: &[&str]) -> Vec<usize> {
    let may = |account: &&str| {
        owners.contains(account) && !off.contains(account) && (named.is_empty() || named.contains(account))
    };
    // What a sister wallet of the same account supports is the sister's alone.
    let serves = |(own, supports): &(&str, Vec<&str>)| supports.iter().chain([own]).any(may);
    (0..wallets.len()).filter(|&i| serves(&wallets[i])).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]
    #[test]
    fn i3_accounts_come_from_the_service_and_names_only_narrow(
        wallets in prop::collection::vec((prop::sample::select(ALL.to_vec()), some()), 1..4),
        owners in some(),
        off in some(),
        lists in prop::collection::vec(
            prop::collection::vec(prop::sample::select(vec!["alice", "bob", "carol", "dave", "nobody", ""]), 0..4),
            1..5,
        ),
    ) {
        let runtime =
            tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build().unwrap();
        let (asked, results) = runtime.block_on(play(&wallets, &owners, &off, &lists));
        for ((named, asked), (has, signed)) in lists.iter().zip(asked).zip(results) {
            let expected = may_be_asked(&wallets, &owners, &off, named);
            prop_assert_eq!(has, !expected.is_empty(), "{:?}", named);
            prop_assert_eq!(signed, !expected.is_empty(), "{:?}", named);
            prop_assert!(asked.iter().all(|i| expected.contains(i)), "{:?} of {:?}", asked, expected);
            prop_assert_eq!(asked.len(), usize::from(!expected.is_empty()));
        }
    }
}

/// For each list who was asked, and what has and sign came to.
async fn play(
    wallets: &[(&str, Vec<&str>)],
    owners: &[&str],
    off: &[&str],
    lists: &[Vec<&str>],
) -> (Vec<Vec<usize>>, Vec<(bool, bool)>) {
    let directory = Arc::new(Directory::default());
    let (signer, address) = key(1);
    directory.own(address, owners);
    let hub = hub_of(&directory);
    let mut parties: Vec<Party> = Vec::new();
    for (connection, (account, supports)) in (1..).zip(wallets) {
        let policy = supporting(supports);
        parties.push(wallet(&hub, who(account, connection), policy, &signer, honest(&signer)).await);
    }
    directory.off.lock().unwrap().extend(off.iter().map(|&account| account.to_owned()));
    tokio::time::advance(PRINCIPAL_MAX_AGE).await;
    let (mut asked, mut results) = (Vec::new(), Vec::new());
    for named in lists {
        let before: Vec<usize> = parties.iter().map(Party::asked).collect();
        results.push((has(&hub, &address, named).await, sign(&hub, &address, named).await.is_ok()));
        let after = parties.iter().map(Party::asked).zip(before);
        asked.push(after.enumerate().filter(|(_, (after, before))| after > before).map(|(i, _)| i).collect());
    }
    (asked, results)
}
