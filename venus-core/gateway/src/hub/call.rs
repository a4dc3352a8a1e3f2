//! What callers ask.

use std::time::Duration;

use async_trait::async_trait;
use venus_core::api::{
    PieceUnsealer, ProofComputer, ProverError, UnsealError, UnsealRequest, UnsealState, WinningPostRequest,
};
use venus_core::types::gateway::{ComputeProofRequest, UnsealPayload};
use venus_core::types::{Address, MsgMeta, PostProof, Signature};

use super::Hub;
use super::signer::HubSigner;
use crate::engine::Meaning;
use crate::error::HubError;

/// On whose behalf a key may be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Accounts<'a> {
    /// All accounts that have the signer, as the account service says.
    All,
    /// Those of them that are named here. Naming none is [`Accounts::All`]; naming others adds nothing.
    Only(&'a [String]),
}

impl Hub {
    /// Whether a wallet is there that has the key and serves one of the accounts. No wallet is asked.
    ///
    /// # Errors
    /// [`HubError::Identity`] if somebody has the key and the account service cannot say whose it is.
    pub async fn wallet_has(&self, signer: &Address, accounts: Accounts<'_>) -> Result<bool, HubError> {
        self.inner.wallet_has(signer, accounts).await
    }

    /// Has a wallet sign. What it answers was verified for this signer and these bytes.
    ///
    /// `deadline` can only shorten [`HubOptions::sign`](crate::HubOptions::sign). Wallets are asked one after the other,
    /// until one signs or refuses; after an error or when the future is dropped, nothing of the request is kept.
    ///
    /// # Errors
    /// [`HubError`]: `NoWallet`, `Provider`, `Closed`, `AllFailed`, `Overloaded`, `Timeout`, `Decode`, `BadSignature`,
    /// `Identity`, `Stopped`; `Denied` for `verifyaddress`, which is the hub's own. Signing may be repeated after any
    /// of the others.
    pub async fn wallet_sign(
        &self,
        signer: &Address,
        accounts: Accounts<'_>,
        to_sign: &[u8],
        meta: &MsgMeta,
        deadline: Option<Duration>,
    ) -> Result<Signature, HubError> {
        self.inner.wallet_sign(signer, accounts, to_sign, meta, deadline).await
    }

    /// Has a prover of the miner compute a WinningPoSt. An answer that has not the shape of one for these sectors does
    /// not count; `null` is no proof, as with Go.
    ///
    /// # Errors
    /// [`HubError`]: `NoConnection` and those of [`Hub::wallet_sign`] that are not about keys.
    pub async fn compute_proof(
        &self,
        miner: &Address,
        request: &ComputeProofRequest,
        deadline: Option<Duration>,
    ) -> Result<Vec<PostProof>, HubError> {
        self.inner.compute_proof(miner, request, deadline).await
    }

    /// Has a sealer of the miner unseal a piece, or say how far it is.
    ///
    /// # Errors
    /// As [`Hub::compute_proof`].
    pub async fn unseal_piece(&self, request: &UnsealPayload) -> Result<UnsealState, HubError> {
        self.inner.unseal_piece(request).await
    }

    /// The hub as a signer, for one operator in one process.
    pub fn signer(&self) -> HubSigner {
        HubSigner::new(self.clone())
    }
}

#[async_trait]
impl ProofComputer for Hub {
    async fn compute_winning_post(
        &self,
        request: &WinningPostRequest,
        deadline: Duration,
    ) -> Result<Vec<PostProof>, ProverError> {
        if request.sectors.is_empty() {
            return Err(ProverError::Invalid("no sectors to prove".to_owned()));
        }
        if deadline.is_zero() {
            return Err(ProverError::Timeout(deadline));
        }
        let asked = ComputeProofRequest {
            sector_infos: request.sectors.clone(),
            rand: request.randomness.to_vec(),
            height: request.epoch,
            nw_version: request.network_version,
        };
        match self.compute_proof(&request.miner, &asked, Some(deadline)).await {
            Ok(proofs) if proofs.is_empty() => {
                Err(ProverError::Failed("the prover answered no proof".into()))
            }
            Ok(proofs) => Ok(proofs),
            Err(error) => Err(prover_error(error, request.miner)),
        }
    }
}

fn prover_error(error: HubError, miner: Address) -> ProverError {
    match error {
        HubError::NoConnection(_) => ProverError::NoProver(miner),
        HubError::Provider(text) if Meaning::of(&text) == Meaning::Invalid => ProverError::Invalid(text),
        HubError::Provider(_) | HubError::Decode(_) => ProverError::Failed(Box::new(error)),
        HubError::Timeout { after, .. } => ProverError::Timeout(after),
        other => ProverError::Transport(Box::new(other)),
    }
}

#[async_trait]
impl PieceUnsealer for Hub {
    async fn unseal(&self, request: &UnsealRequest) -> Result<UnsealState, UnsealError> {
        request.validate()?;
        let asked = UnsealPayload {
            piece_cid: request.piece,
            miner: request.miner,
            sid: request.sector,
            offset: request.offset,
            size: request.size,
            dest: request.destination.clone(),
        };
        self.unseal_piece(&asked).await.map_err(|error| unseal_error(error, request))
    }
}

fn unseal_error(error: HubError, request: &UnsealRequest) -> UnsealError {
    let said = match &error {
        HubError::Provider(text) | HubError::AllFailed { last: text, .. } => Meaning::of(text),
        _ => Meaning::Other,
    };
    match (error, said) {
        (HubError::NoConnection(miner), _) => UnsealError::NoSealer(miner),
        (_, Meaning::Missing) => UnsealError::SectorNotFound { miner: request.miner, sector: request.sector },
        (_, Meaning::Denied) => UnsealError::Denied(request.miner),
        (HubError::Timeout { after, .. }, _) => UnsealError::Timeout(after),
        (HubError::Decode(text), _) => UnsealError::Decode(text),
        (other, _) => UnsealError::Transport(Box::new(other)),
    }
}
