//! Losing a server and finding it again.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use tokio::time::{Instant, sleep};
use venus_core::{
    error::{Classify, ErrorKind},
    rpc::{
        CallError, ChannelClosed, ChannelEvent, Dialect, Limits,
        client::{ClientConfig, Connect, Resubscribe, RpcClient, Socket, WhileDown, socket_over},
        server::RpcServer,
    },
};

use crate::support::{admin, server};

/// Opens pipes to a server, but for as many times as it is told to fail.
#[derive(Clone)]
struct Flaky {
    server: RpcServer,
    failures: Arc<AtomicU32>,
    attempts: Arc<AtomicU32>,
}

impl Flaky {
    fn new(server: &RpcServer) -> Self {
        Self { server: server.clone(), failures: Arc::default(), attempts: Arc::default() }
    }
}

#[async_trait::async_trait]
impl Connect for Flaky {
    async fn connect(&self) -> Result<Socket, CallError> {
        self.attempts.fetch_add(1, Ordering::SeqCst);
        let fails =
            self.failures.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |n| n.checked_sub(1)).is_ok();
        if fails {
            return Err(CallError::Unreachable { url: "pipe:".into(), source: "not now".into() });
        }
        let (ours, theirs) = tokio::io::duplex(1 << 20);
        let server = self.server.clone();
        tokio::spawn(async move { server.serve_socket(theirs, admin()).await });
        Ok(socket_over(ours, &Limits::default()).await)
    }

    fn url(&self) -> &str {
        "pipe:"
    }
}

async fn connect(flaky: &Flaky, while_down: WhileDown) -> RpcClient {
    let config = ClientConfig { while_down, ..ClientConfig::default() };
    RpcClient::connect_with(flaky.clone(), config).await.unwrap()
}

fn cut(server: &RpcServer) {
    assert_eq!(server.disconnect(|_| true), 1);
}

async fn connected(client: &RpcClient, is: bool) {
    while client.is_connected() != is {
        sleep(Duration::from_millis(1)).await;
    }
}

#[tokio::test(start_paused = true)]
async fn the_first_failure_is_the_caller_s() {
    let flaky = Flaky::new(&server(Dialect::Fork));
    flaky.failures.store(1, Ordering::SeqCst);
    let refused = RpcClient::connect_with(flaky.clone(), ClientConfig::default()).await;
    assert!(matches!(refused, Err(CallError::Unreachable { .. })));
    assert_eq!(flaky.attempts.load(Ordering::SeqCst), 1);
}

#[tokio::test(start_paused = true)]
async fn calls_under_way_fail_and_later_ones_wait() {
    let server = server(Dialect::Fork);
    let flaky = Flaky::new(&server);
    let client = connect(&flaky, WhileDown::Wait).await;
    client.call::<()>("T.Void", None).await.unwrap();
    let sleeping = tokio::spawn({
        let client = client.clone();
        async move { client.call_raw("T.Sleep", Some("[100000]")).await }
    });
    sleep(Duration::from_millis(10)).await;
    flaky.failures.store(5, Ordering::SeqCst);
    cut(&server);
    let lost = sleeping.await.unwrap().unwrap_err();
    assert!(matches!(lost, CallError::Disconnected) && lost.kind() == ErrorKind::Transient);
    let start = Instant::now();
    assert_eq!(client.call::<i64>("T.Add", Some("[20,22]")).await.unwrap(), 42);
    assert_eq!(flaky.attempts.load(Ordering::SeqCst), 7);
    // 100 ms × 1.5ⁿ six times, each with up to 100 ms of jitter.
    let waited = start.elapsed().as_millis();
    assert!((1900..=3000).contains(&waited), "{waited} ms");
}

#[tokio::test(start_paused = true)]
async fn waiting_ends_with_the_deadline_and_says_why() {
    let server = server(Dialect::Fork);
    let flaky = Flaky::new(&server);
    let client = connect(&flaky, WhileDown::Wait).await;
    client.call::<()>("T.Void", None).await.unwrap();
    flaky.failures.store(u32::MAX, Ordering::SeqCst);
    cut(&server);
    connected(&client, false).await;
    let start = Instant::now();
    let error = client.call_raw("T.Void", None).await.unwrap_err();
    assert_eq!(start.elapsed().as_secs(), 60);
    assert!(
        matches!(error, CallError::Unreachable { .. }) && error.to_string().contains("not now"),
        "{error}"
    );
}

#[tokio::test(start_paused = true)]
async fn who_does_not_want_to_wait_fails_at_once() {
    let server = server(Dialect::Fork);
    let flaky = Flaky::new(&server);
    let client = connect(&flaky, WhileDown::Fail).await;
    client.call::<()>("T.Void", None).await.unwrap();
    flaky.failures.store(3, Ordering::SeqCst);
    cut(&server);
    connected(&client, false).await;
    let start = Instant::now();
    assert!(matches!(client.call_raw("T.Void", None).await, Err(CallError::Disconnected)));
    assert_eq!(start.elapsed(), Duration::ZERO);
    connected(&client, true).await;
    client.call::<()>("T.Void", None).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn channels_come_back_if_that_is_wanted() {
    for (policy, comes_back) in
        [(Resubscribe::Never, false), (Resubscribe::AfterReconnect, true), (Resubscribe::Always, true)]
    {
        let server = server(Dialect::Fork);
        let client = connect(&Flaky::new(&server), WhileDown::Wait).await;
        let mut channel = client.channel::<i64>("T.Count", Some("[100,1000]"), policy).await.unwrap();
        for n in 0..3 {
            assert!(matches!(channel.next().await, Some(Ok(ChannelEvent::Value(value))) if value == n));
        }
        cut(&server);
        if comes_back {
            assert!(matches!(channel.next().await, Some(Ok(ChannelEvent::Reopened))), "{policy:?}");
            assert!(matches!(channel.next().await, Some(Ok(ChannelEvent::Value(0)))));
        } else {
            let end = channel.next().await;
            assert!(matches!(end, Some(Ok(ChannelEvent::Closed(ChannelClosed::Disconnected)))), "{end:?}");
            assert!(channel.next().await.is_none());
        }
    }
}

#[tokio::test(start_paused = true)]
async fn only_always_reopens_what_the_server_closed() {
    let server = server(Dialect::Fork);
    let client = connect(&Flaky::new(&server), WhileDown::Wait).await;
    let short = "[1,10]";
    let mut once = client.channel::<i64>("T.Count", Some(short), Resubscribe::AfterReconnect).await.unwrap();
    assert!(matches!(once.next().await, Some(Ok(ChannelEvent::Value(0)))));
    assert!(matches!(once.next().await, Some(Ok(ChannelEvent::Closed(ChannelClosed::ByPeer)))));
    let mut always = client.channel::<i64>("T.Count", Some(short), Resubscribe::Always).await.unwrap();
    for _ in 0..3 {
        assert!(matches!(always.next().await, Some(Ok(ChannelEvent::Value(0)))));
        assert!(matches!(always.next().await, Some(Ok(ChannelEvent::Reopened))));
    }
}

#[tokio::test(start_paused = true)]
async fn the_last_clone_takes_the_connection_along() {
    let server = server(Dialect::Fork);
    let flaky = Flaky::new(&server);
    let client = connect(&flaky, WhileDown::Wait).await;
    let clone = client.clone();
    drop(client);
    clone.call::<()>("T.Void", None).await.unwrap();
    assert_eq!(server.sessions(), 1);
    drop(clone);
    sleep(Duration::from_secs(60)).await;
    assert_eq!((server.sessions(), flaky.attempts.load(Ordering::SeqCst)), (0, 1));
}
