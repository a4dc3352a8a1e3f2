//! What `venus-signer` does for every signature.

mod bare;
mod guarded;
mod run;
mod unlock;

use crate::measure::{BenchError, Effort, Measure};

/// All measures of the suite.
///
/// # Errors
/// Ours and the baseline disagree, or the machine has no room for a database.
pub(crate) fn measure(effort: &Effort) -> Result<Vec<Measure>, BenchError> {
    let mut measures = bare::measure(effort)?;
    measures.extend(guarded::measure(effort)?);
    measures.push(unlock::measure(effort)?);
    measures.push(run::measure(effort)?);
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
            "secp256k1_sign_verify",
            "bls_sign_verify",
            "secp256k1_guarded_64_in_flight",
            "secp256k1_guarded_64_over_library",
            "bls_guarded_64_in_flight",
            "bls_guarded_64_over_library",
            "unlock_100_keys",
            "sign_30000_memory",
        ];
        assert_eq!(names, expected);
        assert!(measures.iter().all(|measure| measure.ratio > 0.0 && measure.ours > 0.0), "{measures:?}");
    }
}
