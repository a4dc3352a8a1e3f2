//! The mempool's configuration, its changes, and its opinion of messages.

use cid::Cid;
use fvm_shared::address::Address;
use serde_json::Value;

use super::SignedMessage;
use crate::json::{LotusJson, lotus_json};

/// How a mempool is set up.
#[derive(Clone, Debug, PartialEq)]
pub struct MpoolConfig {
    /// Senders whose messages are kept and picked first.
    pub priority_addrs: Vec<Address>,
    /// Above so many messages it prunes.
    pub size_limit_high: i64,
    /// Down to so many.
    pub size_limit_low: i64,
    /// How much higher the premium of a replacement must be: 1.25.
    pub replace_by_fee_ratio: f64,
    /// Least time between two prunings, nanoseconds.
    pub prune_cooldown: i64,
    /// Factor on estimated gas.
    pub gas_limit_overestimation: f64,
}

lotus_json!(MpoolConfig {
    priority_addrs: "PriorityAddrs" null,
    size_limit_high: "SizeLimitHigh",
    size_limit_low: "SizeLimitLow",
    replace_by_fee_ratio: "ReplaceByFeeRatio",
    prune_cooldown: "PruneCooldown",
    gas_limit_overestimation: "GasLimitOverestimation",
});

macro_rules! numbered {
    ($($(#[$doc:meta])* $ty:ident { $($(#[$vdoc:meta])* $variant:ident = $number:literal),+ $(,)? })+) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $ty {
            $($(#[$vdoc])* $variant = $number),+
        }

        impl LotusJson for $ty {
            fn write<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_u8(*self as u8)
            }

            fn read<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                match <u64 as serde::Deserialize>::deserialize(deserializer)? {
                    $($number => Ok(Self::$variant),)+
                    other => Err(serde::de::Error::custom(format_args!(
                        concat!("{} is no ", stringify!($ty)), other
                    ))),
                }
            }
        }
    )+};
}

numbered! {
    /// What happened to a message.
    MpoolChange {
        /// It came.
        Add = 0,
        /// It left.
        Remove = 1,
    }

    /// What a node checked of a message.
    CheckStatusCode {
        /// It can be encoded.
        MessageSerialize = 1,
        /// It is small enough.
        MessageSize = 2,
        /// Its fields are in range.
        MessageValidity = 3,
        /// Its gas covers the least there is.
        MessageMinGas = 4,
        /// Its fee cap covers the least base fee.
        MessageMinBaseFee = 5,
        /// Its fee cap covers the base fee.
        MessageBaseFee = 6,
        /// Its fee cap covers the base fee for a while.
        MessageBaseFeeLowerBound = 7,
        /// Its fee cap covers the base fee for longer.
        MessageBaseFeeUpperBound = 8,
        /// The sender's state can be read.
        MessageGetStateNonce = 9,
        /// The nonce is not used.
        MessageNonce = 10,
        /// The sender's balance can be read.
        MessageGetStateBalance = 11,
        /// The sender can pay.
        MessageBalance = 12,
    }
}

/// A change of the mempool.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MpoolUpdate {
    /// What happened.
    pub change: MpoolChange,
    /// To which message.
    pub message: SignedMessage,
}

lotus_json!(MpoolUpdate { change: "Type", message: "Message" });

/// One check of a message.
#[derive(Clone, Debug, PartialEq)]
pub struct MessageCheckStatus {
    /// CID of the message.
    pub cid: Cid,
    /// What was checked.
    pub code: CheckStatusCode,
    /// Whether it holds.
    pub ok: bool,
    /// Why not.
    pub err: String,
    /// What would do, by name.
    pub hint: Option<Value>,
}

lotus_json!(MessageCheckStatus { cid: "Cid", code: "Code", ok: "OK", err: "Err", hint: "Hint" });
