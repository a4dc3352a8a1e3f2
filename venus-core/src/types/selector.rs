//! Naming a tipset, as version 2 of Lotus's API does.

use fvm_shared::clock::ChainEpoch;
use serde::de::Error as _;
use serde::ser::SerializeMap;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::TipsetKey;
use crate::json::{JsonRef, LotusJson, lotus_json};

/// A tipset that moves with the chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TipsetTag {
    /// The head.
    Latest,
    /// The last that cannot be undone.
    Finalized,
    /// One that will hardly be undone.
    Safe,
}

impl TipsetTag {
    /// The text on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Latest => "latest",
            Self::Finalized => "finalized",
            Self::Safe => "safe",
        }
    }
}

impl LotusJson for TipsetTag {
    fn write<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }

    fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = crate::json::CowText::deserialize(deserializer)?;
        let tags = [Self::Latest, Self::Finalized, Self::Safe];
        tags.into_iter()
            .find(|tag| tag.as_str() == text.0)
            .ok_or_else(|| D::Error::custom("expected latest, finalized or safe"))
    }
}

/// A tipset by key or tag.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum TipsetAnchor {
    /// This one.
    Key(TipsetKey),
    /// The one that is it now.
    Tag(TipsetTag),
}

/// A tipset by height among the ancestors of another.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct TipsetHeight {
    /// The height.
    pub at: ChainEpoch,
    /// Whether a null round stands for the tipset before it; else for the one after it.
    pub previous: bool,
    /// Of whose ancestors; of the finalized tipset's if `None`.
    pub anchor: Option<TipsetAnchor>,
}

/// Which tipset is meant.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum TipsetSelector {
    /// By key.
    Key(TipsetKey),
    /// By tag.
    Tag(TipsetTag),
    /// By height.
    Height(TipsetHeight),
}

lotus_json!(TipsetHeight { at: "at", previous: "previous", anchor: "anchor" opt });

/// Members of a selector or an anchor. Exactly one may be there.
struct Wire {
    key: Option<TipsetKey>,
    tag: Option<TipsetTag>,
    height: Option<TipsetHeight>,
}

lotus_json!(@read Wire { key: "key", tag: "tag", height: "height" });

impl Serialize for TipsetSelector {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(1))?;
        match self {
            Self::Key(key) => map.serialize_entry("key", key)?,
            Self::Tag(tag) => map.serialize_entry("tag", &JsonRef(tag))?,
            Self::Height(height) => map.serialize_entry("height", height)?,
        }
        map.end()
    }
}

impl<'de> Deserialize<'de> for TipsetSelector {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match Wire::deserialize(deserializer)? {
            Wire { key: Some(key), tag: None, height: None } => Ok(Self::Key(key)),
            Wire { key: None, tag: Some(tag), height: None } => Ok(Self::Tag(tag)),
            Wire { key: None, tag: None, height: Some(height) } => Ok(Self::Height(height)),
            _ => Err(D::Error::custom("expected exactly one of key, tag and height")),
        }
    }
}

lotus_json!(@delegate TipsetSelector);

impl Serialize for TipsetAnchor {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(1))?;
        match self {
            Self::Key(key) => map.serialize_entry("key", key)?,
            Self::Tag(tag) => map.serialize_entry("tag", &JsonRef(tag))?,
        }
        map.end()
    }
}

impl<'de> Deserialize<'de> for TipsetAnchor {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match TipsetSelector::deserialize(deserializer)? {
            TipsetSelector::Key(key) => Ok(Self::Key(key)),
            TipsetSelector::Tag(tag) => Ok(Self::Tag(tag)),
            TipsetSelector::Height(_) => Err(D::Error::custom("an anchor has a key or a tag")),
        }
    }
}

lotus_json!(@delegate TipsetAnchor);
