//! Reading the recordings.

use std::{fs, path::PathBuf};

use serde_json::Value;
use venus_core::rpc::Dialect;

/// The lines of `tests/data/jsonrpc/<name>`.
pub fn lines(name: &str) -> Vec<Value> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/data/jsonrpc").join(name);
    let text = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// The dialect of a recorded library.
pub fn dialect(lib: &str) -> Dialect {
    if lib.starts_with("fork") { Dialect::Fork } else { Dialect::Upstream }
}

pub fn text<'a>(line: &'a Value, member: &str) -> &'a str {
    line[member].as_str().unwrap_or_default()
}

/// A frame without the trace context that Go adds to calls and we do not.
pub fn without_span(body: &str) -> String {
    match body.split_once(",\"meta\":{\"SpanContext\":\"") {
        Some((head, rest)) => format!("{head}{}", rest.split_once("\"}").unwrap().1),
        None => body.to_owned(),
    }
}
