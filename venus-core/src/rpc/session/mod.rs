//! One WebSocket, both directions: calls out and in, channels out and in.
//!
//! Server and client run the same session, because both may call and be called. A session is one task with a
//! reader, which never waits for anybody but the socket, and a writer, which alone writes and pings. Each incoming
//! call runs in a task of its own, which dies with the session.

mod channel;
mod incoming;
mod link;
mod peer;
mod reader;
mod writer;

use std::time::Duration;

use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;

pub use channel::{ChannelClosed, ChannelEvent, RawChannel};
#[cfg(feature = "server")]
pub(crate) use incoming::answer_text;
#[cfg(feature = "server")]
pub(crate) use link::Link;
pub(crate) use link::{Order, link};
pub use peer::Peer;
#[cfg(feature = "client")]
pub(crate) use peer::decode;
pub(crate) use reader::{Malformed, Session};

/// How a session stays alive.
///
/// Pings are sent and answered, and *any* frame counts as a sign of life. This is the one rule that works with
/// every version of both dialects: some never answer pings, others count nothing but pongs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeepAlive {
    /// The time between our pings.
    pub ping_every: Duration,
    /// The silence after which the other side is dead.
    pub dead_after: Duration,
}

impl Default for KeepAlive {
    /// 5 s and 30 s, as all Go peers have it.
    fn default() -> Self {
        Self { ping_every: Duration::from_secs(5), dead_after: Duration::from_secs(30) }
    }
}

/// The bounds of a session, of an HTTP request, and of the calls in them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of one message or one HTTP body, either way.
    pub message_bytes: usize,
    /// Calls under way at once in each direction of a session.
    pub calls: usize,
    /// Channels open at once in each direction of a session.
    pub channels: usize,
    /// Values that wait for the consumer of a channel before it counts as lagging and is closed.
    pub channel_values: usize,
    /// Bytes that wait for the consumers of all channels of a session together.
    pub channel_bytes: usize,
    /// Messages that wait to be written.
    pub queue: usize,
    /// Bytes that wait to be written.
    pub queue_bytes: usize,
    /// How long one write, or reading one HTTP body, may take.
    pub io_deadline: Duration,
    /// How long a method may run. Channels have no deadline.
    pub call_deadline: Duration,
    /// How long running calls may take to end at a shutdown.
    pub grace: Duration,
    /// Sessions of a server at once.
    pub sessions: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            message_bytes: 16 << 20,
            calls: 1024,
            channels: 1024,
            channel_values: 1024,
            channel_bytes: 64 << 20,
            queue: 1024,
            queue_bytes: 64 << 20,
            io_deadline: Duration::from_secs(30),
            call_deadline: Duration::from_secs(3600),
            grace: Duration::from_secs(5),
            sessions: 4096,
        }
    }
}

/// Close codes of RFC 6455 that we send.
pub(crate) mod close {
    pub(crate) const NORMAL: u16 = 1000;
    pub(crate) const NOT_TEXT: u16 = 1007;
    #[cfg(feature = "server")]
    pub(crate) const POLICY: u16 = 1008;
    pub(crate) const TOO_BIG: u16 = 1009;
}

/// How sockets are read and written.
pub(crate) fn socket_config(limits: &Limits) -> WebSocketConfig {
    WebSocketConfig::default()
        .max_message_size(Some(limits.message_bytes))
        .max_frame_size(Some(limits.message_bytes))
        // Allocated for every session, whether it is used or not, and cleared before each read.
        .read_buffer_size(8 << 10)
        .write_buffer_size(32 << 10)
}
