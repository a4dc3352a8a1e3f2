//! Making actors.

use cid::Cid;
use fvm_ipld_encoding::RawBytes;
use fvm_shared::MethodNum;
use fvm_shared::address::Address;

use crate::cbor::cbor_tuple;

/// Makes an actor and calls its constructor.
pub const EXEC: MethodNum = 2;
/// The same with an `f4` address, for address managers only.
pub const EXEC4: MethodNum = 3;

/// Parameters of [`EXEC`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExecParams {
    /// CID of the actor's code.
    pub code_cid: Cid,
    /// CBOR for the constructor.
    pub constructor_params: RawBytes,
}

cbor_tuple!(ExecParams { code_cid: "CodeCID", constructor_params: "ConstructorParams" });

/// Parameters of [`EXEC4`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exec4Params {
    /// CID of the actor's code.
    pub code_cid: Cid,
    /// CBOR for the constructor.
    pub constructor_params: RawBytes,
    /// The part of the `f4` address behind the manager's ID.
    pub subaddress: RawBytes,
}

cbor_tuple!(Exec4Params {
    code_cid: "CodeCID",
    constructor_params: "ConstructorParams",
    subaddress: "SubAddress",
});

/// What [`EXEC`] and [`EXEC4`] return.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExecReturn {
    /// The new actor's ID address.
    pub id_address: Address,
    /// Its `f2` address, which survives a reorg.
    pub robust_address: Address,
}

cbor_tuple!(ExecReturn { id_address: "IDAddress", robust_address: "RobustAddress" });
