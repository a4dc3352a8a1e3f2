//! A wallet that says what the recorded one said.

use std::collections::{HashMap, VecDeque};
use std::net::SocketAddr;

use data_encoding::BASE64;
use serde_json::{Value, json};
use tokio::task::JoinHandle;

use crate::replay::Line;
use crate::replay::conn::{Conn, Got};
use crate::stage::{open, token};

/// What a wallet is asked: signer, bytes, type.
type Question = (String, String, String);

/// What the recorded wallet has to say.
#[derive(Clone, Default)]
pub struct Script {
    pub account: String,
    pub supports: Vec<String>,
    pub sign_bytes: String,
    pub addresses: Vec<String>,
    /// Answers to challenges by signer, as JSON.
    pub proofs: HashMap<String, String>,
    /// Answers to callers in order: a signature or an error.
    pub answers: HashMap<Question, VecDeque<Result<String, String>>>,
}

fn question(signer: &Value, to_sign: &Value, meta: &Value) -> Question {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    (text(signer), text(to_sign), text(&meta["Type"]))
}

impl Script {
    /// Takes the answers that callers got out of a recording.
    pub fn answer_from(&mut self, lines: &[Line]) {
        for (at, line) in lines.iter().enumerate().filter(|(_, line)| !line.from_server) {
            let Some((request, asked)) = signing(&line.body) else { continue };
            let answer = lines.iter().skip(at).find(|other| {
                let id = serde_json::from_str::<Value>(&other.body).unwrap_or_default()["id"].clone();
                other.from_server && other.conn == line.conn && id == request["id"]
            });
            let answer: Value = serde_json::from_str(&answer.unwrap().body).unwrap();
            let queue = self.answers.entry(asked).or_default();
            match (answer["error"]["message"].as_str(), nobody(&request)) {
                // Go answers nothing to callers that name no account; ours finds the accounts itself.
                (Some(_), true) => queue.extend(queue.front().cloned()),
                (Some("send request must have channel"), _) => {}
                (Some(error), _) => queue.push_back(Err(error.to_owned())),
                (None, _) => queue.push_back(Ok(answer["result"].to_string())),
            }
        }
    }

    /// Takes addresses and proofs out of the recorded registration on `conn`.
    pub fn register_from(&mut self, lines: &[Line], conn: u64) {
        let mut asked = String::new();
        for line in lines.iter().filter(|line| line.conn == conn && line.kind == "text") {
            let frame: Value = serde_json::from_str(&line.body).unwrap();
            let event = &frame["params"][if line.from_server { 1 } else { 0 }];
            let payload = event["Payload"].as_str().map(|text| BASE64.decode(text.as_bytes()).unwrap());
            let payload: Value =
                payload.map(|json| serde_json::from_slice(&json).unwrap()).unwrap_or_default();
            if let Some(bytes) = event["SignBytes"].as_str() {
                self.sign_bytes = bytes.to_owned();
            } else if line.from_server {
                asked = payload["Signer"].as_str().unwrap_or_default().to_owned();
            } else if let Some(list) = payload.as_array() {
                self.addresses = list.iter().map(|address| address.as_str().unwrap().to_owned()).collect();
            } else if payload.is_object() {
                self.proofs.insert(asked.clone(), payload.to_string());
            }
        }
    }

    fn answer(&mut self, event: &Value) -> Option<Result<String, String>> {
        let payload = event["Payload"].as_str().map(|text| BASE64.decode(text.as_bytes()).unwrap());
        let payload: Value = payload.map(|json| serde_json::from_slice(&json).unwrap()).unwrap_or_default();
        match event["Method"].as_str()? {
            "WalletList" => Some(Ok(json!(self.addresses).to_string())),
            "WalletSign" if payload["Meta"]["Type"] == "verifyaddress" => {
                let proof = self.proofs.get(payload["Signer"].as_str()?);
                Some(proof.cloned().ok_or_else(|| "record not found".to_owned()))
            }
            "WalletSign" => {
                let asked = question(&payload["Signer"], &payload["ToSign"], &payload["Meta"]);
                let recorded = self.answers.get_mut(&asked).and_then(VecDeque::pop_front);
                Some(recorded.unwrap_or_else(|| Err(format!("nothing recorded for {asked:?}"))))
            }
            _ => None,
        }
    }

    /// Registers, and answers until the hub is gone.
    pub async fn start(mut self, addr: SocketAddr) -> JoinHandle<()> {
        let mut conn = open(addr, "/rpc/v1", &token(&self.account, "read")).await;
        let policy = json!({"SupportAccounts": self.supports, "SignBytes": self.sign_bytes});
        conn.send(&call(1, "ListenWalletEvent", &policy)).await;
        let mut id = 1;
        loop {
            let event = next_event(&mut conn).await.expect("the registration goes on");
            if event["Method"] == "InitConnect" {
                break;
            }
            id += 1;
            self.reply(&mut conn, id, &event).await;
        }
        tokio::spawn(async move {
            while let Some(event) = next_event(&mut conn).await {
                id += 1;
                self.reply(&mut conn, id, &event).await;
            }
        })
    }

    async fn reply(&mut self, conn: &mut Conn, id: u64, event: &Value) {
        let Some(answer) = self.answer(event) else { return };
        let (payload, error) = match answer {
            Ok(payload) => (json!(BASE64.encode(payload.as_bytes())), String::new()),
            Err(error) => (Value::Null, error),
        };
        let response = json!({"Id": event["Id"], "Payload": payload, "Error": error});
        conn.send(&call(id, "ResponseWalletEvent", &response)).await;
    }
}

fn call(id: u64, method: &str, parameter: &Value) -> String {
    json!({"jsonrpc": "2.0", "id": id, "method": format!("Gateway.{method}"), "params": [parameter]})
        .to_string()
}

/// The next event, however long it takes: a wallet waits for callers.
async fn next_event(conn: &mut Conn) -> Option<Value> {
    loop {
        let Got::Text(text) = conn.wait().await? else { continue };
        let frame: Value = serde_json::from_str(&text).unwrap();
        assert!(frame["error"].is_null(), "{text}");
        match frame["method"].as_str() {
            Some("xrpc.ch.val") => return Some(frame["params"][1].clone()),
            Some("xrpc.ch.close") => return None,
            _ => {}
        }
    }
}

/// A caller's request to sign, in the order of either version.
fn signing(body: &str) -> Option<(Value, Question)> {
    let request: Value = serde_json::from_str(body).ok()?;
    let params = request["params"].as_array().filter(|_| request["method"] == "Gateway.WalletSign")?;
    let signer = params.iter().take(2).find(|param| param.as_str().is_some_and(|text| text.len() > 20))?;
    let asked = question(signer, params.get(2)?, params.get(3)?);
    Some((request.clone(), asked))
}

/// Whether the request names no account.
fn nobody(request: &Value) -> bool {
    let accounts = &request["params"][1];
    accounts.is_null() || accounts.as_array().is_some_and(Vec::is_empty)
}
