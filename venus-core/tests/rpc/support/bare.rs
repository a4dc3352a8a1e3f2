//! One end of a WebSocket that does nothing by itself.

use std::time::Duration;

use futures::{SinkExt, StreamExt};
use tokio::{io::DuplexStream, time::timeout};
use tokio_tungstenite::{
    WebSocketStream,
    tungstenite::{
        Message,
        protocol::{
            Role,
            frame::{
                Frame,
                coding::{Data, OpCode},
            },
        },
    },
};
use venus_core::rpc::server::RpcServer;

use super::admin;

/// What came in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Got {
    Text(String),
    Ping,
    Pong(Vec<u8>),
    Close(Option<u16>),
    Eof,
}

pub struct Bare(pub WebSocketStream<DuplexStream>);

impl Bare {
    /// A bare client of `server`.
    pub async fn client(server: &RpcServer) -> Self {
        let (ours, theirs) = tokio::io::duplex(1 << 20);
        let server = server.clone();
        tokio::spawn(async move { server.serve_socket(theirs, admin()).await });
        Self(WebSocketStream::from_raw_socket(ours, Role::Client, None).await)
    }

    pub async fn send(&mut self, text: &str) {
        // A server that has closed cannot be told more.
        let _ = self.0.send(Message::text(text)).await;
    }

    pub async fn send_fragment(&mut self, kind: &str, fin: bool, bytes: &[u8]) {
        let opcode = match kind {
            "text" => OpCode::Data(Data::Text),
            "binary" => OpCode::Data(Data::Binary),
            _ => OpCode::Data(Data::Continue),
        };
        let frame = Frame::message(bytes.to_vec(), opcode, fin);
        let _ = self.0.send(Message::Frame(frame)).await;
    }

    pub async fn next(&mut self) -> Got {
        match self.0.next().await {
            Some(Ok(Message::Text(text))) => Got::Text(text.to_string()),
            Some(Ok(Message::Ping(_))) => Got::Ping,
            Some(Ok(Message::Pong(bytes))) => Got::Pong(bytes.to_vec()),
            Some(Ok(Message::Close(frame))) => Got::Close(frame.map(|frame| frame.code.into())),
            Some(Ok(other)) => panic!("unexpected {other:?}"),
            Some(Err(_)) | None => Got::Eof,
        }
    }

    pub async fn text(&mut self) -> String {
        loop {
            match self.next().await {
                Got::Text(text) => return text,
                Got::Ping | Got::Pong(_) => {}
                other => panic!("text expected, got {other:?}"),
            }
        }
    }

    /// What comes within `time`, up to the end of the connection.
    pub async fn all_within(&mut self, time: Duration) -> Vec<Got> {
        let mut all = Vec::new();
        let _ = timeout(time, async {
            loop {
                let got = self.next().await;
                let end = got == Got::Eof;
                all.push(got);
                if end {
                    break;
                }
            }
        })
        .await;
        all
    }
}
