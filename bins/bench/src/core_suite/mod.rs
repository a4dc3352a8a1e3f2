//! What `venus-core` does for every message, block, address and call.

mod address;
mod message_cid;
mod rpc;
mod tipset;

use crate::measure::{BenchError, Effort, Measure};

/// All measures of the suite.
///
/// # Errors
/// Ours and the baseline disagree on any input.
pub(crate) fn measure(effort: &Effort) -> Result<Vec<Measure>, BenchError> {
    let mut measures = vec![message_cid::measure(effort)?];
    measures.extend(address::measure(effort)?);
    measures.push(tipset::measure(effort)?);
    measures.extend(rpc::measure(effort)?);
    Ok(measures)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_measure_compares_and_counts() {
        let measures = measure(&Effort::SMALLEST).unwrap();
        let names: Vec<&str> = measures.iter().map(|measure| measure.name).collect();
        let expected = [
            "message_cid",
            "address_parse",
            "address_print",
            "address_parse_1000",
            "address_print_1000",
            "tipset_json",
            "rpc_one_call",
            "rpc_64_pipelined",
        ];
        assert_eq!(names, expected);
        assert!(measures.iter().all(|measure| measure.ratio > 0.0 && measure.ours > 0.0), "{measures:?}");
    }
}
