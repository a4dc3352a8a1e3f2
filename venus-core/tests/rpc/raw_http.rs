//! Hand-made HTTP bodies, answered byte for byte as Go answers them.

use axum::body::{Body, to_bytes};
use http::Request;
use serde_json::Value;
use tower::ServiceExt;
use venus_core::rpc::{Dialect, Limits};

use crate::support::{
    recording::{dialect, lines, text},
    server, server_with,
};

struct Answer {
    status: u16,
    content_type: Option<String>,
    body: String,
}

async fn ask(router: axum::Router, method: &str, body: &str) -> Answer {
    let request = Request::builder().method(method).uri("/rpc/v0").body(Body::from(body.to_owned())).unwrap();
    let response = router.oneshot(request).await.unwrap();
    let status = response.status().as_u16();
    let content_type = response.headers().get("content-type").map(|value| value.to_str().unwrap().to_owned());
    let body = to_bytes(response.into_body(), usize::MAX).await.unwrap();
    Answer { status, content_type, body: String::from_utf8(body.to_vec()).unwrap() }
}

/// Upstream's batches got better between the recorded versions, and we speak the newer.
fn expected(line: &Value) -> String {
    text(&line["res"], "body").replace("\n,,{", "\n,{")
}

#[tokio::test]
async fn recorded_bodies() {
    let lines = lines("jsonrpc-raw-http.jsonl");
    assert_eq!(lines.len(), 105);
    let routers = [Dialect::Fork, Dialect::Upstream].map(|dialect| server(dialect).router(&["/rpc/v0"]));
    for line in &lines {
        let (lib, case) = (text(line, "lib"), text(line, "case"));
        let router = &routers[usize::from(dialect(lib) == Dialect::Upstream)];
        let method = text(&line["req"], "start").split(' ').next().unwrap();
        let got = ask(router.clone(), method, text(&line["req"], "body")).await;
        let name = format!("{lib}: {case}");
        assert_eq!(got.body, expected(line), "{name}");
        assert_eq!(u64::from(got.status), line["res"]["status"].as_u64().unwrap(), "{name}");
        let content_type = line["res"]["headers"]["Content-Type"].as_str();
        assert_eq!(got.content_type.as_deref(), content_type, "{name}");
    }
}

#[tokio::test]
async fn too_big() {
    let body =
        format!(r#"{{"jsonrpc":"2.0","id":1,"method":"T.Void","params":[],"x":"{}"}}"#, "y".repeat(2000));
    let limits = Limits { message_bytes: 1024, ..Limits::default() };
    for (dialect, expected) in [
        (Dialect::Fork, ""),
        (
            Dialect::Upstream,
            "{\"error\":{\"code\":-32700,\"message\":\"request bigger than maximum 1024 allowed\"},\"id\":null,\"jsonrpc\":\"2.0\"}\n",
        ),
    ] {
        let answer = ask(server_with(dialect, limits).router(&["/rpc/v0"]), "POST", &body).await;
        assert_eq!((answer.status, answer.body.as_str()), (500, expected));
    }
}

#[tokio::test]
async fn null_is_go_s_zero_value() {
    let router = server(Dialect::Fork).router(&["/rpc/v0"]);
    let answer = ask(router, "POST", r#"{"id":1,"method":"T.Add","params":[null, 5]}"#).await;
    assert_eq!(answer.body, "{\"jsonrpc\":\"2.0\",\"result\":5,\"id\":1}\n");
}

#[tokio::test]
async fn a_batch_of_notifications_only_is_empty() {
    let router = server(Dialect::Upstream).router(&["/rpc/v0"]);
    let answer = ask(router, "POST", r#"[{"method":"T.Void"},{"method":"T.Void","id":null}]"#).await;
    assert_eq!((answer.status, answer.body.as_str()), (200, "[]"));
}

#[tokio::test]
async fn a_batch_has_a_bound() {
    let router =
        server_with(Dialect::Upstream, Limits { calls: 3, ..Limits::default() }).router(&["/rpc/v0"]);
    let batch = |n| format!("[{}]", vec![r#"{"id":1,"method":"T.Void"}"#; n].join(","));
    assert_eq!(ask(router.clone(), "POST", &batch(3)).await.status, 200);
    assert_eq!(ask(router, "POST", &batch(4)).await.status, 400);
}
