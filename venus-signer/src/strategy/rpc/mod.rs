//! The strategy part of the wallet's JSON-RPC: what venus-wallet v1.0 to v1.8 served, and accounts of gateways.

mod caller;
mod server;

use jsonrpsee::core::RpcResult;
use jsonrpsee::proc_macros::rpc;
use serde::{Deserialize, Serialize};
use venus_core::api::Permission;
use venus_core::json::Json;
use venus_core::rpc::{MethodSpec, MethodTable, Param};
use venus_core::types::{Address, Message};

#[cfg(doc)]
use super::Strategy;
use super::{AccountBind, Group, GroupAuth, KeyBind, MethodTemplate, MsgTypeTemplate};

pub use caller::{STRATEGY_HEADER, caller_of};

/// The keys that a caller may see.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct AddressScope {
    /// Whether it may see all of them.
    pub root: bool,
    /// Those that it may see otherwise; `null` if it may see all.
    pub addresses: Option<Vec<String>>,
}

/// The methods. All of them need the right `admin`. Where a list is `None`, Go's clients send `null`.
#[rpc(client, server, namespace = "Filecoin", namespace_separator = ".")]
pub trait StrategyApi {
    /// [`Strategy::new_type_template`].
    #[method(name = "NewMsgTypeTemplate")]
    async fn new_msg_type_template(&self, name: String, codes: Option<Vec<i64>>) -> RpcResult<()>;
    /// [`Strategy::type_template`].
    #[method(name = "GetMsgTypeTemplate")]
    async fn get_msg_type_template(&self, name: String) -> RpcResult<MsgTypeTemplate>;
    /// [`Strategy::type_templates`].
    #[method(name = "ListMsgTypeTemplates")]
    async fn list_msg_type_templates(&self, from: i64, to: i64) -> RpcResult<Vec<MsgTypeTemplate>>;
    /// [`Strategy::remove_type_template`].
    #[method(name = "RemoveMsgTypeTemplate")]
    async fn remove_msg_type_template(&self, name: String) -> RpcResult<()>;
    /// [`Strategy::new_method_template`].
    #[method(name = "NewMethodTemplate")]
    async fn new_method_template(&self, name: String, methods: Option<Vec<String>>) -> RpcResult<()>;
    /// [`Strategy::method_template`].
    #[method(name = "GetMethodTemplateByName")]
    async fn get_method_template_by_name(&self, name: String) -> RpcResult<MethodTemplate>;
    /// [`Strategy::method_templates`].
    #[method(name = "ListMethodTemplates")]
    async fn list_method_templates(&self, from: i64, to: i64) -> RpcResult<Vec<MethodTemplate>>;
    /// [`Strategy::remove_method_template`].
    #[method(name = "RemoveMethodTemplate")]
    async fn remove_method_template(&self, name: String) -> RpcResult<()>;
    /// [`Strategy::new_key_bind`].
    #[method(name = "NewKeyBindCustom")]
    async fn new_key_bind_custom(
        &self,
        name: String,
        address: Json<Address>,
        codes: Option<Vec<i64>>,
        methods: Option<Vec<String>>,
    ) -> RpcResult<()>;
    /// [`Strategy::new_key_bind_from_templates`].
    #[method(name = "NewKeyBindFromTemplate")]
    async fn new_key_bind_from_template(
        &self,
        name: String,
        address: Json<Address>,
        type_template: String,
        method_template: String,
    ) -> RpcResult<()>;
    /// [`Strategy::key_bind`].
    #[method(name = "GetKeyBindByName")]
    async fn get_key_bind_by_name(&self, name: String) -> RpcResult<KeyBind>;
    /// [`Strategy::key_binds_of`].
    #[method(name = "GetKeyBinds")]
    async fn get_key_binds(&self, address: Json<Address>) -> RpcResult<Vec<KeyBind>>;
    /// [`Strategy::key_binds`].
    #[method(name = "ListKeyBinds")]
    async fn list_key_binds(&self, from: i64, to: i64) -> RpcResult<Vec<KeyBind>>;
    /// [`Strategy::remove_key_bind`].
    #[method(name = "RemoveKeyBind")]
    async fn remove_key_bind(&self, name: String) -> RpcResult<()>;
    /// [`Strategy::remove_key_binds_of`].
    #[method(name = "RemoveKeyBindByAddress")]
    async fn remove_key_bind_by_address(&self, address: Json<Address>) -> RpcResult<u64>;
    /// [`Strategy::add_types`].
    #[method(name = "AddMsgTypeIntoKeyBind")]
    async fn add_msg_type_into_key_bind(&self, name: String, codes: Option<Vec<i64>>) -> RpcResult<KeyBind>;
    /// [`Strategy::add_methods`].
    #[method(name = "AddMethodIntoKeyBind")]
    async fn add_method_into_key_bind(
        &self,
        name: String,
        methods: Option<Vec<String>>,
    ) -> RpcResult<KeyBind>;
    /// [`Strategy::remove_types`].
    #[method(name = "RemoveMsgTypeFromKeyBind")]
    async fn remove_msg_type_from_key_bind(
        &self,
        name: String,
        codes: Option<Vec<i64>>,
    ) -> RpcResult<KeyBind>;
    /// [`Strategy::remove_methods`].
    #[method(name = "RemoveMethodFromKeyBind")]
    async fn remove_method_from_key_bind(
        &self,
        name: String,
        methods: Option<Vec<String>>,
    ) -> RpcResult<KeyBind>;
    /// [`Strategy::new_group`].
    #[method(name = "NewGroup")]
    async fn new_group(&self, name: String, key_binds: Option<Vec<String>>) -> RpcResult<()>;
    /// [`Strategy::group`].
    #[method(name = "GetGroupByName")]
    async fn get_group_by_name(&self, name: String) -> RpcResult<Group>;
    /// [`Strategy::groups`].
    #[method(name = "ListGroups")]
    async fn list_groups(&self, from: i64, to: i64) -> RpcResult<Vec<Group>>;
    /// [`Strategy::remove_group`].
    #[method(name = "RemoveGroup")]
    async fn remove_group(&self, name: String) -> RpcResult<()>;
    /// [`Strategy::new_token`].
    #[method(name = "NewStToken")]
    async fn new_st_token(&self, group: String) -> RpcResult<String>;
    /// [`Strategy::tokens_of`].
    #[method(name = "GetWalletTokensByGroup")]
    async fn get_wallet_tokens_by_group(&self, group: String) -> RpcResult<Vec<String>>;
    /// [`Strategy::token_info`].
    #[method(name = "GetWalletTokenInfo")]
    async fn get_wallet_token_info(&self, token: String) -> RpcResult<GroupAuth>;
    /// [`Strategy::remove_token`].
    #[method(name = "RemoveStToken")]
    async fn remove_st_token(&self, token: String) -> RpcResult<()>;
    /// [`Strategy::verify`] for the caller.
    #[method(name = "Verify", with_extensions)]
    async fn verify(
        &self,
        address: Json<Address>,
        msg_type: String,
        message: Option<Json<Message>>,
    ) -> RpcResult<()>;
    /// [`Strategy::scope`] of the caller.
    #[method(name = "ScopeWallet", with_extensions)]
    async fn scope_wallet(&self) -> RpcResult<AddressScope>;
    /// [`Strategy::contains`] for the caller.
    #[method(name = "ContainWallet", with_extensions)]
    async fn contain_wallet(&self, address: Json<Address>) -> RpcResult<bool>;
    /// [`Strategy::bind_account`].
    #[method(name = "BindAccount")]
    async fn bind_account(&self, account: String, group: String) -> RpcResult<()>;
    /// [`Strategy::unbind_account`].
    #[method(name = "UnbindAccount")]
    async fn unbind_account(&self, account: String, group: String) -> RpcResult<()>;
    /// [`Strategy::account_binds`].
    #[method(name = "ListAccountBinds")]
    async fn list_account_binds(&self, from: i64, to: i64) -> RpcResult<Vec<AccountBind>>;
}

const NAME: Param = Param::of::<String>("string");
const INT: Param = Param::of::<i64>("int");
const CODES: Param = Param::of::<Option<Vec<i64>>>("[]int");
const NAMES: Param = Param::of::<Option<Vec<String>>>("[]string");
const ADDRESS: Param = Param::of::<Json<Address>>("address.Address");
const MSG_TYPE: Param = Param::of::<String>("types.MsgType");
const MESSAGE: Param = Param::of::<Option<Json<Message>>>("*internal.Message");

const fn reads(name: &'static str, params: &'static [Param]) -> MethodSpec {
    MethodSpec::new(name, Permission::Admin, params).idempotent()
}

const fn edits(name: &'static str, params: &'static [Param]) -> MethodSpec {
    MethodSpec::new(name, Permission::Admin, params).void()
}

const fn changes(name: &'static str, params: &'static [Param]) -> MethodSpec {
    MethodSpec::new(name, Permission::Admin, params)
}

/// The table of [`StrategyApiServer`]. Names of v1.0 and v1.1 are aliases.
pub const STRATEGY_TABLE: &MethodTable = &[
    edits("Filecoin.NewMsgTypeTemplate", &[NAME, CODES]),
    reads("Filecoin.GetMsgTypeTemplate", &[NAME]),
    reads("Filecoin.ListMsgTypeTemplates", &[INT, INT]),
    edits("Filecoin.RemoveMsgTypeTemplate", &[NAME]),
    edits("Filecoin.NewMethodTemplate", &[NAME, NAMES]),
    reads("Filecoin.GetMethodTemplateByName", &[NAME]),
    reads("Filecoin.ListMethodTemplates", &[INT, INT]),
    edits("Filecoin.RemoveMethodTemplate", &[NAME]),
    edits("Filecoin.NewKeyBindCustom", &[NAME, ADDRESS, CODES, NAMES]),
    edits("Filecoin.NewKeyBindFromTemplate", &[NAME, ADDRESS, NAME, NAME]),
    reads("Filecoin.GetKeyBindByName", &[NAME]),
    reads("Filecoin.GetKeyBinds", &[ADDRESS]),
    reads("Filecoin.ListKeyBinds", &[INT, INT]),
    edits("Filecoin.RemoveKeyBind", &[NAME]),
    changes("Filecoin.RemoveKeyBindByAddress", &[ADDRESS]),
    changes("Filecoin.AddMsgTypeIntoKeyBind", &[NAME, CODES]).aliases(&["Filecoin.PushMsgTypeIntoKeyBind"]),
    changes("Filecoin.AddMethodIntoKeyBind", &[NAME, NAMES]).aliases(&["Filecoin.PushMethodIntoKeyBind"]),
    changes("Filecoin.RemoveMsgTypeFromKeyBind", &[NAME, CODES])
        .aliases(&["Filecoin.PullMsgTypeFromKeyBind"]),
    changes("Filecoin.RemoveMethodFromKeyBind", &[NAME, NAMES]).aliases(&["Filecoin.PullMethodFromKeyBind"]),
    edits("Filecoin.NewGroup", &[NAME, NAMES]),
    reads("Filecoin.GetGroupByName", &[NAME]),
    reads("Filecoin.ListGroups", &[INT, INT]),
    edits("Filecoin.RemoveGroup", &[NAME]),
    changes("Filecoin.NewStToken", &[NAME]).aliases(&["Filecoin.NewWalletToken"]),
    reads("Filecoin.GetWalletTokensByGroup", &[NAME]),
    reads("Filecoin.GetWalletTokenInfo", &[NAME]),
    edits("Filecoin.RemoveStToken", &[NAME]).aliases(&["Filecoin.RemoveToken"]),
    reads("Filecoin.Verify", &[ADDRESS, MSG_TYPE, MESSAGE]).void(),
    reads("Filecoin.ScopeWallet", &[]),
    reads("Filecoin.ContainWallet", &[ADDRESS]),
    edits("Filecoin.BindAccount", &[NAME, NAME]),
    edits("Filecoin.UnbindAccount", &[NAME, NAME]),
    reads("Filecoin.ListAccountBinds", &[INT, INT]),
];
