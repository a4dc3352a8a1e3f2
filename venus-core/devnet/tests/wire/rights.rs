//! Who may call what.

use std::sync::Arc;

use secrecy::SecretSlice;
use serde_json::{Value, json};
use venus_core::api::Permissions;
use venus_core::clock::ManualClock;
use venus_core::testing::doubles::{Flaky, MemoryAccounts};
use venus_devnet::face::{Face, FaceKind, Tokens};

use crate::raw::request;
use crate::served::{Served, world};

/// What needs more than the right to read, and for which right, on faces that look like Lotus.
const GUARDED: [(&str, &str); 25] = [
    ("AuthNew", "admin"),
    ("F3GetOrRenewParticipationTicket", "sign"),
    ("F3Participate", "sign"),
    ("MinerCreateBlock", "write"),
    ("MpoolBatchPush", "write"),
    ("MpoolBatchPushMessage", "sign"),
    ("MpoolBatchPushUntrusted", "write"),
    ("MpoolClear", "write"),
    ("MpoolPush", "write"),
    ("MpoolPushMessage", "sign"),
    ("MpoolPushUntrusted", "write"),
    ("MpoolSetConfig", "admin"),
    ("NetConnect", "write"),
    ("NetDisconnect", "write"),
    ("Shutdown", "admin"),
    ("SyncSubmitBlock", "write"),
    ("WalletDefaultAddress", "write"),
    ("WalletHas", "write"),
    ("WalletList", "write"),
    ("WalletSign", "sign"),
    ("WalletSignMessage", "sign"),
    // What Venus has besides.
    ("MpoolDeleteByAdress", "admin"),
    ("MpoolPublishByAddr", "write"),
    ("MpoolPublishMessage", "write"),
    ("WalletAddresses", "admin"),
];

/// Names, numbers of parameters and rights of all methods.
async fn described(served: &Served) -> Vec<(String, usize, String)> {
    let document = served.result("Discover", json!([])).await;
    let methods = document["methods"].as_array().unwrap().iter();
    let methods = methods.map(|method| {
        let name = method["name"].as_str().unwrap().strip_prefix("Filecoin.").unwrap().to_owned();
        let right = method["description"].as_str().unwrap().strip_prefix("needs the right ").unwrap();
        (name, method["params"].as_array().unwrap().len(), right.to_owned())
    });
    methods.collect()
}

#[tokio::test]
async fn every_method_asks_for_its_right_and_for_no_other() {
    let served = Served::new(world(1), FaceKind::Lotus).await;
    let methods = described(&served).await;
    assert!(methods.len() > 100, "{} methods", methods.len());
    let guarded: Vec<_> = methods.iter().filter(|(_, _, right)| right != "read").collect();
    for (name, _, right) in &guarded {
        let expected = GUARDED.iter().find(|(guarded, _)| guarded == name);
        assert_eq!(expected.map(|(_, right)| *right), Some(right.as_str()), "{name}");
    }
    assert_eq!(guarded.len(), 21);
    for level in ["read", "write", "sign", "admin"] {
        let rights = Permissions::up_to(level);
        let token = served.token(rights);
        // Handlers of methods with parameters refuse null, so nothing is done.
        for (name, params, right) in methods
            .iter()
            .filter(|(name, params, right)| *params > 0 || right != level || name == "ChainHead")
        {
            let body = request(name, &Value::from(vec![Value::Null; *params]));
            let reply = served.post("/rpc/v1", Some(&token), &body).await.unwrap();
            let refused = reply.body.contains("missing permission");
            assert_eq!(refused, !may(rights, right), "{name} with {level}: {reply:?}");
            if refused {
                let text = format!("missing permission to invoke '{name}' (need '{right}')");
                assert_eq!((reply.status, reply.error()), (200, (1, text)));
            }
        }
    }
    served.server.shutdown().await;
}

fn may(rights: Permissions, right: &str) -> bool {
    use venus_core::api::Permission;
    let all = [Permission::Read, Permission::Write, Permission::Sign, Permission::Admin];
    rights.allow(*all.iter().find(|permission| permission.as_str() == right).unwrap())
}

#[tokio::test]
async fn venus_and_forest_refuse_in_their_own_words() {
    let served = Served::new(world(2), FaceKind::Venus).await;
    let token = served.token(Permissions::READ);
    for (method, right) in
        [("MpoolPublishMessage", "write"), ("WalletAddresses", "admin"), ("NetConnect", "admin")]
    {
        let params = if method == "WalletAddresses" { json!([]) } else { json!([null]) };
        let reply = served.post("/rpc/v1", Some(&token), &request(method, &params)).await.unwrap();
        let text = format!("missing permission to invoke '{method}'  (need '{right}')");
        assert_eq!((reply.status, reply.error()), (200, (1, text)));
    }
    let served = Served::new(world(2), FaceKind::Forest).await;
    let reply = served.post("/rpc/v1", None, &request("MpoolClear", &json!([true]))).await.unwrap();
    assert_eq!(reply.error(), (-32003, "missing permission to invoke 'MpoolClear' (need 'write')".into()));
}

#[tokio::test]
async fn strangers_read_from_lotus_and_nothing_from_venus() {
    let head = request("ChainHead", &json!([]));
    for (kind, status) in [(FaceKind::Lotus, 200), (FaceKind::Forest, 200), (FaceKind::Venus, 401)] {
        let served = Served::new(world(3), kind).await;
        let reply = served.post("/rpc/v1", None, &head).await.unwrap();
        assert_eq!(reply.status, status, "{kind:?}");
        assert_eq!(reply.body.is_empty(), status == 401);
        for bad in ["garbage", "a.b.c", &served.token(Permissions::ALL)[1..]] {
            let reply = served.post("/rpc/v1", Some(bad), &head).await.unwrap();
            assert_eq!((reply.status, reply.body.as_str()), (401, ""), "{kind:?} {bad}");
        }
    }
}

#[tokio::test]
async fn others_may_know_a_token() {
    let accounts = MemoryAccounts::new(Arc::new(ManualClock::new(std::time::Duration::ZERO)));
    accounts.add("alice");
    let token = accounts.issue(Some("alice"), Permissions::up_to("write"), None).unwrap();
    let accounts = Flaky::new(Arc::new(accounts), 0);
    let tokens = Tokens::new(SecretSlice::from(vec![9; 32])).unwrap().or_ask(Arc::new(accounts.clone()));
    let world = world(4);
    let face = Face::new(world.devnet.clone(), FaceKind::Lotus).with_tokens(tokens.clone());
    let server = face.listen("127.0.0.1:0".parse().unwrap(), tokens.clone()).await.unwrap();
    let served = Served { world, face, tokens, server };
    let clear = request("MpoolClear", &json!([true]));
    let reply = served.post("/rpc/v1", Some(&token), &clear).await.unwrap();
    assert_eq!(reply.json()["result"], Value::Null, "{reply:?}");
    let verified = served.result("AuthVerify", json!([token])).await;
    assert_eq!(verified, json!(["read", "write"]));
    let refused =
        served.post("/rpc/v1", Some(&token), &request("AuthNew", &json!([["admin"]]))).await.unwrap();
    assert_eq!(refused.error().1, "missing permission to invoke 'AuthNew' (need 'admin')");
    accounts.fail_next(1);
    assert_eq!(served.post("/rpc/v1", Some(&token), &clear).await.unwrap().status, 503);
    assert_eq!(served.post("/rpc/v1", Some("guess"), &clear).await.unwrap().status, 401);
    accounts.inner().set_enabled("alice", false).unwrap();
    assert_eq!(served.post("/rpc/v1", Some(&token), &clear).await.unwrap().status, 401);
}

#[tokio::test]
async fn a_token_that_was_made_is_one_that_works() {
    let served = Served::new(world(5), FaceKind::Lotus).await;
    let made = served.result("AuthNew", json!([["read", "write", "dance"]])).await;
    let made = data_encoding::BASE64.decode(made.as_str().unwrap().as_bytes()).unwrap();
    let made = String::from_utf8(made).unwrap();
    assert_eq!(served.result("AuthVerify", json!([made])).await, json!(["read", "write"]));
    let reply = served.post("/rpc/v1", Some(&made), &request("MpoolClear", &json!([true]))).await.unwrap();
    assert_eq!(reply.status, 200);
    let bad = served.call("AuthVerify", json!(["nonsense"])).await;
    assert!(bad.error().1.starts_with("JWT Verification failed"), "{bad:?}");
}
