//! Over a real socket: what goes through the door.

use tokio::net::TcpListener;
use tokio_tungstenite::tungstenite::handshake::server::{Request, Response};
use venus_signer::gateway::{GatewayOptions, GatewayProvider, HubConfig};

use super::hub::{ALICE, wallet};

#[tokio::test]
async fn the_handshake_over_tcp_is_that_of_go() {
    use futures::StreamExt;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let (wallet, _) = wallet().await;
    let hub = HubConfig::new("eu", format!("{ALICE}:/ip4/127.0.0.1/tcp/{port}"));
    let handle = GatewayProvider::start(wallet, vec![hub], GatewayOptions::default()).unwrap();
    let (socket, _) = listener.accept().await.unwrap();
    let mut seen = None;
    #[allow(clippy::result_large_err, reason = "the type is the library's")]
    let look = |request: &Request, response: Response| {
        seen = Some((request.uri().path().to_owned(), request.headers().clone()));
        Ok(response)
    };
    let mut socket = tokio_tungstenite::accept_hdr_async(socket, look).await.unwrap();
    let (path, headers) = seen.unwrap();
    assert_eq!(path, "/rpc/v1");
    assert_eq!(headers["x-venus-api-namespace"], "gateway.IGateway");
    assert_eq!(headers["authorization"], format!("Bearer {ALICE}"));
    let first = socket.next().await.unwrap().unwrap();
    let text = first.to_text().unwrap();
    assert!(text.starts_with(
        r#"{"jsonrpc":"2.0","id":1,"method":"Gateway.ListenWalletEvent","params":[{"SupportAccounts":[],"SignBytes":""#
    ));
    assert!(
        text.contains(r#","Ext":["accounts","report"]}]"#),
        "a hub that is not legacy is told what we understand"
    );
    assert!(!format!("{handle:?} {:?}", handle.status()).contains(ALICE));
    handle.shutdown().await;
}
