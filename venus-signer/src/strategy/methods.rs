//! Names of methods.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use venus_core::actors::{ActorKind, methods};

use super::StrategyError;

/// Longest list of methods in one call. All versions together have fewer than 200 names.
const MAX_METHODS: usize = 512;

/// The name of plain transfers.
pub(super) const SEND: &str = "Send";

static ALL_NAMES: LazyLock<BTreeSet<&'static str>> = LazyLock::new(|| {
    let versions = 0..=methods::LATEST_VERSION;
    versions.flat_map(names_of).collect()
});

fn names_of(version: u32) -> BTreeSet<&'static str> {
    let of_actors = ActorKind::ALL.iter().flat_map(|kind| methods::all(*kind, version));
    of_actors.map(|(_, name)| name).chain([SEND]).collect()
}

/// The names of all methods of all actors in all versions up to `version` that had them, sorted, `Send` included.
/// Newer versions than the latest known are read as that.
///
/// ```
/// use venus_signer::strategy::method_names;
///
/// assert_eq!(method_names(3).len(), 63);
/// assert_eq!(method_names(18).len(), 179);
/// ```
pub fn method_names(version: u32) -> Vec<&'static str> {
    let versions = 0..=version.min(methods::LATEST_VERSION);
    versions.flat_map(names_of).collect::<BTreeSet<_>>().into_iter().collect()
}

/// Whether some actor has, in some version, a method of that name.
pub fn is_method_name(name: &str) -> bool {
    ALL_NAMES.contains(name)
}

/// Each name once, in the order given.
pub(super) fn distinct(names: &[String]) -> Vec<String> {
    let mut seen = BTreeSet::new();
    names.iter().filter(|name| seen.insert(name.as_str())).cloned().collect()
}

/// The names, each once, if all of them are names of methods.
pub(super) fn checked(names: &[String]) -> Result<Vec<String>, StrategyError> {
    if names.len() > MAX_METHODS {
        return Err(StrategyError::TooMany { what: "methods", limit: MAX_METHODS });
    }
    let names = distinct(names);
    let illegal: Vec<&str> = names.iter().map(String::as_str).filter(|name| !is_method_name(name)).collect();
    if illegal.is_empty() { Ok(names) } else { Err(StrategyError::IllegalMethods(shown(&illegal))) }
}

/// As much of the names as an error should repeat.
fn shown(names: &[&str]) -> String {
    const MAX_SHOWN: usize = 200;
    names.join(",").chars().take(MAX_SHOWN).collect()
}
