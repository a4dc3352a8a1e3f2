//! The hub behind the API.

use std::sync::Arc;

use async_trait::async_trait;
use futures::StreamExt;
use futures::future::ready;
use jsonrpsee::core::{RpcResult, SubscriptionResult, to_json_raw_value};
use jsonrpsee::types::ErrorObjectOwned;
use jsonrpsee::{Extensions, PendingSubscriptionSink};
use venus_core::error::ErrorKind;
use venus_core::json::Json;
use venus_core::rpc::{ChannelFeed, RpcError, codes};
use venus_core::types::gateway::{
    ComputeProofRequest, ConnectionStates, MarketConnectionState, MarketRegisterPolicy, ProofRegisterPolicy,
    ResponseEvent, UnsealPayload, WalletDetail, WalletRegisterPolicy,
};
use venus_core::types::{Address, Cid, ExtendedSectorInfo, MsgMeta, PostProof, Signature};

use super::api::{GatewayApiServer, GatewayApiV1Server, VersionInfo};
use super::caller::{caller, deadline, provider};
use super::wire::{AddressText, Base64, Id, MetaText};
use crate::error::HubError;
use crate::hub::{Accounts, Hub};
use crate::provider::Events;

/// What `Version` answers: the gateway whose API this is, and ours.
pub const VERSION: &str = concat!("1.18.0+rust-", env!("CARGO_PKG_VERSION"));

/// Where a proxy finds the components behind it; what `RegisterReverse` changes.
#[async_trait]
pub trait ReverseTargets: Send + Sync + 'static {
    /// From now on requests for `host_key` (`AUTH`, `VENUS`, `MESSAGER`, `MINER`, `DROPLET`) go to `url`; an empty one
    /// is none. The caller is an administrator, which is no reason to let it send requests anywhere.
    ///
    /// # Errors
    /// [`HubError::Invalid`] and [`HubError::Denied`].
    async fn register(&self, host_key: &str, url: &str) -> Result<(), HubError>;
}

/// One API. Cheap to clone.
#[derive(Clone)]
pub(super) struct Api {
    pub(super) hub: Hub,
    pub(super) reverse: Option<Arc<dyn ReverseTargets>>,
}

fn said(error: HubError) -> ErrorObjectOwned {
    RpcError::of(&error).into()
}

fn invalid(text: impl Into<String>) -> ErrorObjectOwned {
    RpcError::new(codes::METHOD, text).with_kind(ErrorKind::Invalid).into()
}

fn needed(AddressText(address): AddressText, name: &str) -> Result<Address, ErrorObjectOwned> {
    address.ok_or_else(|| invalid(format!("{name}: empty address")))
}

/// Lists without elements are null, as Go's are.
fn list<T>(list: Vec<T>) -> Option<Vec<T>> {
    (!list.is_empty()).then_some(list)
}

fn addresses(list: Option<Vec<AddressText>>) -> Result<Vec<Address>, ErrorObjectOwned> {
    list.unwrap_or_default().into_iter().map(|address| needed(address, "addresses")).collect()
}

/// Empty names are nobody's.
fn narrowed(accounts: &[String]) -> Accounts<'_> {
    if accounts.is_empty() { Accounts::All } else { Accounts::Only(accounts) }
}

/// No wallet knows the type, and Go's says so in these words.
fn known(meta: MetaText) -> Result<MsgMeta, ErrorObjectOwned> {
    meta.meta().map_err(|kind| invalid(format!("get sign bytes: unsupported msgtype:{kind}")))
}

impl Api {
    async fn has(&self, signer: AddressText, accounts: &[String]) -> RpcResult<bool> {
        // The empty address is nobody's key.
        let AddressText(Some(signer)) = signer else { return Ok(false) };
        self.hub.wallet_has(&signer, narrowed(accounts)).await.map_err(said)
    }

    async fn sign(
        &self,
        extensions: &Extensions,
        signer: AddressText,
        accounts: &[String],
        to_sign: &[u8],
        meta: MetaText,
    ) -> RpcResult<Signature> {
        let (signer, meta) = (needed(signer, "signer")?, known(meta)?);
        let deadline = deadline(extensions, self.hub.options().sign);
        self.hub.wallet_sign(&signer, narrowed(accounts), to_sign, &meta, deadline).await.map_err(said)
    }

    fn respond(&self, extensions: &Extensions, response: Option<ResponseEvent>) -> RpcResult<()> {
        let response = response.ok_or_else(|| invalid("response: missing"))?;
        let connection = caller(extensions).map_err(said)?.connection;
        self.hub.respond(connection, response).map_err(said)
    }
}

#[async_trait]
impl GatewayApiServer for Api {
    async fn version(&self) -> RpcResult<VersionInfo> {
        Ok(VersionInfo { version: VERSION.to_owned(), api_version: 0 })
    }

    async fn wallet_has(&self, signer: AddressText, accounts: Option<Vec<String>>) -> RpcResult<bool> {
        self.has(signer, &accounts.unwrap_or_default()).await
    }

    async fn wallet_sign(
        &self,
        extensions: &Extensions,
        signer: AddressText,
        accounts: Option<Vec<String>>,
        to_sign: Base64,
        meta: MetaText,
    ) -> RpcResult<Signature> {
        self.sign(extensions, signer, &accounts.unwrap_or_default(), &to_sign.0, meta).await
    }

    async fn list_wallet_info(&self) -> RpcResult<Option<Vec<WalletDetail>>> {
        Ok(list(self.hub.wallets()))
    }

    async fn list_wallet_info_by_wallet(&self, account: String) -> RpcResult<WalletDetail> {
        self.hub.wallet(&account).map_err(said)
    }

    async fn compute_proof(
        &self,
        extensions: &Extensions,
        miner: AddressText,
        sectors: Option<Vec<ExtendedSectorInfo>>,
        rand: Base64,
        height: i64,
        network_version: Option<u32>,
    ) -> RpcResult<Option<Vec<PostProof>>> {
        let miner = needed(miner, "miner")?;
        let request = ComputeProofRequest {
            sector_infos: sectors.unwrap_or_default(),
            rand: rand.0,
            height,
            nw_version: network_version.unwrap_or_default(),
        };
        let deadline = deadline(extensions, self.hub.options().proof);
        let proofs = self.hub.compute_proof(&miner, &request, deadline).await;
        proofs.map(list).map_err(said)
    }

    async fn list_connected_miners(&self) -> RpcResult<Option<Vec<Json<Address>>>> {
        Ok(list(self.hub.miners().into_iter().map(Json).collect()))
    }

    async fn list_miner_connection(&self, miner: AddressText) -> RpcResult<ConnectionStates> {
        let miner = needed(miner, "miner")?;
        self.hub.miner(&miner).map_err(said)
    }

    async fn sectors_unseal_piece(
        &self,
        miner: AddressText,
        Json(piece_cid): Json<Cid>,
        sector: Option<u64>,
        offset: Option<u64>,
        size: Option<u64>,
        dest: String,
    ) -> RpcResult<String> {
        let request = UnsealPayload {
            piece_cid,
            miner: needed(miner, "miner")?,
            sid: sector.unwrap_or_default(),
            offset: offset.unwrap_or_default(),
            size: size.unwrap_or_default(),
            dest,
        };
        let state = self.hub.unseal_piece(&request).await.map_err(said)?;
        Ok(state.as_str().to_owned())
    }

    async fn list_market_connections_state(&self) -> RpcResult<Option<Vec<MarketConnectionState>>> {
        Ok(list(self.hub.markets()))
    }

    async fn listen_wallet_event(
        &self,
        pending: PendingSubscriptionSink,
        extensions: &Extensions,
        policy: Option<WalletRegisterPolicy>,
    ) -> SubscriptionResult {
        let opened = match (provider(extensions), policy) {
            (Ok(who), Some(policy)) => self.hub.listen_wallet(who, policy).await,
            (Err(error), _) => Err(error),
            (_, None) => Err(HubError::Invalid("policy: missing".into())),
        };
        forward(pending, extensions, opened).await
    }

    async fn listen_proof_event(
        &self,
        pending: PendingSubscriptionSink,
        extensions: &Extensions,
        policy: Option<ProofRegisterPolicy>,
    ) -> SubscriptionResult {
        let opened = match (provider(extensions), policy) {
            (Ok(who), Some(policy)) => self.hub.listen_proof(who, policy.miner_address).await,
            (Err(error), _) => Err(error),
            (_, None) => Err(HubError::Invalid("policy: missing".into())),
        };
        forward(pending, extensions, opened).await
    }

    async fn listen_market_event(
        &self,
        pending: PendingSubscriptionSink,
        extensions: &Extensions,
        policy: Option<MarketRegisterPolicy>,
    ) -> SubscriptionResult {
        let opened = match (provider(extensions), policy) {
            (Ok(who), Some(policy)) => self.hub.listen_market(who, policy.miner).await,
            (Err(error), _) => Err(error),
            (_, None) => Err(HubError::Invalid("policy: missing".into())),
        };
        forward(pending, extensions, opened).await
    }

    async fn response_wallet_event(
        &self,
        extensions: &Extensions,
        response: Option<ResponseEvent>,
    ) -> RpcResult<()> {
        self.respond(extensions, response)
    }

    async fn response_proof_event(
        &self,
        extensions: &Extensions,
        response: Option<ResponseEvent>,
    ) -> RpcResult<()> {
        self.respond(extensions, response)
    }

    async fn response_market_event(
        &self,
        extensions: &Extensions,
        response: Option<ResponseEvent>,
    ) -> RpcResult<()> {
        self.respond(extensions, response)
    }

    async fn support_new_account(
        &self,
        extensions: &Extensions,
        channel: Id,
        account: String,
    ) -> RpcResult<()> {
        let who = provider(extensions).map_err(said)?;
        self.hub.support_account(&who, channel.0, &account).await.map_err(said)
    }

    async fn add_new_address(
        &self,
        extensions: &Extensions,
        channel: Id,
        list: Option<Vec<AddressText>>,
    ) -> RpcResult<()> {
        let who = provider(extensions).map_err(said)?;
        self.hub.add_addresses(&who, channel.0, &addresses(list)?).await.map_err(said)
    }

    async fn remove_address(
        &self,
        extensions: &Extensions,
        channel: Id,
        list: Option<Vec<AddressText>>,
    ) -> RpcResult<()> {
        let (who, list) = (provider(extensions).map_err(said)?, addresses(list)?);
        // Go does not even look for the channel then.
        if list.is_empty() {
            return Ok(());
        }
        self.hub.remove_addresses(&who, channel.0, &list).await.map_err(said)
    }

    async fn register_reverse(&self, host_key: String, address: String) -> RpcResult<()> {
        match &self.reverse {
            Some(targets) => targets.register(&host_key, &address).await.map_err(said),
            None => Err(said(HubError::Denied(format!("host key({host_key:.32}) : not served here")))),
        }
    }
}

#[async_trait]
impl GatewayApiV1Server for Api {
    async fn wallet_has(&self, account: String, signer: AddressText) -> RpcResult<bool> {
        self.has(signer, one(&account)).await
    }

    async fn wallet_sign(
        &self,
        extensions: &Extensions,
        account: String,
        signer: AddressText,
        to_sign: Base64,
        meta: MetaText,
    ) -> RpcResult<Signature> {
        self.sign(extensions, signer, one(&account), &to_sign.0, meta).await
    }
}

/// The empty account narrows nothing.
fn one(account: &String) -> &[String] {
    if account.is_empty() { &[] } else { std::slice::from_ref(account) }
}

/// Sends events until either side has enough. Dropping them ends the registration. A provider that does not read is not
/// waited for: its queue in the hub fills, and it is asked no more.
async fn forward(
    pending: PendingSubscriptionSink,
    extensions: &Extensions,
    opened: Result<Events, HubError>,
) -> SubscriptionResult {
    let events = match opened {
        Ok(events) => events,
        Err(error) => {
            pending.reject(said(error)).await;
            return Ok(());
        }
    };
    // Every call that comes through our session has one.
    let feed = extensions.get::<ChannelFeed>().ok_or("the transport has no channels")?;
    // An event is JSON by its type.
    feed.give(events.filter_map(|event| ready(to_json_raw_value(&event).ok())));
    pending.accept().await?;
    Ok(())
}
