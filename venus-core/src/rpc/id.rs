//! Request ids as Go sees them: a string or a float64, everything else is not an id.

use std::fmt;

use serde::de::{Deserialize, Deserializer, Error as _};
use serde_json::value::RawValue;

use super::go_text::write_go_string;

/// The id of a request.
///
/// Go decodes numbers as float64 and echoes what it decoded: `12345678901234567890` comes back as
/// `12345678901234567000`. So do we, as clients compare with what Go would have answered.
#[derive(Clone, Debug)]
pub enum Id {
    /// A number; fractions are ids too.
    Number(f64),
    /// A string.
    Text(String),
}

// A float from JSON is never NaN, so comparing bits is an equivalence. `-0` differs from `0`, as in its text.
impl PartialEq for Id {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Number(a), Self::Number(b)) => a.to_bits() == b.to_bits(),
            (Self::Text(a), Self::Text(b)) => a == b,
            _ => false,
        }
    }
}

impl Eq for Id {}

impl std::hash::Hash for Id {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        match self {
            Self::Number(n) => n.to_bits().hash(state),
            Self::Text(s) => s.hash(state),
        }
    }
}

impl From<u64> for Id {
    /// Ids of ours are counters below 2^53, which float64 holds exactly.
    fn from(id: u64) -> Self {
        Self::Number(id as f64)
    }
}

impl Id {
    /// The id as the counter that [`Id::from`] made it from, if it is one.
    pub fn as_counter(&self) -> Option<u64> {
        match self {
            Self::Number(n) if *n >= 0.0 && *n < 9_007_199_254_740_992.0 && n.fract() == 0.0 => {
                Some(*n as u64)
            }
            _ => None,
        }
    }

    /// Reads an id that stands alone, as in the parameters of `xrpc.cancel`.
    pub fn parse(json: &str) -> Option<Self> {
        match serde_json::from_str::<FrameId>(json) {
            Ok(FrameId::Id(id)) => Some(id),
            _ => None,
        }
    }

    /// Appends the id as Go's encoder writes it.
    pub fn write(&self, out: &mut String) {
        match self {
            Self::Number(n) => write_go_float(*n, out),
            Self::Text(s) => write_go_string(s, out),
        }
    }
}

impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = String::new();
        self.write(&mut text);
        f.write_str(&text)
    }
}

/// Go's `encoding/json`: plain digits from 1e-6 to 1e21, an exponent with a sign outside.
fn write_go_float(n: f64, out: &mut String) {
    use fmt::Write as _;
    let size = n.abs();
    // Writing into a String does not fail.
    let _ = if size != 0.0 && !(1e-6..1e21).contains(&size) {
        let text = format!("{n:e}");
        match text.split_once("e-") {
            Some((digits, exponent)) => write!(out, "{digits}e-{exponent}"),
            None => write!(out, "{}", text.replacen('e', "e+", 1)),
        }
    } else {
        write!(out, "{n}")
    };
}

/// The `id` member of a frame.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum FrameId {
    /// Absent or null: a notification, no answer is expected.
    #[default]
    None,
    /// An id.
    Id(Id),
    /// Something that cannot be an id; the Go type that it decodes to.
    Odd(&'static str),
}

impl<'de> Deserialize<'de> for FrameId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let json = <&RawValue>::deserialize(deserializer)?.get();
        let id = match json.as_bytes().first() {
            Some(b'n') => return Ok(Self::None),
            Some(b't' | b'f') => return Ok(Self::Odd("bool")),
            Some(b'{') => return Ok(Self::Odd("map[string]interface {}")),
            Some(b'[') => return Ok(Self::Odd("[]interface {}")),
            Some(b'"') => Id::Text(serde_json::from_str(json).map_err(D::Error::custom)?),
            // The standard library rounds as Go does; serde_json may be off by the last bit.
            _ => match json.parse::<f64>() {
                Ok(number) if number.is_finite() => Id::Number(number),
                _ => return Err(D::Error::custom("id: number out of range")),
            },
        };
        Ok(Self::Id(id))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_echoed_as_go_prints_them() {
        let cases = [
            ("1", "1"),
            ("1.5", "1.5"),
            ("-3", "-3"),
            ("0", "0"),
            ("-0.0", "-0"),
            ("12345678901234567890", "12345678901234567000"),
            ("1e20", "100000000000000000000"),
            ("1e21", "1e+21"),
            ("1.25e30", "1.25e+30"),
            ("0.000001", "0.000001"),
            ("1e-7", "1e-7"),
            ("\"x\"", "\"x\""),
            ("\"<a>\"", "\"\\u003ca\\u003e\""),
        ];
        for (input, output) in cases {
            assert_eq!(Id::parse(input).unwrap().to_string(), output, "{input}");
        }
    }

    #[test]
    fn other_kinds_are_not_ids() {
        let cases = [
            ("null", FrameId::None),
            ("true", FrameId::Odd("bool")),
            ("{\"a\":[1]}", FrameId::Odd("map[string]interface {}")),
            ("[[]]", FrameId::Odd("[]interface {}")),
        ];
        for (input, id) in cases {
            assert_eq!(serde_json::from_str::<FrameId>(input).unwrap(), id);
            assert_eq!(Id::parse(input), None);
        }
        assert!(serde_json::from_str::<FrameId>("1e999").is_err());
    }

    #[test]
    fn counters_survive() {
        for n in [0, 1, 7, 9_007_199_254_740_991] {
            assert_eq!(Id::from(n).as_counter(), Some(n));
        }
        for odd in [Id::Number(1.5), Id::Number(-1.0), Id::Number(1e300), Id::Text("1".into())] {
            assert_eq!(odd.as_counter(), None);
        }
    }
}
