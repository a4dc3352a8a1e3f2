//! Of several broken rules the first one is named.

use venus_core::types::{BlockHeader, TokenAmount};

use crate::case::{Case, nowhere};

type Change = fn(&mut BlockHeader);

/// From the last rule to the first.
const CHANGES: [(&str, Change); 14] = [
    ("BLSAggregate", |h| h.bls_aggregate.as_mut().unwrap().data[9] ^= 1),
    ("BlockSig", |h| h.block_sig.as_mut().unwrap().data[9] ^= 1),
    ("WinPoStProof", |h| h.win_post_proof.clear()),
    ("BeaconEntries", |h| h.beacon_entries.clear()),
    ("Ticket", |h| h.ticket.as_mut().unwrap().vrf_proof[5] ^= 1),
    ("ElectionProof", |h| h.election_proof.as_mut().unwrap().win_count += 1),
    ("ElectionProof", |h| h.election_proof.as_mut().unwrap().vrf_proof[5] ^= 1),
    ("ParentMessageReceipts", |h| h.parent_message_receipts = nowhere()),
    ("ParentStateRoot", |h| h.parent_state_root = nowhere()),
    ("ParentBaseFee", |h| h.parent_base_fee += TokenAmount::from_atto(1)),
    ("ParentWeight", |h| h.parent_weight += 1),
    ("Timestamp", |h| h.timestamp += 1),
    ("Height", |h| h.height -= 1000),
    ("Ticket", |h| h.ticket = None),
];

#[tokio::test]
async fn the_first_broken_rule_is_named() {
    let case = Case::new().await;
    let mut block = case.block.clone();
    // The block's own signature breaks with the first change, so it cannot be the last.
    for (rule, change) in CHANGES {
        change(&mut block.header);
        let named = case.rule_of(&block).await;
        match rule {
            "BLSAggregate" => assert_eq!(named, "BlockSig"),
            rule => assert_eq!(named, rule),
        }
    }
    case.goes_on().await;
}
