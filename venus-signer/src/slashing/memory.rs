//! Slots in memory, gone with the process.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use venus_core::error::BoxError;

use super::store::SLACK;
use super::{BlockSlot, Entry, KEEP, Merged, Reserved, SlashingStore, Slot, Summary, VoteSlot};

type Hash = [u8; 32];

/// A [`SlashingStore`] for tests and short-lived tools: what it promised is forgotten with its last clone. Keys whose
/// blocks count belong behind a store on disk.
#[derive(Clone, Debug)]
pub struct MemorySlashing {
    network: String,
    keep: usize,
    state: Arc<Mutex<State>>,
}

#[derive(Clone, Debug, Default)]
struct State {
    miners: BTreeMap<u64, Miner>,
    voters: BTreeMap<(String, String), Voter>,
}

#[derive(Clone, Debug, Default)]
struct Miner {
    floor: Option<i64>,
    heights: BTreeMap<i64, (Hash, Hash)>,
    parents: BTreeMap<Hash, (i64, Hash)>,
}

#[derive(Clone, Debug, Default)]
struct Voter {
    floor: Option<u64>,
    votes: BTreeMap<(u64, u64, u8), Hash>,
}

impl MemorySlashing {
    /// An empty history of a network.
    pub fn new(network: impl Into<String>) -> Self {
        Self::with_bound(network, KEEP)
    }

    /// As [`MemorySlashing::new`], keeping so many slots a miner or key.
    pub fn with_bound(network: impl Into<String>, keep: u32) -> Self {
        Self { network: network.into(), keep: keep.max(1) as usize, state: Arc::default() }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Miner {
    /// Who else has one of the slots: the height of that block.
    fn taken_by_other(&self, slot: &BlockSlot) -> Option<i64> {
        let at_height = self.heights.get(&slot.height).filter(|(_, header)| *header != slot.header);
        let on_parents = self.parents.get(&slot.parents).filter(|(_, header)| *header != slot.header);
        at_height.map(|_| slot.height).or(on_parents.map(|(height, _)| *height))
    }

    fn has(&self, slot: &BlockSlot) -> bool {
        self.heights.contains_key(&slot.height) && self.parents.contains_key(&slot.parents)
    }

    fn insert(&mut self, slot: &BlockSlot) {
        self.heights.entry(slot.height).or_insert((slot.parents, slot.header));
        self.parents.entry(slot.parents).or_insert((slot.height, slot.header));
    }

    fn prune(&mut self, keep: usize) {
        if self.heights.len() <= keep.saturating_add(SLACK as usize) {
            return;
        }
        let Some(cut) = self.heights.keys().rev().nth(keep).copied() else { return };
        self.heights.retain(|height, _| *height > cut);
        self.parents.retain(|_, (height, _)| *height > cut);
        self.floor = self.floor.max(Some(cut));
    }
}

impl Voter {
    fn prune(&mut self, keep: usize) {
        if self.votes.len() <= keep.saturating_add(SLACK as usize) {
            return;
        }
        let Some((cut, ..)) = self.votes.keys().rev().nth(keep).copied() else { return };
        self.votes.retain(|(instance, ..), _| *instance > cut);
        self.floor = self.floor.max(Some(cut));
    }
}

impl State {
    fn voter(&mut self, signer: &str, network: &str) -> &mut Voter {
        self.voters.entry((signer.into(), network.into())).or_default()
    }

    fn take_block(&mut self, slot: &BlockSlot, keep: usize) -> Reserved {
        let miner = self.miners.entry(slot.miner).or_default();
        if let Some(height) = miner.taken_by_other(slot) {
            return Reserved::Other { height };
        }
        if miner.has(slot) {
            return Reserved::Again;
        }
        if let Some(floor) = miner.floor.filter(|floor| slot.height <= *floor) {
            return Reserved::Below { floor };
        }
        miner.insert(slot);
        miner.prune(keep);
        Reserved::New
    }

    fn take_vote(&mut self, slot: &VoteSlot, keep: usize) -> Reserved {
        let voter = self.voter(&slot.signer, &slot.network);
        match voter.votes.get(&(slot.instance, slot.round, slot.phase)) {
            Some(payload) if *payload == slot.payload => return Reserved::Again,
            Some(_) => return Reserved::Other { height: 0 },
            None => {}
        }
        if let Some(floor) = voter.floor.filter(|floor| slot.instance <= *floor) {
            return Reserved::Below { floor: i64::try_from(floor).unwrap_or(i64::MAX) };
        }
        voter.votes.insert((slot.instance, slot.round, slot.phase), slot.payload);
        voter.prune(keep);
        Reserved::New
    }

    fn merge(&mut self, entry: &Entry, keep: usize, merged: &mut Merged) {
        let count = match entry {
            Entry::Block(slot) => {
                let miner = self.miners.entry(slot.miner).or_default();
                let other = miner.taken_by_other(slot).is_some();
                let known = miner.has(slot);
                miner.insert(slot);
                miner.floor = miner.floor.max(Some(slot.height));
                miner.prune(keep);
                counter(merged, other, known)
            }
            Entry::Vote(slot) => {
                let voter = self.voter(&slot.signer, &slot.network);
                let step = (slot.instance, slot.round, slot.phase);
                let found = voter.votes.get(&step).copied();
                voter.votes.entry(step).or_insert(slot.payload);
                voter.floor = voter.floor.max(Some(slot.instance));
                voter.prune(keep);
                counter(merged, found.is_some_and(|payload| payload != slot.payload), found.is_some())
            }
            Entry::MinerFloor { miner, height } => {
                let floor = &mut self.miners.entry(*miner).or_default().floor;
                let known = *floor >= Some(*height);
                *floor = (*floor).max(Some(*height));
                counter(merged, false, known)
            }
            Entry::VoterFloor { signer, network, instance } => {
                let floor = &mut self.voter(signer, network).floor;
                let known = *floor >= Some(*instance);
                *floor = (*floor).max(Some(*instance));
                counter(merged, false, known)
            }
        };
        *count = count.saturating_add(1);
    }

    /// Everything, sorted. A store for tests need not be clever about pages.
    fn entries(&self) -> BTreeSet<Entry> {
        let mut all = BTreeSet::new();
        for (&miner, history) in &self.miners {
            let at = history.heights.iter().map(|(height, (parents, header))| (*height, *parents, *header));
            let on = history.parents.iter().map(|(parents, (height, header))| (*height, *parents, *header));
            all.extend(
                at.chain(on).map(|(height, parents, header)| {
                    Entry::Block(BlockSlot { miner, height, parents, header })
                }),
            );
            all.extend(history.floor.map(|height| Entry::MinerFloor { miner, height }));
        }
        for ((signer, network), history) in &self.voters {
            let (signer, network) = (signer.clone(), network.clone());
            all.extend(history.votes.iter().map(|(&(instance, round, phase), &payload)| {
                let (signer, network) = (signer.clone(), network.clone());
                Entry::Vote(VoteSlot { signer, network, instance, round, phase, payload })
            }));
            all.extend(history.floor.map(|instance| Entry::VoterFloor { signer, network, instance }));
        }
        all
    }
}

fn counter(merged: &mut Merged, other: bool, known: bool) -> &mut u64 {
    match (other, known) {
        (true, _) => &mut merged.conflicting,
        (false, true) => &mut merged.known,
        (false, false) => &mut merged.added,
    }
}

#[async_trait]
impl SlashingStore for MemorySlashing {
    fn network(&self) -> &str {
        &self.network
    }

    async fn take(&self, slot: &Slot) -> Result<Reserved, BoxError> {
        Ok(match slot {
            Slot::Block(slot) => self.lock().take_block(slot, self.keep),
            Slot::Vote(slot) => self.lock().take_vote(slot, self.keep),
        })
    }

    async fn merge(&self, entries: &[Entry]) -> Result<Merged, BoxError> {
        let mut merged = Merged::default();
        let mut state = self.lock();
        entries.iter().for_each(|entry| state.merge(entry, self.keep, &mut merged));
        Ok(merged)
    }

    async fn page(&self, after: Option<&Entry>, limit: u32) -> Result<Vec<Entry>, BoxError> {
        let from = after.map_or(Bound::Unbounded, Bound::Excluded);
        let all = self.lock().entries();
        Ok(all.range::<Entry, _>((from, Bound::Unbounded)).take(limit as usize).cloned().collect())
    }

    async fn summary(&self) -> Result<Vec<Summary>, BoxError> {
        let state = self.lock();
        let number = |instance: u64| i64::try_from(instance).unwrap_or(i64::MAX);
        let miners = state.miners.iter().map(|(miner, history)| Summary {
            name: format!("f0{miner}"),
            floor: history.floor,
            highest: history.heights.keys().next_back().copied(),
            kept: history.heights.len() as u64,
        });
        let voters = state.voters.iter().map(|((signer, network), history)| Summary {
            name: format!("{signer} {network}"),
            floor: history.floor.map(number),
            highest: history.votes.keys().next_back().map(|(instance, ..)| number(*instance)),
            kept: history.votes.len() as u64,
        });
        Ok(miners.chain(voters).collect())
    }
}
