//! What a run came to.

use comfy_table::{CellAlignment, Table, presets};
use serde::{Deserialize, Serialize};

/// How many failures a report names.
pub(crate) const MAX_FAILURES: usize = 10;

/// A message that should have landed and did not.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Failure {
    /// Its name at the messager.
    pub(crate) id: String,
    /// Where it stands there.
    pub(crate) state: String,
    /// How its execution ended, if it was executed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) exit_code: Option<u32>,
    /// What went wrong, in words.
    pub(crate) reason: String,
}

/// The result of a finished run. As JSON it is one line; the same seed gives the same bytes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Report {
    /// Messages that the messager accepted.
    pub(crate) messages_sent: u64,
    /// Messages that the chain executed at least once with success.
    pub(crate) messages_landed: u64,
    /// Messages that should have landed and did not.
    pub(crate) lost: u64,
    /// Executions beyond the first of each message, and executions that nobody asked for.
    pub(crate) duplicated: u64,
    /// Blocks that the pool's miners submitted, those that a reorg took back included.
    pub(crate) blocks_mined: u64,
    /// Elections that the pool's miners won.
    pub(crate) rounds_won: u64,
    /// How often the head left a branch.
    pub(crate) reorgs: u64,
    /// Epochs that the clock went through.
    pub(crate) epochs: u64,
    /// Epochs without a block on the chain of the head.
    pub(crate) null_rounds: u64,
    /// CID of the head's tipset key.
    pub(crate) head: String,
    /// Height of the head.
    pub(crate) height: u64,
    /// Name of the network.
    pub(crate) network: String,
    /// The seed.
    pub(crate) seed: u64,
    /// Whether no attoFIL appeared or vanished since genesis.
    pub(crate) supply_conserved: bool,
    /// The first of those that are lost.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) failures: Vec<Failure>,
}

impl Report {
    /// Whether every message landed exactly once and the books balance.
    pub(crate) fn is_success(&self) -> bool {
        self.lost == 0 && self.duplicated == 0 && self.messages_sent > 0 && self.supply_conserved
    }

    /// What is wrong with the result and what to do about it, a line each; nothing for a success.
    pub(crate) fn complaints(&self) -> Vec<String> {
        if self.is_success() {
            return Vec::new();
        }
        let mut lines: Vec<_> = self.failures.iter().map(Failure::line).collect();
        let named = u64::try_from(self.failures.len()).unwrap_or(u64::MAX);
        let more = self.lost.saturating_sub(named);
        if more > 0 {
            lines.push(format!("error: {more} more messages did not land"));
        }
        if self.duplicated > 0 {
            lines.push(format!("error: {} executions more than asked for", self.duplicated));
        }
        if !self.supply_conserved {
            lines.push("error: the balances do not sum up to the supply of the genesis".into());
        }
        lines.push(
            "hint: the same arguments give the same result again; run with another --seed or with more --epochs on \
             another --dir, and report the arguments of this run"
                .into(),
        );
        lines
    }

    /// The table for people.
    pub(crate) fn table(&self) -> Table {
        let mut table = Table::new();
        table.load_preset(presets::UTF8_FULL_CONDENSED).set_header(["result", ""]);
        table.add_row(["messages sent", &self.messages_sent.to_string()]);
        table.add_row(["messages landed", &self.messages_landed.to_string()]);
        table.add_row(["lost", &self.lost.to_string()]);
        table.add_row(["duplicated", &self.duplicated.to_string()]);
        table.add_row(["blocks mined", &self.blocks_mined.to_string()]);
        table.add_row(["rounds won", &self.rounds_won.to_string()]);
        table.add_row(["reorgs", &self.reorgs.to_string()]);
        table.add_row(["epochs", &self.epochs.to_string()]);
        table.add_row(["null rounds", &self.null_rounds.to_string()]);
        table.add_row(["height", &self.height.to_string()]);
        table.add_row(["head", &self.head]);
        table.add_row(["network", &self.network]);
        table.add_row(["seed", &self.seed.to_string()]);
        table.add_row(["supply conserved", if self.supply_conserved { "yes" } else { "no" }]);
        if let Some(values) = table.column_mut(1) {
            values.set_cell_alignment(CellAlignment::Right);
        }
        table
    }
}

impl Failure {
    fn line(&self) -> String {
        let Self { id, state, reason, .. } = self;
        match self.exit_code {
            Some(code) => format!("error: message {id:?} is {state} with exit code {code}: {reason}"),
            None => format!("error: message {id:?} is {state}: {reason}"),
        }
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    pub(crate) fn sample() -> Report {
        Report {
            messages_sent: 10,
            messages_landed: 10,
            lost: 0,
            duplicated: 0,
            blocks_mined: 12,
            rounds_won: 12,
            reorgs: 1,
            epochs: 8,
            null_rounds: 1,
            head: "bafy".into(),
            height: 8,
            network: "localnet".into(),
            seed: 7,
            supply_conserved: true,
            failures: Vec::new(),
        }
    }

    #[test]
    fn a_failed_result_says_what_failed() {
        assert_eq!(sample().complaints(), Vec::<String>::new());
        let (id, state, reason) = ("demo-7-3".into(), "landed".into(), "out of gas".into());
        let failures = vec![Failure { id, state, exit_code: Some(7), reason }];
        let failed = Report { lost: 2, duplicated: 1, supply_conserved: false, failures, ..sample() };
        let text = failed.complaints().join("\n");
        for word in
            ["\"demo-7-3\" is landed with exit code 7: out of gas", "1 more messages", "supply", "--seed"]
        {
            assert!(text.contains(word), "{word} is missing in\n{text}");
        }
        let line = serde_json::to_string(&failed).unwrap();
        assert_eq!(serde_json::from_str::<Report>(&line).unwrap(), failed);
    }

    #[test]
    fn success_needs_each_message_once_and_balanced_books() {
        assert!(sample().is_success());
        assert!(!Report { lost: 1, ..sample() }.is_success());
        assert!(!Report { duplicated: 1, ..sample() }.is_success());
        assert!(!Report { supply_conserved: false, ..sample() }.is_success());
    }

    #[test]
    fn json_is_one_line_that_reads_back() {
        let line = serde_json::to_string(&sample()).unwrap();
        assert!(line.starts_with(r#"{"messages_sent":10,"messages_landed":10,"lost":0,"duplicated":0,"#));
        assert!(!line.contains('\n') && !line.contains("failures"));
        assert_eq!(serde_json::from_str::<Report>(&line).unwrap(), sample());
    }

    #[test]
    fn the_table_has_every_number() {
        let text = sample().table().to_string();
        for word in ["messages landed", "reorgs", "bafy", "localnet", "yes"] {
            assert!(text.contains(word), "{word} is missing in\n{text}");
        }
    }
}
