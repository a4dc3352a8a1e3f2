//! What the program prints.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::measure::Measure;

/// What times are given in, unless a measure says otherwise.
pub(crate) const NANOSECONDS: &str = "ns";

/// What a figure should be.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Target {
    AtLeast(&'static str, f64),
    AtMost(&'static str, f64),
}

impl Target {
    /// Whether `measure` reaches it; false if it has no such figure.
    fn met(self, measure: &Measure) -> bool {
        match self {
            Self::AtLeast(name, bound) => measure.figure(name).is_some_and(|figure| figure >= bound),
            Self::AtMost(name, bound) => measure.figure(name).is_some_and(|figure| figure <= bound),
        }
    }

    fn text(self) -> String {
        match self {
            Self::AtLeast(name, bound) => format!("{name} >= {bound}"),
            Self::AtMost(name, bound) => format!("{name} <= {bound}"),
        }
    }
}

/// The figures of all measures, by name.
#[derive(Debug, Serialize)]
#[serde(transparent)]
pub(crate) struct Report(BTreeMap<&'static str, Figures>);

/// Ours, the baseline and what else was seen; a figure that could not be measured is null.
#[derive(Debug, Serialize)]
struct Figures {
    ours: f64,
    baseline: f64,
    ratio: f64,
    unit: &'static str,
    #[serde(flatten)]
    more: BTreeMap<&'static str, f64>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    targets: Vec<Reached>,
    #[serde(skip_serializing_if = "Option::is_none")]
    skipped: Option<String>,
}

#[derive(Debug, Serialize)]
struct Reached {
    target: String,
    met: bool,
}

impl Report {
    pub(crate) fn new(measures: &[Measure]) -> Self {
        Self(measures.iter().map(|measure| (measure.name, figures(measure))).collect())
    }
}

fn figures(measure: &Measure) -> Figures {
    Figures {
        ours: measure.ours,
        baseline: measure.baseline,
        ratio: measure.ratio,
        unit: measure.unit,
        more: measure.more.iter().copied().collect(),
        targets: measure
            .targets
            .iter()
            .map(|target| Reached { target: target.text(), met: target.met(measure) })
            .collect(),
        skipped: measure.skipped.clone(),
    }
}

/// The report for people, with what each measure is compared with and what it should be.
pub(crate) fn table(measures: &[Measure]) -> String {
    let mut table = comfy_table::Table::new();
    table.set_header(["measure", "unit", "ours", "baseline", "ratio", "baseline", "more", "target"]);
    for m in measures {
        let figures = [m.ours, m.baseline, m.ratio].map(|figure| format!("{figure:.2}"));
        let more: Vec<String> = m.more.iter().map(|(name, figure)| format!("{name} {figure:.2}")).collect();
        let seen = m.skipped.clone().map_or_else(|| more.join("\n"), |why| format!("skipped: {why}"));
        let row = [m.name.to_owned(), m.unit.to_owned()].into_iter().chain(figures);
        table.add_row(row.chain([m.against.to_owned(), seen, targets(m)]));
    }
    table.to_string()
}

fn targets(measure: &Measure) -> String {
    let verdict = |met| if met { "met" } else { "MISSED" };
    let line = |target: &Target| format!("{}: {}", target.text(), verdict(target.met(measure)));
    measure.targets.iter().map(line).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::measure::{Names, measure_of};

    #[test]
    fn targets_are_held_against_any_figure() {
        let names = Names { measure: "memory", baseline: "100 MB" };
        let measure = measure_of(names, &[(80.0, 100.0)])
            .unit("MB")
            .with("each", 2.0)
            .target(Target::AtMost("ours", 90.0))
            .target(Target::AtLeast("each", 3.0))
            .target(Target::AtLeast("ratio", 1.25))
            .target(Target::AtMost("unknown", 1.0));
        let json = serde_json::to_value(Report::new(&[measure])).unwrap();
        let met: Vec<_> =
            json["memory"]["targets"].as_array().unwrap().iter().map(|reached| &reached["met"]).collect();
        assert_eq!(met, [true, false, true, false]);
        assert_eq!(json["memory"]["unit"], "MB");
        assert_eq!(json["memory"]["each"], 2.0);
    }

    #[test]
    fn what_was_skipped_says_why() {
        let names = Names { measure: "sockets", baseline: "none" };
        let json = serde_json::to_value(Report::new(&[Measure::skipped(names, "too few files")])).unwrap();
        assert_eq!(json["sockets"]["skipped"], "too few files");
        assert!(json["sockets"]["ours"].is_null());
    }
}
