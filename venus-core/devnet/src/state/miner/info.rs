//! What a miner seldom changes.

use fvm_shared::ActorID;
use fvm_shared::clock::ChainEpoch;
use fvm_shared::econ::TokenAmount;
use venus_core::cbor::{Encode, Writer};
use venus_core::types::BeneficiaryTerm;

use crate::config::proof_number;

/// Who may do what with a miner, and how it proves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Info {
    pub(crate) owner: ActorID,
    /// Whose key signs blocks.
    pub(crate) worker: ActorID,
    pub(crate) control: Vec<ActorID>,
    pub(crate) pending_worker: Option<WorkerChange>,
    /// Binary libp2p peer ID; may be empty.
    pub(crate) peer_id: Vec<u8>,
    pub(crate) multiaddrs: Vec<Vec<u8>>,
    /// Registered WindowPoSt proof number.
    pub(crate) window_post_proof: i64,
    pub(crate) sector_size: u64,
    /// Sectors of a full partition.
    pub(crate) partition_sectors: u64,
    /// Until when a consensus fault excludes it, or -1.
    pub(crate) fault_until: ChainEpoch,
    pub(crate) pending_owner: Option<ActorID>,
    pub(crate) beneficiary: ActorID,
    pub(crate) term: BeneficiaryTerm,
    pub(crate) pending_beneficiary: Option<PendingBeneficiary>,
}

/// A worker that was proposed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct WorkerChange {
    pub(crate) worker: ActorID,
    /// From when on the owner may confirm it.
    pub(crate) effective_at: ChainEpoch,
}

/// A beneficiary that was proposed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct PendingBeneficiary {
    pub(crate) beneficiary: ActorID,
    /// attoFIL.
    pub(crate) quota: TokenAmount,
    pub(crate) expiration: ChainEpoch,
    pub(crate) approved_by_beneficiary: bool,
    pub(crate) approved_by_nominee: bool,
}

impl Info {
    /// The facts of a new miner. `None` for a size that no sector has.
    pub(crate) fn new(owner: ActorID, worker: ActorID, sector_size: u64) -> Option<Self> {
        let size = proof_number(sector_size)?;
        Some(Self {
            owner,
            worker,
            control: Vec::new(),
            pending_worker: None,
            peer_id: Vec::new(),
            multiaddrs: Vec::new(),
            window_post_proof: size + 10,
            sector_size,
            partition_sectors: partition_sectors(size),
            fault_until: -1,
            pending_owner: None,
            beneficiary: owner,
            term: BeneficiaryTerm::default(),
            pending_beneficiary: None,
        })
    }

    /// Whether an actor may send the messages of proofs and sectors.
    pub(crate) fn is_controlled_by(&self, actor: ActorID) -> bool {
        actor == self.owner || actor == self.worker || self.control.contains(&actor)
    }

    /// What the beneficiary may still take at `epoch`; nothing after its term. Meaningless if it is the owner.
    pub(crate) fn quota_left(&self, epoch: ChainEpoch) -> TokenAmount {
        if self.term.expiration <= epoch || self.term.used_quota >= self.term.quota {
            return TokenAmount::default();
        }
        &self.term.quota - &self.term.used_quota
    }
}

/// Sectors of a full partition by the place of the sector size.
fn partition_sectors(size: i64) -> u64 {
    match size {
        3 => 2349,
        4 => 2300,
        _ => 2,
    }
}

impl Encode for Info {
    fn encode(&self, w: &mut Writer) {
        w.array(14);
        w.uint(self.owner);
        w.uint(self.worker);
        self.control.encode(w);
        encode_option(self.pending_worker.as_ref(), w, |change, w| {
            w.array(2);
            w.uint(change.worker);
            w.int(change.effective_at);
        });
        w.bytes(&self.peer_id);
        w.array(self.multiaddrs.len() as u64);
        self.multiaddrs.iter().for_each(|address| w.bytes(address));
        w.int(self.window_post_proof);
        w.uint(self.sector_size);
        w.uint(self.partition_sectors);
        w.int(self.fault_until);
        encode_option(self.pending_owner.as_ref(), w, |owner, w| w.uint(*owner));
        w.uint(self.beneficiary);
        self.term.encode(w);
        encode_option(self.pending_beneficiary.as_ref(), w, |pending, w| {
            w.array(5);
            w.uint(pending.beneficiary);
            pending.quota.encode(w);
            w.int(pending.expiration);
            w.bool(pending.approved_by_beneficiary);
            w.bool(pending.approved_by_nominee);
        });
    }
}

fn encode_option<T>(value: Option<&T>, w: &mut Writer, encode: impl FnOnce(&T, &mut Writer)) {
    match value {
        Some(value) => encode(value, w),
        None => w.null(),
    }
}
