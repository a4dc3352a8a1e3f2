//! Whether a wallet has the keys that it announces.

use std::sync::Arc;
use std::time::Duration;

use futures::{Stream, StreamExt, stream};
use sha2::{Digest, Sha256};
use tokio::time::timeout;
use venus_core::types::gateway::WalletSignRequest;
use venus_core::types::{Address, ChallengeError, GatewayChallenge, MsgMeta, MsgType, Protocol, Signature};

use super::report::bounded;
use crate::channel::{Channel, NotSent};
use crate::error::{HubError, text};
use crate::hub::Hub;

/// How long an answer counts, in seconds.
const LIFETIME: u64 = 60;

/// One question, for one key, asked once.
struct Challenge {
    to_sign: Vec<u8>,
    meta: MsgMeta,
    /// Unix seconds.
    expires: u64,
}

impl Hub {
    /// Has each key prove itself, some at once: the results come as they come, by position.
    pub(crate) fn prove<'a>(
        &'a self,
        channel: &'a Arc<Channel>,
        addresses: &'a [Address],
    ) -> impl Stream<Item = (usize, Result<(), HubError>)> + 'a {
        let limits = &self.options().limits;
        // More than the queue holds at once would be refused by it.
        let at_once = limits.challenges.min(limits.queue).min(limits.in_flight).max(1);
        let proofs = addresses.iter().enumerate();
        stream::iter(
            proofs.map(move |(n, address)| async move { (n, self.prove_one(channel, address).await) }),
        )
        .buffer_unordered(at_once)
    }

    async fn prove_one(&self, channel: &Channel, address: &Address) -> Result<(), HubError> {
        if matches!(address.protocol(), Protocol::ID | Protocol::Actor) {
            return Err(unproven(channel, address, "", "not the address of a key"));
        }
        let challenge = self.challenge(channel, address)?;
        let signature = self
            .ask_for_signature(channel, address, &challenge)
            .await
            .map_err(|reason| unproven(channel, address, ", signed error", &reason))?;
        self.check(channel, address, &challenge, &signature)
            .await
            .map_err(|reason| unproven(channel, address, ":", &reason))
    }

    /// Whether a wallet gets Go's challenge: one of an account that may, which does not say that it understands more.
    pub(crate) fn is_legacy(&self, channel: &Channel) -> bool {
        channel.ext.is_empty() && self.options().legacy.holds_for(&channel.provider.account)
    }

    /// Ours, or Go's, whose random bytes are as fresh here: Go's gateways use the same ones for all keys as long as they
    /// run.
    fn challenge(&self, channel: &Channel, address: &Address) -> Result<Challenge, HubError> {
        let options = self.options();
        let nonce = options.nonce()?;
        let expires = options.clock.unix_seconds().saturating_add(LIFETIME);
        if self.is_legacy(channel) {
            let to_sign = Sha256::new().chain_update(nonce).chain_update(&channel.sign_bytes.0).finalize();
            let meta = MsgMeta { msg_type: MsgType::VerifyAddress, extra: nonce.to_vec() };
            return Ok(Challenge { to_sign: to_sign.to_vec(), meta, expires });
        }
        let challenge = GatewayChallenge {
            hub: options.name.clone(),
            account: channel.provider.account.clone(),
            channel: channel.id,
            address: *address,
            nonce,
            expires,
        };
        Ok(Challenge { to_sign: challenge.digest().to_vec(), meta: challenge.meta(), expires })
    }

    async fn ask_for_signature(
        &self,
        channel: &Channel,
        address: &Address,
        challenge: &Challenge,
    ) -> Result<Signature, String> {
        let request = WalletSignRequest {
            signer: *address,
            to_sign: challenge.to_sign.clone(),
            meta: challenge.meta.clone(),
            accounts: Vec::new(),
        };
        let payload = serde_json::to_vec(&request).map_err(|error| error.to_string())?;
        let answer = self.ask_wallet(channel, "WalletSign", payload, self.options().challenge).await?;
        serde_json::from_slice(&answer).map_err(|error| error.to_string())
    }

    /// Asks during a registration. What goes wrong is told in words.
    pub(crate) async fn ask_wallet(
        &self,
        channel: &Channel,
        method: &'static str,
        payload: Vec<u8>,
        within: Duration,
    ) -> Result<Vec<u8>, String> {
        let options = self.options();
        let id = options.id().map_err(|error| error.to_string())?;
        let asked = match channel.waiting() >= options.limits.in_flight {
            true => Err(NotSent::Full),
            false => channel.ask(id, method, payload),
        };
        let mut question = asked.map_err(|error| match error {
            NotSent::Full => "the wallet does not take what it is sent".to_owned(),
            NotSent::Gone => "channel closed".to_owned(),
        })?;
        let answer = timeout(within, question.answer()).await;
        let answer = answer.map_err(|_| format!("no answer within {within:?}"))?;
        let answer = answer.ok_or_else(|| "channel closed".to_owned())?;
        match answer.error.is_empty() {
            true => Ok(answer.payload),
            false => Err(bounded(&answer.error, 500)),
        }
    }

    /// The hub's verifier checks, which may then keep what it learns about the key.
    async fn check(
        &self,
        channel: &Channel,
        address: &Address,
        challenge: &Challenge,
        signature: &Signature,
    ) -> Result<(), String> {
        // Gone with the channel, whose end stops this, too.
        let turns = self.inner.registry.read().turns(&channel.provider.account);
        let turns = turns.ok_or_else(|| "channel closed".to_owned())?;
        let _turn = turns.acquire().await.map_err(|error| error.to_string())?;
        let options = self.options();
        options.verifier.verify(address, &challenge.to_sign, &challenge.meta, signature).await?;
        match options.clock.unix_seconds() > challenge.expires {
            true => Err(ChallengeError::Expired.to_string()),
            false => Ok(()),
        }
    }
}

fn unproven(channel: &Channel, address: &Address, how: &str, reason: &str) -> HubError {
    let (account, address) = (&channel.provider.account, text(address));
    HubError::Unproven(format!("wallet {account} verify address {address} failed{how} {reason}"))
}
