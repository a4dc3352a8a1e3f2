//! What `venus-core` does for every message and block.

use fvm_ipld_encoding::to_vec;
use multihash_codetable::{Code, MultihashDigest};
use venus_core::types::{Address, Cid, DAG_CBOR, Message, MessageExt, RawBytes, TokenAmount};

use crate::measure::{BenchError, Effort, Measure, compare};

const MESSAGE_CID: &str = "message_cid";

/// All measures of the suite.
///
/// # Errors
/// Ours and the baseline disagree on any input.
pub(crate) fn measure(effort: &Effort) -> Result<Vec<Measure>, BenchError> {
    let messages = messages()?;
    for message in &messages {
        let (ours, baseline) = (message.cid(), baseline_cid(message)?);
        if ours != baseline {
            let [ours, baseline] = [ours, baseline].map(|cid| cid.to_string());
            return Err(BenchError::Differs { measure: MESSAGE_CID, ours, baseline });
        }
    }
    let names = (MESSAGE_CID, "fvm_ipld_encoding + multihash-codetable");
    Ok(vec![compare(names, effort, &messages, Message::cid, baseline_cid)])
}

/// The same CID by serde and the generic hash table, as programs on the FVM's crates compute it.
fn baseline_cid(message: &Message) -> Result<Cid, BenchError> {
    let cbor = to_vec(message)
        .map_err(|error| BenchError::Baseline { measure: MESSAGE_CID, reason: error.to_string() })?;
    Ok(Cid::new_v1(DAG_CBOR, Code::Blake2b256.digest(&cbor)))
}

/// A mix like a pool's: transfers and calls, from all kinds of senders, with parameters from none to a kilobyte.
fn messages() -> Result<Vec<Message>, BenchError> {
    (0..64).map(message).collect()
}

fn message(n: u8) -> Result<Message, BenchError> {
    let seed = u64::from(n);
    let (to, from) = if n.is_multiple_of(2) {
        (Address::new_id(1000 + seed), Address::new_secp256k1(&[n; 65]))
    } else {
        (Address::new_actor(&[n; 32]), Address::new_bls(&[n; 48]))
    };
    let from = from.map_err(|error| BenchError::Input { measure: MESSAGE_CID, reason: error.to_string() })?;
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
    fn the_inputs_differ_and_both_ways_agree() {
        let mut cids: Vec<Cid> = messages().unwrap().iter().map(Message::cid).collect();
        cids.sort();
        cids.dedup();
        assert_eq!(cids.len(), 64);
        let measures = measure(&Effort { rounds: 1, passes: 1 }).unwrap();
        let found = serde_json::to_value(&measures).unwrap();
        assert_eq!(found[0]["name"], "message_cid");
        assert_eq!(found[0]["operations_per_round"], 64);
        assert!(found[0]["ratio"].as_f64().unwrap() > 0.0);
    }
}
