//! Block validation: one function for each rule, all for every block, whoever made it.
//!
//! First the rules that need only the chain, under its lock, then the signatures, which take a thousand times as
//! long and need no lock any more. Each rule that does not hold is named by the field of the header, as the
//! specification spells it.

mod header;
mod messages;

use std::sync::Arc;

use fvm_shared::address::Address;
use venus_core::api::{BlockReject, ChainError};
use venus_core::consensus::vrf::{election_input, ticket_input, verify_vrf, winning_post_input};
use venus_core::crypto::{bls, verify};
use venus_core::types::{BlockHeader, BlockMsg, MiningBaseInfo, SignatureType, Tipset, TipsetKey};

use super::{Chain, StoredBlock};
use crate::message::Verified;
use crate::proofs::{ProofVerifier, WinningPostCheck};

pub(crate) use messages::{LIST_LIMIT, MESSAGE_LIMIT, check_messages};

/// A block of which everything holds but, perhaps, its signatures and its proof.
#[derive(Debug)]
pub(crate) struct Candidate {
    pub(crate) block: StoredBlock,
    worker: Address,
    election: [u8; 32],
    ticket: [u8; 32],
    winning_post: WinningPostCheck,
}

pub(crate) fn rule<T>(rule: &'static str, reason: impl Into<String>) -> Result<T, BlockReject> {
    Err(BlockReject::Rule { rule, reason: reason.into() })
}

impl Chain {
    /// Checks all rules that need no cryptography. `messages` are the block's, in its order.
    ///
    /// # Errors
    /// [`ChainError::Block`] with the first rule that does not hold.
    pub(crate) fn validate(
        &self,
        block: &BlockMsg,
        messages: Vec<Arc<Verified>>,
    ) -> Result<Candidate, ChainError> {
        let header = &block.header;
        header::check_presence(header)?;
        let base = self.check_parents(header)?;
        header::check_height(header, &base)?;
        self.check_timestamp(header, &base)?;
        let info = self.check_miner(header, &base)?;
        let facts = self.child_facts(&base)?;
        header::check_inherited(header, &facts)?;
        header::check_beacon(header, &info)?;
        header::check_win_count(header, &info)?;
        messages::check_lists(block, &messages)?;
        check_messages(&facts.executed.state, &messages)?;
        Ok(candidate(header, &base, &info, messages))
    }

    fn check_parents(&self, header: &BlockHeader) -> Result<Arc<Tipset>, BlockReject> {
        header::check_parent_list(header)?;
        if !header.parents.iter().all(|cid| self.has_block(cid)) {
            return Err(BlockReject::UnknownParents);
        }
        let key = TipsetKey::from(header.parents.clone());
        self.tipset(&key).or_else(|_| rule("Parents", "are no tipset in canonical order"))
    }

    fn check_timestamp(&self, header: &BlockHeader, base: &Tipset) -> Result<(), BlockReject> {
        match self.timestamp(base, header.height) {
            expected if expected == header.timestamp => Ok(()),
            expected => rule("Timestamp", format!("is {}, expected {expected}", header.timestamp)),
        }
    }

    fn check_miner(&self, header: &BlockHeader, base: &Arc<Tipset>) -> Result<MiningBaseInfo, ChainError> {
        let info = self.base_info(&header.miner, header.height, base)?;
        let Some(info) = info else {
            return Ok(rule("Miner", "has no power or no sectors")?);
        };
        if !info.eligible_for_mining {
            return Ok(rule("Miner", "is not eligible for mining")?);
        }
        Ok(info)
    }
}

/// Refuses blocks of the future. One second of drift is allowed.
pub(crate) fn check_clock(header: &BlockHeader, now: u64) -> Result<(), BlockReject> {
    if header.timestamp > now.saturating_add(1) {
        return rule("Timestamp", format!("{} lies in the future, it is {now}", header.timestamp));
    }
    Ok(())
}

fn candidate(
    header: &BlockHeader,
    base: &Tipset,
    info: &MiningBaseInfo,
    messages: Vec<Arc<Verified>>,
) -> Candidate {
    let rbase = &info.randomness_base().data;
    let (miner, epoch) = (header.miner, header.height);
    Candidate {
        worker: info.worker_key,
        election: election_input(epoch, &miner).digest(rbase),
        ticket: ticket_input(epoch, &miner, Some(base.min_ticket())).digest(rbase),
        winning_post: WinningPostCheck {
            miner,
            sectors: info.sectors.clone(),
            sector_size: info.sector_size,
            randomness: winning_post_input(epoch, &miner).digest(rbase),
            proofs: header.win_post_proof.clone(),
        },
        block: StoredBlock { cid: header.cid(), header: header.clone(), messages },
    }
}

impl Candidate {
    /// Checks the VRF proofs, the WinningPoSt, and the signatures of the block and its messages.
    ///
    /// # Errors
    /// [`BlockReject::Rule`] with the first that does not hold.
    pub(crate) fn verify(&self, proofs: &dyn ProofVerifier) -> Result<(), BlockReject> {
        self.verify_vrf("ElectionProof", &self.election, self.election_proof())?;
        self.verify_vrf("Ticket", &self.ticket, self.ticket_proof())?;
        proofs.verify_winning(&self.winning_post).or_else(|reason| rule("WinPoStProof", reason))?;
        self.verify_aggregate()?;
        self.verify_block_sig()
    }

    fn verify_vrf(&self, name: &'static str, digest: &[u8; 32], proof: &[u8]) -> Result<(), BlockReject> {
        verify_vrf(&self.worker, digest, proof).or_else(|e| rule(name, e.to_string()))
    }

    /// The messages' own signatures were checked before, and BLS signatures are unique, so the only aggregate
    /// that verifies is their sum: no pairing is needed to know that it does.
    fn verify_aggregate(&self) -> Result<(), BlockReject> {
        const RULE: &str = "BLSAggregate";
        let bls = self.block.messages.iter().filter(|m| m.is_bls());
        let signatures: Vec<&[u8]> = bls.map(|m| m.signed.signature.data.as_slice()).collect();
        let sum = bls::aggregate(&signatures).or_else(|e| rule(RULE, e.to_string()))?;
        match &self.block.header.bls_aggregate {
            Some(aggregate) if aggregate.sig_type == SignatureType::Bls && aggregate.data == sum => Ok(()),
            _ => rule(RULE, "is not the aggregate of the messages' signatures"),
        }
    }

    fn verify_block_sig(&self) -> Result<(), BlockReject> {
        const RULE: &str = "BlockSig";
        let header = &self.block.header;
        let Some(signature) = &header.block_sig else { return rule(RULE, "is missing") };
        verify(signature, &self.worker, &header.signing_bytes()).or_else(|e| rule(RULE, e.to_string()))
    }

    fn election_proof(&self) -> &[u8] {
        self.block.header.election_proof.as_ref().map_or(&[], |proof| &proof.vrf_proof)
    }

    fn ticket_proof(&self) -> &[u8] {
        self.block.header.ticket.as_ref().map_or(&[], |ticket| &ticket.vrf_proof)
    }
}
