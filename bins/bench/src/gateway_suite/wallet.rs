//! A wallet without a vault: real keys for the challenges that prove them, and one ready-made signature afterwards.

use std::sync::Arc;
use std::time::Duration;

use futures::future::BoxFuture;
use k256::ecdsa::SigningKey;
use tokio::sync::oneshot;
use tokio::task::JoinSet;
use tokio::time::timeout;
use venus_core::crypto::hash::blake2b_256;
use venus_core::crypto::secp;
use venus_core::json::Json;
use venus_core::rpc::ChannelEvent;
use venus_core::rpc::client::{Channel, Resubscribe, RpcClient};
use venus_core::types::gateway::{RequestEvent, ResponseEvent, WalletRegisterPolicy, WalletSignRequest};
use venus_core::types::{Address, Signature};

use crate::measure::{BenchError, Names};

const LISTEN: &str = "Gateway.ListenWalletEvent";
const RESPOND: &str = "Gateway.ResponseWalletEvent";
/// Time for a registration.
const REGISTERED: Duration = Duration::from_secs(120);

/// One key.
#[derive(Clone)]
pub(super) struct Key {
    secret: SigningKey,
    pub(super) address: Address,
}

impl Key {
    /// Key number `number`, the same in every process.
    pub(super) fn new(names: Names, number: u64) -> Result<Self, BenchError> {
        let secret = blake2b_256(&number.to_be_bytes());
        let secret = SigningKey::from_slice(&secret).map_err(|error| names.input(error))?;
        let point = secret.verifying_key().to_encoded_point(false);
        let public = point.as_bytes().try_into().map_err(|error| names.input(error))?;
        let address = secp::address_of(public).map_err(|error| names.input(error))?;
        Ok(Self { secret, address })
    }

    pub(super) fn sign(&self, bytes: &[u8]) -> Option<Signature> {
        let (signature, id) = self.secret.sign_prehash_recoverable(&blake2b_256(bytes)).ok()?;
        Some(Signature::secp256k1([&*signature.to_bytes(), &[id.to_byte()]].concat()))
    }
}

/// What a wallet does when it is asked to sign, before it answers.
pub(super) type OnSign = Arc<dyn Fn() -> BoxFuture<'static, ()> + Send + Sync>;

/// A wallet that is registered, until this is dropped.
pub(super) struct StubWallet {
    _tasks: JoinSet<()>,
}

impl StubWallet {
    /// Registers a key on a channel of `client`'s own.
    pub(super) async fn register(
        names: Names,
        client: &RpcClient,
        key: Key,
        on_sign: Option<OnSign>,
    ) -> Result<Self, BenchError> {
        let channel = listen(names, client).await?;
        let (sender, ready) = oneshot::channel();
        let mut tasks = JoinSet::new();
        let wallet = Wallet { client: client.clone(), answer: stub()?, key, on_sign };
        tasks.spawn(Arc::new(wallet).serve(channel, sender));
        match timeout(REGISTERED, ready).await {
            Ok(Ok(())) => Ok(Self { _tasks: tasks }),
            Ok(Err(_)) => Err(names.input("the hub ended a registration")),
            Err(_) => Err(names.input("the hub did not complete a registration")),
        }
    }
}

/// Opens a channel for the events of a wallet.
pub(super) async fn listen(names: Names, client: &RpcClient) -> Result<Channel<RequestEvent>, BenchError> {
    let policy = serde_json::to_string(&[WalletRegisterPolicy::default()])?;
    let opened = client.channel(LISTEN, Some(&policy), Resubscribe::Never).await;
    opened.map_err(|error| names.input(error))
}

/// The payload of every answer: 65 bytes that look like a signature.
fn stub() -> Result<Vec<u8>, BenchError> {
    Ok(serde_json::to_vec(&Signature::secp256k1([7; secp::SIGNATURE_LEN]))?)
}

struct Wallet {
    client: RpcClient,
    key: Key,
    answer: Vec<u8>,
    on_sign: Option<OnSign>,
}

impl Wallet {
    async fn serve(self: Arc<Self>, mut channel: Channel<RequestEvent>, ready: oneshot::Sender<()>) {
        let (mut ready, mut answering) = (Some(ready), JoinSet::new());
        while let Some(Ok(ChannelEvent::Value(event))) = channel.next().await {
            while answering.try_join_next().is_some() {}
            if event.method == "InitConnect" {
                let _ = ready.take().map(|ready| ready.send(()));
                continue;
            }
            answering.spawn(self.clone().answer(event, ready.is_some()));
        }
    }

    /// What comes before `InitConnect` is a challenge, and what comes after it gets the stub.
    async fn answer(self: Arc<Self>, event: RequestEvent, registering: bool) {
        let payload = match event.method.as_str() {
            "WalletList" => serde_json::to_vec(&[Json(self.key.address)]).ok(),
            _ if registering => self.challenge(&event.payload),
            _ => {
                if let Some(on_sign) = &self.on_sign {
                    on_sign().await;
                }
                Some(self.answer.clone())
            }
        };
        let Some(payload) = payload else { return };
        let response = ResponseEvent { id: event.id, payload, error: String::new() };
        let Ok(params) = serde_json::to_string(&[response]) else { return };
        // Answers that come too late are refused, which is no matter of the wallet's.
        let _ = self.client.call_raw(RESPOND, Some(&params)).await;
    }

    fn challenge(&self, payload: &[u8]) -> Option<Vec<u8>> {
        let request: WalletSignRequest = serde_json::from_slice(payload).ok()?;
        serde_json::to_vec(&self.key.sign(&request.to_sign)?).ok()
    }
}
