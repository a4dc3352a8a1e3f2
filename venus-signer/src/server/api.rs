//! The wallet's API: 20 methods of `venus-wallet` 1.20, seven of which are Lotus' remote wallet.

use jsonrpsee::core::RpcResult;
use jsonrpsee::proc_macros::rpc;
use serde::{Deserialize, Serialize};
use venus_core::rpc::{MethodSpec, Param, Permission};
use venus_core::types::Signature;

use crate::audit::{RecordQuery, SignRecord};

use super::wire::{AddressText, Base64, KeyText, KeyTypeText, MetaText};

/// What `Version` answers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct VersionInfo {
    /// The `venus-wallet` whose API this is, then our own version behind a `+`.
    #[serde(rename = "Version")]
    pub version: String,
    /// Major, minor and patch level of the API in a byte each.
    #[serde(rename = "APIVersion")]
    pub api_version: u32,
}

/// The methods, as a client calls them and a server serves them.
///
/// Addresses are those of keys (`f1`, `f3`, `f4`). Errors have code 1 and Go's text.
#[rpc(client, server, namespace = "Filecoin", namespace_separator = ".")]
pub trait WalletApi {
    /// Makes a key.
    #[method(name = "WalletNew")]
    async fn wallet_new(&self, key_type: KeyTypeText) -> RpcResult<AddressText>;
    /// Whether there is a key; works while locked.
    #[method(name = "WalletHas", with_extensions)]
    async fn wallet_has(&self, address: AddressText) -> RpcResult<bool>;
    /// All addresses in the order of their making; works while locked.
    #[method(name = "WalletList", with_extensions)]
    async fn wallet_list(&self) -> RpcResult<Vec<AddressText>>;
    /// Signs.
    #[method(name = "WalletSign", with_extensions)]
    async fn wallet_sign(&self, signer: AddressText, to_sign: Base64, meta: MetaText)
    -> RpcResult<Signature>;
    /// Hands a key out, to whom has shown the password.
    #[method(name = "WalletExport", with_extensions)]
    async fn wallet_export(&self, address: AddressText) -> RpcResult<KeyText>;
    /// Keeps a key.
    #[method(name = "WalletImport")]
    async fn wallet_import(&self, key: KeyText) -> RpcResult<AddressText>;
    /// Forgets a key.
    #[method(name = "WalletDelete")]
    async fn wallet_delete(&self, address: AddressText) -> RpcResult<()>;
    /// Sets the password of a wallet that has none since its start.
    #[method(name = "SetPassword", with_extensions)]
    async fn set_password(&self, password: String) -> RpcResult<()>;
    /// Unlocks.
    #[method(name = "Unlock", with_extensions)]
    async fn unlock(&self, password: String) -> RpcResult<()>;
    /// Locks, and wipes keys and password from memory.
    #[method(name = "Lock")]
    async fn lock(&self, password: String) -> RpcResult<()>;
    /// Whether the wallet is locked.
    #[method(name = "LockState")]
    async fn lock_state(&self) -> RpcResult<bool>;
    /// Checks the password.
    #[method(name = "VerifyPassword", with_extensions)]
    async fn verify_password(&self, password: String) -> RpcResult<()>;
    /// What a token allows.
    #[method(name = "AuthVerify")]
    async fn auth_verify(&self, token: String) -> RpcResult<Option<Vec<String>>>;
    /// A token, base64 of its text.
    #[method(name = "AuthNew")]
    async fn auth_new(&self, permissions: Option<Vec<String>>) -> RpcResult<Base64>;
    /// What has a log level of its own.
    #[method(name = "LogList")]
    async fn log_list(&self) -> RpcResult<Vec<String>>;
    /// Sets a log level.
    #[method(name = "LogSetLevel")]
    async fn log_set_level(&self, system: String, level: String) -> RpcResult<()>;
    /// Records of requests, newest first.
    #[method(name = "ListSignedRecord")]
    async fn list_signed_record(&self, query: Option<RecordQuery>) -> RpcResult<Option<Vec<SignRecord>>>;
    /// Versions.
    #[method(name = "Version")]
    async fn version(&self) -> RpcResult<VersionInfo>;
    /// Serves the requests of an account more at all hubs.
    #[method(name = "AddSupportAccount")]
    async fn add_support_account(&self, account: String) -> RpcResult<()>;
    /// Announces addresses to all hubs again.
    #[method(name = "AddNewAddress")]
    async fn add_new_address(&self, addresses: Option<Vec<AddressText>>) -> RpcResult<()>;
}

/// Methods that Go's wallet has not.
#[rpc(client, server, namespace = "Filecoin", namespace_separator = ".")]
pub trait WalletExtApi {
    /// Encrypts all keys under another password, all or none.
    #[method(name = "ChangePassword")]
    async fn change_password(&self, old: String, new: String) -> RpcResult<()>;
    /// A token that names its bearer in records.
    #[method(name = "AuthNewFor")]
    async fn auth_new_for(&self, permissions: Vec<String>, subject: String) -> RpcResult<Base64>;
}

const ADDRESS: Param = Param::of::<AddressText>("address.Address");
const STRING: Param = Param::of::<String>("string");
const KEY_TYPE: Param = Param::of::<KeyTypeText>("types.KeyType");
const KEY: Param = Param::of::<KeyText>("*types.KeyInfo");
const SIGN: &[Param] = &[ADDRESS, Param::of::<Base64>("[]uint8"), Param::of::<MetaText>("types.MsgMeta")];

/// The methods and who may call them.
pub const WALLET_TABLE: &[MethodSpec] = &[
    MethodSpec::new("Filecoin.WalletNew", Permission::Admin, &[KEY_TYPE]),
    MethodSpec::new("Filecoin.WalletHas", Permission::Read, &[ADDRESS]).idempotent(),
    MethodSpec::new("Filecoin.WalletList", Permission::Read, &[]).idempotent(),
    MethodSpec::new("Filecoin.WalletSign", Permission::Sign, SIGN).idempotent(),
    MethodSpec::new("Filecoin.WalletExport", Permission::Admin, &[ADDRESS]).idempotent(),
    MethodSpec::new("Filecoin.WalletImport", Permission::Admin, &[KEY]).idempotent(),
    MethodSpec::new("Filecoin.WalletDelete", Permission::Admin, &[ADDRESS]).void().idempotent(),
    MethodSpec::new("Filecoin.SetPassword", Permission::Admin, &[STRING]).void(),
    MethodSpec::new("Filecoin.Unlock", Permission::Admin, &[STRING]).void(),
    MethodSpec::new("Filecoin.Lock", Permission::Admin, &[STRING]).void(),
    MethodSpec::new("Filecoin.LockState", Permission::Admin, &[]).idempotent(),
    MethodSpec::new("Filecoin.VerifyPassword", Permission::Admin, &[STRING]).void(),
    MethodSpec::new("Filecoin.AuthVerify", Permission::Read, &[STRING]).idempotent(),
    MethodSpec::new(
        "Filecoin.AuthNew",
        Permission::Admin,
        &[Param::of::<Option<Vec<String>>>("[]auth.Permission")],
    )
    .idempotent(),
    MethodSpec::new("Filecoin.LogList", Permission::Read, &[]).idempotent(),
    MethodSpec::new("Filecoin.LogSetLevel", Permission::Write, &[STRING, STRING]).void().idempotent(),
    MethodSpec::new(
        "Filecoin.ListSignedRecord",
        Permission::Read,
        &[Param::of::<Option<RecordQuery>>("*types.QuerySignRecordParams")],
    )
    .idempotent(),
    MethodSpec::new("Filecoin.Version", Permission::Read, &[]).idempotent(),
    MethodSpec::new("Filecoin.AddSupportAccount", Permission::Admin, &[STRING]).void(),
    MethodSpec::new(
        "Filecoin.AddNewAddress",
        Permission::Admin,
        &[Param::of::<Option<Vec<AddressText>>>("[]address.Address")],
    )
    .void()
    .idempotent(),
];

/// The methods that Go's wallet has not, and who may call them.
pub const WALLET_EXT_TABLE: &[MethodSpec] = &[
    MethodSpec::new("Filecoin.ChangePassword", Permission::Admin, &[STRING, STRING]).void(),
    MethodSpec::new(
        "Filecoin.AuthNewFor",
        Permission::Admin,
        &[Param::of::<Vec<String>>("[]auth.Permission"), STRING],
    )
    .idempotent(),
];

/// What a Lotus node calls at a remote wallet: all of it needs `admin`, as at `lotus-wallet`.
pub const LOTUS_TABLE: &[MethodSpec] = &[
    MethodSpec::new("Filecoin.WalletNew", Permission::Admin, &[KEY_TYPE]),
    MethodSpec::new("Filecoin.WalletHas", Permission::Admin, &[ADDRESS]).idempotent(),
    MethodSpec::new("Filecoin.WalletList", Permission::Admin, &[]).idempotent(),
    MethodSpec::new("Filecoin.WalletSign", Permission::Admin, SIGN).idempotent(),
    MethodSpec::new("Filecoin.WalletExport", Permission::Admin, &[ADDRESS]).idempotent(),
    MethodSpec::new("Filecoin.WalletImport", Permission::Admin, &[KEY]).idempotent(),
    MethodSpec::new("Filecoin.WalletDelete", Permission::Admin, &[ADDRESS]).void().idempotent(),
];
