//! Whether a node's head is believed.
//!
//! Whatever a node says is the heaviest chain would be everybody's head: one node that lies, or sits on a fork of its
//! own, would capture all users. So where there are others to ask, one of them has to know the parents of a head, and
//! the weight that the head claims has to be one that these parents can have.

use std::sync::Arc;
use std::time::Duration;

use futures::StreamExt;
use futures::stream::FuturesUnordered;
use num_bigint::BigInt;
use tokio::time::timeout;

use super::Shared;
use super::member::Member;
use crate::consensus;
use crate::types::{Tipset, TipsetKey};

/// Nodes that have to be there for one of them to be doubted: of two nobody knows which one is wrong, and one may just
/// be behind.
const ENOUGH: usize = 3;
/// How long a witness may take. Who is slower knows nothing.
const PATIENCE: Duration = Duration::from_secs(5);
/// More bytes than any network has, in bits. Weight grows with the logarithm, so that this is no generous bound.
const MOST_POWER_BITS: usize = 80;

impl Shared {
    /// Whether this may be the head of all.
    pub(super) async fn believes(&self, member: &Member, head: &Tipset) -> bool {
        let others = self.members.iter().filter(|other| other.index != member.index && other.is_up());
        let others: Vec<_> = others.cloned().collect();
        if others.len() + 1 < ENOUGH || head.parents().is_empty() {
            return true;
        }
        if others.iter().any(|other| other.head().is_some_and(|told| told.key() == head.key())) {
            return true;
        }
        let parents = head.parents();
        let mut asked: FuturesUnordered<_> = others.iter().map(|other| known_to(other, &parents)).collect();
        while let Some(known) = asked.next().await {
            if let Some(known) = known {
                return is_plausible(head, &known);
            }
        }
        tracing::warn!(
            node = member.index,
            height = head.height(),
            "no other node knows the parents of this node's head: it is not believed"
        );
        false
    }
}

async fn known_to(member: &Member, key: &TipsetKey) -> Option<Arc<Tipset>> {
    timeout(PATIENCE, member.node.tipset(key)).await.ok()?.ok()
}

/// Whether children of `parents` can have the weight that `head` claims.
fn is_plausible(head: &Tipset, parents: &Tipset) -> bool {
    let wins = parents.blocks().iter().filter_map(|block| Some(block.election_proof.as_ref()?.win_count));
    let power = BigInt::from(1) << MOST_POWER_BITS;
    let most = consensus::weight::weight(parents.parent_weight(), &power, wins);
    let plausible = most.is_ok_and(|most| *head.parent_weight() <= most);
    if !plausible {
        tracing::warn!(
            height = head.height(),
            "a node's head claims more weight than its parents can give it"
        );
    }
    plausible
}
