//! Counting what the chain executed, by reading the chain alone: neither the messager's nor the mempool's word counts.

use std::collections::{HashMap, HashSet};

use venus_core::api::ChainReader;
use venus_core::types::{Address, Message, TipsetKey, TokenAmount};

use super::error::DemoError;
use super::plan::Transfer;

/// What tells one transfer from all others.
type Mark = (Address, Address, TokenAmount);

/// What the chain of the head says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Audit {
    /// Transfers that were executed with success at least once.
    pub(crate) landed: u64,
    /// Names of the transfers that were not.
    pub(crate) missing: Vec<String>,
    /// Executions beyond the first of each transfer, and of messages that are in no plan.
    pub(crate) duplicated: u64,
    /// Height of the head.
    pub(crate) height: u64,
    /// Epochs up to the head that have no block.
    pub(crate) null_rounds: u64,
}

/// Walks from `head` to genesis. The head's own messages do not count yet: they are executed by the block after it.
///
/// # Errors
/// If the chain cannot be read or contradicts itself.
pub(crate) async fn audit(
    chain: &dyn ChainReader,
    head: &TipsetKey,
    plan: &[Transfer],
) -> Result<Audit, DemoError> {
    let senders: HashSet<Address> = plan.iter().map(|t| t.from).collect();
    let mut executed: HashMap<Mark, u64> = HashMap::new();
    let mut tipset = chain.tipset(head).await?;
    let height = u64::try_from(tipset.height()).unwrap_or_default();
    let mut with_blocks = 0;
    while tipset.height() > 0 {
        with_blocks += 1;
        for message in executed_below(chain, &tipset).await? {
            if senders.contains(&message.from) {
                *executed.entry((message.from, message.to, message.value)).or_default() += 1;
            }
        }
        tipset = chain.tipset(&tipset.parents()).await?;
    }
    Ok(Audit { height, null_rounds: height.saturating_sub(with_blocks), ..compare(executed, plan) })
}

/// Messages of the parents of a tipset that succeeded.
async fn executed_below(
    chain: &dyn ChainReader,
    tipset: &venus_core::types::Tipset,
) -> Result<Vec<Message>, DemoError> {
    let Some(block) = tipset.cids().first() else { return Ok(Vec::new()) };
    let messages = chain.parent_messages(block).await?;
    let receipts = chain.parent_receipts(block).await?;
    if messages.len() != receipts.len() {
        let (m, r) = (messages.len(), receipts.len());
        return Err(DemoError::Corrupt(format!("{m} messages and {r} receipts below block {block}")));
    }
    let both = messages.into_iter().zip(receipts);
    Ok(both.filter(|(_, receipt)| receipt.exit_code.is_success()).map(|((_, message), _)| message).collect())
}

fn compare(mut executed: HashMap<Mark, u64>, plan: &[Transfer]) -> Audit {
    let mut audit = Audit::default();
    for transfer in plan {
        match executed.remove(&(transfer.from, transfer.to, transfer.value.clone())) {
            Some(times) => {
                audit.landed += 1;
                audit.duplicated += times - 1;
            }
            None => audit.missing.push(transfer.id.clone()),
        }
    }
    audit.duplicated += executed.into_values().sum::<u64>();
    audit
}

#[cfg(test)]
mod tests {
    use super::*;

    fn transfer(value: u64) -> Transfer {
        let (from, to) = (Address::new_id(100), Address::new_id(101));
        Transfer { id: value.to_string(), from, to, value: TokenAmount::from_atto(value), due: 1 }
    }

    #[test]
    fn each_kind_of_failure_is_counted() {
        let plan: Vec<_> = (1..=3).map(transfer).collect();
        let mark = |value| {
            let t = transfer(value);
            (t.from, t.to, t.value)
        };
        let executed = HashMap::from([(mark(1), 1), (mark(2), 3), (mark(9), 1)]);
        let audit = compare(executed, &plan);
        assert_eq!((audit.landed, audit.duplicated), (2, 3));
        assert_eq!(audit.missing, ["3"]);
    }
}
