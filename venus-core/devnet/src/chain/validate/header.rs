//! Rules of the header.

use std::collections::HashSet;

use num_bigint::BigInt;
use venus_core::api::BlockReject;
use venus_core::consensus::election::win_count;
use venus_core::types::{BlockHeader, MiningBaseInfo, Tipset};

use super::rule;
use crate::chain::ChildFacts;
use crate::config::MAX_NULL_ROUNDS;

/// What every block but a genesis has.
pub(super) fn check_presence(header: &BlockHeader) -> Result<(), BlockReject> {
    let missing = [
        (header.election_proof.is_none(), "ElectionProof"),
        (header.ticket.is_none(), "Ticket"),
        (header.block_sig.is_none(), "BlockSig"),
        (header.bls_aggregate.is_none(), "BLSAggregate"),
    ];
    match missing.into_iter().find(|(missing, _)| *missing) {
        Some((_, name)) => rule(name, "is missing"),
        None if header.miner.id().is_err() => rule("Miner", "is no ID address"),
        None => Ok(()),
    }
}

pub(super) fn check_parent_list(header: &BlockHeader) -> Result<(), BlockReject> {
    if header.parents.is_empty() {
        return rule("Parents", "are missing");
    }
    let mut seen = HashSet::new();
    match header.parents.iter().find(|cid| !seen.insert(**cid)) {
        Some(twice) => rule("Parents", format!("name {twice} twice")),
        None => Ok(()),
    }
}

pub(super) fn check_height(header: &BlockHeader, base: &Tipset) -> Result<(), BlockReject> {
    let (height, parent) = (header.height, base.height());
    if height <= parent {
        return rule("Height", format!("{height} is not above that of the parents, {parent}"));
    }
    if height - parent > MAX_NULL_ROUNDS {
        return rule("Height", format!("{height} is more than {MAX_NULL_ROUNDS} above the parents"));
    }
    Ok(())
}

/// Refuses blocks of the future. One second of drift is allowed.
pub(super) fn check_clock(header: &BlockHeader, now: Option<u64>) -> Result<(), BlockReject> {
    match now {
        Some(now) if header.timestamp > now.saturating_add(1) => {
            rule("Timestamp", format!("{} lies in the future, it is {now}", header.timestamp))
        }
        _ => Ok(()),
    }
}

/// What follows from the parents alone.
pub(super) fn check_inherited(header: &BlockHeader, facts: &ChildFacts) -> Result<(), BlockReject> {
    if header.parent_weight != facts.weight {
        return rule("ParentWeight", format!("is {}, expected {}", header.parent_weight, facts.weight));
    }
    if header.parent_base_fee != facts.executed.next_base_fee {
        let (found, expected) = (header.parent_base_fee.atto(), facts.executed.next_base_fee.atto());
        return rule("ParentBaseFee", format!("is {found} attoFIL, expected {expected}"));
    }
    if header.parent_state_root != facts.executed.root {
        return rule("ParentStateRoot", format!("expected {}", facts.executed.root));
    }
    if header.parent_message_receipts != facts.executed.receipts_root {
        return rule("ParentMessageReceipts", format!("expected {}", facts.executed.receipts_root));
    }
    Ok(())
}

/// Without power in the network there is no weight, so such a block could neither be compared with others nor be built
/// on. It must not get into the log, where nothing could be made of it either.
pub(super) fn check_weighable(facts: &ChildFacts) -> Result<(), BlockReject> {
    if facts.executed.state.total_power() > BigInt::ZERO {
        return Ok(());
    }
    rule("Miner", "mines in a network without power")
}

/// One entry for every epoch since the parents. The entries of the test beacon are known to all, so they are
/// compared instead of verified.
pub(super) fn check_beacon(header: &BlockHeader, info: &MiningBaseInfo) -> Result<(), BlockReject> {
    if header.beacon_entries != info.beacon_entries {
        let expected: Vec<u64> = info.beacon_entries.iter().map(|entry| entry.round).collect();
        return rule("BeaconEntries", format!("are not those of the rounds {expected:?}"));
    }
    Ok(())
}

pub(super) fn check_win_count(header: &BlockHeader, info: &MiningBaseInfo) -> Result<(), BlockReject> {
    let Some(proof) = &header.election_proof else { return rule("ElectionProof", "is missing") };
    let wins = win_count(&proof.vrf_proof, &info.miner_power, &info.network_power);
    if wins < 1 {
        return rule("ElectionProof", "does not win");
    }
    if wins != proof.win_count {
        return rule("ElectionProof", format!("claims {} wins, has {wins}", proof.win_count));
    }
    Ok(())
}
