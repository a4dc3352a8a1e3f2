//! Addresses, amounts, links, raw bytes and messages.

use std::str::FromStr;

use cid::Cid;
use fvm_ipld_encoding::RawBytes;
use fvm_shared::address::Address;
use fvm_shared::econ::TokenAmount;
use fvm_shared::error::ExitCode;
use num_bigint::BigInt;
use serde::de::Error as _;
use serde::ser::SerializeMap;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::CowText;
use super::{LotusJson, current_network};
use crate::types::address;

/// Longest decimal text of a big integer that is read: 128 bytes hold at most 309 digits.
const MAX_DECIMAL: usize = 320;

impl LotusJson for Address {
    fn write<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        address::format(self, current_network()).serialize(serializer)
    }

    fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = CowText::deserialize(deserializer)?;
        address::parse(&text.0).map_err(D::Error::custom)
    }
}

impl LotusJson for BigInt {
    fn write<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }

    fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = CowText::deserialize(deserializer)?;
        let digits = text.0.strip_prefix('-').unwrap_or(&text.0);
        if digits.is_empty() || digits.len() > MAX_DECIMAL || !digits.bytes().all(|b| b.is_ascii_digit()) {
            return Err(D::Error::custom("not a decimal integer of at most 320 digits"));
        }
        Self::from_str(&text.0).map_err(D::Error::custom)
    }

    fn absent() -> Option<Self> {
        Some(Self::ZERO)
    }
}

impl LotusJson for TokenAmount {
    fn write<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.atto().write(serializer)
    }

    fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        BigInt::read(deserializer).map(Self::from_atto)
    }

    fn absent() -> Option<Self> {
        Some(Self::default())
    }
}

impl LotusJson for Cid {
    fn write<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(1))?;
        map.serialize_entry("/", &self.to_string())?;
        map.end()
    }

    fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        struct Link<'a> {
            #[serde(rename = "/", borrow)]
            cid: CowText<'a>,
        }
        let link = Link::deserialize(deserializer)?;
        Self::from_str(&link.cid.0).map_err(|e| D::Error::custom(format_args!("CID: {e}")))
    }
}

impl LotusJson for RawBytes {
    fn write<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.bytes().to_vec().write(serializer)
    }

    fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Vec::<u8>::read(deserializer).map(Self::new)
    }

    fn absent() -> Option<Self> {
        Some(Self::default())
    }
}

impl LotusJson for ExitCode {
    fn write<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.value().serialize(serializer)
    }

    fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        u32::deserialize(deserializer).map(Self::new)
    }

    fn absent() -> Option<Self> {
        Some(Self::OK)
    }
}
