//! An address that may be undefined.

use fvm_shared::address::Address;
use serde::{Deserialize, Deserializer, Serializer};

use crate::json::{LotusJson, lotus_json};

/// What Go prints for an address that was never set.
const UNDEFINED: &str = "<empty>";

/// An address that Go holds by value and may leave undefined: `"<empty>"` on the wire. Where Go holds a
/// pointer the wire has `null`, and we have `Option<Address>`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct MaybeAddress(pub Option<Address>);

impl From<Option<Address>> for MaybeAddress {
    fn from(address: Option<Address>) -> Self {
        Self(address)
    }
}

impl From<Address> for MaybeAddress {
    fn from(address: Address) -> Self {
        Self(Some(address))
    }
}

impl LotusJson for MaybeAddress {
    fn write<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match &self.0 {
            Some(address) => address.write(serializer),
            None => serializer.serialize_str(UNDEFINED),
        }
    }

    fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Option::<crate::json::CowText<'de>>::deserialize(deserializer)?;
        match text.as_ref().map_or("", |t| t.0.as_ref()) {
            "" | UNDEFINED => Ok(Self(None)),
            text => super::address::parse(text).map(Self::from).map_err(serde::de::Error::custom),
        }
    }

    fn absent() -> Option<Self> {
        Some(Self(None))
    }
}

lotus_json!(@serde MaybeAddress);
