//! Actors and what executing a message did to them.

use cid::Cid;
use fvm_shared::address::Address;
use fvm_shared::econ::TokenAmount;
use fvm_shared::error::ExitCode;
use fvm_shared::message::Message;
use num_bigint::BigInt;
use serde_json::Value;

use super::Receipt;
use crate::cbor::cbor_tuple;
use crate::json::lotus_json;

/// An actor's head in the state tree. CBOR is the form of state tree version 5.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ActorInfo {
    /// CID of the actor's code.
    pub code: Cid,
    /// CID of the actor's state.
    pub head: Cid,
    /// Next nonce.
    pub nonce: u64,
    /// Balance in attoFIL.
    pub balance: TokenAmount,
    /// The address that was given when the actor was made: `f4`, and `f1` or `f3` for some accounts.
    pub delegated_address: Option<Address>,
}

cbor_tuple!(ActorInfo {
    code: "Code",
    head: "Head",
    nonce: "Nonce",
    balance: "Balance",
    delegated_address: "DelegatedAddress",
});
lotus_json!(ActorInfo {
    code: "Code",
    head: "Head",
    nonce: "Nonce",
    balance: "Balance",
    delegated_address: "DelegatedAddress",
});

/// An actor with its state, as a node decodes it.
#[derive(Clone, Debug, PartialEq)]
pub struct ActorState {
    /// Balance in attoFIL.
    pub balance: TokenAmount,
    /// CID of the actor's code.
    pub code: Cid,
    /// The state; its shape depends on the code.
    pub state: Value,
}

lotus_json!(ActorState { balance: "Balance", code: "Code", state: "State" });

/// What came of a message that was executed for the answer's sake.
#[derive(Clone, Debug, PartialEq)]
pub struct InvocResult {
    /// CID of the message.
    pub msg_cid: Cid,
    /// The message.
    pub msg: Message,
    /// What it left behind.
    pub msg_rct: Option<Receipt>,
    /// Who would have got what of its gas.
    pub gas_cost: GasCost,
    /// What happened inside.
    pub execution_trace: ExecutionTrace,
    /// Why it failed; empty if it did not.
    pub error: String,
    /// How long it took, nanoseconds.
    pub duration: i64,
}

lotus_json!(InvocResult {
    msg_cid: "MsgCid",
    msg: "Msg",
    msg_rct: "MsgRct",
    gas_cost: "GasCost",
    execution_trace: "ExecutionTrace",
    error: "Error",
    duration: "Duration",
});

/// Where a message's gas fees go, in attoFIL but for the gas itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct GasCost {
    /// CID of the message; `None` for a mere call.
    pub message: Option<Cid>,
    /// Gas, not attoFIL.
    pub gas_used: BigInt,
    /// Burnt for gas that was used.
    pub base_fee_burn: TokenAmount,
    /// Burnt for gas that was reserved far beyond need.
    pub over_estimation_burn: TokenAmount,
    /// What the block's miner pays for including it.
    pub miner_penalty: TokenAmount,
    /// What the miner gets.
    pub miner_tip: TokenAmount,
    /// What the sender gets back.
    pub refund: TokenAmount,
    /// What the sender pays in all.
    pub total_cost: TokenAmount,
}

lotus_json!(GasCost {
    message: "Message",
    gas_used: "GasUsed",
    base_fee_burn: "BaseFeeBurn",
    over_estimation_burn: "OverEstimationBurn",
    miner_penalty: "MinerPenalty",
    miner_tip: "MinerTip",
    refund: "Refund",
    total_cost: "TotalCost",
});

/// A call with the calls that it made.
#[derive(Clone, Debug, PartialEq)]
pub struct ExecutionTrace {
    /// The call.
    pub msg: MessageTrace,
    /// What it returned.
    pub msg_rct: ReturnTrace,
    /// Whom it reached; `None` if nobody.
    pub invoked_actor: Option<ActorTrace>,
    /// What was charged.
    pub gas_charges: Vec<GasTrace>,
    /// The calls that it made, in order.
    pub subcalls: Vec<ExecutionTrace>,
    /// What the actor logged, if the node keeps it.
    pub logs: Vec<String>,
    /// Blocks that it read and wrote, if the node keeps it.
    pub ipld_ops: Vec<IpldOp>,
}

lotus_json!(ExecutionTrace {
    msg: "Msg",
    msg_rct: "MsgRct",
    invoked_actor: "InvokedActor" opt,
    gas_charges: "GasCharges" null,
    subcalls: "Subcalls" null,
    logs: "Logs" nonempty,
    ipld_ops: "IpldOps" nonempty,
});

/// A block that a call read or wrote.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IpldOp {
    /// `Get` or `Put`.
    pub op: String,
    /// CID of the block.
    pub cid: Cid,
    /// Its bytes.
    pub size: u64,
}

lotus_json!(IpldOp { op: "Op", cid: "Cid", size: "Size" });

/// A call inside an execution.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MessageTrace {
    /// The caller.
    pub from: Address,
    /// The called.
    pub to: Address,
    /// attoFIL.
    pub value: TokenAmount,
    /// Method number.
    pub method: u64,
    /// Parameters.
    pub params: Vec<u8>,
    /// Multicodec of the parameters; 0 if there are none.
    pub params_codec: u64,
    /// Gas that the call may use.
    pub gas_limit: u64,
    /// Whether it may not change anything.
    pub read_only: bool,
}

lotus_json!(MessageTrace {
    from: "From",
    to: "To",
    value: "Value",
    method: "Method",
    params: "Params",
    params_codec: "ParamsCodec",
    gas_limit: "GasLimit",
    read_only: "ReadOnly",
});

/// What a call returned.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReturnTrace {
    /// 0 when it succeeded.
    pub exit_code: ExitCode,
    /// The value.
    pub return_data: Vec<u8>,
    /// Multicodec of the value; 0 if there is none.
    pub return_codec: u64,
}

lotus_json!(ReturnTrace { exit_code: "ExitCode", return_data: "Return", return_codec: "ReturnCodec" });

/// The actor that a call reached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ActorTrace {
    /// Its ID.
    pub id: u64,
    /// Its head at that time.
    pub state: ActorInfo,
}

lotus_json!(ActorTrace { id: "Id", state: "State" });

/// A charge of gas.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GasTrace {
    /// What for.
    pub name: String,
    /// In all.
    pub total_gas: i64,
    /// For computing.
    pub compute_gas: i64,
    /// For storage.
    pub storage_gas: i64,
    /// How long it took, nanoseconds.
    pub time_taken: i64,
}

lotus_json!(GasTrace {
    name: "Name",
    total_gas: "tg",
    compute_gas: "cg",
    storage_gas: "sg",
    time_taken: "tt",
});

/// What re-executing an epoch gave.
#[derive(Clone, Debug, PartialEq)]
pub struct ComputeStateOutput {
    /// The state after it.
    pub root: Cid,
    /// Its messages, implicit ones included.
    pub trace: Vec<InvocResult>,
}

lotus_json!(ComputeStateOutput { root: "Root", trace: "Trace" null });
