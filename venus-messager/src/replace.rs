//! Replacing: a further attempt with the same nonce and higher fees. The attempts before stay, and any may land.

use fvm_shared::econ::TokenAmount;
use fvm_shared::message::Message;
use venus_core::api::{MessagerError, ReplaceFees};
use venus_core::types::{Cid, MessageExt};

use crate::messager::Inner;
use crate::node::inclusion_gas;
use crate::offer::Offered;
use crate::state::{Event, RowState, Step, plan};
use crate::store::{StoredMessage, Swap};

/// Premium of a replacement in percent of the premium before (`ReplaceByFeePercentageDefault` of Lotus). Nodes may be
/// configured for less, not for more.
const REPLACE_PERCENT: u64 = 125;

/// The least premium that replaces `old`, attoFIL.
pub(crate) fn min_premium(old: &TokenAmount) -> TokenAmount {
    // Rounded down plus one, as Lotus computes it, so that a premium of zero is replaceable too.
    TokenAmount::from_atto(old.atto() * REPLACE_PERCENT / 100 + 1)
}

fn invalid(reason: impl std::fmt::Display) -> MessagerError {
    MessagerError::Invalid(reason.to_string())
}

impl Inner {
    pub(crate) async fn replace(&self, id: &str, fees: &ReplaceFees) -> Result<Cid, MessagerError> {
        let sender = self.load(id).await?.sender;
        let lane = self.lane(&sender);
        let _turn = lane.lock().await;
        let row = self.load(id).await?;
        let refused = || MessagerError::State { id: id.to_owned(), state: row.state.public() };
        if !matches!(plan(row.state, Event::Replace), Step::Go(_)) {
            return Err(refused());
        }
        let message = self.replacement(&row, fees).await?;
        let signed = self.sign(&message).await?;
        message
            .check_for_block(inclusion_gas(&signed))
            .and_then(|()| signed.check_size())
            .map_err(invalid)?;
        if self.store.add_attempt(row.seq, row.attempts.len(), &signed).await? == Swap::Stale {
            // It landed while we signed, or another messager replaced it. The signature is thrown away.
            let state = self.load(id).await?.state;
            return Err(MessagerError::State { id: id.to_owned(), state: state.public() });
        }
        self.hub.changed([row.seq]);
        if let Offered::Refused(error) | Offered::Unreachable(error) = self.push_signed(&signed).await {
            let row = StoredMessage { state: RowState::Filled, ..row };
            self.note(&row, Some(&error)).await?;
        }
        Ok(signed.cid())
    }

    /// The message with its new fees.
    async fn replacement(&self, row: &StoredMessage, fees: &ReplaceFees) -> Result<Message, MessagerError> {
        let Some(last) = row.attempts.last() else {
            return Err(MessagerError::Corrupt(format!("message {:?} is filled without an attempt", row.id)));
        };
        if row.attempts.len() >= self.config.max_attempts {
            return Err(invalid(format_args!("message has {} attempts already", row.attempts.len())));
        }
        let least =
            row.attempts.iter().map(|a| min_premium(&a.message.gas_premium)).max().unwrap_or_default();
        let mut message = last.message.clone();
        message.gas_limit = fees.gas_limit.unwrap_or(message.gas_limit);
        message.gas_premium = fees.gas_premium.clone().unwrap_or_else(|| least.clone());
        if message.gas_premium < least {
            return Err(invalid(format_args!("gas_premium: at least {} attoFIL replaces", least.atto())));
        }
        let old_cap = std::mem::take(&mut message.gas_fee_cap);
        message.gas_fee_cap = match &fees.gas_fee_cap {
            Some(cap) => cap.clone(),
            None => self.raised_cap(row, &message, old_cap).await?,
        };
        message.check_for_block(0).map_err(invalid)?;
        Ok(message)
    }

    /// A fee cap that covers the premium and today's base fee, within the caller's bound on the whole fee. Never
    /// lower than before.
    async fn raised_cap(
        &self,
        row: &StoredMessage,
        message: &Message,
        old_cap: TokenAmount,
    ) -> Result<TokenAmount, MessagerError> {
        let spec = &row.request.spec.gas;
        // Without an estimate the premium decides: a replacement must be possible while estimating fails.
        let estimate = self.ask("estimate", self.deps.gas.estimate(message, spec)).await;
        let estimated = estimate.map(|m| m.gas_fee_cap).unwrap_or_default();
        let cap = old_cap.max(estimated).max(message.gas_premium.clone());
        let bound = &spec.max_fee;
        if *bound > TokenAmount::default() && &cap * message.gas_limit > *bound {
            return Err(invalid(format_args!(
                "gas_fee_cap: {} attoFIL a unit would exceed the max_fee of {} attoFIL",
                cap.atto(),
                bound.atto()
            )));
        }
        Ok(cap)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn least_premium_is_a_quarter_more_and_never_the_same() {
        for (old, new) in [(0, 1), (1, 2), (3, 4), (4, 6), (100_000, 125_001)] {
            assert_eq!(min_premium(&TokenAmount::from_atto(old)), TokenAmount::from_atto(new));
        }
    }
}
