//! Following the head.

use std::sync::Arc;

use auto_impl::auto_impl;
use futures::stream::BoxStream;

use super::{ChainError, ChainReader};
use crate::types::{Tipset, TipsetKey};

/// A move of the head: first undo `revert`, newest first, then do `apply`, oldest first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HeadChange {
    /// Tipsets that left the chain, newest first.
    pub revert: Vec<Arc<Tipset>>,
    /// Tipsets that joined the chain, oldest first.
    pub apply: Vec<Arc<Tipset>>,
}

impl HeadChange {
    /// Whether nothing moved.
    pub fn is_empty(&self) -> bool {
        self.revert.is_empty() && self.apply.is_empty()
    }
}

/// What a [`HeadFeed`] delivers.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum HeadEvent {
    /// Where the chain stands when a feed without a past begins.
    Current(Arc<Tipset>),
    /// The head moved.
    Change(HeadChange),
    /// The way from what was seen last to what stands now is not known: start over from `now`.
    Gap {
        /// What the consumer saw last.
        last_seen: TipsetKey,
        /// Where the chain stands now.
        now: Arc<Tipset>,
    },
}

/// Where a feed begins.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Resume {
    /// At the head: the first event is [`HeadEvent::Current`].
    #[default]
    Head,
    /// Behind a tipset that was seen: the first event is the change from there to the head, empty if the head
    /// is that tipset, or a [`HeadEvent::Gap`].
    From(TipsetKey),
}

/// Events of one subscription. Ends when the node shuts down; dropping it ends the subscription.
pub type HeadStream = BoxStream<'static, Result<HeadEvent, ChainError>>;

/// A stream of head changes without gaps.
///
/// Applied one after the other, the events always lead to a head that the node had, across reconnects too. A
/// consumer that is too slow gets several changes folded into one, or a [`HeadEvent::Gap`]; never a silent loss.
/// An error ends the stream; subscribe again with [`Resume::From`].
///
/// # Implementing
/// Run `testing::suites::head_feed`.
#[auto_impl(&, Arc, Box)]
pub trait HeadFeed: Send + Sync {
    /// Subscribes.
    fn heads(&self, from: Resume) -> HeadStream;
}

/// The way from one tipset to another, by walking parents. See [`ChainReader::path`].
///
/// # Errors
/// [`ChainError::TipsetNotFound`] if a tipset on the way is not known; [`ChainError::Corrupt`] if the two have
/// no common ancestor.
pub async fn path_between<C: ChainReader + ?Sized>(
    chain: &C,
    from: &TipsetKey,
    to: &TipsetKey,
) -> Result<HeadChange, ChainError> {
    let (mut old, mut new) = (chain.tipset(from).await?, chain.tipset(to).await?);
    let mut change = HeadChange::default();
    while old.key() != new.key() {
        if old.height() == 0 && new.height() == 0 {
            return Err(ChainError::Corrupt("two genesis tipsets".into()));
        }
        // The higher one steps down first, both when level: siblings of one height meet at their parent.
        let (step_old, step_new) = (old.height() >= new.height(), new.height() >= old.height());
        if step_old {
            let parent = chain.tipset(&old.parents()).await?;
            change.revert.push(std::mem::replace(&mut old, parent));
        }
        if step_new {
            let parent = chain.tipset(&new.parents()).await?;
            change.apply.push(std::mem::replace(&mut new, parent));
        }
    }
    change.apply.reverse();
    Ok(change)
}
