//! Where fuzzing starts: real values, in the form that each target reads.

use serde::Deserialize;
use serde_json::value::RawValue;

use super::{API_TYPES, PARAMS, Type};
use crate::cbor::Encode;
use crate::json::{Json, LotusJson};
use crate::types::*;

/// Input that `target` takes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seed {
    pub target: &'static str,
    /// The type that it is a value of.
    pub ty: String,
    pub bytes: Vec<u8>,
}

#[derive(Deserialize)]
struct Sample<'a> {
    #[serde(rename = "type")]
    ty: String,
    #[serde(borrow)]
    json: &'a RawValue,
}

/// Seeds out of samples, one a line: `{"type": …, "json": …}`.
///
/// # Errors
/// A line that is no sample, or one whose value its type refuses.
pub fn seeds(samples: &str) -> Result<Vec<Seed>, serde_json::Error> {
    let mut seeds = Vec::new();
    for line in samples.lines() {
        let sample: Sample<'_> = serde_json::from_str(line)?;
        let (ty, json) = (sample.ty.as_str(), sample.json.get());
        let mut add = |target, bytes| seeds.push(Seed { target, ty: ty.to_owned(), bytes });
        if let Some(index) = index(API_TYPES, ty) {
            add("json_api_types", [&[index][..], json.as_bytes()].concat());
        }
        match ty {
            "Message" | "SignedMessage" => add("json_message", json.into()),
            "BlockHeader" => add("json_header", json.into()),
            "Tipset" | "TipsetKey" => add("json_tipset", json.into()),
            _ => {}
        }
        if let Some((_, target, to_cbor)) = CBOR.iter().find(|(name, ..)| *name == ty) {
            let prefix = index(PARAMS, ty).filter(|_| *target == "cbor_params");
            add(target, [prefix.as_slice(), &to_cbor(json)?].concat());
        }
    }
    Ok(seeds)
}

fn index(types: &[Type], name: &str) -> Option<u8> {
    types.iter().position(|ty| ty.name == name).and_then(|at| u8::try_from(at).ok())
}

type ToCbor = fn(&str) -> Result<Vec<u8>, serde_json::Error>;

/// Types of samples that also have a CBOR form, and the target that reads it.
const CBOR: &[(&str, &str, ToCbor)] = &[
    ("Message", "cbor_message", to_cbor::<Message>),
    ("SignedMessage", "cbor_signed_message", to_cbor::<SignedMessage>),
    ("BlockHeader", "cbor_header", to_cbor::<BlockHeader>),
    ("BlockMsg", "cbor_header", to_cbor::<BlockMsg>),
    ("Receipt", "cbor_receipt", to_cbor::<Receipt>),
    ("Allocation", "cbor_params", to_cbor::<Allocation>),
    ("Claim", "cbor_params", to_cbor::<Claim>),
    ("ClientDealProposal", "cbor_params", to_cbor::<ClientDealProposal>),
    ("ElectionProof", "cbor_params", to_cbor::<ElectionProof>),
    ("Event", "cbor_params", to_cbor::<Event>),
    ("MarketBalance", "cbor_params", to_cbor::<MarketBalance>),
    ("PostProof", "cbor_params", to_cbor::<PostProof>),
    ("SectorInfo", "cbor_params", to_cbor::<SectorInfo>),
    ("SectorOnChainInfo", "cbor_params", to_cbor::<SectorOnChainInfo>),
    ("SectorPreCommitInfo", "cbor_params", to_cbor::<SectorPreCommitInfo>),
    ("Signature", "cbor_params", to_cbor::<Signature>),
    ("Ticket", "cbor_params", to_cbor::<Ticket>),
];

fn to_cbor<T: LotusJson + Encode>(json: &str) -> Result<Vec<u8>, serde_json::Error> {
    serde_json::from_str::<Json<T>>(json).map(|value| value.0.to_cbor())
}
