//! The clients that jsonrpsee generates, on our transports.

use jsonrpsee::core::{
    client::{ClientT, Error},
    params::{ArrayParams, BatchRequestBuilder, ObjectParams},
};
use venus_core::rpc::{
    CallError, Dialect,
    client::{ClientConfig, RpcClient},
};

use crate::support::{
    api::{Pt, TClient},
    client, server,
};

async fn every_method(client: &RpcClient) {
    client.void().await.unwrap();
    assert_eq!(client.add(2, 3).await.unwrap(), 5);
    assert_eq!(client.nil_slice().await.unwrap(), None);
    let pt = Pt { a: 1, b: "<&>".into(), c: Some(2) };
    assert_eq!(client.bytes(pt.clone()).await.unwrap(), pt);
    match client.fail_val().await {
        Err(Error::Call(error)) => assert_eq!((error.code(), error.message()), (1, "boom")),
        other => panic!("{other:?}"),
    }
    let mut batch = BatchRequestBuilder::new();
    for n in 0..40 {
        batch.insert("T.Add", [n, n]).unwrap();
    }
    batch.insert("T.FailVal", ArrayParams::new()).unwrap();
    let answers = client.batch_request::<i64>(batch).await.unwrap();
    assert_eq!((answers.num_successful_calls(), answers.num_failed_calls()), (40, 1));
    assert_eq!(answers.iter().nth(39).unwrap().as_ref().unwrap(), &78);
    client.notification("T.Void", ArrayParams::new()).await.unwrap();
    let mut named = ObjectParams::new();
    named.insert("a", 1).unwrap();
    let refused = CallError::from(client.request::<i64, _>("T.Add", named).await.unwrap_err());
    assert!(matches!(refused, CallError::Params { .. }));
}

#[tokio::test]
async fn over_a_websocket() {
    for dialect in [Dialect::Fork, Dialect::Upstream] {
        let server = server(dialect);
        let client = client(&server).await;
        every_method(&client).await;
        assert_eq!(client.reverse("hi".into()).await.unwrap(), "echo:hi");
    }
}

#[tokio::test]
async fn over_http() {
    for dialect in [Dialect::Fork, Dialect::Upstream] {
        let server = server(dialect);
        let listening = server.listen("127.0.0.1:0".parse().unwrap(), &["/rpc/v0"]).await.unwrap();
        let url = format!("http://{}/rpc/v0", listening.local_addr());
        let client = RpcClient::connect(&url, ClientConfig::default()).await.unwrap();
        every_method(&client).await;
        let no_channels = CallError::from(client.count(1, 1).await.map(drop).unwrap_err());
        assert!(matches!(no_channels, CallError::NeedsWebSocket(_)));
        match client.reverse("hi".into()).await {
            Err(Error::Call(error)) => assert_eq!(error.message(), "no reverse client"),
            other => panic!("{other:?}"),
        }
        drop(client);
        server.shutdown().await;
    }
}

#[tokio::test(start_paused = true)]
async fn subscriptions_are_channels() {
    let server = server(Dialect::Upstream);
    let client = client(&server).await;
    let mut subscription = client.count(3, 20).await.unwrap();
    for n in 0..3 {
        assert_eq!(subscription.next().await.unwrap().unwrap(), n);
    }
    assert!(subscription.next().await.is_none());
    match client.count(-1, 0).await {
        Err(Error::Call(error)) => assert_eq!(error.message(), "negative"),
        other => panic!("{other:?}"),
    }
    let mut endless = client.count(1_000_000, 1).await.unwrap();
    assert_eq!(endless.next().await.unwrap().unwrap(), 0);
    endless.unsubscribe().await.unwrap();
    let abandoned = client.count(1_000_000, 1).await.unwrap();
    drop(abandoned);
    drop(client);
    server.shutdown().await;
}
