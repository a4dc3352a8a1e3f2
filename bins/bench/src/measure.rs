//! Timing two ways of doing the same against each other.

use std::{
    fmt::{Debug, Display},
    hint::black_box,
    time::{Duration, Instant},
};

use crate::report::{NANOSECONDS, Target};

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
    /// JSON could not be written or read.
    #[error("JSON: {0}")]
    Json(#[from] serde_json::Error),
    /// Standard output is closed, or a port cannot be had.
    #[error("input or output: {0}")]
    Io(#[from] std::io::Error),
}

/// What is measured, against what.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Names {
    pub(crate) measure: &'static str,
    pub(crate) baseline: &'static str,
}

impl Names {
    pub(crate) fn input(self, error: impl Display) -> BenchError {
        BenchError::Input { measure: self.measure, reason: error.to_string() }
    }

    pub(crate) fn failed(self, error: impl Display) -> BenchError {
        BenchError::Baseline { measure: self.measure, reason: error.to_string() }
    }
}

/// Refuses a comparison whose two ways give different results.
pub(crate) fn same<T: PartialEq + Debug>(names: Names, ours: &T, baseline: &T) -> Result<(), BenchError> {
    if ours == baseline {
        return Ok(());
    }
    let text = |result: &T| format!("{result:?}").chars().take(400).collect();
    Err(BenchError::Differs { measure: names.measure, ours: text(ours), baseline: text(baseline) })
}

/// How long to measure.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Effort {
    /// Times that both ways are measured.
    pub(crate) rounds: u32,
    /// About how long each way runs in a round.
    pub(crate) slice: Duration,
}

impl Effort {
    /// Enough to see that everything works.
    #[cfg(test)]
    pub(crate) const SMALLEST: Self = Self { rounds: 1, slice: Duration::ZERO };
}

/// One comparison; times are nanoseconds per operation unless `unit` says otherwise, medians over the rounds.
#[derive(Debug)]
pub(crate) struct Measure {
    pub(crate) name: &'static str,
    pub(crate) against: &'static str,
    pub(crate) ours: f64,
    pub(crate) baseline: f64,
    /// Baseline time over ours, the median of the rounds' own ratios: 2 means that ours takes half the time.
    pub(crate) ratio: f64,
    /// Of `ours` and `baseline`.
    pub(crate) unit: &'static str,
    /// What else was seen.
    pub(crate) more: Vec<(&'static str, f64)>,
    /// What the figures should be.
    pub(crate) targets: Vec<Target>,
    /// Why there are no figures.
    pub(crate) skipped: Option<String>,
}

impl Measure {
    /// What this machine cannot measure, and why.
    pub(crate) fn skipped(names: Names, why: impl Into<String>) -> Self {
        let nothing = measure_of(names, &[]);
        Self { skipped: Some(why.into()), ..nothing }
    }

    pub(crate) fn unit(self, unit: &'static str) -> Self {
        Self { unit, ..self }
    }

    pub(crate) fn with(mut self, name: &'static str, figure: f64) -> Self {
        self.more.push((name, figure));
        self
    }

    pub(crate) fn target(mut self, target: Target) -> Self {
        self.targets.push(target);
        self
    }

    /// A figure by its name in the report.
    pub(crate) fn figure(&self, name: &str) -> Option<f64> {
        match name {
            "ours" => Some(self.ours),
            "baseline" => Some(self.baseline),
            "ratio" => Some(self.ratio),
            _ => self.more.iter().find(|(known, _)| *known == name).map(|(_, figure)| *figure),
        }
    }
}

/// Does `one` with all `inputs`.
pub(crate) fn over<I, O>(inputs: &[I], one: impl Fn(&I) -> O) -> impl Fn() {
    move || inputs.iter().for_each(|input| drop(black_box(one(black_box(input)))))
}

/// Measures both ways, which do `operations` operations at a time, alternating in every round, so that a busy moment
/// of the machine hits both. Each way goes first in every second round.
pub(crate) fn compare(
    names: Names,
    effort: &Effort,
    operations: usize,
    ours: impl Fn(),
    theirs: impl Fn(),
) -> Measure {
    let ours = Way::new(&ours, effort.slice);
    let theirs = Way::new(&theirs, effort.slice);
    let rounds: Vec<(f64, f64)> = (0..effort.rounds)
        .map(|round| match round % 2 {
            0 => (ours.nanoseconds(), theirs.nanoseconds()),
            _ => {
                let theirs = theirs.nanoseconds();
                (ours.nanoseconds(), theirs)
            }
        })
        .collect();
    let operations = operations as f64;
    let each: Vec<_> = rounds.iter().map(|(ours, theirs)| (ours / operations, theirs / operations)).collect();
    measure_of(names, &each)
}

/// A comparison of times that were taken otherwise: ours and the baseline's of each round.
pub(crate) fn measure_of(names: Names, rounds: &[(f64, f64)]) -> Measure {
    Measure {
        name: names.measure,
        against: names.baseline,
        ours: median(rounds.iter().map(|(ours, _)| *ours)),
        baseline: median(rounds.iter().map(|(_, theirs)| *theirs)),
        ratio: median(rounds.iter().map(|(ours, theirs)| theirs / ours)),
        unit: NANOSECONDS,
        more: Vec::new(),
        targets: Vec::new(),
        skipped: None,
    }
}

/// A way of doing something, and how often it is done in a round.
struct Way<'a> {
    work: &'a dyn Fn(),
    passes: u32,
}

impl<'a> Way<'a> {
    fn new(work: &'a dyn Fn(), slice: Duration) -> Self {
        // The first pass fills caches; the second tells how long one takes.
        work();
        let one = Self { work, passes: 1 }.nanoseconds();
        let passes = slice.as_nanos() as f64 / one;
        Self { work, passes: (passes as u32).clamp(1, 1_000_000) }
    }

    /// The time of one pass.
    fn nanoseconds(&self) -> f64 {
        let start = Instant::now();
        (0..self.passes).for_each(|_| (self.work)());
        // No clock reads are so close together that nothing passes, but a ratio must not become infinite.
        start.elapsed().as_nanos().max(1) as f64 / f64::from(self.passes)
    }
}

/// The middle value, the lower one of two; NaN for nothing.
pub(crate) fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    values.get(values.len().saturating_sub(1) / 2).copied().unwrap_or(f64::NAN)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::Report;

    const NAMES: Names = Names { measure: "sum", baseline: "ten times" };

    #[test]
    fn the_median_is_a_measured_value() {
        assert_eq!(median([3.0, 1.0, 2.0].into_iter()), 2.0);
        assert_eq!(median([4.0, 1.0].into_iter()), 1.0);
        assert!(median(std::iter::empty()).is_nan());
    }

    #[test]
    fn more_work_takes_longer() {
        let effort = Effort { rounds: 9, slice: Duration::from_micros(200) };
        let sum = |n: u64| (0..n).fold(0_u64, |sum, i| black_box(sum.wrapping_add(i)));
        let inputs = [1000_u64, 2000];
        let measure = compare(NAMES, &effort, 2, over(&inputs, |n| sum(*n)), over(&inputs, |n| sum(n * 10)));
        assert!(measure.ratio > 2.0, "{measure:?}");
        let json = serde_json::to_value(Report::new(&[measure])).unwrap();
        let figures = json["sum"].as_object().unwrap();
        assert_eq!(figures.keys().collect::<Vec<_>>(), ["baseline", "ours", "ratio", "unit"]);
    }

    #[test]
    fn different_results_are_not_compared() {
        let error = same(NAMES, &1, &2).unwrap_err();
        assert_eq!(error.to_string(), "sum: the results differ, ours 1, baseline 2");
        assert!(same(NAMES, &1, &1).is_ok());
    }
}
