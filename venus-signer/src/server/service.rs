//! The methods over a wallet.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use jsonrpsee::Extensions;
use jsonrpsee::core::RpcResult;
use jsonrpsee::types::ErrorObjectOwned;
use secrecy::{ExposeSecret, SecretString};
use venus_core::api::{ISigner, SignerError};
use venus_core::error::ErrorKind;
use venus_core::rpc;
use venus_core::types::{Address, MsgMeta, MsgType, Network, Signature};

use super::api::{VersionInfo, WalletApiServer, WalletExtApiServer};
use super::errors;
use super::http::BEARER_HEADER;
use super::proof::Proofs;
use super::seams::{Hubs, LogControl, Records};
use super::token::{Claims, Tokens, UNNAMED};
use super::wire::{AddressText, Base64, KeyText, KeyTypeText, MetaText};
use super::{API_VERSION, VERSION};
use crate::admin::SignerAdmin;
use crate::audit::{RecordQuery, SignRecord};
use crate::key::{KeyInfo, KeyType};
use crate::strategy::rpc::caller_of;
use crate::strategy::{Scope, Strategy};
use crate::vault::LockState;
use crate::wallet::LocalWallet;

/// The methods of the API over one wallet. Cheap to clone.
#[derive(Clone)]
pub struct WalletService(Arc<Inner>);

pub(super) struct Inner {
    pub(super) wallet: LocalWallet,
    pub(super) tokens: Arc<Tokens>,
    pub(super) network: Network,
    pub(super) free_export: bool,
    pub(super) proofs: Proofs,
    pub(super) records: Option<Arc<dyn Records>>,
    pub(super) hubs: Option<Arc<dyn Hubs>>,
    pub(super) log: Option<Arc<dyn LogControl>>,
    pub(super) strategy: Option<Strategy>,
}

/// What the methods besides those of keys need. What is missing answers that it is not there.
#[derive(Clone, Debug, Default)]
pub struct Surroundings {
    /// For `ListSignedRecord`.
    pub records: Option<Arc<dyn Records>>,
    /// For `AddSupportAccount` and `AddNewAddress`.
    pub hubs: Option<Arc<dyn Hubs>>,
    /// For `LogList` and `LogSetLevel`.
    pub log: Option<Arc<dyn LogControl>>,
    /// Hides keys from callers whose strategy token does not give them. The wallet has it among its checks, too.
    pub strategy: Option<Strategy>,
}

impl fmt::Debug for WalletService {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WalletService").field("wallet", &self.0.wallet).finish_non_exhaustive()
    }
}

/// How the service behaves.
#[derive(Clone, Copy, Debug)]
pub struct ServiceConfig {
    /// For which network addresses are written.
    pub network: Network,
    /// Whether `WalletExport` works for tokens that have not shown the password, as in Go.
    pub free_export: bool,
    /// How long a shown password counts.
    pub proof: Duration,
}

impl Default for ServiceConfig {
    fn default() -> Self {
        Self { network: Network::Mainnet, free_export: false, proof: Duration::from_secs(60) }
    }
}

impl WalletService {
    /// The service of a wallet, whose tokens are `tokens`.
    pub fn new(
        wallet: LocalWallet,
        tokens: Arc<Tokens>,
        config: ServiceConfig,
        surroundings: Surroundings,
    ) -> Self {
        let Surroundings { records, hubs, log, strategy } = surroundings;
        Self(Arc::new(Inner {
            wallet,
            tokens,
            network: config.network,
            free_export: config.free_export,
            proofs: Proofs::new(config.proof),
            records,
            hubs,
            log,
            strategy,
        }))
    }

    pub(super) fn wallet(&self) -> &LocalWallet {
        &self.0.wallet
    }

    pub(super) fn hubs(&self) -> Option<&Arc<dyn Hubs>> {
        self.0.hubs.as_ref()
    }

    fn gate(&self) -> Result<(), ErrorObjectOwned> {
        errors::gate(self.wallet().vault().state())
    }

    /// The keys that the caller may know of. Strategies hide the others, as they did in Go's wallet.
    async fn scope(&self, extensions: &Extensions) -> Result<Scope, ErrorObjectOwned> {
        match &self.0.strategy {
            Some(strategy) => {
                strategy.scope(&caller_of(extensions)).await.map_err(|error| errors::of(&error))
            }
            None => Ok(Scope { root: true, addresses: Vec::new() }),
        }
    }

    fn written(&self, address: Address) -> AddressText {
        AddressText::new(address, self.0.network)
    }
}

/// Which token a call came with, and from which machine: who has shown the password was this one, and no other with the
/// same name.
fn bearer(extensions: &Extensions) -> String {
    let Some(caller) = extensions.get::<Arc<rpc::Caller>>() else { return String::new() };
    let token = caller.headers.get(BEARER_HEADER).and_then(|hash| hash.to_str().ok());
    let machine = caller.remote.map(|remote| remote.ip().to_string()).unwrap_or_default();
    format!("{}@{machine}", token.unwrap_or(&caller.identity.name))
}

/// What Go finds in its tables under an address that was never set: nothing.
fn defined(address: AddressText) -> Result<Address, ErrorObjectOwned> {
    address.address.ok_or_else(|| errors::said(ErrorKind::NotFound, "record not found"))
}

fn key_type(name: &str) -> Option<KeyType> {
    KeyType::ALL.into_iter().find(|kind| kind.as_str() == name)
}

fn absent(what: &str) -> ErrorObjectOwned {
    errors::said(ErrorKind::Unsupported, format!("this wallet has no {what}"))
}

#[async_trait]
impl WalletApiServer for WalletService {
    async fn wallet_new(&self, wanted: KeyTypeText) -> RpcResult<AddressText> {
        self.gate()?;
        let Some(wanted) = key_type(&wanted.0) else {
            return Err(errors::said(ErrorKind::Invalid, "invalid signature type: 255"));
        };
        let made = self.wallet().new_key(wanted).await;
        made.map(|address| self.written(address)).map_err(|error| errors::wallet(&error))
    }

    async fn wallet_has(&self, extensions: &Extensions, address: AddressText) -> RpcResult<bool> {
        let Some(address) = address.address else { return Ok(false) };
        if !self.scope(extensions).await?.contains(&address) {
            return Ok(false);
        }
        self.wallet().has(&address).await.map_err(|error| errors::of(&error))
    }

    async fn wallet_list(&self, extensions: &Extensions) -> RpcResult<Vec<AddressText>> {
        let scope = self.scope(extensions).await?;
        let listed = self.wallet().list().await.map_err(|error| errors::of(&error))?;
        let seen = listed.into_iter().filter(|address| scope.contains(address));
        Ok(seen.map(|address| self.written(address)).collect())
    }

    async fn wallet_sign(
        &self,
        extensions: &Extensions,
        signer: AddressText,
        to_sign: Base64,
        meta: MetaText,
    ) -> RpcResult<Signature> {
        let Some(signer) = signer.address else {
            self.gate()?;
            return Err(errors::said(ErrorKind::NotFound, "record not found"));
        };
        let claimed = meta.kind;
        // An unknown kind goes the same way as a missing one, so that it is on record too.
        let msg_type = MsgType::from_name(&claimed).unwrap_or_default();
        let meta = MsgMeta { msg_type, extra: meta.extra.0 };
        let signed = self.wallet().sign_as(&caller_of(extensions), &signer, &to_sign.0, &meta).await;
        signed.map_err(|error| match (&error, self.gate()) {
            // Go tells a wallet that has no password yet from a locked one.
            (SignerError::Locked, Err(said)) => said,
            _ => errors::signer(&error, &claimed),
        })
    }

    async fn wallet_export(&self, extensions: &Extensions, address: AddressText) -> RpcResult<KeyText> {
        self.gate()?;
        if !self.0.free_export && !self.0.proofs.holds(&bearer(extensions)) {
            let text = "password needed: call VerifyPassword with this token first";
            return Err(errors::said(ErrorKind::Denied, text));
        }
        let key = self.wallet().export(&defined(address)?).await.map_err(|error| errors::wallet(&error))?;
        serde_json::from_str(key.to_json().expose_secret())
            .map_err(|_| errors::said(ErrorKind::Internal, "the key does not serialise"))
    }

    async fn wallet_import(&self, key: KeyText) -> RpcResult<AddressText> {
        self.gate()?;
        let Some(secret) = key.secret else {
            return Err(errors::said(ErrorKind::Invalid, "key info: PrivateKey: missing"));
        };
        let Some(kind) = key_type(&key.kind.0) else {
            return Err(errors::said(ErrorKind::Invalid, format!("invalid key type: {}", key.kind.0)));
        };
        let key = KeyInfo::new(kind, &secret).map_err(|error| errors::key(kind, &error))?;
        let kept = self.wallet().import_key(key).await;
        kept.map(|address| self.written(address)).map_err(|error| errors::wallet(&error))
    }

    async fn wallet_delete(&self, address: AddressText) -> RpcResult<()> {
        self.gate()?;
        let Some(address) = address.address else { return Ok(()) };
        self.wallet().remove_key(&address).await.map(|_| ()).map_err(|error| errors::wallet(&error))
    }

    async fn set_password(&self, extensions: &Extensions, password: String) -> RpcResult<()> {
        let password = SecretString::from(password);
        let set = self.wallet().set_password(None, &password).await;
        set.map_err(|error| errors::wallet(&error))?;
        self.0.proofs.forget();
        self.0.proofs.shown_by(&bearer(extensions));
        Ok(())
    }

    async fn unlock(&self, extensions: &Extensions, password: String) -> RpcResult<()> {
        let password = SecretString::from(password);
        SignerAdmin::unlock(self.wallet(), &password).await.map_err(|error| errors::wallet(&error))?;
        // It was locked, by whatever: by time, or by somebody else's call. What was shown before that is over.
        self.0.proofs.forget();
        self.0.proofs.shown_by(&bearer(extensions));
        Ok(())
    }

    async fn lock(&self, password: String) -> RpcResult<()> {
        let password = SecretString::from(password);
        SignerAdmin::lock(self.wallet(), &password).await.map_err(|error| errors::wallet(&error))?;
        self.0.proofs.forget();
        Ok(())
    }

    async fn lock_state(&self) -> RpcResult<bool> {
        Ok(self.wallet().vault().state() != LockState::Unlocked)
    }

    async fn verify_password(&self, extensions: &Extensions, password: String) -> RpcResult<()> {
        let password = SecretString::from(password);
        self.gate()?;
        let verified = self.wallet().vault().verify_password(&password).await;
        verified.map_err(|error| errors::wallet(&error))?;
        self.0.proofs.shown_by(&bearer(extensions));
        Ok(())
    }

    async fn auth_verify(&self, token: String) -> RpcResult<Option<Vec<String>>> {
        let claims = self.0.tokens.verify(&token);
        claims.map(|claims| claims.allow).map_err(|error| {
            errors::said(ErrorKind::Unauthenticated, format!("JWT Verification failed: {error}"))
        })
    }

    async fn auth_new(&self, permissions: Option<Vec<String>>) -> RpcResult<Base64> {
        let token = self.0.tokens.issue(&Claims { allow: permissions, subject: None });
        Ok(Base64(token.expose_secret().as_bytes().to_vec()))
    }

    async fn log_list(&self) -> RpcResult<Vec<String>> {
        Ok(self.0.log.as_ref().map(|log| log.systems()).unwrap_or_default())
    }

    async fn log_set_level(&self, system: String, level: String) -> RpcResult<()> {
        let log = self.0.log.as_ref().ok_or_else(|| absent("log levels"))?;
        log.set_level(&system, &level).map_err(|error| errors::of(&error))
    }

    async fn list_signed_record(&self, query: Option<RecordQuery>) -> RpcResult<Option<Vec<SignRecord>>> {
        let Some(records) = &self.0.records else { return Ok(None) };
        records.list(&query.unwrap_or_default()).await.map(Some).map_err(|error| errors::of(&error))
    }

    async fn version(&self) -> RpcResult<VersionInfo> {
        Ok(VersionInfo { version: VERSION.to_owned(), api_version: API_VERSION })
    }

    async fn add_support_account(&self, account: String) -> RpcResult<()> {
        let hubs = self.0.hubs.as_ref().ok_or_else(|| absent("hubs"))?;
        hubs.support_account(&account).await.map_err(|error| errors::of(&error))
    }

    async fn add_new_address(&self, addresses: Option<Vec<AddressText>>) -> RpcResult<()> {
        let Some(hubs) = &self.0.hubs else { return Ok(()) };
        let addresses: Vec<Address> = addresses.iter().flatten().filter_map(|text| text.address).collect();
        hubs.add_addresses(&addresses).await.map_err(|error| errors::of(&error))
    }
}

#[async_trait]
impl WalletExtApiServer for WalletService {
    async fn change_password(&self, old: String, new: String) -> RpcResult<()> {
        let (old, new) = (SecretString::from(old), SecretString::from(new));
        let changed = self.wallet().set_password(Some(&old), &new).await;
        changed.map_err(|error| errors::wallet(&error))?;
        self.0.proofs.forget();
        Ok(())
    }

    async fn auth_new_for(&self, permissions: Vec<String>, subject: String) -> RpcResult<Base64> {
        if subject.is_empty() || subject.len() > 64 || subject.chars().any(char::is_control) {
            return Err(errors::said(ErrorKind::Invalid, "subject: must have 1 to 64 printable characters"));
        }
        // Records call tokens without a name so: nobody's calls are to look like another's.
        if subject.starts_with(UNNAMED) {
            let text = format!("subject: must not begin with {UNNAMED}, which stands for tokens without one");
            return Err(errors::said(ErrorKind::Invalid, text));
        }
        let token = self.0.tokens.issue(&Claims { allow: Some(permissions), subject: Some(subject) });
        Ok(Base64(token.expose_secret().as_bytes().to_vec()))
    }
}
