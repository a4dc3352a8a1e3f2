//! Parameters and results as Go reads and writes them, down to its words about what it cannot read.

mod lenient;

use std::fmt;

use data_encoding::{BASE32_NOPAD, BASE64, DecodeKind};
use serde::de::{self, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Serialize, Serializer};
use venus_core::types::address::{self, AddressError};
use venus_core::types::{Address, Network};
use zeroize::Zeroizing;

#[cfg(test)]
use lenient::without_place;
use lenient::{GoText, members, unfit};

/// An address on the wire, or none: `""`, `"<empty>"` and null are read, `"<empty>"` is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct AddressText {
    /// The address.
    pub address: Option<Address>,
    /// For which network it is written. What is read belongs to any.
    pub network: Option<Network>,
}

impl AddressText {
    /// An address to be written for `network`.
    pub fn new(address: Address, network: Network) -> Self {
        Self { address: Some(address), network: Some(network) }
    }
}

impl From<Address> for AddressText {
    fn from(address: Address) -> Self {
        Self { address: Some(address), network: None }
    }
}

impl Serialize for AddressText {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let text = self.address.map(|a| address::format(&a, self.network.unwrap_or(Network::Mainnet)));
        serializer.serialize_str(text.as_deref().unwrap_or("<empty>"))
    }
}

impl<'de> Deserialize<'de> for AddressText {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = deserializer.deserialize_any(GoText("string"))?;
        if text.is_empty() || text == "<empty>" {
            return Ok(Self::default());
        }
        address::parse(&text).map(Self::from).map_err(|error| de::Error::custom(go_address(&text, &error)))
    }
}

fn go_address(text: &str, error: &AddressError) -> &'static str {
    match error {
        AddressError::Length(_) => "invalid address length",
        AddressError::Network => "unknown address network",
        AddressError::Id => "invalid address payload",
        AddressError::Malformed("unknown protocol") => "unknown address protocol",
        AddressError::Malformed("wrong checksum") => "invalid address checksum",
        // Go decodes before it counts.
        AddressError::Malformed("wrong length of the payload") if is_base32(text) => "invalid address length",
        _ => "invalid encoding",
    }
}

fn is_base32(address: &str) -> bool {
    let body = address.get(2..).unwrap_or_default().to_ascii_uppercase();
    BASE32_NOPAD.decode(body.as_bytes()).is_ok()
}

/// `[]byte`: base64, null, or an array of numbers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Base64(pub Vec<u8>);

impl Serialize for Base64 {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&BASE64.encode(&self.0))
    }
}

impl<'de> Deserialize<'de> for Base64 {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Bytes;
        impl<'de> Visitor<'de> for Bytes {
            type Value = Vec<u8>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("base64")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Vec<u8>, E> {
                go_base64(text).map_err(E::custom)
            }

            fn visit_unit<E>(self) -> Result<Vec<u8>, E> {
                Ok(Vec::new())
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Vec<u8>, A::Error> {
                let mut bytes = Vec::new();
                while let Some(byte) = seq.next_element()? {
                    bytes.push(byte);
                }
                Ok(bytes)
            }

            fn visit_u64<E: de::Error>(self, _: u64) -> Result<Vec<u8>, E> {
                Err(unfit("number", "[]uint8"))
            }

            fn visit_i64<E: de::Error>(self, _: i64) -> Result<Vec<u8>, E> {
                Err(unfit("number", "[]uint8"))
            }

            fn visit_f64<E: de::Error>(self, _: f64) -> Result<Vec<u8>, E> {
                Err(unfit("number", "[]uint8"))
            }

            fn visit_bool<E: de::Error>(self, _: bool) -> Result<Vec<u8>, E> {
                Err(unfit("bool", "[]uint8"))
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Vec<u8>, A::Error> {
                while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
                Err(unfit("object", "[]uint8"))
            }
        }
        deserializer.deserialize_any(Bytes).map(Self)
    }
}

/// Standard base64 with padding; line ends inside do not count.
fn go_base64(text: &str) -> Result<Vec<u8>, String> {
    let text: Zeroizing<Vec<u8>> =
        text.bytes().filter(|b| !matches!(b, b'\r' | b'\n')).collect::<Vec<_>>().into();
    BASE64.decode(&text).map_err(|error| {
        let at = if error.kind == DecodeKind::Symbol { error.position } else { error.position / 4 * 4 };
        format!("illegal base64 data at input byte {at}")
    })
}

/// `types.MsgMeta`, with the type as it was written: an unknown one is an answer of the method.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct MetaText {
    /// What the bytes are said to be.
    #[serde(rename = "Type")]
    pub kind: String,
    /// What belongs to them.
    #[serde(rename = "Extra")]
    pub extra: Base64,
}

impl<'de> Deserialize<'de> for MetaText {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut meta = Self::default();
        members(deserializer, "types.MsgMeta", |name, value| {
            match name {
                "type" => meta.kind = value.text("types.MsgType")?,
                "extra" => meta.extra = value.decode()?,
                _ => {}
            }
            Ok(())
        })?;
        Ok(meta)
    }
}

/// `types.KeyType`: its name, or the number of its signatures as old wallets wrote it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct KeyTypeText(pub String);

impl<'de> Deserialize<'de> for KeyTypeText {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Kind;
        impl Visitor<'_> for Kind {
            type Value = String;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a key type")
            }

            fn visit_str<E>(self, text: &str) -> Result<String, E> {
                Ok(text.to_owned())
            }

            fn visit_unit<E>(self) -> Result<String, E> {
                Ok(String::new())
            }

            fn visit_u64<E: de::Error>(self, number: u64) -> Result<String, E> {
                match number {
                    1 => Ok("secp256k1".to_owned()),
                    2 => Ok("bls".to_owned()),
                    3 => Ok("delegated".to_owned()),
                    other => Err(E::custom(format_args!("unknown sigtype: {other}"))),
                }
            }
        }
        deserializer.deserialize_any(Kind).map(Self)
    }
}

/// `types.KeyInfo`: a private key. No format shows it, and it is wiped when dropped.
#[derive(Clone, Default)]
pub struct KeyText {
    /// The kind of key.
    pub kind: KeyTypeText,
    /// The key; missing where Go had a nil pointer.
    pub secret: Option<Zeroizing<Vec<u8>>>,
}

impl fmt::Debug for KeyText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeyText").field("kind", &self.kind).finish_non_exhaustive()
    }
}

impl Serialize for KeyText {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        use serde::ser::SerializeStruct;
        let secret = self.secret.as_ref().map(|secret| Zeroizing::new(BASE64.encode(secret)));
        let mut key = serializer.serialize_struct("KeyInfo", 2)?;
        key.serialize_field("Type", &self.kind)?;
        key.serialize_field("PrivateKey", &secret.as_ref().map(|secret| secret.as_str()))?;
        key.end()
    }
}

impl<'de> Deserialize<'de> for KeyText {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut key = Self::default();
        members(deserializer, "types.KeyInfo", |name, value| {
            match name {
                "type" => key.kind = value.decode()?,
                "privatekey" => key.secret = Some(value.decode::<Base64>()?.0.into()),
                _ => {}
            }
            Ok(())
        })?;
        Ok(key)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn refusal<T: for<'a> Deserialize<'a>>(json: &str) -> String {
        serde_json::from_str::<T>(json).err().map(|error| without_place(&error)).unwrap()
    }

    #[test]
    fn addresses_in_go_words() {
        let cases = [
            ("5", "json: cannot unmarshal number into Go value of type string"),
            ("\"f1xx\"", "invalid encoding"),
            ("\"f17rmoshisxovfjkrox2gpryaupmsalzy2tlaluia\"", "invalid address checksum"),
            ("\"f2aaaa\"", "invalid address length"),
            ("\"x01\"", "unknown address network"),
        ];
        for (json, text) in cases {
            assert_eq!(refusal::<AddressText>(json), text, "{json}");
        }
        for json in ["null", "\"\"", "\"<empty>\""] {
            assert_eq!(serde_json::from_str::<AddressText>(json).unwrap().address, None);
        }
        let address: AddressText = serde_json::from_str("\"t01000\"").unwrap();
        assert_eq!(serde_json::to_string(&address).unwrap(), "\"f01000\"");
        let written = AddressText { network: Some(Network::Testnet), ..address };
        assert_eq!(serde_json::to_string(&written).unwrap(), "\"t01000\"");
    }

    #[test]
    fn bytes_in_all_forms() {
        let read = |json: &str| serde_json::from_str::<Base64>(json).unwrap().0;
        assert_eq!(read("\"eA==\""), b"x");
        assert_eq!((read("null"), read("[1,2]"), read("\"\"")), (vec![], vec![1, 2], vec![]));
        for text in ["***", "eA", "_-8="] {
            let json = format!("\"{text}\"");
            assert_eq!(refusal::<Base64>(&json), "illegal base64 data at input byte 0", "{text}");
        }
    }

    #[test]
    fn metadata_in_any_case() {
        let read = |json: &str| serde_json::from_str::<MetaText>(json).unwrap();
        assert_eq!(read(r#"{"type":"nonsense","extra":"eA=="}"#).kind, "nonsense");
        assert_eq!(read(r#"{"type":"nonsense","EXTRA":"eA=="}"#).extra.0, b"x");
        assert_eq!(read("null"), MetaText::default());
        assert!(refusal::<MetaText>(r#"{"Type":"a","type":"b"}"#).contains("twice"));
        assert!(refusal::<MetaText>("5").contains("types.MsgMeta"));
    }

    #[test]
    fn keys_show_nothing() {
        let key: KeyText = serde_json::from_str(r#"{"type":1,"privateKey":"eA=="}"#).unwrap();
        assert_eq!(key.kind.0, "secp256k1");
        assert_eq!(key.secret.as_ref().unwrap().as_slice(), b"x");
        assert!(!format!("{key:?}").contains("eA"), "{key:?}");
        assert_eq!(serde_json::to_string(&key).unwrap(), r#"{"Type":"secp256k1","PrivateKey":"eA=="}"#);
        assert_eq!(refusal::<KeyText>(r#"{"Type":9}"#), "unknown sigtype: 9");
        assert_eq!(refusal::<KeyText>(r#"{"PrivateKey":"***"}"#), "illegal base64 data at input byte 0");
        assert!(serde_json::from_str::<KeyText>("null").unwrap().secret.is_none());
    }

    proptest! {
        #[test]
        fn nothing_panics(text in ".{0,64}") {
            let json = serde_json::to_string(&text).unwrap();
            let _ = serde_json::from_str::<AddressText>(&json);
            let _ = serde_json::from_str::<Base64>(&json);
            let _ = serde_json::from_str::<MetaText>(&text);
            let _ = serde_json::from_str::<KeyText>(&text);
        }
    }
}
