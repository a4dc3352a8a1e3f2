//! The client's end of a connection: a bare WebSocket, or one HTTP exchange.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::time::Duration;

use futures::stream::SplitSink;
use futures::{SinkExt, StreamExt};
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::mpsc;
use tokio::time::{Instant, timeout, timeout_at};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_tungstenite::tungstenite::protocol::frame::Frame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::{CloseCode, Data, OpCode};
use tokio_tungstenite::tungstenite::{Error, Message, http};

use super::Line;

/// After this, what does not come will not come.
pub const PATIENCE: Duration = Duration::from_secs(10);
/// Go's clients write larger messages in pieces of this size.
const PIECE: usize = 4096;

/// What came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Got {
    Text(String),
    Ping,
    Pong,
    Close(u16),
    Eof,
}

/// A WebSocket of a recorded client.
pub struct Conn {
    sink: SplitSink<WebSocketStream<TcpStream>, Message>,
    /// The same socket, to end one direction of it.
    raw: std::net::TcpStream,
    incoming: mpsc::UnboundedReceiver<Got>,
    /// Came, and was not looked for yet.
    pub early: VecDeque<Got>,
    ended: bool,
    /// Whether the client closed first.
    pub said_goodbye: bool,
}

impl Conn {
    /// Opens what the recorded request opened, or says with which status it was refused.
    pub async fn open(addr: SocketAddr, line: &Line) -> Result<Self, String> {
        let path = line.start.split(' ').nth(1).unwrap();
        let mut request = http::Request::builder().uri(format!("ws://{addr}{path}"));
        let own =
            [("Host", addr.to_string()), ("Connection", "Upgrade".into()), ("Upgrade", "websocket".into())];
        let ws = [("Sec-WebSocket-Version", "13"), ("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ==")];
        for (name, value) in own {
            request = request.header(name, value);
        }
        for (name, value) in ws {
            request = request.header(name, value);
        }
        for name in ["Authorization", "X-Venus-Api-Namespace"] {
            if let Some(value) = line.header(name) {
                request = request.header(name, value);
            }
        }
        let tcp = TcpStream::connect(addr).await.map_err(|error| error.to_string())?;
        let tcp = tcp.into_std().unwrap();
        let raw = tcp.try_clone().unwrap();
        let tcp = TcpStream::from_std(tcp).unwrap();
        let opening = tokio_tungstenite::client_async(request.body(()).unwrap(), tcp);
        match timeout(PATIENCE, opening).await.expect("a handshake") {
            Ok((socket, _)) => Ok(Self::new(socket, raw)),
            Err(Error::Http(response)) => Err(status_line(response.status())),
            Err(other) => Err(other.to_string()),
        }
    }

    fn new(socket: WebSocketStream<TcpStream>, raw: std::net::TcpStream) -> Self {
        let (sink, mut stream) = socket.split();
        let (tx, incoming) = mpsc::unbounded_channel();
        tokio::spawn(async move {
            while let Some(Ok(message)) = stream.next().await {
                let got = match message {
                    Message::Text(text) => Got::Text(text.to_string()),
                    Message::Ping(_) => Got::Ping,
                    Message::Pong(_) => Got::Pong,
                    Message::Close(frame) => Got::Close(frame.map_or(1005, |frame| frame.code.into())),
                    other => panic!("unexpected {other:?}"),
                };
                let _ = tx.send(got);
            }
            let _ = tx.send(Got::Eof);
        });
        Self { sink, raw, incoming, early: VecDeque::new(), ended: false, said_goodbye: false }
    }

    async fn put(&mut self, message: Message) {
        // A server that has closed cannot be told more.
        let _ = timeout(PATIENCE, self.sink.send(message)).await.expect("room to write");
    }

    /// Sends a text as Go's clients do.
    pub async fn send(&mut self, text: &str) {
        let pieces = text.len().div_ceil(PIECE).max(1);
        for (at, piece) in text.as_bytes().chunks(PIECE).enumerate() {
            let kind = if at == 0 { Data::Text } else { Data::Continue };
            let frame = Frame::message(piece.to_vec(), OpCode::Data(kind), at + 1 == pieces);
            self.put(Message::Frame(frame)).await;
        }
    }

    /// Whether the server said goodbye first.
    pub fn was_stopped(&self) -> bool {
        !self.said_goodbye && self.early.contains(&Got::Close(1000))
    }

    /// Sends part of a message.
    pub async fn send_part(&mut self, kind: Data, last: bool, bytes: &[u8]) -> bool {
        let frame = Frame::message(bytes.to_vec(), OpCode::Data(kind), last);
        let sent = timeout(PATIENCE, self.sink.send(Message::Frame(frame))).await;
        sent.expect("room to write").is_ok()
    }

    pub async fn ping(&mut self) {
        self.put(Message::Ping(Vec::new().into())).await;
    }

    pub async fn pong(&mut self) {
        self.put(Message::Pong(Vec::new().into())).await;
    }

    pub async fn close(&mut self) {
        self.said_goodbye = true;
        self.put(Message::Close(Some(CloseFrame { code: CloseCode::Normal, reason: "".into() }))).await;
    }

    /// Ends without a word.
    pub fn cut(&mut self) {
        let _ = self.raw.shutdown(std::net::Shutdown::Write);
    }

    /// The first thing that fits, however early it came. Nothing if it does not come, or the connection ended.
    pub async fn find(&mut self, fits: impl Fn(&Got) -> bool) -> Option<Got> {
        if let Some(at) = self.early.iter().position(&fits) {
            return self.early.remove(at);
        }
        let end = Instant::now() + PATIENCE;
        while !self.ended {
            let got = timeout_at(end, self.incoming.recv()).await.ok()??;
            self.ended = got == Got::Eof;
            if fits(&got) {
                return Some(got);
            }
            self.early.push_back(got);
        }
        None
    }

    /// The next thing, however long it takes; nothing after the end.
    pub async fn wait(&mut self) -> Option<Got> {
        match self.early.pop_front() {
            Some(got) => Some(got),
            None => self.incoming.recv().await,
        }
        .filter(|got| *got != Got::Eof)
    }

    /// The next text.
    pub async fn text(&mut self) -> String {
        match self.find(|got| matches!(got, Got::Text(_))).await {
            Some(Got::Text(text)) => text,
            _ => panic!("no text came"),
        }
    }

    /// The text that has the place of a recorded one: the answer of that number, the next event of that kind on that
    /// channel, its end.
    pub async fn find_like(&mut self, recorded: &str) -> Option<String> {
        let wanted = Place::of(recorded);
        let got = self.find(|got| matches!(got, Got::Text(text) if Place::of(text) == wanted)).await?;
        match got {
            Got::Text(text) => Some(text),
            _ => None,
        }
    }
}

/// What a frame is about.
#[derive(Debug, PartialEq, Eq)]
pub enum Place {
    Answer(String),
    Event { channel: String, method: String, signer: String },
    End(String),
    Other,
}

impl Place {
    pub fn of(text: &str) -> Self {
        let Ok(frame) = serde_json::from_str::<Value>(text) else { return Self::Other };
        let channel = frame["params"][0].to_string();
        match frame["method"].as_str() {
            None => Self::Answer(frame["id"].to_string()),
            Some("xrpc.ch.close") => Self::End(channel),
            Some("xrpc.ch.val") => {
                let event = &frame["params"][1];
                let payload = event["Payload"].as_str().and_then(super::adapt::decoded).unwrap_or_default();
                let payload = serde_json::from_str::<Value>(&payload).unwrap_or_default();
                let (method, signer) = (event["Method"].to_string(), payload["Signer"].to_string());
                Self::Event { channel, method, signer }
            }
            Some(_) => Self::Other,
        }
    }
}

fn status_line(status: http::StatusCode) -> String {
    format!("HTTP/1.1 {} {}", status.as_u16(), status.canonical_reason().unwrap_or_default())
}

/// An answer over HTTP.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Answer {
    pub start: String,
    pub headers: Vec<(String, String)>,
    pub body: String,
}

/// One request with the recorded bytes on a connection of its own.
pub async fn exchange(addr: SocketAddr, line: &Line) -> Answer {
    timeout(PATIENCE, async {
        let mut socket = TcpStream::connect(addr).await.unwrap();
        let mut request = format!("{}\r\nHost: {addr}\r\nConnection: close\r\n", line.start);
        for (name, value) in &line.headers {
            let ours = ["host", "connection", "content-length", "accept-encoding"];
            if !ours.contains(&name.to_ascii_lowercase().as_str()) {
                request += &format!("{name}: {value}\r\n");
            }
        }
        request += &format!("Content-Length: {}\r\n\r\n{}", line.body.len(), line.body);
        socket.write_all(request.as_bytes()).await.unwrap();
        let mut bytes = Vec::new();
        socket.read_to_end(&mut bytes).await.unwrap();
        parsed(&String::from_utf8(bytes).unwrap())
    })
    .await
    .expect("an answer")
}

fn parsed(text: &str) -> Answer {
    let (head, body) = text.split_once("\r\n\r\n").unwrap();
    let mut lines = head.split("\r\n");
    let start = lines.next().unwrap().to_owned();
    let headers = lines.filter_map(|line| line.split_once(": "));
    let headers = headers.map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
    Answer { start, headers, body: body.to_owned() }
}
