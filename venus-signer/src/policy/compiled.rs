//! A policy, compiled, and how it decides.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use venus_core::types::Address;

use super::call::Call;
use super::config::{Action, PolicyConfig, PolicyError, Preset};
use super::kinds::Kinds;
use super::limits::Charge;
use super::methods;
use super::mining::{Allowed, Mining};
use super::rule::{Facts, MAX_RULES, Miss, RESERVED, Rule, one_address};

/// A policy, ready to decide.
#[derive(Debug)]
pub(crate) struct Compiled {
    rules: Vec<Rule>,
    preset: Preset,
    mining: Mining,
    actors: HashMap<Address, Kinds>,
}

/// What decided.
#[derive(Clone, Debug)]
pub(crate) enum By {
    Rule(Arc<str>),
    Preset(&'static str),
}

impl std::fmt::Display for By {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Rule(name) => write!(f, "rule {name:?}"),
            Self::Preset(clause) => write!(f, "{RESERVED}{clause}"),
        }
    }
}

/// A decision that lets pass.
#[derive(Clone, Debug)]
pub(crate) struct Pass {
    pub(crate) by: By,
    pub(crate) charge: Option<Charge>,
}

/// A decision that does not.
#[derive(Clone, Debug)]
pub(crate) struct Denial {
    pub(crate) by: By,
    pub(crate) reason: String,
}

impl Compiled {
    pub(crate) fn new(config: &PolicyConfig) -> Result<Self, PolicyError> {
        if config.rules.len() > MAX_RULES {
            let reason = format!("has {} entries, at most {MAX_RULES} are taken", config.rules.len());
            return Err(PolicyError::Field { field: "rule".into(), reason });
        }
        let actors = declared(config)?;
        let mut rules: Vec<Rule> = Vec::with_capacity(config.rules.len());
        let mut names = std::collections::HashSet::new();
        for rule in &config.rules {
            if !names.insert(rule.name.as_str()) {
                let reason = "another rule has the same name".into();
                return Err(PolicyError::Rule { rule: rule.name.clone(), field: "name", reason });
            }
            rules.push(Rule::compile(rule, |address| actors.get(address).copied())?);
        }
        Ok(Self { rules, preset: config.default, mining: Mining::compile(&config.mining)?, actors })
    }

    /// Whether nothing is ever denied, so that nothing needs to be understood.
    pub(crate) fn allows_all(&self) -> bool {
        self.rules.is_empty() && self.preset == Preset::Allow
    }

    /// What the policy says that an actor is.
    pub(crate) fn declared(&self, address: &Address) -> Option<Kinds> {
        self.actors.get(address).copied()
    }

    /// The rules that count values, with their periods.
    pub(crate) fn totals(&self) -> impl Iterator<Item = (&Arc<str>, Duration)> {
        let rules = self.rules.iter().filter_map(|rule| Some((&rule.name, rule.limits.total?.1)));
        rules.chain([self.mining.pledge_limit()])
    }

    /// Nothing from before this time counts against a total.
    pub(crate) fn oldest_that_counts(&self, now: Duration) -> Duration {
        let longest = self.totals().map(|total| total.1).max().unwrap_or_default();
        // A part of a period counts until all of it is over.
        now.saturating_sub(longest.saturating_mul(2))
    }

    /// What a message gives to whoever mines it, if the preset alone lets it pass: rules have their own limits.
    pub(crate) fn tip(&self, facts: &Facts<'_>, pass: &Pass) -> Option<Charge> {
        let preset = matches!(pass.by, By::Preset(_)) && self.preset == Preset::Mining;
        (preset && facts.tip > 0).then(|| self.mining.tip(facts.tip))
    }

    /// Decides about a call of a message, or about a payload that is no message.
    pub(crate) fn decide(&self, facts: &Facts<'_>, call: Option<&Call<'_>>) -> Result<Pass, Denial> {
        for rule in &self.rules {
            match (rule.matches(facts, call), rule.action) {
                (Err(_), _) => {}
                (Ok(()), Action::Allow) => return Ok(pass(rule, call)),
                (Ok(()), Action::Deny) => {
                    let reason = format!("{} is denied", what(facts, call));
                    return Err(Denial { by: By::Rule(rule.name.clone()), reason });
                }
            }
        }
        self.by_preset(facts, call)
    }

    fn by_preset(&self, facts: &Facts<'_>, call: Option<&Call<'_>>) -> Result<Pass, Denial> {
        let decided = match self.preset {
            Preset::Allow => Ok(Allowed { clause: "allow", charge: None }),
            Preset::Deny => Err("no rule allows it".to_owned()),
            Preset::Mining => match call {
                Some(call) => self.mining.call(facts, call),
                None => self.mining.payload(facts),
            },
        };
        match decided {
            Ok(Allowed { clause, charge }) => Ok(Pass { by: By::Preset(clause), charge }),
            Err(why) => {
                let by = By::Preset(if self.preset == Preset::Deny { "deny" } else { "mining" });
                Err(Denial { by, reason: self.explain_denial(facts, call, &why) })
            }
        }
    }

    /// Says what was asked, why it is not allowed, which rules nearly allow it, and what rule would.
    fn explain_denial(&self, facts: &Facts<'_>, call: Option<&Call<'_>>, why: &str) -> String {
        let mut text = format!("{}: {why}", what(facts, call));
        for rule in self.rules.iter().filter(|rule| rule.action == Action::Allow) {
            let miss = rule.matches(facts, call).err().unwrap_or(Miss::Other);
            if let Some(near) = rule.near_miss(miss) {
                text.push_str("; ");
                text.push_str(&near);
            }
        }
        text.push_str("; to allow it, add a rule with ");
        text.push_str(&match call {
            Some(call) => {
                format!("types = [\"message\"], to = [{:?}], methods = [{}]", to(call), call.method)
            }
            None => format!("types = [{:?}]", facts.class.as_str()),
        });
        text
    }
}

fn to(call: &Call<'_>) -> String {
    super::call::text(&call.to)
}

fn what(facts: &Facts<'_>, call: Option<&Call<'_>>) -> String {
    call.map_or_else(|| format!("signing {}", facts.class.as_str()), Call::describe)
}

fn pass(rule: &Rule, call: Option<&Call<'_>>) -> Pass {
    let counts = rule.limits.total.is_some() || rule.limits.rate.is_some();
    let charge = counts.then(|| Charge {
        rule: rule.name.clone(),
        limits: rule.limits,
        // A constructor gets the value of the message that makes its actor: the same money.
        value: call.filter(|call| call.role != super::call::Role::Constructor).map_or(0, |call| call.value),
        lasting: true,
    });
    Pass { by: By::Rule(rule.name.clone()), charge }
}

fn declared(config: &PolicyConfig) -> Result<HashMap<Address, Kinds>, PolicyError> {
    let mut actors = HashMap::with_capacity(config.actors.len());
    for (text, kind) in &config.actors {
        let wrong = |reason| PolicyError::Field { field: format!("actors.{text:?}"), reason };
        let address = one_address(text).map_err(wrong)?;
        let kind = methods::kind_of(kind).map_err(wrong)?;
        if !super::kinds::possible(&address).has(kind) {
            return Err(wrong(format!("an address of this form is never that of a {kind}")));
        }
        actors.insert(address, Kinds::of(kind));
    }
    Ok(actors)
}
