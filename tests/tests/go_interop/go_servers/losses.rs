//! Idle sessions, and servers that crash or hang.

use std::time::Duration;

use venus_core::rpc::{
    CallError, ChannelEvent, KeepAlive,
    client::{ClientConfig, Resubscribe},
};

use super::{config, connect_with, info};
use crate::{
    LIBRARIES, Library,
    program::{Program, programs},
    service::TClient,
};

/// Sees within a second that the other side has gone.
const QUICK: KeepAlive =
    KeepAlive { ping_every: Duration::from_millis(200), dead_after: Duration::from_secs(1) };

#[tokio::test]
async fn an_idle_session_is_kept_alive() {
    if programs().is_none() {
        return;
    }
    for library in LIBRARIES {
        let (_server, address) = Program::server(library, "127.0.0.1:0").await;
        let quick = ClientConfig { keep_alive: QUICK, ..config() };
        let client = connect_with(&info("admin", &address, "ws"), quick).await.unwrap();
        let connection = client.connection().await.unwrap();
        assert_eq!(client.sleep(2500).await.unwrap(), "slept");
        assert_eq!(client.connection().await.unwrap(), connection);
    }
}

#[derive(Clone, Copy, PartialEq)]
enum Loss {
    Crash,
    /// Nothing is said any more, and no socket closed.
    #[cfg(unix)]
    Hang,
}

/// Loses the connection with a call and a channel under way, and gets all back.
async fn survives(loss: Loss, library: Library) {
    let (server, address) = Program::server(library, "127.0.0.1:0").await;
    let keep_alive = if loss == Loss::Crash { KeepAlive::default() } else { QUICK };
    let config = ClientConfig { keep_alive, ..config() };
    let client = connect_with(&info("admin", &address, "ws"), config).await.unwrap();
    let endless = Some("[1000000,5]");
    let mut channel = client.channel::<i64>("T.Count", endless, Resubscribe::AfterReconnect).await.unwrap();
    assert!(matches!(channel.next().await, Some(Ok(ChannelEvent::Value(0)))));
    let sleeping = client.call_raw("T.Sleep", Some("[50000]"));
    let lose = async {
        match loss {
            Loss::Crash => {
                server.kill().await;
                None
            }
            #[cfg(unix)]
            Loss::Hang => {
                server.hang(true);
                Some(server)
            }
        }
    };
    let (slept, server) = tokio::join!(sleeping, lose);
    assert!(matches!(slept, Err(CallError::Disconnected)), "{slept:?}");
    let _server = match server {
        None => Program::server(library, &address).await.0,
        Some(server) => {
            #[cfg(unix)]
            server.hang(false);
            server
        }
    };
    assert_eq!(client.add(2, 3).await.unwrap(), 5);
    assert_eq!(client.reverse("back".into()).await.unwrap(), "echo:back");
    while let ChannelEvent::Value(_) = channel.next().await.unwrap().unwrap() {}
    assert!(matches!(channel.next().await, Some(Ok(ChannelEvent::Value(0)))), "reopened");
    client.shutdown().await;
}

#[tokio::test]
async fn a_server_that_crashed_is_found_again() {
    if programs().is_none() {
        return;
    }
    for library in LIBRARIES {
        survives(Loss::Crash, library).await;
    }
}

#[cfg(unix)]
#[tokio::test]
async fn a_server_that_hangs_is_lost_and_found_again() {
    if programs().is_none() {
        return;
    }
    for library in LIBRARIES {
        survives(Loss::Hang, library).await;
    }
}
