//! Points in time and ids: RFC 3339 text as Go's `time.Time` writes it, UUIDs as text.

use serde::de::Error as _;
use serde::ser::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use time::macros::datetime;
use uuid::Uuid;

use super::CowText;
use super::LotusJson;

/// What Go writes for a time that was never set.
pub(crate) const ZERO_TIME: OffsetDateTime = datetime!(0001-01-01 00:00 UTC);

impl LotusJson for OffsetDateTime {
    fn write<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.format(&Rfc3339).map_err(S::Error::custom)?.serialize(serializer)
    }

    fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = CowText::deserialize(deserializer)?;
        Self::parse(&text.0, &Rfc3339).map_err(|e| D::Error::custom(format_args!("RFC 3339: {e}")))
    }

    fn absent() -> Option<Self> {
        Some(ZERO_TIME)
    }
}

impl LotusJson for Uuid {
    fn write<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.hyphenated().encode_lower(&mut Self::encode_buffer()).serialize(serializer)
    }

    fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = CowText::deserialize(deserializer)?;
        Self::parse_str(&text.0).map_err(|e| D::Error::custom(format_args!("UUID: {e}")))
    }

    fn absent() -> Option<Self> {
        Some(Self::nil())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::Json;

    #[test]
    fn as_go_writes_them() {
        let times = ["0001-01-01T00:00:00Z", "2026-11-21T08:25:03.5Z", "2026-11-21T08:25:03.123456789+08:00"];
        for text in times.map(|t| format!("{t:?}")) {
            let time: Json<OffsetDateTime> = serde_json::from_str(&text).unwrap();
            assert_eq!(serde_json::to_string(&time).unwrap(), text);
        }
        assert!(serde_json::from_str::<Json<OffsetDateTime>>(r#""yesterday""#).is_err());
        let id = r#""07070707-0707-0707-0707-070707070707""#;
        assert_eq!(serde_json::to_string(&serde_json::from_str::<Json<Uuid>>(id).unwrap()).unwrap(), id);
        assert!(serde_json::from_str::<Json<Uuid>>(r#""0707""#).is_err());
    }
}
