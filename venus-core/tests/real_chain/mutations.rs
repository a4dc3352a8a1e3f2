//! Changing what a rule reads breaks that rule, and no other.
//!
//! The CID and the signature of a block cover its whole header, so every change of a header breaks them, too.

use std::collections::BTreeSet;
use std::ops::AddAssign;

use venus_core::consensus::election;
use venus_core::types::*;

use crate::cases;
use crate::rules::{Case, RULES};

/// Changes one thing; says whether there was something to change.
type Change = fn(&mut Case) -> bool;

struct Mutation {
    what: &'static str,
    change: Change,
    /// The rules that must fail, besides those of the whole header.
    breaks: &'static [&'static str],
    /// Whether the header is changed.
    in_header: bool,
    /// Of how many blocks it could be changed.
    count: usize,
}

const fn header(
    what: &'static str,
    breaks: &'static [&'static str],
    count: usize,
    change: Change,
) -> Mutation {
    Mutation { what, change, breaks, in_header: true, count }
}

const fn beside(
    what: &'static str,
    breaks: &'static [&'static str],
    count: usize,
    change: Change,
) -> Mutation {
    Mutation { what, change, breaks, in_header: false, count }
}

fn set<T>(field: &mut T, value: T) -> bool {
    *field = value;
    true
}

fn add<T: AddAssign<U>, U>(field: &mut T, more: U) -> bool {
    *field += more;
    true
}

fn flip(bytes: &mut [u8]) -> bool {
    bytes.last_mut().map(|byte| *byte ^= 1).is_some()
}

/// Another proof that wins as often, so that only the proof is wrong.
fn another_election_proof(case: &mut Case) -> bool {
    let proof = case.header.election_proof.as_mut().unwrap();
    let wins = |proof: &[u8]| election::win_count(proof, &case.info.miner_power, &case.info.network_power);
    let original = proof.vrf_proof.clone();
    let end = original.len() - 2;
    (0..=u16::MAX).any(|last| {
        proof.vrf_proof[end..].copy_from_slice(&last.to_be_bytes());
        proof.vrf_proof != original && wins(&proof.vrf_proof) == proof.win_count
    })
}

/// Uses up so much more gas that either rule makes another fee.
fn fuller_parents(case: &mut Case) -> bool {
    let high = case.header.parent_base_fee > TokenAmount::from_atto(1000);
    let Some(parents) = case.parents.as_mut().filter(|parents| high && !parents.messages.is_empty()) else {
        return false;
    };
    parents.messages[0].gas_limit += 9_000_000_000;
    parents.messages[0].gas_fee_cap = &parents.base_fee * 10;
    parents.messages[0].gas_premium = &parents.base_fee * 9;
    true
}

fn mutations() -> Vec<Mutation> {
    vec![
        header("Ticket", &["ticket"], 264, |c| {
            flip(&mut c.header.ticket.as_mut().unwrap().vrf_proof) && c.parents.is_some()
        }),
        header("ElectionProof.VRFProof", &["election proof"], 277, another_election_proof),
        header("ElectionProof.WinCount", &["win count"], 277, |c| {
            add(&mut c.header.election_proof.as_mut().unwrap().win_count, 1)
        }),
        header("BeaconEntries[].Data", &["beacon entries"], 277, |c| {
            flip(&mut c.header.beacon_entries[0].data)
        }),
        header("BeaconEntries[].Round", &["beacon entries"], 277, |c| {
            add(&mut c.header.beacon_entries[0].round, 1)
        }),
        header("WinPoStProof", &[], 277, |c| flip(&mut c.header.win_post_proof[0].proof_bytes)),
        header("ParentWeight", &["parent weight"], 264, |c| {
            add(&mut c.header.parent_weight, 1) && c.parents.is_some()
        }),
        header("ParentStateRoot", &[], 277, |c| set(&mut c.header.parent_state_root, c.cid)),
        header("ParentMessageReceipts", &["receipt root"], 277, |c| {
            set(&mut c.header.parent_message_receipts, c.cid)
        }),
        header("Messages", &["message root"], 277, |c| set(&mut c.header.messages, c.cid)),
        header("BLSAggregate", &["BLS aggregate"], 277, |c| {
            flip(&mut c.header.bls_aggregate.as_mut().unwrap().data)
        }),
        header("Timestamp", &["timestamp"], 277, |c| add(&mut c.header.timestamp, 1)),
        header("BlockSig", &[], 277, |c| flip(&mut c.header.block_sig.as_mut().unwrap().data)),
        header("ForkSignaling", &[], 277, |c| add(&mut c.header.fork_signaling, 1)),
        header("ParentBaseFee", &["base fee"], 264, |c| {
            add(&mut c.header.parent_base_fee, TokenAmount::from_atto(1)) && c.parents.is_some()
        }),
        beside("the block's CID", &["header CID"], 277, |c| set(&mut c.cid, c.header.messages)),
        beside("the parents' ticket", &["ticket"], 264, |c| {
            c.parents.as_mut().is_some_and(|parents| flip(&mut parents.min_ticket))
        }),
        beside("the parents' wins", &["parent weight"], 264, |c| {
            c.parents.as_mut().is_some_and(|parents| add(&mut parents.win_counts[0], 1))
        }),
        beside("the parents' weight", &["parent weight"], 264, |c| {
            c.parents.as_mut().is_some_and(|parents| add(&mut parents.weight, 1))
        }),
        beside("the parents' base fee", &["base fee"], 264, |c| {
            c.parents.as_mut().is_some_and(|parents| add(&mut parents.base_fee, TokenAmount::from_atto(1000)))
        }),
        beside("the parents' messages", &["base fee"], 33, fuller_parents),
        beside("the parents' height", &["beacon entries"], 264, |c| {
            c.parents.as_mut().is_some_and(|parents| add(&mut parents.height, -1))
        }),
        beside("a BLS message", &["BLS aggregate", "message root"], 37, |c| {
            c.messages.bls.first_mut().is_some_and(|m| add(&mut m.gas_limit, 1))
        }),
        beside("the order of BLS messages", &["message root"], 32, |c| {
            let several = c.messages.bls.len() > 1;
            c.messages.bls.reverse();
            several
        }),
        beside("a signed message", &["message root", "message signatures"], 5, |c| {
            c.messages.secp.first_mut().is_some_and(|m| add(&mut m.message.gas_limit, 1))
        }),
        beside("a message's signature", &["message root", "message signatures"], 5, |c| {
            c.messages.secp.first_mut().is_some_and(|m| flip(&mut m.signature.data[..64]))
        }),
        beside("a receipt", &["receipt root"], 44, |c| {
            c.receipts.first_mut().is_some_and(|r| add(&mut r.gas_used, 1))
        }),
        beside("the genesis' timestamp", &["timestamp"], 277, |c| add(&mut c.genesis_timestamp, 1)),
        beside("the sector", &["winning sector"], 277, |c| add(&mut c.info.sectors[0].sector_number, 2)),
        beside("the worker", &["block signature", "election proof", "ticket"], 264, |c| {
            let Payload::BLS(mut key) = *c.info.worker_key.payload() else { return false };
            key.reverse();
            c.info.worker_key = Address::new_bls(&key).unwrap();
            c.parents.is_some()
        }),
    ]
}

fn breaks(
    case: &Case,
    names: &mut dyn Iterator<Item = (&'static str, crate::rules::Rule)>,
) -> BTreeSet<&'static str> {
    names.filter(|(_, rule)| rule(case) == Some(false)).map(|(name, _)| name).collect()
}

/// The rule alone, over all blocks.
#[test]
fn real_chain_changing_what_a_rule_reads_breaks_it() {
    let cases = cases();
    for mutation in mutations().iter() {
        let mut count = 0;
        for case in &cases {
            let mut changed = case.clone();
            if !(mutation.change)(&mut changed) {
                continue;
            }
            let expected: BTreeSet<_> = mutation.breaks.iter().copied().collect();
            let broken = breaks(&changed, &mut RULES.into_iter().filter(|(name, _)| expected.contains(name)));
            assert_eq!(broken, expected, "{} at height {}", mutation.what, case.header.height);
            count += 1;
        }
        assert_eq!(count, mutation.count, "{}", mutation.what);
    }
}

/// All rules, over every eighth block and all with signed messages.
#[test]
fn real_chain_changing_what_a_rule_reads_breaks_no_other() {
    let all = cases();
    let some: Vec<_> =
        all.iter().enumerate().filter(|(i, case)| i % 8 == 0 || !case.messages.secp.is_empty()).collect();
    let mut changes = 0;
    for mutation in mutations().iter() {
        let mut expected: BTreeSet<_> = mutation.breaks.iter().copied().collect();
        if mutation.in_header {
            expected.extend(["header CID", "block signature"]);
        }
        for (_, case) in &some {
            let mut changed = (*case).clone();
            if (mutation.change)(&mut changed) {
                assert_eq!(
                    breaks(&changed, &mut RULES.into_iter()),
                    expected,
                    "{} at height {}",
                    mutation.what,
                    case.header.height
                );
                changes += 1;
            }
        }
    }
    assert_eq!(changes, 972);
}
