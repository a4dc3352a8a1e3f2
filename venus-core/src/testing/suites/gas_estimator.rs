use fvm_shared::address::Address;
use fvm_shared::econ::TokenAmount;
use fvm_shared::message::Message;

use super::{must, must_fail, nobody};
use crate::api::{GasEstimator, GasSpec, MessageRequest};
use crate::error::ErrorKind;
use crate::types::MessageExt;

/// What [`gas_estimator`] relies on.
#[derive(Clone, Copy, Debug)]
pub struct GasEstimatorFixture {
    /// An account with 10 FIL or more.
    pub from: Address,
    /// A receiver.
    pub to: Address,
}

/// Checks the contract of [`GasEstimator`].
///
/// # Panics
/// If a clause does not hold.
pub async fn gas_estimator(gas: &dyn GasEstimator, f: &GasEstimatorFixture) {
    let mut message = MessageRequest::transfer(f.from, f.to, TokenAmount::from_atto(1)).message;
    message.sequence = 1_000_000;
    let spec = GasSpec::default();
    let filled = must(gas.estimate(&message, &spec).await, "a transfer is estimated, whatever its nonce");
    assert!(filled.gas_limit > 0 && filled.gas_fee_cap.is_positive(), "limit and fee cap are filled");
    must(filled.check_for_block(0), "an estimated message fits a block");
    let unfilled = Message { gas_limit: 0, ..filled.clone() };
    let zero = TokenAmount::default();
    let unfilled = Message { gas_fee_cap: zero.clone(), gas_premium: zero, ..unfilled };
    assert_eq!(unfilled, message, "only gas fields change");

    keeps_what_is_set(gas, &message).await;
    bounds(gas, &message, &filled).await;
    let unknown = Message { from: nobody(), ..message.clone() };
    must_fail(gas.estimate(&unknown, &spec).await, ErrorKind::NotFound, "an unknown sender is ActorNotFound");
    let poor = Message { value: TokenAmount::from_whole(1_999_999_999), ..message.clone() };
    must_fail(gas.estimate(&poor, &spec).await, ErrorKind::Invalid, "what would fail is ExecutionFailed");

    let batch = [(message.clone(), spec.clone()), (unknown, spec.clone()), (message, spec)];
    let results: Vec<_> = gas.estimate_many(&batch).await.iter().map(Result::is_ok).collect();
    assert_eq!(results, [true, false, true], "batch results are per message");
}

async fn keeps_what_is_set(gas: &dyn GasEstimator, message: &Message) {
    let set = Message {
        gas_limit: 7_654_321,
        gas_fee_cap: TokenAmount::from_nano(7),
        gas_premium: TokenAmount::from_atto(54_321),
        ..message.clone()
    };
    let kept = must(gas.estimate(&set, &GasSpec::default()).await, "set fields are fine");
    assert_eq!(kept, set, "fields that are not zero stay");
}

async fn bounds(gas: &dyn GasEstimator, message: &Message, usual: &Message) {
    let max_fee = TokenAmount::from_atto(usual.gas_cost().atto() / 2);
    let spec = GasSpec { max_fee: max_fee.clone(), ..GasSpec::default() };
    let capped = must(gas.estimate(message, &spec).await, "a bound is fine");
    assert!(capped.gas_cost() <= max_fee, "the fee cap is lowered to fit the maximal fee");
    assert!(capped.gas_premium <= capped.gas_fee_cap, "the premium never exceeds the fee cap");
    let spec = GasSpec { over_estimation: 2.5, over_premium: 3.0, ..GasSpec::default() };
    let generous = must(gas.estimate(message, &spec).await, "factors are fine");
    assert!(generous.gas_limit > usual.gas_limit, "a higher factor gives a higher limit");
    assert!(generous.gas_premium >= usual.gas_premium, "a higher factor never gives a lower premium");
}
