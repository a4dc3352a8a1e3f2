//! Answers of a dry run.

use serde::{Deserialize, Serialize};

use super::config::Action;

/// What a policy would say, and why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Explanation {
    /// Allowed or denied.
    pub decision: Action,
    /// The rule or the clause of the preset that decided: `rule "withdraw"`, `default:mining/proving`.
    pub by: String,
    /// Why it is denied; empty if it is allowed.
    pub reason: String,
    /// The message, then what it proposes or makes, outermost first; one step for other payloads.
    pub steps: Vec<ExplainedStep>,
}

/// What a policy says of a part of a request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExplainedStep {
    /// The part: `miner.WithdrawBalance (16) to f01000`.
    pub what: String,
    /// Allowed or denied.
    pub decision: Action,
    /// What decided.
    pub by: String,
    /// Why it is denied; empty if it is allowed.
    pub reason: String,
}

impl Explanation {
    /// Whether the request would pass.
    pub fn is_allowed(&self) -> bool {
        self.decision == Action::Allow
    }

    /// From the steps, all of which have to pass.
    pub(crate) fn of(steps: Vec<ExplainedStep>) -> Self {
        let decisive = steps.iter().find(|step| step.decision == Action::Deny).or_else(|| steps.first());
        let (decision, by, reason) = match decisive {
            Some(step) => (step.decision, step.by.clone(), step.reason.clone()),
            None => (Action::Allow, "default:allow".into(), String::new()),
        };
        Self { decision, by, reason, steps }
    }

    pub(crate) fn deny(&mut self, by: &str, reason: String) {
        self.decision = Action::Deny;
        self.by = by.into();
        self.reason = reason;
    }
}

impl std::fmt::Display for Explanation {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let word = |decision| if decision == Action::Allow { "allow" } else { "deny" };
        write!(f, "{}: {}", word(self.decision), self.by)?;
        if !self.reason.is_empty() {
            write!(f, "\n{}", self.reason)?;
        }
        for step in &self.steps {
            write!(f, "\n- {}: {} by {}", step.what, word(step.decision), step.by)?;
        }
        Ok(())
    }
}
