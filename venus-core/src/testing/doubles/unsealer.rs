//! An unsealer that works when asked.

use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::Mutex;

use async_trait::async_trait;
use cid::Cid;
use fvm_shared::address::Address;

use super::lock;
use crate::api::{PieceUnsealer, UnsealError, UnsealRequest, UnsealState};

/// Takes each request one state further every time it is asked for, and moves no bytes.
#[derive(Debug)]
pub struct ScriptedUnsealer {
    miners: HashSet<Address>,
    script: Mutex<Script>,
}

#[derive(Debug, Default)]
struct Script {
    works: HashMap<UnsealRequest, UnsealState>,
    failures: VecDeque<UnsealError>,
    hopeless: HashSet<Cid>,
    held: bool,
}

impl ScriptedUnsealer {
    /// An unsealer of these miners.
    pub fn new(miners: impl IntoIterator<Item = Address>) -> Self {
        Self { miners: miners.into_iter().collect(), script: Mutex::default() }
    }

    /// Makes one later call fail. Failures are used up in the order given.
    pub fn fail_next(&self, error: UnsealError) {
        lock(&self.script).failures.push_back(error);
    }

    /// Makes the work on a piece end with [`UnsealState::Failed`] when it would begin.
    pub fn give_up(&self, piece: Cid) {
        lock(&self.script).hopeless.insert(piece);
    }

    /// While held, all works stay where they are.
    pub fn hold(&self, held: bool) {
        lock(&self.script).held = held;
    }

    /// Forgets works that are over, so that the same requests start anew.
    pub fn forget_finished(&self) {
        lock(&self.script).works.retain(|_, state| !state.is_final());
    }

    /// How many works there are.
    pub fn works(&self) -> usize {
        lock(&self.script).works.len()
    }
}

impl Script {
    fn after(&self, state: UnsealState, piece: &Cid) -> UnsealState {
        match state {
            state if self.held => state,
            UnsealState::Accepted if self.hopeless.contains(piece) => UnsealState::Failed,
            UnsealState::Accepted => UnsealState::Unsealing,
            UnsealState::Unsealing => UnsealState::Uploading,
            UnsealState::Uploading | UnsealState::Finished => UnsealState::Finished,
            UnsealState::Failed => UnsealState::Failed,
        }
    }
}

#[async_trait]
impl PieceUnsealer for ScriptedUnsealer {
    async fn unseal(&self, request: &UnsealRequest) -> Result<UnsealState, UnsealError> {
        let mut script = lock(&self.script);
        if let Some(error) = script.failures.pop_front() {
            return Err(error);
        }
        request.validate()?;
        if !self.miners.contains(&request.miner) {
            return Err(UnsealError::NoSealer(request.miner));
        }
        let state = match script.works.get(request) {
            Some(state) => script.after(*state, &request.piece),
            None => UnsealState::Accepted,
        };
        script.works.insert(request.clone(), state);
        Ok(state)
    }
}
