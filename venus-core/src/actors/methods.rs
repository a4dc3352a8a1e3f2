//! Which method of which actor a number stands for.
//!
//! ```
//! use venus_core::actors::{ActorKind, methods};
//!
//! assert_eq!(methods::name(ActorKind::Miner, methods::LATEST_VERSION, 5), Some("SubmitWindowedPoSt"));
//! assert_eq!(methods::name(ActorKind::Miner, 2, 24), None);
//! assert_eq!(methods::number(ActorKind::Datacap, 16, "TransferExported"), Some(80_475_954));
//! ```

use crate::crypto::hash::blake2b_512;

use super::ActorKind;

#[path = "method_table.rs"]
mod table;

/// The newest actor version in the table. Newer ones are looked up as this one.
pub const LATEST_VERSION: u32 = 19;
/// There never was a version 1 of the actors.
const NO_SUCH_VERSION: u32 = 1;
/// Exported methods have numbers from here on (FRC-0042).
pub const FIRST_EXPORTED: u64 = 1 << 24;

/// The name of a method in a version of the actors. Method 0 of every actor is `Send`.
pub fn name(kind: ActorKind, version: u32, number: u64) -> Option<&'static str> {
    if number == 0 {
        return Some("Send");
    }
    let bit = bit_of(version)?;
    let rows = table::rows(kind);
    let from = rows.partition_point(|row| row.0 < number);
    let same = rows.get(from..).unwrap_or_default().iter().take_while(|row| row.0 == number);
    same.into_iter().find(|row| row.2 & bit != 0).map(|row| row.1)
}

/// The number of a method in a version of the actors.
pub fn number(kind: ActorKind, version: u32, name: &str) -> Option<u64> {
    if name == "Send" {
        return Some(0);
    }
    let bit = bit_of(version)?;
    table::rows(kind).iter().find(|row| row.1 == name && row.2 & bit != 0).map(|row| row.0)
}

/// All methods of an actor in a version: numbers and names, `Send` left out.
pub fn all(kind: ActorKind, version: u32) -> impl Iterator<Item = (u64, &'static str)> {
    let bit = bit_of(version).unwrap_or_default();
    table::rows(kind).iter().filter(move |row| row.2 & bit != 0).map(|row| (row.0, row.1))
}

fn bit_of(version: u32) -> Option<u32> {
    (version != NO_SUCH_VERSION).then(|| 1 << version.min(LATEST_VERSION))
}

/// The actor version that a network version runs.
pub fn actors_version(network_version: u32) -> u32 {
    match network_version {
        0..=3 => 0,
        4..=9 => 2,
        10..=11 => 3,
        12..=18 => network_version - 8,
        19..=20 => 11,
        21..=25 => network_version - 9,
        26 => 16,
        newer => (newer - 10).min(LATEST_VERSION),
    }
}

/// The number of an exported method: the first four bytes of a hash of its name that make a number large enough
/// (FRC-0042). `name` is the plain name, such as `Transfer`.
pub fn exported(name: &str) -> u64 {
    let digest = blake2b_512(format!("1|{name}").as_bytes());
    let numbers = digest.chunks_exact(4).map(|word| word.iter().fold(0, |n, b| n << 8 | u64::from(*b)));
    // Sixteen numbers below 2^24 in a row do not happen: the chance is 2^-128.
    numbers.into_iter().find(|n| *n >= FIRST_EXPORTED).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_sorted_and_each_number_has_one_name_a_version() {
        for kind in ActorKind::ALL {
            for pair in table::rows(*kind).windows(2) {
                let ((a, _, versions), (b, name, others)) = (pair[0], pair[1]);
                assert!(a < b || (a == b && versions & others == 0), "{kind:?} {name}");
            }
        }
    }

    #[test]
    fn exported_numbers_are_hashes_of_names() {
        let mut checked = 0;
        for kind in ActorKind::ALL {
            for (number, name) in all(*kind, LATEST_VERSION).filter(|m| m.0 >= FIRST_EXPORTED) {
                let plain = match name {
                    "InvokeContract" => "InvokeEVM",
                    "UniversalReceiverHook" => "Receive",
                    other => other.strip_suffix("Exported").unwrap_or(other),
                };
                assert_eq!(exported(plain), number, "{kind:?} {name}");
                checked += 1;
            }
        }
        assert_eq!(checked, 75);
    }

    #[test]
    fn numbers_and_names() {
        assert_eq!(name(ActorKind::Power, 0, 7), Some("OnConsensusFault"));
        assert_eq!(name(ActorKind::Power, 2, 7), None);
        assert_eq!(name(ActorKind::Market, 12, 6), Some("BatchActivateDeals"));
        assert_eq!(name(ActorKind::Market, 11, 6), Some("ActivateDeals"));
        assert_eq!(name(ActorKind::Placeholder, 18, 0), Some("Send"));
        assert_eq!(name(ActorKind::Placeholder, 18, 1), None);
        assert_eq!(name(ActorKind::Miner, 1, 2), None);
        assert_eq!(name(ActorKind::Miner, u32::MAX, 34), Some("ProveCommitSectors3"));
        assert_eq!(number(ActorKind::Miner, 18, "ProveCommitSectors3"), Some(34));
        assert_eq!(number(ActorKind::Miner, 9, "ProveCommitSectors3"), None);
        assert_eq!(number(ActorKind::Evm, 18, "Send"), Some(0));
    }

    #[test]
    fn versions_of_networks() {
        let known =
            [(0, 0), (3, 0), (4, 2), (10, 3), (12, 4), (13, 5), (16, 8), (18, 10), (20, 11), (21, 12)];
        let recent = [(22, 13), (25, 16), (26, 16), (27, 17), (28, 18), (29, 19), (99, 19)];
        for (network, actors) in known.into_iter().chain(recent) {
            assert_eq!(actors_version(network), actors, "{network}");
        }
    }
}
