//! The wallet of a node.

use async_trait::async_trait;
use venus_core::api::{ISigner, SignerError};
use venus_core::json::Json;
use venus_core::rpc::{ApiInfo, ApiInfoError};
use venus_core::types::{Address, MsgMeta, MsgType, Signature};

use super::RemoteOptions;
use super::api::NodeWalletApiClient as Api;
use super::error::{About, signer_error};
use super::link::Link;
use super::verify::{expected, verified};

/// The wallet inside a Lotus node (`/rpc/v1`). Clones share the connection.
///
/// Nodes sign whatever bytes they are given, so the check is here: the request's payload is read, the bytes are
/// recomputed from it, and those go to the node, without the metadata that it would not understand. **Whoever else
/// holds the node's token can sign anything**: a wallet with rules belongs in between where that matters.
#[derive(Clone, Debug)]
pub struct LotusNodeSigner {
    link: Link,
}

impl LotusNodeSigner {
    /// The wallet of the node at `api`, whose token needs the right to sign (`write` to look).
    ///
    /// # Errors
    /// [`ApiInfoError`] if `api` names no place to dial.
    pub fn new(api: &ApiInfo, options: RemoteOptions) -> Result<Self, ApiInfoError> {
        Ok(Self { link: Link::new(api, 1, options)? })
    }

    /// Closes the connection; calls of all clones fail from now on.
    pub async fn shutdown(&self) {
        self.link.shutdown().await;
    }
}

#[async_trait]
impl ISigner for LotusNodeSigner {
    async fn has(&self, address: &Address) -> Result<bool, SignerError> {
        let about = About { signer: *address, msg_type: MsgType::Undefined };
        let address = Json(*address);
        let asked = self.link.repeated(|client| async move { Api::wallet_has(&client, address).await });
        match asked.await.map_err(|error| signer_error(error, about)) {
            Err(SignerError::KeyNotFound(_)) => Ok(false),
            answer => answer,
        }
    }

    async fn list(&self) -> Result<Vec<Address>, SignerError> {
        let about = About { signer: Address::new_id(0), msg_type: MsgType::Undefined };
        let listed = self.link.repeated(|client| async move { Api::wallet_list(&client).await }).await;
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
            let (signer, bytes) = (Json(*address), Json(bytes.clone()));
            async move { Api::wallet_sign(&client, signer, bytes).await }
        });
        let signature = asked.await.map_err(|error| signer_error(error, about))?;
        verified(signature, address, &bytes)
    }
}
