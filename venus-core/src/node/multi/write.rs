//! Messages and blocks for several nodes.

use std::sync::Arc;

use async_trait::async_trait;
use cid::Cid;
use futures::future::BoxFuture;
use futures::stream::FuturesUnordered;
use futures::{FutureExt, StreamExt};
use fvm_shared::address::Address;
use fvm_shared::clock::ChainEpoch;

use super::member::{Member, is_outage};
use super::read::ask;
use super::{MultiNode, Shared};
use crate::api::{BlockProducer, ChainError, MessagePool};
use crate::error::{Classify, ErrorKind};
use crate::types::{BlockMsg, BlockTemplate, MiningBaseInfo, SignedMessage, TipsetKey};

/// What each node answered to the same messages.
type Answers = Vec<Result<Cid, ChainError>>;

#[async_trait]
impl MessagePool for MultiNode {
    async fn push(&self, message: &SignedMessage) -> Result<Cid, ChainError> {
        let mut answers = self.push_many(std::slice::from_ref(message)).await;
        answers.pop().unwrap_or_else(|| Err(no_node()))
    }

    async fn pending(&self) -> Result<Vec<SignedMessage>, ChainError> {
        ask!(self, node => node.pending())
    }

    async fn next_nonce(&self, sender: &Address) -> Result<u64, ChainError> {
        ask!(self, node => node.next_nonce(sender))
    }

    /// Offers all messages to all nodes. Returns when each message was taken by a node, or when all have answered.
    async fn push_many(&self, messages: &[SignedMessage]) -> Answers {
        if messages.is_empty() {
            return Vec::new();
        }
        let messages: Arc<[SignedMessage]> = messages.to_vec().into();
        let members = self.0.by_merit().into_iter().filter(|member| !member.is_foreign());
        let mut pushes: FuturesUnordered<_> =
            (0..).zip(members).map(|(rank, member)| offer(rank, member, messages.clone())).collect();
        let mut best: Vec<Option<(usize, Result<Cid, ChainError>)>> = messages.iter().map(|_| None).collect();
        while let Some((rank, answers)) = pushes.next().await {
            for (slot, answer) in best.iter_mut().zip(answers) {
                if slot.as_ref().is_none_or(|(old, said)| is_better(rank, &answer, *old, said)) {
                    *slot = Some((rank, answer));
                }
            }
            if best.iter().all(|slot| slot.as_ref().is_some_and(|(_, said)| said.is_ok())) {
                break;
            }
        }
        self.0.go_on(pushes.map(drop).collect::<()>().boxed());
        best.into_iter().map(|slot| slot.map_or_else(|| Err(no_node()), |(_, said)| said)).collect()
    }
}

fn offer(
    rank: usize,
    member: Arc<Member>,
    messages: Arc<[SignedMessage]>,
) -> BoxFuture<'static, (usize, Answers)> {
    async move {
        let answers = member.node.push_many(&messages).await;
        for answer in &answers {
            member.learn(answer);
        }
        (rank, answers)
    }
    .boxed()
}

/// Whether a node's answer counts more than another's: success, then refusals, then outages; among like ones the
/// better node's.
fn is_better(
    rank: usize,
    answer: &Result<Cid, ChainError>,
    other_rank: usize,
    other: &Result<Cid, ChainError>,
) -> bool {
    let value = |answer: &Result<Cid, ChainError>| match answer {
        Ok(_) => 2,
        Err(error) if !is_outage(error) => 1,
        Err(_) => 0,
    };
    (value(answer), std::cmp::Reverse(rank)) > (value(other), std::cmp::Reverse(other_rank))
}

fn no_node() -> ChainError {
    ChainError::Invalid("no node of this network".into())
}

#[async_trait]
impl BlockProducer for MultiNode {
    async fn base_info(
        &self,
        miner: &Address,
        epoch: ChainEpoch,
        base: &TipsetKey,
    ) -> Result<Option<MiningBaseInfo>, ChainError> {
        ask!(self, node => node.base_info(miner, epoch, base), |e| e.kind() == ErrorKind::NotFound)
    }

    async fn select_messages(
        &self,
        base: &TipsetKey,
        ticket_qualities: &[f64],
    ) -> Result<Vec<Vec<SignedMessage>>, ChainError> {
        let mut failure = no_node();
        for member in self.0.usable(None) {
            let result = member.node.select_messages(base, ticket_qualities).await;
            let outage = member.learn(&result);
            match result {
                Ok(lists) => {
                    self.0.selected.replace(base.clone(), member.index);
                    return Ok(lists);
                }
                Err(error) if outage || error.kind() == ErrorKind::NotFound => failure = error,
                Err(error) => return Err(error),
            }
        }
        Err(failure)
    }

    /// At the node that selected messages on the same base, for it has them.
    async fn create_block(&self, template: &BlockTemplate) -> Result<BlockMsg, ChainError> {
        let mut failure = no_node();
        for member in self.0.usable(self.0.selected.get(&template.parents)) {
            let result = member.node.create_block(template).await;
            let outage = member.learn(&result);
            match result {
                Ok(block) => {
                    self.0.made.replace((template.miner, template.epoch), member.index);
                    return Ok(block);
                }
                Err(error) if outage || error.kind() == ErrorKind::NotFound => failure = error,
                Err(error) => return Err(error),
            }
        }
        Err(failure)
    }

    /// At the node that made it, whose answer counts; then at all others, whose answers do not.
    async fn submit_block(&self, block: &BlockMsg) -> Result<(), ChainError> {
        let mut members =
            self.0.usable(self.0.made.get(&(block.header.miner, block.header.height))).into_iter();
        let mut failure = no_node();
        for member in members.by_ref() {
            let result = member.node.submit_block(block).await;
            let outage = member.learn(&result);
            match result {
                Ok(()) => {
                    self.0.tell_others(members.collect(), block);
                    return Ok(());
                }
                Err(error) if outage => failure = error,
                Err(error) => return Err(error),
            }
        }
        Err(failure)
    }
}

impl Shared {
    /// The nodes that may be asked, `first` before all others.
    fn usable(&self, first: Option<usize>) -> Vec<Arc<Member>> {
        let members = self.beginning_with(first);
        members.into_iter().filter(|member| !member.is_foreign()).collect()
    }

    /// Lets calls run whose answers nobody waits for, unless too many do already.
    fn go_on(&self, calls: BoxFuture<'static, ()>) {
        let Ok(permit) = self.behind.clone().try_acquire_owned() else { return };
        self.run(async move {
            calls.await;
            drop(permit);
        });
    }

    fn tell_others(&self, others: Vec<Arc<Member>>, block: &BlockMsg) {
        let block = Arc::new(block.clone());
        for member in others {
            let block = block.clone();
            let tell = async move {
                if let Err(error) = member.node.submit_block(&block).await {
                    tracing::debug!(node = member.index, %error, "block not taken by another node");
                }
            };
            self.go_on(tell.boxed());
        }
    }
}
