//! Channels and reverse calls between our own ends.

use std::{sync::Arc, time::Duration};

use tokio::time::{sleep, timeout};
use venus_core::rpc::{
    CallError, ChannelClosed, ChannelEvent, Dialect, Limits,
    client::{ClientConfig, Resubscribe, RpcClient},
};

use crate::support::{Pipe, bare::Bare, client, server, server_with};

async fn client_with(server: &venus_core::rpc::server::RpcServer, limits: Limits) -> RpcClient {
    let config = ClientConfig { limits, ..ClientConfig::default() };
    RpcClient::connect_with(Pipe(server.clone()), config).await.unwrap()
}

#[tokio::test(start_paused = true)]
async fn a_slow_consumer_lags_and_delays_nobody() {
    let server = server(Dialect::Fork);
    let client = client_with(&server, Limits { channel_values: 10, ..Limits::default() }).await;
    let mut slow = client.channel::<i64>("T.Count", Some("[100000,1]"), Resubscribe::Never).await.unwrap();
    let mut quick = client.channel::<i64>("T.Count", Some("[1000,1]"), Resubscribe::Never).await.unwrap();
    for n in 0..1000 {
        assert!(matches!(quick.next().await, Some(Ok(ChannelEvent::Value(value))) if value == n));
    }
    assert_eq!(client.call::<i64>("T.Add", Some("[1,1]")).await.unwrap(), 2);
    let mut values = 0;
    let end = loop {
        match slow.next().await.unwrap().unwrap() {
            ChannelEvent::Value(value) => {
                assert_eq!(value, values);
                values += 1;
            }
            ChannelEvent::Closed(why) => break why,
            other => panic!("{other:?}"),
        }
    };
    assert_eq!((end, values), (ChannelClosed::Lagged, 10));
}

#[tokio::test(start_paused = true)]
async fn large_values_have_a_common_bound() {
    let server = server(Dialect::Fork);
    let client = client_with(&server, Limits { channel_bytes: 20, ..Limits::default() }).await;
    let mut channel = client.channel::<i64>("T.Count", Some("[100000,1]"), Resubscribe::Never).await.unwrap();
    sleep(Duration::from_secs(1)).await;
    let mut last = None;
    while let Some(event) = channel.next().await {
        last = Some(event.unwrap());
    }
    assert!(matches!(last, Some(ChannelEvent::Closed(ChannelClosed::Lagged))));
}

#[tokio::test(start_paused = true)]
async fn dropping_a_channel_stops_the_method() {
    let server = server(Dialect::Upstream);
    let mut bare = Bare::client(&server).await;
    bare.send(r#"{"id":7,"method":"T.Count","params":[1000000,1000]}"#).await;
    assert_eq!(bare.text().await, "{\"id\":7,\"jsonrpc\":\"2.0\",\"result\":1}\n");
    bare.send(r#"{"method":"xrpc.cancel","params":[7]}"#).await;
    loop {
        let text = bare.text().await;
        if text.contains("xrpc.ch.close") {
            break;
        }
    }
    // The id is free again.
    bare.send(r#"{"id":7,"method":"T.Add","params":[1,2]}"#).await;
    assert_eq!(bare.text().await, "{\"id\":7,\"jsonrpc\":\"2.0\",\"result\":3}\n");
}

#[tokio::test(start_paused = true)]
async fn channels_in_one_session_have_a_bound() {
    let server = server_with(Dialect::Fork, Limits { channels: 2, ..Limits::default() });
    let client = client(&server).await;
    let open = || client.channel::<i64>("T.Count", Some("[5,100]"), Resubscribe::Never);
    let first = open().await.unwrap();
    let _second = open().await.unwrap();
    let refused = open().await;
    assert!(
        matches!(&refused, Err(CallError::Rpc(error)) if error.message == "too many channels"),
        "{refused:?}"
    );
    drop(first);
    sleep(Duration::from_millis(200)).await;
    open().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn reverse_calls_do_not_block_the_session() {
    let server = server(Dialect::Fork);
    // Serves nobody, so that the reverse call hangs.
    let client = RpcClient::connect_with(Pipe(server.clone()), ClientConfig::default()).await.unwrap();
    let client = Arc::new(client);
    let hanging = tokio::spawn({
        let client = client.clone();
        async move { client.call_raw("T.Reverse", Some("[\"x\"]")).await }
    });
    sleep(Duration::from_secs(1)).await;
    assert_eq!(client.call::<i64>("T.Add", Some("[1,1]")).await.unwrap(), 2);
    let answer = timeout(Duration::from_secs(120), hanging).await.unwrap().unwrap();
    assert!(answer.is_err());
}

#[tokio::test(start_paused = true)]
async fn shutdown_lets_calls_end_and_closes_channels() {
    let server = server(Dialect::Fork);
    let client = client(&server).await;
    let mut channel =
        client.channel::<i64>("T.Count", Some("[1000,600000]"), Resubscribe::Never).await.unwrap();
    assert!(matches!(channel.next().await, Some(Ok(ChannelEvent::Value(0)))));
    let running = tokio::spawn({
        let client = client.clone();
        async move { client.call::<String>("T.Sleep", Some("[2000]")).await }
    });
    let endless = tokio::spawn({
        let client = client.clone();
        async move { client.call::<String>("T.Sleep", Some("[2000000]")).await }
    });
    sleep(Duration::from_secs(1)).await;
    let start = tokio::time::Instant::now();
    server.shutdown().await;
    assert_eq!(running.await.unwrap().unwrap(), "slept");
    assert!(matches!(endless.await.unwrap(), Err(CallError::Disconnected)));
    assert!(matches!(channel.next().await, Some(Ok(ChannelEvent::Closed(ChannelClosed::ByPeer)))));
    assert!(start.elapsed() <= Duration::from_secs(10));
    assert_eq!(server.sessions(), 0);
}
