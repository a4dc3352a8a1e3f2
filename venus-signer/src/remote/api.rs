//! The calls of other wallets, as their clients see them. All names begin with `Filecoin.`.

use jsonrpsee::proc_macros::rpc;
use serde_json::value::RawValue;
use venus_core::json::Json;
use venus_core::types::{Address, MsgMeta, Signature};

/// What `venus-wallet`, `lotus-wallet` and Lotus itself as their client agree on.
#[rpc(client, namespace = "Filecoin", namespace_separator = ".")]
pub trait RemoteWalletApi {
    #[method(name = "WalletNew")]
    async fn wallet_new(&self, key_type: String) -> RpcResult<Json<Address>>;
    #[method(name = "WalletHas")]
    async fn wallet_has(&self, address: Json<Address>) -> RpcResult<bool>;
    #[method(name = "WalletList")]
    async fn wallet_list(&self) -> RpcResult<Option<Vec<Json<Address>>>>;
    #[method(name = "WalletSign")]
    async fn wallet_sign(
        &self,
        signer: Json<Address>,
        to_sign: Json<Vec<u8>>,
        meta: MsgMeta,
    ) -> RpcResult<Signature>;
    #[method(name = "WalletExport")]
    async fn wallet_export(&self, address: Json<Address>) -> RpcResult<Box<RawValue>>;
    #[method(name = "WalletImport")]
    async fn wallet_import(&self, key: Box<RawValue>) -> RpcResult<Json<Address>>;
    #[method(name = "WalletDelete")]
    async fn wallet_delete(&self, address: Json<Address>) -> RpcResult<()>;
}

/// What `venus-wallet` has besides.
#[rpc(client, namespace = "Filecoin", namespace_separator = ".")]
pub trait RemoteLockApi {
    #[method(name = "Unlock")]
    async fn unlock(&self, password: String) -> RpcResult<()>;
    #[method(name = "Lock")]
    async fn lock(&self, password: String) -> RpcResult<()>;
    #[method(name = "LockState")]
    async fn lock_state(&self) -> RpcResult<bool>;
    #[method(name = "SetPassword")]
    async fn set_password(&self, password: String) -> RpcResult<()>;
    #[method(name = "VerifyPassword")]
    async fn verify_password(&self, password: String) -> RpcResult<()>;
}

/// The wallet of a Lotus node, as far as signing goes.
#[rpc(client, namespace = "Filecoin", namespace_separator = ".")]
pub trait NodeWalletApi {
    #[method(name = "WalletHas")]
    async fn wallet_has(&self, address: Json<Address>) -> RpcResult<bool>;
    #[method(name = "WalletList")]
    async fn wallet_list(&self) -> RpcResult<Option<Vec<Json<Address>>>>;
    /// Two parameters: nodes know no metadata.
    #[method(name = "WalletSign")]
    async fn wallet_sign(&self, signer: Json<Address>, to_sign: Json<Vec<u8>>) -> RpcResult<Signature>;
}
