//! Making room when too many messages wait.

use std::collections::HashSet;
use std::time::Duration;

use cid::Cid;
use fvm_shared::address::Address;
use fvm_shared::econ::TokenAmount;
use venus_core::consensus::base_fee::MINIMUM_BASE_FEE;

use super::Pool;
use super::chains::{MessageChain, chains_of};
use crate::chain::Chain;

/// The base fee may fall: what pays this part of it has a prospect.
const BASE_FEE_PROSPECT: i64 = 10;

impl Pool {
    /// Whether another message of this sender would be one too many.
    pub(super) fn is_full_for(&self, chain: &Chain, sender: &Address) -> bool {
        let high = usize::try_from(self.config.size_limit_high).unwrap_or(usize::MAX);
        self.len() >= high && !self.priority(chain).contains(sender)
    }

    /// Whether the last pruning was long enough ago.
    pub(super) fn may_prune(&self, now: Duration) -> bool {
        let cooldown = Duration::from_nanos(self.config.prune_cooldown.try_into().unwrap_or_default());
        self.pruned_at.is_none_or(|last| now >= last.saturating_add(cooldown))
    }

    /// Drops the messages that pay worst, and those that cannot be sent, until the lower limit is reached. Those of
    /// priority senders stay.
    pub(super) fn prune(&mut self, chain: &Chain, now: Duration) {
        self.pruned_at = Some(now);
        let kept = self.worth_keeping(chain);
        let all = self.by_cid.values().map(|m| (m.cid, m.sender, m.nonce()));
        let dropped: Vec<_> = all.filter(|(cid, ..)| !kept.contains(cid)).collect();
        for (_, sender, nonce) in dropped {
            self.remove(&sender, nonce);
        }
    }

    fn worth_keeping(&self, chain: &Chain) -> HashSet<Cid> {
        let priority = self.priority(chain);
        let (first, others): (Vec<_>, Vec<_>) = self.queues.iter().partition(|(s, _)| priority.contains(s));
        let mut kept: HashSet<Cid> = first.iter().flat_map(|(_, q)| q.values()).map(|m| m.cid).collect();
        let Ok(executed) = chain.execute(chain.head()) else { return self.by_cid.keys().copied().collect() };
        let prospect = executed.next_base_fee.div_floor(BASE_FEE_PROSPECT);
        let prospect = prospect.max(TokenAmount::from_atto(MINIMUM_BASE_FEE));
        let of_sender = |(sender, queue): (&Address, _)| {
            let actor = executed.state.find(sender).map(|(_, actor)| actor);
            actor.map(|actor| chains_of(queue, actor, &prospect)).unwrap_or_default()
        };
        let mut chains: Vec<MessageChain> = others.into_iter().flat_map(of_sender).collect();
        chains.sort_by(MessageChain::best_first);
        let low = usize::try_from(self.config.size_limit_low).unwrap_or_default();
        let room = low.saturating_sub(kept.len());
        kept.extend(chains.iter().flat_map(|chain| &chain.messages).take(room).map(|m| m.cid));
        kept
    }
}
