//! What `venus-devnet` takes for epochs, beside the signatures that no chain can do without.
//!
//! All figures but those of [`sockets`] are of the chain in process.

mod chain;
mod epochs;
mod fan_out;
mod long;
mod sockets;

use crate::measure::{BenchError, Effort, Measure};

/// All measures of the suite.
///
/// # Errors
/// The chain does something else than it should, or the machine has no room for its log.
pub(crate) fn measure(effort: &Effort) -> Result<Vec<Measure>, BenchError> {
    let mut measures = vec![epochs::empty(effort)?, epochs::secp_messages(effort)?];
    measures.extend(long::measure(effort)?);
    measures.push(fan_out::measure(effort)?);
    measures.push(sockets::measure(effort)?);
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
            "heads_1000_channels",
        ];
        assert_eq!(names, expected);
        assert!(measures.iter().all(|measure| measure.ratio > 0.0 && measure.ours > 0.0), "{measures:?}");
    }
}
