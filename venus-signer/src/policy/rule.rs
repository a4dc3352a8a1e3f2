//! Rules, compiled.

use std::sync::Arc;
use std::time::Duration;

use venus_core::types::{Address, MsgType, Protocol, address, parse_fil};

use super::call::{Call, Same, atto, fil_text};
use super::caller::CallerRule;
use super::class::TypeSet;
use super::config::{Action, PolicyError, RuleConfig, TotalConfig};
use super::kinds::{Kinds, possible};
use super::limits::Limits;
use super::methods::{Hit, MethodSet};
use crate::payload::PayloadClass;
use crate::request::Caller;

/// More rules than anybody can read.
pub(crate) const MAX_RULES: usize = 10_000;
/// Names of presets in counts and answers begin so.
pub(crate) const RESERVED: &str = "default:";
const MAX_PERIOD: Duration = Duration::from_secs(366 * 86_400);

/// What does not change from call to call within a request.
#[derive(Debug)]
pub(crate) struct Facts<'a> {
    pub(crate) signer: Address,
    pub(crate) class: PayloadClass,
    pub(crate) claimed: MsgType,
    /// Bytes that nothing else gives a meaning to, asked for as such.
    pub(crate) plain: bool,
    /// attoFIL.
    pub(crate) fee: u128,
    /// The part of the fee that whoever mines the message gets, at most; attoFIL.
    pub(crate) tip: u128,
    pub(crate) caller: &'a Caller,
}

/// Why a rule does not match, as far as it got.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Miss {
    /// It speaks of something else.
    Other,
    Value,
    Fee,
    Caller,
    /// It would match if the recipient were known to be what the rule names.
    Recipient,
}

#[derive(Debug)]
pub(crate) struct Rule {
    pub(crate) name: Arc<str>,
    pub(crate) action: Action,
    keys: Vec<Address>,
    types: TypeSet,
    to: Vec<(Address, Kinds)>,
    methods: MethodSet,
    max_value: Option<u128>,
    max_fee: Option<u128>,
    over_value: Option<u128>,
    over_fee: Option<u128>,
    caller: CallerRule,
    pub(crate) limits: Limits,
}

impl Rule {
    /// `actors`: what is declared of addresses.
    pub(crate) fn compile(
        config: &RuleConfig,
        actors: impl Fn(&Address) -> Option<Kinds>,
    ) -> Result<Self, PolicyError> {
        let wrong = |field: &'static str| {
            let rule = config.name.clone();
            move |reason: String| PolicyError::Rule { rule, field, reason }
        };
        check_shape(config).map_err(|(field, reason)| wrong(field)(reason))?;
        let deny = config.action == Action::Deny;
        let amount = |field: &'static str, text: &Option<String>| {
            text.as_deref().map(amount).transpose().map_err(wrong(field))
        };
        let to = addresses(&config.to).map_err(wrong("to"))?;
        let total = config.total.as_ref().map(total).transpose().map_err(wrong("total"))?;
        let rate = config.rate.as_ref().map(|rate| Ok((rate.count, period(&rate.period)?)));
        Ok(Self {
            name: config.name.as_str().into(),
            action: config.action,
            keys: keys(&config.keys).map_err(wrong("keys"))?,
            types: TypeSet::compile(&config.types, deny, messages_only(config)).map_err(wrong("types"))?,
            to: to.into_iter().map(|to| (to, actors(&to).unwrap_or_else(|| possible(&to)))).collect(),
            methods: MethodSet::compile(&config.methods, deny).map_err(wrong("methods"))?,
            max_value: amount("max_value", &config.max_value)?,
            max_fee: amount("max_fee", &config.max_fee)?,
            over_value: amount("over_value", &config.over_value)?,
            over_fee: amount("over_fee", &config.over_fee)?,
            caller: CallerRule::compile(&config.caller).map_err(|(field, reason)| wrong(field)(reason))?,
            limits: Limits { total, rate: rate.transpose().map_err(wrong("rate"))? },
        })
    }

    /// Whether the rule decides about a call, or about a payload that is no message.
    ///
    /// A rule that allows has to be sure; a rule that denies need not.
    pub(crate) fn matches(&self, facts: &Facts<'_>, call: Option<&Call<'_>>) -> Result<(), Miss> {
        match self.action {
            Action::Allow => self.allows(facts, call),
            Action::Deny if self.denies(facts, call) => Ok(()),
            Action::Deny => Err(Miss::Other),
        }
    }

    fn allows(&self, facts: &Facts<'_>, call: Option<&Call<'_>>) -> Result<(), Miss> {
        let key = self.keys.is_empty() || self.keys.contains(&facts.signer);
        if !key || !self.types.certainly(facts.class) {
            return Err(Miss::Other);
        }
        let hit = call.map_or(Ok(Hit::Yes), |call| self.call_is_allowed(call))?;
        let value = call.map_or(0, |call| call.value);
        if !within(value, self.over_value, self.max_value) {
            return Err(Miss::Value);
        }
        if !within(facts.fee, self.over_fee, self.max_fee) {
            return Err(Miss::Fee);
        }
        if !self.caller.matches(facts.caller, false) {
            return Err(Miss::Caller);
        }
        if hit == Hit::Ambiguous { Err(Miss::Recipient) } else { Ok(()) }
    }

    fn call_is_allowed(&self, call: &Call<'_>) -> Result<Hit, Miss> {
        let named = self.to.iter().any(|(to, kinds)| call.same(to, *kinds) == Same::Yes);
        if !named && !self.to.is_empty() {
            return Err(Miss::Other);
        }
        match self.methods.is_empty() {
            true => Ok(Hit::Yes),
            false => match self.methods.certainly(call, named) {
                Hit::No => Err(Miss::Other),
                hit => Ok(hit),
            },
        }
    }

    fn denies(&self, facts: &Facts<'_>, call: Option<&Call<'_>>) -> bool {
        (self.keys.is_empty() || self.keys.contains(&facts.signer))
            && self.types.possibly(facts.class, facts.claimed)
            && self.caller.matches(facts.caller, true)
            // Bytes that may be a message whose contents we cannot see are denied as if they were the worst one.
            && call.is_none_or(|call| self.call_is_denied(call, facts.fee))
    }

    fn call_is_denied(&self, call: &Call<'_>, fee: u128) -> bool {
        let to = || self.to.iter().any(|(to, kinds)| call.same(to, *kinds) != Same::No);
        (self.to.is_empty() || to())
            && (self.methods.is_empty() || self.methods.possibly(call))
            && within(call.value, self.over_value, None)
            && within(fee, self.over_fee, None)
    }

    /// What to tell whoever is denied although this rule nearly allows it.
    pub(crate) fn near_miss(&self, miss: Miss) -> Option<String> {
        let name = &self.name;
        let cap = |cap: Option<u128>| cap.map_or_else(|| "another range".into(), fil_text);
        match miss {
            Miss::Other => None,
            Miss::Value => Some(format!("rule {name:?} allows values up to {}", cap(self.max_value))),
            Miss::Fee => Some(format!("rule {name:?} allows fees up to {}", cap(self.max_fee))),
            Miss::Caller => Some(format!("rule {name:?} is for other callers")),
            Miss::Recipient => Some(format!(
                "rule {name:?} names a method, and what kind of actor the recipient is is not known: say it in [actors]"
            )),
        }
    }
}

fn within(amount: u128, over: Option<u128>, max: Option<u128>) -> bool {
    over.is_none_or(|over| amount > over) && max.is_none_or(|max| amount <= max)
}

/// Whether the rule has conditions that only messages can meet.
fn messages_only(config: &RuleConfig) -> bool {
    let amounts = [&config.max_value, &config.max_fee, &config.over_value, &config.over_fee];
    let conditions = !config.to.is_empty() || !config.methods.is_empty() || config.total.is_some();
    conditions || amounts.iter().any(|amount| amount.is_some())
}

fn check_shape(config: &RuleConfig) -> Result<(), (&'static str, String)> {
    if config.name.is_empty() || config.name.len() > 128 || config.name.starts_with(RESERVED) {
        return Err(("name", format!("must have 1 to 128 bytes, and not begin with {RESERVED}")));
    }
    if messages_only(config) && config.types.iter().any(|name| name != "message") {
        let reason = "the other conditions are about messages, which the types exclude: make two rules";
        return Err(("types", reason.into()));
    }
    let bounds = [
        ("max_value", config.max_value.is_some()),
        ("max_fee", config.max_fee.is_some()),
        ("total", config.total.is_some()),
        ("rate", config.rate.is_some()),
    ];
    match bounds.iter().find(|bound| bound.1 && config.action == Action::Deny) {
        Some((field, _)) => {
            Err((field, "belongs to rules that allow; here over_value and over_fee are meant".into()))
        }
        None => Ok(()),
    }
}

fn keys(texts: &[String]) -> Result<Vec<Address>, String> {
    let keys = addresses(texts)?;
    let no_key = |key: &&Address| matches!(key.protocol(), Protocol::ID | Protocol::Actor);
    match keys.iter().find(no_key) {
        Some(key) => Err(format!("{} is no address of a key (f1, f3, f4)", super::call::text(key))),
        None => Ok(keys),
    }
}

pub(crate) fn addresses(texts: &[String]) -> Result<Vec<Address>, String> {
    // Exported lists come in any case; the alphabet has one case only.
    texts.iter().map(|text| one_address(text)).collect()
}

pub(crate) fn one_address(text: &str) -> Result<Address, String> {
    address::parse(text.trim().to_ascii_lowercase().as_str())
        .map(|found| super::kinds::unmasked(&found))
        .map_err(|error| format!("{text:?}: {error}"))
}

pub(crate) fn amount(text: &str) -> Result<u128, String> {
    let amount = parse_fil(text).map_err(|error| error.to_string())?;
    atto(&amount).ok_or_else(|| format!("{text:?} is negative"))
}

pub(crate) fn total(config: &TotalConfig) -> Result<(u128, Duration), String> {
    Ok((amount(&config.value)?, period(&config.period)?))
}

/// Reads `90s`, `1h30m`, `7d`.
pub(crate) fn period(text: &str) -> Result<Duration, String> {
    let wrong = || format!("{text:?} is no period; write 30s, 5m, 1h30m, 7d (at most 366d)");
    let mut rest = text.trim();
    let mut sum = 0_u64;
    while !rest.is_empty() {
        let at = rest.find(|c: char| !c.is_ascii_digit()).ok_or_else(wrong)?;
        let (number, tail) = rest.split_at(at);
        let seconds = match tail.as_bytes().first() {
            Some(b's') => 1,
            Some(b'm') => 60,
            Some(b'h') => 3600,
            Some(b'd') => 86_400,
            _ => return Err(wrong()),
        };
        let number: u64 = number.parse().map_err(|_| wrong())?;
        sum = number.checked_mul(seconds).and_then(|n| sum.checked_add(n)).ok_or_else(wrong)?;
        rest = tail.get(1..).unwrap_or_default();
    }
    let period = Duration::from_secs(sum);
    if period.is_zero() || period > MAX_PERIOD { Err(wrong()) } else { Ok(period) }
}
