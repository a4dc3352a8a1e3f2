//! Hubs that misbehave, next to one that does not.

use std::sync::Arc;

use data_encoding::{BASE64, HEXLOWER};
use serde_json::json;
use tokio::time::{Duration, Instant};
use uuid::Uuid;
use venus_core::types::{Address, MsgMeta, MsgType};
use venus_signer::LockState;
use venus_signer::gateway::{GatewayHandle, GatewayProvider};

use super::hub::{ALICE, Conn, Lockable, Pipes, challenge, hub, options, sign_payload, wallet};

const CHANNEL: Uuid = Uuid::from_bytes([1; 16]);

struct Scene {
    pipes: Arc<Pipes>,
    good: Conn,
    bad: Conn,
    bads: tokio::sync::mpsc::UnboundedReceiver<Conn>,
    owned: Vec<Address>,
    handle: GatewayHandle,
    lockable: Lockable,
}

/// A good hub that is ready, and a bad one that was just dialled.
async fn scene() -> Scene {
    let (wallet, owned) = wallet().await;
    let (pipes, options, _) = options();
    let (mut goods, mut bads) = (pipes.serve("good"), pipes.serve("bad"));
    let lockable = Lockable::new(&wallet, LockState::Unlocked);
    let hubs = vec![hub("good").support_accounts(["bob", "carol"]), hub("bad")];
    let handle = GatewayProvider::start(lockable.clone(), hubs, options).unwrap();
    let (mut good, bad) = (goods.recv().await.unwrap(), bads.recv().await.unwrap());
    good.register("good", CHANNEL).await;
    Scene { pipes, good, bad, bads, owned, handle, lockable }
}

impl Scene {
    /// The good hub has never noticed anything.
    async fn good_is_served(&mut self) {
        assert!(self.handle.status()[0].is_ready());
        let start = Instant::now();
        self.good.challenge(&challenge("good", CHANNEL, self.owned[0])).await.unwrap();
        assert_eq!(start.elapsed(), Duration::ZERO);
    }
}

#[tokio::test(start_paused = true)]
async fn every_event_is_answered_and_bad_ones_stop_nothing() {
    let mut scene = scene().await;
    scene.bad.register("bad", CHANNEL).await;
    let bad = &mut scene.bad;
    for method in ["ComputeProof", "", "walletlist", "Delete"] {
        let refused = bad.ask(method, None).await.unwrap_err();
        assert_eq!(refused, format!("unsupported method {method}"));
    }
    let long = bad.ask(&"x".repeat(5000), None).await.unwrap_err();
    assert_eq!(long.len(), "unsupported method ".len() + 64);
    for payload in
        [json!(null), json!([]), json!("x"), json!({}), json!({"Signer": 5}), json!({"Signer": "f0"})]
    {
        bad.ask("WalletSign", Some(payload)).await.unwrap_err();
    }
    bad.emit("no payload", "WalletSign", None).await;
    bad.answer("no payload").await.unwrap_err();
    let signer = scene.owned[0].to_string();
    let mut payload =
        json!({"Signer": signer, "ToSign": "eA==", "Meta": {"Type": "nonsense", "Extra": null}});
    let refused = bad.ask("WalletSign", Some(payload.clone())).await.unwrap_err();
    assert_eq!(refused, "get sign bytes: unsupported msgtype:nonsense");
    payload["Meta"] = json!({"Type": "", "Extra": null});
    bad.ask("WalletSign", Some(payload)).await.unwrap_err();
    let stranger = sign_payload(&Address::new_actor(b"x"), &[0; 32], &MsgMeta::of(MsgType::Block));
    bad.ask("WalletSign", Some(stranger)).await.unwrap_err();
    // A bug in the wallet is told as one, and stays in its event.
    let bug = sign_payload(&scene.owned[0], b"panic", &MsgMeta::of(MsgType::Unknown));
    let refused = bad.ask("WalletSign", Some(bug)).await.unwrap_err();
    assert_eq!(refused, "internal error of the wallet");
    // Frames that are no events, on channels that are none.
    for frame in [
        "{}",
        "no JSON",
        "[]",
        r#"{"jsonrpc":"2.0","method":"xrpc.ch.val","params":[1,5]}"#,
        r#"{"jsonrpc":"2.0","method":"xrpc.ch.val","params":[1,{"Id":5,"Method":"WalletList"}]}"#,
        r#"{"jsonrpc":"2.0","method":"xrpc.ch.val","params":[1,{"Id":"x","Method":"WalletSign","Payload":"!"}]}"#,
        r#"{"jsonrpc":"2.0","method":"xrpc.ch.val","params":[7,{"Id":"x","Method":"WalletList","Payload":null}]}"#,
        r#"{"jsonrpc":"2.0","method":"xrpc.ch.close","params":[7]}"#,
        r#"{"jsonrpc":"2.0","id":99,"result":1}"#,
        r#"{"jsonrpc":"2.0","id":99,"method":"Gateway.Reverse","params":[]}"#,
    ] {
        bad.send(frame).await;
    }
    assert_eq!(bad.list().await.unwrap().len(), 3);
    scene.good_is_served().await;
}

#[tokio::test(start_paused = true)]
async fn deviation_11_events_of_a_hub_are_bounded() {
    let mut scene = scene().await;
    scene.bad.register("bad", CHANNEL).await;
    scene.lockable.hold();
    let asked = sign_payload(&scene.owned[1], &[1; 40], &MsgMeta::of(MsgType::Unknown));
    for id in 0..200 {
        scene.bad.emit(&id.to_string(), "WalletSign", Some(&asked)).await;
    }
    while scene.lockable.running() < 32 {
        tokio::task::yield_now().await;
    }
    scene.lockable.release();
    for id in 0..200 {
        let call = scene.bad.call("Gateway.ResponseWalletEvent").await;
        scene.bad.void(&call).await;
        assert!(call["params"][0]["Id"].is_string(), "{id}");
    }
    assert_eq!(scene.lockable.most(), 32);
    scene.good_is_served().await;
}

#[tokio::test(start_paused = true)]
async fn a_flood_costs_the_hub_its_channel() {
    let mut scene = scene().await;
    scene.bad.register("bad", CHANNEL).await;
    scene.lockable.hold();
    let asked = sign_payload(&scene.owned[1], &[1; 40], &MsgMeta::of(MsgType::Unknown));
    for id in 0..2000 {
        scene.bad.emit(&id.to_string(), "WalletSign", Some(&asked)).await;
    }
    scene.bad.call("xrpc.cancel").await;
    assert!(scene.lockable.most() <= 32);
    scene.lockable.release();
    scene.good_is_served().await;
}

#[tokio::test(start_paused = true)]
async fn a_silent_hub_is_left_after_a_while() {
    let Scene { mut good, mut bad, mut bads, owned, handle, .. } = scene().await;
    let silent = async {
        bad.accept(1).await;
        let start = Instant::now();
        while bad.text().await.is_some() {}
        assert_eq!(start.elapsed().as_secs(), 60);
        // One that does not even open the channel.
        let mut again = bads.recv().await.unwrap();
        again.call("Gateway.ListenWalletEvent").await;
        while again.text().await.is_some() {}
        assert!(bads.recv().await.is_some());
    };
    tokio::select! {
        () = silent => {}
        frame = good.text() => panic!("the good hub noticed: {frame:?}"),
    }
    assert!(handle.status()[0].is_ready());
    good.challenge(&challenge("good", CHANNEL, owned[0])).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_hub_that_keeps_closing_is_tried_with_growing_pauses() {
    let mut scene = scene().await;
    let mut times = vec![Instant::now()];
    for number in 1..6 {
        scene.bad.accept(number).await;
        times.push(Instant::now());
        scene.bad.close_channel().await;
    }
    let pauses: Vec<u64> = times.windows(2).map(|pair| (pair[1] - pair[0]).as_millis() as u64).collect();
    assert!(pauses[1] >= 740 && pauses[4] >= 5900 && pauses[4] <= 8010, "{pauses:?}");
    scene.good.challenge(&challenge("good", CHANNEL, scene.owned[0])).await.unwrap();
    scene.pipes.stop("bad");
}

#[tokio::test(start_paused = true)]
async fn accounts_of_a_request_only_narrow() {
    let mut scene = scene().await;
    let good = &mut scene.good;
    let base = sign_payload(&scene.owned[1], &[1; 40], &MsgMeta::of(MsgType::Unknown));
    let cases = [
        (json!(null), json!(null), Some("gateway:good(alice,bob,carol)")),
        (json!(["bob"]), json!(null), Some("gateway:good(bob)")),
        (json!(["carol", "bob", "mallory"]), json!(null), Some("gateway:good(bob,carol)")),
        (json!(null), json!("alice"), Some("gateway:good(alice)")),
        (json!(["mallory"]), json!(null), None),
        (json!([]), json!(null), None),
        (json!(null), json!("admin"), None),
    ];
    for (accounts, account, label) in cases {
        let mut payload = base.clone();
        payload["Accounts"] = accounts;
        payload["Account"] = account;
        let before = scene.lockable.callers().len();
        let answer = good.ask("WalletSign", Some(payload)).await;
        let seen = scene.lockable.callers().split_off(before);
        match label {
            Some(label) => assert_eq!(seen, [label]),
            None => assert!(seen.is_empty() && answer.unwrap_err().contains("supports none")),
        }
    }
}

#[tokio::test(start_paused = true)]
async fn deviation_11_random_bytes_and_tokens_are_never_logged() {
    let log = Log::default();
    let subscriber =
        tracing_subscriber::fmt().with_max_level(tracing::Level::TRACE).with_writer(log.clone()).finish();
    // For the whole program: what other tests log counts, too.
    tracing::subscriber::set_global_default(subscriber).unwrap();
    let mut scene = scene().await;
    scene.bad.accept(1).await;
    let secrets: Vec<String> = [&scene.good.random, &scene.bad.random]
        .iter()
        .flat_map(|random| [BASE64.encode(random), HEXLOWER.encode(random), format!("{random:?}")])
        .chain([ALICE.to_owned()])
        .collect();
    scene.bad.ask("WalletSign", Some(json!({"Signer": 5}))).await.unwrap_err();
    scene.bad.close_channel().await;
    scene.bad.accept(2).await;
    scene.handle.shutdown().await;
    let text = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    assert!(text.contains("registered at gateway") && text.contains("closed the channel"), "{text}");
    for secret in secrets {
        assert!(!text.contains(&secret), "{secret}");
    }
}

#[derive(Clone, Default)]
struct Log(Arc<std::sync::Mutex<Vec<u8>>>);

impl std::io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl<'a> tracing_subscriber::fmt::MakeWriter<'a> for Log {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}
