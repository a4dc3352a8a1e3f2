//! Asking a node to estimate gas.

use fvm_shared::econ::TokenAmount;
use fvm_shared::message::Message;
use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};
use uuid::Uuid;

use crate::json::{Face, JsonRef, current_face, lotus_json};

/// How a message is sent. Lotus and Venus share the first member only; each writes its own and skips the other's.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct MessageSendSpec {
    /// The most that gas may cost in all, attoFIL. Zero: the node's default.
    pub max_fee: TokenAmount,
    /// Factor on estimated gas (Venus). Zero: the node's default.
    pub gas_over_estimation: f64,
    /// Factor on the estimated premium (Venus). Zero: none.
    pub gas_over_premium: f64,
    /// Makes a push idempotent (Lotus). Nil: it is not.
    pub msg_uuid: Uuid,
    /// Whether the fee cap takes all that [`MessageSendSpec::max_fee`] allows (Lotus).
    pub maximize_fee_cap: bool,
}

impl Serialize for MessageSendSpec {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(3))?;
        map.serialize_entry("MaxFee", &JsonRef(&self.max_fee))?;
        match current_face() {
            Face::Lotus => {
                map.serialize_entry("MsgUuid", &JsonRef(&self.msg_uuid))?;
                map.serialize_entry("MaximizeFeeCap", &self.maximize_fee_cap)?;
            }
            Face::Venus => {
                map.serialize_entry("GasOverEstimation", &JsonRef(&self.gas_over_estimation))?;
                map.serialize_entry("GasOverPremium", &JsonRef(&self.gas_over_premium))?;
            }
        }
        map.end()
    }
}

lotus_json!(@read MessageSendSpec {
    max_fee: "MaxFee",
    gas_over_estimation: "GasOverEstimation",
    gas_over_premium: "GasOverPremium",
    msg_uuid: "MsgUuid",
    maximize_fee_cap: "MaximizeFeeCap",
});
lotus_json!(@delegate MessageSendSpec);

/// A message whose gas Venus shall estimate among others.
#[derive(Clone, Debug, PartialEq)]
pub struct EstimateMessage {
    /// The message; what is zero is estimated.
    pub msg: Message,
    /// How it will be sent. Venus fails without it.
    pub spec: Option<MessageSendSpec>,
}

lotus_json!(EstimateMessage { msg: "Msg", spec: "Spec" });

/// An estimate. One bad message fails alone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EstimateResult {
    /// The message, filled if all went well.
    pub msg: Option<Message>,
    /// Why it would fail; empty if it would not.
    pub err: String,
}

lotus_json!(EstimateResult { msg: "Msg", err: "Err" });
