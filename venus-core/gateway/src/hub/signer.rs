//! A hub as a signer.

use std::collections::BTreeSet;

use async_trait::async_trait;
use venus_core::api::{ISigner, SignerError};
use venus_core::types::{Address, MsgMeta, MsgType, Signature};

use super::{Accounts, Hub};
use crate::engine::Meaning;
use crate::error::HubError;

/// A [`Hub`] as an [`ISigner`].
#[derive(Clone, Debug)]
pub struct HubSigner {
    hub: Hub,
    accounts: Option<Vec<String>>,
}

impl HubSigner {
    pub(super) fn new(hub: Hub) -> Self {
        Self { hub, accounts: None }
    }

    /// The signer, narrowed to what these accounts may use. Without any it is as wide as before; narrowing again
    /// replaces.
    #[must_use]
    pub fn only(mut self, accounts: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.accounts = Some(accounts.into_iter().map(Into::into).collect());
        self
    }

    fn accounts(&self) -> Accounts<'_> {
        self.accounts.as_deref().map_or(Accounts::All, Accounts::Only)
    }
}

#[async_trait]
impl ISigner for HubSigner {
    async fn has(&self, address: &Address) -> Result<bool, SignerError> {
        let has = self.hub.wallet_has(address, self.accounts()).await;
        has.map_err(|error| signer_error(error, *address, MsgType::Undefined))
    }

    async fn list(&self) -> Result<Vec<Address>, SignerError> {
        let list: Result<BTreeSet<Address>, HubError> = self.hub.inner.offered(self.accounts()).await;
        match list {
            Ok(list) => Ok(list.into_iter().collect()),
            Err(error) => Err(SignerError::Transport(Box::new(error))),
        }
    }

    async fn sign(
        &self,
        address: &Address,
        to_sign: &[u8],
        meta: &MsgMeta,
    ) -> Result<Signature, SignerError> {
        let signed = self.hub.wallet_sign(address, self.accounts(), to_sign, meta, None).await;
        signed.map_err(|error| signer_error(error, *address, meta.msg_type))
    }
}

fn signer_error(error: HubError, signer: Address, msg_type: MsgType) -> SignerError {
    let said = match &error {
        HubError::Provider(text) | HubError::AllFailed { last: text, .. } => Meaning::of(text),
        _ => Meaning::Other,
    };
    let text = error.to_string();
    match (error, said) {
        (HubError::NoWallet { .. }, _) | (_, Meaning::Missing) => SignerError::KeyNotFound(signer),
        (_, Meaning::Locked) => SignerError::Locked,
        (_, Meaning::Denied) => SignerError::Denied(text),
        (_, Meaning::Mismatch) => SignerError::Mismatch(msg_type),
        (_, Meaning::Invalid) => SignerError::BadPayload { msg_type, reason: text },
        (_, Meaning::Unsupported) => {
            SignerError::Unsupported { msg_type, signer, reason: "the wallet does not sign it" }
        }
        (HubError::Timeout { .. }, _) => SignerError::Timeout,
        (HubError::BadSignature { .. } | HubError::Decode(_), _) => SignerError::BadSignature(text),
        (HubError::Provider(_), _) => SignerError::Store(text.into()),
        (other, _) => SignerError::Transport(Box::new(other)),
    }
}
