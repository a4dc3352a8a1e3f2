#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
//! A real exporter, asked over a real socket: a file of its own, because a process has one recorder.
#![cfg(feature = "metrics")]

use std::net::SocketAddr;

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};
use tokio_util::sync::CancellationToken;
use venus_bins_common::metrics::{self, MetricsError};

async fn get(addr: SocketAddr, path: &str, headers: &str) -> String {
    let mut stream = TcpStream::connect(addr).await.unwrap();
    let request = format!("GET {path} HTTP/1.1\r\nhost: {addr}\r\nconnection: close\r\n{headers}\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    answer
}

#[tokio::test]
async fn counts_are_exported_to_whoever_has_the_token() {
    let open = metrics::install("0.0.0.0:0".parse().unwrap(), None).await.unwrap_err();
    assert!(open.to_string().contains("set a token"), "{open}");

    let exporter = metrics::install("127.0.0.1:0".parse().unwrap(), Some("secret".into())).await.unwrap();
    let (addr, stop) = (exporter.addr(), CancellationToken::new());
    let running = tokio::spawn(exporter.run(stop.clone()));
    ::metrics::counter!("venus_test_calls_total", "outcome" => "ok").increment(3);
    ::metrics::histogram!("venus_test_call_seconds").record(0.02);

    let answer = get(addr, "/metrics", "authorization: Bearer secret\r\n").await;
    assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
    assert!(answer.contains("venus_test_calls_total{outcome=\"ok\"} 3\n"), "{answer}");
    assert!(answer.contains("venus_test_call_seconds_bucket{le=\"0.025\"} 1\n"), "{answer}");
    for headers in [
        "",
        "authorization: Bearer secreT\r\n",
        "authorization: Bearer secret1\r\n",
        "authorization: secret\r\n",
    ] {
        let answer = get(addr, "/metrics", headers).await;
        assert!(answer.starts_with("HTTP/1.1 401 ") && !answer.contains("venus_test"), "{headers}: {answer}");
    }
    assert!(get(addr, "/", "authorization: Bearer secret\r\n").await.starts_with("HTTP/1.1 404 "));

    let again = metrics::install("127.0.0.1:0".parse().unwrap(), None).await.unwrap_err();
    assert!(matches!(again, MetricsError::Recorder(_)), "{again}");
    let taken = metrics::install(addr, None).await.unwrap_err();
    assert!(matches!(taken, MetricsError::Listen { .. }), "{taken}");
    stop.cancel();
    running.await.unwrap().unwrap();
}
