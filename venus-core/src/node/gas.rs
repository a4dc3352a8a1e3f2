//! Estimating gas.

use std::collections::BTreeMap;

use async_trait::async_trait;
use futures::{StreamExt, stream};
use fvm_shared::econ::TokenAmount;
use fvm_shared::message::Message;
use num_bigint::BigInt;
use num_traits::Zero;
use serde::{Serialize, Serializer};

use super::fault::Fault;
use super::{Flavour, List, NodeKind, RpcNode, list};
use crate::api::{ChainError, GasEstimator, GasSpec, MessagePool};
use crate::consensus::base_fee::BLOCK_GAS_LIMIT;
use crate::json::{Face, Json, JsonRef, with_face};
use crate::rpc::RpcError;
use crate::types::{EstimateMessage, EstimateResult, MessageExt, MessageSendSpec, TipsetKey};

const ESTIMATE: &str = "Filecoin.GasEstimateMessageGas";
const GAS_LIMIT: &str = "Filecoin.GasEstimateGasLimit";
const ESTIMATE_MANY: &str = "Filecoin.GasBatchEstimateMessageGas";
/// Estimates under way at once.
const AT_ONCE: usize = 8;
/// Messages of one batch; the node executes them one after the other.
const BATCH: usize = 100;
/// The factor on gas of nodes that have no say in it per message.
const USUAL: f64 = 1.25;
/// What stands for no bound: nodes read zero as the bound of their configuration.
const ALL_FIL: u64 = 2_000_000_000;

#[async_trait]
impl<F: Flavour> GasEstimator for RpcNode<F> {
    async fn estimate(&self, message: &Message, spec: &GasSpec) -> Result<Message, ChainError> {
        let (by_node, mut asked) = (self.knows_factors(), message.clone());
        if !by_node && asked.gas_limit == 0 && factor(spec.over_estimation) != USUAL {
            let used = self.wire().read(GAS_LIMIT, &(JsonRef(message), TipsetKey::default())).await;
            let Json(used): Json<u64> = used.map_err(|fault: Fault| fault.of_execution(&message.from))?;
            asked.gas_limit = scaled(used.into(), spec.over_estimation).try_into().unwrap_or(BLOCK_GAS_LIMIT);
        }
        let face = if by_node { Face::Venus } else { Face::Lotus };
        let params = (JsonRef(&asked), WrittenAs(face, send_spec(spec)), TipsetKey::default());
        let answer = self.wire().read(ESTIMATE, &params).await;
        let Json(answer): Json<Message> = answer.map_err(|fault: Fault| fault.of_execution(&message.from))?;
        Ok(filled(message, answer, spec, by_node))
    }

    /// Of each sender's messages Venus executes one on top of the other. Other nodes look at each by itself, so a
    /// message that needs what the one before it does fails there.
    async fn estimate_many(&self, messages: &[(Message, GasSpec)]) -> Vec<Result<Message, ChainError>> {
        let mut by_sender = BTreeMap::<Vec<u8>, Vec<Item>>::new();
        for (index, (message, spec)) in messages.iter().enumerate() {
            let item = Item { index, message: message.clone(), spec: spec.clone() };
            by_sender.entry(message.from.to_bytes()).or_default().push(item);
        }
        let batches: Vec<_> = by_sender.into_values().flat_map(|of_one| chunks(&of_one)).collect();
        let estimates =
            stream::iter(batches).map(|batch| self.estimate_batch(batch)).buffer_unordered(AT_ONCE);
        let mut results: Vec<_> = estimates.collect::<Vec<_>>().await.into_iter().flatten().collect();
        results.sort_by_key(|(index, _)| *index);
        results.into_iter().map(|(_, result)| result).collect()
    }
}

/// One of many.
#[derive(Clone)]
struct Item {
    index: usize,
    message: Message,
    spec: GasSpec,
}

type Estimated = (usize, Result<Message, ChainError>);

fn chunks(items: &[Item]) -> Vec<Vec<Item>> {
    items.chunks(BATCH).map(<[_]>::to_vec).collect()
}

impl<F: Flavour> RpcNode<F> {
    /// Whether the factors of a spec mean something to the node.
    fn knows_factors(&self) -> bool {
        self.kind() == NodeKind::Venus
    }

    async fn estimate_batch(&self, batch: Vec<Item>) -> Vec<Estimated> {
        if batch.len() > 1
            && !self.wire().lacks(ESTIMATE_MANY)
            && let Some(results) = self.estimate_together(&batch).await
        {
            return results;
        }
        let each = stream::iter(batch)
            .map(|item| async move { (item.index, self.estimate(&item.message, &item.spec).await) });
        each.buffer_unordered(AT_ONCE).collect().await
    }

    /// Nothing if the node cannot, or if the whole batch failed.
    async fn estimate_together(&self, batch: &[Item]) -> Option<Vec<Estimated>> {
        let nonce = self.next_nonce(&batch.first()?.message.from).await.ok()?;
        let ask = batch.iter().map(|item| EstimateMessage {
            msg: Message { sequence: 0, ..item.message.clone() },
            spec: Some(send_spec(&item.spec)),
        });
        // Whoever has this method reads Venus's members; without them the limits would be zero.
        let ask = WrittenAs(Face::Venus, Json(ask.collect::<Vec<_>>()));
        let params = (ask, nonce, TipsetKey::default());
        let answer: List<EstimateResult> = self.wire().read(ESTIMATE_MANY, &params).await.ok()?;
        let results = list(answer);
        (results.len() == batch.len()).then(|| {
            let pairs = batch.iter().zip(results);
            pairs.map(|(item, result)| (item.index, one(&item.message, &item.spec, result))).collect()
        })
    }
}

/// A value in the JSON of the node at hand, whatever the adapter that speaks to it usually writes.
struct WrittenAs<T>(Face, T);

impl<T: Serialize> Serialize for WrittenAs<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        with_face(self.0, || self.1.serialize(serializer))
    }
}

fn one(message: &Message, spec: &GasSpec, result: EstimateResult) -> Result<Message, ChainError> {
    match result {
        EstimateResult { msg: Some(answer), err } if err.is_empty() => {
            Ok(filled(message, answer, spec, true))
        }
        EstimateResult { err, .. } => {
            let error = RpcError::new(crate::rpc::codes::METHOD, err).into();
            Err(Fault { method: ESTIMATE_MANY, error }.of_execution(&message.from))
        }
    }
}

/// Venus multiplies by the factor even if it is zero, so there always is one.
fn send_spec(spec: &GasSpec) -> MessageSendSpec {
    let unbounded = spec.max_fee.is_zero();
    MessageSendSpec {
        max_fee: if unbounded { TokenAmount::from_whole(ALL_FIL) } else { spec.max_fee.clone() },
        gas_over_estimation: factor(spec.over_estimation),
        gas_over_premium: factor(spec.over_premium),
        ..MessageSendSpec::default()
    }
}

/// The message with what the node estimated where nothing was set. All else stays as it was, the nonce too, which
/// nodes overwrite.
fn filled(message: &Message, answer: Message, spec: &GasSpec, factors_applied: bool) -> Message {
    let mut filled = message.clone();
    if filled.gas_limit == 0 {
        filled.gas_limit = answer.gas_limit.min(BLOCK_GAS_LIMIT);
    }
    let mut raised = TokenAmount::default();
    if filled.gas_premium.is_zero() {
        let over = if factors_applied { 1.0 } else { spec.over_premium };
        filled.gas_premium = TokenAmount::from_atto(scaled(answer.gas_premium.atto().clone(), over));
        raised = &filled.gas_premium - &answer.gas_premium;
    }
    if filled.gas_fee_cap.is_zero() {
        filled.gas_fee_cap = answer.gas_fee_cap + raised;
    }
    if !spec.max_fee.is_zero() && filled.gas_cost() > spec.max_fee {
        filled.gas_fee_cap = spec.max_fee.div_rem(filled.gas_limit.max(1)).0;
    }
    filled.gas_premium = filled.gas_premium.min(filled.gas_fee_cap.clone());
    filled
}

fn factor(factor: f64) -> f64 {
    if factor.is_finite() { factor.max(1.0) } else { 1.0 }
}

/// A number times a factor, rounded up. Millionths are exact enough for a guess.
fn scaled(value: BigInt, by: f64) -> BigInt {
    const UNIT: i64 = 1_000_000;
    let millionths = (factor(by).min(1e6) * UNIT as f64).round() as i64;
    let product = value * millionths;
    if product.is_zero() { product } else { (product + (UNIT - 1)) / UNIT }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn factors_round_up_and_never_shrink() {
        let scaled = |value: i64, by| scaled(value.into(), by);
        assert_eq!(scaled(1000, 1.25), 1250.into());
        assert_eq!(scaled(1001, 1.25), 1252.into());
        for odd in [0.0, 0.5, -3.0, f64::NAN, f64::INFINITY] {
            assert_eq!(scaled(7, odd), 7.into(), "{odd}");
        }
        assert_eq!(scaled(0, 3.0), 0.into());
    }
}
