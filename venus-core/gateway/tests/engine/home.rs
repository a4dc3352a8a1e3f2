//! Accounts, a hub, and providers that behave as they are told.

use std::future::Future;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures::future::BoxFuture;
use tokio::task::JoinSet;
use tokio::time::timeout;
use venus_core::api::{AccountDirectory, AccountMiner, ISigner, Permissions};
use venus_core::clock::{ManualClock, SystemClock};
use venus_core::json::Json;
use venus_core::testing::doubles::{MemoryAccounts, TestSigner};
use venus_core::types::gateway::{
    ComputeProofRequest, RequestEvent, ResponseEvent, WalletRegisterPolicy, WalletSignRequest,
};
use venus_core::types::{Address, ExtendedSectorInfo, MsgMeta, MsgType, PostProof, Signature};
use venus_gateway::{Accounts, Events, Hub, HubError, HubOptions, Provider};

/// Of virtual time, where it is virtual: nothing takes so long.
const PATIENCE: Duration = Duration::from_secs(3600);

/// What must happen.
pub(crate) async fn soon<T>(what: impl Future<Output = T>) -> T {
    timeout(PATIENCE, what).await.expect("nothing happens any more")
}

pub(crate) fn miner(id: u64) -> Address {
    Address::new_id(id)
}

/// A hub, its accounts alice, bob and carol, and alice's miner 1000.
pub(crate) struct Pool {
    pub(crate) hub: Hub,
}

impl Pool {
    pub(crate) fn new(change: impl FnOnce(&mut HubOptions)) -> Self {
        Self { hub: hub(Arc::new(accounts()), change) }
    }

    pub(crate) fn plain() -> Self {
        Self::new(|_| ())
    }

    /// A wallet of `account` that has the keys of `signer`, registered.
    pub(crate) async fn wallet(
        &self,
        account: &str,
        connection: u64,
        signer: &Arc<TestSigner>,
        how: impl Behaviour,
    ) -> Party {
        let policy = WalletRegisterPolicy::default();
        wallet(&self.hub, who(account, connection), policy, signer, how).await
    }

    /// A prover of miner 1000, registered.
    pub(crate) async fn prover(&self, connection: u64, how: impl Behaviour) -> Party {
        let who = who("alice", connection);
        let events = soon(self.hub.listen_proof(who.clone(), miner(1000))).await.unwrap();
        Party::begin(&self.hub, who, events, how).await
    }

    /// A sealer of miner 1000, registered.
    pub(crate) async fn sealer(&self, connection: u64, how: impl Behaviour) -> Party {
        let who = who("alice", connection);
        let events = soon(self.hub.listen_market(who.clone(), miner(1000))).await.unwrap();
        Party::begin(&self.hub, who, events, how).await
    }

    /// Has the first key of `signer` sign `bytes` as they are, whatever they are.
    pub(crate) async fn sign(&self, signer: &Address, bytes: &[u8]) -> Result<Signature, HubError> {
        soon(self.hub.wallet_sign(signer, Accounts::All, bytes, &unknown(), None)).await
    }

    /// Questions that wait, on all channels.
    pub(crate) fn waiting(&self) -> u64 {
        let wallets = self.hub.wallets();
        let wallets = wallets.iter().flat_map(|wallet| &wallet.connect_states);
        let provers = self.hub.miners().into_iter().flat_map(|m| self.hub.miner(&m).unwrap().connections);
        let sealers = self.hub.markets().into_iter().flat_map(|market| market.conn.connections);
        wallets.cloned().chain(provers).chain(sealers).map(|state| state.request_count).sum()
    }
}

pub(crate) fn accounts() -> MemoryAccounts {
    let accounts = MemoryAccounts::new(Arc::new(ManualClock::new(Duration::ZERO)));
    ["alice", "bob", "carol"].into_iter().for_each(|account| accounts.add(account));
    accounts.bind_miner("alice", AccountMiner { miner: miner(1000), open_mining: true }).unwrap();
    accounts
}

pub(crate) fn hub(directory: Arc<dyn AccountDirectory>, change: impl FnOnce(&mut HubOptions)) -> Hub {
    let mut options = HubOptions::new("eu-1");
    options.clock = Arc::new(SystemClock);
    change(&mut options);
    Hub::new(directory, options)
}

pub(crate) fn unknown() -> MsgMeta {
    MsgMeta::of(MsgType::Unknown)
}

/// Somebody of `account` on a connection, an administrator, so that any account may be supported.
pub(crate) fn who(account: &str, connection: u64) -> Provider {
    Provider {
        account: account.to_owned(),
        permissions: Permissions::up_to("admin"),
        scopes: Vec::new(),
        token: format!("token of {account} {connection}"),
        remote: Some(SocketAddr::from(([10, 0, 0, 1], 4000))),
        connection,
    }
}

/// What a provider does about an event.
#[derive(Clone, Debug)]
pub(crate) enum Reply {
    Answer(Vec<u8>),
    Error(String),
    Later(Duration, Box<Reply>),
    Twice(Box<Reply>),
    Never,
    Die,
}

impl Reply {
    pub(crate) fn json(value: &impl serde::Serialize) -> Self {
        Self::Answer(serde_json::to_vec(value).unwrap())
    }

    pub(crate) fn error(text: &str) -> Self {
        Self::Error(text.to_owned())
    }

    pub(crate) fn later(self, millis: u64) -> Self {
        Self::Later(Duration::from_millis(millis), Box::new(self))
    }
}

/// How a provider answers.
pub(crate) trait Behaviour:
    Fn(RequestEvent) -> BoxFuture<'static, Reply> + Send + Sync + 'static
{
}
impl<T: Fn(RequestEvent) -> BoxFuture<'static, Reply> + Send + Sync + 'static> Behaviour for T {}

/// Always the same.
pub(crate) fn always(reply: Reply) -> impl Behaviour {
    move |_| {
        let reply = reply.clone();
        Box::pin(async move { reply })
    }
}

/// Signs what it is asked.
pub(crate) fn honest(signer: &Arc<TestSigner>) -> impl Behaviour + use<> {
    let signer = signer.clone();
    move |event: RequestEvent| -> BoxFuture<'static, Reply> {
        let signer = signer.clone();
        Box::pin(async move { signed(&signer, &event).await })
    }
}

/// What an honest wallet answers.
pub(crate) async fn signed(signer: &TestSigner, event: &RequestEvent) -> Reply {
    let request: WalletSignRequest = serde_json::from_slice(&event.payload).unwrap();
    let signature = match request.meta.msg_type {
        MsgType::Unknown | MsgType::VerifyAddress => signer.sign_challenge(&request.signer, &request.to_sign),
        _ => signer.sign(&request.signer, &request.to_sign, &request.meta).await,
    };
    signature.map_or_else(|error| Reply::Error(error.to_string()), |signature| Reply::json(&signature))
}

/// A provider that is registered.
pub(crate) struct Party {
    /// What it was asked after it had registered.
    pub(crate) heard: Arc<Mutex<Vec<RequestEvent>>>,
    /// Dropping it hangs up.
    _task: JoinSet<()>,
}

impl Party {
    async fn begin(hub: &Hub, who: Provider, mut events: Events, how: impl Behaviour) -> Self {
        assert_eq!(soon(events.next()).await.unwrap().method, "InitConnect");
        Self::behave(hub, who, events, how)
    }

    fn behave(hub: &Hub, who: Provider, mut events: Events, how: impl Behaviour) -> Self {
        let heard: Arc<Mutex<Vec<RequestEvent>>> = Arc::default();
        let (kept, hub, how) = (heard.clone(), hub.clone(), Arc::new(how));
        let mut task = JoinSet::new();
        task.spawn(async move {
            let mut answers = JoinSet::new();
            loop {
                tokio::select! {
                    event = events.next() => {
                        let Some(event) = event else { return };
                        kept.lock().unwrap().push(event.clone());
                        let (hub, how, connection) = (hub.clone(), how.clone(), who.connection);
                        answers.spawn(async move { answer(&hub, connection, &event.id, how(event.clone()).await).await });
                    }
                    Some(alive) = answers.join_next() => {
                        if !alive.unwrap() {
                            return;
                        }
                    }
                }
            }
        });
        Self { heard, _task: task }
    }

    pub(crate) fn asked(&self) -> usize {
        self.heard.lock().unwrap().len()
    }
}

/// Whether the provider goes on.
async fn answer(hub: &Hub, connection: u64, id: &str, reply: Reply) -> bool {
    let respond = |payload: Vec<u8>, error: String| {
        // It may be too late, which the hub says and the provider ignores.
        let _ = hub.respond(connection, ResponseEvent { id: id.to_owned(), payload, error });
    };
    let mut reply = reply;
    loop {
        match reply {
            Reply::Answer(payload) => respond(payload, String::new()),
            Reply::Error(error) => respond(Vec::new(), error),
            Reply::Later(after, then) => {
                tokio::time::sleep(after).await;
                reply = *then;
                continue;
            }
            Reply::Twice(what) => {
                if let Reply::Answer(payload) = &*what {
                    respond(payload.clone(), String::new());
                }
                reply = *what;
                continue;
            }
            Reply::Never => std::future::pending().await,
            Reply::Die => return false,
        }
        return true;
    }
}

/// Registers a wallet, which answers its challenges honestly, and then behaves as told.
pub(crate) async fn wallet(
    hub: &Hub,
    who: Provider,
    policy: WalletRegisterPolicy,
    signer: &Arc<TestSigner>,
    how: impl Behaviour,
) -> Party {
    let mut events = soon(hub.listen_wallet(who.clone(), policy)).await.unwrap();
    loop {
        let event = soon(events.next()).await.expect("the registration succeeds");
        let reply = match event.method.as_str() {
            "WalletList" => {
                let list: Vec<_> = signer.list().await.unwrap().into_iter().map(Json).collect();
                Reply::json(&list)
            }
            "WalletSign" => signed(signer, &event).await,
            "InitConnect" => break,
            _ => continue,
        };
        assert!(answer(hub, who.connection, &event.id, reply).await);
    }
    Party::behave(hub, who, events, how)
}

/// A wallet with one secp256k1 key.
pub(crate) fn key(seed: u64) -> (Arc<TestSigner>, Address) {
    let signer = TestSigner::new(seed);
    let address = signer.new_secp();
    (Arc::new(signer), address)
}

/// Has a prover of miner 1000 prove.
pub(crate) async fn prove(
    hub: &Hub,
    sectors: u64,
    deadline: Option<Duration>,
) -> Result<Vec<PostProof>, HubError> {
    soon(hub.compute_proof(&miner(1000), &proof_request(sectors), deadline)).await
}

/// Sectors of 32 GiB and what is to be proven of them.
pub(crate) fn proof_request(sectors: u64) -> ComputeProofRequest {
    let sealed = "bagboea4b5abcatlxechwbp7kjpjguna6r6q7ejrhe6mdp3lf34pmswn27pkkiekz".parse().unwrap();
    let sector = |sector_number| ExtendedSectorInfo {
        seal_proof: 8,
        sector_number,
        sector_key: None,
        sealed_cid: sealed,
    };
    ComputeProofRequest {
        sector_infos: (1..=sectors).map(sector).collect(),
        rand: vec![0; 32],
        height: 100,
        nw_version: 25,
    }
}

pub(crate) fn proof(bytes: &[u8]) -> Reply {
    Reply::json(&vec![PostProof { post_proof: 3, proof_bytes: bytes.to_vec() }])
}
