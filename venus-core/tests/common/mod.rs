//! Test data, found and read.
#![allow(dead_code, unreachable_pub, reason = "each test binary uses a part")]

pub mod real_chain;

use data_encoding::HEXLOWER;
use serde::de::DeserializeOwned;
use serde_json::Value;

/// The text of a file in `tests/data`.
pub fn text(name: &str) -> String {
    let path = format!("{}/tests/data/{name}", env!("CARGO_MANIFEST_DIR"));
    std::fs::read_to_string(&path).unwrap_or_else(|e| panic!("{path}: {e}"))
}

/// A file in `tests/data` as JSON.
pub fn json(name: &str) -> Value {
    serde_json::from_str(&text(name)).unwrap()
}

/// The elements of a JSON list.
pub fn list(value: &Value) -> &[Value] {
    value.as_array().expect("a list")
}

/// The text of a JSON member.
pub fn str_of<'a>(value: &'a Value, member: &str) -> &'a str {
    value[member].as_str().unwrap_or_else(|| panic!("{member} is no text in {value}"))
}

/// The bytes of a member in hexadecimal.
pub fn hex_of(value: &Value, member: &str) -> Vec<u8> {
    HEXLOWER.decode(str_of(value, member).as_bytes()).unwrap()
}

/// A member that is text, read by `FromStr`.
pub fn parsed<T: std::str::FromStr<Err: std::fmt::Debug>>(value: &Value, member: &str) -> T {
    str_of(value, member).parse().unwrap()
}

/// A value of one of our types.
pub fn typed<T: DeserializeOwned>(value: &Value) -> T {
    serde_json::from_value(value.clone()).unwrap_or_else(|e| panic!("{e} in {value}"))
}
