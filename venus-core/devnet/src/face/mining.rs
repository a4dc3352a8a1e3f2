//! What miners ask: base info, blocks, and where blocks go.

use fvm_shared::address::Address;
use fvm_shared::clock::ChainEpoch;
use venus_core::api::{BlockProducer, BlockReject, ChainError, SignerExt};
use venus_core::json::Json;
use venus_core::types::{BlockHeader, BlockMsg, BlockTemplate, MiningBaseInfo, Signature, TipsetKey};

use super::chain::named;
use super::error::{self, FaceError};
use super::methods::{Answer, Methods, method};
use super::wallet::signer_error;
use super::{Face, FaceKind};

pub(super) fn register(m: &mut Methods) {
    method!(m, Read "Filecoin.MinerGetBaseInfo" (a: Json<Address> = "address.Address", h: ChainEpoch = "abi.ChainEpoch", k: TipsetKey = "types.TipSetKey") => base_info, .idempotent());
    method!(m, Write "Filecoin.SyncSubmitBlock" (b: Json<BlockMsg> = "*types.BlockMsg") => submit, .void());
    method!(m, Write "Filecoin.MinerCreateBlock" (t: Json<BlockTemplate> = "*api.BlockTemplate") => create);
}

/// Null for a miner that has nothing to win with, an error for one that there is none.
async fn base_info(
    face: Face,
    Json(miner): Json<Address>,
    epoch: ChainEpoch,
    base: TipsetKey,
) -> Answer<Json<Option<MiningBaseInfo>>> {
    named(&base)?;
    let info = face.devnet.base_info(&miner, epoch, &base).await?;
    if info.is_none() && !is_miner(&face, &miner, &base).await? {
        let who = match face.kind {
            FaceKind::Venus => format!("address is :{}: ", face.text(&miner)),
            FaceKind::Lotus | FaceKind::Forest => String::new(),
        };
        return Err(FaceError::said(format!("loading miner in current state: {who}actor not found")));
    }
    Ok(Json(info))
}

async fn is_miner(face: &Face, miner: &Address, base: &TipsetKey) -> Answer<bool> {
    let core = face.devnet.inner.read();
    let tipset = core.chain.tipset(base)?;
    let executed = core.chain.execute(&tipset)?;
    Ok(executed.state.resolve(miner).is_some_and(|id| executed.state.miner(id).is_some()))
}

/// Lotus signs every block, or fails. Venus signs if it has the key, and otherwise leaves that to the miner.
async fn create(face: Face, Json(template): Json<BlockTemplate>) -> Answer<Json<BlockMsg>> {
    named(&template.parents)?;
    let created = face.devnet.create_block(&template).await.map_err(|e| match e {
        ChainError::Invalid(why) => FaceError::said(format!("invalid message: {why}")),
        other => other.into(),
    });
    let mut block = created?;
    block.header.block_sig = match face.kind {
        FaceKind::Venus => sign_if_possible(&face, &template, &block.header).await?,
        FaceKind::Lotus | FaceKind::Forest => Some(sign(&face, &template, &block.header).await?),
    };
    Ok(Json(block))
}

/// The key that signs blocks on these parents.
async fn worker(face: &Face, template: &BlockTemplate) -> Answer<Address> {
    let info = face.devnet.base_info(&template.miner, template.epoch, &template.parents).await?;
    let found = info.map(|info| info.worker_key);
    found
        .ok_or_else(|| FaceError::said("failed to create block: failed to get miner worker: actor not found"))
}

async fn sign(face: &Face, template: &BlockTemplate, header: &BlockHeader) -> Answer<Signature> {
    let worker = worker(face, template).await?;
    let failed = |why: String| FaceError::said(format!("failed to sign new block: {why}"));
    let Some(keys) = &face.keys else {
        return Err(failed(format!("signing using key '{}': key not found", face.text(&worker))));
    };
    keys.sign_block(&worker, header).await.map_err(|e| failed(e.to_string()))
}

async fn sign_if_possible(
    face: &Face,
    template: &BlockTemplate,
    header: &BlockHeader,
) -> Answer<Option<Signature>> {
    let Some(keys) = &face.keys else { return Ok(None) };
    let worker = worker(face, template).await?;
    if !keys.has(&worker).await.map_err(|e| signer_error(&e))? {
        return Ok(None);
    }
    keys.sign_block(&worker, header).await.map(Some).map_err(|e| signer_error(&e))
}

/// Lotus says what is wrong with a block. Venus looks at it only after it has answered: of a block that breaks a rule
/// nothing is heard.
async fn submit(face: Face, Json(block): Json<BlockMsg>) -> Answer<()> {
    let Err(error) = face.devnet.submit_block(&block).await else { return Ok(()) };
    match &error {
        ChainError::Block(BlockReject::MissingMessage(cid)) => {
            let list = if block.bls_messages.contains(cid) { "bls messages" } else { "secpk message" };
            Err(FaceError::said(format!("failed to load {list}: ipld: could not find {cid}")))
        }
        ChainError::Block(BlockReject::UnknownParents) | ChainError::TipsetNotFound(_) => {
            let parent = block.header.parents.first().map(ToString::to_string).unwrap_or_default();
            Err(FaceError::said(format!("loading parent block: ipld: could not find {parent}")))
        }
        ChainError::Block(BlockReject::Rule { rule: "Messages", .. }) => {
            Err(FaceError::said("provided messages did not match block"))
        }
        ChainError::Block(BlockReject::Rule { rule, reason }) if face.kind == FaceKind::Venus => {
            let cid = block.cid();
            tracing::info!(%cid, rule, reason, "a block was dropped");
            Ok(())
        }
        ChainError::Block(reject) => Err(FaceError::said(error::block(reject))),
        _ => Err(error.into()),
    }
}
