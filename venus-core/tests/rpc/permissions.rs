//! The table and the caller's rights, before any method runs.

use async_trait::async_trait;
use axum::body::Body;
use http::request::Parts;
use tokio_tungstenite::tungstenite::{Error, client::IntoClientRequest};
use tower::ServiceExt;
use venus_core::{
    error::{Classify, ErrorKind},
    rpc::{
        CallError, Caller, Dialect, Identity, MethodSpec, Permission, Permissions, Service,
        api_info::Token,
        client::{ClientConfig, RpcClient, WhileDown},
        server::{AuthError, Authenticate, RpcServer},
    },
};

use crate::support::api::{self, TABLE, TServer, Tiny};

/// Tokens are the names of levels; strangers are turned away.
struct Levels;

#[async_trait]
impl Authenticate for Levels {
    async fn authenticate(&self, token: Option<&str>, _: &Parts) -> Result<Identity, AuthError> {
        let level = token.ok_or(AuthError::Unauthenticated)?;
        match (level, Permissions::up_to(level)) {
            ("down", _) => Err(AuthError::Unavailable),
            (_, Permissions::NONE) => Err(AuthError::Unauthenticated),
            (_, permissions) => Ok(Identity::new(level, permissions)),
        }
    }
}

async fn listen(dialect: Dialect) -> (RpcServer, String) {
    let server = RpcServer::new(api::service(dialect), Levels);
    let listening = server.listen("127.0.0.1:0".parse().unwrap(), &["/rpc/v0"]).await.unwrap();
    (server, format!("{}/rpc/v0", listening.local_addr()))
}

async fn connect(scheme: &str, address: &str, token: &str) -> Result<RpcClient, CallError> {
    let config = ClientConfig { while_down: WhileDown::Fail, ..ClientConfig::default() };
    let config = config.with_token(&Token::new(token).unwrap());
    RpcClient::connect(&format!("{scheme}://{address}"), config).await
}

#[tokio::test]
async fn rights_are_checked_in_each_dialect_s_words() {
    for (dialect, gap) in [(Dialect::Fork, "  "), (Dialect::Upstream, " ")] {
        let (server, address) = listen(dialect).await;
        for scheme in ["http", "ws"] {
            let reader = connect(scheme, &address, "read").await.unwrap();
            reader.call::<i64>("T.Add", Some("[1,2]")).await.unwrap();
            let denied = reader.call_raw("T.Reverse", Some("[\"x\"]")).await.unwrap_err();
            assert_eq!(denied.kind(), ErrorKind::Denied);
            let text = format!("missing permission to invoke 'Reverse'{gap}(need 'sign') (code 1)");
            assert_eq!(denied.to_string(), text, "{dialect:?} {scheme}");
            let unlisted = reader.call_raw("T.CountEnd", Some("[1]")).await.unwrap_err();
            assert_eq!(unlisted.kind(), ErrorKind::Unsupported);
        }
        server.shutdown().await;
    }
}

#[tokio::test]
async fn strangers_are_turned_away() {
    let (server, address) = listen(Dialect::Fork).await;
    for (token, status) in [("nobody", 401), ("down", 503)] {
        let refused = connect("ws", &address, token).await.unwrap_err();
        assert!(
            matches!(&refused, CallError::Status { status: got, body } if *got == status && body.is_empty())
        );
        let client = connect("http", &address, token).await.unwrap();
        let refused = client.call_raw("T.Void", None).await.unwrap_err();
        assert!(matches!(refused, CallError::Status { status: got, .. } if got == status));
    }
    let config = ClientConfig::default();
    assert!(RpcClient::connect(&format!("ws://{address}"), config.clone()).await.is_err());
    let by_query = RpcClient::connect(&format!("ws://{address}?token=read"), config).await.unwrap();
    by_query.call::<()>("T.Void", None).await.unwrap();
    server.shutdown().await;
}

#[tokio::test]
async fn revoking_closes_open_sockets() {
    let (server, address) = listen(Dialect::Fork).await;
    let kept = connect("ws", &address, "read").await.unwrap();
    let mut request = format!("ws://{address}?token=sign").into_client_request().unwrap();
    request.headers_mut().insert("x-mark", "1".parse().unwrap());
    let (mut revoked, _) = tokio_tungstenite::connect_async(request).await.unwrap();
    kept.call::<()>("T.Void", None).await.unwrap();
    while server.sessions() < 2 {
        tokio::task::yield_now().await;
    }
    let signs = |caller: &Caller| caller.identity.name == "sign" && caller.headers.contains_key("x-mark");
    assert_eq!(server.disconnect(signs), 1);
    let closed = loop {
        match futures::StreamExt::next(&mut revoked).await {
            Some(Ok(tokio_tungstenite::tungstenite::Message::Close(frame))) => break frame.unwrap(),
            Some(Ok(_)) => {}
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(u16::from(closed.code), 1008);
    assert!(matches!(
        futures::StreamExt::next(&mut revoked).await,
        None | Some(Err(Error::ConnectionClosed))
    ));
    kept.call::<()>("T.Void", None).await.unwrap();
    server.shutdown().await;
}

/// Go clients get Go's bytes; who asks for kinds gets them in `data`.
#[tokio::test]
async fn kinds_are_for_those_who_ask() {
    let server = RpcServer::new(api::service(Dialect::Fork), Levels);
    for (header, data) in [("0", ""), ("1", ",\"data\":{\"kind\":\"denied\"}")] {
        let request = http::Request::post("/rpc/v0?token=read").header("X-Venus-Errors", header);
        let body = r#"{"id":1,"method":"T.Reverse","params":["x"]}"#;
        let response =
            server.router(&["/rpc/v0"]).oneshot(request.body(Body::from(body)).unwrap()).await.unwrap();
        let body = axum::body::to_bytes(response.into_body(), usize::MAX).await.unwrap();
        let expected = format!(
            "{{\"jsonrpc\":\"2.0\",\"id\":1,\"error\":{{\"code\":1,\"message\":\"missing permission to invoke 'Reverse'  \
             (need 'sign')\"{data}}}}}\n"
        );
        assert_eq!(String::from_utf8_lossy(&body), expected);
    }
}

#[test]
fn a_table_must_fit_its_methods() {
    let check = |table: &[MethodSpec]| Service::new(Tiny.into_rpc(), &[table], Dialect::Fork).map(drop);
    assert!(check(TABLE).is_ok());
    assert!(check(&[]).is_ok());
    let wrong = [
        MethodSpec::new("T.Missing", Permission::Read, &[]),
        MethodSpec::new("T.Count", Permission::Read, &[]),
        MethodSpec::new("T.Void", Permission::Read, &[]).channel(),
    ];
    for spec in wrong {
        assert!(check(&[spec]).is_err(), "{}", spec.name);
    }
    assert!(Service::new(Tiny.into_rpc(), &[TABLE, TABLE], Dialect::Fork).is_err());
}
