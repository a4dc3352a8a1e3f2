//! Spans of time: `"30s"`, `"1h30m"`, `"1.5ms"` as text, or whole nanoseconds as a number, which is how Go writes them.
//!
//! For members of settings: `#[serde(with = "venus_bins_common::config::duration")]`. Digits without a unit are refused
//! as text, because whoever writes `30` into the environment rarely means 30 ns.

use std::{fmt, time::Duration};

use serde::{Deserializer, Serializer, de};

/// The units of Go's `time.ParseDuration`, in nanoseconds; longer names before those that they end with.
const UNITS: [(&str, u64); 8] = [
    ("ns", 1),
    ("us", 1_000),
    ("µs", 1_000),
    ("μs", 1_000),
    ("ms", 1_000_000),
    ("s", 1_000_000_000),
    ("m", 60_000_000_000),
    ("h", 3_600_000_000_000),
];

/// Why a text is no span of time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("is not a span of time: {0} (write for example `30s`, `1h30m` or `250ms`)")]
pub struct DurationError(&'static str);

/// Reads a text such as `1h30m`. Never negative, and at most 2^63 - 1 nanoseconds, about 292 years, as in Go.
///
/// # Errors
/// [`DurationError`] says what is wrong and shows examples.
pub fn parse(text: &str) -> Result<Duration, DurationError> {
    let mut rest = text.trim();
    if rest.is_empty() || rest.len() > 64 {
        return Err(DurationError("empty or too long"));
    }
    let mut nanos: u64 = 0;
    while !rest.is_empty() && rest != "0" {
        let digits = rest.find(|c: char| !c.is_ascii_digit() && c != '.').ok_or(DurationError("no unit"))?;
        let (number, after) = rest.split_at(digits);
        let end = after.find(|c: char| c.is_ascii_digit() || c == '.').unwrap_or(after.len());
        let (unit, after) = after.split_at(end);
        let unit = UNITS.iter().find(|(name, _)| *name == unit).ok_or(DurationError("unknown unit"))?.1;
        nanos = scaled(number, unit)?.checked_add(nanos).ok_or(DurationError("too long"))?;
        rest = after;
    }
    i64::try_from(nanos).map_err(|_| DurationError("too long"))?;
    Ok(Duration::from_nanos(nanos))
}

/// A decimal number times a unit, exact; what is below a nanosecond is cut off.
fn scaled(number: &str, unit: u64) -> Result<u64, DurationError> {
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    if whole.len() + fraction.len() == 0 || fraction.contains('.') {
        return Err(DurationError("no number before a unit"));
    }
    let digits = |text: &str| if text.is_empty() { Ok(0) } else { text.parse::<u64>() };
    let whole = digits(whole).map_err(|_| DurationError("too long"))?;
    // Go keeps as many digits of a fraction; hours have 13 digits of nanoseconds.
    let fraction = fraction.get(..fraction.len().min(15)).unwrap_or_default();
    let scale = 10u128.pow(u32::try_from(fraction.len()).unwrap_or_default());
    let fraction = u128::from(digits(fraction).map_err(|_| DurationError("too long"))?);
    let total = u128::from(whole) * u128::from(unit) + fraction * u128::from(unit) / scale;
    u64::try_from(total).map_err(|_| DurationError("too long"))
}

/// Writes the span with the largest units that keep it exact: `1h30m`, `250ms`; zero is `0s`.
#[must_use]
pub fn format(duration: Duration) -> String {
    let mut rest = duration.as_nanos();
    let mut text = String::new();
    for name in ["h", "m", "s", "ms", "us", "ns"] {
        let unit = UNITS.iter().find(|(unit, _)| *unit == name).map_or(1, |(_, nanos)| u128::from(*nanos));
        if rest >= unit {
            text.push_str(&format!("{}{name}", rest / unit));
            rest %= unit;
        }
    }
    if text.is_empty() { "0s".to_owned() } else { text }
}

/// For serde's `with`.
///
/// # Errors
/// Those of the serializer.
pub fn serialize<S: Serializer>(duration: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&format(*duration))
}

/// For serde's `with`.
///
/// # Errors
/// If the value is neither a text that [`parse`] reads nor a whole number of nanoseconds.
pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
    deserializer.deserialize_any(Visitor)
}

struct Visitor;

impl de::Visitor<'_> for Visitor {
    type Value = Duration;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a span of time such as \"30s\", or a whole number of nanoseconds")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Duration, E> {
        parse(text).map_err(E::custom)
    }

    fn visit_u64<E: de::Error>(self, nanos: u64) -> Result<Duration, E> {
        i64::try_from(nanos).map_err(|_| E::custom(DurationError("too long")))?;
        Ok(Duration::from_nanos(nanos))
    }

    fn visit_i64<E: de::Error>(self, nanos: i64) -> Result<Duration, E> {
        let nanos = u64::try_from(nanos).map_err(|_| E::custom(DurationError("negative")))?;
        Ok(Duration::from_nanos(nanos))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_as_go_reads_them() {
        let cases = [
            ("30s", 30_000_000_000),
            ("1h30m", 5_400_000_000_000),
            ("1.5ms", 1_500_000),
            (".5s", 500_000_000),
            ("1.s", 1_000_000_000),
            ("3µs4ns", 3004),
            ("0", 0),
            ("0s", 0),
            ("9223372036854775807ns", i64::MAX as u64),
        ];
        for (text, nanos) in cases {
            assert_eq!(parse(text), Ok(Duration::from_nanos(nanos)), "{text}");
        }
    }

    #[test]
    fn other_texts_say_what_to_write() {
        let bad = [
            "",
            " ",
            "30",
            "s",
            "1d",
            "-1s",
            "1..5s",
            ".s",
            "1s5",
            "9223372036854775808ns",
            "9e9s",
            "1 s",
            "NaN",
        ];
        for text in bad.into_iter().chain([&*"1".repeat(64 << 10)]) {
            assert!(parse(text).unwrap_err().to_string().contains("`30s`"), "{text}");
        }
    }

    #[test]
    fn what_is_written_is_read() {
        for nanos in [0, 1, 999, 1_000, 90_000_000_000, 5_400_000_000_001, i64::MAX as u64] {
            let duration = Duration::from_nanos(nanos);
            assert_eq!(parse(&format(duration)), Ok(duration));
        }
        assert_eq!(format(Duration::from_secs(5400)), "1h30m");
    }
}
