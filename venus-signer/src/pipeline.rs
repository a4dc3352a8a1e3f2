//! The way of a request to its signature.

use std::fmt;
use std::sync::Arc;
use std::time::Instant;

use metrics::{counter, histogram};
use venus_core::api::SignerError;
use venus_core::entropy::Entropy;
use venus_core::types::{Protocol, Signature};

use crate::audit::{AuditError, AuditEvent, AuditLog, Verdict};
use crate::check::{Check, Refusal};
use crate::error::WalletError;
use crate::payload::{Payload, SigningNetwork};
use crate::request::{Review, SignRequest};
use crate::slashing::{SlashingError, SlashingProtection};
use crate::vault::{LockState, Vault};

/// What a request goes through.
pub(crate) struct Pipeline {
    pub(crate) vault: Vault,
    pub(crate) network: SigningNetwork,
    pub(crate) entropy: Arc<dyn Entropy>,
    pub(crate) checks: Vec<Arc<dyn Check>>,
    pub(crate) slashing: Option<Arc<dyn SlashingProtection>>,
    pub(crate) audit: Option<Arc<dyn AuditLog>>,
}

/// Why a readable request got no signature.
enum Ended {
    Denied { by: &'static str, reason: String },
    Failed(SignerError),
}

impl From<WalletError> for Ended {
    fn from(error: WalletError) -> Self {
        Self::Failed(error.into())
    }
}

impl Pipeline {
    /// What is awaited where nothing is signed is boxed: every signature would pay for its size.
    pub(crate) async fn sign(&self, request: &SignRequest<'_>) -> Result<Signature, SignerError> {
        let payload = match self.read(request) {
            Ok(payload) => payload,
            Err(error) => return Box::pin(self.failed(request, None, error)).await,
        };
        match self.decide(&Review { request, payload: &payload }).await {
            Ok(signature) => {
                self.keep(request, Some(&payload), Verdict::Signed(&signature)).await.map_err(withheld)?;
                Ok(signature)
            }
            Err(Ended::Denied { by, reason }) => {
                Box::pin(self.note(request, Some(&payload), Verdict::Denied { by, reason: &reason })).await;
                Err(SignerError::Denied(reason))
            }
            Err(Ended::Failed(error)) => Box::pin(self.failed(request, Some(&payload), error)).await,
        }
    }

    fn read(&self, request: &SignRequest<'_>) -> Result<Payload, SignerError> {
        match self.vault.state() {
            LockState::Unlocked => Payload::read(request, &self.network),
            LockState::NoPassword | LockState::Locked => Err(SignerError::Locked),
        }
    }

    async fn decide(&self, review: &Review<'_>) -> Result<Signature, Ended> {
        // A key that is not ours is told before any rule: rules are about our keys.
        self.vault.signing_key(&review.request.signer).await?;
        self.checked(review).await?;
        // Checks may take long. Who locked the wallet or removed the key meanwhile expects no more signatures.
        let key = self.vault.signing_key(&review.request.signer).await?;
        if let Some(slashing) = &self.slashing {
            slashing.reserve(review).await.map_err(|error| match error {
                SlashingError::Conflict(reason) => Ended::Denied { by: "slashing", reason },
                SlashingError::Store(source) => Ended::Failed(SignerError::Store(source)),
            })?;
        }
        Ok(key.sign(&review.payload.bytes_to_sign()).map_err(WalletError::from)?)
    }

    async fn checked(&self, review: &Review<'_>) -> Result<(), Ended> {
        for check in &self.checks {
            check.check(review).await.map_err(|refusal| match refusal {
                Refusal::Denied(reason) => Ended::Denied { by: check.name(), reason },
                Refusal::Failed(source) => Ended::Failed(SignerError::Store(source)),
            })?;
        }
        Ok(())
    }

    async fn failed(
        &self,
        request: &SignRequest<'_>,
        payload: Option<&Payload>,
        error: SignerError,
    ) -> Result<Signature, SignerError> {
        let reason = error.to_string();
        self.note(request, payload, Verdict::Failed { reason: &reason }).await;
        Err(error)
    }

    /// Records a request that gets no signature. Its own error says more to the caller than that of the log.
    async fn note(&self, request: &SignRequest<'_>, payload: Option<&Payload>, verdict: Verdict<'_>) {
        if let Err(error) = self.keep(request, payload, verdict).await {
            tracing::error!(%error, signer = %request.signer, "a refused request is not on record");
        }
    }

    async fn keep(
        &self,
        request: &SignRequest<'_>,
        payload: Option<&Payload>,
        verdict: Verdict<'_>,
    ) -> Result<(), AuditError> {
        match &self.audit {
            None => Ok(()),
            Some(log) => log.record(&AuditEvent { request, payload, verdict }).await,
        }
    }
}

impl fmt::Debug for Pipeline {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LocalWallet")
            .field("vault", &self.vault)
            .field("network", &self.network)
            .field("checks", &self.checks)
            .field("slashing", &self.slashing)
            .field("audit", &self.audit)
            .finish_non_exhaustive()
    }
}

/// What is not on record must not be used.
fn withheld(error: AuditError) -> SignerError {
    SignerError::Store(error.into())
}

/// `venus_wallet_sign_total` and `venus_wallet_sign_seconds` by kind of message, kind of key and result.
pub(crate) fn measure(request: &SignRequest<'_>, start: Instant, result: &Result<Signature, SignerError>) {
    let kind = request.meta.msg_type.as_str();
    let key = match request.signer.protocol() {
        Protocol::Secp256k1 => "secp256k1",
        Protocol::BLS => "bls",
        Protocol::Delegated => "delegated",
        _ => "none",
    };
    let result = match result {
        Ok(_) => "signed",
        Err(SignerError::Denied(_)) => "denied",
        Err(SignerError::Locked) => "locked",
        Err(SignerError::Store(_)) => "failed",
        Err(_) => "refused",
    };
    counter!("venus_wallet_sign_total", "type" => kind, "key" => key, "result" => result).increment(1);
    histogram!("venus_wallet_sign_seconds", "type" => kind, "key" => key)
        .record(start.elapsed().as_secs_f64());
}
