//! The methods over a [`Strategy`].

use jsonrpsee::Extensions;
use jsonrpsee::core::{RpcResult, async_trait};
use jsonrpsee::types::ErrorObjectOwned;
use venus_core::json::Json;
use venus_core::rpc::RpcError;
use venus_core::types::{Address, Message, MsgType, address};

use super::{AddressScope, StrategyApiServer, caller_of};
use crate::strategy::{
    AccountBind, Group, GroupAuth, KeyBind, MethodTemplate, MsgTypeTemplate, Strategy, StrategyError,
};

fn refused(error: StrategyError) -> ErrorObjectOwned {
    RpcError::of(&error).into()
}

#[async_trait]
impl StrategyApiServer for Strategy {
    async fn new_msg_type_template(&self, name: String, codes: Option<Vec<i64>>) -> RpcResult<()> {
        self.new_type_template(&name, &codes.unwrap_or_default()).await.map_err(refused)
    }

    async fn get_msg_type_template(&self, name: String) -> RpcResult<MsgTypeTemplate> {
        self.type_template(&name).map_err(refused)
    }

    async fn list_msg_type_templates(&self, from: i64, to: i64) -> RpcResult<Vec<MsgTypeTemplate>> {
        self.type_templates(from, to).map_err(refused)
    }

    async fn remove_msg_type_template(&self, name: String) -> RpcResult<()> {
        self.remove_type_template(&name).await.map_err(refused)
    }

    async fn new_method_template(&self, name: String, methods: Option<Vec<String>>) -> RpcResult<()> {
        self.new_method_template(&name, &methods.unwrap_or_default()).await.map_err(refused)
    }

    async fn get_method_template_by_name(&self, name: String) -> RpcResult<MethodTemplate> {
        self.method_template(&name).map_err(refused)
    }

    async fn list_method_templates(&self, from: i64, to: i64) -> RpcResult<Vec<MethodTemplate>> {
        self.method_templates(from, to).map_err(refused)
    }

    async fn remove_method_template(&self, name: String) -> RpcResult<()> {
        self.remove_method_template(&name).await.map_err(refused)
    }

    async fn new_key_bind_custom(
        &self,
        name: String,
        address: Json<Address>,
        codes: Option<Vec<i64>>,
        methods: Option<Vec<String>>,
    ) -> RpcResult<()> {
        let (codes, methods) = (codes.unwrap_or_default(), methods.unwrap_or_default());
        self.new_key_bind(&name, &address.0, &codes, &methods).await.map_err(refused)
    }

    async fn new_key_bind_from_template(
        &self,
        name: String,
        address: Json<Address>,
        type_template: String,
        method_template: String,
    ) -> RpcResult<()> {
        self.new_key_bind_from_templates(&name, &address.0, &type_template, &method_template)
            .await
            .map_err(refused)
    }

    async fn get_key_bind_by_name(&self, name: String) -> RpcResult<KeyBind> {
        self.key_bind(&name).map_err(refused)
    }

    async fn get_key_binds(&self, address: Json<Address>) -> RpcResult<Vec<KeyBind>> {
        Ok(self.key_binds_of(&address.0))
    }

    async fn list_key_binds(&self, from: i64, to: i64) -> RpcResult<Vec<KeyBind>> {
        self.key_binds(from, to).map_err(refused)
    }

    async fn remove_key_bind(&self, name: String) -> RpcResult<()> {
        self.remove_key_bind(&name).await.map_err(refused)
    }

    async fn remove_key_bind_by_address(&self, address: Json<Address>) -> RpcResult<u64> {
        self.remove_key_binds_of(&address.0).await.map(|count| count as u64).map_err(refused)
    }

    async fn add_msg_type_into_key_bind(&self, name: String, codes: Option<Vec<i64>>) -> RpcResult<KeyBind> {
        self.add_types(&name, &codes.unwrap_or_default()).await.map_err(refused)
    }

    async fn add_method_into_key_bind(
        &self,
        name: String,
        methods: Option<Vec<String>>,
    ) -> RpcResult<KeyBind> {
        self.add_methods(&name, &methods.unwrap_or_default()).await.map_err(refused)
    }

    async fn remove_msg_type_from_key_bind(
        &self,
        name: String,
        codes: Option<Vec<i64>>,
    ) -> RpcResult<KeyBind> {
        self.remove_types(&name, &codes.unwrap_or_default()).await.map_err(refused)
    }

    async fn remove_method_from_key_bind(
        &self,
        name: String,
        methods: Option<Vec<String>>,
    ) -> RpcResult<KeyBind> {
        self.remove_methods(&name, &methods.unwrap_or_default()).await.map_err(refused)
    }

    async fn new_group(&self, name: String, key_binds: Option<Vec<String>>) -> RpcResult<()> {
        self.new_group(&name, &key_binds.unwrap_or_default()).await.map_err(refused)
    }

    async fn get_group_by_name(&self, name: String) -> RpcResult<Group> {
        self.group(&name).map_err(refused)
    }

    async fn list_groups(&self, from: i64, to: i64) -> RpcResult<Vec<Group>> {
        self.groups(from, to).map_err(refused)
    }

    async fn remove_group(&self, name: String) -> RpcResult<()> {
        self.remove_group(&name).await.map_err(refused)
    }

    async fn new_st_token(&self, group: String) -> RpcResult<String> {
        self.new_token(&group).await.map(|token| token.expose()).map_err(refused)
    }

    async fn get_wallet_tokens_by_group(&self, group: String) -> RpcResult<Vec<String>> {
        self.tokens_of(&group).map_err(refused)
    }

    async fn get_wallet_token_info(&self, token: String) -> RpcResult<GroupAuth> {
        self.token_info(&token).map_err(refused)
    }

    async fn remove_st_token(&self, token: String) -> RpcResult<()> {
        self.remove_token(&token).await.map_err(refused)
    }

    async fn verify(
        &self,
        extensions: &Extensions,
        address: Json<Address>,
        msg_type: String,
        message: Option<Json<Message>>,
    ) -> RpcResult<()> {
        // Types that have no name here count as unknown, as in Go.
        let msg_type = MsgType::from_name(&msg_type).unwrap_or(MsgType::Unknown);
        let message = message.as_ref().map(|message| &message.0);
        self.verify(&caller_of(extensions), &address.0, msg_type, message).await.map_err(refused)
    }

    async fn scope_wallet(&self, extensions: &Extensions) -> RpcResult<AddressScope> {
        let scope = self.scope(&caller_of(extensions)).await.map_err(refused)?;
        let addresses = address::format_many(&scope.addresses, self.options().network);
        Ok(AddressScope { root: scope.root, addresses: (!scope.root).then_some(addresses) })
    }

    async fn contain_wallet(&self, extensions: &Extensions, address: Json<Address>) -> RpcResult<bool> {
        self.contains(&caller_of(extensions), &address.0).await.map_err(refused)
    }

    async fn bind_account(&self, account: String, group: String) -> RpcResult<()> {
        self.bind_account(&account, &group).await.map_err(refused)
    }

    async fn unbind_account(&self, account: String, group: String) -> RpcResult<()> {
        self.unbind_account(&account, &group).await.map_err(refused)
    }

    async fn list_account_binds(&self, from: i64, to: i64) -> RpcResult<Vec<AccountBind>> {
        self.account_binds(from, to).map_err(refused)
    }
}
