//! What `venus-devnet` takes for epochs, beside the signatures that no chain can do without.
//!
//! All figures are of the chain in process. What its network interface adds (one encoding for all subscribers of the
//! head over sockets) belongs into a module of its own beside `fan_out`.

mod chain;
mod epochs;
mod fan_out;
mod long;

use crate::measure::{BenchError, Effort, Measure};

/// All measures of the suite.
///
/// # Errors
/// The chain does something else than it should, or the machine has no room for its log.
pub(crate) fn measure(effort: &Effort) -> Result<Vec<Measure>, BenchError> {
    let mut measures = vec![epochs::empty(effort)?, epochs::secp_messages(effort)?];
    measures.extend(long::measure(effort)?);
    measures.push(fan_out::measure(effort)?);
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
            "epoch_empty",
            "epoch_100_secp256k1",
            "epochs_10000",
            "epochs_10000_rss_bytes",
            "restart_per_epoch",
            "heads_1000_subscribers",
        ];
        assert_eq!(names, expected);
        assert!(measures.iter().all(|measure| measure.ratio > 0.0 && measure.ours > 0.0), "{measures:?}");
    }
}
