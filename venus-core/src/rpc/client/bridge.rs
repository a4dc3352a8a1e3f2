//! jsonrpsee's `Subscription` on top of a channel.
//!
//! jsonrpsee's subscriptions can only be made by its own asynchronous client, so that a small one is started for each:
//! its transport is the channel. It ends with the subscription or with the channel, whichever ends first.

use std::sync::{Arc, Mutex, PoisonError};

use jsonrpsee::core::{
    client::{
        Client, ClientBuilder, Error, ReceivedMessage, Subscription, SubscriptionClientT, TransportReceiverT,
        TransportSenderT,
    },
    params::ArrayParams,
};
use serde::de::DeserializeOwned;
use tokio::sync::mpsc;

use crate::rpc::{error::CallError, frame::Frame, id::FrameId, session::RawChannel};

/// The number that the small client knows its only subscription by.
const ONLY: u64 = 0;

pub(crate) async fn subscription<T: DeserializeOwned>(
    channel: RawChannel,
    buffer: usize,
) -> Result<Subscription<T>, Error> {
    let (requests, receiver) = mpsc::channel(2);
    let keeper = Arc::new(Mutex::new(None));
    let receiver = Receiver { requests: receiver, channel: Some(channel), _client: keeper.clone() };
    let builder = ClientBuilder::default().max_buffer_capacity_per_subscription(buffer.max(1));
    let client = builder.build_with_tokio(Sender(requests), receiver);
    let subscription = client.subscribe("channel", ArrayParams::new(), "end").await;
    // The client must live as long as the receiver reads, which owns it from now on.
    *keeper.lock().unwrap_or_else(PoisonError::into_inner) = Some(client);
    subscription
}

struct Sender(mpsc::Sender<String>);

impl TransportSenderT for Sender {
    type Error = CallError;

    async fn send(&mut self, request: String) -> Result<(), CallError> {
        self.0.send(request).await.map_err(|_| CallError::Disconnected)
    }
}

struct Receiver {
    requests: mpsc::Receiver<String>,
    channel: Option<RawChannel>,
    _client: Arc<Mutex<Option<Client>>>,
}

impl TransportReceiverT for Receiver {
    type Error = CallError;

    /// The first request subscribes and is granted; the second ends the subscription.
    async fn receive(&mut self) -> Result<ReceivedMessage, CallError> {
        let Some(channel) = &mut self.channel else { return Err(CallError::Closed) };
        let text = tokio::select! {
            biased;
            request = self.requests.recv() => match request.as_deref().and_then(granted) {
                Some(text) => text,
                None => {
                    self.channel = None;
                    return Err(CallError::Closed);
                }
            },
            value = channel.next() => match value {
                Some(value) => format!(
                    "{{\"jsonrpc\":\"2.0\",\"method\":\"channel\",\"params\":{{\"subscription\":{ONLY},\"result\":{value}}}}}"
                ),
                None => return Err(CallError::Disconnected),
            },
        };
        Ok(ReceivedMessage::Text(text))
    }
}

fn granted(request: &str) -> Option<String> {
    let (frame, _) = Frame::decode(request).ok()?;
    match (&frame.id, &*frame.method) {
        (FrameId::Id(id), "channel") => {
            Some(format!("{{\"jsonrpc\":\"2.0\",\"id\":{id},\"result\":{ONLY}}}"))
        }
        _ => None,
    }
}
