//! Block validation: one function for each rule, all for every block, whoever made it.
//!
//! Two steps. [`Chain::validate`] does what needs the chain, under its lock. [`Candidate::verify`] does the
//! signatures and the proof, which take a thousand times as long, without any lock. What is wrong is reported in
//! the order in which Filecoin's specification lists the rules, so a finding of the first step waits until those
//! of the second that come before it are known to hold. Each is named by the field of the header, as the
//! specification spells it.
//!
//! | # | rule | names |
//! |---|---|---|
//! | 1 | every part is there, the miner is an ID, no parent stands twice | `ElectionProof` `Ticket` `BlockSig` `BLSAggregate` `Miner` `Parents` |
//! | 2 | the height is above the parents' | `Height` |
//! | 3, 4 | the time is that of the height, and has come | `Timestamp` |
//! | 5, 9 | the miner has power, is eligible, and had a worker at the lookback | `Miner` |
//! | 6, 7, 8 | weight, base fee, state and receipts are those after the parents | `ParentWeight` `ParentBaseFee` `ParentStateRoot` `ParentMessageReceipts` |
//! | 10 | the election proof verifies, wins, and as often as it says | `ElectionProof` |
//! | 11 | the ticket verifies | `Ticket` |
//! | 12 | one beacon entry for each epoch since the parents | `BeaconEntries` |
//! | 13 | the WinningPoSt proves the drawn sector | `WinPoStProof` |
//! | 14 | the worker signed the header | `BlockSig` |
//! | 15 | the messages, their order, their gas and their aggregate | `Messages` `From` `Nonce` `GasLimit` `BLSAggregate` and fields of a message |
//! | 16 | no fault of the miner, see `slash` | |
//!
//! As Lotus does, submitting a block looks at 16, the parents, and that the messages are those of the header
//! before all others: see `submit`.

mod header;
mod messages;

use std::sync::Arc;

use venus_core::api::{BlockReject, ChainError};
use venus_core::consensus::vrf::{election_input, ticket_input, winning_post_input};
use venus_core::crypto::CryptoError;
use venus_core::crypto::bls::{self, CheckedKey};
use venus_core::types::{BlockHeader, MiningBaseInfo, Signature, SignatureType, Tipset, TipsetKey};

use super::{Chain, StoredBlock};
use crate::message::Verified;
use crate::proofs::{ProofVerifier, WinningPostCheck};

pub(crate) use messages::{LIST_LIMIT, MESSAGE_LIMIT, check_list_sizes, check_lists, check_messages};

/// A block of which everything holds but, perhaps, its signatures, its proof, and what was found to report later.
#[derive(Debug)]
pub(crate) struct Candidate {
    pub(crate) block: StoredBlock,
    worker: Arc<CheckedKey>,
    election: [u8; 32],
    ticket: [u8; 32],
    winning_post: WinningPostCheck,
    /// The aggregate of the messages, if it was computed when the block was assembled here.
    aggregate: Option<Signature>,
    /// The rules of the first step that come after one of the second.
    win_count: Result<(), BlockReject>,
    beacon: Result<(), BlockReject>,
    messages: Result<(), BlockReject>,
}

pub(crate) fn rule<T>(rule: &'static str, reason: impl Into<String>) -> Result<T, BlockReject> {
    Err(BlockReject::Rule { rule, reason: reason.into() })
}

impl Chain {
    /// Checks all rules that need no cryptography. `messages` are the block's, in its order; that the header
    /// commits to them was checked before. `now` is in Unix seconds; `None` for a block that was accepted once.
    ///
    /// # Errors
    /// [`ChainError::Block`] with the first rule that does not hold, as far as no signature comes before it.
    pub(crate) fn validate(
        &self,
        header: &BlockHeader,
        messages: Vec<Arc<Verified>>,
        now: Option<u64>,
    ) -> Result<Candidate, ChainError> {
        header::check_presence(header)?;
        let base = self.check_parents(header)?;
        header::check_height(header, &base)?;
        self.check_timestamp(header, &base, now)?;
        let info = self.check_miner(header, &base)?;
        let facts = self.child_facts(&base)?;
        header::check_inherited(header, &facts)?;
        header::check_weighable(&facts)?;
        let rbase = &info.randomness_base().data;
        let (miner, epoch) = (header.miner, header.height);
        Ok(Candidate {
            worker: self.keys.get(&info.worker_key).or_else(|e| rule("Miner", format!("worker: {e}")))?,
            election: election_input(epoch, &miner).digest(rbase),
            ticket: ticket_input(epoch, &miner, Some(base.min_ticket())).digest(rbase),
            winning_post: winning_post(header, &info),
            aggregate: self.aggregates.get(&header.messages).cloned(),
            win_count: header::check_win_count(header, &info),
            beacon: header::check_beacon(header, &info),
            messages: check_messages(&facts.executed.state, &messages),
            block: StoredBlock { cid: header.cid(), header: header.clone(), messages },
        })
    }

    fn check_parents(&self, header: &BlockHeader) -> Result<Arc<Tipset>, BlockReject> {
        header::check_parent_list(header)?;
        if !header.parents.iter().all(|cid| self.has_block(cid)) {
            return Err(BlockReject::UnknownParents);
        }
        let key = TipsetKey::from(header.parents.clone());
        self.tipset(&key).or_else(|_| rule("Parents", "are no tipset in canonical order"))
    }

    fn check_timestamp(
        &self,
        header: &BlockHeader,
        base: &Tipset,
        now: Option<u64>,
    ) -> Result<(), BlockReject> {
        match self.timestamp(base, header.height) {
            expected if expected == header.timestamp => header::check_clock(header, now),
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

fn winning_post(header: &BlockHeader, info: &MiningBaseInfo) -> WinningPostCheck {
    let draw = winning_post_input(header.height, &header.miner);
    WinningPostCheck {
        miner: header.miner,
        sectors: info.sectors.clone(),
        sector_size: info.sector_size,
        randomness: draw.digest(&info.randomness_base().data),
        proofs: header.win_post_proof.clone(),
    }
}

impl Candidate {
    /// Checks the VRF proofs, the WinningPoSt, the signature of the block and the aggregate of its messages.
    ///
    /// # Errors
    /// [`BlockReject::Rule`] with the first that does not hold, those of the first step included.
    pub(crate) fn verify(&self, proofs: &dyn ProofVerifier) -> Result<(), BlockReject> {
        self.verify_signed("ElectionProof", &self.election, self.election_proof())?;
        self.win_count.clone()?;
        self.verify_signed("Ticket", &self.ticket, self.ticket_proof())?;
        self.beacon.clone()?;
        proofs.verify_winning(&self.winning_post).or_else(|reason| rule("WinPoStProof", reason))?;
        self.verify_block_sig()?;
        self.messages.clone()?;
        self.verify_aggregate()
    }

    /// What the first step found. For blocks whose signatures were checked in an earlier life.
    pub(crate) fn trusted(&self) -> Result<(), BlockReject> {
        self.win_count.clone()?;
        self.beacon.clone()?;
        self.messages.clone()
    }

    fn verify_signed(&self, name: &'static str, bytes: &[u8], signature: &[u8]) -> Result<(), BlockReject> {
        self.worker.verify(bytes, signature).or_else(|e| rule(name, e.to_string()))
    }

    fn verify_block_sig(&self) -> Result<(), BlockReject> {
        const RULE: &str = "BlockSig";
        match &self.block.header.block_sig {
            Some(Signature { sig_type: SignatureType::Bls, data }) => {
                self.verify_signed(RULE, &self.block.header.signing_bytes(), data)
            }
            _ => rule(RULE, "is no BLS signature"),
        }
    }

    /// The messages' own signatures were checked before, and BLS signatures are unique, so the only aggregate
    /// that verifies is their sum: no pairing is needed to know that it does.
    fn verify_aggregate(&self) -> Result<(), BlockReject> {
        const RULE: &str = "BLSAggregate";
        let sum = match &self.aggregate {
            Some(known) => known.clone(),
            None => self.sum().or_else(|e| rule(RULE, e.to_string()))?,
        };
        match &self.block.header.bls_aggregate {
            Some(aggregate) if *aggregate == sum => Ok(()),
            _ => rule(RULE, "is not the aggregate of the messages' signatures"),
        }
    }

    fn sum(&self) -> Result<Signature, CryptoError> {
        let bls = self.block.messages.iter().filter(|m| m.is_bls());
        let signatures: Vec<&[u8]> = bls.map(|m| m.signed.signature.data.as_slice()).collect();
        bls::aggregate(&signatures).map(Signature::bls)
    }

    fn election_proof(&self) -> &[u8] {
        self.block.header.election_proof.as_ref().map_or(&[], |proof| &proof.vrf_proof)
    }

    fn ticket_proof(&self) -> &[u8] {
        self.block.header.ticket.as_ref().map_or(&[], |ticket| &ticket.vrf_proof)
    }
}
