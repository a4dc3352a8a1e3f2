//! Whatever comes in: an error, or a value that survives being written. Never a panic, never much memory.

use proptest::prelude::*;
use serde_json::Value;
use venus_core::types::Network;

use crate::samples::{Sample, all_members, is_derived, is_opaque, samples, with};

/// What is read must survive being written.
fn survives(sample: &Sample, text: &str) -> Result<(), String> {
    let written = sample.echo(text, Network::Mainnet)?;
    let again = sample.echo(&written, Network::Mainnet);
    assert_eq!(again.as_ref(), Ok(&written), "{}", sample.name);
    Ok(())
}

#[test]
fn deep_nesting_and_long_texts_in_every_member() {
    let nested = |open: &str, close: &str| format!("{}{}", open.repeat(10_000), close.repeat(10_000));
    let junk = [
        nested("[", "]"),
        nested("{\"a\":", "}"),
        "9".repeat(64 << 10),
        format!("{:?}", "f".repeat(64 << 10)),
    ];
    let mut checked = 0;
    for sample in samples() {
        let value = sample.value();
        for (path, _) in all_members(&sample.name, &value).iter().filter(|(path, _)| path.len() == 1) {
            let name = path[0].as_str();
            let place = with(&value, path, "PLACE".into());
            for junk in &junk {
                let text = place.replacen("\"PLACE\"", junk, 1);
                let outcome = survives(&sample, &text);
                let free = is_opaque(&sample.name, name) || is_derived(&sample.name, path);
                // A long text may well be text, or bytes in base64.
                assert!(outcome.is_err() || free || junk.starts_with('"'), "{}: {name}", sample.name);
                assert!(outcome.err().is_none_or(|e| e.len() < 600), "{}: {name}", sample.name);
            }
            checked += 1;
        }
    }
    assert_eq!(checked, 353);
}

#[test]
fn numbers_out_of_range_are_named() {
    let mut errors = 0;
    for sample in samples() {
        let value = sample.value();
        for (path, member) in all_members(&sample.name, &value) {
            if !member.is_number() || is_derived(&sample.name, &path) {
                continue;
            }
            let name = path[path.len() - 1].as_str();
            for wrong in
                ["1e99", "18446744073709551616", "-9223372036854775809", "1.5", "\"7\"", "NaN", "0x10"]
            {
                let text = with(&value, &path, "PLACE".into()).replacen("\"PLACE\"", wrong, 1);
                match sample.echo(&text, Network::Mainnet) {
                    // Ratios and factors are numbers of any size.
                    Ok(_) => {
                        assert!(name.contains("Over") || name.contains("Ratio"), "{} {name}", sample.name)
                    }
                    // No JSON at all.
                    Err(_) if wrong == "NaN" || wrong == "0x10" => {}
                    Err(e) => {
                        assert!(e.contains(name), "{} {name}: {e}", sample.name);
                        errors += 1;
                    }
                }
            }
        }
    }
    assert_eq!(errors, 2296);
}

fn changed(text: &str, at: usize, byte: u8) -> String {
    let mut bytes = text.as_bytes().to_vec();
    let at = at % bytes.len();
    bytes[at] = byte;
    String::from_utf8_lossy(&bytes).into_owned()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn one_character_changed(at: usize, byte in 0x20u8..0x7f) {
        for sample in samples() {
            let _ = survives(&sample, &changed(sample.json.get(), at, byte));
        }
    }

    #[test]
    fn cut_anywhere(at: usize) {
        for sample in samples() {
            let text = sample.json.get();
            let end = at % text.len();
            prop_assert!(sample.echo(text.get(..end).unwrap_or(""), Network::Mainnet).is_err());
        }
    }

    #[test]
    fn garbage(bytes in proptest::collection::vec(any::<u8>(), 0..2048)) {
        let text = String::from_utf8_lossy(&bytes);
        for sample in samples() {
            let _ = survives(&sample, &text);
        }
    }

    #[test]
    fn json_of_another_shape(numbers in proptest::collection::vec(any::<i64>(), 0..8), text in ".{0,40}") {
        for sample in samples() {
            let value = sample.value();
            for (path, _) in all_members(&sample.name, &value).iter().filter(|(path, _)| path.len() == 1) {
                for junk in [Value::from(numbers.clone()), Value::from(text.clone())] {
                    let _ = survives(&sample, &with(&value, path, junk));
                }
            }
        }
    }
}

#[test]
fn a_megabyte_of_garbage() {
    for fill in ["[", "{\"a\":", "\"", "9", "null,", "\u{0}"] {
        let text = fill.repeat((1 << 20) / fill.len());
        for sample in samples() {
            assert!(sample.echo(&text, Network::Mainnet).is_err(), "{}", sample.name);
        }
    }
}
