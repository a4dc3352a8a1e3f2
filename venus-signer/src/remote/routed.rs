//! Several signers as one.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use futures::stream::{FuturesUnordered, StreamExt};
use tokio::time::{Instant, timeout, timeout_at};
use venus_core::api::{ISigner, SignerError};
use venus_core::error::Classify;
use venus_core::types::{Address, MsgMeta, Signature};

/// How [`RoutedSigner`] finds its way.
#[derive(Clone, Copy, Debug)]
pub struct RoutingOptions {
    /// How long it is remembered which signers have a key.
    pub remember: Duration,
    /// How many addresses are remembered.
    pub addresses: usize,
    /// How long a signer may take to say whether it has a key, or to list them.
    pub look_deadline: Duration,
    /// How long the others are waited for once one signer has said that it has the key.
    pub grace: Duration,
    /// How long a signer may take to sign before the next one is asked.
    pub sign_deadline: Duration,
}

impl Default for RoutingOptions {
    fn default() -> Self {
        Self {
            remember: Duration::from_secs(30),
            addresses: 4096,
            look_deadline: Duration::from_secs(5),
            grace: Duration::from_millis(200),
            sign_deadline: Duration::from_secs(15),
        }
    }
}

/// Asks the signer that has the key, and the next one that has it when that one cannot be reached.
///
/// The order of the signers is the order of preference. A failure that may pass (no connection, no answer in time, a
/// store that fails) moves on to the next signer that has the key. **A refusal never does**: who denied has decided,
/// whatever the others would have said. Clones share what is remembered.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use std::sync::Arc;
/// use venus_core::{api::{ISigner, SignerExt}, entropy::OsEntropy};
/// use venus_signer::{KeyType, LocalWallet, remote::RoutedSigner};
///
/// let (first, second) = (LocalWallet::in_memory(), LocalWallet::in_memory());
/// let address = second.generate(KeyType::Secp256k1, &OsEntropy).await?;
/// let routed = RoutedSigner::new(vec![Arc::new(first), Arc::new(second)]);
/// assert!(routed.has(&address).await?);
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct RoutedSigner {
    inner: Arc<Inner>,
}

struct Inner {
    signers: Vec<Arc<dyn ISigner>>,
    options: RoutingOptions,
    routes: Mutex<HashMap<Address, Route>>,
}

/// The signers that have a key, in order of preference.
#[derive(Clone)]
struct Route {
    owners: Arc<[usize]>,
    until: Instant,
}

/// What all signers say of an address.
struct Survey {
    owners: Vec<usize>,
    /// Why it is not known of some.
    failed: Option<SignerError>,
    complete: bool,
}

impl fmt::Debug for RoutedSigner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RoutedSigner").field("signers", &self.inner.signers.len()).finish_non_exhaustive()
    }
}

impl RoutedSigner {
    /// These signers, the preferred ones first.
    pub fn new(signers: Vec<Arc<dyn ISigner>>) -> Self {
        Self::with_options(signers, RoutingOptions::default())
    }

    /// These signers, with options of your own.
    pub fn with_options(signers: Vec<Arc<dyn ISigner>>, options: RoutingOptions) -> Self {
        Self { inner: Arc::new(Inner { signers, options, routes: Mutex::default() }) }
    }

    /// Asks all again for every address from now on. For use after keys moved.
    pub fn forget(&self) {
        self.inner.routes.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }
}

impl Inner {
    /// Asks all signers at once. Ends early when `enough` owners are known and the grace is over.
    async fn survey(&self, address: &Address, first_is_enough: bool) -> Survey {
        let RoutingOptions { look_deadline, grace, .. } = self.options;
        let ask = async |at: usize, signer: &Arc<dyn ISigner>| {
            (at, timeout(look_deadline, signer.has(address)).await.unwrap_or(Err(SignerError::Timeout)))
        };
        let mut asked: FuturesUnordered<_> =
            self.signers.iter().enumerate().map(|(at, signer)| ask(at, signer)).collect();
        let mut survey = Survey { owners: Vec::new(), failed: None, complete: false };
        let mut until = Instant::now() + look_deadline;
        loop {
            match timeout_at(until, asked.next()).await {
                Ok(Some((at, Ok(true)))) => {
                    if survey.owners.is_empty() {
                        until = until.min(Instant::now() + grace);
                    }
                    survey.owners.push(at);
                    if first_is_enough {
                        break;
                    }
                }
                Ok(Some((_, Ok(false)))) => {}
                Ok(Some((_, Err(error)))) => survey.failed = Some(error),
                Ok(None) => {
                    survey.complete = survey.failed.is_none();
                    break;
                }
                Err(_) => {
                    survey.failed.get_or_insert(SignerError::Timeout);
                    break;
                }
            }
        }
        survey.owners.sort_unstable();
        survey
    }

    fn remembered(&self, address: &Address) -> Option<Arc<[usize]>> {
        let mut routes = self.routes.lock().unwrap_or_else(PoisonError::into_inner);
        match routes.get(address) {
            Some(route) if route.until > Instant::now() => Some(route.owners.clone()),
            Some(_) => {
                routes.remove(address);
                None
            }
            None => None,
        }
    }

    /// Only owners are remembered: what nobody has may be imported any moment, and anybody may ask for it.
    fn remember(&self, address: &Address, owners: &Arc<[usize]>) {
        let now = Instant::now();
        let mut routes = self.routes.lock().unwrap_or_else(PoisonError::into_inner);
        if routes.len() >= self.options.addresses && !routes.contains_key(address) {
            routes.retain(|_, route| route.until > now);
            if routes.len() >= self.options.addresses {
                routes.clear();
            }
        }
        routes.insert(*address, Route { owners: owners.clone(), until: now + self.options.remember });
    }

    fn forget(&self, address: &Address) {
        self.routes.lock().unwrap_or_else(PoisonError::into_inner).remove(address);
    }

    /// The owners by asking, in order of preference.
    async fn find(&self, address: &Address) -> Result<Arc<[usize]>, SignerError> {
        let survey = self.survey(address, false).await;
        if survey.owners.is_empty() {
            return Err(survey.failed.unwrap_or(SignerError::KeyNotFound(*address)));
        }
        let owners: Arc<[usize]> = survey.owners.into();
        // What is known in part only would keep the preferred signer out for as long as it is remembered.
        if survey.complete {
            self.remember(address, &owners);
        }
        Ok(owners)
    }

    /// The first signature; the last error if there is none.
    async fn sign_by(&self, owners: &[usize], request: Request<'_>) -> Result<Signature, SignerError> {
        let Request { address, to_sign, meta } = request;
        let mut last = SignerError::KeyNotFound(*address);
        for signer in owners.iter().filter_map(|at| self.signers.get(*at)) {
            let signing = timeout(self.options.sign_deadline, signer.sign(address, to_sign, meta));
            match signing.await.unwrap_or(Err(SignerError::Timeout)) {
                Ok(signature) => return Ok(signature),
                Err(SignerError::KeyNotFound(_)) => self.forget(address),
                Err(error) if error.kind().is_retryable() => {
                    tracing::warn!(%error, signer = %address, "signer failed, asking the next one");
                    self.forget(address);
                    last = error;
                }
                Err(error) => return Err(error),
            }
        }
        Err(last)
    }
}

#[derive(Clone, Copy)]
struct Request<'a> {
    address: &'a Address,
    to_sign: &'a [u8],
    meta: &'a MsgMeta,
}

#[async_trait]
impl ISigner for RoutedSigner {
    /// True as soon as one has it; false once all said that they have not.
    async fn has(&self, address: &Address) -> Result<bool, SignerError> {
        if self.inner.remembered(address).is_some() {
            return Ok(true);
        }
        let survey = self.inner.survey(address, true).await;
        match survey.failed {
            _ if !survey.owners.is_empty() => Ok(true),
            Some(error) => Err(error),
            None => Ok(false),
        }
    }

    /// What all signers that answer have, without repetitions. Fails only if none answers.
    async fn list(&self) -> Result<Vec<Address>, SignerError> {
        let deadline = self.inner.options.look_deadline;
        let asked = self.inner.signers.iter().map(|signer| timeout(deadline, signer.list()));
        let (mut all, mut failed, mut answered) = (Vec::new(), None, self.inner.signers.is_empty());
        for listed in futures::future::join_all(asked).await {
            match listed.unwrap_or(Err(SignerError::Timeout)) {
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
                let mut seen = std::collections::HashSet::new();
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
        let request = Request { address, to_sign, meta };
        if let Some(owners) = self.inner.remembered(address) {
            match self.inner.sign_by(&owners, request).await {
                // The key moved since.
                Err(SignerError::KeyNotFound(_)) => {}
                answer => return answer,
            }
        }
        let owners = self.inner.find(address).await?;
        self.inner.sign_by(&owners, request).await
    }
}
