//! The state of a wallet of several keys.

use fvm_shared::address::Address;
use fvm_shared::clock::ChainEpoch;
use fvm_shared::econ::TokenAmount;
use fvm_shared::{ActorID, MethodNum};
use venus_core::actors::multisig::ProposalHashData;
use venus_core::cbor::{Encode, Writer};
use venus_core::types::RawBytes;

use super::{Linked, Table};

/// Who decides over the funds, what is locked, and what waits for approvals.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct MultisigState {
    pub(crate) signers: Vec<ActorID>,
    pub(crate) threshold: u64,
    pub(crate) next_txn: i64,
    /// What was locked at first, attoFIL.
    pub(crate) initial_balance: TokenAmount,
    pub(crate) start_epoch: ChainEpoch,
    pub(crate) unlock_duration: ChainEpoch,
    pub(crate) pending: Linked<Table<i64, Transaction>>,
}

/// A call that was proposed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Transaction {
    pub(crate) to: Address,
    /// attoFIL.
    pub(crate) value: TokenAmount,
    pub(crate) method: MethodNum,
    pub(crate) params: RawBytes,
    /// Who approves, the proposer first.
    pub(crate) approved: Vec<ActorID>,
}

impl MultisigState {
    /// What must stay in the balance at `epoch`, attoFIL.
    pub(crate) fn locked(&self, epoch: ChainEpoch) -> TokenAmount {
        let elapsed = epoch.saturating_sub(self.start_epoch);
        if elapsed >= self.unlock_duration {
            return TokenAmount::default();
        }
        if elapsed <= 0 {
            return self.initial_balance.clone();
        }
        // The actor rounds up, so that rounding never releases too early.
        (&self.initial_balance * (self.unlock_duration - elapsed)).div_ceil(self.unlock_duration)
    }

    /// Forgets an approver, and the calls that nobody else approves.
    pub(crate) fn purge_approvals(&mut self, of: ActorID) {
        for transaction in self.pending.to_mut().0.values_mut() {
            transaction.approved.retain(|approver| *approver != of);
        }
        self.pending.to_mut().0.retain(|_, transaction| !transaction.approved.is_empty());
    }
}

impl Transaction {
    /// What approvers may name, to approve of nothing else than what they read.
    pub(crate) fn hash(&self) -> [u8; 32] {
        ProposalHashData {
            requester: Address::new_id(self.approved.first().copied().unwrap_or_default()),
            to: self.to,
            value: self.value.clone(),
            method: self.method,
            params: self.params.clone(),
        }
        .hash()
    }
}

impl Encode for Transaction {
    fn encode(&self, w: &mut Writer) {
        w.array(5);
        self.to.encode(w);
        self.value.encode(w);
        w.uint(self.method);
        self.params.encode(w);
        self.approved.encode(w);
    }
}

impl Encode for MultisigState {
    fn encode(&self, w: &mut Writer) {
        w.array(7);
        self.signers.encode(w);
        w.uint(self.threshold);
        w.int(self.next_txn);
        self.initial_balance.encode(w);
        w.int(self.start_epoch);
        w.int(self.unlock_duration);
        self.pending.encode(w);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn locks_are_released_evenly_and_rounded_up() {
        let state = MultisigState {
            initial_balance: TokenAmount::from_atto(100),
            start_epoch: 50,
            unlock_duration: 30,
            ..MultisigState::default()
        };
        let locked: Vec<i64> =
            [0, 50, 51, 65, 79, 80, 999].map(|e| state.locked(e).atto().try_into().unwrap()).into();
        assert_eq!(locked, [100, 100, 97, 50, 4, 0, 0]);
    }
}
