//! An encrypted key as stores keep it.

use std::borrow::Cow;
use std::fmt;

use data_encoding::BASE64;
use serde::Deserialize;
use venus_core::types::{Address, Network, address};

use crate::cipher::{CipherError, MAX_TEXT, Sealed};
use crate::error::WalletError;
use crate::key::KeyType;

/// Longest row that is looked at, bytes. One of venus-wallet has about 600.
pub(crate) const MAX_ROW: usize = 16 * 1024;

/// An encrypted key. It is of no use without its password, and still no format shows it: passwords are guessed.
#[derive(Clone, PartialEq, Eq)]
pub struct SealedKey {
    address: Address,
    key_type: KeyType,
    crypto: String,
}

impl SealedKey {
    /// A key that is encrypted already: `crypto` is the `crypto` object of keystore files.
    ///
    /// # Errors
    /// [`WalletError::CorruptKey`] if `crypto` is no such object, or one that would take minutes or gigabytes to open.
    pub fn new(address: Address, key_type: KeyType, crypto: impl Into<String>) -> Result<Self, WalletError> {
        let crypto = crypto.into();
        Sealed::parse(&crypto).map_err(|error| corrupt(&address, error))?;
        Ok(Self { address, key_type, crypto })
    }

    pub(crate) fn of(address: Address, key_type: KeyType, sealed: &Sealed) -> Self {
        Self { address, key_type, crypto: sealed.to_json() }
    }

    /// The address of the key.
    pub fn address(&self) -> &Address {
        &self.address
    }

    /// The kind of key.
    pub fn key_type(&self) -> KeyType {
        self.key_type
    }

    /// The `crypto` object.
    pub fn crypto(&self) -> &str {
        &self.crypto
    }

    pub(crate) fn sealed(&self) -> Result<Sealed, WalletError> {
        Sealed::parse(&self.crypto).map_err(|error| corrupt(&self.address, error))
    }

    /// The column `private_key` of venus-wallet.
    pub(crate) fn to_row(&self) -> Vec<u8> {
        let crypto = BASE64.encode(self.crypto.as_bytes());
        format!(r#"{{"Type":"{}","PrivateKey":"{crypto}"}}"#, self.key_type).into_bytes()
    }

    /// Reads the column `private_key` of venus-wallet.
    ///
    /// # Errors
    /// [`WalletError::CorruptKey`], naming the address.
    pub(crate) fn from_row(address: Address, row: &[u8]) -> Result<Self, WalletError> {
        #[derive(Deserialize)]
        struct Row<'a> {
            #[serde(rename = "Type", borrow)]
            key_type: Cow<'a, str>,
            #[serde(rename = "PrivateKey", borrow)]
            crypto: Cow<'a, str>,
        }
        let wrong = |reason| corrupt(&address, CipherError::Malformed(reason));
        if row.len() > MAX_ROW {
            return Err(wrong("longer than any encrypted key"));
        }
        let row: Row<'_> = serde_json::from_slice(row)
            .map_err(|_| wrong("expected an object with the texts Type and PrivateKey, each once"))?;
        let key_type = KeyType::parse(&row.key_type).map_err(|_| wrong("the type of key is not known"))?;
        let crypto = BASE64.decode(row.crypto.as_bytes()).map_err(|_| wrong("PrivateKey is no base64"))?;
        if crypto.len() > MAX_TEXT {
            return Err(wrong("longer than any encrypted key"));
        }
        Self::new(address, key_type, String::from_utf8(crypto).map_err(|_| wrong("PrivateKey is no text"))?)
    }
}

impl fmt::Debug for SealedKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = f.debug_struct("SealedKey");
        shown.field("address", &self.address.to_string()).field("key_type", &self.key_type);
        shown.finish_non_exhaustive()
    }
}

fn corrupt(address: &Address, error: CipherError) -> WalletError {
    WalletError::CorruptKey { address: *address, reason: error.to_string() }
}

/// An address as venus-wallet stores it: without the character of its network.
pub(crate) fn address_text(address: &Address) -> String {
    address::format(address, Network::Mainnet).split_off(1)
}

/// Reads [`address_text`], and addresses with their network's character, as old versions stored them.
pub(crate) fn read_address(text: &str) -> Option<Address> {
    if text.starts_with(['f', 't']) {
        return address::parse(text).ok();
    }
    if text.len() > address::MAX_TEXT {
        return None;
    }
    address::parse(&format!("f{text}")).ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const CRYPTO: &str = r#"{"cipher":"aes-128-ctr","ciphertext":"00","cipherparams":{"iv":"22222222222222222222222222222222"},"kdf":"scrypt","kdfparams":{"dklen":32,"n":2,"p":1,"r":8,"salt":"11"},"mac":"0000000000000000000000000000000000000000000000000000000000000000"}"#;

    fn address() -> Address {
        read_address("17rmoshisxovfjkrox2gpryaupmsalzy2tlaluiq").unwrap()
    }

    #[test]
    fn addresses_have_no_network() {
        for text in ["f17rmoshisxovfjkrox2gpryaupmsalzy2tlaluiq", "t17rmoshisxovfjkrox2gpryaupmsalzy2tlaluiq"]
        {
            assert_eq!(read_address(text), Some(address()));
        }
        assert_eq!(address_text(&address()), "17rmoshisxovfjkrox2gpryaupmsalzy2tlaluiq");
        assert_eq!(
            read_address("410fnz6o7a4owcgw33z2zvsxtuf64aoxlmcn4dh5hzy").map(|a| address_text(&a)).as_deref(),
            Some("410fnz6o7a4owcgw33z2zvsxtuf64aoxlmcn4dh5hzy")
        );
        for text in ["", "f", "x17", "17rmoshisxovfjkrox2gpryaupmsalzy2tlaluix", &"1".repeat(500)] {
            assert_eq!(read_address(text), None, "{text}");
        }
    }

    #[test]
    fn rows_are_those_of_go() {
        let key = SealedKey::new(address(), KeyType::Secp256k1, CRYPTO).unwrap();
        let row = String::from_utf8(key.to_row()).unwrap();
        assert!(row.starts_with(r#"{"Type":"secp256k1","PrivateKey":"eyJjaXBoZXIi"#), "{row}");
        assert_eq!(SealedKey::from_row(address(), row.as_bytes()).unwrap(), key);
        let shown = format!("{key:?}");
        assert!(shown.contains("rmosh") && !shown.contains("2222"), "{shown}");
    }

    #[test]
    fn wrong_rows_name_their_address() {
        let key = SealedKey::new(address(), KeyType::Bls, CRYPTO).unwrap();
        let row = String::from_utf8(key.to_row()).unwrap();
        let cases = [
            (String::new(), "object"),
            ("null".into(), "object"),
            (row.replace("bls", "rsa"), "type of key"),
            (row.replace("eyJ", "*yJ"), "base64"),
            (row.replace("eyJ", "ZyJ"), "sealed key"),
            (row.replace("\"Type\":\"bls\",", ""), "object"),
            (row.replace('}', ",\"Type\":\"bls\"}"), "object"),
            (format!("{row}{}", " ".repeat(MAX_ROW)), "longer"),
        ];
        for (row, says) in cases {
            let error = SealedKey::from_row(address(), row.as_bytes()).unwrap_err().to_string();
            assert!(error.contains(says) && error.contains("17rmosh"), "{error}");
        }
    }

    proptest! {
        #[test]
        fn garbage_is_an_error(row in proptest::collection::vec(any::<u8>(), 0..300)) {
            prop_assert!(SealedKey::from_row(address(), &row).is_err());
            let _ = read_address(&String::from_utf8_lossy(&row));
        }

        #[test]
        fn a_changed_byte_is_an_error_or_another_row(at: prop::sample::Index, flip in 1u8..) {
            let key = SealedKey::new(address(), KeyType::Bls, CRYPTO).unwrap();
            let mut row = key.to_row();
            let at = at.index(row.len());
            row[at] ^= flip;
            if let Ok(read) = SealedKey::from_row(address(), &row) {
                prop_assert_eq!(SealedKey::from_row(address(), &read.to_row()).unwrap(), read);
            }
        }
    }
}
