//! Parameters as Go reads them, down to its words about what it cannot read: callers match those.

use std::borrow::Cow;
use std::fmt;

use data_encoding::{BASE64, DecodeKind};
use serde::Deserialize;
use serde::de::{self, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use uuid::Uuid;
use venus_core::types::address::{self, AddressError};
use venus_core::types::{Address, MsgMeta, MsgType};

/// `address.Address`: `""`, `"<empty>"` and null are the empty address.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct AddressText(pub Option<Address>);

impl<'de> Deserialize<'de> for AddressText {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = deserializer.deserialize_any(GoText("string"))?;
        if text.is_empty() || text == "<empty>" {
            return Ok(Self::default());
        }
        let address = address::parse(&text).map_err(|error| de::Error::custom(go_address(&error)))?;
        Ok(Self(Some(address)))
    }
}

fn go_address(error: &AddressError) -> &'static str {
    match error {
        AddressError::Length(_) => "invalid address length",
        AddressError::Network => "unknown address network",
        AddressError::Id => "invalid address payload",
        AddressError::Malformed("unknown protocol") => "unknown address protocol",
        AddressError::Malformed("wrong checksum") => "invalid address checksum",
        _ => "invalid encoding",
    }
}

/// `[]byte`: base64 or null. Line ends inside do not count.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Base64(pub Vec<u8>);

impl<'de> Deserialize<'de> for Base64 {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = deserializer.deserialize_any(GoText("[]uint8"))?;
        // Line ends are rare, so they are looked for only where something is wrong.
        if let Ok(bytes) = BASE64.decode(text.as_bytes()) {
            return Ok(Self(bytes));
        }
        let bytes: Vec<u8> = text.bytes().filter(|b| !matches!(b, b'\r' | b'\n')).collect();
        BASE64.decode(&bytes).map(Self).map_err(|error| {
            let at = if error.kind == DecodeKind::Symbol { error.position } else { error.position / 4 * 4 };
            de::Error::custom(format_args!("illegal base64 data at input byte {at}"))
        })
    }
}

/// `types.UUID`, in every spelling that Go's parser takes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Id(pub Uuid);

impl<'de> Deserialize<'de> for Id {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = deserializer.deserialize_any(GoText("types.UUID"))?;
        Uuid::try_parse(&text).map(Self).map_err(|_| {
            if matches!(text.len(), 32 | 36 | 38 | 45) {
                de::Error::custom("invalid UUID format")
            } else {
                de::Error::custom(format_args!("invalid UUID length: {}", text.len()))
            }
        })
    }
}

/// `types.MsgMeta`, with a type that nobody knows kept for the answer.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct MetaText {
    /// What the bytes are said to be.
    #[serde(rename = "Type", alias = "type", deserialize_with = "or_default")]
    pub kind: String,
    /// More about it.
    #[serde(alias = "extra")]
    pub extra: Base64,
}

impl MetaText {
    /// The metadata, or the text of a type that is none.
    pub(crate) fn meta(self) -> Result<MsgMeta, String> {
        match MsgType::from_name(&self.kind) {
            Some(msg_type) => Ok(MsgMeta { msg_type, extra: self.extra.0 }),
            None => Err(self.kind.chars().take(64).collect()),
        }
    }
}

fn or_default<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    Option::deserialize(deserializer).map(Option::unwrap_or_default)
}

/// A text or null for a Go variable of this type.
struct GoText(&'static str);

impl GoText {
    fn unfit<E: de::Error>(&self, kind: &str) -> E {
        E::custom(format_args!("json: cannot unmarshal {kind} into Go value of type {}", self.0))
    }
}

impl<'de> Visitor<'de> for GoText {
    type Value = Cow<'de, str>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a text or null")
    }

    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Self::Value, E> {
        Ok(Cow::Borrowed(text))
    }

    fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
        Ok(Cow::Owned(text.to_owned()))
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(Cow::Borrowed(""))
    }

    fn visit_bool<E: de::Error>(self, _: bool) -> Result<Self::Value, E> {
        Err(self.unfit("bool"))
    }

    fn visit_u64<E: de::Error>(self, _: u64) -> Result<Self::Value, E> {
        Err(self.unfit("number"))
    }

    fn visit_i64<E: de::Error>(self, _: i64) -> Result<Self::Value, E> {
        Err(self.unfit("number"))
    }

    fn visit_f64<E: de::Error>(self, _: f64) -> Result<Self::Value, E> {
        Err(self.unfit("number"))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
        while seq.next_element::<IgnoredAny>()?.is_some() {}
        Err(self.unfit("array"))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Err(self.unfit("object"))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn refusal<T: for<'de> Deserialize<'de> + fmt::Debug>(json: &str) -> String {
        let error = serde_json::from_str::<T>(json).unwrap_err().to_string();
        error.split(" at line").next().unwrap_or_default().to_owned()
    }

    #[test]
    fn refusals_are_gos() {
        for (json, text) in [
            ("[\"alice\"]", "json: cannot unmarshal array into Go value of type string"),
            ("{}", "json: cannot unmarshal object into Go value of type string"),
            ("5", "json: cannot unmarshal number into Go value of type string"),
            ("\"alice\"", "unknown address network"),
            ("\"f0\"", "invalid address length"),
        ] {
            assert_eq!(refusal::<AddressText>(json), text, "{json}");
        }
        assert_eq!(refusal::<Base64>("\"a===\""), "illegal base64 data at input byte 0");
        assert_eq!(refusal::<Base64>("true"), "json: cannot unmarshal bool into Go value of type []uint8");
        assert_eq!(refusal::<Id>("null"), "invalid UUID length: 0");
        assert_eq!(refusal::<Id>("\"zz000000-0000-0000-0000-000000000001\""), "invalid UUID format");
    }

    #[test]
    fn what_go_takes_is_taken() {
        for json in ["\"\"", "\"<empty>\"", "null"] {
            assert_eq!(serde_json::from_str::<AddressText>(json).unwrap().0, None);
        }
        assert_eq!(serde_json::from_str::<Base64>("\"eA\\n==\"").unwrap().0, b"x");
        assert_eq!(serde_json::from_str::<Base64>("null").unwrap().0, b"");
        let meta: MetaText = serde_json::from_str(r#"{"Type":"nonsense","Extra":null}"#).unwrap();
        assert_eq!(meta.meta().unwrap_err(), "nonsense");
        let meta: MetaText = serde_json::from_str(r#"{"type":null,"extra":"eA==","More":1}"#).unwrap();
        assert_eq!(meta.meta().unwrap(), MsgMeta { msg_type: MsgType::Undefined, extra: b"x".to_vec() });
    }

    proptest! {
        #[test]
        fn no_text_is_too_odd(json in "\\PC{0,60}") {
            let _ = serde_json::from_str::<AddressText>(&json);
            let _ = serde_json::from_str::<Base64>(&json);
            let _ = serde_json::from_str::<Id>(&json);
            let _ = serde_json::from_str::<MetaText>(&json);
        }

        #[test]
        fn no_string_is_too_odd(text in "\\PC{0,60}") {
            let json = serde_json::to_string(&text).unwrap();
            let _ = serde_json::from_str::<AddressText>(&json);
            let _ = serde_json::from_str::<Id>(&json);
            let _ = serde_json::from_str::<MetaText>(&json);
        }

        #[test]
        fn bytes_are_read_as_they_were_written(bytes: Vec<u8>) {
            let json = format!("{:?}", BASE64.encode(&bytes));
            prop_assert_eq!(serde_json::from_str::<Base64>(&json).unwrap().0, bytes);
        }
    }
}
