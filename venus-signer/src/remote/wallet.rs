//! Managing another wallet.

use secrecy::{ExposeSecret, SecretString};
use serde_json::value::RawValue;
use venus_core::json::Json;
use venus_core::rpc::CallError;
use venus_core::rpc::client::RpcClient;
use venus_core::types::Address;

use super::RemoteSigner;
use super::api::{RemoteLockApiClient, RemoteWalletApiClient};
use crate::key::{KeyInfo, KeyType};

/// The calls of an administrator at another wallet. None but those that only look is repeated after a failure: after
/// [`CallError::Timeout`] and [`CallError::Disconnected`], look before calling again.
///
/// Keys and passwords travel in clear inside the connection: use TLS or loopback.
#[derive(Clone, Debug)]
pub struct RemoteWallet {
    signer: RemoteSigner,
}

impl RemoteWallet {
    /// The wallet behind `signer`, whose token needs the right `admin`.
    pub fn new(signer: RemoteSigner) -> Self {
        Self { signer }
    }

    /// The wallet as a signer.
    pub fn signer(&self) -> &RemoteSigner {
        &self.signer
    }

    /// Makes a key.
    ///
    /// # Errors
    /// [`CallError`].
    pub async fn new_key(&self, key_type: KeyType) -> Result<Address, CallError> {
        let name = key_type.as_str().to_owned();
        let made = self
            .signer
            .link()
            .once(move |client: RpcClient| async move { client.wallet_new(name).await })
            .await;
        made.map(Json::into_inner)
    }

    /// Hands a key in. The same key again is success.
    ///
    /// # Errors
    /// [`CallError`].
    pub async fn import_key(&self, key: &KeyInfo) -> Result<Address, CallError> {
        let json = RawValue::from_string(key.to_json().expose_secret().to_owned());
        let json = json.map_err(|_| unreadable("Filecoin.WalletImport"))?;
        let kept = self
            .signer
            .link()
            .once(move |client: RpcClient| async move { client.wallet_import(json).await })
            .await;
        kept.map(Json::into_inner)
    }

    /// Takes a copy of a key. With a password that is shown first, by the same token: our wallets want to see it shortly
    /// before they hand a key out, and Go's do not mind.
    ///
    /// # Errors
    /// [`CallError`] for a wrong password, and if what comes is no key.
    pub async fn export_key(
        &self,
        address: &Address,
        password: Option<&SecretString>,
    ) -> Result<KeyInfo, CallError> {
        if let Some(password) = password {
            self.verify_password(password).await?;
        }
        let (link, address) = (self.signer.link(), *address);
        let export =
            link.once(move |client: RpcClient| async move { client.wallet_export(Json(address)).await });
        // The reason could quote the key.
        KeyInfo::from_json(export.await?.get()).map_err(|_| unreadable("Filecoin.WalletExport"))
    }

    /// Removes a key for good. An address without a key is success, as Go has it.
    ///
    /// # Errors
    /// [`CallError`].
    pub async fn delete_key(&self, address: &Address) -> Result<(), CallError> {
        let address = *address;
        self.signer
            .link()
            .once(move |client: RpcClient| async move { client.wallet_delete(Json(address)).await })
            .await
    }

    /// Sets the first password, and unlocks.
    ///
    /// # Errors
    /// [`CallError`].
    pub async fn set_password(&self, password: &SecretString) -> Result<(), CallError> {
        let password = password.expose_secret().to_owned();
        self.signer
            .link()
            .once(move |client: RpcClient| async move { client.set_password(password).await })
            .await
    }

    /// Unlocks.
    ///
    /// # Errors
    /// [`CallError`].
    pub async fn unlock(&self, password: &SecretString) -> Result<(), CallError> {
        let password = password.expose_secret().to_owned();
        self.signer.link().once(move |client: RpcClient| async move { client.unlock(password).await }).await
    }

    /// Locks.
    ///
    /// # Errors
    /// [`CallError`].
    pub async fn lock(&self, password: &SecretString) -> Result<(), CallError> {
        let password = password.expose_secret().to_owned();
        self.signer.link().once(move |client: RpcClient| async move { client.lock(password).await }).await
    }

    /// Whether a password is the right one.
    ///
    /// # Errors
    /// [`CallError`] if it is not, and when the wallet is locked.
    pub async fn verify_password(&self, password: &SecretString) -> Result<(), CallError> {
        let password = password.expose_secret().to_owned();
        self.signer
            .link()
            .once(move |client: RpcClient| async move { client.verify_password(password).await })
            .await
    }

    /// Whether it is locked. Repeated when the connection fails.
    ///
    /// # Errors
    /// [`CallError`].
    pub async fn is_locked(&self) -> Result<bool, CallError> {
        self.signer.link().repeated(move |client: RpcClient| async move { client.lock_state().await }).await
    }
}

fn unreadable(method: &str) -> CallError {
    CallError::Decode { method: method.to_owned(), reason: "no key".to_owned() }
}
