//! Wallets of several keys.

use fvm_ipld_encoding::RawBytes;
use fvm_shared::MethodNum;
use fvm_shared::address::Address;
use fvm_shared::clock::ChainEpoch;
use fvm_shared::econ::TokenAmount;
use fvm_shared::error::ExitCode;

use crate::cbor::{Encode, cbor_tuple};
use crate::crypto::hash::blake2b_256;

/// Makes one, through the init actor.
pub const CONSTRUCTOR: MethodNum = 1;
/// Proposes a call, with the caller's approval.
pub const PROPOSE: MethodNum = 2;
/// Approves a proposal; the last approval that is needed makes the call.
pub const APPROVE: MethodNum = 3;
/// Takes the caller's proposal back.
pub const CANCEL: MethodNum = 4;
/// Adds a signer. Only the wallet itself may, as of all that follow.
pub const ADD_SIGNER: MethodNum = 5;
/// Removes a signer.
pub const REMOVE_SIGNER: MethodNum = 6;
/// Replaces a signer.
pub const SWAP_SIGNER: MethodNum = 7;
/// Changes how many must approve.
pub const CHANGE_NUM_APPROVALS_THRESHOLD: MethodNum = 8;
/// Locks an amount that is released bit by bit.
pub const LOCK_BALANCE: MethodNum = 9;

/// Parameters of [`CONSTRUCTOR`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConstructorParams {
    /// Who may approve.
    pub signers: Vec<Address>,
    /// How many must.
    pub num_approvals_threshold: u64,
    /// Epochs over which the first deposit is released; 0: at once.
    pub unlock_duration: ChainEpoch,
    /// When the release begins.
    pub start_epoch: ChainEpoch,
}

cbor_tuple!(ConstructorParams {
    signers: "Signers",
    num_approvals_threshold: "NumApprovalsThreshold",
    unlock_duration: "UnlockDuration",
    start_epoch: "StartEpoch",
});

/// Parameters of [`PROPOSE`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProposeParams {
    /// Whom to call.
    pub to: Address,
    /// attoFIL.
    pub value: TokenAmount,
    /// Method number.
    pub method: MethodNum,
    /// CBOR for the method.
    pub params: RawBytes,
}

cbor_tuple!(ProposeParams { to: "To", value: "Value", method: "Method", params: "Params" });

/// What [`PROPOSE`] returns.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProposeReturn {
    /// The proposal's ID.
    pub txn_id: i64,
    /// Whether the call was made already.
    pub applied: bool,
    /// Its exit code, if it was.
    pub code: ExitCode,
    /// What it returned, if it was.
    pub return_data: RawBytes,
}

cbor_tuple!(ProposeReturn { txn_id: "TxnID", applied: "Applied", code: "Code", return_data: "Ret" });

/// Parameters of [`APPROVE`] and [`CANCEL`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TxnIdParams {
    /// The proposal's ID.
    pub id: i64,
    /// [`ProposalHashData::hash`], so that nothing else is approved than what was read; empty: not checked.
    pub proposal_hash: Vec<u8>,
}

cbor_tuple!(TxnIdParams { id: "ID", proposal_hash: "ProposalHash" });

/// What [`APPROVE`] returns.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApproveReturn {
    /// Whether the call was made.
    pub applied: bool,
    /// Its exit code, if it was.
    pub code: ExitCode,
    /// What it returned, if it was.
    pub return_data: RawBytes,
}

cbor_tuple!(ApproveReturn { applied: "Applied", code: "Code", return_data: "Ret" });

/// What a proposal's hash is over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProposalHashData {
    /// ID address of who proposed it.
    pub requester: Address,
    /// Whom to call.
    pub to: Address,
    /// attoFIL.
    pub value: TokenAmount,
    /// Method number.
    pub method: MethodNum,
    /// CBOR for the method.
    pub params: RawBytes,
}

cbor_tuple!(ProposalHashData {
    requester: "Requester",
    to: "To",
    value: "Value",
    method: "Method",
    params: "Params",
});

impl ProposalHashData {
    /// The hash that [`TxnIdParams`] carry.
    pub fn hash(&self) -> [u8; 32] {
        blake2b_256(&self.to_cbor())
    }
}

/// Parameters of [`ADD_SIGNER`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AddSignerParams {
    /// Who.
    pub signer: Address,
    /// Whether one more must approve from now on.
    pub increase: bool,
}

cbor_tuple!(AddSignerParams { signer: "Signer", increase: "Increase" });

/// Parameters of [`REMOVE_SIGNER`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RemoveSignerParams {
    /// Who.
    pub signer: Address,
    /// Whether one less must approve from now on.
    pub decrease: bool,
}

cbor_tuple!(RemoveSignerParams { signer: "Signer", decrease: "Decrease" });

/// Parameters of [`SWAP_SIGNER`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SwapSignerParams {
    /// Who goes.
    pub from: Address,
    /// Who comes.
    pub to: Address,
}

cbor_tuple!(SwapSignerParams { from: "From", to: "To" });

/// Parameters of [`CHANGE_NUM_APPROVALS_THRESHOLD`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ChangeNumApprovalsThresholdParams {
    /// How many must approve from now on.
    pub new_threshold: u64,
}

cbor_tuple!(ChangeNumApprovalsThresholdParams { new_threshold: "NewThreshold" });

/// Parameters of [`LOCK_BALANCE`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LockBalanceParams {
    /// When the release begins.
    pub start_epoch: ChainEpoch,
    /// Over how many epochs.
    pub unlock_duration: ChainEpoch,
    /// attoFIL.
    pub amount: TokenAmount,
}

cbor_tuple!(LockBalanceParams {
    start_epoch: "StartEpoch",
    unlock_duration: "UnlockDuration",
    amount: "Amount",
});
