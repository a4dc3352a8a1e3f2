//! Another wallet.

use async_trait::async_trait;
use venus_core::api::{ISigner, SignerError};
use venus_core::json::Json;
use venus_core::rpc::{ApiInfo, ApiInfoError, Dialect};
use venus_core::types::{Address, MsgMeta, MsgType, Signature};

use super::RemoteOptions;
use super::api::RemoteWalletApiClient;
use super::error::{About, signer_error};
use super::link::Link;
use super::verify::{expected, verified};

/// Another wallet at `/rpc/v0`: `venus-wallet`, `lotus-wallet`, or one of ours. Clones share the connection.
///
/// Nothing is dialled before the first call, so that it may start before its wallet. Looking and signing are repeated
/// with back-off when the connection failed; refusals are not. Every request is checked before it is sent, and every
/// signature before it is handed on, so that a wallet that is broken, or was taken over, gives errors.
///
/// ```
/// use venus_core::rpc::Dialect;
/// use venus_signer::remote::{RemoteOptions, RemoteSigner};
///
/// let api = "eyJhbGciOi.eyJBbGxvdyI6.c2ln:/ip4/127.0.0.1/tcp/5678/http".parse()?;
/// let signer = RemoteSigner::new(&api, Dialect::Fork, RemoteOptions::default())?;
/// # let _ = signer;
/// # Ok::<(), venus_core::rpc::ApiInfoError>(())
/// ```
#[derive(Clone, Debug)]
pub struct RemoteSigner {
    link: Link,
}

impl RemoteSigner {
    /// A wallet that speaks `dialect`: [`Dialect::Fork`] for `venus-wallet`, [`Dialect::Upstream`] for `lotus-wallet`.
    ///
    /// # Errors
    /// [`ApiInfoError`] if `api` names no place to dial.
    pub fn new(api: &ApiInfo, dialect: Dialect, mut options: RemoteOptions) -> Result<Self, ApiInfoError> {
        if dialect == Dialect::Fork {
            options.client = options.client.with_namespace("wallet.IFullAPI")?;
        }
        Ok(Self { link: Link::new(api, 0, options)? })
    }

    /// Closes the connection; calls of all clones fail from now on.
    pub async fn shutdown(&self) {
        self.link.shutdown().await;
    }

    pub(super) fn link(&self) -> &Link {
        &self.link
    }
}

#[async_trait]
impl ISigner for RemoteSigner {
    async fn has(&self, address: &Address) -> Result<bool, SignerError> {
        let about = About { signer: *address, msg_type: MsgType::Undefined };
        let address = Json(*address);
        let asked = self.link.repeated(|client| async move { client.wallet_has(address).await });
        match asked.await.map_err(|error| signer_error(error, about)) {
            Err(SignerError::KeyNotFound(_)) => Ok(false),
            answer => answer,
        }
    }

    async fn list(&self) -> Result<Vec<Address>, SignerError> {
        let about = About { signer: Address::new_id(0), msg_type: MsgType::Undefined };
        let listed = self.link.repeated(|client| async move { client.wallet_list().await }).await;
        let listed = listed.map_err(|error| signer_error(error, about))?;
        Ok(listed.unwrap_or_default().into_iter().map(Json::into_inner).collect())
    }

    async fn sign(
        &self,
        address: &Address,
        to_sign: &[u8],
        meta: &MsgMeta,
    ) -> Result<Signature, SignerError> {
        let bytes = expected(address, to_sign, meta, &self.link.options().network)?;
        let about = About { signer: *address, msg_type: meta.msg_type };
        let asked = self.link.repeated(|client| {
            let (signer, to_sign, meta) = (Json(*address), Json(to_sign.to_vec()), meta.clone());
            async move { client.wallet_sign(signer, to_sign, meta).await }
        });
        let signature = asked.await.map_err(|error| signer_error(error, about))?;
        verified(signature, address, &bytes)
    }
}
