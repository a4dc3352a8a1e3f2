//! Deadlines and partitions of a miner.

use fvm_ipld_bitfield::BitField;
use fvm_shared::clock::ChainEpoch;
use fvm_shared::econ::TokenAmount;

use crate::json::lotus_json;

/// What happened in one of a miner's 48 deadlines.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Deadline {
    /// Partitions proven in the open or last window.
    pub post_submissions: BitField,
    /// Proofs that can be disputed still.
    pub disputable_proof_count: u64,
    /// Fee of a day for the deadline's sectors, attoFIL.
    pub daily_fee: TokenAmount,
}

lotus_json!(Deadline {
    post_submissions: "PostSubmissions",
    disputable_proof_count: "DisputableProofCount",
    daily_fee: "DailyFee",
});

/// Sectors that are proven together.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Partition {
    /// All, terminated ones included.
    pub all_sectors: BitField,
    /// Not proven.
    pub faulty_sectors: BitField,
    /// Faulty and declared to be back.
    pub recovering_sectors: BitField,
    /// Not terminated.
    pub live_sectors: BitField,
    /// Live, proven and not faulty.
    pub active_sectors: BitField,
}

lotus_json!(Partition {
    all_sectors: "AllSectors",
    faulty_sectors: "FaultySectors",
    recovering_sectors: "RecoveringSectors",
    live_sectors: "LiveSectors",
    active_sectors: "ActiveSectors",
});

/// One deadline of a proving period, as seen from an epoch. See [`crate::consensus::deadline`] for the rules.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct DeadlineInfo {
    /// From where it is seen.
    pub current_epoch: ChainEpoch,
    /// First epoch of the proving period; may be negative on a young chain.
    pub period_start: ChainEpoch,
    /// Index of the deadline, 0 to 47.
    pub index: u64,
    /// First epoch at which a proof is taken.
    pub open: ChainEpoch,
    /// First epoch at which no proof is taken any more.
    pub close: ChainEpoch,
    /// The epoch whose randomness picks the challenges.
    pub challenge: ChainEpoch,
    /// First epoch at which faults and recoveries can no longer be declared.
    pub fault_cutoff: ChainEpoch,
    /// Deadlines in a period.
    pub w_post_period_deadlines: u64,
    /// Epochs in a period.
    pub w_post_proving_period: ChainEpoch,
    /// Epochs in a deadline.
    pub w_post_challenge_window: ChainEpoch,
    /// Epochs from the challenge to the opening.
    pub w_post_challenge_lookback: ChainEpoch,
    /// Epochs from the cutoff to the opening.
    pub fault_declaration_cutoff: ChainEpoch,
}

lotus_json!(DeadlineInfo {
    current_epoch: "CurrentEpoch",
    period_start: "PeriodStart",
    index: "Index",
    open: "Open",
    close: "Close",
    challenge: "Challenge",
    fault_cutoff: "FaultCutoff",
    w_post_period_deadlines: "WPoStPeriodDeadlines",
    w_post_proving_period: "WPoStProvingPeriod",
    w_post_challenge_window: "WPoStChallengeWindow",
    w_post_challenge_lookback: "WPoStChallengeLookback",
    fault_declaration_cutoff: "FaultDeclarationCutoff",
});
