//! Every type that travels between the pool and a node, one sample or more of each: read leniently, written
//! exactly, errors that name the member.
//!
//! The samples are `api_types.jsonl`. Each test asserts how much it changed, so that a sample that loses its
//! lists or addresses is noticed.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

mod common;

use std::collections::BTreeSet;

use common::text;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use serde_json::value::RawValue;
use venus_core::json::{Face, Json, with_face, with_network};
use venus_core::types::*;

#[derive(Deserialize)]
struct Sample {
    #[serde(rename = "type")]
    name: String,
    face: String,
    json: Box<RawValue>,
}

type Echo = fn(&str) -> Result<String, String>;

fn echo<T: Serialize + DeserializeOwned>(text: &str) -> Result<String, String> {
    let value: T = serde_json::from_str(text).map_err(|e| e.to_string())?;
    serde_json::to_string(&value).map_err(|e| e.to_string())
}

macro_rules! types {
    ($($ty:ident),+ $(,)?) => {
        const TYPES: &[(&str, Echo)] = &[("Message", echo::<Json<Message>>), $((stringify!($ty), echo::<$ty>)),+];
    };
}

types![
    ActorInfo,
    ActorState,
    AddrInfo,
    Allocation,
    BeaconEntry,
    BlockHeader,
    BlockMessages,
    BlockMsg,
    BlockTemplate,
    ChainMessage,
    Claim,
    ClientDealProposal,
    ComputeStateOutput,
    Deadline,
    DeadlineInfo,
    DealCollateralBounds,
    ElectionProof,
    EstimateMessage,
    EstimateResult,
    Event,
    ExtendedSectorInfo,
    F3Lease,
    F3Manifest,
    F3Participant,
    F3Progress,
    FullBlock,
    HeadChangeStep,
    InvocResult,
    MarketBalance,
    MarketDeal,
    MessageCheckStatus,
    MessageLookup,
    MessageSendSpec,
    MinerInfo,
    MinerPower,
    MinerSectors,
    MiningBaseInfo,
    MpoolConfig,
    MpoolUpdate,
    MsgMeta,
    NetworkParams,
    Partition,
    PostProof,
    ProtocolParams,
    Receipt,
    SectorExpiration,
    SectorInfo,
    SectorLocation,
    SectorOnChainInfo,
    SectorPreCommitInfo,
    SectorPreCommitOnChainInfo,
    Signature,
    SignedMessage,
    SyncState,
    Ticket,
    Tipset,
    TipsetSelector,
    Version,
];

fn samples() -> Vec<Sample> {
    text("api_types.jsonl").lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

impl Sample {
    fn value(&self) -> Value {
        serde_json::from_str(self.json.get()).unwrap()
    }

    /// Reads a text as the type and writes it with the face of the sample.
    fn echo(&self, text: &str, network: Network) -> Result<String, String> {
        let (_, echo) =
            TYPES.iter().find(|(name, _)| *name == self.name).unwrap_or_else(|| panic!("{}", self.name));
        let face = if self.face == "venus" { Face::Venus } else { Face::Lotus };
        with_face(face, || with_network(network, || echo(text)))
    }

    #[track_caller]
    fn assert_reads(&self, text: &str, expected: &str, what: &str) {
        match self.echo(text, Network::Mainnet) {
            // The order of upgrades is the input's.
            Ok(written) if self.name == "NetworkParams" => {
                let value = |text: &str| serde_json::from_str::<Value>(text).unwrap();
                assert_eq!(value(&written), value(expected), "{} with {what}", self.name);
            }
            Ok(written) => assert_eq!(written, expected, "{} with {what}", self.name),
            Err(e) => panic!("{} with {what}: {e}", self.name),
        }
    }
}

/// JSON that is carried as it is: names below are data.
fn is_opaque(ty: &str, member: &str) -> bool {
    let names: &[&str] = match ty {
        "ActorState" => &["State"],
        "F3Manifest" => &[
            "InitialPowerTable",
            "Gpbft",
            "EC",
            "CertificateExchange",
            "PubSub",
            "ChainExchange",
            "PartialMessageManager",
        ],
        "F3Progress" => &["Input"],
        "MessageCheckStatus" => &["Hint"],
        _ => &[],
    };
    names.contains(&member)
}

/// Whether names below a member are data, although their values have a type.
fn has_named_data(ty: &str, member: &str) -> bool {
    is_opaque(ty, member) || member == "ForkUpgradeParams"
}

/// Members that are derived: written, and ignored when read.
fn is_derived(ty: &str, path: &[String]) -> bool {
    let name = path.last().map_or("", String::as_str);
    match name {
        "ReturnDec" => true,
        _ if path.iter().any(|p| p == "CID") => true,
        _ if ty == "BlockMessages" && path[0] == "Cids" => true,
        "Height" => ty == "Tipset" || path.iter().any(|p| p == "Val" || p == "Base" || p == "Target"),
        _ => false,
    }
}

/// Calls `visit` with the path of every member of every object, list elements named by their index.
fn members(ty: &str, value: &Value, path: &mut Vec<String>, visit: &mut dyn FnMut(&[String], &Value)) {
    let mut step = |name: &str, value: &Value, is_member: bool| {
        path.push(name.to_owned());
        if is_member {
            visit(path, value);
        }
        if !is_opaque(ty, name) {
            members(ty, value, path, visit);
        }
        path.pop();
    };
    match value {
        Value::Object(map) => map.iter().for_each(|(name, value)| step(name, value, true)),
        Value::Array(list) => {
            list.iter().enumerate().for_each(|(i, value)| step(&i.to_string(), value, false));
        }
        _ => {}
    }
}

fn all_members(ty: &str, value: &Value) -> Vec<(Vec<String>, Value)> {
    let mut all = Vec::new();
    members(ty, value, &mut Vec::new(), &mut |path, value| all.push((path.to_vec(), value.clone())));
    all
}

fn parent<'a>(root: &'a mut Value, path: &[String]) -> &'a mut Value {
    path[..path.len() - 1].iter().fold(root, |value, step| match value {
        Value::Array(list) => &mut list[step.parse::<usize>().unwrap()],
        other => &mut other[step.as_str()],
    })
}

fn with(value: &Value, path: &[String], new: Value) -> String {
    let mut changed = value.clone();
    parent(&mut changed, path)[path[path.len() - 1].as_str()] = new;
    changed.to_string()
}

fn without(value: &Value, path: &[String]) -> String {
    let mut changed = value.clone();
    parent(&mut changed, path).as_object_mut().unwrap().remove(&path[path.len() - 1]).unwrap();
    changed.to_string()
}

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
