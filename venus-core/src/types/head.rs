//! Head changes as they travel.

use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serializer};

use super::Tipset;
use crate::json::{LotusJson, lotus_json};

/// What happened to a tipset.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum HeadChangeKind {
    /// It is the head now; the first value of a subscription.
    Current,
    /// It joined the chain.
    Apply,
    /// It left the chain.
    Revert,
}

impl HeadChangeKind {
    /// The text on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Current => "current",
            Self::Apply => "apply",
            Self::Revert => "revert",
        }
    }
}

impl LotusJson for HeadChangeKind {
    fn write<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }

    fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = crate::json::CowText::deserialize(deserializer)?;
        let kinds = [Self::Current, Self::Apply, Self::Revert];
        kinds
            .into_iter()
            .find(|kind| kind.as_str() == text.0)
            .ok_or_else(|| serde::de::Error::custom("expected current, apply or revert"))
    }
}

/// One step of a head change, as nodes send it: reverts newest first, then applies oldest first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HeadChangeStep {
    /// What happened.
    pub kind: HeadChangeKind,
    /// To which tipset.
    pub tipset: Arc<Tipset>,
}

lotus_json!(HeadChangeStep { kind: "Type", tipset: "Val" });
