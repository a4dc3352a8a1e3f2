//! Recordings of Go's gateway, played against ours.
//!
//! The recorded clients' frames go out in order; what comes back has to be the recorded bytes, but for what varies from
//! run to run (see [`adapt`]) and for differences that a test lists with their reasons. The daemon's tests use this too.

pub mod adapt;
pub mod calls;
pub mod conn;
pub mod play;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::path::Path;

use serde_json::Value;

/// A line of a recording.
#[derive(Clone, Debug)]
pub struct Line {
    pub n: u64,
    pub conn: u64,
    pub from_server: bool,
    /// `http`, `text`, `ping`, `pong`, `close`, `eof`, `refused` or `note`.
    pub kind: String,
    /// Of `http`: request line or status line.
    pub start: String,
    pub headers: Vec<(String, String)>,
    /// Of `text` and `http`; of `note`, the note.
    pub body: String,
}

/// The lines of a file. Files of requests and responses become two lines each.
pub fn read(path: impl AsRef<Path>) -> Vec<Line> {
    let text = std::fs::read_to_string(path).unwrap();
    let values =
        text.lines().enumerate().map(|(at, line)| (at, serde_json::from_str::<Value>(line).unwrap()));
    values.flat_map(|(at, value)| lines(at as u64 + 1, &value)).collect()
}

fn lines(at: u64, value: &Value) -> Vec<Line> {
    let n = value["n"].as_u64().unwrap_or(at);
    let text = |value: &Value, name: &str| value[name].as_str().unwrap_or_default().to_owned();
    let http = |value: &Value, conn, from_server| {
        let (start, body) = (text(value, "start"), text(value, "body"));
        Line { n, conn, from_server, kind: "http".into(), start, headers: headers(value), body }
    };
    if value["req"].is_object() {
        return vec![http(&value["req"], n, false), http(&value["res"], n, true)];
    }
    let (conn, kind) = (value["conn"].as_u64().unwrap_or(0), text(value, "kind"));
    let mut line = Line { kind, ..http(value, conn, value["dir"] == "s>c") };
    if line.kind == "note" {
        line.body = text(value, "note");
    }
    vec![line]
}

fn headers(value: &Value) -> Vec<(String, String)> {
    let pairs = value["headers"].as_object().into_iter().flatten();
    pairs.map(|(name, value)| (name.clone(), value.as_str().unwrap_or_default().to_owned())).collect()
}

impl Line {
    pub fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(own, _)| own.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.as_str())
    }
}

/// What happens instead of a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Instead {
    /// This comes (of HTTP: this status, then a space, then this body).
    Text(&'static str),
    /// Nothing comes, or nothing is sent.
    Nothing,
}

/// A difference that is meant.
#[derive(Clone, Copy, Debug)]
pub struct Intended {
    /// The lines.
    pub lines: &'static [u64],
    pub why: &'static str,
    pub instead: Instead,
}

/// What a replay came to.
#[derive(Default)]
pub struct Tally {
    pub alike: u32,
    pub intended: u32,
    pub other: Vec<String>,
    /// Lines whose difference was seen.
    pub seen: BTreeSet<u64>,
    reasons: BTreeMap<&'static str, u32>,
}

impl Tally {
    pub fn other(&mut self, n: u64, text: impl fmt::Display) {
        let text = format!("line {n}: {text}");
        eprintln!("{text}");
        self.other.push(text);
    }

    /// One comparison.
    pub fn same(&mut self, n: u64, want: &str, got: &str) {
        if want == got {
            self.alike += 1;
        } else {
            self.other(n, format!("\n  want {want:?}\n  got  {got:?}"));
        }
    }

    pub fn intended(&mut self, n: u64) {
        self.intended += 1;
        self.seen.insert(n);
    }

    /// One difference that is meant wherever it appears.
    pub fn intended_because(&mut self, why: &'static str) {
        self.intended += 1;
        *self.reasons.entry(why).or_default() += 1;
    }

    /// Prints the counts, and fails if anything differs for no reason.
    pub fn finish(mut self, name: &str, intended: &[Intended]) {
        for Intended { lines, why, .. } in intended {
            println!("{name} {lines:?}: {why}");
            for n in lines.iter().filter(|n| !self.seen.contains(n)).copied().collect::<Vec<_>>() {
                self.other(n, "an intended difference that was not seen");
            }
        }
        for (why, times) in &self.reasons {
            println!("{name} {times} times: {why}");
        }
        println!("{name}: alike {}, intended {}, other {}", self.alike, self.intended, self.other.len());
        assert!(self.other.is_empty(), "{name}: {} differences", self.other.len());
    }
}
