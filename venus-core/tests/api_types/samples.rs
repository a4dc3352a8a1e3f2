//! One sample or more of every type, and ways to change it.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use serde_json::value::RawValue;
use venus_core::json::{Face, Json, with_face, with_network};
use venus_core::types::*;

use crate::common::text;

#[derive(Deserialize)]
pub(crate) struct Sample {
    #[serde(rename = "type")]
    pub(crate) name: String,
    face: String,
    pub(crate) json: Box<RawValue>,
}

pub(crate) type Echo = fn(&str) -> Result<String, String>;

fn echo<T: Serialize + DeserializeOwned>(text: &str) -> Result<String, String> {
    let value: T = serde_json::from_str(text).map_err(|e| e.to_string())?;
    serde_json::to_string(&value).map_err(|e| e.to_string())
}

macro_rules! types {
    ($($ty:ident),+ $(,)?) => {
        pub(crate) const TYPES: &[(&str, Echo)] = &[("Message", echo::<Json<Message>>), $((stringify!($ty), echo::<$ty>)),+];
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

pub(crate) fn samples() -> Vec<Sample> {
    text("api_types.jsonl").lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

impl Sample {
    pub(crate) fn value(&self) -> Value {
        serde_json::from_str(self.json.get()).unwrap()
    }

    /// Reads a text as the type and writes it with the face of the sample.
    pub(crate) fn echo(&self, text: &str, network: Network) -> Result<String, String> {
        let (_, echo) =
            TYPES.iter().find(|(name, _)| *name == self.name).unwrap_or_else(|| panic!("{}", self.name));
        let face = if self.face == "venus" { Face::Venus } else { Face::Lotus };
        with_face(face, || with_network(network, || echo(text)))
    }

    #[track_caller]
    pub(crate) fn assert_reads(&self, text: &str, expected: &str, what: &str) {
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
pub(crate) fn is_opaque(ty: &str, member: &str) -> bool {
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
pub(crate) fn has_named_data(ty: &str, member: &str) -> bool {
    is_opaque(ty, member) || member == "ForkUpgradeParams"
}

/// Members that are derived: written, and ignored when read.
pub(crate) fn is_derived(ty: &str, path: &[String]) -> bool {
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

pub(crate) fn all_members(ty: &str, value: &Value) -> Vec<(Vec<String>, Value)> {
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

pub(crate) fn with(value: &Value, path: &[String], new: Value) -> String {
    let mut changed = value.clone();
    parent(&mut changed, path)[path[path.len() - 1].as_str()] = new;
    changed.to_string()
}

pub(crate) fn without(value: &Value, path: &[String]) -> String {
    let mut changed = value.clone();
    parent(&mut changed, path).as_object_mut().unwrap().remove(&path[path.len() - 1]).unwrap();
    changed.to_string()
}
