//! One epoch of several miners.

use std::time::Duration;

use fvm_shared::address::Address;
use fvm_shared::clock::ChainEpoch;
use venus_core::api::{BlockProducer, ISigner, ProofComputer, SignerExt, WinningPostRequest};
use venus_core::consensus::election::win_count;
use venus_core::consensus::ticket::quality;
use venus_core::consensus::vrf::{election_input, ticket_input, winning_post_input};
use venus_core::types::{
    BlockMsg, BlockTemplate, ElectionProof, MiningBaseInfo, SignedMessage, Ticket, Tipset,
};

use crate::error::DevnetError;
use crate::node::Devnet;

/// Miners of a devnet together with their keys and their prover.
#[derive(Clone, Copy)]
pub(crate) struct Miners<'a> {
    pub(crate) devnet: &'a Devnet,
    pub(crate) signer: &'a dyn ISigner,
    pub(crate) prover: &'a dyn ProofComputer,
}

/// What the blocks of a round are like.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Kind {
    /// With what the pool selects.
    Full,
    /// Without messages.
    Empty,
    /// A branch of it.
    Branch(Branch),
}

impl Kind {
    fn branch(self) -> Option<Branch> {
        match self {
            Self::Branch(branch) => Some(branch),
            Self::Full | Self::Empty => None,
        }
    }
}

/// A branch beside blocks of the same miners: without messages, told apart by a mark, and past the slash filter.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Branch {
    /// Goes into `ForkSignaling`, which no rule looks at.
    pub(crate) mark: u64,
}

/// Who won an election, and what its block needs.
pub(crate) struct Winner {
    miner: Address,
    info: MiningBaseInfo,
    election_proof: ElectionProof,
    ticket: Ticket,
}

impl Miners<'_> {
    /// Lets `miners` mine an epoch on `base`, and answers the blocks that were published, the best ticket first.
    ///
    /// One miner that fails does not keep the others from mining; it is logged.
    ///
    /// # Errors
    /// If no miner could take part, or all who won failed: what the first of them failed with.
    pub(crate) async fn round(
        &self,
        miners: &[Address],
        epoch: ChainEpoch,
        base: &Tipset,
        kind: Kind,
    ) -> Result<Vec<BlockMsg>, DevnetError> {
        let mut winners = self.winners(miners, epoch, base, kind).await?;
        winners.sort_by(|a, b| b.quality().total_cmp(&a.quality()).then(a.miner.cmp(&b.miner)));
        let lists = self.messages(&winners, base, kind).await?;
        let (mut made, mut failed) = (Vec::with_capacity(winners.len()), None);
        for (winner, messages) in winners.into_iter().zip(lists) {
            let miner = winner.miner;
            match self.publish(winner, messages, epoch, base, kind).await {
                Ok(block) => made.push(block),
                Err(error) => note(&mut failed, miner, epoch, error),
            }
        }
        match failed {
            Some(error) if made.is_empty() => Err(error),
            _ => Ok(made),
        }
    }

    async fn winners(
        &self,
        miners: &[Address],
        epoch: ChainEpoch,
        base: &Tipset,
        kind: Kind,
    ) -> Result<Vec<Winner>, DevnetError> {
        let (mut winners, mut lost, mut failed) = (Vec::new(), 0, None);
        for miner in miners {
            match self.try_election(*miner, epoch, base, kind).await {
                Ok(Some(winner)) => winners.push(winner),
                Ok(None) => lost += 1,
                Err(error) => note(&mut failed, *miner, epoch, error),
            }
        }
        match failed {
            Some(error) if winners.is_empty() && lost == 0 => Err(error),
            _ => Ok(winners),
        }
    }

    async fn try_election(
        &self,
        miner: Address,
        epoch: ChainEpoch,
        base: &Tipset,
        kind: Kind,
    ) -> Result<Option<Winner>, DevnetError> {
        let info = self.devnet.base_info(&miner, epoch, base.key()).await?;
        let Some(info) = info.filter(|info| info.eligible_for_mining) else { return Ok(None) };
        // A branch is made by whoever can.
        if kind.branch().is_some() && !self.signer.has(&info.worker_key).await? {
            return Ok(None);
        }
        self.elect(miner, info, epoch, base).await
    }

    /// Takes part in an election. The ticket is drawn by winners only.
    pub(crate) async fn elect(
        &self,
        miner: Address,
        info: MiningBaseInfo,
        epoch: ChainEpoch,
        base: &Tipset,
    ) -> Result<Option<Winner>, DevnetError> {
        let rbase = &info.randomness_base().data;
        let draw = election_input(epoch, &miner).params(rbase);
        let vrf_proof = self.signer.draw_vrf(&info.worker_key, &draw).await?;
        let win_count = win_count(&vrf_proof, &info.miner_power, &info.network_power);
        if win_count == 0 {
            return Ok(None);
        }
        let draw = ticket_input(epoch, &miner, Some(base.min_ticket())).params(rbase);
        let ticket = Ticket { vrf_proof: self.signer.draw_vrf(&info.worker_key, &draw).await? };
        let election_proof = ElectionProof { win_count, vrf_proof };
        Ok(Some(Winner { miner, info, election_proof, ticket }))
    }

    /// A list for each winner, all in one call, so that no message is in two blocks.
    async fn messages(
        &self,
        winners: &[Winner],
        base: &Tipset,
        kind: Kind,
    ) -> Result<Vec<Vec<SignedMessage>>, DevnetError> {
        let mut lists = Vec::new();
        if matches!(kind, Kind::Full) && !winners.is_empty() {
            let qualities: Vec<f64> = winners.iter().map(Winner::quality).collect();
            lists = self.devnet.select_messages(base.key(), &qualities).await?;
        }
        lists.resize_with(winners.len(), Vec::new);
        Ok(lists)
    }

    /// Assembles, signs and submits a winner's block.
    pub(crate) async fn publish(
        &self,
        winner: Winner,
        messages: Vec<SignedMessage>,
        epoch: ChainEpoch,
        base: &Tipset,
        kind: Kind,
    ) -> Result<BlockMsg, DevnetError> {
        let block = self.block(winner, messages, epoch, base, kind.branch()).await?;
        if kind.branch().is_none() {
            self.devnet.submit_block(&block).await?;
            return Ok(block);
        }
        let branch = block.clone();
        self.devnet.off_thread(move |inner| inner.submit_past_filter(&branch)).await?;
        Ok(block)
    }

    async fn block(
        &self,
        winner: Winner,
        messages: Vec<SignedMessage>,
        epoch: ChainEpoch,
        base: &Tipset,
        branch: Option<Branch>,
    ) -> Result<BlockMsg, DevnetError> {
        let Winner { miner, info, election_proof, ticket } = winner;
        let network = &self.devnet.genesis_info().network;
        let request = WinningPostRequest {
            miner,
            sectors: info.sectors.clone(),
            randomness: winning_post_input(epoch, &miner).digest(&info.randomness_base().data),
            epoch,
            network_version: network.network_version,
        };
        let patience = Duration::from_secs(network.block_delay_secs);
        let template = BlockTemplate {
            miner,
            parents: base.key().clone(),
            ticket,
            election_proof,
            messages,
            epoch,
            timestamp: network.timestamp_of(epoch),
            winning_post_proof: self.prover.compute_winning_post(&request, patience).await?,
            beacon_values: info.beacon_entries,
        };
        let mut block = self.devnet.create_block(&template).await?;
        if let Some(branch) = branch {
            block.header.fork_signaling = branch.mark;
        }
        block.header.block_sig = Some(self.signer.sign_block(&info.worker_key, &block.header).await?);
        Ok(block)
    }
}

impl Winner {
    fn quality(&self) -> f64 {
        quality(&self.ticket.vrf_proof)
    }
}

/// Keeps the first error, and tells about each.
fn note(failed: &mut Option<DevnetError>, miner: Address, epoch: ChainEpoch, error: DevnetError) {
    tracing::warn!(%miner, epoch, %error, "a miner made no block");
    failed.get_or_insert(error);
}
