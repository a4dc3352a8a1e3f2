#![allow(
    missing_docs,
    unreachable_pub,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic
)]
//! Signers behind real sockets, well and badly behaved.

mod routed;
mod served;

use std::sync::atomic::Ordering;
use std::time::Duration;

use secrecy::SecretString;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use venus_core::api::{ISigner, MessageRequest, SignerError, SignerExt};
use venus_core::entropy::SeededEntropy;
use venus_core::error::{Classify, ErrorKind};
use venus_core::rpc::client::BackOff;
use venus_core::rpc::{ApiInfo, Dialect};
use venus_core::testing::suites::{self, SignerFixture};
use venus_core::types::{Address, Message, MessageExt, MsgMeta, MsgType, TokenAmount};
use venus_signer::remote::{LotusNodeSigner, RemoteOptions, RemoteSigner, RemoteWallet};
use venus_signer::{KeyInfo, KeyType, LocalWallet};

use served::{Fault, Port, Served, TOKEN};

async fn wallet() -> (LocalWallet, Vec<Address>) {
    let wallet = LocalWallet::in_memory();
    let entropy = SeededEntropy::new(11, "remote");
    let mut owned = Vec::new();
    for key_type in [KeyType::Bls, KeyType::Secp256k1] {
        owned.push(wallet.generate(key_type, &entropy).await.unwrap());
    }
    (wallet, owned)
}

fn quick() -> RemoteOptions {
    let millis = Duration::from_millis;
    let back_off = BackOff { min: millis(5), max: millis(50), factor: 1.5 };
    let mut options = RemoteOptions { attempts: 5, back_off, ..RemoteOptions::default() };
    options.client.back_off = back_off;
    options
}

fn message(from: Address) -> Message {
    let mut message = MessageRequest::transfer(from, Address::new_id(99), TokenAmount::from_atto(5)).message;
    message.gas_limit = 1_000_000;
    message
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wallet_behind_a_socket_passes_the_suite_in_both_dialects() {
    for (dialect, scheme) in [
        (Dialect::Fork, "/http"),
        (Dialect::Fork, ""),
        (Dialect::Upstream, "/http"),
        (Dialect::Upstream, "/ws"),
    ] {
        let (wallet, owned) = wallet().await;
        let port = Port::wallet(Served::new(&wallet, Fault::None), dialect, None).await;
        let signer = RemoteSigner::new(&port.info(TOKEN, scheme), dialect, quick()).unwrap();
        suites::signer(&signer, &SignerFixture::new(owned)).await;
        signer.shutdown().await;
        port.server.shutdown().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_wallet_of_a_node_passes_the_suite() {
    for scheme in ["/http", ""] {
        let (wallet, owned) = wallet().await;
        let port = Port::node(Served::new(&wallet, Fault::None)).await;
        let signer = LotusNodeSigner::new(&port.info(TOKEN, scheme), quick()).unwrap();
        suites::signer(&signer, &SignerFixture::new(owned)).await;
        signer.shutdown().await;
        port.server.shutdown().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_never_sees_bytes_that_were_not_recomputed() {
    let (wallet, owned) = wallet().await;
    let served = Served::new(&wallet, Fault::None);
    let asked = served.asked.clone();
    let port = Port::node(served).await;
    let signer = LotusNodeSigner::new(&port.info(TOKEN, "/http"), quick()).unwrap();
    let meta = MsgMeta::chain_message(&message(owned[0]));
    let other = Message { sequence: 7, ..message(owned[0]) }.cid().to_bytes();
    let refused = signer.sign(&owned[0], &other, &meta).await.unwrap_err();
    assert!(matches!(refused, SignerError::Mismatch(MsgType::ChainMessage)), "{refused}");
    let digest = signer.sign(&owned[0], &[7; 32], &MsgMeta::of(MsgType::DrawRandomParam)).await.unwrap_err();
    assert_eq!(digest.kind(), ErrorKind::Invalid);
    assert_eq!(asked.load(Ordering::SeqCst), 0);
    let stranger = wallet.generate(KeyType::Bls, &SeededEntropy::new(99, "x")).await.unwrap();
    wallet.remove(&stranger).await.unwrap();
    let unknown = signer.sign_message(&message(stranger)).await.unwrap_err();
    assert!(matches!(unknown, SignerError::KeyNotFound(a) if a == stranger), "{unknown}");
    assert!(!signer.has(&stranger).await.unwrap());
}

#[tokio::test(flavor = "multi_thread")]
async fn wrong_signatures_do_not_pass() {
    let (wallet, owned) = wallet().await;
    for fault in [Fault::OtherBytes, Fault::OtherKey] {
        let port = Port::wallet(Served::new(&wallet, fault), Dialect::Fork, None).await;
        let signer = RemoteSigner::new(&port.info(TOKEN, "/http"), Dialect::Fork, quick()).unwrap();
        for address in &owned {
            let error = signer.sign_message(&message(*address)).await.unwrap_err();
            assert!(matches!(error, SignerError::BadSignature(_)), "{fault:?}: {error}");
            assert_eq!(error.kind(), ErrorKind::Corrupt);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn go_s_texts_are_understood_and_refusals_are_not_repeated() {
    let (wallet, owned) = wallet().await;
    let cases = [
        ("wallet locked", ErrorKind::Denied, 1),
        ("missing permission to invoke 'WalletSign'  (need 'sign')", ErrorKind::Denied, 1),
        ("record not found", ErrorKind::NotFound, 1),
        ("get sign bytes: parseObj failed:unmarshaling t.To: EOF", ErrorKind::Invalid, 1),
    ];
    for (text, kind, calls) in cases {
        let served = Served::new(&wallet, Fault::Says(text));
        let asked = served.asked.clone();
        let port = Port::wallet(served, Dialect::Fork, None).await;
        let signer = RemoteSigner::new(&port.info(TOKEN, "/http"), Dialect::Fork, quick()).unwrap();
        let error = signer.sign_message(&message(owned[0])).await.unwrap_err();
        assert_eq!((error.kind(), asked.load(Ordering::SeqCst)), (kind, calls), "{text}: {error}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn tokens_decide() {
    let (wallet, owned) = wallet().await;
    let port = Port::wallet(Served::new(&wallet, Fault::None), Dialect::Fork, None).await;
    for scheme in ["/http", ""] {
        let signer = |token| RemoteSigner::new(&port.info(token, scheme), Dialect::Fork, quick()).unwrap();
        let wrong = signer("a.bad.token");
        for error in [
            wrong.has(&owned[0]).await.unwrap_err(),
            wrong.list().await.unwrap_err(),
            wrong.sign_message(&message(owned[0])).await.unwrap_err(),
        ] {
            assert!(matches!(&error, SignerError::Denied(reason) if reason.contains("401")), "{error}");
        }
        let weak = signer("read.only.token");
        assert!(weak.has(&owned[0]).await.unwrap());
        let error = weak.sign_message(&message(owned[0])).await.unwrap_err();
        assert!(matches!(&error, SignerError::Denied(reason) if reason.contains("permission")), "{error}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slow_wallet_times_out_and_is_asked_again() {
    let (wallet, owned) = wallet().await;
    for scheme in ["/http", ""] {
        for (calls, attempts) in [(u32::MAX, 2), (1, 500)] {
            let served = Served::new(&wallet, Fault::Silent(calls));
            let asked = served.asked.clone();
            let port = Port::wallet(served, Dialect::Fork, None).await;
            let options = RemoteOptions { attempt_deadline: Duration::from_millis(100), attempts, ..quick() };
            let signer = RemoteSigner::new(&port.info(TOKEN, scheme), Dialect::Fork, options).unwrap();
            let result = signer.sign_message(&message(owned[0])).await;
            if calls == 1 {
                result.unwrap();
                assert!(asked.load(Ordering::SeqCst) >= 2, "signing is idempotent and repeated");
            } else {
                assert!(matches!(result, Err(SignerError::Timeout)), "{result:?}");
            }
            signer.shutdown().await;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wallet_may_start_later_and_restart_in_the_middle() {
    let (wallet, owned) = wallet().await;
    for scheme in ["/http", ""] {
        // A port that nobody listens at, until later.
        let addr = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
        let info: ApiInfo = format!("{TOKEN}:/ip4/127.0.0.1/tcp/{}{scheme}", addr.port()).parse().unwrap();
        let signer = RemoteSigner::new(&info, Dialect::Fork, quick()).unwrap();
        let error = signer.has(&owned[0]).await.unwrap_err();
        assert!(matches!(error, SignerError::Transport(_)), "{error}");
        for _ in 0..3 {
            let served = Served::new(&wallet, Fault::None);
            let port = Port::wallet(served, Dialect::Fork, Some(addr)).await;
            signer.sign_message(&message(owned[0])).await.unwrap();
            assert_eq!(signer.list().await.unwrap().len(), owned.len());
            port.server.shutdown().await;
        }
        signer.shutdown().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn garbage_is_an_error() {
    let bodies = [
        "",
        "{",
        "no JSON",
        r#"{"jsonrpc":"2.0","id":1,"result":{"Type":9,"Data":"AA=="}}"#,
        r#"{"jsonrpc":"2.0","id":1,"result":"text"}"#,
        r#"{"jsonrpc":"2.0","id":1,"result":{"Type":2,"Data":"!!"}}"#,
        r#"{"jsonrpc":"2.0","id":1,"result":{"Type":2,"Data":null}}"#,
        r#"{"jsonrpc":"2.0","id":1}"#,
        r#"{"jsonrpc":"2.0","id":1,"error":{"code":1,"message":""}}"#,
    ];
    let (_, owned) = wallet().await;
    for body in bodies {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let answering = tokio::spawn(async move {
            loop {
                let (mut socket, _) = listener.accept().await.unwrap();
                let mut request = [0; 4096];
                let _ = socket.read(&mut request).await;
                let head =
                    format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\nconnection: close\r\n\r\n", body.len());
                let _ = socket.write_all([head.as_bytes(), body.as_bytes()].concat().as_slice()).await;
            }
        });
        let info: ApiInfo = format!("http://127.0.0.1:{port}").parse().unwrap();
        let signer = RemoteSigner::new(&info, Dialect::Upstream, quick()).unwrap();
        let error = signer.sign_message(&message(owned[0])).await.unwrap_err();
        let kind = error.kind();
        assert!(matches!(kind, ErrorKind::Corrupt | ErrorKind::Transient), "{body}: {error}");
        answering.abort();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wallet_is_managed_from_afar() {
    let (local, owned) = wallet().await;
    for dialect in [Dialect::Fork, Dialect::Upstream] {
        let port = Port::wallet(Served::new(&local, Fault::GoTexts), dialect, None).await;
        let wallet =
            RemoteWallet::new(RemoteSigner::new(&port.info(TOKEN, "/http"), dialect, quick()).unwrap());
        let made = wallet.new_key(KeyType::Secp256k1).await.unwrap();
        assert!(wallet.signer().has(&made).await.unwrap());
        let key = wallet.export_key(&made, None).await.unwrap();
        assert_eq!(key.address().unwrap(), made);
        wallet.delete_key(&made).await.unwrap();
        assert!(!wallet.signer().has(&made).await.unwrap());
        assert_eq!(wallet.import_key(&key).await.unwrap(), made);
        wallet.delete_key(&made).await.unwrap();
        assert!(!wallet.is_locked().await.unwrap());
        wallet.unlock(&SecretString::from("right")).await.unwrap();
        let wrong = wallet.unlock(&SecretString::from("wrong-password")).await.unwrap_err();
        assert!(!format!("{wrong} {wrong:?}").contains("wrong-password"));
        assert_eq!(wallet.signer().list().await.unwrap().len(), owned.len());
        let unknown =
            KeyInfo::generate(KeyType::Bls, &SeededEntropy::new(3, "y")).unwrap().address().unwrap();
        assert!(wallet.export_key(&unknown, None).await.is_err());
    }
}
