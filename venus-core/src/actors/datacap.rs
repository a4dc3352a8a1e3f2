//! The datacap token (FRC-0046). Amounts count 10^-18 of a byte, so that a byte is a whole token.

use fvm_ipld_encoding::RawBytes;
use fvm_shared::MethodNum;
use fvm_shared::address::Address;
use fvm_shared::econ::TokenAmount;

use crate::cbor::cbor_tuple;

/// Sends tokens; to the verified registry with allocation requests as operator data.
pub const TRANSFER_EXPORTED: MethodNum = 80_475_954;
/// Sends another's tokens by allowance.
pub const TRANSFER_FROM_EXPORTED: MethodNum = 3_621_052_141;
/// Answers a balance; parameters are the address alone.
pub const BALANCE_EXPORTED: MethodNum = 3_261_979_605;
/// Answers an allowance.
pub const ALLOWANCE_EXPORTED: MethodNum = 4_205_072_950;
/// Raises an allowance.
pub const INCREASE_ALLOWANCE_EXPORTED: MethodNum = 1_777_121_560;
/// Lowers an allowance.
pub const DECREASE_ALLOWANCE_EXPORTED: MethodNum = 1_529_376_545;
/// Ends an allowance; parameters are the operator alone.
pub const REVOKE_ALLOWANCE_EXPORTED: MethodNum = 2_765_635_761;

/// Parameters of [`TRANSFER_EXPORTED`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TransferParams {
    /// Who gets them.
    pub to: Address,
    /// How much.
    pub amount: TokenAmount,
    /// For the receiver.
    pub operator_data: RawBytes,
}

cbor_tuple!(TransferParams { to: "To", amount: "Amount", operator_data: "OperatorData" });

/// What [`TRANSFER_EXPORTED`] returns.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TransferReturn {
    /// The sender's new balance.
    pub from_balance: TokenAmount,
    /// The receiver's new balance.
    pub to_balance: TokenAmount,
    /// What the receiver answered; from the verified registry its `AllocationsResponse`.
    pub recipient_data: RawBytes,
}

cbor_tuple!(TransferReturn {
    from_balance: "FromBalance",
    to_balance: "ToBalance",
    recipient_data: "RecipientData",
});

/// Parameters of [`TRANSFER_FROM_EXPORTED`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TransferFromParams {
    /// Whose tokens.
    pub from: Address,
    /// Who gets them.
    pub to: Address,
    /// How much.
    pub amount: TokenAmount,
    /// For the receiver.
    pub operator_data: RawBytes,
}

cbor_tuple!(TransferFromParams { from: "From", to: "To", amount: "Amount", operator_data: "OperatorData" });

/// What [`TRANSFER_FROM_EXPORTED`] returns.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TransferFromReturn {
    /// The owner's new balance.
    pub from_balance: TokenAmount,
    /// The receiver's new balance.
    pub to_balance: TokenAmount,
    /// What is left of the allowance.
    pub allowance: TokenAmount,
    /// What the receiver answered.
    pub recipient_data: RawBytes,
}

cbor_tuple!(TransferFromReturn {
    from_balance: "FromBalance",
    to_balance: "ToBalance",
    allowance: "Allowance",
    recipient_data: "RecipientData",
});

/// Parameters of [`ALLOWANCE_EXPORTED`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AllowanceParams {
    /// Whose tokens.
    pub owner: Address,
    /// Who may send them.
    pub operator: Address,
}

cbor_tuple!(AllowanceParams { owner: "Owner", operator: "Operator" });

/// Parameters of [`INCREASE_ALLOWANCE_EXPORTED`] and [`DECREASE_ALLOWANCE_EXPORTED`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChangeAllowanceParams {
    /// Who may send the caller's tokens.
    pub operator: Address,
    /// How much more or less.
    pub amount: TokenAmount,
}

cbor_tuple!(ChangeAllowanceParams { operator: "Operator", amount: "Amount" });
