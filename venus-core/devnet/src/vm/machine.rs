//! Calls, their nesting and their undoing.

use std::borrow::Cow;

use cid::Cid;
use fvm_shared::address::{Address, Payload};
use fvm_shared::econ::TokenAmount;
use fvm_shared::error::ExitCode;
use fvm_shared::{ActorID, METHOD_CONSTRUCTOR, METHOD_SEND, MethodNum};
use venus_core::cbor::Encode;
use venus_core::types::{ActorInfo, ActorTrace, ExecutionTrace, GasTrace, IpldOp, MessageTrace, ReturnTrace};

use super::abort::{Abort, Returned};
use super::actors;
use super::gas::{self, Gas};
use super::runtime::Runtime;
use crate::state::{Actor, ActorState, StateTree};

/// How deep calls may nest. The FVM allows 1024, on a stack of its own; nothing that a pool does comes near either.
pub(super) const MAX_DEPTH: u32 = 48;
/// Multicodecs of parameters: CBOR, and bytes of a transfer that nobody reads.
const CODEC_CBOR: u64 = 0x51;
const CODEC_RAW: u64 = 0x55;

/// A call to make.
#[derive(Clone, Debug)]
pub(super) struct Call {
    pub(super) from: ActorID,
    pub(super) to: Address,
    pub(super) value: TokenAmount,
    pub(super) method: MethodNum,
    pub(super) params: Vec<u8>,
}

/// What came of a call.
#[derive(Clone, Debug)]
pub(super) struct Called {
    pub(super) code: ExitCode,
    pub(super) returned: Vec<u8>,
    /// Why the code is not 0, in words.
    pub(super) reason: Cow<'static, str>,
}

impl Called {
    /// What was returned, or the failure as one's own.
    pub(super) fn ok(self) -> Returned {
        if self.code.is_success() { Ok(self.returned) } else { Err(Abort::new(self.code, self.reason)) }
    }
}

/// Executes the calls of one message.
#[derive(Debug)]
pub(super) struct Machine<'a> {
    pub(super) state: &'a mut StateTree,
    pub(super) gas: Gas,
    /// Whose message it is, as `f2` addresses of new actors are derived from it.
    origin: Address,
    nonce: u64,
    created: u64,
    tracing: bool,
}

impl<'a> Machine<'a> {
    pub(super) fn new(
        state: &'a mut StateTree,
        gas: Gas,
        origin: Address,
        nonce: u64,
        tracing: bool,
    ) -> Self {
        Self { state, gas, origin, nonce, created: 0, tracing }
    }

    /// An `f2` address that no other actor gets: of the sender, its nonce, and how many actors the message made.
    pub(super) fn next_robust_address(&mut self) -> Address {
        let mut bytes = self.origin.to_cbor();
        bytes.extend_from_slice(&self.nonce.to_be_bytes());
        bytes.extend_from_slice(&self.created.to_be_bytes());
        self.created += 1;
        Address::new_actor(&bytes)
    }

    /// Makes a call. A failed call leaves nothing behind but the gas it used.
    pub(super) fn call(&mut self, call: &Call, depth: u32) -> (Called, Option<ExecutionTrace>) {
        let before = self.state.clone();
        let left = self.gas.left();
        let mut frame = Frame::default();
        let result = self.run(call, depth, &mut frame);
        // Whatever the method made of a lack of gas further inside, the message has run out of it.
        let result = if self.gas.is_exhausted() { Err(Abort::out_of_gas()) } else { result };
        let called = match result {
            Ok(returned) => Called { code: ExitCode::OK, returned, reason: Cow::Borrowed("") },
            Err(Abort { code, reason }) => {
                *self.state = before;
                Called { code, returned: Vec::new(), reason }
            }
        };
        let trace = self.tracing.then(|| frame.trace(call, &called, left));
        (called, trace)
    }

    fn run(&mut self, call: &Call, depth: u32, frame: &mut Frame) -> Returned {
        if depth > MAX_DEPTH {
            return Err(Abort::new(ExitCode::USR_ASSERTION_FAILED, "calls are nested too deep"));
        }
        let exists = self.state.resolve(&call.to).is_some();
        let price = self.price(call) + if exists { 0 } else { gas::CREATE_ACCOUNT };
        frame.charge("OnMethodInvocation", price);
        if !self.gas.charge(price) {
            return Err(Abort::out_of_gas());
        }
        let id = self.receiver(&call.to)?;
        frame.invoked = self.tracing.then(|| trace_of(id, self.state)).flatten();
        if !self.state.transfer(call.from, id, &call.value) {
            return Err(Abort::new(ExitCode::SYS_INSUFFICIENT_FUNDS, "sender cannot pay the value"));
        }
        self.dispatch(id, call, depth, frame)
    }

    fn price(&self, call: &Call) -> u64 {
        let kind = self.state.find(&call.to).map(|(_, actor)| actor.kind());
        match kind.and_then(|kind| actors::method(kind, call.method)) {
            _ if call.method == METHOD_SEND => gas::SEND,
            Some(method) => method.gas,
            None => gas::OTHER_METHOD,
        }
    }

    /// Finds the receiver of a call, or creates the account that its address stands for.
    fn receiver(&mut self, to: &Address) -> Result<ActorID, Abort> {
        if let Some(id) = self.state.resolve(to) {
            return Ok(id);
        }
        match to.payload() {
            Payload::Secp256k1(_) | Payload::BLS(_) => {
                Ok(self.state.create(ActorState::Account { address: *to }))
            }
            Payload::Delegated(_) => Ok(self.state.create(ActorState::Placeholder { address: *to })),
            Payload::ID(_) | Payload::Actor(_) => {
                let reason = "no actor has the recipient's address";
                Err(Abort::new(ExitCode::SYS_INVALID_RECEIVER, reason))
            }
        }
    }

    fn dispatch(&mut self, id: ActorID, call: &Call, depth: u32, frame: &mut Frame) -> Returned {
        let Some(kind) = self.state.get(id).map(Actor::kind) else {
            return Err(Abort::new(ExitCode::SYS_INVALID_RECEIVER, "no such actor"));
        };
        if call.method == METHOD_SEND || actors::takes_anything(kind, call.method) {
            return Ok(Vec::new());
        }
        let Some(method) = actors::method(kind, call.method) else {
            return Err(match call.method {
                METHOD_CONSTRUCTOR => Abort::forbidden("the constructor was called before"),
                _ => Abort::new(
                    ExitCode::USR_UNHANDLED_MESSAGE,
                    format!("actor {kind} has no method {}", call.method),
                ),
            });
        };
        let read = self.tracing.then(|| state_block(id, self.state)).flatten();
        let mut runtime = Runtime::new(self, call, id, depth);
        let result = (method.run)(&mut runtime, &call.params);
        frame.subcalls = runtime.into_subcalls();
        let left = self.tracing.then(|| state_block(id, self.state)).flatten();
        frame.note_blocks(read, left.filter(|_| result.is_ok()));
        result
    }
}

/// What a trace tells of a call beyond what the caller knows.
#[derive(Debug, Default)]
struct Frame {
    invoked: Option<ActorTrace>,
    charges: Vec<GasTrace>,
    subcalls: Vec<ExecutionTrace>,
    ipld_ops: Vec<IpldOp>,
}

impl Frame {
    fn charge(&mut self, name: &str, amount: u64) {
        self.charges.push(gas::charge(name, amount));
    }

    /// The state that the method began with, and the one that it left if that is another.
    fn note_blocks(&mut self, read: Option<(Cid, u64)>, left: Option<(Cid, u64)>) {
        let op = |op: &str, (cid, size)| IpldOp { op: op.into(), cid, size };
        self.ipld_ops.extend(read.map(|block| op("Get", block)));
        self.ipld_ops.extend(left.filter(|_| left != read).map(|block| op("Put", block)));
    }

    fn trace(self, call: &Call, called: &Called, gas_limit: u64) -> ExecutionTrace {
        let codec = |bytes: &[u8], codec| if bytes.is_empty() { 0 } else { codec };
        let of_params = if call.method == METHOD_SEND { CODEC_RAW } else { CODEC_CBOR };
        ExecutionTrace {
            msg: MessageTrace {
                from: Address::new_id(call.from),
                to: call.to,
                value: call.value.clone(),
                method: call.method,
                params: call.params.clone(),
                params_codec: codec(&call.params, of_params),
                gas_limit,
                read_only: false,
            },
            msg_rct: ReturnTrace {
                exit_code: called.code,
                return_data: called.returned.clone(),
                return_codec: codec(&called.returned, CODEC_CBOR),
            },
            invoked_actor: self.invoked,
            gas_charges: self.charges,
            subcalls: self.subcalls,
            logs: Vec::new(),
            ipld_ops: self.ipld_ops,
        }
    }
}

/// CID and size of the block that holds an actor's state.
fn state_block(id: ActorID, state: &StateTree) -> Option<(Cid, u64)> {
    let actor = state.get(id)?;
    Some((actor.head(), actor.state().to_cbor().len() as u64))
}

fn trace_of(id: ActorID, state: &StateTree) -> Option<ActorTrace> {
    let actor = state.get(id)?;
    let state = ActorInfo {
        code: actor.code(),
        head: actor.head(),
        nonce: actor.nonce,
        balance: actor.balance.clone(),
        delegated_address: actor.delegated_address(),
    };
    Some(ActorTrace { id, state })
}
