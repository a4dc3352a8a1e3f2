//! Policies as people write them.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use venus_core::error::{Classify, ErrorKind};

use super::caller::CallerConfig;
use super::methods::MethodName;

/// Why a policy is none. The text names rule and field.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PolicyError {
    /// The text is no TOML, or has a key that is not known.
    #[error("policy: {0}")]
    Syntax(String),
    /// A field of a rule is wrong.
    #[error("policy: rule {rule:?}: {field}: {reason}")]
    Rule {
        /// The rule's name.
        rule: String,
        /// The field.
        field: &'static str,
        /// What is wrong.
        reason: String,
    },
    /// A field outside of the rules is wrong.
    #[error("policy: {field}: {reason}")]
    Field {
        /// The field.
        field: String,
        /// What is wrong.
        reason: String,
    },
}

impl Classify for PolicyError {
    fn kind(&self) -> ErrorKind {
        ErrorKind::Invalid
    }
}

/// What happens to requests that no rule decides.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Preset {
    /// The flow of sealing and mining is allowed, and nothing else.
    #[default]
    Mining,
    /// Nothing is allowed.
    Deny,
    /// Everything is allowed.
    Allow,
}

/// A policy. See the module for an example.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct PolicyConfig {
    /// What happens to requests that no rule decides.
    pub default: Preset,
    /// Bounds of the preset `mining`.
    pub mining: MiningConfig,
    /// What actors are, by address: `"f01000" = "miner"`. A promise of whoever writes the policy.
    pub actors: BTreeMap<String, String>,
    /// The rules, in order.
    #[serde(rename = "rule")]
    pub rules: Vec<RuleConfig>,
}

/// Bounds of the preset `mining`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct MiningConfig {
    /// The miners. If none is named, any actor that takes a miner's parameters may be one; then `AddBalance` needs a
    /// rule.
    pub miners: Vec<String>,
    /// How much a message may send to a miner or to escrow as pledge.
    pub pledge_cap: String,
    /// How much all such messages of a key may send together in a sliding period.
    pub pledge_total: TotalConfig,
    /// How much gas may cost at most (gas limit times fee cap), for a message.
    pub fee_cap: String,
    /// How much of that all messages of a key together may give to whoever mines them (gas limit times premium) in a
    /// sliding period. Counted anew after a restart.
    pub tip_total: TotalConfig,
}

impl Default for MiningConfig {
    fn default() -> Self {
        Self {
            miners: Vec::new(),
            pledge_cap: "10 FIL".into(),
            pledge_total: TotalConfig { value: "1000 FIL".into(), period: "24h".into() },
            fee_cap: "5 FIL".into(),
            tip_total: TotalConfig { value: "50 FIL".into(), period: "24h".into() },
        }
    }
}

/// What a rule does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Action {
    /// Lets matching requests pass.
    Allow,
    /// Refuses them.
    Deny,
}

/// A rule. Conditions that are not given do not matter.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RuleConfig {
    /// Its name, which no other rule has. Counts of rates and totals belong to the name.
    pub name: String,
    /// What it does.
    pub action: Action,
    /// The keys that sign.
    #[serde(default)]
    pub keys: Vec<String>,
    /// What is signed: names of message types, or of what raw bytes turned out to be.
    #[serde(default)]
    pub types: Vec<String>,
    /// Whom a message calls.
    #[serde(default)]
    pub to: Vec<String>,
    /// What it calls.
    #[serde(default)]
    pub methods: Vec<MethodName>,
    /// At most this value. Only in rules that allow.
    #[serde(default)]
    pub max_value: Option<String>,
    /// At most this fee (gas limit times fee cap). Only in rules that allow.
    #[serde(default)]
    pub max_fee: Option<String>,
    /// More than this value.
    #[serde(default)]
    pub over_value: Option<String>,
    /// More than this fee.
    #[serde(default)]
    pub over_fee: Option<String>,
    /// How much value may go in a sliding period, for each key. Only in rules that allow.
    #[serde(default)]
    pub total: Option<TotalConfig>,
    /// How many signatures there may be in a sliding period, for each key. Only in rules that allow.
    #[serde(default)]
    pub rate: Option<RateConfig>,
    /// Who asks.
    #[serde(default)]
    pub caller: CallerConfig,
}

/// A value in a sliding period.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TotalConfig {
    /// As `1.5 FIL`.
    pub value: String,
    /// As `24h`, `1h30m`, `7d`.
    pub period: String,
}

/// A number of signatures in a sliding period.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RateConfig {
    /// How many.
    pub count: u64,
    /// As `1m`.
    pub period: String,
}

impl PolicyConfig {
    /// Reads TOML.
    ///
    /// # Errors
    /// [`PolicyError::Syntax`], which names a key that is not known. The rules' contents are checked by
    /// [`Policy::new`](super::Policy::new).
    pub fn from_toml(text: &str) -> Result<Self, PolicyError> {
        toml::from_str(text).map_err(|error| PolicyError::Syntax(error.to_string().trim_end().to_owned()))
    }

    /// A policy that only has a preset.
    pub fn preset(default: Preset) -> Self {
        Self { default, ..Self::default() }
    }

    /// Adds a rule behind the others.
    #[must_use]
    pub fn rule(mut self, rule: RuleConfig) -> Self {
        self.rules.push(rule);
        self
    }

    /// Says what an actor is.
    #[must_use]
    pub fn actor(mut self, address: impl Into<String>, kind: impl Into<String>) -> Self {
        self.actors.insert(address.into(), kind.into());
        self
    }
}

impl RuleConfig {
    fn new(name: impl Into<String>, action: Action) -> Self {
        Self {
            name: name.into(),
            action,
            keys: Vec::new(),
            types: Vec::new(),
            to: Vec::new(),
            methods: Vec::new(),
            max_value: None,
            max_fee: None,
            over_value: None,
            over_fee: None,
            total: None,
            rate: None,
            caller: CallerConfig::default(),
        }
    }

    /// A rule that allows.
    pub fn allow(name: impl Into<String>) -> Self {
        Self::new(name, Action::Allow)
    }

    /// A rule that denies.
    pub fn deny(name: impl Into<String>) -> Self {
        Self::new(name, Action::Deny)
    }

    /// For these keys.
    #[must_use]
    pub fn keys<T: Into<String>>(mut self, keys: impl IntoIterator<Item = T>) -> Self {
        self.keys.extend(keys.into_iter().map(Into::into));
        self
    }

    /// For these types.
    #[must_use]
    pub fn types<T: Into<String>>(mut self, types: impl IntoIterator<Item = T>) -> Self {
        self.types.extend(types.into_iter().map(Into::into));
        self
    }

    /// For messages to these actors.
    #[must_use]
    pub fn to<T: Into<String>>(mut self, to: impl IntoIterator<Item = T>) -> Self {
        self.to.extend(to.into_iter().map(Into::into));
        self
    }

    /// For calls of these methods.
    #[must_use]
    pub fn methods<T: Into<MethodName>>(mut self, methods: impl IntoIterator<Item = T>) -> Self {
        self.methods.extend(methods.into_iter().map(Into::into));
        self
    }

    /// With at most this value.
    #[must_use]
    pub fn max_value(mut self, value: impl Into<String>) -> Self {
        self.max_value = Some(value.into());
        self
    }

    /// With at most this fee.
    #[must_use]
    pub fn max_fee(mut self, fee: impl Into<String>) -> Self {
        self.max_fee = Some(fee.into());
        self
    }

    /// With more than this value.
    #[must_use]
    pub fn over_value(mut self, value: impl Into<String>) -> Self {
        self.over_value = Some(value.into());
        self
    }

    /// With more than this fee.
    #[must_use]
    pub fn over_fee(mut self, fee: impl Into<String>) -> Self {
        self.over_fee = Some(fee.into());
        self
    }

    /// With at most this value in a period.
    #[must_use]
    pub fn total(mut self, value: impl Into<String>, period: impl Into<String>) -> Self {
        self.total = Some(TotalConfig { value: value.into(), period: period.into() });
        self
    }

    /// With at most so many signatures in a period.
    #[must_use]
    pub fn rate(mut self, count: u64, period: impl Into<String>) -> Self {
        self.rate = Some(RateConfig { count, period: period.into() });
        self
    }

    /// For these callers.
    #[must_use]
    pub fn caller(mut self, caller: CallerConfig) -> Self {
        self.caller = caller;
        self
    }
}
