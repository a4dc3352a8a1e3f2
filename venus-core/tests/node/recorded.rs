//! Every recorded call of a Venus and a Lotus node, made through the traits.

use std::collections::BTreeMap;
use std::fmt::Debug;

use serde::de::DeserializeOwned;
use serde_json::Value;
use venus_core::api::*;
use venus_core::error::{Classify, ErrorKind};
use venus_core::json::{Json, LotusJson};
use venus_core::node::FullNode;
use venus_core::types::*;

use crate::support::replay::{Call, calls, server};
use crate::support::{Address as At, Style, lotus, venus};

/// Calls that were checked, by method.
type Counts = BTreeMap<String, usize>;

#[tokio::test]
async fn venus_answers_are_the_facts_of_the_recording() {
    let calls = calls("venus");
    let node = venus(&At::of_server(server(&calls, Style::Venus))).await;
    let counts = check_all(&node, &calls).await;
    assert_eq!((counts.values().sum::<usize>(), counts.len()), (130, 58), "{counts:?}");
}

#[tokio::test]
async fn lotus_answers_are_the_facts_of_the_recording() {
    let calls = calls("lotus");
    let node = lotus(&At::of_server(server(&calls, Style::Lotus))).await;
    let counts = check_all(&node, &calls).await;
    assert_eq!((counts.values().sum::<usize>(), counts.len()), (118, 56), "{counts:?}");
    assert_eq!(node.missing_methods(), ["Filecoin.MpoolSelects"]);
}

async fn check_all(node: &dyn FullNode, calls: &[Call]) -> Counts {
    let mut counts = Counts::new();
    for call in calls {
        check(node, call).await;
        *counts.entry(call.method.clone()).or_default() += 1;
    }
    counts
}

/// A parameter, which may be null.
fn p<T: DeserializeOwned>(call: &Call, index: usize) -> T {
    serde_json::from_value(call.params[index].clone()).unwrap_or_else(|e| panic!("{e}: {call:?}"))
}

fn j<T: LotusJson>(call: &Call, index: usize) -> T {
    p::<Json<T>>(call, index).0
}

fn expected<T: DeserializeOwned>(call: &Call) -> T {
    let result = call.result.clone().unwrap_or_default();
    serde_json::from_value(result).unwrap_or_else(|e| panic!("{e}: {call:?}"))
}

/// What the texts of the recordings mean.
fn kind(text: &str) -> ErrorKind {
    let table = [
        ("actor not found", ErrorKind::NotFound),
        ("could not find", ErrorKind::NotFound),
        ("height greater than start point", ErrorKind::NotFound),
        ("actor code is not account", ErrorKind::Invalid),
        ("failed to validate signature", ErrorKind::Invalid),
        ("not valid for block inclusion", ErrorKind::Invalid),
        ("message execution failed", ErrorKind::Invalid),
    ];
    table.iter().find(|(part, _)| text.contains(part)).unwrap_or_else(|| panic!("{text}")).1
}

fn same<T: DeserializeOwned + PartialEq + Debug>(got: Result<T, ChainError>, call: &Call) {
    match call.error_text() {
        None => assert_eq!(got.unwrap_or_else(|e| panic!("{e}: {call:?}")), expected::<T>(call), "{call:?}"),
        Some(text) => assert_eq!(got.unwrap_err().kind(), kind(text), "{call:?}"),
    }
}

fn same_json<T: LotusJson + PartialEq + Debug>(got: Result<T, ChainError>, call: &Call) {
    same(got.map(Json), call);
}

/// An error of the node stands for nothing.
fn same_or_none<T: DeserializeOwned + PartialEq + Debug>(got: Result<Option<T>, ChainError>, call: &Call) {
    let got = got.unwrap_or_else(|e| panic!("{e}: {call:?}"));
    match call.error {
        Some(_) => assert_eq!(got, None, "{call:?}"),
        None => assert_eq!(got, expected::<Option<T>>(call), "{call:?}"),
    }
}

fn same_list<T: LotusJson + PartialEq + Debug>(got: Result<Vec<T>, ChainError>, call: &Call) {
    same(got.map(|list| Option::Some(Json(list)).filter(|Json(list)| !list.is_empty())), &nullable(call));
}

/// An empty list as null: nodes use both.
fn nullable(call: &Call) -> Call {
    let empty = call.result == Some(Value::Array(Vec::new()));
    if empty { Call { result: Some(Value::Null), ..call.clone() } } else { call.clone() }
}

fn pairs(messages: Vec<(Cid, Message)>) -> Vec<ChainMessage> {
    messages.into_iter().map(|(cid, message)| ChainMessage { cid, message }).collect()
}

async fn check(node: &dyn FullNode, call: &Call) {
    let name = call.method.as_str();
    match name {
        _ if name.starts_with("Chain") => chain(node, call).await,
        _ if name.starts_with("StateMiner") => miner(node, call).await,
        _ if name.starts_with("StateSector") => sector(node, call).await,
        _ if name.starts_with("Mpool") || name.starts_with("Gas") => pool(node, call).await,
        _ if name.starts_with("Miner") => block(node, call).await,
        "Version" => {}
        "StateNetworkName" => same_json(node.network().await.map(|n| n.name.clone()), call),
        "StateNetworkVersion" => same_json(node.network().await.map(|n| n.network_version), call),
        "StateGetNetworkParams" => {
            let (network, params) = (node.network().await.unwrap(), expected::<NetworkParams>(call));
            assert_eq!(network.block_delay_secs, params.block_delay_secs);
            assert_eq!(network.eip155_chain_id, params.eip155_chain_id);
            let genesis = node.genesis().await.unwrap();
            assert_eq!(network.genesis_timestamp, genesis.min_timestamp());
            assert_eq!(network.address_network, Network::Testnet);
        }
        _ => state(node, call).await,
    }
}

async fn chain(node: &dyn FullNode, call: &Call) {
    match call.method.as_str() {
        "ChainHead" => same_json(node.head().await, call),
        "ChainGetGenesis" => same_json(node.genesis().await, call),
        // Lotus refuses the empty key.
        "ChainGetTipSet" if p::<Option<TipsetKey>>(call, 0).unwrap_or_default().is_empty() => {
            assert_eq!(node.tipset(&TipsetKey::default()).await.unwrap(), node.head().await.unwrap());
        }
        "ChainGetTipSet" => same_json(node.tipset(&p(call, 0)).await, call),
        "ChainGetTipSetByHeight" => {
            same_json(node.tipset_at(p(call, 0), &p(call, 1), NullRound::Before).await, call);
        }
        "ChainGetTipSetAfterHeight" => {
            same_json(node.tipset_at(p(call, 0), &p(call, 1), NullRound::After).await, call);
        }
        "ChainGetBlock" => same(node.block(&j(call, 0)).await, call),
        "ChainGetBlockMessages" => same(node.block_messages(&j(call, 0)).await, call),
        "ChainGetMessage" => same_json(node.message(&j(call, 0)).await, call),
        "ChainGetMessagesInTipset" => same_list(node.tipset_messages(&p(call, 0)).await.map(pairs), call),
        "ChainGetParentMessages" => same_list(node.parent_messages(&j(call, 0)).await.map(pairs), call),
        "ChainGetParentReceipts" => same_list(node.parent_receipts(&j(call, 0)).await, call),
        "ChainGetPath" => {
            let change = node.path(&p(call, 0), &p(call, 1)).await;
            same_list(change.map(crate::support::methods::steps), call);
        }
        // Headers made here need it.
        "ChainTipSetWeight" => {}
        other => panic!("{other}"),
    }
}

async fn state(node: &dyn FullNode, call: &Call) {
    let at = |index| p::<TipsetKey>(call, index);
    match call.method.as_str() {
        "StateGetActor" => same_or_none(node.actor(&j(call, 0), &at(1)).await, call),
        // Lotus and Venus answer an ID that nobody has with itself.
        "StateLookupID" if call.params[0] == "t0999999" => {
            assert_eq!(node.lookup_id(&j(call, 0), &at(1)).await.unwrap_err().kind(), ErrorKind::NotFound);
        }
        "StateLookupID" => same_json(node.lookup_id(&j(call, 0), &at(1)).await, call),
        "StateAccountKey" => same_json(node.account_key(&j(call, 0), &at(1)).await, call),
        "StateSearchMsg" => {
            let limit: i64 = p(call, 2);
            let options = SearchOptions {
                from: at(0),
                lookback: (limit >= 0).then_some(limit),
                allow_replaced: p(call, 3),
            };
            same_or_none(node.search_message(&j(call, 1), &options).await, call);
        }
        "StateMarketStorageDeal" => same_or_none(node.deal(p(call, 0), &at(1)).await, call),
        "StateMarketBalance" if call.params[0] == "t0999999" => {
            assert_eq!(
                node.market_balance(&j(call, 0), &at(1)).await.unwrap_err().kind(),
                ErrorKind::NotFound
            );
        }
        "StateMarketBalance" => same(node.market_balance(&j(call, 0), &at(1)).await, call),
        "StateDealProviderCollateralBounds" => {
            same(node.collateral_bounds(p(call, 0), p(call, 1), &at(2)).await, call);
        }
        "StateVerifiedClientStatus" => {
            same_or_none(node.datacap(&j(call, 0), &at(1)).await.map(|datacap| datacap.map(Json)), call);
        }
        "StateGetAllocations" => same_json(node.allocations(&j(call, 0), &at(1)).await, call),
        "StateGetClaims" => same_json(node.claims(&j(call, 0), &at(1)).await, call),
        "StateGetAllocation" => same_or_none(node.allocation(&j(call, 0), p(call, 1), &at(2)).await, call),
        "StateGetClaim" => same_or_none(node.claim(&j(call, 0), p(call, 1), &at(2)).await, call),
        "StateGetAllocationForPendingDeal" => {
            same_or_none(node.allocation_for_deal(p(call, 0), &at(1)).await, call);
        }
        other => panic!("{other}"),
    }
}

async fn miner(node: &dyn FullNode, call: &Call) {
    let at = |index| p::<TipsetKey>(call, index);
    let miner = || j::<Address>(call, 0);
    match call.method.as_str() {
        "StateMinerInfo" => same(node.info(&miner(), &at(1)).await, call),
        "StateMinerPower" if call.params[0] == "t0999999" => {
            assert_eq!(node.power(&miner(), &at(1)).await.unwrap_err().kind(), ErrorKind::NotFound);
        }
        // The total, which is asked for with an address that nobody was recorded to look at.
        "StateMinerPower" if call.params[0] == "t00" => {}
        "StateMinerPower" => same(node.power(&miner(), &at(1)).await, call),
        "StateMinerAvailableBalance" => same_json(node.available_balance(&miner(), &at(1)).await, call),
        "StateMinerProvingDeadline" => same(node.proving_deadline(&miner(), &at(1)).await, call),
        "StateMinerDeadlines" => same_list(node.deadlines(&miner(), &at(1)).await, call),
        "StateMinerPartitions" => same_list(node.partitions(&miner(), p(call, 1), &at(2)).await, call),
        "StateMinerFaults" => same_json(node.faults(&miner(), &at(1)).await, call),
        "StateMinerRecoveries" => same_json(node.recoveries(&miner(), &at(1)).await, call),
        "StateMinerSectorCount" => same(node.sector_count(&miner(), &at(1)).await, call),
        "StateMinerSectors" => {
            let numbers = p::<Option<Json<BitField>>>(call, 1).map(|Json(numbers)| numbers);
            same_list(node.sectors(&miner(), numbers.as_ref(), &at(2)).await, call);
        }
        "StateMinerSectorAllocated" => same_json(node.is_allocated(&miner(), p(call, 1), &at(2)).await, call),
        "StateMinerPreCommitDepositForPower" => {
            same_json(node.precommit_deposit(&miner(), &p(call, 1), &at(2)).await, call);
        }
        "StateMinerInitialPledgeForSector" => {
            let spec =
                PledgeSpec { duration: p(call, 0), sector_size: p(call, 1), verified_size: p(call, 2) };
            same_json(node.initial_pledge(&spec, &at(3)).await, call);
        }
        other => panic!("{other}"),
    }
}

async fn sector(node: &dyn FullNode, call: &Call) {
    let (miner, number, at) = (j::<Address>(call, 0), p::<u64>(call, 1), p::<TipsetKey>(call, 2));
    match call.method.as_str() {
        "StateSectorGetInfo" => same_or_none(node.sector(&miner, number, &at).await, call),
        "StateSectorPreCommitInfo" => same_or_none(node.precommit(&miner, number, &at).await, call),
        "StateSectorExpiration" => same_or_none(node.sector_expiration(&miner, number, &at).await, call),
        "StateSectorPartition" => same_or_none(node.sector_location(&miner, number, &at).await, call),
        other => panic!("{other}"),
    }
}

async fn pool(node: &dyn FullNode, call: &Call) {
    match call.method.as_str() {
        "MpoolPending" => same_list(node.pending().await, call),
        "MpoolGetNonce" => same_json(node.next_nonce(&j(call, 0)).await, call),
        "MpoolPush" => same_json(node.push(&p(call, 0)).await, call),
        "MpoolBatchPush" => {
            let messages: Vec<SignedMessage> = p(call, 0);
            let results = node.push_many(&messages).await;
            assert_eq!(results.len(), messages.len());
            // The refused batch is pushed again one by one.
            results.into_iter().for_each(|result| same_json(result, call));
        }
        "MpoolSelect" if call.params[1].as_f64().unwrap() <= 1.0 => {
            let lists = node.select_messages(&p(call, 0), &[p(call, 1)]).await;
            // Venus is asked for several at once, and that was recorded for others.
            if let Ok(mut lists) = lists {
                same_list(Ok(lists.remove(0)), call);
            }
        }
        "MpoolSelect" | "GasEstimateGasLimit" => {}
        "MpoolSelects" => {
            let qualities: Vec<f64> = p(call, 1);
            let lists = node.select_messages(&p(call, 0), &qualities).await.unwrap();
            assert_eq!(lists.len(), qualities.len());
        }
        "GasEstimateMessageGas" => {
            let max_fee = call.params[1]["MaxFee"].as_str().unwrap_or("0");
            let max_fee = TokenAmount::from_atto(max_fee.parse::<u64>().unwrap());
            let (message, spec) = (j::<Message>(call, 0), GasSpec { max_fee, ..GasSpec::default() });
            let nonce = message.sequence;
            let estimate = node.estimate(&message, &spec).await;
            if let (Ok(estimate), None) = (&estimate, &call.error) {
                assert_eq!(estimate.sequence, nonce);
                let mut told = Message { sequence: nonce, ..expected::<Json<Message>>(call).0 };
                if call.params[1].is_null() {
                    // Asked with a spec, always; the node's prices have moved between these two.
                    told.gas_premium = estimate.gas_premium.clone();
                    told.gas_fee_cap = estimate.gas_fee_cap.clone();
                }
                assert_eq!(*estimate, told, "{call:?}");
            } else {
                same_json(estimate, call);
            }
        }
        "GasBatchEstimateMessageGas" => {
            let items: Vec<EstimateMessage> = p(call, 0);
            let ask: Vec<_> = items.into_iter().map(|item| (item.msg, GasSpec::default())).collect();
            let told: Vec<EstimateResult> = expected(call);
            let estimates = node.estimate_many(&ask).await;
            assert_eq!(estimates.len(), told.len());
        }
        other => panic!("{other}"),
    }
}

async fn block(node: &dyn FullNode, call: &Call) {
    match call.method.as_str() {
        "MinerGetBaseInfo" => {
            same_or_none(node.base_info(&j(call, 0), p(call, 1), &p(call, 2)).await, call);
        }
        "MinerCreateBlock" => same(node.create_block(&p(call, 0)).await, call),
        other => panic!("{other}"),
    }
}
