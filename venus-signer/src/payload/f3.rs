//! What is signed in fast finality (FIP-0086).

use venus_core::types::Cid;

const VOTE: &[u8] = b"GPBFT:";
const TICKET: &[u8] = b"VRF:";
/// Longest name of a network that is read.
const MAX_NAME: usize = 256;
/// The last phase: 0 initial, 1 quality, 2 converge, 3 prepare, 4 commit, 5 decide, 6 terminated.
const MAX_PHASE: u8 = 6;

/// A vote. A participant casts one for each network, instance, round and phase; two different ones are equivocation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct F3Vote {
    /// The network's name.
    pub network: String,
    /// 1 quality, 2 converge, 3 prepare, 4 commit, 5 decide.
    pub phase: u8,
    /// The round.
    pub round: u64,
    /// The instance.
    pub instance: u64,
    /// Commitments of the supplemental data.
    pub commitments: [u8; 32],
    /// Key of the chain that is voted for; zeros vote for none.
    pub value_key: [u8; 32],
    /// The power table.
    pub power_table: Cid,
}

/// The input of a ticket's VRF.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct F3Ticket {
    /// The network's name.
    pub network: String,
    /// The beacon value.
    pub beacon: Vec<u8>,
    /// The instance.
    pub instance: u64,
    /// The round.
    pub round: u64,
}

/// Whether bytes begin as anything that is signed in F3.
pub(super) fn begins_as_f3(bytes: &[u8]) -> bool {
    bytes.starts_with(VOTE) || bytes.starts_with(TICKET)
}

/// Reads `GPBFT:`, the network, `:`, phase, round, instance, commitments, value key, CID of the power table.
pub(super) fn vote(bytes: &[u8]) -> Option<F3Vote> {
    let (network, rest) = named(bytes.strip_prefix(VOTE)?)?;
    let (&[phase], rest) = rest.split_first_chunk()?;
    let (round, rest) = rest.split_first_chunk()?;
    let (instance, rest) = rest.split_first_chunk()?;
    let (commitments, rest) = rest.split_first_chunk()?;
    let (value_key, rest) = rest.split_first_chunk()?;
    let power_table = Cid::try_from(rest).ok().filter(|cid| cid.to_bytes() == rest)?;
    (phase <= MAX_PHASE).then(|| F3Vote {
        network,
        phase,
        round: u64::from_be_bytes(*round),
        instance: u64::from_be_bytes(*instance),
        commitments: *commitments,
        value_key: *value_key,
        power_table,
    })
}

/// Reads `VRF:`, the network, `:`, the beacon value, `:`, instance, round.
pub(super) fn ticket(bytes: &[u8]) -> Option<F3Ticket> {
    let (network, rest) = named(bytes.strip_prefix(TICKET)?)?;
    let (rest, round) = rest.split_last_chunk()?;
    let (rest, instance) = rest.split_last_chunk()?;
    let beacon = rest.strip_suffix(b":")?.to_vec();
    let (instance, round) = (u64::from_be_bytes(*instance), u64::from_be_bytes(*round));
    Some(F3Ticket { network, beacon, instance, round })
}

/// A name and what follows its colon. No name of a network has a colon.
fn named(bytes: &[u8]) -> Option<(String, &[u8])> {
    let colon = bytes.iter().take(MAX_NAME + 1).position(|byte| *byte == b':')?;
    let (name, rest) = bytes.split_at_checked(colon)?;
    Some((std::str::from_utf8(name).ok()?.to_owned(), rest.strip_prefix(b":")?))
}

#[cfg(test)]
mod tests {
    use venus_core::types::blake2b_cid;

    use super::*;

    fn vote_bytes(network: &str, phase: u8) -> Vec<u8> {
        let mut bytes = format!("GPBFT:{network}:").into_bytes();
        bytes.push(phase);
        bytes.extend(3_u64.to_be_bytes());
        bytes.extend(0x3a3a_u64.to_be_bytes());
        bytes.extend([b':'; 32]);
        bytes.extend([2; 32]);
        bytes.extend(blake2b_cid(b"power").to_bytes());
        bytes
    }

    #[test]
    fn votes_are_read_field_by_field() {
        let bytes = vote_bytes("filecoin", 4);
        let read = vote(&bytes).unwrap();
        assert_eq!((read.network.as_str(), read.phase, read.round), ("filecoin", 4, 3));
        assert_eq!((read.instance, read.commitments, read.value_key), (0x3a3a, [b':'; 32], [2; 32]));
        assert_eq!(read.power_table, blake2b_cid(b"power"));
        assert_eq!(vote(&vote_bytes("filecoin", 7)), None);
        for len in 0..bytes.len() {
            assert_eq!(vote(&bytes[..len]), None, "{len} bytes of a vote");
        }
        assert_eq!(vote(&[&bytes[..], &[0]].concat()), None);
    }

    #[test]
    fn tickets_are_read_from_both_ends() {
        let mut bytes = b"VRF:filecoin:".to_vec();
        bytes.extend([b':'; 96]);
        bytes.push(b':');
        bytes.extend(7_u64.to_be_bytes());
        bytes.extend(1_u64.to_be_bytes());
        let read = ticket(&bytes).unwrap();
        assert_eq!((read.network.as_str(), read.instance, read.round), ("filecoin", 7, 1));
        assert_eq!(read.beacon, [b':'; 96]);
        assert_eq!(ticket(b"VRF:filecoin:"), None);
        assert!(begins_as_f3(b"VRF:") && begins_as_f3(b"GPBFT:") && !begins_as_f3(b"GPBFT"));
    }
}
