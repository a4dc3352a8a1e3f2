//! Block making on a scripted chain.

use std::collections::HashMap;
use std::sync::Mutex;

use async_trait::async_trait;
use cid::Cid;
use fvm_shared::address::Address;
use fvm_shared::clock::ChainEpoch;

use super::ledger::NETWORK_POWER;
use super::{MemoryPool, ScriptedChain, lock};
use crate::api::{BlockProducer, BlockReject, ChainError, ChainReader, MessagePool};
use crate::consensus::{beacon, msg_meta};
use crate::crypto;
use crate::types::{
    BlockHeader, BlockMessages, BlockMsg, BlockTemplate, ExtendedSectorInfo, MessageExt, MiningBaseInfo,
    SignedMessage, TipsetKey, blake2b_cid,
};

/// Registered proof of a 2 KiB sector.
const SEAL_PROOF_2K: i64 = 5;

/// Makes and takes blocks for the miners it was told of, on the mock beacon. Each has one sector and some of the
/// network's 1 MiB of power.
///
/// A block is checked for its parents, worker signature and messages, and a second one of a miner at the same
/// height is refused; tickets, elections and proofs pass unseen. A block that makes its tipset heavier than the
/// head moves the head.
#[derive(Debug)]
pub struct ScriptedProducer {
    chain: ScriptedChain,
    pool: MemoryPool,
    miners: HashMap<Address, (Address, u64)>,
    /// Messages of blocks that were created here, by chain CID.
    messages: Mutex<HashMap<Cid, SignedMessage>>,
}

impl ScriptedProducer {
    /// A producer without miners. Messages are selected from `pool`.
    pub fn new(chain: ScriptedChain, pool: MemoryPool) -> Self {
        Self { chain, pool, miners: HashMap::new(), messages: Mutex::default() }
    }

    /// Adds a miner: ID address, key address of the worker, and power in bytes of the network's 1048576.
    #[must_use]
    pub fn with_miner(mut self, miner: Address, worker: Address, power: u64) -> Self {
        self.miners.insert(miner, (worker, power));
        self
    }

    fn check(&self, header: &BlockHeader) -> Result<(), ChainError> {
        let rule = |rule, reason: String| Err(BlockReject::Rule { rule, reason }.into());
        let Some((worker, _)) = self.miners.get(&header.miner) else {
            return rule("Miner", format!("{} has no power", header.miner));
        };
        let Some(signature) = &header.block_sig else {
            return rule("BlockSig", "missing".into());
        };
        if let Err(e) = crypto::verify(signature, worker, &header.signing_bytes()) {
            return rule("BlockSig", e.to_string());
        }
        let witness = self.chain.with_ledger(|ledger| {
            let mut blocks = ledger.blocks.iter();
            // The block itself is no rival: it may have got in twice at once.
            let own = header.cid();
            let rival = blocks
                .find(|(cid, (b, _))| **cid != own && b.miner == header.miner && b.height == header.height);
            rival.map(|(cid, _)| *cid)
        });
        witness.map_or(Ok(()), |witness| Err(BlockReject::SlashFilter { witness }.into()))
    }

    fn messages_of(&self, block: &BlockMsg) -> Result<BlockMessages, BlockReject> {
        let known = lock(&self.messages);
        let find = |cid: &Cid| known.get(cid).cloned().ok_or(BlockReject::MissingMessage(*cid));
        let bls = block.bls_messages.iter().map(|cid| find(cid).map(|signed| signed.message));
        let secp = block.secp_messages.iter().map(find);
        if msg_meta::msg_meta_cid(&block.bls_messages, &block.secp_messages) != block.header.messages {
            return Err(BlockReject::Rule { rule: "Messages", reason: "root does not match".into() });
        }
        Ok(BlockMessages { bls: bls.collect::<Result<_, _>>()?, secp: secp.collect::<Result<_, _>>()? })
    }
}

#[async_trait]
impl BlockProducer for ScriptedProducer {
    async fn base_info(
        &self,
        miner: &Address,
        epoch: ChainEpoch,
        base: &TipsetKey,
    ) -> Result<Option<MiningBaseInfo>, ChainError> {
        let tipset = self.chain.tipset(base).await?;
        let Some((worker, power)) = self.miners.get(miner) else { return Ok(None) };
        let mut with_entry = tipset.clone();
        while with_entry.min_ticket_block().beacon_entries.is_empty() {
            with_entry = self.chain.tipset(&with_entry.parents()).await?;
        }
        let sector = ExtendedSectorInfo {
            seal_proof: SEAL_PROOF_2K,
            sector_number: 0,
            sector_key: None,
            sealed_cid: blake2b_cid(&miner.to_bytes()),
        };
        Ok(Some(MiningBaseInfo {
            miner_power: (*power).into(),
            network_power: NETWORK_POWER.into(),
            sectors: vec![sector],
            worker_key: *worker,
            sector_size: 2048,
            prev_beacon_entry: with_entry
                .min_ticket_block()
                .beacon_entries
                .last()
                .cloned()
                .unwrap_or_default(),
            beacon_entries: beacon::mock_entries_for_block(tipset.height(), epoch).collect(),
            eligible_for_mining: true,
        }))
    }

    async fn select_messages(
        &self,
        base: &TipsetKey,
        ticket_qualities: &[f64],
    ) -> Result<Vec<Vec<SignedMessage>>, ChainError> {
        self.chain.tipset(base).await?;
        let mut lists = vec![Vec::new(); ticket_qualities.len()];
        let mut senders = Vec::new();
        for signed in self.pool.pending().await? {
            let known = senders.iter().position(|sender| *sender == signed.message.from);
            let place = known.unwrap_or_else(|| {
                senders.push(signed.message.from);
                senders.len() - 1
            });
            // Senders are dealt out like cards.
            let list = place.checked_rem(lists.len()).and_then(|i| lists.get_mut(i));
            if let Some(list) = list {
                list.push(signed);
            }
        }
        Ok(lists)
    }

    async fn create_block(&self, template: &BlockTemplate) -> Result<BlockMsg, ChainError> {
        for signed in &template.messages {
            signed.message.check_for_block(0).map_err(|e| ChainError::Invalid(e.to_string()))?;
        }
        let (block, _) = self.chain.with_ledger(|ledger| ledger.assemble(template))?;
        let mut known = lock(&self.messages);
        known.extend(template.messages.iter().map(|signed| (signed.cid(), signed.clone())));
        Ok(block)
    }

    async fn submit_block(&self, block: &BlockMsg) -> Result<(), ChainError> {
        if self.chain.block(&block.cid()).await.is_ok() {
            return Ok(());
        }
        let parents = TipsetKey::from(block.header.parents.clone());
        if parents.is_empty() || self.chain.tipset(&parents).await.is_err() {
            return Err(BlockReject::UnknownParents.into());
        }
        self.check(&block.header)?;
        self.chain.submit(block, self.messages_of(block)?)
    }
}
