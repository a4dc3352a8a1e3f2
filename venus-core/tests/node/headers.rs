//! Headers made here, compared with those that a real network accepted.

use std::collections::HashMap;
use std::sync::Arc;

use jsonrpsee::RpcModule;
use jsonrpsee::types::ErrorObjectOwned;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use venus_core::api::*;
use venus_core::json::Json;
use venus_core::rpc::server::{Everybody, RpcServer};
use venus_core::rpc::{Dialect, MethodSpec, Param, Permission, Permissions, RpcError, Service};
use venus_core::types::*;

use crate::common::real_chain::{CHAIN, Chain, Recorded, VENUS};
use crate::support::{Address as At, lotus};

/// What a node with this chain knows, by key and CID.
struct Store {
    chain: &'static Chain,
    tipsets: HashMap<TipsetKey, &'static Recorded>,
    children: HashMap<TipsetKey, &'static Recorded>,
}

fn store(chain: &'static Chain) -> Store {
    let tipsets = chain.tipsets.iter().map(|t| (t.key.clone(), t)).collect();
    let children = chain.tipsets.iter().map(|t| (t.tipset.parents(), t)).collect();
    Store { chain, tipsets, children }
}

type Answer = Option<Value>;

fn arg<T: DeserializeOwned>(params: &[Value], index: usize) -> T {
    serde_json::from_value(params[index].clone()).unwrap()
}

fn to_value(value: impl serde::Serialize) -> Value {
    serde_json::to_value(value).unwrap()
}

fn network_params(store: &Store) -> Value {
    json!({
        "NetworkName": "localnet-recorded",
        "BlockDelaySecs": store.chain.block_delay_secs,
        "ConsensusMinerMinPower": "2048",
        "PreCommitChallengeDelay": 10,
        "ForkUpgradeParams": {},
        "Eip155ChainID": 31_415_926,
        "GenesisTimestamp": store.chain.genesis.min_timestamp(),
    })
}

/// What a tipset's execution gave, as its child tells.
fn computed(store: &Store, key: &TipsetKey) -> Option<Value> {
    let child = store.children.get(key)?;
    let parents = store.chain.parents(child)?;
    let receipt = |receipt: &Receipt| to_value(receipt);
    let trace = parents.messages.iter().zip(&child.parent_receipts).map(|((cid, message), r)| {
        let gas = json!({"Message": null, "GasUsed": "0", "BaseFeeBurn": "0", "OverEstimationBurn": "0",
            "MinerPenalty": "0", "MinerTip": "0", "Refund": "0", "TotalCost": "0"});
        let call = json!({"From": "f01", "To": "f01", "Value": "0", "Method": 0, "Params": null,
            "ParamsCodec": 0, "GasLimit": 0, "ReadOnly": false});
        let back = json!({"ExitCode": 0, "Return": null, "ReturnCodec": 0});
        let trace = json!({"Msg": call, "MsgRct": back, "InvokedActor": null, "GasCharges": null, "Subcalls": null});
        json!({"MsgCid": to_value(Json(*cid)), "Msg": to_value(Json(Message::clone(message))), "MsgRct": receipt(r),
            "GasCost": gas, "ExecutionTrace": trace, "Error": "", "Duration": 0})
    });
    let trace: Vec<Value> = trace.collect();
    Some(json!({"Root": to_value(Json(*child.tipset.parent_state())), "Trace": trace}))
}

fn answer(store: &Store, method: &str, params: &[Value]) -> Answer {
    let tipset = |key: &TipsetKey| store.tipsets.get(key).copied();
    let key = |index| arg::<TipsetKey>(params, index);
    match method {
        "StateNetworkName" => Some(json!("localnet-recorded")),
        "Version" => Some(json!({"Version": "1", "APIVersion": 131_840, "BlockDelay": 4, "Agent": "lotus"})),
        "StateGetNetworkParams" => Some(network_params(store)),
        "StateNetworkVersion" if key(0).is_empty() => Some(json!(28)),
        "StateNetworkVersion" => tipset(&key(0)).map(|t| json!(t.network_version)),
        "ChainGetTipSet" => tipset(&key(0)).map(|t| to_value(&t.tipset)),
        "ChainTipSetWeight" => tipset(&key(0)).map(|t| to_value(Json(t.weight.clone()))),
        "ChainGetMessagesInTipset" => {
            let parents = store.chain.parents(store.children.get(&key(0))?)?;
            let list = parents.messages.iter();
            let list = list.map(|(cid, m)| ChainMessage { cid: *cid, message: Message::clone(m) });
            Some(to_value(Json(list.collect::<Vec<_>>())))
        }
        "ChainGetBlockMessages" => {
            let cid: Json<Cid> = arg(params, 0);
            let (_, block) = store.chain.blocks().find(|(_, block)| block.cid == cid.0)?;
            Some(to_value(&block.messages))
        }
        "StateCompute" => computed(store, &key(2)),
        _ => None,
    }
}

const ANY: Param = Param::of::<Value>("any");
const METHODS: [(&str, &[Param]); 10] = [
    ("StateNetworkName", &[]),
    ("Version", &[]),
    ("StateGetNetworkParams", &[]),
    ("StateNetworkVersion", &[ANY]),
    ("ChainGetTipSet", &[ANY]),
    ("ChainTipSetWeight", &[ANY]),
    ("ChainGetMessagesInTipset", &[ANY]),
    ("ChainGetBlockMessages", &[ANY]),
    ("StateCompute", &[ANY, ANY, ANY]),
    ("MinerCreateBlock", &[ANY]),
];

fn server(chain: &'static Chain) -> RpcServer {
    let store = Arc::new(store(chain));
    let (mut module, mut table) = (RpcModule::new(()), Vec::new());
    for (method, params) in METHODS {
        let name: &'static str = Box::leak(format!("Filecoin.{method}").into_boxed_str());
        table.push(MethodSpec::new(name, Permission::Read, params));
        let store = store.clone();
        let call = move |params: jsonrpsee::types::Params<'static>, _: Arc<()>, _: jsonrpsee::Extensions| {
            let params: Vec<Value> = params.parse().unwrap_or_default();
            let answer = match method {
                "MinerCreateBlock" => Err("failed to sign new block: key not found"),
                _ => answer(&store, method, &params).ok_or("ipld: could not find it"),
            };
            async move { answer.map_err(|text| ErrorObjectOwned::from(RpcError::new(1, text))) }
        };
        module.register_async_method(name, call).unwrap();
    }
    let service = Service::new(module, &[&table], Dialect::Upstream).unwrap();
    RpcServer::new(service, Everybody(Permissions::ALL))
}

/// Makes every block again whose parents were recorded with their messages; answers how many.
async fn remake(chain: &'static Chain) -> usize {
    let node = lotus(&At::of_server(server(chain))).await;
    let mut made = 0;
    for (recorded, block) in chain.blocks() {
        let parents = recorded.tipset.parents();
        let known = chain.tipsets.iter().any(|t| t.key == parents);
        // Signatures of BLS messages are lost in a chain: only their sum stays.
        if !known || !block.messages.bls.is_empty() {
            continue;
        }
        let header = &block.header;
        let template = BlockTemplate {
            miner: header.miner,
            parents,
            ticket: header.ticket.clone().unwrap(),
            election_proof: header.election_proof.clone().unwrap(),
            beacon_values: header.beacon_entries.clone(),
            messages: block.messages.secp.clone(),
            epoch: header.height,
            timestamp: header.timestamp,
            winning_post_proof: header.win_post_proof.clone(),
        };
        let remade = node.create_block(&template).await.unwrap();
        let signed = BlockHeader {
            block_sig: header.block_sig.clone(),
            fork_signaling: header.fork_signaling,
            ..remade.header
        };
        assert_eq!(signed, *header, "{}", block.cid);
        assert_eq!(signed.cid(), block.cid);
        made += 1;
    }
    made
}

#[tokio::test]
async fn blocks_of_a_lotus_network() {
    assert_eq!(remake(&CHAIN).await, 102);
}

#[tokio::test]
async fn blocks_of_a_venus_network_across_an_upgrade() {
    assert_eq!(remake(&VENUS).await, 123);
}
