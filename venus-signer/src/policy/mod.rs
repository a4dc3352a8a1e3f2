//! Rules about what keys may sign.
//!
//! A policy is a list of rules and a preset. The rules are looked at in order, and the first whose conditions match
//! decides. If none does, the preset decides: [`Preset::Mining`] (the default), [`Preset::Deny`] or [`Preset::Allow`].
//!
//! ```
//! use venus_signer::policy::{Policy, PolicyConfig, PolicyError};
//!
//! let config = PolicyConfig::from_toml(r#"
//!     default = "mining"
//!
//!     [mining]
//!     miners = ["f01000"]          # pledge goes to this miner only
//!     pledge_cap = "5 FIL"         # with a message
//!     pledge_total = { value = "200 FIL", period = "24h" }
//!     fee_cap = "1 FIL"
//!     tip_total = { value = "10 FIL", period = "24h" }
//!
//!     [actors]
//!     "f01000" = "miner"           # so that names of methods are unambiguous without a node
//!
//!     [[rule]]
//!     name = "nobody changes the owner through a hub"
//!     action = "deny"
//!     methods = ["miner.ChangeOwnerAddress", "miner.ChangeBeneficiary"]
//!     caller = { origins = ["gateway"] }
//!
//!     [[rule]]
//!     name = "withdraw"
//!     action = "allow"
//!     keys = ["f1abjxfbp274xpdqcpuaykwkfb43omjotacm2p3za"]
//!     to = ["f01000"]
//!     methods = ["WithdrawBalance"]
//!     rate = { count = 2, period = "1d" }
//!
//!     [[rule]]
//!     name = "pay the cloud"
//!     action = "allow"
//!     to = ["f1abjxfbp274xpdqcpuaykwkfb43omjotacm2p3za"]
//!     methods = ["Send"]
//!     max_value = "10 FIL"
//!     max_fee = "0.1 FIL"
//!     total = { value = "50 FIL", period = "7d" }
//! "#)?;
//! let policy = Policy::new(&config)?;
//! # let _ = policy;
//! # Ok::<(), PolicyError>(())
//! ```
//!
//! # Conditions
//! | field | the rule is about |
//! |---|---|
//! | `keys` | the key that signs, by its own address (`f1`, `f3`, `f4`) |
//! | `types` | a message type as in requests (`message`, `block`, …), or what raw bytes turned out to be: `raw-digest32`, `raw-cid`, `raw-frc102` (all: [`PayloadClass`](crate::PayloadClass)). In a rule that allows, `unknown` stands only for bytes that mean nothing elsewhere, and `f3` for votes and tickets |
//! | `to` | recipients of messages |
//! | `methods` | numbers, names (`WithdrawBalance`), names of one kind of actor (`miner.WithdrawBalance`); a name stands for its exported twin too |
//! | `max_value`, `max_fee` | at most so much; in rules that allow. The fee is gas limit times fee cap |
//! | `over_value`, `over_fee` | more than that |
//! | `caller` | [`CallerConfig`]: origin, subject, right, accounts, hub, strategy token |
//! | `rate`, `total` | not conditions but limits of rules that allow: a matching request beyond them is denied, with a text that says when again. For each key, in a sliding period |
//!
//! Amounts are FIL unless they have a unit (`1.5 FIL`, `100 nanoFIL`, `7 attoFIL`). Addresses may be written for any
//! network and in any case.
//!
//! **A rule that allows has to be sure, a rule that denies need not.** Where it is not known what a recipient is, a
//! name matches in a rule that allows only if the parameters rule out any other actor, or if the rule names both the
//! recipient and the kind; in a rule that denies it matches whatever it could be. `f0…` and `f2…` may be one actor:
//! a rule that denies one also denies the other, unless [`ActorKinds`] or `[actors]` tell them apart. A rule that denies
//! `message` also denies raw bytes that are a message's CID or an Ethereum transaction, and no rule allows those unless it
//! names `raw-cid` or `raw-eth`.
//!
//! # Inside of messages
//! A proposal to a multisig passes only if what it proposes passes too, as if the signer sent it itself: up to four
//! proposals inside of each other. A rule that allows `multisig.Propose` does not allow what no rule allows. Making an
//! actor (`init.Exec`) needs a rule for its `Constructor` too. `Approve` and `Cancel` name a proposal by number, which
//! says nothing: rules decide by method and recipient only.
//!
//! # The preset `mining`
//! Allowed are: blocks, VRF draws (also as 32 raw bytes, but not through a gateway, where they may be the challenge of
//! another one) and F3 votes of BLS keys; challenges of gateways; storage asks,
//! responses, deal states and requests for them; methods of a miner by which sectors are sealed, proven, declared
//! faulty, updated, prolonged, with parameters that are exactly those of that method; `PublishStorageDeals`,
//! `SettleDealPayments`, and `AddBalance` for a miner in `mining.miners`; proposals of all that; messages that carry
//! nothing. Value goes only with what takes pledge, up to `pledge_cap` (10 FIL) a message and `pledge_total` (1000 FIL
//! in 24 h) a key; fees up to `fee_cap` (5 FIL) a message, of which premiums up to `tip_total` (50 FIL in 24 h) a key: who
//! mines a message gets its premium, and may be who had it signed. The rest of a fee is burnt, which the preset does not
//! count: nobody earns by it.
//!
//! Plain bytes that nothing on a chain reads (texts, UUIDs, digests) are signed for administrators of the wallet only:
//! they could export the key too, and `venus-wallet sign` is theirs.
//!
//! Denied are, until a rule allows them: all other sends and methods, deal proposals (they commit a client's funds),
//! vouchers, Ethereum calls, raw bytes of any other kind. Name your miners: otherwise a miner that someone else made
//! with your key as control address could take pledge.
//!
//! # Counting
//! Requests that pass are counted even if a later check refuses them. Rates begin anew with a restart; totals do not
//! if the policy has a [`SpentStore`], which a policy that limits money should have. Counts belong to rules by name.

mod call;
mod caller;
mod class;
mod compiled;
mod config;
mod explain;
mod kinds;
mod limits;
mod methods;
mod mining;
mod params;
mod rule;
mod spent;

use std::future::ready;
use std::pin::Pin;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use venus_core::clock::{Clock, SystemClock};
use venus_core::error::BoxError;
use venus_core::types::{Message, MsgType};

pub use caller::CallerConfig;
pub(crate) use caller::{origin_label, permission_names};
pub use config::{
    Action, MiningConfig, PolicyConfig, PolicyError, Preset, RateConfig, RuleConfig, TotalConfig,
};
pub use explain::{ExplainedStep, Explanation};
pub use kinds::{ActorKinds, CodeTable, KnownActor, StateKinds};
pub use methods::MethodName;
#[cfg(feature = "sqlite")]
pub use spent::SqliteSpent;
pub use spent::{Spent, SpentStore};

use crate::check::{Check, Refusal};
use crate::payload::{Payload, RawClass};
use crate::request::Review;
use call::{Call, Inside, MAX_DEPTH};
use compiled::{Compiled, Denial, Pass};
use limits::{Charge, Used};
use rule::Facts;

/// A [`Check`] by rules. Clones share rules and counts. See the [module](self).
#[derive(Clone, Debug)]
pub struct Policy {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    compiled: RwLock<Arc<Compiled>>,
    used: Used,
    clock: Arc<dyn Clock>,
    kinds: Option<Arc<dyn ActorKinds>>,
    store: Option<Arc<dyn SpentStore>>,
}

/// Puts a [`Policy`] together.
#[derive(Debug)]
pub struct PolicyBuilder {
    compiled: Compiled,
    clock: Arc<dyn Clock>,
    kinds: Option<Arc<dyn ActorKinds>>,
}

impl PolicyBuilder {
    /// Counts by another clock than the machine's.
    #[must_use]
    pub fn clock(mut self, clock: impl Clock + 'static) -> Self {
        self.clock = Arc::new(clock);
        self
    }

    /// Asks what recipients are.
    #[must_use]
    pub fn kinds(mut self, kinds: impl ActorKinds + 'static) -> Self {
        self.kinds = Some(Arc::new(kinds));
        self
    }

    /// A policy whose totals begin anew with a restart.
    pub fn build(self) -> Policy {
        let compiled = RwLock::new(Arc::new(self.compiled));
        let (clock, kinds) = (self.clock, self.kinds);
        Policy { inner: Arc::new(Inner { compiled, used: Used::default(), clock, kinds, store: None }) }
    }

    /// A policy whose totals are kept in a store.
    ///
    /// # Errors
    /// Of the store.
    pub async fn build_with(self, store: impl SpentStore + 'static) -> Result<Policy, BoxError> {
        let now = self.clock.now();
        let mut spent = store.since(self.compiled.oldest_that_counts(now)).await?;
        spent.sort_by_key(|entry| entry.at);
        let used = Used::default();
        for entry in &spent {
            if let Some((rule, period)) = self.compiled.totals().find(|(rule, _)| ***rule == *entry.rule) {
                used.restore(entry.at, entry.signer, rule, period, entry.value);
            }
        }
        let (clock, kinds) = (self.clock, self.kinds);
        let compiled = RwLock::new(Arc::new(self.compiled));
        Ok(Policy { inner: Arc::new(Inner { compiled, used, clock, kinds, store: Some(Arc::new(store)) }) })
    }
}

impl Policy {
    /// A policy that counts in memory, by the machine's clock.
    ///
    /// # Errors
    /// [`PolicyError`], which names rule and field.
    pub fn new(config: &PolicyConfig) -> Result<Self, PolicyError> {
        Self::builder(config).map(PolicyBuilder::build)
    }

    /// Begins a policy.
    ///
    /// # Errors
    /// As [`Policy::new`].
    pub fn builder(config: &PolicyConfig) -> Result<PolicyBuilder, PolicyError> {
        let compiled = Compiled::new(config)?;
        Ok(PolicyBuilder { compiled, clock: Arc::new(SystemClock), kinds: None })
    }

    /// Replaces rules and preset at once for all clones. Rules that keep their names keep their
    /// counts; others count from now on.
    ///
    /// # Errors
    /// As [`Policy::new`]; the old rules stay then.
    pub fn replace(&self, config: &PolicyConfig) -> Result<(), PolicyError> {
        let compiled = Arc::new(Compiled::new(config)?);
        *self.inner.compiled.write().unwrap_or_else(PoisonError::into_inner) = compiled;
        Ok(())
    }

    /// What the policy would say to a request, and why. Counts nothing.
    pub async fn explain(&self, review: &Review<'_>) -> Explanation {
        let compiled = self.compiled();
        let subject = self.subject(&compiled, review).await;
        let facts = facts(review);
        let mut charges = Vec::new();
        let mut steps: Vec<_> = subject
            .parts()
            .enumerate()
            .map(|(i, call)| {
                let decided = compiled.decide(&facts, call);
                if let Ok(pass) = &decided {
                    charges.extend(compiled.tip(&facts, pass).filter(|_| i == 0));
                    charges.extend(pass.charge.clone());
                }
                step(&facts, call, decided)
            })
            .collect();
        if let Some(fault) = subject.fault.filter(|_| !compiled.allows_all()) {
            let by = "inspection".to_owned();
            let (what, reason) = ("what is inside".into(), fault.into());
            steps.push(ExplainedStep { what, decision: Action::Deny, by, reason });
        }
        let mut explanation = Explanation::of(steps);
        if explanation.is_allowed()
            && let Err(reason) = self.inner.used.check(self.inner.clock.now(), facts.signer, &charges)
        {
            let by = explanation.by.clone();
            explanation.deny(&by, reason);
        }
        explanation
    }

    fn compiled(&self) -> Arc<Compiled> {
        self.inner.compiled.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Reads a request's message and what is inside of it.
    async fn subject<'a>(&self, compiled: &Compiled, review: &'a Review<'_>) -> Subject<'a> {
        let (mut subject, mut next) = Subject::of(review);
        while let Some(mut call) = next.take() {
            recognise(compiled, &mut call);
            self.ask(&mut call).await;
            next = subject.add(call);
        }
        subject
    }

    /// The same where there is nobody to ask.
    fn subject_by_form<'a>(compiled: &Compiled, review: &'a Review<'_>) -> Subject<'a> {
        let (mut subject, mut next) = Subject::of(review);
        while let Some(mut call) = next.take() {
            recognise(compiled, &mut call);
            next = subject.add(call);
        }
        subject
    }

    /// Asks what the recipient is, as far as that is not clear.
    async fn ask(&self, call: &mut Call<'_>) {
        let Some(known) = &self.inner.kinds else { return };
        if call.role == call::Role::Constructor || (call.id.is_some() && call.kinds.only().is_some()) {
            return;
        }
        if let Some(actor) = known.kind(&call.to).await {
            call.kinds = kinds::Kinds::of(actor.kind);
            call.version = actor.version;
            call.id = call.id.or(actor.id);
        }
    }

    async fn decide(&self, review: &Review<'_>) -> Result<(), Refusal> {
        let compiled = self.compiled();
        if compiled.allows_all() {
            return Ok(());
        }
        let subject = self.subject(&compiled, review).await;
        let spent = self.judge(&compiled, review, &subject)?;
        self.keep(&compiled, &spent).await
    }

    /// Decides, and counts what passes; answers what has to be kept of that.
    fn judge(
        &self,
        compiled: &Compiled,
        review: &Review<'_>,
        subject: &Subject<'_>,
    ) -> Result<Vec<Spent>, Refusal> {
        let facts = facts(review);
        let mut charges = Vec::with_capacity(2);
        for (i, call) in subject.parts().enumerate() {
            let pass = compiled.decide(&facts, call).map_err(|denial| denied(&denial))?;
            charges.extend(compiled.tip(&facts, &pass).filter(|_| i == 0));
            charges.extend(pass.charge);
        }
        if let Some(fault) = subject.fault {
            return Err(Refusal::Denied(format!("{fault}; it cannot be inspected, so it is not signed")));
        }
        if charges.is_empty() { Ok(Vec::new()) } else { self.charge(&facts, &charges) }
    }

    fn charge(&self, facts: &Facts<'_>, charges: &[Charge]) -> Result<Vec<Spent>, Refusal> {
        let now = self.inner.clock.now();
        self.inner.used.take(now, facts.signer, charges).map_err(Refusal::Denied)?;
        if self.inner.store.is_none() {
            return Ok(Vec::new());
        }
        let counted = charges
            .iter()
            .filter(|charge| charge.lasting && charge.limits.total.is_some() && charge.value > 0);
        Ok(counted.map(|charge| entry(charge, facts, now)).collect())
    }

    async fn keep(&self, compiled: &Compiled, spent: &[Spent]) -> Result<(), Refusal> {
        match &self.inner.store {
            Some(store) if !spent.is_empty() => {
                let oldest = compiled.oldest_that_counts(self.inner.clock.now());
                store.record(spent, oldest).await.map_err(Refusal::Failed)
            }
            _ => Ok(()),
        }
    }
}

impl Check for Policy {
    fn name(&self) -> &'static str {
        "policy"
    }

    /// By hand: where nobody is asked and nothing is kept, there is nothing to await, and what could be is large.
    fn check<'s, 'e, 'r, 'f>(
        &'s self,
        review: &'e Review<'r>,
    ) -> Pin<Box<dyn Future<Output = Result<(), Refusal>> + Send + 'f>>
    where
        's: 'f,
        'e: 'f,
        'r: 'f,
        Self: 'f,
    {
        if self.inner.kinds.is_some() {
            return Box::pin(self.decide(review));
        }
        let compiled = self.compiled();
        if compiled.allows_all() {
            return Box::pin(ready(Ok(())));
        }
        match self.judge(&compiled, review, &Self::subject_by_form(&compiled, review)) {
            Ok(spent) if spent.is_empty() => Box::pin(ready(Ok(()))),
            Ok(spent) => Box::pin(async move { self.keep(&compiled, &spent).await }),
            Err(refusal) => Box::pin(ready(Err(refusal))),
        }
    }
}

/// Finds out what the recipient is, as far as the rules say it.
fn recognise(compiled: &Compiled, call: &mut Call<'_>) {
    if call.role == call::Role::Constructor {
        return;
    }
    if let Some(kinds) = compiled.declared(&call.to) {
        call.kinds = kinds;
    }
}

/// What a request is about.
struct Subject<'a> {
    /// Whether it is a message; its call and those inside of it then.
    message: bool,
    calls: Vec<Call<'a>>,
    fault: Option<&'static str>,
}

impl<'a> Subject<'a> {
    /// The subject of a request, and its message's call, which is not yet in it.
    fn of(review: &'a Review<'_>) -> (Self, Option<Call<'a>>) {
        let message = review.payload.message();
        let call = message.and_then(Call::of);
        let negative = message.is_some() && call.is_none();
        let fault = negative.then_some("the value is negative");
        let calls = Vec::with_capacity(usize::from(call.is_some()));
        (Self { calls, message: message.is_some(), fault }, call)
    }

    /// Adds a call; answers the one inside of it.
    fn add(&mut self, call: Call<'a>) -> Option<Call<'a>> {
        let mut next = None;
        match call.inside() {
            Inside::Nothing => {}
            // The message itself is no proposal.
            Inside::Call(_) if self.calls.len() >= MAX_DEPTH => {
                self.fault = Some("proposals are inside of each other more than four times");
            }
            Inside::Call(inner) => next = Some(inner),
            Inside::Unreadable(what) => self.fault = Some(what),
        }
        self.calls.push(call);
        next
    }

    /// All that has to pass.
    fn parts(&self) -> impl Iterator<Item = Option<&Call<'a>>> {
        self.calls.iter().map(Some).chain((!self.message).then_some(None))
    }
}

fn is_plain(payload: &Payload) -> bool {
    use RawClass::{Digest32, Other, Text, Uuid};
    let Payload::Raw { msg_type: MsgType::Unknown, class, .. } = payload else { return false };
    matches!(class, Text | Uuid | Digest32 | Other { malformed_f3: false })
}

fn facts<'a>(review: &Review<'a>) -> Facts<'a> {
    Facts {
        signer: review.request.signer,
        class: review.payload.class(),
        claimed: review.payload.msg_type(),
        plain: is_plain(review.payload),
        fee: gas_cost(review, |message| call::atto(&message.gas_fee_cap)),
        // Nobody pays more than the fee cap, whatever the premium says.
        tip: gas_cost(review, |message| {
            Some(call::atto(&message.gas_premium)?.min(call::atto(&message.gas_fee_cap)?))
        }),
        caller: review.request.caller,
    }
}

/// Gas limit times a price. A negative price pays nothing, and no node takes it.
fn gas_cost(review: &Review<'_>, price: impl Fn(&Message) -> Option<u128>) -> u128 {
    let cost =
        |message: &Message| price(message).unwrap_or_default().saturating_mul(message.gas_limit.into());
    review.payload.message().map_or(0, cost)
}

fn denied(denial: &Denial) -> Refusal {
    Refusal::Denied(format!("{} ({})", denial.reason, denial.by))
}

fn entry(charge: &Charge, facts: &Facts<'_>, at: Duration) -> Spent {
    Spent { rule: charge.rule.to_string(), signer: facts.signer, at, value: charge.value }
}

fn step(facts: &Facts<'_>, call: Option<&Call<'_>>, decided: Result<Pass, Denial>) -> ExplainedStep {
    let what = call.map_or_else(|| facts.class.as_str().to_owned(), Call::describe);
    let (decision, by, reason) = match decided {
        Ok(pass) => (Action::Allow, pass.by.to_string(), String::new()),
        Err(denial) => (Action::Deny, denial.by.to_string(), denial.reason),
    };
    ExplainedStep { what, decision, by, reason }
}
