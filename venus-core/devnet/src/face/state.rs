//! `State*` about actors, addresses and the network as a whole.

use std::collections::BTreeMap;

use fvm_shared::address::{Address, Payload, Protocol};
use fvm_shared::clock::ChainEpoch;
use fvm_shared::econ::TokenAmount;
use serde_json::{Value, json};
use venus_core::actors::ActorKind;
use venus_core::api::{ChainError, ChainReader, StateReader};
use venus_core::json::{self, Json};
use venus_core::rpc::RpcError;
use venus_core::types::{ActorInfo, ActorState, Cid, MaybeAddress, TipsetKey};

use super::error::FaceError;
use super::methods::{Answer, Methods, method};
use super::{Face, FaceKind};
use crate::reader::{At, actor_info};
use crate::state::{BURNT_FUNDS, REMAINDER, codes, manifest};

/// Lotus's code of an address that nobody has. It gives it for `StateLookupID` only.
const ACTOR_NOT_FOUND: i64 = 11;

pub(super) fn register(m: &mut Methods) {
    method!(m, Read "Filecoin.StateGetActor" (a: Json<Address> = "address.Address", k: TipsetKey = "types.TipSetKey") => actor, .idempotent());
    method!(m, Read "Filecoin.StateReadState" (a: Json<Address> = "address.Address", k: TipsetKey = "types.TipSetKey") => read_state, .idempotent());
    method!(m, Read "Filecoin.StateLookupID" (a: Json<Address> = "address.Address", k: TipsetKey = "types.TipSetKey") => lookup_id, .idempotent());
    if !m.v0() {
        method!(m, Read "Filecoin.StateLookupRobustAddress" (a: Json<Address> = "address.Address", k: TipsetKey = "types.TipSetKey") => robust, .idempotent());
    }
    method!(m, Read "Filecoin.StateAccountKey" (a: Json<Address> = "address.Address", k: TipsetKey = "types.TipSetKey") => account_key, .idempotent());
    method!(m, Read "Filecoin.StateListMiners" (k: TipsetKey = "types.TipSetKey") => miners, .idempotent());
    method!(m, Read "Filecoin.StateListActors" (k: TipsetKey = "types.TipSetKey") => actors, .idempotent());
    method!(m, Read "Filecoin.StateListMessages" (to_match: MessageMatch = "api.MessageMatch", k: TipsetKey = "types.TipSetKey", down_to: ChainEpoch = "abi.ChainEpoch") => messages, .idempotent());
    method!(m, Read "Filecoin.StateCirculatingSupply" (k: TipsetKey = "types.TipSetKey") => circulating, .idempotent());
    method!(m, Read "Filecoin.StateVMCirculatingSupplyInternal" (k: TipsetKey = "types.TipSetKey") => vm_circulating, .idempotent());
    method!(m, Read "Filecoin.StateChangedActors" (old: Json<Cid> = "cid.Cid", new: Json<Cid> = "cid.Cid") => changed, .idempotent());
    method!(m, Read "Filecoin.StateActorCodeCIDs" (version: u32 = "network.Version") => code_cids, .idempotent());
    method!(m, Read "Filecoin.StateActorManifestCID" (version: u32 = "network.Version") => manifest_cid, .idempotent());
}

/// A state method's tipset: nodes take the head for the empty key, and for every key the state that the tipset's
/// messages were executed on.
pub(super) async fn pinned(face: &Face, key: TipsetKey) -> Answer<TipsetKey> {
    if key.is_empty() { Ok(face.devnet.head().await?.key().clone()) } else { Ok(key) }
}

pub(super) async fn state_at(face: &Face, key: TipsetKey) -> Answer<At> {
    let key = pinned(face, key).await?;
    Ok(face.devnet.at(&key)?)
}

/// What stands before "actor not found" in the nodes' texts, which depends on how far the method had come.
#[derive(Clone, Copy)]
pub(super) struct Missing {
    pub(super) lotus: &'static str,
    pub(super) venus: &'static str,
}

impl Missing {
    /// Of methods that load an actor for its state.
    const STATE: Self = Self { lotus: "getting actor: ", venus: "" };
}

/// The fault of a question about `address`, in the words of the node.
pub(super) fn about(
    face: &Face,
    address: &Address,
    missing: Missing,
) -> impl FnOnce(ChainError) -> FaceError {
    let text = match face.kind {
        FaceKind::Venus => format!("{}address is :{}: actor not found", missing.venus, face.text(address)),
        FaceKind::Lotus | FaceKind::Forest => format!("{}actor not found", missing.lotus),
    };
    move |error| match error {
        ChainError::ActorNotFound(_) => FaceError::said(text),
        other => other.into(),
    }
}

impl Face {
    /// An address as this node prints it.
    pub(super) fn text(&self, address: &Address) -> String {
        venus_core::types::address::format(address, self.prefix())
    }
}

/// Forest answers nothing for nobody, the others an error.
async fn actor(face: Face, Json(address): Json<Address>, key: TipsetKey) -> Answer<Option<ActorInfo>> {
    let key = pinned(&face, key).await?;
    match face.devnet.actor(&address, &key).await? {
        None if face.kind != FaceKind::Forest => Err(FaceError::said("actor not found")),
        found => Ok(found),
    }
}

async fn read_state(face: Face, Json(address): Json<Address>, key: TipsetKey) -> Answer<ActorState> {
    let at = state_at(&face, key).await?;
    let id = at.id_of(&address).map_err(about(&face, &address, Missing::STATE))?;
    let view = at.view();
    let state = json::with_network(face.prefix(), || view.json(id));
    let found = view.tree.get(id).zip(state);
    let (actor, state) = found.ok_or_else(|| FaceError::said("unable to load the actor's state"))?;
    Ok(ActorState { balance: actor.balance.clone(), code: actor.code(), state })
}

/// An ID is answered with itself, whether anybody has it or not.
async fn lookup_id(face: Face, Json(address): Json<Address>, key: TipsetKey) -> Answer<Json<Address>> {
    if address.protocol() == Protocol::ID {
        return Ok(Json(address));
    }
    let key = pinned(&face, key).await?;
    match face.devnet.lookup_id(&address, &key).await {
        Ok(id) => Ok(Json(id)),
        Err(ChainError::ActorNotFound(_)) => Err(unresolved(&face, &address)),
        Err(other) => Err(other.into()),
    }
}

fn unresolved(face: &Face, address: &Address) -> FaceError {
    match face.kind {
        FaceKind::Lotus => FaceError::Said(RpcError::new(ACTOR_NOT_FOUND, "actor not found")),
        FaceKind::Venus | FaceKind::Forest => {
            let text = face.text(address);
            FaceError::said(format!(
                "resolution lookup failed ({text}): resolve address {text}: actor not found"
            ))
        }
    }
}

async fn robust(face: Face, Json(address): Json<Address>, key: TipsetKey) -> Answer<Json<Address>> {
    let Payload::ID(id) = address.payload() else {
        return Err(FaceError::said("failed to decode provided address as id addr: not an ID address"));
    };
    let robust = state_at(&face, key).await?.view().robust(*id);
    robust.map(Json).ok_or_else(|| {
        let capital = if face.kind == FaceKind::Venus { "address" } else { "Address" };
        FaceError::said(format!("{capital} {} not found", face.text(&address)))
    })
}

/// A key address is answered with itself, whether anybody has it or not.
pub(super) async fn account_key(
    face: Face,
    Json(address): Json<Address>,
    key: TipsetKey,
) -> Answer<Json<Address>> {
    if matches!(address.protocol(), Protocol::Secp256k1 | Protocol::BLS) {
        return Ok(Json(address));
    }
    let key = pinned(&face, key).await?;
    let text = || face.text(&address);
    match face.devnet.account_key(&address, &key).await {
        Ok(key) => Ok(Json(key)),
        Err(ChainError::ActorNotFound(_)) => {
            Err(FaceError::said(format!("failed to find actor: {}", text())))
        }
        Err(ChainError::Invalid(_)) => {
            let at = face.devnet.at(&key)?;
            let kind = at.view().tree.find(&address).map(|(_, actor)| actor.kind());
            let name = kind.map_or("unknown", ActorKind::manifest_name);
            Err(FaceError::said(format!(
                "failed to get account actor state for {}: actor code is not account: {name}",
                text()
            )))
        }
        Err(other) => Err(other.into()),
    }
}

async fn miners(face: Face, key: TipsetKey) -> Answer<Json<Vec<Address>>> {
    Ok(Json(addresses(state_at(&face, key).await?.view().miners())))
}

async fn actors(face: Face, key: TipsetKey) -> Answer<Json<Vec<Address>>> {
    Ok(Json(addresses(state_at(&face, key).await?.view().actors())))
}

fn addresses(ids: Vec<u64>) -> Vec<Address> {
    ids.into_iter().map(Address::new_id).collect()
}

/// Which messages are looked for: those to somebody, from somebody, or both.
#[derive(Debug, Default, serde::Deserialize)]
#[serde(default)]
struct MessageMatch {
    #[serde(rename = "To", alias = "to")]
    to: Json<MaybeAddress>,
    #[serde(rename = "From", alias = "from")]
    from: Json<MaybeAddress>,
}

/// Walks back from the tipset; answers `null` if there is none, as Go does.
async fn messages(
    face: Face,
    wanted: MessageMatch,
    key: TipsetKey,
    down_to: ChainEpoch,
) -> Answer<Option<Json<Vec<Cid>>>> {
    let (to, from) = (wanted.to.0.0, wanted.from.0.0);
    if to.is_none() && from.is_none() {
        return Err(FaceError::said("must specify at least To or From in message filter"));
    }
    let mut tipset = face.devnet.tipset(&key).await?;
    let mut found = Vec::new();
    while tipset.height() >= down_to.max(1) {
        for message in face.devnet.included(&tipset) {
            let m = &message.signed.message;
            if to.is_none_or(|to| m.to == to) && from.is_none_or(|from| m.from == from) {
                found.push(message.cid);
            }
        }
        tipset = face.devnet.tipset(&tipset.parents()).await?;
        // A long chain must not keep others from being served.
        tokio::task::yield_now().await;
    }
    Ok((!found.is_empty()).then_some(Json(found)))
}

/// What accounts have and miners may withdraw: Lotus counts actor by actor (`StateCirculatingSupply`), unlike for
/// the machine.
async fn circulating(face: Face, key: TipsetKey) -> Answer<Json<TokenAmount>> {
    let at = state_at(&face, key).await?;
    let view = at.view();
    let mut sum = TokenAmount::default();
    for (id, actor) in view.tree.iter().filter(|(id, _)| ![REMAINDER, BURNT_FUNDS].contains(id)) {
        match actor.kind() {
            ActorKind::Miner => {
                sum += view.available_balance(id).unwrap_or_default().max(TokenAmount::default())
            }
            ActorKind::Account
            | ActorKind::EthAccount
            | ActorKind::Evm
            | ActorKind::Multisig
            | ActorKind::Paych
            | ActorKind::Placeholder => sum += &actor.balance,
            _ => {}
        }
    }
    Ok(Json(sum))
}

async fn vm_circulating(face: Face, key: TipsetKey) -> Answer<Value> {
    let supply = state_at(&face, key).await?.view().supply();
    Ok(json!({
        "FilVested": Json(supply.vested),
        "FilMined": Json(supply.mined),
        "FilBurnt": Json(supply.burnt),
        "FilLocked": Json(supply.locked),
        "FilCirculating": Json(supply.circulating),
        "FilReserveDisbursed": Json(supply.reserve_disbursed),
    }))
}

/// Actors of the new state that the old one does not have like this.
async fn changed(
    face: Face,
    Json(old): Json<Cid>,
    Json(new): Json<Cid>,
) -> Answer<Json<BTreeMap<String, ActorInfo>>> {
    let (old, new) = (by_root(&face, "old", &old)?, by_root(&face, "new", &new)?);
    let (old, new) = (old.view(), new.view());
    let mut changed = BTreeMap::new();
    for (id, actor) in new.tree.iter() {
        let info = actor_info(actor);
        if old.tree.get(id).map(actor_info).as_ref() != Some(&info) {
            changed.insert(face.text(&Address::new_id(id)), info);
        }
    }
    Ok(Json(changed))
}

fn by_root(face: &Face, which: &str, root: &Cid) -> Answer<At> {
    face.devnet.at_root(root)?.ok_or_else(|| {
        FaceError::said(format!(
            "failed to load {which} state tree: failed to load state tree {root}: ipld: could not find {root}"
        ))
    })
}

async fn code_cids(_: Face, version: u32) -> Answer<Json<BTreeMap<String, Cid>>> {
    let codes = codes(version).ok_or_else(|| unknown_version(version))?;
    Ok(Json(codes.into_iter().map(|(kind, cid)| (kind.manifest_name().to_owned(), cid)).collect()))
}

async fn manifest_cid(_: Face, version: u32) -> Answer<Json<Cid>> {
    manifest(version).map(Json).ok_or_else(|| unknown_version(version))
}

fn unknown_version(version: u32) -> FaceError {
    FaceError::said(format!("cannot find manifest cid for network version {version}"))
}
