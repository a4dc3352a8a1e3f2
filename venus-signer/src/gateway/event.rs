//! Answering one event of a hub.

use std::sync::{Arc, Mutex, PoisonError};

use uuid::Uuid;
use venus_core::api::SignerError;
use venus_core::clock::Clock;
use venus_core::types::gateway::{ConnectedCompleted, RequestEvent};
use venus_core::types::{Address, ChallengeContext, MsgMeta, MsgType};

use super::live::Live;
use super::wallet::WalletHandler;
use super::wire::{Meta, SignPayload, addresses, signature};
use crate::payload::go_text;
use crate::request::Caller;

/// The bytes that a Go gateway adds to a challenge.
const LEGACY_EXTRA: usize = 32;

/// What all events of one registration share.
pub(super) struct Registration {
    pub(super) live: Arc<Live>,
    pub(super) wallet: Arc<dyn WalletHandler>,
    pub(super) clock: Arc<dyn Clock>,
    /// Our random bytes of this registration: never logged, never used again.
    pub(super) random: [u8; 32],
    /// The channel, from the first challenge on. The hub may not change it.
    channel: Mutex<Option<Uuid>>,
}

/// What an event comes to.
#[derive(Debug)]
pub(super) enum Outcome {
    /// To be told to the hub.
    Answer(Result<Vec<u8>, String>),
    /// The handshake is over, and no answer is expected.
    Ready(Uuid),
    /// The hub contradicts itself: the registration ends.
    Broken(&'static str),
}

impl Registration {
    pub(super) fn new(
        live: Arc<Live>,
        wallet: Arc<dyn WalletHandler>,
        clock: Arc<dyn Clock>,
        random: [u8; 32],
    ) -> Self {
        Self { live, wallet, clock, random, channel: Mutex::default() }
    }

    pub(super) async fn handle(&self, event: &RequestEvent) -> Outcome {
        let payload = &event.payload;
        match event.method.as_str() {
            "WalletList" => Outcome::Answer(self.list().await),
            "WalletSign" => Outcome::Answer(self.sign(payload).await),
            "InitConnect" => self.completed(payload),
            other => {
                let name: String = other.chars().take(64).collect();
                Outcome::Answer(Err(format!("unsupported method {name}")))
            }
        }
    }

    async fn list(&self) -> Result<Vec<u8>, String> {
        let list = self.wallet.list().await.map_err(|error| go_text(&error, ""))?;
        let json = addresses(&list);
        self.live.announced(list);
        Ok(json)
    }

    fn completed(&self, payload: &[u8]) -> Outcome {
        match serde_json::from_slice::<ConnectedCompleted>(payload) {
            Ok(done) if self.pin(done.channel_id) => Outcome::Ready(done.channel_id),
            Ok(_) => Outcome::Broken("the hub confirms another channel than it named in its challenges"),
            Err(_) => Outcome::Broken("the hub confirms no channel"),
        }
    }

    /// Whether this is the channel, which it becomes if there was none.
    fn pin(&self, channel: Uuid) -> bool {
        let mut known = self.channel.lock().unwrap_or_else(PoisonError::into_inner);
        *known.get_or_insert(channel) == channel
    }

    async fn sign(&self, payload: &[u8]) -> Result<Vec<u8>, String> {
        let request: SignPayload =
            serde_json::from_slice(payload).map_err(|error| bounded(&error.to_string()))?;
        let mut caller = Caller::gateway(&self.live.config.name, self.accounts(&request)?);
        let meta = metadata(request.meta)?;
        if meta.msg_type == MsgType::VerifyAddress {
            self.challenge(&mut caller, request.signer.0, &request.to_sign.0, &meta.extra)?;
        }
        let signed = self.wallet.sign(&caller, &request.signer.0, &request.to_sign.0, &meta).await;
        Ok(signature(&signed.map_err(|error| self.refusal(&error, &meta))?))
    }

    fn refusal(&self, error: &SignerError, meta: &MsgMeta) -> String {
        bounded(&match error {
            // In Go's words nobody could tell a rule that forbids it from a wallet that is broken, and a hub would go on
            // to the next wallet.
            SignerError::Denied(_) if !self.live.config.legacy => error.to_string(),
            error => go_text(error, meta.msg_type.as_str()),
        })
    }

    /// The accounts that the request is made for. What the hub names can only be fewer than what the wallet supports.
    fn accounts(&self, request: &SignPayload) -> Result<Vec<String>, String> {
        let mut accounts = self.live.accounts();
        if request.accounts.is_none() && request.account.is_none() {
            return Ok(accounts);
        }
        let named: Vec<&String> = request.accounts.iter().flatten().chain(&request.account).collect();
        accounts.retain(|account| named.contains(&account));
        if accounts.is_empty() {
            return Err("the wallet supports none of the accounts of the request".to_owned());
        }
        Ok(accounts)
    }

    /// Lets the caller have an answer to its challenge, if it may ask this one.
    fn challenge(
        &self,
        caller: &mut Caller,
        signer: Address,
        to_sign: &[u8],
        extra: &[u8],
    ) -> Result<(), String> {
        if extra.len() == LEGACY_EXTRA {
            return match self.live.config.legacy {
                true => {
                    caller.session_random = Some(self.random);
                    Ok(())
                }
                false => Err("the challenge does not name the gateway that asks; \
                              for a gateway of Go the wallet needs the switch legacy"
                    .to_owned()),
            };
        }
        let channel = *self.channel.lock().unwrap_or_else(PoisonError::into_inner);
        let context = ChallengeContext {
            hub: &self.live.config.id,
            account: self.live.target.account.as_deref(),
            channel,
            signer,
            now: self.clock.now(),
        };
        let challenge = context.read(extra, to_sign).map_err(|error| bounded(&error.to_string()))?;
        if !self.pin(challenge.channel) {
            return Err("the challenge names another channel".to_owned());
        }
        caller.approved_challenge = Some(challenge.digest());
        Ok(())
    }
}

fn metadata(meta: Meta) -> Result<MsgMeta, String> {
    let msg_type = MsgType::from_name(&meta.r#type)
        .ok_or_else(|| bounded(&format!("get sign bytes: unsupported msgtype:{}", meta.r#type)))?;
    Ok(MsgMeta { msg_type, extra: meta.extra.0 })
}

fn bounded(text: &str) -> String {
    text.chars().take(1000).collect()
}
