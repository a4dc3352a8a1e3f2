//! Making actors.

use venus_core::actors::ActorKind;
use venus_core::actors::init::{EXEC, ExecParams, ExecReturn};
use venus_core::cbor::Encode;
use venus_core::types::Address;

use super::{Method, row};
use crate::state::kind_of;
use crate::vm::abort::{Abort, Returned};
use crate::vm::gas::OTHER_METHOD;
use crate::vm::runtime::{Runtime, read};

pub(super) const METHODS: &[Method] = &[row(&[EXEC], OTHER_METHOD, exec)];

fn exec(rt: &mut Runtime<'_, '_>, params: &[u8]) -> Returned {
    let params: ExecParams = read(params)?;
    let caller = rt.kind_of(rt.caller());
    let kind = kind_of(&params.code_cid).filter(|kind| may_make(caller, *kind));
    let Some(kind) = kind else {
        return Err(Abort::forbidden(format!(
            "the caller cannot make actors of the code {}",
            params.code_cid
        )));
    };
    let (id, robust_address) = rt.create(kind);
    let value = rt.value().clone();
    rt.send_to(id, fvm_shared::METHOD_CONSTRUCTOR, params.constructor_params.bytes().to_vec(), &value)?;
    Ok(ExecReturn { id_address: Address::new_id(id), robust_address }.to_cbor())
}

/// Anybody makes wallets, only the power actor makes miners. There are no payment channels here.
fn may_make(caller: Option<ActorKind>, kind: ActorKind) -> bool {
    match kind {
        ActorKind::Multisig => true,
        ActorKind::Miner => caller == Some(ActorKind::Power),
        _ => false,
    }
}
