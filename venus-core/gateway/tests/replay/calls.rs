//! What a caller did beside the recorded connections, as the notes tell it.

use std::net::SocketAddr;

use serde_json::{Value, json};
use tokio::task::JoinHandle;

use super::Line;
use super::conn::exchange;

/// A caller's call in a note: `caller <method> <parameters> -> 200 <answer>`, parameters and answer cut off after some
/// length.
#[derive(Clone, Debug)]
pub struct Call {
    pub method: String,
    pub params: String,
    pub answer: String,
}

/// Whether an answer of the hub's is the recorded one, of which the end is missing.
pub fn alike_so_far(recorded: &str, live: &str) -> bool {
    let Some((head, rest)) = recorded.split_once("\"SupportAccounts\":[") else { return false };
    let (supports, rest) = rest.split_once(']').unwrap_or_default();
    let addresses = rest.split_once("\"Addrs\":[").unwrap_or_default().1;
    let live_json: Value = serde_json::from_str(live).unwrap();
    let detail = live_json["result"].get(0).unwrap_or(&live_json["result"]);
    let names = |value: &Value| -> Vec<String> {
        let list = value.as_array().into_iter().flatten();
        list.map(|name| name.as_str().unwrap_or_default().to_owned()).collect()
    };
    let words = |text: &str| -> Vec<String> {
        text.split(',')
            .map(|word| word.trim_matches(['"', ']']).to_owned())
            .filter(|word| !word.is_empty())
            .collect()
    };
    let sorted = |mut list: Vec<String>| {
        list.sort();
        list
    };
    let known = names(&detail["ConnectStates"][0]["Addrs"]);
    live.starts_with(head)
        && sorted(words(supports)) == sorted(names(&detail["SupportAccounts"]))
        && words(addresses).iter().all(|seen| known.iter().any(|address| address.starts_with(seen)))
}

/// Calls under way, by the line of their note.
pub type Started = (u64, JoinHandle<String>);

impl Call {
    pub fn of(line: &Line) -> Option<Self> {
        if line.kind != "note" {
            return None;
        }
        let (call, answer) = line.body.strip_prefix("caller ")?.split_once(" -> 200 ")?;
        let (method, params) = call.split_once(' ')?;
        Some(Self { method: method.into(), params: params.into(), answer: answer.into() })
    }

    /// Whether the call made the hub ask a wallet.
    fn asks(&self) -> bool {
        self.method == "WalletSign" && !self.answer.contains("send request must have channel")
    }

    /// Whether the call may be what made the hub ask this, as far as the note goes.
    pub fn fits(&self, asked: &Value) -> bool {
        let (to_sign, signer) = (asked["ToSign"].as_str().unwrap_or_default(), asked["Signer"].to_string());
        let noted = self.params.split_once("], \"").unwrap_or_default().1;
        self.asks() && self.params.contains(&signer) && to_sign.starts_with(noted.split('"').next().unwrap())
    }

    /// The parameters; of a signing, those that the wallet saw.
    pub fn params(&self, asked: Option<&Value>) -> String {
        let accounts = self.params.split('[').nth(2).and_then(|rest| rest.split(']').next()).unwrap_or("");
        if let Some(asked) = asked {
            let accounts: Value = serde_json::from_str(&format!("[{accounts}]")).unwrap();
            return json!([asked["Signer"], accounts, asked["ToSign"], asked["Meta"]]).to_string();
        }
        match serde_json::from_str::<Value>(&self.params) {
            Ok(_) => self.params.clone(),
            // What is cut off is the same in all notes.
            Err(_) => {
                let known = self.params.split("{\"Ty").next().unwrap();
                format!("{known}{{\"Type\": \"unknown\", \"Extra\": null}}]")
            }
        }
    }

    /// Its number, if that is not cut off.
    pub fn id(&self) -> Option<u64> {
        serde_json::from_str::<Value>(&self.answer).ok()?["id"].as_u64()
    }

    /// Calls, and returns the answer.
    pub fn start(&self, id: u64, addr: SocketAddr, token: &str, asked: Option<&Value>) -> JoinHandle<String> {
        let (method, params) = (&self.method, self.params(asked));
        let line = Line {
            n: 0,
            conn: 0,
            from_server: false,
            kind: "http".into(),
            start: "POST /rpc/v2 HTTP/1.1".into(),
            headers: vec![("Authorization".into(), format!("Bearer {token}"))],
            body: format!(
                "{{\"jsonrpc\":\"2.0\",\"id\":{id},\"method\":\"Gateway.{method}\",\"params\":{params}}}"
            ),
        };
        tokio::spawn(async move { exchange(addr, &line).await.body.trim_end().to_owned() })
    }
}
