//! What hubs of ours tell about what they did not take.

use serde_json::json;
use uuid::Uuid;
use venus_core::entropy::SeededEntropy;
use venus_core::json::Json;
use venus_signer::KeyType;
use venus_signer::gateway::{GatewayHandle, GatewayProvider};

use super::hub::{hub, options, wallet};

const CHANNEL: Uuid = Uuid::from_bytes([1; 16]);

fn subjects(handle: &GatewayHandle) -> Vec<String> {
    handle.status().remove(0).refused.into_iter().map(|refusal| refusal.subject).collect()
}

#[tokio::test(start_paused = true)]
async fn refused_keys_and_accounts_are_told() {
    let (wallet, owned) = wallet().await;
    let (pipes, options, _) = options();
    let mut hubs = pipes.serve("eu");
    let config = hub("eu").support_accounts(["bob"]);
    let handle = GatewayProvider::start(wallet.clone(), vec![config], options).unwrap();
    let mut conn = hubs.recv().await.unwrap();
    conn.accept(1).await;
    conn.list().await.unwrap();
    let key = serde_json::to_value(Json(owned[0])).unwrap();
    let report = json!({"Refused": [
        {"Subject": key, "Reason": "the key belongs to another account"},
        {"Subject": "bob", "Reason": "not granted"},
    ]});
    conn.emit("r1", "RegisterReport", Some(&report)).await;
    conn.confirm(CHANNEL).await;
    handle.wait_ready().await;
    let refused = handle.status().remove(0).refused;
    assert_eq!(refused[1].subject, "bob");
    assert_eq!(refused[1].reason, "not granted");
    assert_eq!(json!(refused[0].subject), key);

    // A key that is added later, and not taken either.
    let more = wallet.generate(KeyType::Secp256k1, &SeededEntropy::new(9, "more")).await.unwrap();
    let call = conn.call("Gateway.AddNewAddress").await;
    let report = json!({"Refused": [{"Subject": Json(more), "Reason": "too many addresses"}]});
    conn.emit("r2", "RegisterReport", Some(&report)).await;
    let error =
        json!({"jsonrpc": "2.0", "id": call["id"], "error": {"code": 1, "message": "too many addresses"}});
    conn.send(&error.to_string()).await;
    // In order: an answer to a later event comes after the report was read.
    conn.list().await.unwrap();
    assert_eq!(subjects(&handle).len(), 3);

    // Taken after all.
    let add = handle.add_address(&owned[..1]);
    let serve = async {
        let call = conn.call("Gateway.AddNewAddress").await;
        conn.void(&call).await;
    };
    let (added, ()) = tokio::join!(add, serve);
    added.unwrap();
    assert!(!subjects(&handle).contains(&key.as_str().unwrap().to_owned()));

    // The next registration starts anew.
    conn.close_channel().await;
    conn.accept(2).await;
    assert!(subjects(&handle).is_empty());
}

#[tokio::test(start_paused = true)]
async fn reports_are_bounded_and_may_be_nonsense() {
    let (wallet, _) = wallet().await;
    let (pipes, options, _) = options();
    let mut hubs = pipes.serve("eu");
    let handle = GatewayProvider::start(wallet, vec![hub("eu")], options).unwrap();
    let mut conn = hubs.recv().await.unwrap();
    conn.accept(1).await;
    conn.emit("r1", "RegisterReport", None).await;
    conn.emit("r2", "RegisterReport", Some(&json!(5))).await;
    let many: Vec<_> =
        (0..10_000).map(|n| json!({"Subject": format!("{n}"), "Reason": "x".repeat(40)})).collect();
    conn.emit("r3", "RegisterReport", Some(&json!({"Refused": many}))).await;
    let long = json!({"Refused": [{"Subject": "s".repeat(10_000), "Reason": "r".repeat(10_000)}]});
    conn.confirm(CHANNEL).await;
    handle.wait_ready().await;
    assert_eq!(subjects(&handle).len(), 256);
    conn.close_channel().await;
    conn.accept(2).await;
    conn.emit("r4", "RegisterReport", Some(&long)).await;
    conn.list().await.unwrap();
    let refused = handle.status().remove(0).refused;
    assert_eq!((refused[0].subject.len(), refused[0].reason.len()), (300, 300));
}
