//! An encrypted key as stores keep it.

use std::fmt;

use venus_core::types::{Address, Network, address};

use crate::cipher::{CipherError, Sealed};
use crate::error::WalletError;
use crate::key::KeyType;

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
}

impl fmt::Debug for SealedKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = f.debug_struct("SealedKey");
        shown.field("address", &self.address.to_string()).field("key_type", &self.key_type);
        shown.finish_non_exhaustive()
    }
}

pub(super) fn corrupt(address: &Address, error: CipherError) -> WalletError {
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
    fn what_is_no_sealed_key_names_its_address() {
        let key = SealedKey::new(address(), KeyType::Secp256k1, CRYPTO).unwrap();
        let shown = format!("{key:?}");
        assert!(shown.contains("rmosh") && !shown.contains("2222"), "{shown}");
        let error = SealedKey::new(address(), KeyType::Bls, "{}").unwrap_err().to_string();
        assert!(error.contains("17rmosh"), "{error}");
    }

    proptest! {
        #[test]
        fn any_text_is_an_address_or_none(text in ".{0,200}") {
            if let Some(address) = read_address(&text) {
                prop_assert!(text.ends_with(&address_text(&address)));
            }
        }
    }
}
