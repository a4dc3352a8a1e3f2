//! A server that answers as a node was recorded.

use std::collections::HashMap;
use std::sync::Arc;

use jsonrpsee::RpcModule;
use jsonrpsee::types::ErrorObjectOwned;
use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Value, json};
use venus_core::rpc::server::{Everybody, RpcServer};
use venus_core::rpc::{MethodSpec, Param, Permission, Permissions, RpcError, Service};

use super::Style;
use crate::common::text;

/// A recorded call.
#[derive(Clone, Debug, Deserialize)]
pub struct Call {
    pub method: String,
    pub params: Vec<Value>,
    pub result: Option<Value>,
    pub error: Option<Value>,
    pub recorded: Option<usize>,
}

impl Call {
    pub fn error_text(&self) -> Option<&str> {
        self.error.as_ref().map(|error| error["message"].as_str().unwrap())
    }
}

/// The calls of `venus` or `lotus`, with their answers.
pub fn calls(node: &str) -> Vec<Call> {
    #[derive(Deserialize)]
    struct Answer {
        method: String,
        result: Box<RawValue>,
    }
    let answers = text(&format!("recorded/{node}.jsonl"));
    let answers: Vec<&str> = answers.lines().collect();
    let calls = text(&format!("node/{node}.jsonl"));
    let read = |line: &str| {
        let mut call: Call = serde_json::from_str(line).unwrap();
        if let Some(line) = call.recorded {
            let answer: Answer = serde_json::from_str(answers[line - 1]).unwrap();
            assert_eq!(answer.method, call.method);
            call.result = Some(serde_json::from_str(answer.result.get()).unwrap());
        }
        call
    };
    calls.lines().map(read).collect()
}

/// What of a call decides its answer. Members that a reader computes itself, the tipset where only the head is
/// looked at, and how a spec says that there is no bound do not.
fn question(method: &str, params: &[Value]) -> Value {
    let mut params = params.to_vec();
    params.iter_mut().for_each(without_derived);
    match method {
        "GasEstimateMessageGas" => {
            params.truncate(2);
            let bound = params[1]["MaxFee"].as_str().unwrap_or("0").to_owned();
            params[1] = json!(if bound.len() > 20 { "0".to_owned() } else { bound });
        }
        "GasBatchEstimateMessageGas" => {
            params.truncate(1);
            for item in params[0].as_array_mut().unwrap() {
                item["Spec"] = Value::Null;
                item["Msg"]["Nonce"] = Value::Null;
            }
        }
        "GasEstimateGasLimit" => params.truncate(1),
        "MpoolPending" => params.clear(),
        _ => {}
    }
    Value::Array(params)
}

fn without_derived(value: &mut Value) {
    match value {
        Value::Object(members) => {
            members.remove("CID");
            // Go reads both alike.
            members.values_mut().filter(|v| **v == json!([])).for_each(|v| *v = Value::Null);
            members.values_mut().for_each(without_derived);
        }
        // An address of either network.
        Value::String(text)
            if text.starts_with('f') && text.as_bytes().get(1).is_some_and(u8::is_ascii_digit) =>
        {
            text.replace_range(..1, "t");
        }
        Value::Array(list) => list.iter_mut().for_each(without_derived),
        _ => {}
    }
}

const ANY: Param = Param::of::<Value>("any");
const PARAMS: [&[Param]; 5] = [&[], &[ANY], &[ANY, ANY], &[ANY, ANY, ANY], &[ANY, ANY, ANY, ANY]];

/// A server that knows these calls and no others.
pub fn server(calls: &[Call], style: Style) -> RpcServer {
    let mut by_method = HashMap::<String, Vec<Call>>::new();
    for call in calls {
        by_method.entry(call.method.clone()).or_default().push(call.clone());
    }
    let (mut module, mut table) = (RpcModule::new(()), Vec::new());
    for (method, calls) in by_method {
        let name: &'static str = Box::leak(format!("Filecoin.{method}").into_boxed_str());
        table.push(MethodSpec::new(name, Permission::Read, PARAMS[calls[0].params.len()]));
        let answer =
            move |params: jsonrpsee::types::Params<'static>, _: Arc<()>, _: jsonrpsee::Extensions| {
                let params: Vec<Value> = params.parse().unwrap_or_default();
                let asked = question(&method, &params);
                let known = calls.iter().find(|call| question(&method, &call.params) == asked).cloned();
                async move { known.map_or_else(|| Err(not_recorded(&asked)), reply) }
            };
        module.register_async_method(name, answer).unwrap();
    }
    let service = Service::new(module, &[&table], style.dialect()).unwrap();
    RpcServer::new(service, Everybody(Permissions::ALL))
}

fn not_recorded(asked: &Value) -> ErrorObjectOwned {
    RpcError::new(1, format!("never recorded: {asked}")).into()
}

fn reply(call: Call) -> Result<Value, ErrorObjectOwned> {
    match call.error {
        None => Ok(call.result.unwrap_or_default()),
        Some(error) => {
            let text = error["message"].as_str().unwrap();
            let mut told = RpcError::new(error["code"].as_i64().unwrap(), text);
            if let Some(data) = error.get("data") {
                told = told.with_data(data);
            }
            Err(told.into())
        }
    }
}
