//! One source as a tree of values, each of which knows where it came from; and laying one tree over another.

use std::{ffi::OsStr, path::Path};

use ::config::{FileFormat, Format, Map, Value, ValueKind};

use super::ConfigError;

/// Deepest key of a variable: no settings nest as deep, and trees are walked by recursion.
const MAX_DEPTH: usize = 16;

pub(super) fn empty() -> Value {
    Value::new(None, ValueKind::Table(Map::new()))
}

pub(super) fn of_file(path: &Path, text: &str) -> Result<Value, ConfigError> {
    let origin = path.display().to_string();
    match FileFormat::Toml.parse(Some(&origin), text) {
        Ok(table) => Ok(Value::new(Some(&origin), ValueKind::Table(table))),
        Err(e) => Err(ConfigError::Syntax { path: path.into(), reason: e.to_string().trim_end().to_owned() }),
    }
}

/// The layer of one variable; none if it is not the service's, or empty.
pub(super) fn of_variable(prefix: &str, name: &OsStr, value: &OsStr) -> Result<Option<Value>, ConfigError> {
    let shown = name.to_string_lossy();
    let Some(key) = shown.strip_prefix(prefix).filter(|_| !value.is_empty()) else { return Ok(None) };
    let bad = |reason| Err(ConfigError::Variable { name: shown.clone().into_owned(), reason });
    let key = key.to_ascii_lowercase();
    if key.split("__").any(str::is_empty) {
        return bad("a part of its key is empty: write VENUS_SERVICE__TABLE__KEY");
    }
    if key.split("__").count() > MAX_DEPTH {
        return bad("its key has too many parts");
    }
    let Some(value) = value.to_str() else { return bad("is not UTF-8: write it in UTF-8") };
    Ok(Some(of_text(&format!("environment variable {shown}"), key.rsplit("__"), value)))
}

/// A tree of one leaf; the parts of its key come last first. Text stays text, whatever it looks like: numbers and booleans are read out of it where the
/// settings want one, so that a token of digits loses no leading zero.
pub(super) fn of_text<'a>(origin: &str, key: impl Iterator<Item = &'a str>, text: &str) -> Value {
    let origin = origin.to_owned();
    let leaf = list(&origin, text).unwrap_or_else(|| Value::new(Some(&origin), text));
    key.fold(leaf, |below, part| {
        let table = Map::from_iter([(part.to_owned(), below)]);
        Value::new(Some(&origin), ValueKind::Table(table))
    })
}

/// Text in brackets that TOML reads as a list. Other text may begin so too, as `[::1]:80`.
fn list(origin: &String, text: &str) -> Option<Value> {
    if !(text.starts_with('[') && text.ends_with(']')) {
        return None;
    }
    FileFormat::Toml.parse(Some(origin), &format!("list = {text}")).ok()?.remove("list")
}

/// Tables are merged, anything else is replaced, lists included.
pub(super) fn merge(into: &mut Value, from: Value) {
    match (&mut into.kind, from.kind.clone()) {
        (ValueKind::Table(old), ValueKind::Table(new)) => {
            for (key, value) in new {
                match old.get_mut(&key) {
                    Some(old) => merge(old, value),
                    None => drop(old.insert(key, value)),
                }
            }
        }
        _ => *into = from,
    }
}

/// Where the value of `key` came from, if it is there.
pub(super) fn origin_of<'a>(root: &'a Value, key: &str) -> Option<&'a str> {
    // A quoted key may hold any character, so the longest match is tried first.
    if let Some(found) = child(root, key) {
        return found.origin();
    }
    let (part, rest) = key.split_once(['.', '['])?;
    child(root, part).and_then(|below| origin_of(below, rest))
}

fn child<'a>(value: &'a Value, part: &str) -> Option<&'a Value> {
    match &value.kind {
        ValueKind::Table(table) => table.get(part),
        ValueKind::Array(items) => items.get(part.trim_end_matches(']').parse::<usize>().ok()?),
        _ => None,
    }
}
