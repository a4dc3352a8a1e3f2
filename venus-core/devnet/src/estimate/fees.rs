//! How much a message may and should cost.

use fvm_shared::econ::TokenAmount;
use fvm_shared::message::Message;
use num_bigint::BigInt;
use num_traits::Pow;
use venus_core::api::{ChainError, GasSpec};
use venus_core::consensus::base_fee::BLOCK_GAS_LIMIT;
use venus_core::types::{MessageSendSpec, MpoolConfig};

/// The most that gas of a message costs if its sender says nothing: 0.07 FIL in attoFIL, as in Lotus and Venus.
const DEFAULT_MAX_FEE: i64 = 70_000_000_000_000_000;
/// Growth of the base fee is counted in parts of this.
const GROWTH_UNIT: i64 = 256;
/// Beyond so many epochs nobody plans.
const MOST_EPOCHS: i64 = 1000;

/// How a message is estimated.
#[derive(Clone, Debug)]
pub(crate) struct Spec {
    /// The most that gas may cost, attoFIL.
    max_fee: Option<TokenAmount>,
    /// Whether the fee cap takes all of that.
    maximize: bool,
    pub(crate) over_estimation: f64,
    pub(crate) over_premium: f64,
}

impl Spec {
    /// In process: what is zero has no bound.
    pub(crate) fn of(spec: &GasSpec) -> Result<Self, ChainError> {
        let max_fee = Some(spec.max_fee.clone()).filter(|fee| !fee.is_zero());
        let (over_estimation, over_premium) = (spec.over_estimation, spec.over_premium);
        Self { max_fee, maximize: false, over_estimation, over_premium }.checked()
    }

    /// On the wire: what is zero or absent is the node's to decide.
    pub(crate) fn of_wire(spec: Option<&MessageSendSpec>, config: &MpoolConfig) -> Result<Self, ChainError> {
        let spec = spec.cloned().unwrap_or_default();
        let max_fee =
            if spec.max_fee.is_zero() { TokenAmount::from_atto(DEFAULT_MAX_FEE) } else { spec.max_fee };
        let or = |factor: f64, usual: f64| if factor == 0.0 { usual } else { factor };
        let usual = Self {
            max_fee: Some(max_fee),
            maximize: spec.maximize_fee_cap,
            over_estimation: or(spec.gas_over_estimation, config.gas_limit_overestimation),
            over_premium: or(spec.gas_over_premium, 1.0),
        };
        usual.checked()
    }

    /// Lowers the fee cap until the message cannot cost more than it may.
    pub(crate) fn cap(&self, message: &mut Message) {
        let Some(max_fee) = self.max_fee.as_ref().filter(|_| message.gas_limit > 0) else { return };
        let most = max_fee.div_floor(message.gas_limit);
        if self.maximize || message.gas_fee_cap > most {
            message.gas_fee_cap = most;
        }
        message.gas_premium = message.gas_premium.clone().min(message.gas_fee_cap.clone());
    }

    fn checked(self) -> Result<Self, ChainError> {
        let factors = [("over_estimation", self.over_estimation), ("over_premium", self.over_premium)];
        match factors.into_iter().find(|(_, factor)| !(1.0..=1000.0).contains(factor)) {
            Some((name, factor)) => {
                Err(ChainError::Invalid(format!("{name} is {factor}, expected 1 to 1000")))
            }
            None if self.max_fee.as_ref().is_some_and(TokenAmount::is_negative) => {
                Err(ChainError::Invalid("max_fee is negative".into()))
            }
            None => Ok(self),
        }
    }
}

/// What the base fee can grow to within some epochs, an eighth in each, and the premium on top. A negative number of
/// epochs counts back.
///
/// # Errors
/// [`ChainError::Invalid`] for more than a thousand epochs.
pub(crate) fn fee_cap(
    base: &TokenAmount,
    premium: &TokenAmount,
    epochs: i64,
) -> Result<TokenAmount, ChainError> {
    let count = epochs.unsigned_abs();
    if count > MOST_EPOCHS.unsigned_abs() {
        return Err(ChainError::Invalid(format!("{epochs} epochs are more than {MOST_EPOCHS}")));
    }
    let (up, down) = (Pow::pow(BigInt::from(9), count), Pow::pow(BigInt::from(8), count));
    let (num, denom) = if epochs < 0 { (down, up) } else { (up, down) };
    // The growth is rounded to 256ths first, as Go nodes do.
    let growth: BigInt = num * GROWTH_UNIT / denom;
    Ok(TokenAmount::from_atto(base.atto() * growth / GROWTH_UNIT) + premium)
}

pub(super) fn scale(amount: &TokenAmount, factor: f64) -> TokenAmount {
    // Thousandths are fine enough for a factor, and exact for an amount of any size.
    let thousandths = (factor * 1000.0).round() as i64;
    TokenAmount::from_atto((amount.atto() * BigInt::from(thousandths)) / BigInt::from(1000))
}

/// Rounds down, as Go nodes do.
pub(super) fn scale_gas(gas: u64, factor: f64) -> u64 {
    // Casts from f64 saturate.
    let scaled = (gas as f64 * factor) as u64;
    scaled.clamp(gas, BLOCK_GAS_LIMIT.max(gas))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn atto(n: i64) -> TokenAmount {
        TokenAmount::from_atto(n)
    }

    #[test]
    fn factors() {
        assert_eq!(scale(&atto(100_000), 1.5), atto(150_000));
        assert_eq!(scale_gas(1000, 1.25), 1250);
        assert_eq!(scale_gas(716_663, 1.25), 895_828);
        assert_eq!(scale_gas(BLOCK_GAS_LIMIT, 1000.0), BLOCK_GAS_LIMIT);
        for over_estimation in [0.5, f64::NAN, f64::INFINITY, -1.0] {
            assert!(Spec::of(&GasSpec { over_estimation, ..GasSpec::default() }).is_err());
        }
    }

    #[test]
    fn the_base_fee_grows_by_an_eighth_an_epoch() {
        let cap = |base, premium, epochs| fee_cap(&atto(base), &atto(premium), epochs).unwrap();
        assert_eq!(cap(903, 100_000, 20), atto(109_520), "as a venus node answers");
        assert_eq!(cap(401, 100_000, 20), atto(104_227), "as a lotus node answers");
        assert_eq!(cap(800, 7, 0), atto(807));
        assert_eq!(cap(256, 0, 1), atto(288));
        assert_eq!(cap(256, 0, -1), atto(227));
        assert!(fee_cap(&atto(1), &atto(1), i64::MIN).is_err());
        assert!(fee_cap(&atto(1), &atto(1), 1001).is_err());
    }

    proptest! {
        #[test]
        fn no_message_costs_more_than_it_may(max_fee in 1i64.., limit in 1u64.., fee_cap in 0i64.., premium in 0i64.., maximize: bool) {
            let max_fee = atto(max_fee);
            let spec = Spec { max_fee: Some(max_fee.clone()), maximize, over_estimation: 1.0, over_premium: 1.0 };
            let mut message = venus_core::api::MessageRequest::transfer(
                fvm_shared::address::Address::new_id(1), fvm_shared::address::Address::new_id(2), atto(0),
            ).message;
            (message.gas_limit, message.gas_fee_cap, message.gas_premium) = (limit, atto(fee_cap), atto(premium));
            let asked = message.clone();
            spec.cap(&mut message);
            prop_assert!(&message.gas_fee_cap * limit <= max_fee);
            prop_assert!(message.gas_premium <= message.gas_fee_cap);
            prop_assert!(maximize || message.gas_fee_cap <= asked.gas_fee_cap);
        }
    }
}
