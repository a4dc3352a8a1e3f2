//! What a wallet is told of its registration.

use serde_json::to_vec;
use venus_core::types::Address;
use venus_core::types::gateway::{EXT_REPORT, RegisterRefusal, RegisterReport};

use crate::channel::{Channel, NotSent};
use crate::error::{HubError, text};
use crate::hub::Hub;

/// Refusals in one report. A wallet with more has one cause, which it has read by then.
const REFUSALS: usize = 1000;

/// What was not taken. Bounded.
#[derive(Debug, Default)]
pub(crate) struct Refusals {
    list: Vec<RegisterRefusal>,
    left_out: usize,
    hint: Option<&'static str>,
}

impl Refusals {
    pub(crate) fn address(&mut self, address: &Address, reason: &str) {
        self.subject(text(address), reason);
    }

    pub(crate) fn subject(&mut self, subject: String, reason: &str) {
        if self.list.len() < REFUSALS {
            self.list.push(RegisterRefusal { subject, reason: bounded(reason, 300) });
        } else {
            self.left_out += 1;
        }
    }

    /// What the operator may do about it.
    pub(crate) fn hint(&mut self, hint: &'static str) {
        self.hint = Some(hint);
    }

    /// All in a few words.
    pub(crate) fn summary(&self) -> Option<String> {
        let first = self.list.first()?;
        let more = match self.list.len() + self.left_out {
            1 => String::new(),
            n => format!(" (and {} more)", n - 1),
        };
        let hint = self.hint.map(|hint| format!("; {hint}")).unwrap_or_default();
        Some(format!("not taken: {}: {}{more}{hint}", first.subject, first.reason))
    }
}

impl Hub {
    /// Tells a wallet that understands it what was not taken. One that does not take its events loses only this.
    pub(crate) fn report(&self, channel: &Channel, refusals: &Refusals) {
        if !channel.understands(EXT_REPORT) {
            return;
        }
        let report = RegisterReport { refused: refusals.list.clone() };
        if let Err(error) = self.tell(channel, "RegisterReport", &report) {
            tracing::debug!(account = %channel.provider.account, "a report was not sent: {error}");
        }
    }

    /// Sends what nobody answers.
    pub(crate) fn tell(
        &self,
        channel: &Channel,
        method: &'static str,
        payload: &impl serde::Serialize,
    ) -> Result<(), HubError> {
        let payload = to_vec(payload).map_err(|error| HubError::Decode(error.to_string()))?;
        channel.tell(self.options().id()?, method, payload).map_err(|error| match error {
            NotSent::Full => HubError::Overloaded,
            NotSent::Gone => HubError::NoChannel(channel.id),
        })
    }
}

/// A text of somebody else, as much of it as anybody reads.
pub(crate) fn bounded(text: &str, most: usize) -> String {
    let mut end = text.len().min(most);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text.get(..end).unwrap_or_default().to_owned()
}
