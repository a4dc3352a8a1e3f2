#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
#![cfg(feature = "server")]
//! The strategy part of the RPC over real sockets: names, parameters, results and errors of venus-wallet v1.8.

use serde_json::{Value, json};
use venus_core::api::{Permission, Permissions};
use venus_core::json::Json;
use venus_core::rpc::client::{ClientConfig, RpcClient};
use venus_core::rpc::server::{Everybody, RpcServer};
use venus_core::rpc::{Dialect, MethodSpec, Service};
use venus_core::types::address;
use venus_signer::strategy::rpc::{
    STRATEGY_HEADER, STRATEGY_TABLE, StrategyApiClient, StrategyApiServer, caller_of,
};
use venus_signer::strategy::{Level, MemoryStrategyStore, Strategy, StrategyOptions};

const KEY: &str = "f17uoq6tp427uzv7fztkbsnn64iwotfrristwpryy";
const NOBODY: &str = "5a4ce5ad-6c4a-4d4b-8a5e-9d1a7f3c2b1e";

struct Wallet {
    strategy: Strategy,
    server: RpcServer,
    url: String,
}

async fn wallet(permissions: Permissions) -> Wallet {
    let options = StrategyOptions { level: Level::Types, ..Default::default() };
    let strategy = Strategy::open(MemoryStrategyStore::new(), options).await.unwrap();
    let service = Service::new(strategy.clone().into_rpc(), &[STRATEGY_TABLE], Dialect::Fork).unwrap();
    let server = RpcServer::new(service, Everybody(permissions));
    let listening = server.listen("127.0.0.1:0".parse().unwrap(), &["/rpc/v0"]).await.unwrap();
    Wallet { strategy, server, url: format!("http://{}/rpc/v0", listening.local_addr()) }
}

async fn client(url: &str, token: Option<&str>) -> RpcClient {
    let mut config = ClientConfig::default();
    if let Some(token) = token {
        config.headers.insert(STRATEGY_HEADER, token.parse().unwrap());
    }
    RpcClient::connect(url, config).await.unwrap()
}

/// Calls and returns the result, or the error's code and text.
async fn call(client: &RpcClient, method: &str, params: &Value) -> Result<Value, (i64, String)> {
    let params = params.to_string();
    match client.call_raw(&format!("Filecoin.{method}"), Some(&params)).await {
        Ok(value) => Ok(serde_json::from_str(value.get()).unwrap()),
        Err(venus_core::rpc::CallError::Rpc(error)) => Err((error.code, error.message)),
        Err(other) => panic!("{method}: {other}"),
    }
}

#[tokio::test]
async fn every_method_answers_as_v1_8_did() {
    let wallet = wallet(Permissions::ALL).await;
    let client = client(&wallet.url, None).await;
    let kb1 = json!({"BindID":1,"Name":"kb1","Address":KEY,"MetaTypes":15,"Methods":["CreateMiner","Send"]});
    let kb2 = json!({"BindID":2,"Name":"kb2","Address":KEY,"MetaTypes":63,"Methods":["Send"]});
    let null = Value::Null;
    let flow = [
        ("NewMsgTypeTemplate", json!(["mttmp1", [0, 1, 2, 3, 4, 5]]), null.clone()),
        ("GetMsgTypeTemplate", json!(["mttmp1"]), json!({"MTTId":1,"Name":"mttmp1","MetaTypes":63})),
        ("ListMsgTypeTemplates", json!([0, 20]), json!([{"MTTId":1,"Name":"mttmp1","MetaTypes":63}])),
        ("NewMethodTemplate", json!(["mtmp1", ["Send"]]), null.clone()),
        ("GetMethodTemplateByName", json!(["mtmp1"]), json!({"MTId":1,"Name":"mtmp1","Methods":["Send"]})),
        ("ListMethodTemplates", json!([0, 20]), json!([{"MTId":1,"Name":"mtmp1","Methods":["Send"]}])),
        ("NewKeyBindCustom", json!(["kb1", KEY, [0, 1, 2, 3], ["CreateMiner", "Send"]]), null.clone()),
        ("NewKeyBindFromTemplate", json!(["kb2", KEY, "mttmp1", "mtmp1"]), null.clone()),
        ("RemoveMsgTypeTemplate", json!(["mttmp1"]), null.clone()),
        ("RemoveMethodTemplate", json!(["mtmp1"]), null.clone()),
        ("GetKeyBindByName", json!(["kb1"]), kb1.clone()),
        ("GetKeyBinds", json!([KEY]), json!([kb1, kb2])),
        ("ListKeyBinds", json!([1, 20]), json!([kb2])),
        ("NewGroup", json!(["g", ["kb1"]]), null.clone()),
        ("GetGroupByName", json!(["g"]), json!({"GroupID":1,"Name":"g","KeyBinds":[kb1]})),
        ("ListGroups", json!([0, 20]), json!([{"GroupID":1,"Name":"g","KeyBinds":[]}])),
        ("GetWalletTokensByGroup", json!(["g"]), json!([])),
        ("ScopeWallet", json!([]), json!({"Root":true,"Addresses":null})),
        ("ContainWallet", json!([KEY]), json!(true)),
        ("Verify", json!([KEY, "block", null]), null.clone()),
        ("Verify", json!([KEY, "unheard of", null]), null.clone()),
        ("BindAccount", json!(["alice", "g"]), null.clone()),
        ("ListAccountBinds", json!([0, 20]), json!([{"Account":"alice","GroupID":1,"Name":"g"}])),
        ("UnbindAccount", json!(["alice", "g"]), null.clone()),
        ("RemoveKeyBind", json!(["kb1"]), null.clone()),
        ("RemoveKeyBindByAddress", json!([format!("t{}", &KEY[1..])]), json!(1)),
        ("RemoveGroup", json!(["g"]), null.clone()),
    ];
    for (method, params, expected) in flow {
        assert_eq!(call(&client, method, &params).await, Ok(expected), "{method} {params}");
    }
    wallet.server.shutdown().await;
}

#[tokio::test]
async fn edits_of_key_binds_answer_the_key_bind_also_under_old_names() {
    let wallet = wallet(Permissions::ALL).await;
    let client = client(&wallet.url, None).await;
    call(&client, "NewKeyBindCustom", &json!(["kb", KEY, [1], null])).await.unwrap();
    let answer = |types: u32, methods: &[&str]| {
        Ok(json!({"BindID":1,"Name":"kb","Address":KEY,"MetaTypes":types,"Methods":methods}))
    };
    for (add_type, add, remove_type, remove) in [
        (
            "AddMsgTypeIntoKeyBind",
            "AddMethodIntoKeyBind",
            "RemoveMsgTypeFromKeyBind",
            "RemoveMethodFromKeyBind",
        ),
        (
            "PushMsgTypeIntoKeyBind",
            "PushMethodIntoKeyBind",
            "PullMsgTypeFromKeyBind",
            "PullMethodFromKeyBind",
        ),
    ] {
        assert_eq!(call(&client, add_type, &json!(["kb", [2]])).await, answer(6, &[]));
        assert_eq!(call(&client, add, &json!(["kb", ["Send"]])).await, answer(6, &["Send"]));
        assert_eq!(call(&client, remove_type, &json!(["kb", [2]])).await, answer(2, &["Send"]));
        assert_eq!(call(&client, remove, &json!(["kb", ["Send"]])).await, answer(2, &[]));
    }
    wallet.server.shutdown().await;
}

#[tokio::test]
async fn tokens_are_shown_once_and_removed_under_either_name() {
    let wallet = wallet(Permissions::ALL).await;
    let client = client(&wallet.url, None).await;
    call(&client, "NewKeyBindCustom", &json!(["kb", KEY, [2], []])).await.unwrap();
    call(&client, "NewGroup", &json!(["g", ["kb"]])).await.unwrap();
    for (new, remove) in [("NewStToken", "RemoveStToken"), ("NewWalletToken", "RemoveToken")] {
        let token = call(&client, new, &json!(["g"])).await.unwrap();
        let text = token.as_str().unwrap().to_owned();
        assert_eq!(text.len(), 36);
        assert_eq!(call(&client, "GetWalletTokensByGroup", &json!(["g"])).await, Ok(json!([text[..8]])));
        let info = call(&client, "GetWalletTokenInfo", &json!([text])).await.unwrap();
        assert_eq!((&info["Token"], &info["GroupID"], &info["Name"]), (&token, &json!(1), &json!("g")));
        assert_eq!(info["KeyBinds"][0]["Name"], "kb");
        assert_eq!(call(&client, remove, &json!([text])).await, Ok(Value::Null));
        let none = Err((1, "data does not exists".to_owned()));
        assert_eq!(call(&client, remove, &json!([text])).await, none);
    }
    wallet.server.shutdown().await;
}

#[tokio::test]
async fn errors_have_code_1_and_the_text_of_go() {
    let wallet = wallet(Permissions::ALL).await;
    let client = client(&wallet.url, None).await;
    let cases = [
        ("GetKeyBindByName", json!(["kb"]), "data does not exists"),
        ("NewMsgTypeTemplate", json!(["t", []]), "nil reference"),
        ("NewMsgTypeTemplate", json!(["t", null]), "nil reference"),
        ("NewMsgTypeTemplate", json!(["t", [11]]), "code over flow"),
        ("NewMethodTemplate", json!(["m", ["A", "B"]]), "method name illegal: A,B"),
        ("NewGroup", json!(["g", ["a", "b"]]), "keybind name not exists:a b "),
        (
            "NewKeyBindFromTemplate",
            json!(["k", KEY, "t", ""]),
            "find msgType template failed:data does not exists",
        ),
        ("GetWalletTokenInfo", json!([NOBODY]), "data does not exists"),
        ("BindAccount", json!(["alice", "g"]), "data does not exists"),
    ];
    for (method, params, text) in cases {
        assert_eq!(call(&client, method, &params).await, Err((1, text.to_owned())), "{method} {params}");
    }
    for (method, params, code) in [
        ("NewGroup", json!(["g"]), -32602),
        ("GetKeyBinds", json!(["f17uoq6tp427uzv7fztkbsnn64iwotfrristwpryx"]), -32700),
        ("ListGroups", json!(["0", 1]), -32700),
    ] {
        assert_eq!(call(&client, method, &params).await.unwrap_err().0, code, "{method}");
    }
    wallet.server.shutdown().await;
}

#[tokio::test]
async fn all_methods_need_admin() {
    assert!(STRATEGY_TABLE.iter().all(|spec| spec.permission == Permission::Admin));
    assert_eq!(STRATEGY_TABLE.len(), 33);
    let wallet = wallet(Permissions::up_to("sign")).await;
    let client = client(&wallet.url, None).await;
    let error = call(&client, "ListGroups", &json!([0, 20])).await.unwrap_err();
    assert_eq!(error, (1, "missing permission to invoke 'ListGroups'  (need 'admin')".to_owned()));
    wallet.server.shutdown().await;
}

#[tokio::test]
async fn the_generated_client_understands_the_server() {
    let wallet = wallet(Permissions::ALL).await;
    let client = client(&wallet.url, None).await;
    let key = address::parse(KEY).unwrap();
    client.new_key_bind_custom("kb".into(), Json(key), Some(vec![1]), None).await.unwrap();
    client.new_group("g".into(), Some(vec!["kb".into()])).await.unwrap();
    let token = client.new_st_token("g".into()).await.unwrap();
    assert_eq!(client.get_wallet_token_info(token).await.unwrap().key_binds[0].name, "kb");
    assert!(client.scope_wallet().await.unwrap().root);
    assert_eq!(wallet.strategy.tokens_of("g").unwrap().len(), 1);
    wallet.server.shutdown().await;
}

#[test]
fn callers_come_with_their_token_and_without_an_identity_have_no_rights() {
    let nobody = caller_of(&http::Extensions::new());
    assert_eq!((nobody.label().as_str(), nobody.permissions), ("rpc", Permissions::NONE));
    assert!(nobody.strategy_token.is_none());
}

/// A caller that may sign finds its keys by the token in the header.
#[tokio::test]
async fn the_token_of_a_header_gives_its_keys() {
    let spec = STRATEGY_TABLE.iter().find(|spec| spec.name == "Filecoin.ContainWallet").copied().unwrap();
    let table = [MethodSpec { permission: Permission::Sign, ..spec }];
    let options = StrategyOptions { level: Level::Types, ..Default::default() };
    let strategy = Strategy::open(MemoryStrategyStore::new(), options).await.unwrap();
    let key = address::parse(KEY).unwrap();
    strategy.new_key_bind("kb", &key, &[1], &[]).await.unwrap();
    StrategyApiServer::new_group(&strategy, "g".into(), Some(vec!["kb".into()])).await.unwrap();
    let token = strategy.new_token("g").await.unwrap().expose();
    let service = Service::new(strategy.into_rpc(), &[&table], Dialect::Fork).unwrap();
    let server = RpcServer::new(service, Everybody(Permissions::up_to("sign")));
    let listening = server.listen("127.0.0.1:0".parse().unwrap(), &["/rpc/v0"]).await.unwrap();
    let url = format!("http://{}/rpc/v0", listening.local_addr());
    for (token, expected) in [(Some(token.as_str()), true), (Some(NOBODY), false), (None, false)] {
        let client = client(&url, token).await;
        assert_eq!(call(&client, "ContainWallet", &json!([KEY])).await, Ok(json!(expected)), "{token:?}");
    }
    server.shutdown().await;
}
