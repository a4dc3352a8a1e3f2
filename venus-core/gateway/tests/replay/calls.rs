//! What a caller did beside the recorded connections, as the notes tell it.

use std::net::SocketAddr;

use serde_json::{Value, json};
use tokio::task::JoinHandle;

use super::Line;
use super::conn::exchange;

/// A caller's call in a note: `caller <method> <parameters> -> 200 <answer>`, the parameters cut off after some length.
#[derive(Clone, Debug)]
pub struct Call {
    pub method: String,
    pub params: String,
    pub answer: String,
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
    pub fn asks(&self) -> bool {
        self.method == "WalletSign" && !self.answer.contains("send request must have channel")
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

    /// Calls, and returns the answer.
    pub fn start(&self, addr: SocketAddr, token: &str, asked: Option<&Value>) -> JoinHandle<String> {
        let id = serde_json::from_str::<Value>(&self.answer).unwrap()["id"].to_string();
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
