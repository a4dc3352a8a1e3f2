//! Reading and changing strategies.

mod groups;
mod key_binds;
mod templates;

use super::error::StrategyError;
use super::methods;

/// Longest name, characters.
const MAX_NAME: usize = 32;
/// Most rows that a list returns.
const MAX_PAGE: usize = 1000;

type Result<T> = std::result::Result<T, StrategyError>;

fn find<'a, T: Clone + 'a>(mut rows: impl Iterator<Item = &'a T>, is: impl Fn(&T) -> bool) -> Result<T> {
    rows.find(|row| is(row)).cloned().ok_or(StrategyError::NotFound)
}

fn page<T>(rows: impl Iterator<Item = T>, skip: i64, limit: i64) -> Result<Vec<T>> {
    let bound = |n: i64| usize::try_from(n).ok();
    match (bound(skip), bound(limit).filter(|limit| *limit <= MAX_PAGE)) {
        (Some(skip), Some(limit)) => Ok(rows.skip(skip).take(limit).collect()),
        (None, _) => Err(StrategyError::Invalid { what: "from", reason: "must not be negative" }),
        (_, None) => {
            Err(StrategyError::Invalid { what: "to", reason: "must be 0 to 1000: it is the number of rows" })
        }
    }
}

fn check_name(what: &'static str, name: &str) -> Result<()> {
    let allowed = |c: u8| c.is_ascii_alphanumeric() || b"_-.:@+#/".contains(&c);
    match (1..=MAX_NAME).contains(&name.len()) && name.bytes().all(allowed) {
        true => Ok(()),
        false => Err(StrategyError::name(what)),
    }
}

fn some_methods(methods: &[String]) -> Result<Vec<String>> {
    if methods.is_empty() { Err(StrategyError::NilReference) } else { methods::checked(methods) }
}
