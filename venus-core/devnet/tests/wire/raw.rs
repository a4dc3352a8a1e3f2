//! Bytes on a socket, where a client of ours would be too well-behaved.

use std::time::Duration;

use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::served::Served;

/// Far longer than any answer takes; a test that needs it fails.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// An answer over HTTP.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) body: String,
}

impl Reply {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|e| panic!("{e} in {self:?}"))
    }

    /// Code and text of an error.
    pub(crate) fn error(&self) -> (i64, String) {
        let json = self.json();
        let error = &json["error"];
        (error["code"].as_i64().unwrap(), error["message"].as_str().unwrap().to_owned())
    }
}

/// A request with an id, as clients write it.
pub(crate) fn request(method: &str, params: &Value) -> String {
    format!(r#"{{"jsonrpc":"2.0","id":1,"method":"Filecoin.{method}","params":{params}}}"#)
}

impl Served {
    /// Posts a body; nothing if the connection broke before the answer was complete.
    pub(crate) async fn post(&self, path: &str, token: Option<&str>, body: &str) -> Option<Reply> {
        let mut socket = TcpStream::connect(self.server.local_addr()).await.unwrap();
        let token = token.map_or_else(String::new, |token| format!("Authorization: Bearer {token}\r\n"));
        let head = format!(
            "POST {path} HTTP/1.1\r\nHost: devnet\r\nConnection: close\r\n{token}Content-Length: {}\r\n\r\n",
            body.len()
        );
        socket.write_all(head.as_bytes()).await.unwrap();
        socket.write_all(body.as_bytes()).await.unwrap();
        let mut bytes = Vec::new();
        let read = tokio::time::timeout(PATIENCE, socket.read_to_end(&mut bytes)).await.expect("no answer");
        read.ok()?;
        let text = String::from_utf8(bytes).unwrap();
        let (head, body) = text.split_once("\r\n\r\n")?;
        let status = head.split(' ').nth(1)?.parse().unwrap();
        let length = head
            .lines()
            .find_map(|line| line.to_ascii_lowercase().strip_prefix("content-length: ").map(str::to_owned));
        let complete = length.is_some_and(|length| length.parse::<usize>().unwrap() == body.len());
        complete.then(|| Reply { status, body: body.to_owned() })
    }

    /// Calls with all rights on version 1.
    pub(crate) async fn call(&self, method: &str, params: Value) -> Reply {
        let token = self.token(venus_core::api::Permissions::ALL);
        self.post("/rpc/v1", Some(&token), &request(method, &params)).await.expect("an answer")
    }

    pub(crate) async fn result(&self, method: &str, params: Value) -> Value {
        let reply = self.call(method, params).await;
        let json = reply.json();
        assert!(json.get("error").is_none(), "{method}: {reply:?}");
        json["result"].clone()
    }

    /// A WebSocket after its handshake.
    pub(crate) async fn websocket(&self) -> TcpStream {
        let mut socket = TcpStream::connect(self.server.local_addr()).await.unwrap();
        let token = self.token(venus_core::api::Permissions::ALL);
        let head = format!(
            "GET /rpc/v1 HTTP/1.1\r\nHost: devnet\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
             Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\
             Authorization: Bearer {token}\r\n\r\n"
        );
        socket.write_all(head.as_bytes()).await.unwrap();
        let mut answer = Vec::new();
        while !answer.ends_with(b"\r\n\r\n") {
            let byte = tokio::time::timeout(PATIENCE, socket.read_u8()).await.expect("no handshake").unwrap();
            answer.push(byte);
        }
        assert!(answer.starts_with(b"HTTP/1.1 101"), "{}", String::from_utf8_lossy(&answer));
        socket
    }
}

/// A text frame as clients write it, with a mask of zeros.
pub(crate) fn frame(text: &str) -> Vec<u8> {
    let length = u16::try_from(text.len()).unwrap();
    let mut frame = vec![0x81, 0x80 | 126];
    frame.extend(length.to_be_bytes());
    frame.extend([0; 4]);
    frame.extend(text.as_bytes());
    frame
}

/// The next text frame of a server; pings are passed over. Nothing once the connection is closed.
pub(crate) async fn next_text(socket: &mut TcpStream) -> Option<String> {
    tokio::time::timeout(PATIENCE, read_text(socket)).await.expect("no frame")
}

async fn read_text(socket: &mut TcpStream) -> Option<String> {
    loop {
        let first = socket.read_u8().await.ok()?;
        let length = match socket.read_u8().await.ok()? {
            126 => usize::from(socket.read_u16().await.ok()?),
            127 => usize::try_from(socket.read_u64().await.ok()?).unwrap(),
            short => usize::from(short),
        };
        let mut payload = vec![0; length];
        socket.read_exact(&mut payload).await.ok()?;
        match first & 0x0f {
            1 => return Some(String::from_utf8(payload).unwrap()),
            8 => return None,
            _ => {}
        }
    }
}
