//! What hubs may ask of a wallet.

use async_trait::async_trait;
use tokio::sync::broadcast;
use venus_core::api::{ISigner, SignerError};
use venus_core::types::{Address, MsgMeta, Signature};

use crate::request::Caller;
use crate::vault::{LockState, VaultEvent};
use crate::wallet::LocalWallet;

/// The wallet behind a [`GatewayProvider`](super::GatewayProvider): a [`LocalWallet`], or something around one.
///
/// # Contract
/// * While [`state`](Self::state) is not unlocked, nothing is announced and nothing is asked.
/// * A change of the state or of the keys is told to all receivers of [`events`](Self::events), after it happened.
#[async_trait]
pub trait WalletHandler: Send + Sync + 'static {
    /// The keys that can be used at this moment.
    async fn list(&self) -> Result<Vec<Address>, SignerError>;

    /// Signs on behalf of a hub.
    async fn sign(
        &self,
        caller: &Caller,
        address: &Address,
        to_sign: &[u8],
        meta: &MsgMeta,
    ) -> Result<Signature, SignerError>;

    /// Whether keys can be used.
    fn state(&self) -> LockState;

    /// What changes from now on.
    fn events(&self) -> broadcast::Receiver<VaultEvent>;
}

#[async_trait]
impl WalletHandler for LocalWallet {
    async fn list(&self) -> Result<Vec<Address>, SignerError> {
        match self.vault().state() {
            LockState::Unlocked => ISigner::list(self).await,
            LockState::NoPassword | LockState::Locked => Err(SignerError::Locked),
        }
    }

    async fn sign(
        &self,
        caller: &Caller,
        address: &Address,
        to_sign: &[u8],
        meta: &MsgMeta,
    ) -> Result<Signature, SignerError> {
        self.sign_as(caller, address, to_sign, meta).await
    }

    fn state(&self) -> LockState {
        self.vault().state()
    }

    fn events(&self) -> broadcast::Receiver<VaultEvent> {
        self.vault().events()
    }
}
