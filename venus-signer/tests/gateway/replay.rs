//! The recorded frames of a Go gateway, sent again: the wallet's frames are the recorded ones, but for what varies.
//!
//! | differs | why |
//! |---|---|
//! | `SignBytes`, and with it `ToSign` and the answers of challenges | random |
//! | secp256k1 and delegated signatures | Go's have random nonces; they are verified |
//! | the address of the key that is made on the way | random |
//! | order of the addresses in `WalletList` | that of the key store |
//! | a second hub process is told the accounts that were added | §11.11: the full support list |
//! | nothing is said while the wallet is locked, so that later numbers differ | §11.11: unlocked keys only |
//! | a registration that was refused is repeated after growing pauses | §11.11: Go repeats every second |

use std::collections::VecDeque;

use data_encoding::BASE64;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use tokio::time::{Duration, Instant};
use venus_core::entropy::SeededEntropy;
use venus_core::json::Json;
use venus_core::types::{Address, Signature};
use venus_signer::gateway::{GatewayHandle, GatewayProvider, HubConfig};
use venus_signer::{KeyInfo, KeyType, LocalWallet};

use super::hub::{ALICE, Conn, options};

/// Keys of the recording.
const SECP: &str = r#"{"Type":"secp256k1","PrivateKey":"KioqKioqKipfvw7Q+DZMAf8nVA7NZmn/TMVIy+YO9as="}"#;
const BLS: &str = r#"{"Type":"bls","PrivateKey":"M/84+owcU8PvGy+BHO6c5PfsLOkLFs7rlnXcaqPQSBc="}"#;
const DELEGATED: &str = r#"{"Type":"delegated","PrivateKey":"M/84+owcU8PvGy+BHO6c5PfsLOkLFs7rlnXcaqPQSCE="}"#;
const RECORDED_SECP: &str = "f17rmoshisxovfjkrox2gpryaupmsalzy2tlaluiq";
/// The key that was made while recording; here another one is.
const MADE: &str = "f1zbiv7g6xmvb5jgutil4c5a426bmtni36p6sf6fi";
const STRANGER: &str = "f1abjxfbp274xpdqcpuaykwkfb43omjotacm2p3za";

struct Line {
    n: u64,
    from_hub: bool,
    body: String,
}

fn recorded(conn: u64) -> VecDeque<Line> {
    let text = include_str!("../data/wallet-gateway.jsonl");
    let lines = text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    lines
        .filter(|line| line["conn"] == conn)
        .map(|line| Line {
            n: line["n"].as_u64().unwrap(),
            from_hub: line["dir"] == "s>c",
            body: line["body"].as_str().unwrap().to_owned(),
        })
        .collect()
}

fn address(text: &str) -> Address {
    serde_json::from_value::<Json<Address>>(json!(text)).unwrap().0
}

fn decoded(payload: &Value) -> Value {
    let bytes = BASE64.decode(payload.as_str().unwrap().as_bytes()).unwrap();
    serde_json::from_slice(&bytes).unwrap()
}

/// What is known while a connection is replayed.
struct Replay {
    conn: Conn,
    made: Option<Address>,
    /// Of the event that is to be answered: signer and bytes.
    asked: Option<(Address, Vec<u8>)>,
    frames: u32,
}

impl Replay {
    fn new(conn: Conn) -> Self {
        Self { conn, made: None, asked: None, frames: 0 }
    }

    fn mended(&self, text: &str) -> String {
        match self.made {
            Some(made) => text.replace(MADE, &made.to_string()),
            None => text.to_owned(),
        }
    }

    /// Sends a recorded frame, with challenges for the random bytes of this session.
    async fn send(&mut self, line: &Line) {
        let mut frame: Value = serde_json::from_str(&line.body).unwrap();
        if frame["params"][1]["Method"] != "WalletSign" {
            return self.conn.send(&line.body).await;
        }
        let payload = self.mended(&decoded(&frame["params"][1]["Payload"]).to_string());
        let mut payload: Value = serde_json::from_str(&payload).unwrap();
        if payload["Meta"]["Type"] == "verifyaddress" {
            let theirs = BASE64.decode(payload["Meta"]["Extra"].as_str().unwrap().as_bytes()).unwrap();
            let digest = Sha256::new().chain_update(theirs).chain_update(&self.conn.random).finalize();
            payload["ToSign"] = json!(BASE64.encode(&digest));
        }
        let to_sign = BASE64.decode(payload["ToSign"].as_str().unwrap().as_bytes()).unwrap();
        self.asked = Some((address(payload["Signer"].as_str().unwrap()), to_sign));
        frame["params"][1]["Payload"] = json!(BASE64.encode(payload.to_string().as_bytes()));
        self.conn.send(&frame.to_string()).await;
    }

    /// Takes the wallet's next frame and compares it.
    async fn expect(&mut self, line: &Line) {
        let got = self.conn.text().await.unwrap_or_else(|| panic!("line {}: the wallet is gone", line.n));
        self.frames += 1;
        let want = self.mended(&line.body);
        let (mut want, frame): (Value, Value) =
            (serde_json::from_str(&want).unwrap(), serde_json::from_str(&got).unwrap());
        let recorded = want["params"][0]["Payload"].clone();
        if want["method"] == "Gateway.ListenWalletEvent" {
            let random = frame["params"][0]["SignBytes"].as_str().unwrap();
            self.conn.random = BASE64.decode(random.as_bytes()).unwrap();
            want["params"][0]["SignBytes"] = json!(random);
        } else if recorded.is_string() {
            self.compare(line.n, &decoded(&recorded), &decoded(&frame["params"][0]["Payload"]));
            want["params"][0]["Payload"] = frame["params"][0]["Payload"].clone();
        }
        assert_eq!(got, in_order(&line.body, &want), "line {}", line.n);
    }

    /// Payloads: lists as sets, signatures by verification.
    fn compare(&mut self, n: u64, want: &Value, got: &Value) {
        if let Some(list) = want.as_array() {
            let set =
                |list: &[Value]| list.iter().map(Value::to_string).collect::<std::collections::BTreeSet<_>>();
            return assert_eq!(set(got.as_array().unwrap()), set(list), "line {n}");
        }
        let (signer, bytes) = self.asked.take().unwrap();
        assert_eq!(got["Type"], want["Type"], "line {n}");
        let signature: Signature = serde_json::from_value(got.clone()).unwrap();
        venus_core::crypto::verify(&signature, &signer, &bytes)
            .unwrap_or_else(|error| panic!("line {n}: {error}"));
        if got["Type"] == 2 && bytes == b"hello filecoin" {
            assert_eq!(got, want, "line {n}: BLS signatures are what they are");
        }
    }
}

/// The bytes of the recorded frame with the values that were put into it: the order of members is Go's.
fn in_order(recorded: &str, values: &Value) -> String {
    let mut out = recorded.to_owned();
    let original: Value = serde_json::from_str(recorded).unwrap();
    for name in ["SignBytes", "Payload"] {
        let (old, new) = (&original["params"][0][name], &values["params"][0][name]);
        if old.is_string() {
            out = out.replace(&old.to_string(), &new.to_string());
        }
    }
    for at in 0..2 {
        let (old, new) = (&original["params"][at], &values["params"][at]);
        if old.is_array() {
            out = out.replace(&old.to_string(), &new.to_string());
        }
    }
    out
}

async fn import(wallet: &LocalWallet, key: &str) {
    wallet.import(KeyInfo::from_json(key).unwrap()).await.unwrap();
}

fn go_hub(accounts: &[&str]) -> HubConfig {
    HubConfig::new("go", format!("{ALICE}:/dns/go/tcp/45132"))
        .legacy()
        .support_accounts(accounts.iter().copied())
}

/// What was done to the wallet before line `n` of the first connection. What waits for the hub runs beside the replay.
async fn act(n: u64, wallet: &LocalWallet, handle: &GatewayHandle, made: &mut Option<Address>) {
    let beside = |call: futures::future::BoxFuture<'static, ()>| drop(tokio::spawn(call));
    let handle = handle.clone();
    match n {
        11 => import(wallet, SECP).await,
        17 => import(wallet, BLS).await,
        23 => import(wallet, DELEGATED).await,
        35 => beside(Box::pin(async move { handle.support_account("bob").await.unwrap() })),
        43 => beside(Box::pin(async move { handle.support_account("nobody").await.unwrap() })),
        47 => beside(Box::pin(async move { handle.add_address(&[address(RECORDED_SECP)]).await.unwrap() })),
        54 => beside(Box::pin(async move {
            let error = handle.add_address(&[address(STRANGER)]).await.unwrap_err();
            assert!(error.to_string().contains("signed error record not found"), "{error}");
        })),
        61 => {
            *made = Some(wallet.generate(KeyType::Secp256k1, &SeededEntropy::new(3, "made")).await.unwrap())
        }
        72 => drop(wallet.remove(&made.unwrap()).await.unwrap()),
        _ => {}
    }
}

#[tokio::test(start_paused = true)]
async fn the_recorded_connection_of_a_fresh_wallet() {
    let wallet = LocalWallet::in_memory();
    let (pipes, options, _) = options();
    let mut hubs = pipes.serve("go");
    let handle = GatewayProvider::start(wallet.clone(), vec![go_hub(&[])], options).unwrap();
    let mut replay = Replay::new(hubs.recv().await.unwrap());
    for line in recorded(1) {
        if line.n == 11 {
            handle.wait_ready().await;
        }
        let mut made = replay.made;
        act(line.n, &wallet, &handle, &mut made).await;
        replay.made = made;
        match line.from_hub {
            true => replay.send(&line).await,
            false => replay.expect(&line).await,
        }
    }
    assert_eq!(replay.frames, 21, "every frame of the wallet was compared");
    assert_eq!(handle.status()[0].accounts, ["alice", "bob", "nobody"]);
}

#[tokio::test(start_paused = true)]
async fn the_recorded_connections_of_a_wallet_with_keys() {
    for (conn, accounts, skip, frames) in [(29, &["bob"][..], 0, 5), (27, &[], 41, 6)] {
        let wallet = LocalWallet::in_memory();
        for key in [SECP, BLS, DELEGATED] {
            import(&wallet, key).await;
        }
        let (pipes, options, _) = options();
        let mut hubs = pipes.serve("go");
        let handle = GatewayProvider::start(wallet, vec![go_hub(accounts)], options).unwrap();
        let mut replay = Replay::new(hubs.recv().await.unwrap());
        for mut line in recorded(conn) {
            line.body = renumbered(&line.body, skip);
            match line.from_hub {
                true => replay.send(&line).await,
                false => replay.expect(&line).await,
            }
        }
        assert_eq!(replay.frames, frames);
        handle.wait_ready().await;
    }
}

/// The frame with smaller numbers: in the recording, a locked wallet had made calls before.
fn renumbered(body: &str, skip: u64) -> String {
    let frame: Value = serde_json::from_str(body).unwrap();
    match frame["id"].as_u64() {
        Some(id) => body.replace(&format!("\"id\":{id}"), &format!("\"id\":{}", id - skip)),
        None => body.to_owned(),
    }
}

#[tokio::test(start_paused = true)]
async fn the_recorded_refusals_of_an_unknown_account() {
    let (pipes, options, _) = options();
    let mut hubs = pipes.serve("go");
    let hub = go_hub(&["bob", "nobody"]);
    let handle = GatewayProvider::start(LocalWallet::in_memory(), vec![hub], options).unwrap();
    let mut replay = Replay::new(hubs.recv().await.unwrap());
    let mut times = Vec::new();
    for line in recorded(28) {
        match line.from_hub {
            true => replay.send(&line).await,
            false => {
                replay.expect(&line).await;
                times.push(Instant::now());
            }
        }
    }
    // The reason reaches the operator, and the pauses grow.
    replay.conn.text().await.unwrap();
    let status = handle.status().remove(0);
    assert!(status.last_error.unwrap().contains("verify nobody: Key not found"));
    let pauses: Vec<Duration> = times.windows(2).map(|pair| pair[1] - pair[0]).collect();
    assert!(pauses.len() >= 4 && pauses.is_sorted() && pauses[3] > Duration::from_secs(5), "{pauses:?}");
}
