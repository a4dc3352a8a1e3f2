//! The CID of a message, which mempools, block assembly and the tracking of messages compute all the time.

use fvm_ipld_encoding::to_vec;
use multihash_codetable::{Code, MultihashDigest};
use venus_core::types::{Address, Cid, DAG_CBOR, Message, MessageExt, RawBytes, TokenAmount};

use crate::measure::{BenchError, Effort, Measure, Names, compare, over, same};

const NAMES: Names = Names { measure: "message_cid", baseline: "fvm_ipld_encoding + multihash-codetable" };

pub(super) fn measure(effort: &Effort) -> Result<Measure, BenchError> {
    let messages = (0..64).map(message).collect::<Result<Vec<Message>, _>>()?;
    for message in &messages {
        same(NAMES, &message.cid(), &baseline(message)?)?;
    }
    Ok(compare(NAMES, effort, messages.len(), over(&messages, Message::cid), over(&messages, baseline)))
}

/// The same CID by serde and the generic hash table, as programs on the FVM's crates compute it.
fn baseline(message: &Message) -> Result<Cid, BenchError> {
    let cbor = to_vec(message).map_err(|error| NAMES.failed(error))?;
    Ok(Cid::new_v1(DAG_CBOR, Code::Blake2b256.digest(&cbor)))
}

/// A mix like a pool's: transfers and calls, from all kinds of senders, with parameters from none to a kilobyte.
fn message(n: u8) -> Result<Message, BenchError> {
    let seed = u64::from(n);
    let (to, from) = if n.is_multiple_of(2) {
        (Address::new_id(1000 + seed), Address::new_secp256k1(&[n; 65]))
    } else {
        (Address::new_actor(&[n; 32]), Address::new_bls(&[n; 48]))
    };
    let from = from.map_err(|error| NAMES.input(error))?;
    Ok(Message {
        version: 0,
        to,
        from,
        sequence: seed * 37,
        value: TokenAmount::from_nano(seed * 1_000_000_007),
        method_num: seed % 30,
        params: RawBytes::new(vec![n; usize::from(n % 8) * 146]),
        gas_limit: 600_000 + seed * 1_000_003,
        gas_fee_cap: TokenAmount::from_atto(100_000 + seed),
        gas_premium: TokenAmount::from_atto(99_000 + seed),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_inputs_differ() {
        let mut cids: Vec<Cid> = (0..64).map(|n| message(n).unwrap().cid()).collect();
        cids.sort();
        cids.dedup();
        assert_eq!(cids.len(), 64);
    }
}
