//! Those who dial in: accounts, a hub, and a wallet that answers what it is asked.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use sha2::{Digest, Sha256};
use tokio::time::timeout;
use uuid::Uuid;
use venus_core::api::{AccountDirectory, AccountMiner, Permissions};
use venus_core::clock::{Clock, ManualClock};
use venus_core::json::Json;
use venus_core::testing::doubles::{MemoryAccounts, TestSigner};
use venus_core::types::gateway::{
    ConnectedCompleted, EXT_REPORT, RegisterRefusal, RegisterReport, RequestEvent, ResponseEvent,
    WalletRegisterPolicy, WalletSignRequest,
};
use venus_core::types::{Address, ChallengeContext, Signature};
use venus_gateway::{Events, Hub, HubError, HubOptions, Provider};

pub(crate) const NOW: Duration = Duration::from_secs(1_700_000_000);
/// Of virtual time: nothing takes so long.
const PATIENCE: Duration = Duration::from_secs(600);

/// What must happen.
pub(crate) async fn soon<T>(what: impl Future<Output = T>) -> T {
    timeout(PATIENCE, what).await.expect("nothing happens any more")
}

/// A hub and its accounts: alice and bob, alice's miner 1000, bob's 2000.
pub(crate) struct Pool {
    pub(crate) accounts: Arc<MemoryAccounts>,
    pub(crate) clock: ManualClock,
    pub(crate) hub: Hub,
}

pub(crate) fn miner(id: u64) -> Address {
    Address::new_id(id)
}

pub(crate) fn accounts(clock: &ManualClock) -> Arc<MemoryAccounts> {
    let accounts = MemoryAccounts::new(Arc::new(clock.clone()));
    for (account, id) in [("alice", 1000), ("bob", 2000)] {
        accounts.add(account);
        accounts.bind_miner(account, AccountMiner { miner: miner(id), open_mining: true }).unwrap();
    }
    Arc::new(accounts)
}

impl Pool {
    pub(crate) fn new(change: impl FnOnce(&mut HubOptions)) -> Self {
        Self::over(|accounts| accounts, change)
    }

    /// Whose hub sees the accounts through `line`.
    pub(crate) fn over<D: AccountDirectory + 'static>(
        line: impl FnOnce(Arc<MemoryAccounts>) -> Arc<D>,
        change: impl FnOnce(&mut HubOptions),
    ) -> Self {
        let clock = ManualClock::new(NOW);
        let mut options = HubOptions::new("eu-1");
        options.clock = Arc::new(clock.clone());
        change(&mut options);
        let accounts = accounts(&clock);
        Self { hub: Hub::new(line(accounts.clone()), options), accounts, clock }
    }

    pub(crate) fn plain() -> Self {
        Self::new(|_| ())
    }

    /// A wallet of `account` that announces the keys of `signer`, registered.
    pub(crate) async fn wallet(&self, who: Provider, signer: &Arc<TestSigner>) -> Wallet {
        let mut wallet = Wallet::dial(&self.hub, who, signer, &[]).await.unwrap();
        wallet.clock = self.clock.clone();
        wallet.ready().await.expect("InitConnect");
        wallet
    }
}

/// Somebody of `account` on a connection.
pub(crate) fn who(account: &str, connection: u64) -> Provider {
    let octets = connection.to_be_bytes();
    Provider {
        account: account.to_owned(),
        permissions: Permissions::up_to("read"),
        scopes: Vec::new(),
        token: format!("token of {account} {connection}"),
        remote: Some(SocketAddr::from(([10, octets[5], octets[6], octets[7]], 4000))),
        connection,
    }
}

/// How a wallet answers challenges.
#[derive(Clone, Debug)]
pub(crate) enum Trust {
    /// As its hub's name allows.
    Hub(&'static str),
    /// As a wallet of Go, which looks only for its own random bytes.
    Legacy,
}

/// A wallet that is connected.
pub(crate) struct Wallet {
    pub(crate) hub: Hub,
    pub(crate) who: Provider,
    pub(crate) events: Events,
    pub(crate) signer: Arc<TestSigner>,
    /// What it announces.
    pub(crate) announced: Vec<Address>,
    pub(crate) trust: Trust,
    pub(crate) sign_bytes: Vec<u8>,
    pub(crate) clock: ManualClock,
    pub(crate) refused: Vec<RegisterRefusal>,
    /// What it was asked, in order.
    pub(crate) heard: Vec<RequestEvent>,
}

impl Wallet {
    pub(crate) async fn dial(
        hub: &Hub,
        who: Provider,
        signer: &Arc<TestSigner>,
        supports: &[&str],
    ) -> Result<Self, HubError> {
        let ext = vec![EXT_REPORT.to_owned()];
        Self::dial_with(hub, who, signer, WalletRegisterPolicy { ext, ..go(supports) }).await
    }

    /// As a wallet of Go.
    pub(crate) async fn dial_go(hub: &Hub, who: Provider, signer: &Arc<TestSigner>) -> Self {
        let wallet = Self::dial_with(hub, who, signer, go(&[])).await.unwrap();
        Self { trust: Trust::Legacy, ..wallet }
    }

    pub(crate) async fn dial_with(
        hub: &Hub,
        who: Provider,
        signer: &Arc<TestSigner>,
        policy: WalletRegisterPolicy,
    ) -> Result<Self, HubError> {
        use venus_core::api::ISigner;
        let announced = signer.list().await.unwrap();
        let sign_bytes = policy.sign_bytes.clone();
        let events = soon(hub.listen_wallet(who.clone(), policy)).await?;
        Ok(Self {
            hub: hub.clone(),
            who,
            events,
            signer: signer.clone(),
            announced,
            trust: Trust::Hub("eu-1"),
            sign_bytes,
            clock: ManualClock::new(NOW),
            refused: Vec::new(),
            heard: Vec::new(),
        })
    }

    /// Answers until the registration is complete; nothing if the channel ends before.
    pub(crate) async fn ready(&mut self) -> Option<Uuid> {
        loop {
            let event = soon(self.events.next()).await?;
            if let Some(done) = self.hear(event) {
                return Some(done);
            }
        }
    }

    /// Answers one event. The channel, if it says that the registration is complete.
    pub(crate) fn hear(&mut self, event: RequestEvent) -> Option<Uuid> {
        self.heard.push(event.clone());
        match event.method.as_str() {
            "WalletList" => {
                let list: Vec<_> = self.announced.iter().copied().map(Json).collect();
                self.answer(&event, Ok(serde_json::to_vec(&list).unwrap()));
            }
            "WalletSign" => {
                let signed = self.sign(&event.payload);
                self.answer(&event, signed.map(|signed| serde_json::to_vec(&signed).unwrap()));
            }
            "RegisterReport" => {
                self.refused = serde_json::from_slice::<RegisterReport>(&event.payload).unwrap().refused;
            }
            "InitConnect" => {
                let done: ConnectedCompleted = serde_json::from_slice(&event.payload).unwrap();
                assert_eq!(done.channel_id, self.events.channel());
                return Some(done.channel_id);
            }
            other => panic!("{other}"),
        }
        None
    }

    pub(crate) fn answer(&self, event: &RequestEvent, answer: Result<Vec<u8>, String>) {
        let (payload, error) =
            answer.map_or_else(|error| (Vec::new(), error), |payload| (payload, String::new()));
        let response = ResponseEvent { id: event.id.clone(), payload, error };
        // It may be too late, which the hub says and the wallet ignores.
        let _ = self.hub.respond(self.who.connection, response);
    }

    pub(crate) fn sign(&self, payload: &[u8]) -> Result<Signature, String> {
        let request: WalletSignRequest = serde_json::from_slice(payload).unwrap();
        self.allowed(&request)?;
        self.signer.sign_challenge(&request.signer, &request.to_sign).map_err(|error| error.to_string())
    }

    fn allowed(&self, request: &WalletSignRequest) -> Result<(), String> {
        let extra = &request.meta.extra;
        let Trust::Hub(hub) = self.trust else {
            let expected = Sha256::new().chain_update(extra).chain_update(&self.sign_bytes).finalize();
            let own = extra.len() == 32 && expected.to_vec() == request.to_sign;
            return own.then_some(()).ok_or_else(|| "not my random bytes".to_owned());
        };
        let context = ChallengeContext {
            hub,
            account: Some(&self.who.account),
            channel: Some(self.events.channel()),
            signer: request.signer,
            now: self.clock.now(),
        };
        context.read(extra, &request.to_sign).map(|_| ()).map_err(|error| error.to_string())
    }

    /// Goes on answering while something else happens.
    pub(crate) async fn while_answering<T>(&mut self, what: impl Future<Output = T>) -> T {
        let mut what = std::pin::pin!(what);
        soon(async {
            loop {
                tokio::select! {
                    biased;
                    done = &mut what => return done,
                    event = self.events.next() => match event {
                        Some(event) => _ = self.hear(event),
                        None => return what.await,
                    },
                }
            }
        })
        .await
    }
}

/// What a wallet of Go says of itself.
pub(crate) fn go(supports: &[&str]) -> WalletRegisterPolicy {
    let support_accounts = supports.iter().map(|&account| account.to_owned()).collect();
    WalletRegisterPolicy { support_accounts, sign_bytes: vec![2; 32], ext: Vec::new() }
}

/// A wallet's keys: so many of secp256k1, and of BLS.
pub(crate) fn keys(seed: u64, secp: usize, bls: usize) -> (Arc<TestSigner>, Vec<Address>) {
    let signer = TestSigner::new(seed);
    let secp = (0..secp).map(|_| signer.new_secp()).collect::<Vec<_>>();
    let bls = (0..bls).map(|_| signer.new_bls()).collect::<Vec<_>>();
    (Arc::new(signer), [secp, bls].concat())
}
