//! Timing two ways of doing the same against each other.

use std::{hint::black_box, time::Instant};

use serde::Serialize;

/// Why there is no figure.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub(crate) enum BenchError {
    /// The two ways do not give the same result, so their times cannot be compared.
    #[error("{measure}: the results differ, ours {ours}, baseline {baseline}")]
    Differs { measure: &'static str, ours: String, baseline: String },
    /// An input could not be built.
    #[error("{measure}: an input cannot be built: {reason}")]
    Input { measure: &'static str, reason: String },
    /// The baseline itself failed.
    #[error("{measure}: the baseline failed: {reason}")]
    Baseline { measure: &'static str, reason: String },
    /// The report could not be written as JSON.
    #[error("cannot write the report: {0}")]
    Json(#[from] serde_json::Error),
    /// Standard output is closed.
    #[error("cannot print the report: {0}")]
    Output(#[from] std::io::Error),
}

/// How long to measure.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Effort {
    /// Times that both ways are measured.
    pub(crate) rounds: u32,
    /// Passes over the inputs in each round.
    pub(crate) passes: u32,
}

impl Default for Effort {
    fn default() -> Self {
        Self { rounds: 41, passes: 200 }
    }
}

/// One comparison; times are nanoseconds per operation, medians over the rounds.
#[derive(Debug, Serialize)]
pub(crate) struct Measure {
    pub(crate) name: &'static str,
    pub(crate) baseline: &'static str,
    pub(crate) ours_ns: f64,
    pub(crate) baseline_ns: f64,
    /// Baseline time over ours, the median of the rounds' own ratios: 2 means that ours takes half the time.
    pub(crate) ratio: f64,
    pub(crate) rounds: u32,
    pub(crate) operations_per_round: u64,
}

/// Measures both ways over `inputs`, alternating in every round, so that a busy moment of the machine hits both.
pub(crate) fn compare<I, A, B>(
    (name, baseline): (&'static str, &'static str),
    effort: &Effort,
    inputs: &[I],
    ours: impl Fn(&I) -> A,
    theirs: impl Fn(&I) -> B,
) -> Measure {
    let operations = u64::from(effort.passes) * inputs.len() as u64;
    let each = |work: &dyn Fn()| nanoseconds(effort.passes, work) / operations as f64;
    let run_ours = || inputs.iter().for_each(|input| drop(black_box(ours(black_box(input)))));
    let run_theirs = || inputs.iter().for_each(|input| drop(black_box(theirs(black_box(input)))));
    run_ours();
    run_theirs();
    let rounds: Vec<(f64, f64)> = (0..effort.rounds).map(|_| (each(&run_ours), each(&run_theirs))).collect();
    Measure {
        name,
        baseline,
        ours_ns: median(rounds.iter().map(|(ours, _)| *ours)),
        baseline_ns: median(rounds.iter().map(|(_, theirs)| *theirs)),
        ratio: median(rounds.iter().map(|(ours, theirs)| theirs / ours)),
        rounds: effort.rounds,
        operations_per_round: operations,
    }
}

fn nanoseconds(passes: u32, work: &dyn Fn()) -> f64 {
    let start = Instant::now();
    (0..passes).for_each(|_| work());
    start.elapsed().as_nanos() as f64
}

/// The middle value, the lower one of two; NaN for nothing.
fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    values.get(values.len().saturating_sub(1) / 2).copied().unwrap_or(f64::NAN)
}

/// What the program prints.
#[derive(Debug, Serialize)]
pub(crate) struct Report {
    suite: &'static str,
    /// Figures of a debug build are worthless, so a reader of the JSON must see it.
    release: bool,
    measures: Vec<Measure>,
}

impl Report {
    pub(crate) fn new(suite: &'static str, measures: Vec<Measure>) -> Self {
        Self { suite, release: !cfg!(debug_assertions), measures }
    }

    pub(crate) fn table(&self) -> String {
        let mut table = comfy_table::Table::new();
        table.set_header(["measure", "ours, ns", "baseline, ns", "ratio", "baseline"]);
        for m in &self.measures {
            let figures = [m.ours_ns, m.baseline_ns, m.ratio].map(|figure| format!("{figure:.2}"));
            table.add_row([m.name.to_owned()].into_iter().chain(figures).chain([m.baseline.to_owned()]));
        }
        table.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_a_measured_value() {
        assert_eq!(median([3.0, 1.0, 2.0].into_iter()), 2.0);
        assert_eq!(median([4.0, 1.0].into_iter()), 1.0);
        assert!(median(std::iter::empty()).is_nan());
    }

    #[test]
    fn more_work_takes_longer() {
        let effort = Effort { rounds: 9, passes: 20 };
        let sum = |n: &u64| (0..*n).fold(0_u64, |sum, i| black_box(sum.wrapping_add(i)));
        let measure = compare(("sum", "ten times"), &effort, &[1000, 2000], sum, |n| sum(&(n * 10)));
        assert_eq!(measure.operations_per_round, 40);
        assert!(measure.ratio > 2.0, "{measure:?}");
    }
}
