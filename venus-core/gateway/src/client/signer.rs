//! Keys behind gateways.

use std::collections::HashSet;
use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use futures::stream::{FuturesUnordered, StreamExt};
use serde::Serialize;
use tokio::time::{Instant, timeout_at};
use venus_core::api::{ISigner, SignerError};
use venus_core::error::Classify;
use venus_core::json::{Json, JsonRef};
use venus_core::rpc::classify::signer_error;
use venus_core::types::gateway::WalletDetail;
use venus_core::types::{Address, MsgMeta, MsgType, Protocol, Signature};

use super::builder::{Builder, Gateways, Inner};
use super::link::Link;

const HAS: &str = "Gateway.WalletHas";
const SIGN: &str = "Gateway.WalletSign";
const LIST: &str = "Gateway.ListWalletInfo";

/// The keys of all wallets that dialled in at the gateways. Clones share connections and what is known.
///
/// Who has a key is asked of all gateways at once and believed for a minute, or until a gateway fails. A gateway that
/// cannot be reached, has the key no more, does not answer in time or answers a signature that does not verify is
/// followed by the next one that has it, within the deadline. **A refusal of a wallet ends the request**: who denied has
/// decided.
///
/// The token needs the right `admin` at gateways of Go, and the scope `wallet.sign` at ours; [`ISigner::list`] needs
/// `admin`.
#[derive(Clone)]
pub struct GatewaySigner {
    gateways: Gateways,
}

impl fmt::Debug for GatewaySigner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("GatewaySigner").field(&self.gateways).finish()
    }
}

impl From<Gateways> for GatewaySigner {
    fn from(gateways: Gateways) -> Self {
        Self { gateways }
    }
}

impl GatewaySigner {
    /// A signer with connections of its own.
    pub fn builder() -> Builder<Self> {
        Builder::new()
    }

    /// The connections.
    pub fn gateways(&self) -> &Gateways {
        &self.gateways
    }

    fn inner(&self) -> &Inner {
        &self.gateways.inner
    }
}

/// What all gateways say of a key.
struct Survey {
    owners: Vec<usize>,
    /// Why it is not known of some.
    failed: Option<SignerError>,
}

#[derive(Clone, Copy)]
struct Request<'a> {
    address: &'a Address,
    to_sign: &'a [u8],
    meta: &'a MsgMeta,
    until: Instant,
}

/// The parameters of `WalletSign`.
#[derive(Serialize)]
struct SignParams<'a>(JsonRef<'a, Address>, &'a [String], Json<Vec<u8>>, &'a MsgMeta);

impl Inner {
    /// Asks all gateways at once. Ends early when one has the key and the grace for the others is over.
    async fn survey(&self, address: &Address, first_is_enough: bool, until: Instant) -> Survey {
        self.somebody_is_there(until).await;
        let until = until.min(Instant::now() + self.options.look);
        let ask = async |at: usize, link: &Arc<Link>| (at, has(link, address, until).await);
        let mut asked: FuturesUnordered<_> =
            self.links.iter().enumerate().map(|(at, link)| ask(at, link)).collect();
        let mut survey = Survey { owners: Vec::new(), failed: None };
        let mut end = until;
        loop {
            match timeout_at(end, asked.next()).await {
                Ok(Some((at, Ok(true)))) => {
                    survey.owners.push(at);
                    if first_is_enough {
                        break;
                    }
                    end = end.min(Instant::now() + self.options.grace);
                }
                Ok(Some((_, Ok(false)))) => {}
                Ok(Some((_, Err(error)))) => survey.failed = Some(error),
                Ok(None) => break,
                Err(_) => {
                    survey.failed.get_or_insert(SignerError::Timeout);
                    break;
                }
            }
        }
        survey
    }

    /// The owners by asking. What is known in part is remembered, too: all of them are asked anew when it fails.
    async fn owners(&self, address: &Address, until: Instant) -> Result<Arc<[usize]>, SignerError> {
        let survey = self.survey(address, false, until).await;
        if survey.owners.is_empty() {
            return Err(survey.failed.unwrap_or(SignerError::KeyNotFound(*address)));
        }
        let owners: Arc<[usize]> = survey.owners.into();
        self.wallets.set(address, owners.clone());
        Ok(owners)
    }

    /// One gateway after the other.
    async fn sign_at(&self, owners: &[usize], request: Request<'_>) -> Result<Signature, SignerError> {
        let mut last = SignerError::KeyNotFound(*request.address);
        let links = self.in_order(owners);
        for (number, (at, link)) in (1..).zip(&links) {
            let now = Instant::now();
            if now >= request.until {
                break;
            }
            // The last one may take all that is left.
            let alone = number == links.len();
            let until = if alone { request.until } else { request.until.min(now + self.options.attempt) };
            match self.attempt(link, Request { until, ..request }).await {
                Err(error) if goes_on(&error) => {
                    tracing::warn!(gateway = link.name(), %error, "not signed here");
                    self.wallets.forget(request.address, *at);
                    last = worse(last, error);
                }
                answer => return answer,
            }
        }
        Err(last)
    }

    async fn attempt(&self, link: &Link, request: Request<'_>) -> Result<Signature, SignerError> {
        let Request { address, to_sign, meta, until } = request;
        let params = SignParams(JsonRef(address), &link.accounts, Json(to_sign.to_vec()), meta);
        let params = serde_json::to_string(&params).map_err(|error| SignerError::BadPayload {
            msg_type: meta.msg_type,
            reason: error.to_string(),
        })?;
        let answer = link.call::<Signature>(SIGN, &params, until).await;
        let signature = answer.map_err(|error| signer_error(error, address, meta.msg_type))?;
        let verified = self.options.verifier.verify(address, to_sign, meta, &signature).await;
        verified.map_err(SignerError::BadSignature)?;
        Ok(signature)
    }
}

/// Whether another gateway may know better. What a wallet refuses stays refused; a wallet that is locked may have a twin.
fn goes_on(error: &SignerError) -> bool {
    match error {
        SignerError::KeyNotFound(_) | SignerError::Locked | SignerError::BadSignature(_) => true,
        // An answer that nobody understands may be a refusal. Whoever asks around until somebody signs has no policy.
        SignerError::Store(_) => false,
        // The gateway's word on our token, in place of a wallet's on the request.
        SignerError::Denied(reason) => {
            reason.contains("http status") || reason.contains("missing permission")
        }
        other => other.kind().is_retryable(),
    }
}

/// The error that says more: that one gateway lost the key is the least.
fn worse(one: SignerError, other: SignerError) -> SignerError {
    match other {
        SignerError::KeyNotFound(_) => one,
        other => other,
    }
}

async fn has(link: &Link, address: &Address, until: Instant) -> Result<bool, SignerError> {
    let params = serde_json::to_string(&(JsonRef(address), &link.accounts)).unwrap_or_default();
    match link.call::<bool>(HAS, &params, until).await {
        Ok(there) => Ok(there),
        Err(error) => match signer_error(error, address, MsgType::Undefined) {
            SignerError::KeyNotFound(_) => Ok(false),
            error => Err(error),
        },
    }
}

fn is_key(address: &Address) -> bool {
    matches!(address.protocol(), Protocol::BLS | Protocol::Secp256k1 | Protocol::Delegated)
}

#[async_trait]
impl ISigner for GatewaySigner {
    /// True as soon as one gateway has it; false once all said that they have not.
    async fn has(&self, address: &Address) -> Result<bool, SignerError> {
        let inner = self.inner();
        if !is_key(address) {
            return Ok(false);
        }
        if inner.wallets.get(address).is_some() {
            return Ok(true);
        }
        let survey = inner.survey(address, true, Instant::now() + inner.options.deadline).await;
        match survey.failed {
            _ if !survey.owners.is_empty() => Ok(true),
            Some(error) => Err(error),
            None => Ok(false),
        }
    }

    /// The keys of all wallets at all gateways that answer, without repetitions; where accounts are configured, of the
    /// wallets that serve one of them. Fails only if no gateway answers.
    async fn list(&self) -> Result<Vec<Address>, SignerError> {
        let inner = self.inner();
        let until = Instant::now() + inner.options.deadline;
        inner.somebody_is_there(until).await;
        let asked = inner.links.iter().map(|link| listed(link, until));
        let (mut all, mut failed, mut answered) = (Vec::new(), None, false);
        for listed in futures::future::join_all(asked).await {
            match listed {
                Ok(addresses) => {
                    answered = true;
                    all.extend(addresses);
                }
                Err(error) => failed = Some(error),
            }
        }
        match failed {
            Some(error) if !answered => Err(error),
            _ => {
                let mut seen = HashSet::new();
                all.retain(|address| seen.insert(*address));
                Ok(all)
            }
        }
    }

    async fn sign(
        &self,
        address: &Address,
        to_sign: &[u8],
        meta: &MsgMeta,
    ) -> Result<Signature, SignerError> {
        if !is_key(address) {
            return Err(SignerError::KeyNotFound(*address));
        }
        let inner = self.inner();
        let request = Request { address, to_sign, meta, until: Instant::now() + inner.options.deadline };
        let mut known = SignerError::KeyNotFound(*address);
        if let Some(owners) = inner.wallets.get(address) {
            match inner.sign_at(&owners, request).await {
                // The key may be elsewhere by now.
                Err(error) if goes_on(&error) => known = error,
                answer => return answer,
            }
        }
        match inner.owners(address, request.until).await {
            Ok(owners) => inner.sign_at(&owners, request).await,
            Err(error) => Err(worse(known, error)),
        }
    }
}

/// The addresses that a gateway lists.
async fn listed(link: &Link, until: Instant) -> Result<Vec<Address>, SignerError> {
    let wallets = link.call::<Option<Vec<WalletDetail>>>(LIST, "[]", until).await;
    let nobody = Address::new_id(0);
    let wallets = wallets.map_err(|error| signer_error(error, &nobody, MsgType::Undefined))?;
    let serves = |wallet: &WalletDetail| {
        link.accounts.is_empty() || link.accounts.iter().any(|name| wallet.support_accounts.contains(name))
    };
    let wallets = wallets.unwrap_or_default().into_iter().filter(serves);
    Ok(wallets.flat_map(|wallet| wallet.connect_states).flat_map(|state| state.addrs).collect())
}
