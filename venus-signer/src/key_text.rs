//! The text forms of a key: the JSON that Lotus and Venus wallets export, and its hex.
//!
//! Errors name the member and never quote it: what does not parse may still be most of a key.

use data_encoding::{BASE64, HEXLOWER, HEXLOWER_PERMISSIVE};
use secrecy::{ExposeSecret, SecretString};
use zeroize::Zeroizing;

use crate::error::KeyError;
use crate::key::{KeyInfo, KeyType, UNKNOWN_TYPE};
use crate::secret_json::Node;

/// Longest text that is looked at, bytes. An exported key has about 180.
pub(crate) const MAX_TEXT: usize = 4096;

impl KeyInfo {
    /// The exported form: `{"Type":"bls","PrivateKey":"<base64>"}`.
    pub fn to_json(&self) -> SecretString {
        let secret = Zeroizing::new(BASE64.encode(self.expose()));
        // In one allocation of the right size: growing a text leaves pieces of it behind in memory.
        ["{\"Type\":\"", self.key_type().as_str(), "\",\"PrivateKey\":\"", secret.as_str(), "\"}"]
            .concat()
            .into()
    }

    /// The hex of [`KeyInfo::to_json`], which wallets print and read by default.
    pub fn to_hex(&self) -> SecretString {
        HEXLOWER.encode(self.to_json().expose_secret().as_bytes()).into()
    }

    /// Reads [`KeyInfo::to_json`]. Names of members may have any case, and a number may stand as `Type`, as old
    /// wallets wrote it.
    ///
    /// # Errors
    /// [`KeyError`] naming the member.
    pub fn from_json(text: &str) -> Result<Self, KeyError> {
        bounded(text)?;
        match Node::parse(text) {
            Some(object @ Node::Object(_)) => read_key(&object, "Type", "PrivateKey"),
            _ => Err(KeyError::Malformed("expected a JSON object with Type and PrivateKey")),
        }
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

pub(crate) fn bounded(text: &str) -> Result<(), KeyError> {
    if text.len() > MAX_TEXT { Err(KeyError::Malformed("longer than any exported key")) } else { Ok(()) }
}

pub(crate) fn field<T>(field: &'static str, reason: &'static str) -> Result<T, KeyError> {
    Err(KeyError::Field { field, reason })
}

/// The key in an object, whatever its members are called.
pub(crate) fn read_key(
    object: &Node,
    type_name: &'static str,
    secret_name: &'static str,
) -> Result<KeyInfo, KeyError> {
    let key_type = match object.member(type_name)? {
        None => return field(type_name, "missing"),
        Some(node) => key_type(node).map_or_else(|| field(type_name, UNKNOWN_TYPE), Ok)?,
    };
    let Some(Node::Text(secret)) = object.member(secret_name)? else {
        return field(secret_name, "missing or no text");
    };
    let secret = BASE64.decode(secret.as_bytes()).map(Zeroizing::new);
    let secret = secret.or_else(|_| field(secret_name, "not base64 with padding"))?;
    KeyInfo::new(key_type, &secret)
}

fn key_type(node: &Node) -> Option<KeyType> {
    match node {
        Node::Text(name) => KeyType::ALL.into_iter().find(|kind| name.as_str() == kind.as_str()),
        Node::Number(number) => KeyType::from_number(*number),
        _ => None,
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
    fn old_numbers_and_other_cases_are_read() {
        for (number, key_type) in [("1", KeyType::Secp256k1), ("2", KeyType::Bls), ("3", KeyType::Delegated)]
        {
            let secret = BASE64.encode(&[1; 32]);
            let json = format!("{{\"tyPe\":{number}, \"privatekey\" :\"{secret}\",\"more\":[{{}},-1,1.5]}}");
            assert_eq!(KeyInfo::from_json(&json).unwrap().key_type(), key_type);
        }
    }

    #[test]
    fn errors_name_the_member_and_quote_nothing() {
        let secret = "bnvVe8mSXqq4as8F3eLdzt8yJmhvNCL7q2yZlfWxCA0=";
        let cases = [
            (format!("\"{secret}\""), "key info"),
            (format!("{{\"PrivateKey\":\"{secret}\"}}"), "Type"),
            (format!("{{\"Type\":\"{secret}\",\"PrivateKey\":\"{secret}\"}}"), "Type"),
            (JSON.replace("secp256k1", "secp256k1-ledger"), "Type"),
            (JSON.replace("\"secp256k1\"", "4"), "Type"),
            (JSON.replace("\"secp256k1\"", "true"), "Type"),
            (JSON.replace("\"secp256k1\"", "null"), "Type"),
            (JSON.replace('=', ""), "PrivateKey"),
            (JSON.replace("bnv", "*nv"), "PrivateKey"),
            (r#"{"Type":"bls"}"#.into(), "PrivateKey"),
            (r#"{"Type":"bls","PrivateKey":7}"#.into(), "PrivateKey"),
            (r#"{"Type":"bls","PrivateKey":""}"#.into(), "PrivateKey has 0 bytes"),
            (format!("{JSON}{JSON}"), "key info"),
            (JSON.replace('}', &format!(",\"PrivateKey\":\"{secret}\"}}")), "PrivateKey: stands twice"),
            (JSON.replace('}', ",\"tYPE\":null}"), "Type: stands twice"),
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
