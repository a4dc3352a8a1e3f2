//! Amounts in human units.
//!
//! A [`TokenAmount`] counts attoFIL (10^-18 FIL). Lotus-JSON is the attoFIL count as decimal text; people
//! read and type FIL.

use fvm_shared::econ::TokenAmount;
use num_bigint::BigInt;

use crate::error::{Classify, ErrorKind};

/// Why a text is no amount.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AmountError {
    /// No number, or a unit that is not known.
    #[error("{0:?} is no amount, expected a number with an optional unit: 1.5, 2 nanoFIL, 3 attoFIL")]
    Malformed(String),
    /// More decimals than the unit has.
    #[error("{0:?} has a fraction of an attoFIL")]
    TooFine(String),
}

impl Classify for AmountError {
    fn kind(&self) -> ErrorKind {
        ErrorKind::Invalid
    }
}

/// Reads an amount as people type it: `1`, `0.25 FIL`, `100 nanoFIL`, `5 attoFIL` (units as in Lotus; FIL without one).
///
/// ```
/// use venus_core::types::{TokenAmount, fil, parse_fil};
/// assert_eq!(parse_fil("0.25 FIL")?, TokenAmount::from_nano(250_000_000));
/// assert_eq!(fil(&parse_fil("100 nanoFIL")?), "0.0000001 FIL");
/// # Ok::<(), venus_core::types::AmountError>(())
/// ```
///
/// # Errors
/// [`AmountError`] if the text is no number in a known unit, or finer than an attoFIL.
pub fn parse_fil(text: &str) -> Result<TokenAmount, AmountError> {
    let malformed = || AmountError::Malformed(text.chars().take(64).collect());
    let trimmed = text.trim();
    let unit_at = trimmed.find(|c: char| c.is_ascii_alphabetic()).unwrap_or(trimmed.len());
    let (number, unit) = trimmed.split_at(unit_at);
    let decimals = decimals_of(unit).ok_or_else(malformed)?;
    let number = number.trim_end();
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    let (negative, whole) = whole.strip_prefix('-').map_or((false, whole), |w| (true, w));
    let digits = |s: &str| s.bytes().all(|b| b.is_ascii_digit());
    if (whole.is_empty() && fraction.is_empty()) || whole.len() > 64 || !digits(whole) || !digits(fraction) {
        return Err(malformed());
    }
    let fraction = fraction.trim_end_matches('0');
    if fraction.len() > decimals {
        return Err(AmountError::TooFine(text.chars().take(64).collect()));
    }
    let atto = format!("{whole}{fraction:0<decimals$}").parse::<BigInt>().map_err(|_| malformed())?;
    Ok(TokenAmount::from_atto(if negative { -atto } else { atto }))
}

fn decimals_of(unit: &str) -> Option<usize> {
    match unit.to_ascii_lowercase().as_str() {
        "" | "fil" | "wd" => Some(18),
        "milli" | "millifil" => Some(15),
        "micro" | "microfil" => Some(12),
        "nano" | "nanofil" => Some(9),
        "pico" | "picofil" => Some(6),
        "femto" | "femtofil" => Some(3),
        "atto" | "attofil" | "afil" => Some(0),
        _ => None,
    }
}

/// Writes an amount in FIL without trailing zeros: `1.5 FIL`, `0 FIL`.
pub fn fil(amount: &TokenAmount) -> String {
    let (sign, digits) = match amount.atto().to_string() {
        s if s.starts_with('-') => ("-", s.trim_start_matches('-').to_owned()),
        s => ("", s),
    };
    let digits = format!("{digits:0>19}");
    let (whole, fraction) = digits.split_at(digits.len() - 18);
    match fraction.trim_end_matches('0') {
        "" => format!("{sign}{whole} FIL"),
        fraction => format!("{sign}{whole}.{fraction} FIL"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn units() {
        assert_eq!(parse_fil("1").unwrap(), TokenAmount::from_whole(1));
        assert_eq!(parse_fil(" -1.5 FIL ").unwrap(), TokenAmount::from_nano(-1_500_000_000i64));
        assert_eq!(parse_fil("7 attofil").unwrap(), TokenAmount::from_atto(7));
        assert_eq!(parse_fil("0.5 attofil"), Err(AmountError::TooFine("0.5 attofil".into())));
        for bad in ["", ".", "FIL", "1 EUR", "1e3", "1,5", "--1", "0x1"] {
            assert!(parse_fil(bad).is_err(), "{bad:?} was read");
        }
    }

    proptest! {
        #[test]
        fn prints_what_it_reads(atto in any::<i128>()) {
            let amount = TokenAmount::from_atto(atto);
            prop_assert_eq!(parse_fil(&fil(&amount)).unwrap(), amount);
        }

        #[test]
        fn never_panics(text in ".{0,80}") {
            let _ = parse_fil(&text);
        }
    }
}
