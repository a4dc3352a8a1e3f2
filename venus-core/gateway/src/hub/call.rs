//! What callers ask.

use std::time::Duration;

use async_trait::async_trait;
use venus_core::api::{
    ISigner, PieceUnsealer, ProofComputer, ProverError, SignerError, UnsealError, UnsealRequest, UnsealState,
    WinningPostRequest,
};
use venus_core::types::gateway::{ComputeProofRequest, UnsealPayload};
use venus_core::types::{Address, MsgMeta, PostProof, Signature};

use super::Hub;
use crate::error::HubError;

/// On whose behalf a key may be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Accounts<'a> {
    /// All accounts that have the signer, as the account service says.
    All,
    /// Those of them that are named here.
    Only(&'a [String]),
}

impl Hub {
    /// Whether a wallet is there that has the key and serves one of the accounts. No wallet is asked.
    ///
    /// # Errors
    /// [`HubError::Identity`].
    pub async fn wallet_has(&self, _signer: &Address, _accounts: Accounts<'_>) -> Result<bool, HubError> {
        Err(HubError::Stopped)
    }

    /// Has a wallet sign. What it answers was verified for this signer and these bytes.
    ///
    /// # Errors
    /// [`HubError`]: `NoWallet`, `Provider`, `AllFailed`, `Overloaded`, `Timeout`, `BadSignature`, `Identity`.
    pub async fn wallet_sign(
        &self,
        _signer: &Address,
        _accounts: Accounts<'_>,
        _to_sign: &[u8],
        _meta: &MsgMeta,
        _deadline: Option<Duration>,
    ) -> Result<Signature, HubError> {
        Err(HubError::Stopped)
    }

    /// Has a prover of the miner compute a WinningPoSt.
    ///
    /// # Errors
    /// [`HubError`]: `NoConnection` and those of [`Hub::wallet_sign`].
    pub async fn compute_proof(
        &self,
        _miner: &Address,
        _request: &ComputeProofRequest,
        _deadline: Option<Duration>,
    ) -> Result<Vec<PostProof>, HubError> {
        Err(HubError::Stopped)
    }

    /// Has a sealer of the miner unseal a piece, or say how far it is.
    ///
    /// # Errors
    /// As [`Hub::compute_proof`].
    pub async fn unseal_piece(&self, _request: &UnsealPayload) -> Result<UnsealState, HubError> {
        Err(HubError::Stopped)
    }

    /// The hub as a signer, for one operator in one process.
    pub fn signer(&self) -> HubSigner {
        HubSigner { hub: self.clone(), accounts: None }
    }
}

/// A [`Hub`] as an [`ISigner`].
#[derive(Clone, Debug)]
pub struct HubSigner {
    hub: Hub,
    accounts: Option<Vec<String>>,
}

impl HubSigner {
    /// The signer, narrowed to what these accounts may use.
    #[must_use]
    pub fn only(mut self, accounts: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.accounts = Some(accounts.into_iter().map(Into::into).collect());
        self
    }
}

#[async_trait]
impl ISigner for HubSigner {
    async fn has(&self, _address: &Address) -> Result<bool, SignerError> {
        Err(SignerError::Timeout)
    }

    async fn list(&self) -> Result<Vec<Address>, SignerError> {
        Err(SignerError::Timeout)
    }

    async fn sign(&self, _: &Address, _: &[u8], _: &MsgMeta) -> Result<Signature, SignerError> {
        Err(SignerError::Timeout)
    }
}

#[async_trait]
impl ProofComputer for Hub {
    async fn compute_winning_post(
        &self,
        _request: &WinningPostRequest,
        deadline: Duration,
    ) -> Result<Vec<PostProof>, ProverError> {
        Err(ProverError::Timeout(deadline))
    }
}

#[async_trait]
impl PieceUnsealer for Hub {
    async fn unseal(&self, _request: &UnsealRequest) -> Result<UnsealState, UnsealError> {
        Err(UnsealError::Timeout(Duration::ZERO))
    }
}
