//! Making blocks in process, for tests, the admin interface and forks.

use std::sync::Arc;

use fvm_shared::address::Address;
use fvm_shared::clock::ChainEpoch;
use venus_core::api::{BlockProducer, ISigner, SignerExt};
use venus_core::consensus::election::win_count;
use venus_core::consensus::ticket::quality;
use venus_core::consensus::vrf::{election_input, ticket_input, winning_post_input};
use venus_core::types::{
    BlockMsg, BlockTemplate, ElectionProof, MiningBaseInfo, PostProof, Ticket, Tipset, TipsetKey,
};

use crate::error::DevnetError;
use crate::node::Devnet;
use crate::proofs::WinningPostCheck;

/// One epoch of mining.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EpochSpec {
    /// The epoch that the miners take part in.
    pub epoch: ChainEpoch,
    /// What they build on; the empty key stands for the head.
    pub base: TipsetKey,
    /// ID addresses of the miners that take part, in any order. Those that may not mine are passed over.
    pub miners: Vec<Address>,
    /// Whether the blocks take messages of the pool.
    pub messages: bool,
}

/// A miner that won an epoch.
pub(crate) struct Winner {
    template: BlockTemplate,
    worker: Address,
}

impl Devnet {
    /// Holds the election of one epoch and publishes the winners' blocks, best ticket first. No block if nobody won,
    /// which is a null round.
    ///
    /// Nothing is forged or passed over: the blocks are validated like any other. The clock must have reached the
    /// epoch. The same specification on the same chain and pool gives the same blocks.
    ///
    /// # Errors
    /// [`DevnetError::Signer`] if a worker's key is missing, [`DevnetError::Proof`] if nothing can make the proofs,
    /// [`DevnetError::Chain`] if a block is refused; blocks before it stay published.
    pub async fn mine(&self, spec: &EpochSpec, signer: &dyn ISigner) -> Result<Vec<BlockMsg>, DevnetError> {
        let base = self.inner.read().chain.tipset(&spec.base)?;
        let mut winners = Vec::new();
        for miner in &spec.miners {
            let info = self.base_info(miner, spec.epoch, base.key()).await?;
            let Some(info) = info.filter(|info| info.eligible_for_mining) else { continue };
            winners.extend(self.contest(*miner, spec.epoch, &base, &info, signer).await?);
        }
        winners.sort_by(|a, b| b.quality().total_cmp(&a.quality()).then(a.miner_id().cmp(&b.miner_id())));
        if spec.messages && !winners.is_empty() {
            let qualities: Vec<f64> = winners.iter().map(Winner::quality).collect();
            let lists = self.select_messages(base.key(), &qualities).await?;
            winners.iter_mut().zip(lists).for_each(|(winner, list)| winner.template.messages = list);
        }
        let mut blocks = Vec::with_capacity(winners.len());
        for winner in winners {
            blocks.push(self.publish(winner, signer).await?);
        }
        Ok(blocks)
    }

    /// Lets a miner take part in the election of an epoch. `None` if it does not win.
    pub(crate) async fn contest(
        &self,
        miner: Address,
        epoch: ChainEpoch,
        base: &Arc<Tipset>,
        info: &MiningBaseInfo,
        signer: &dyn ISigner,
    ) -> Result<Option<Winner>, DevnetError> {
        let (rbase, worker) = (&info.randomness_base().data, info.worker_key);
        let vrf_proof = signer.draw_vrf(&worker, &election_input(epoch, &miner).params(rbase)).await?;
        let wins = win_count(&vrf_proof, &info.miner_power, &info.network_power);
        if wins == 0 {
            return Ok(None);
        }
        let draw = ticket_input(epoch, &miner, Some(base.min_ticket())).params(rbase);
        let template = BlockTemplate {
            miner,
            parents: base.key().clone(),
            ticket: Ticket { vrf_proof: signer.draw_vrf(&worker, &draw).await? },
            election_proof: ElectionProof { win_count: wins, vrf_proof },
            beacon_values: info.beacon_entries.clone(),
            messages: Vec::new(),
            epoch,
            timestamp: self.inner.read().chain.timestamp(base, epoch),
            winning_post_proof: self.prove(miner, epoch, info)?,
        };
        Ok(Some(Winner { template, worker }))
    }

    fn prove(
        &self,
        miner: Address,
        epoch: ChainEpoch,
        info: &MiningBaseInfo,
    ) -> Result<Vec<PostProof>, DevnetError> {
        let task = WinningPostCheck {
            miner,
            sectors: info.sectors.clone(),
            sector_size: info.sector_size,
            randomness: winning_post_input(epoch, &miner).digest(&info.randomness_base().data),
            proofs: Vec::new(),
        };
        self.inner.proofs.prove_winning(&task).map_err(DevnetError::Proof)
    }

    /// Assembles, signs and submits a winner's block.
    pub(crate) async fn publish(
        &self,
        winner: Winner,
        signer: &dyn ISigner,
    ) -> Result<BlockMsg, DevnetError> {
        let mut block = self.create_block(&winner.template).await?;
        block.header.block_sig = Some(signer.sign_block(&winner.worker, &block.header).await?);
        self.submit_block(&block).await?;
        Ok(block)
    }
}

impl Winner {
    /// When its block may be published, Unix seconds.
    pub(crate) fn timestamp(&self) -> u64 {
        self.template.timestamp
    }

    fn quality(&self) -> f64 {
        quality(&self.template.ticket.vrf_proof)
    }

    fn miner_id(&self) -> u64 {
        self.template.miner.id().unwrap_or_default()
    }
}
