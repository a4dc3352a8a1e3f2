//! Requests to venus-wallet v1.20.0 and what it answered.
#![allow(dead_code, reason = "each test program uses a part")]

use std::path::Path;

use data_encoding::{BASE64, HEXLOWER};
use serde::Deserialize;
use serde_json::Value;
use venus_core::types::{Address, MsgMeta, MsgType, address};
use venus_signer::{KeyInfo, KeyType, LocalWallet};

#[derive(Deserialize)]
pub(crate) struct Key {
    #[serde(rename = "type")]
    pub(crate) key_type: String,
    #[serde(rename = "privateKeyHex")]
    private_key: String,
    address: String,
}

#[derive(Deserialize)]
struct Meta {
    #[serde(rename = "Type")]
    msg_type: String,
    #[serde(rename = "Extra")]
    extra: Option<String>,
}

#[derive(Deserialize)]
pub(crate) struct GoError {
    pub(crate) message: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Recording {
    pub(crate) name: String,
    pub(crate) key: Key,
    to_sign: String,
    meta: Meta,
    pub(crate) object: Option<Value>,
    signed_bytes: Option<String>,
    pub(crate) signature: Option<String>,
    pub(crate) error: Option<GoError>,
}

pub(crate) fn load<T: for<'de> Deserialize<'de>>(name: &str) -> T {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data").join(name);
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

pub(crate) fn recordings() -> Vec<Recording> {
    load("wallet_signatures.json")
}

/// The one recording of this name with this kind of key.
pub(crate) fn recording(name: &str, key_type: &str) -> Recording {
    let mut all = recordings().into_iter();
    all.find(|r| r.name == name && r.key.key_type == key_type).unwrap_or_else(|| panic!("{name}"))
}

pub(crate) fn hex(text: &str) -> Vec<u8> {
    HEXLOWER.decode(text.as_bytes()).unwrap()
}

impl Recording {
    pub(crate) fn signer(&self) -> Address {
        address::parse(&self.key.address).unwrap()
    }

    pub(crate) fn to_sign(&self) -> Vec<u8> {
        hex(&self.to_sign)
    }

    pub(crate) fn signed_bytes(&self) -> Option<Vec<u8>> {
        self.signed_bytes.as_deref().map(hex)
    }

    /// The kind as the caller wrote it.
    pub(crate) fn claimed(&self) -> &str {
        &self.meta.msg_type
    }

    /// The metadata as a server hands them on: kinds that nobody knows are no kind.
    pub(crate) fn meta(&self) -> MsgMeta {
        let extra = self.meta.extra.as_deref().unwrap_or_default();
        MsgMeta {
            msg_type: MsgType::from_name(&self.meta.msg_type).unwrap_or_default(),
            extra: BASE64.decode(extra.as_bytes()).unwrap(),
        }
    }

    /// The recorded key, as the recorded wallet had it.
    pub(crate) fn key_info(&self) -> KeyInfo {
        let key_type: KeyType = self.key.key_type.parse().unwrap();
        KeyInfo::new(key_type, &hex(&self.key.private_key)).unwrap()
    }

    /// A wallet that has the key and allows all.
    pub(crate) async fn wallet(&self) -> LocalWallet {
        let wallet = LocalWallet::in_memory();
        assert_eq!(wallet.import(self.key_info()).await.unwrap(), self.signer());
        wallet
    }
}
