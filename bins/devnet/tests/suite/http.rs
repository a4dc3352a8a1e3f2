//! Calls as `curl` makes them, in the manners of two nodes.

use serde_json::{Value, json};

use crate::support::{Devnet, MANUAL, call, send};

fn two_faces() -> Devnet {
    let mut args = MANUAL.to_vec();
    args[0] = "--face=venus=127.0.0.1:0,lotus=127.0.0.1:0";
    Devnet::start(&args)
}

fn body(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|e| panic!("{text:?}: {e}"))
}

#[test]
fn faces_show_the_same_chain_in_their_own_manners() {
    let devnet = two_faces();
    devnet.json(&["mine", "2"]);
    let token = devnet.token();
    for (method, params) in
        [("ChainHead", json!([])), ("StateNetworkName", json!([])), ("MpoolPending", json!([[]]))]
    {
        let ask = |face: &str, token: Option<&str>| call(devnet.address(face), token, method, &params);
        let lotus = ask("lotus", None);
        assert_eq!(lotus.status, 200, "{lotus:?}");
        assert_eq!(body(&lotus.body), body(&ask("lotus", Some(&token)).body));
        let stranger = ask("venus", None);
        assert_eq!((stranger.status, stranger.body.as_str()), (401, ""));
        let venus = ask("venus", Some(&token));
        assert_eq!(venus.status, 200, "{venus:?}");
        if method != "MpoolPending" {
            assert_eq!(body(&venus.body)["result"], body(&lotus.body)["result"], "{method}");
        }
        for bad in ["nonsense", "a.b.c", &format!("{token}x")] {
            assert_eq!((ask("lotus", Some(bad)).status, ask("venus", Some(bad)).status), (401, 401), "{bad}");
        }
    }
    let name = call(devnet.address("lotus"), None, "StateNetworkName", &json!([]));
    assert_eq!(body(&name.body)["result"], devnet.ready["network"]);
    assert_eq!(body(&name.body)["id"], 1);
}

#[test]
fn rights_and_unknown_methods_are_refused_in_the_words_of_nodes() {
    let devnet = two_faces();
    let lotus = devnet.address("lotus");
    let refused = |token: Option<&str>, method: &str| {
        body(&call(lotus, token, method, &json!([])).body)["error"].clone()
    };
    let error = refused(None, "Devnet.Status");
    assert_eq!(error["message"], "missing permission to invoke 'Status' (need 'admin')", "{error}");
    let read = devnet.read("read-token");
    assert_eq!(refused(Some(&read), "Devnet.Status"), error);
    let sign = devnet.json(&["token", "new", "--perm", "sign"])["token"].as_str().unwrap().to_owned();
    assert_eq!(refused(Some(&sign), "Devnet.Status"), error);
    let unknown = refused(Some(&devnet.token()), "ChainHeadache");
    assert_eq!(
        (&unknown["code"], &unknown["message"]),
        (&json!(-32601), &json!("method 'Filecoin.ChainHeadache' not found"))
    );
    let admin = devnet.json(&["token", "new", "--perm=admin"]);
    assert_eq!(call(lotus, admin["token"].as_str(), "Devnet.Status", &json!([])).status, 200);
    let health = send(lotus, "GET /healthcheck HTTP/1.1\r\n", "");
    assert_eq!((health.status, health.body.as_str()), (200, "{\"status\":\"up\"}"));
}

#[test]
fn the_control_answers_over_http() {
    let devnet = Devnet::manual();
    let mined = devnet.call("Devnet.Mine", &json!([{ "count": 2 }]));
    assert_eq!(mined["tipsets"], 2);
    assert_eq!(devnet.call("Devnet.Mine", &json!([{}]))["tipsets"], 1);
    let head = devnet.call("ChainHead", &json!([]));
    assert_eq!(devnet.call("Devnet.Status", &json!([]))["head"]["cids"], head["Cids"]);
    let refused = |method: &str, params: Value| {
        let answer = call(devnet.address("venus"), Some(&devnet.token()), method, &params);
        let error = body(&answer.body)["error"].clone();
        assert!(error.is_object(), "{method} {params}: {answer:?}");
        error["message"].as_str().unwrap().to_owned()
    };
    for (method, params) in [
        ("Devnet.Mine", json!([{ "count": 0 }])),
        ("Devnet.Mine", json!([{ "coutn": 1 }])),
        ("Devnet.Mine", json!([])),
        ("Devnet.Mine", json!([{ "count": -1 }])),
        ("Devnet.Mine", json!([{ "miners": ["t01000x"] }])),
        ("Devnet.Advance", json!(["1"])),
        ("Devnet.Fork", json!([{ "depth": 100_000 }])),
        ("Devnet.AutoMine", json!([{ "mode": "sometimes" }])),
        ("Devnet.AutoMine", json!([{ "mode": "every", "ms": 0 }])),
        ("Devnet.Producers", json!([["t0100"]])),
        ("Devnet.FreezeHead", json!([1])),
        ("Devnet.InjectRpcFault", json!([{ "method": "ChainHead", "kind": "smoke" }])),
        ("Devnet.MineUntil", json!([{ "message": "bafy" }])),
        ("Devnet.NullRounds", json!([9_000])),
        ("Devnet.Fund", json!(["t01000", "much"])),
        ("Devnet.FaultSectors", json!(["t01000", []])),
    ] {
        refused(method, params);
    }
    assert_eq!(devnet.call("ChainHead", &json!([])), head, "nothing of it happened");
}

#[test]
fn calls_go_wrong_on_demand() {
    let devnet = two_faces();
    devnet.json(&["fault", "rpc", "ChainHead", "--kind", "error", "--count", "2", "--message", "no luck"]);
    let ask = |face: &str| call(devnet.address(face), Some(&devnet.token()), "ChainHead", &json!([]));
    for _ in 0..2 {
        assert_eq!(body(&ask("venus").body)["error"]["message"], "no luck");
        assert!(body(&ask("lotus").body)["result"].is_object(), "the other face is well");
    }
    assert!(body(&ask("venus").body)["result"].is_object());
    devnet.json(&["fault", "rpc", "*", "--kind", "error", "--count", "1000"]);
    assert!(body(&ask("venus").body)["error"].is_object());
    devnet.json(&["fault", "clear"]);
    assert!(body(&ask("venus").body)["result"].is_object());
}
