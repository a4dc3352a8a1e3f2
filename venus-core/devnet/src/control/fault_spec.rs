//! Faults of the wire as a request.

use serde::{Deserialize, Serialize};

/// Calls of a face that are to go wrong.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RpcFaultSpec {
    /// The method, with or without `Filecoin.`; `*` for any but those of the control.
    pub method: String,
    /// What goes wrong.
    pub kind: RpcFaultKind,
    /// How many calls, one if absent.
    #[serde(default = "one")]
    pub count: u64,
    /// Milliseconds of a delay.
    #[serde(default)]
    pub ms: u64,
    /// Code of an error, 1 if absent.
    #[serde(default = "method_code")]
    pub code: i64,
    /// Text of an error.
    #[serde(default = "injected")]
    pub message: String,
}

impl RpcFaultSpec {
    /// One call of `method` that goes wrong in this way.
    pub fn new(method: impl Into<String>, kind: RpcFaultKind) -> Self {
        Self { method: method.into(), kind, count: one(), ms: 0, code: method_code(), message: injected() }
    }
}

fn one() -> u64 {
    1
}

fn method_code() -> i64 {
    1
}

fn injected() -> String {
    "injected fault".into()
}

/// How a call goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum RpcFaultKind {
    /// It is answered later.
    Delay,
    /// It is answered with an error.
    Error,
    /// It is never answered.
    Drop,
    /// The connection breaks.
    Disconnect,
    /// The channel is closed as if its reader were too slow.
    SlowReader,
}
