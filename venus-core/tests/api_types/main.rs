//! Every type that travels between the pool and a node, one sample or more of each: read leniently, written
//! exactly, errors that name the member.
//!
//! The samples are `api_types.jsonl`. Each test asserts how much it changed, so that a sample that loses its
//! lists or addresses is noticed.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

#[path = "../common/mod.rs"]
mod common;
mod malformed;
mod samples;

use std::collections::BTreeSet;

use samples::{TYPES, all_members, has_named_data, is_derived, is_opaque, samples, with, without};
use serde_json::Value;
use venus_core::types::{Network, address};

#[test]
fn every_type_has_a_sample_and_writes_it_back() {
    let samples = samples();
    for sample in &samples {
        let written = sample
            .echo(sample.json.get(), Network::Mainnet)
            .unwrap_or_else(|e| panic!("{}: {e}", sample.name));
        if ["ActorState", "F3Manifest"].contains(&sample.name.as_str()) {
            assert_eq!(serde_json::from_str::<Value>(&written).unwrap(), sample.value());
        } else {
            assert_eq!(written, sample.json.get());
        }
    }
    let sampled: BTreeSet<_> = samples.iter().map(|s| s.name.as_str()).collect();
    assert_eq!(sampled, TYPES.iter().map(|(name, _)| *name).collect());
    assert_eq!((samples.len(), TYPES.len()), (79, 59));
}

#[test]
fn null_empty_and_absent_lists_are_alike() {
    let mut lists = 0;
    for sample in samples() {
        let value = sample.value();
        for (path, list) in all_members(&sample.name, &value) {
            let name = path[path.len() - 1].as_str();
            let in_header = path.iter().any(|p| p == "Blocks");
            // A tipset is rebuilt from its blocks: it needs them, as they are. Where a list says by its presence
            // what is meant, none means another thing.
            if !list.is_array()
                || in_header
                || is_derived(&sample.name, &path)
                || name == "SupportedProofTypes"
                || sample.name == "TipsetSelector"
            {
                continue;
            }
            let empty = sample.echo(&with(&value, &path, Value::Array(Vec::new())), Network::Mainnet);
            let empty = empty.unwrap_or_else(|e| panic!("{} with empty {name}: {e}", sample.name));
            sample.assert_reads(&with(&value, &path, Value::Null), &empty, &format!("null for {name}"));
            sample.assert_reads(&without(&value, &path), &empty, &format!("no {name}"));
            // Written and read again it stays empty.
            sample.assert_reads(&empty, &empty, &format!("empty {name}"));
            lists += 1;
        }
    }
    assert_eq!(lists, 47);
}

#[test]
fn null_and_absent_members_are_alike() {
    let mut nulls = 0;
    for sample in samples() {
        let value = sample.value();
        for (path, member) in all_members(&sample.name, &value) {
            if member.is_null() {
                let name = &path[path.len() - 1];
                let expected = sample.echo(sample.json.get(), Network::Mainnet).unwrap();
                sample.assert_reads(&without(&value, &path), &expected, &format!("no {name}"));
                nulls += 1;
            }
        }
    }
    assert_eq!(nulls, 46);
}

fn rename(ty: &str, value: &Value, change: fn(&str) -> String) -> Value {
    match value {
        Value::Object(map) => {
            let renamed = map.iter().map(|(name, value)| {
                let value = if has_named_data(ty, name) { value.clone() } else { rename(ty, value, change) };
                (change(name), value)
            });
            Value::Object(renamed.collect())
        }
        Value::Array(list) => list.iter().map(|v| rename(ty, v, change)).collect(),
        other => other.clone(),
    }
}

#[test]
fn keys_are_read_in_any_case() {
    for sample in samples() {
        let expected = sample.echo(sample.json.get(), Network::Mainnet).unwrap();
        for (what, change) in
            [("lower keys", str::to_lowercase as fn(&str) -> String), ("upper keys", str::to_uppercase)]
        {
            sample.assert_reads(&rename(&sample.name, &sample.value(), change).to_string(), &expected, what);
        }
    }
}

#[test]
fn unknown_members_are_ignored() {
    for sample in samples() {
        let expected = sample.echo(sample.json.get(), Network::Mainnet).unwrap();
        let mut more = sample.value();
        let unknown = serde_json::json!({"deep": [null, {"x": 1.5}], "\u{2028}": "<&>"});
        more.as_object_mut().unwrap().insert("Unknown".to_owned(), unknown);
        sample.assert_reads(&more.to_string(), &expected, "an unknown member");
    }
}

/// The sample with the addresses of the other network, and how many there are.
fn on_testnet(text: &str) -> (String, usize) {
    let mut parts = text.split('"').map(str::to_owned).collect::<Vec<_>>();
    let mut addresses = 0;
    for part in &mut parts {
        if part.starts_with('f') && address::parse(part).is_ok() {
            part.replace_range(..1, "t");
            addresses += 1;
        }
    }
    (parts.join("\""), addresses)
}

#[test]
fn addresses_of_both_networks_are_read_and_written_as_told() {
    let mut addresses = 0;
    for sample in samples().iter().filter(|s| s.name != "ActorState") {
        let mainnet = sample.echo(sample.json.get(), Network::Mainnet).unwrap();
        let (testnet, count) = on_testnet(&mainnet);
        sample.assert_reads(&testnet, &mainnet, "t addresses");
        assert_eq!(sample.echo(&mainnet, Network::Testnet).unwrap(), testnet, "{}", sample.name);
        assert_eq!(sample.echo(&testnet, Network::Testnet).unwrap(), testnet, "{}", sample.name);
        addresses += count;
    }
    assert_eq!(addresses, 74);
}

#[test]
fn errors_name_the_member() {
    let mut errors = 0;
    for sample in samples() {
        let value = sample.value();
        for (path, member) in all_members(&sample.name, &value) {
            let name = path[path.len() - 1].as_str();
            if is_opaque(&sample.name, name) || is_derived(&sample.name, &path) {
                continue;
            }
            let wrong = if member.is_boolean() { Value::from(7) } else { Value::from(true) };
            match sample.echo(&with(&value, &path, wrong.clone()), Network::Mainnet) {
                Ok(_) => panic!("{}: {path:?} may be {wrong}", sample.name),
                Err(e) => {
                    let named = path.iter().rev().find(|p| *p != "/").unwrap();
                    assert!(e.contains(named), "{}: {path:?}: {e}", sample.name);
                }
            }
            errors += 1;
        }
        for text in ["", "7", "true", "\"x\"", "[]", "{", "{\"a\":}", "nul"] {
            assert!(sample.echo(text, Network::Mainnet).is_err(), "{} was read from {text:?}", sample.name);
        }
    }
    assert_eq!(errors, 1294);
}

#[test]
fn exactly_one_way_to_select_a_tipset() {
    let selector = samples().into_iter().find(|s| s.name == "TipsetSelector").unwrap();
    for bad in [
        r#"{}"#,
        r#"{"tag":"newest"}"#,
        r#"{"tag":"latest","key":[]}"#,
        r#"{"tag":"latest","height":{"at":1,"previous":true}}"#,
        r#"{"height":{"at":1,"anchor":{"height":{"at":1}}}}"#,
        r#"{"height":{"at":1,"anchor":{}}}"#,
    ] {
        assert!(selector.echo(bad, Network::Mainnet).is_err(), "{bad}");
    }
}

#[test]
fn undefined_addresses() {
    let info = samples().into_iter().find(|s| s.name == "MinerInfo").unwrap();
    let value = info.value();
    let path = ["NewWorker".to_owned()];
    let undefined = info.echo(&with(&value, &path, "<empty>".into()), Network::Mainnet).unwrap();
    assert!(undefined.contains(r#""NewWorker":"<empty>""#));
    for other in [Value::Null, "".into()] {
        info.assert_reads(&with(&value, &path, other), &undefined, "an undefined address");
    }
    info.assert_reads(&without(&value, &path), &undefined, "an undefined address");
    let bad = info.echo(&with(&value, &path, "f0".into()), Network::Mainnet).unwrap_err();
    assert!(bad.contains("NewWorker"), "{bad}");
}
