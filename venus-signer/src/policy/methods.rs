//! Methods in rules: numbers, names, names of one kind of actor.

use std::collections::HashMap;
use std::ops::RangeInclusive;
use std::sync::LazyLock;

use serde::{Deserialize, Serialize};
use venus_core::actors::{ActorKind, methods};

use super::call::Call;
use super::kinds::Kinds;
use super::params;

/// What Go's names of exported methods (FRC-0042) end with.
const EXPORTED: &str = "Exported";
const ALL_VERSIONS: u32 = u32::MAX;

/// A method in a rule: a number, a name (`WithdrawBalance`), or the name of one kind of actor
/// (`miner.WithdrawBalance`).
///
/// A name stands for its exported twin too (`WithdrawBalanceExported`): both do the same.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum MethodName {
    /// By number, whatever the recipient is.
    Number(u64),
    /// By name.
    Name(String),
}

impl From<u64> for MethodName {
    fn from(number: u64) -> Self {
        Self::Number(number)
    }
}

impl From<&str> for MethodName {
    fn from(name: &str) -> Self {
        Self::Name(name.into())
    }
}

static KINDS: LazyLock<HashMap<u64, Kinds>> = LazyLock::new(|| {
    let mut kinds = HashMap::from([(0, Kinds::these(ActorKind::ALL))]);
    for kind in ActorKind::ALL {
        for (number, _) in versions().flat_map(|version| methods::all(*kind, version)) {
            let entry = kinds.entry(number).or_insert(Kinds::NONE);
            *entry = entry.with(*kind);
        }
    }
    kinds
});

fn versions() -> RangeInclusive<u32> {
    0..=methods::LATEST_VERSION
}

/// The kinds of actor that have a method of this number in some version.
pub(crate) fn kinds_with(number: u64) -> Kinds {
    KINDS.get(&number).copied().unwrap_or(Kinds::NONE)
}

/// `miner.WithdrawBalance` if the recipient can only be one kind, else all that the number may mean there.
pub(crate) fn describe(kinds: Kinds, number: u64) -> String {
    if number == 0 {
        return "Send".into();
    }
    let mut names: Vec<String> = Vec::new();
    for kind in kinds.iter().filter(|kind| kinds_with(number).has(*kind)) {
        let name = versions().rev().find_map(|version| methods::name(kind, version, number));
        names.extend(name.map(|name| format!("{kind}.{name}")));
    }
    if names.is_empty() { format!("method {number}") } else { names.join(" or ") }
}

#[derive(Clone, Copy, Debug)]
struct Entry {
    number: u64,
    kind: Option<ActorKind>,
    /// Bit `n` stands for version `n` of the actors.
    versions: u32,
    /// Whether the rule says itself what kind the recipient is.
    qualified: bool,
}

/// Whether a call is of a method that a rule names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Hit {
    Yes,
    No,
    /// It would be, if the recipient were known to be of that kind.
    Ambiguous,
}

/// The methods of a rule, compiled.
#[derive(Clone, Debug, Default)]
pub(crate) struct MethodSet(Vec<Entry>);

impl MethodSet {
    /// `deny`: numbers too stand for their exported twins, and exported names for the others.
    pub(crate) fn compile(names: &[MethodName], deny: bool) -> Result<Self, String> {
        let mut entries = Vec::new();
        for name in names {
            match name {
                MethodName::Number(number) => numbered(*number, deny, &mut entries),
                MethodName::Name(name) => named(name, deny, &mut entries)?,
            }
        }
        entries.sort_by_key(|entry| entry.number);
        Ok(Self(entries))
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    fn of(&self, number: u64) -> impl Iterator<Item = &Entry> {
        let from = self.0.partition_point(|entry| entry.number < number);
        self.0.get(from..).unwrap_or_default().iter().take_while(move |entry| entry.number == number)
    }

    /// Whether the call may be one of these.
    pub(crate) fn possibly(&self, call: &Call<'_>) -> bool {
        self.of(call.method).any(|entry| entry.may_be(call))
    }

    /// Whether the call is one of these for sure. `named`: the rule names this very recipient.
    pub(crate) fn certainly(&self, call: &Call<'_>, named: bool) -> Hit {
        let mut hit = Hit::No;
        for entry in self.of(call.method).filter(|entry| entry.may_be(call)) {
            if entry.is(call, named) {
                return Hit::Yes;
            }
            hit = Hit::Ambiguous;
        }
        hit
    }
}

impl Entry {
    fn may_be(&self, call: &Call<'_>) -> bool {
        let version = call.version.is_none_or(|version| self.versions & bit(version) != 0);
        self.kind.is_none_or(|kind| call.kinds.has(kind) && version)
    }

    fn is(&self, call: &Call<'_>, named: bool) -> bool {
        let Some(kind) = self.kind else { return true };
        call.kinds.only() == Some(kind)
            || (self.qualified && named)
            || params::proves(kind, call.kinds, call.method, &call.params)
    }
}

fn bit(version: u32) -> u32 {
    1 << version.min(methods::LATEST_VERSION)
}

fn numbered(number: u64, deny: bool, entries: &mut Vec<Entry>) {
    entries.push(Entry { number, kind: None, versions: ALL_VERSIONS, qualified: false });
    if !deny || number == 0 {
        return;
    }
    for kind in kinds_with(number).iter() {
        let name = versions().rev().find_map(|version| methods::name(kind, version, number));
        for twin in name.iter().flat_map(|name| twins(name)) {
            collect(kind, &twin, true, entries);
        }
    }
}

fn named(text: &str, deny: bool, entries: &mut Vec<Entry>) -> Result<(), String> {
    let (only, name) = match text.split_once('.') {
        Some((kind, name)) => (Some(kind_of(kind)?), name),
        None => (None, text),
    };
    if name == "Send" {
        entries.push(Entry { number: 0, kind: only, versions: ALL_VERSIONS, qualified: only.is_some() });
        return Ok(());
    }
    let before = entries.len();
    for kind in ActorKind::ALL.iter().copied().filter(|kind| only.is_none_or(|only| only == *kind)) {
        collect(kind, name, only.is_some(), entries);
        let twins = twins(name).into_iter().filter(|twin| deny || twin.ends_with(EXPORTED));
        twins.for_each(|twin| collect(kind, &twin, only.is_some(), entries));
    }
    if entries.len() == before {
        return Err(format!("{text:?} is no method of an actor that is known"));
    }
    Ok(())
}

/// The same method by its other name.
fn twins(name: &str) -> Vec<String> {
    match name.strip_suffix(EXPORTED) {
        Some(plain) => vec![plain.to_owned()],
        None => vec![format!("{name}{EXPORTED}")],
    }
}

fn collect(kind: ActorKind, name: &str, qualified: bool, entries: &mut Vec<Entry>) {
    for version in versions() {
        let Some(number) = methods::number(kind, version, name) else { continue };
        match entries.iter_mut().find(|e| e.number == number && e.kind == Some(kind)) {
            Some(entry) => {
                entry.versions |= bit(version);
                entry.qualified |= qualified;
            }
            None => entries.push(Entry { number, kind: Some(kind), versions: bit(version), qualified }),
        }
    }
}

pub(crate) fn kind_of(name: &str) -> Result<ActorKind, String> {
    let found = ActorKind::ALL.iter().copied().find(|kind| kind.name() == name);
    found.or_else(|| ActorKind::from_manifest_name(name)).ok_or_else(|| {
        let names: Vec<_> = ActorKind::ALL.iter().map(|kind| kind.name()).collect();
        format!("{name:?} is no kind of actor; the kinds are {}", names.join(", "))
    })
}
