//! The column `private_key` of venus-wallet: a key as it exports them, but encrypted.

use std::borrow::Cow;

use data_encoding::BASE64;
use serde::Deserialize;
use venus_core::types::Address;

use super::super::row::corrupt;
use crate::cipher::{CipherError, MAX_TEXT};
use crate::error::WalletError;
use crate::key::KeyType;
use crate::keystore::SealedKey;

/// Longest row that is looked at, bytes. One of venus-wallet has about 600.
pub(super) const MAX_ROW: usize = 16 * 1024;

#[derive(Deserialize)]
struct Row<'a> {
    #[serde(rename = "Type", borrow)]
    key_type: Cow<'a, str>,
    #[serde(rename = "PrivateKey", borrow)]
    crypto: Cow<'a, str>,
}

/// `{"Type":"bls","PrivateKey":"<base64 of the crypto object>"}`.
pub(super) fn write(key: &SealedKey) -> Vec<u8> {
    let crypto = BASE64.encode(key.crypto().as_bytes());
    format!(r#"{{"Type":"{}","PrivateKey":"{crypto}"}}"#, key.key_type()).into_bytes()
}

/// # Errors
/// [`WalletError::CorruptKey`], naming the address.
pub(super) fn read(address: Address, row: &[u8]) -> Result<SealedKey, WalletError> {
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
    SealedKey::new(address, key_type, String::from_utf8(crypto).map_err(|_| wrong("PrivateKey is no text"))?)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::keystore::read_address;

    const CRYPTO: &str = r#"{"cipher":"aes-128-ctr","ciphertext":"00","cipherparams":{"iv":"22222222222222222222222222222222"},"kdf":"scrypt","kdfparams":{"dklen":32,"n":2,"p":1,"r":8,"salt":"11"},"mac":"0000000000000000000000000000000000000000000000000000000000000000"}"#;

    fn key() -> SealedKey {
        let address = read_address("17rmoshisxovfjkrox2gpryaupmsalzy2tlaluiq").unwrap();
        SealedKey::new(address, KeyType::Secp256k1, CRYPTO).unwrap()
    }

    fn row() -> String {
        String::from_utf8(write(&key())).unwrap()
    }

    #[test]
    fn rows_are_those_of_go() {
        assert!(row().starts_with(r#"{"Type":"secp256k1","PrivateKey":"eyJjaXBoZXIi"#), "{}", row());
        assert_eq!(read(*key().address(), row().as_bytes()).unwrap(), key());
    }

    #[test]
    fn wrong_rows_name_their_address() {
        let row = row();
        let cases = [
            (String::new(), "object"),
            ("null".into(), "object"),
            (row.replace("secp256k1", "rsa"), "type of key"),
            (row.replace("eyJ", "*yJ"), "base64"),
            (row.replace("eyJ", "ZyJ"), "sealed key"),
            (row.replace("\"Type\":\"secp256k1\",", ""), "object"),
            (row.replace('}', ",\"Type\":\"bls\"}"), "object"),
            (format!("{row}{}", " ".repeat(MAX_ROW)), "longer"),
        ];
        for (row, says) in cases {
            let error = read(*key().address(), row.as_bytes()).unwrap_err().to_string();
            assert!(error.contains(says) && error.contains("17rmosh"), "{error}");
        }
    }

    proptest! {
        #[test]
        fn garbage_is_an_error(row in proptest::collection::vec(any::<u8>(), 0..300)) {
            prop_assert!(read(*key().address(), &row).is_err());
        }

        #[test]
        fn a_changed_byte_is_an_error_or_another_row(at: prop::sample::Index, flip in 1u8..) {
            let mut row = write(&key());
            let at = at.index(row.len());
            row[at] ^= flip;
            if let Ok(changed) = read(*key().address(), &row) {
                prop_assert_eq!(read(*key().address(), &write(&changed)).unwrap(), changed);
            }
        }
    }
}
