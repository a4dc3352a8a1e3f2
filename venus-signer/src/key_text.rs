//! The text forms of a key: the JSON that Lotus and Venus wallets export, and its hex.
//!
//! Errors name the member and never quote it: what does not parse may still be most of a key.

use std::fmt;

use data_encoding::{BASE64, HEXLOWER, HEXLOWER_PERMISSIVE};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use serde::de::{Deserializer, Error, Visitor};
use zeroize::Zeroizing;

use crate::error::KeyError;
use crate::key::{KeyInfo, KeyType};

/// Longest text that is looked at, characters. An exported key has about 180.
const MAX_TEXT: usize = 4096;

impl KeyInfo {
    /// The exported form: `{"Type":"bls","PrivateKey":"<base64>"}`.
    pub fn to_json(&self) -> SecretString {
        let secret = Zeroizing::new(BASE64.encode(self.expose()));
        let json = format!(r#"{{"Type":"{}","PrivateKey":"{}"}}"#, self.key_type(), secret.as_str());
        json.into()
    }

    /// The hex of [`KeyInfo::to_json`], which wallets print and read by default.
    pub fn to_hex(&self) -> SecretString {
        HEXLOWER.encode(self.to_json().expose_secret().as_bytes()).into()
    }

    /// Reads [`KeyInfo::to_json`]. A number as `Type`, as old wallets wrote it, is read too.
    ///
    /// # Errors
    /// [`KeyError`] naming the member.
    pub fn from_json(text: &str) -> Result<Self, KeyError> {
        bounded(text)?;
        // The reason of the JSON parser is left out, for it quotes the input.
        let wire: Wire = serde_json::from_str(text)
            .map_err(|_| KeyError::Malformed("expected an object with Type and PrivateKey, each once"))?;
        let key_type = wire.key_type.as_ref().map_or(field("Type", "missing"), key_type)?;
        let Some(Member::Text(secret)) = &wire.private_key else {
            return field("PrivateKey", "missing or no text");
        };
        let secret = BASE64.decode(secret.as_bytes()).map(Zeroizing::new);
        let secret = secret.or_else(|_| field("PrivateKey", "not base64 with padding"))?;
        Self::new(key_type, &secret)
    }

    /// Reads [`KeyInfo::to_hex`], in either case and with white space around it.
    ///
    /// # Errors
    /// [`KeyError`], as [`KeyInfo::from_json`].
    pub fn from_hex(text: &str) -> Result<Self, KeyError> {
        bounded(text)?;
        let json = HEXLOWER_PERMISSIVE.decode(text.trim().as_bytes()).map(Zeroizing::new);
        let json = json.map_err(|_| KeyError::Malformed("not hex"))?;
        let json = std::str::from_utf8(&json).map_err(|_| KeyError::Malformed("hex of no text"))?;
        Self::from_json(json)
    }
}

fn bounded(text: &str) -> Result<(), KeyError> {
    if text.len() > MAX_TEXT { Err(KeyError::Malformed("longer than any exported key")) } else { Ok(()) }
}

fn field<T>(field: &'static str, reason: &'static str) -> Result<T, KeyError> {
    Err(KeyError::Field { field, reason })
}

fn key_type(member: &Member) -> Result<KeyType, KeyError> {
    match member {
        Member::Text(name) if name.as_str() == "secp256k1" => Ok(KeyType::Secp256k1),
        Member::Text(name) if name.as_str() == "bls" => Ok(KeyType::Bls),
        Member::Number(1) => Ok(KeyType::Secp256k1),
        Member::Number(2) => Ok(KeyType::Bls),
        Member::Text(name) if name.as_str() == "delegated" => {
            field("Type", "delegated keys are not supported")
        }
        Member::Number(3) => field("Type", "delegated keys are not supported"),
        _ => field("Type", "expected secp256k1 or bls"),
    }
}

#[derive(Deserialize)]
struct Wire {
    #[serde(rename = "Type", alias = "type", default)]
    key_type: Option<Member>,
    #[serde(rename = "PrivateKey", alias = "privateKey", alias = "privatekey", default)]
    private_key: Option<Member>,
}

/// A member of any type, so that the parser never complains about its value.
enum Member {
    Text(Zeroizing<String>),
    Number(u64),
    Other,
}

impl<'de> Deserialize<'de> for Member {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Any;
        impl<'de> Visitor<'de> for Any {
            type Value = Member;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a text or a number")
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Member, E> {
                Ok(Member::Text(Zeroizing::new(text.to_owned())))
            }

            fn visit_u64<E: Error>(self, number: u64) -> Result<Member, E> {
                Ok(Member::Number(number))
            }

            fn visit_bool<E: Error>(self, _: bool) -> Result<Member, E> {
                Ok(Member::Other)
            }
        }
        deserializer.deserialize_any(Any)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEX: &str = "7b2254797065223a22736563703235366b31222c22507269766174654b6579223a22626e765665386d53587171346173384633654c647a7438794a6d68764e434c377132795a6c6657784341303d227d";
    const JSON: &str = r#"{"Type":"secp256k1","PrivateKey":"bnvVe8mSXqq4as8F3eLdzt8yJmhvNCL7q2yZlfWxCA0="}"#;

    #[test]
    fn golden_export() {
        let key = KeyInfo::from_hex(&format!(" {HEX}\n")).unwrap();
        let address = venus_core::types::address::parse("t12mchblwgi243re5i2pg2harmnqvm6q3rwb2cnpy").unwrap();
        assert_eq!(key.address().unwrap(), address);
        assert_eq!(key.to_json().expose_secret(), JSON);
        assert_eq!(key.to_hex().expose_secret(), HEX);
        assert_eq!(KeyInfo::from_hex(&HEX.to_uppercase()).unwrap().address().unwrap(), address);
    }

    #[test]
    fn old_numbers_are_read() {
        let json = JSON.replace("\"secp256k1\"", "1");
        assert_eq!(KeyInfo::from_json(&json).unwrap().key_type(), KeyType::Secp256k1);
    }

    #[test]
    fn errors_name_the_member_and_quote_nothing() {
        let secret = "bnvVe8mSXqq4as8F3eLdzt8yJmhvNCL7q2yZlfWxCA0=";
        let cases = [
            (format!("\"{secret}\""), "key info"),
            (format!("{{\"PrivateKey\":\"{secret}\"}}"), "Type"),
            (format!("{{\"Type\":\"{secret}\",\"PrivateKey\":\"{secret}\"}}"), "Type"),
            (JSON.replace("secp256k1", "delegated"), "Type"),
            (JSON.replace("\"secp256k1\"", "3"), "Type"),
            (JSON.replace("\"secp256k1\"", "true"), "Type"),
            (JSON.replace("\"secp256k1\"", "null"), "Type"),
            (JSON.replace('=', ""), "PrivateKey"),
            (JSON.replace("bnv", "*nv"), "PrivateKey"),
            (r#"{"Type":"bls"}"#.into(), "PrivateKey"),
            (r#"{"Type":"bls","PrivateKey":7}"#.into(), "PrivateKey"),
            (r#"{"Type":"bls","PrivateKey":""}"#.into(), "PrivateKey has 0 bytes"),
            (format!("{JSON}{JSON}"), "key info"),
            (JSON.replace('}', &format!(",\"PrivateKey\":\"{secret}\"}}")), "key info"),
            (JSON.repeat(40), "key info"),
        ];
        for (json, names) in cases {
            let error = KeyInfo::from_json(&json).unwrap_err();
            let text = format!("{error} {error:?}");
            assert!(text.contains(names), "{json}: {text}");
            assert!(!text.contains("CA0") && !text.contains("bnv"), "{text}");
            assert!(KeyInfo::from_hex(&HEXLOWER.encode(json.as_bytes())).is_err());
        }
        assert!(KeyInfo::from_hex(JSON).is_err());
        assert!(KeyInfo::from_hex("ff").is_err());
    }
}
