//! Signing through gateways.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use venus_core::api::{ISigner, MessageRequest, SignerError, SignerExt};
use venus_core::error::{Classify, ErrorKind};
use venus_core::rpc::RpcError;
use venus_core::testing::doubles::TestSigner;
use venus_core::testing::suites::{self, SignerFixture};
use venus_core::types::{Address, MsgMeta, MsgType, TokenAmount};
use venus_gateway::client::{EndpointError, GatewayConfig, GatewaySigner};

use super::script::{Gateway, Sign, TOKEN, soon};

fn keys() -> (Arc<TestSigner>, Address) {
    let signer = Arc::new(TestSigner::new(7));
    let address = signer.new_secp();
    signer.new_bls();
    (signer, address)
}

fn through(gateways: &[&Gateway]) -> GatewaySigner {
    let mut builder = GatewaySigner::builder().deadline(Duration::from_secs(20));
    for gateway in gateways {
        builder = builder.gateway(gateway.api());
    }
    builder.build().unwrap()
}

async fn signs(signer: &GatewaySigner, address: &Address) -> Result<(), SignerError> {
    let message = MessageRequest::transfer(*address, *address, TokenAmount::from_atto(1)).message;
    soon("signing", signer.sign_message(&message)).await.map(|_| ())
}

/// Until both gateways can be asked: what is not yet connected is not asked.
async fn all_connected(signer: &GatewaySigner) {
    let connected = async {
        while signer.gateways().state().iter().any(|gateway| !gateway.connected) {
            tokio::task::yield_now().await;
        }
    };
    soon("connecting", connected).await;
}

#[tokio::test]
async fn it_is_a_signer() {
    let (keys, _) = keys();
    let (one, two) = (Gateway::wallets(&keys).await, Gateway::wallets(&keys).await);
    let owned = keys.list().await.unwrap();
    suites::signer(&through(&[&one, &two]), &SignerFixture::new(owned)).await;
}

#[tokio::test]
async fn signing_goes_on_when_a_gateway_dies() {
    let (keys, address) = keys();
    let (one, two) = (Gateway::wallets(&keys).await, Gateway::wallets(&keys).await);
    let signer = through(&[&one, &two]);
    all_connected(&signer).await;
    for _ in 0..3 {
        signs(&signer, &address).await.unwrap();
    }
    assert_eq!(two.script.signed.load(Ordering::SeqCst), 0, "one gateway is enough");
    one.told().sign.push_back(Sign::Die);
    signs(&signer, &address).await.unwrap();
    signs(&signer, &address).await.unwrap();
    assert_eq!(two.script.signed.load(Ordering::SeqCst), 2);
    two.kill();
    one.revive();
    signs(&signer, &address).await.unwrap();
    assert_eq!(one.script.signed.load(Ordering::SeqCst), 4, "and back");
}

#[tokio::test]
async fn what_is_known_is_not_asked_again() {
    let (keys, address) = keys();
    let gateway = Gateway::wallets(&keys).await;
    let signer = through(&[&gateway]);
    for _ in 0..5 {
        signs(&signer, &address).await.unwrap();
        assert!(signer.has(&address).await.unwrap());
    }
    assert_eq!(gateway.script.looked.load(Ordering::SeqCst), 1);
    // The key moved: the failure is believed at once.
    gateway.told().keys.clear();
    assert!(matches!(signs(&signer, &address).await, Err(SignerError::KeyNotFound(key)) if key == address));
    assert_eq!(gateway.script.looked.load(Ordering::SeqCst), 2);
    assert!(!signer.has(&address).await.unwrap());
}

#[tokio::test]
async fn a_gateway_that_hangs_is_followed_by_the_next() {
    let (keys, address) = keys();
    let (one, two) = (Gateway::wallets(&keys).await, Gateway::wallets(&keys).await);
    let signer = GatewaySigner::builder()
        .gateway(one.api())
        .gateway(two.api())
        .deadline(Duration::from_secs(20))
        .attempt_deadline(Duration::from_millis(50))
        .build()
        .unwrap();
    all_connected(&signer).await;
    assert!(signer.has(&address).await.unwrap());
    one.told().sign.push_back(Sign::Hang);
    signs(&signer, &address).await.unwrap();
    assert_eq!(two.script.signed.load(Ordering::SeqCst), 1);
    let cancelled = async {
        while one.script.hanging.load(Ordering::SeqCst) > 0 {
            tokio::task::yield_now().await;
        }
    };
    soon("the call is cancelled at the gateway", cancelled).await;
}

#[tokio::test]
async fn a_wrong_signature_is_not_handed_on() {
    let (keys, address) = keys();
    let (one, two) = (Gateway::wallets(&keys).await, Gateway::wallets(&keys).await);
    let both = through(&[&one, &two]);
    all_connected(&both).await;
    assert!(both.has(&address).await.unwrap());
    one.told().sign.push_back(Sign::Wrong);
    signs(&both, &address).await.unwrap();
    let alone = through(&[&two]);
    two.told().sign.extend([Sign::Wrong, Sign::Wrong]);
    assert_eq!(signs(&alone, &address).await.unwrap_err().kind(), ErrorKind::Corrupt);
}

#[tokio::test]
async fn who_denies_has_decided() {
    let (keys, address) = keys();
    let (one, two) = (Gateway::wallets(&keys).await, Gateway::wallets(&keys).await);
    let signer = through(&[&one, &two]);
    all_connected(&signer).await;
    for (text, kind) in [
        ("denied by policy: no rule allows it", ErrorKind::Denied),
        ("get sign bytes: parseObj failed:sign data not match, actual [1], expected [2]", ErrorKind::Invalid),
        ("get sign bytes: unsupported msgtype:f3", ErrorKind::Unsupported),
    ] {
        for gateway in [&one, &two] {
            gateway.told().sign.push_back(Sign::Error(RpcError::new(1, text)));
        }
        assert_eq!(signs(&signer, &address).await.unwrap_err().kind(), kind);
        let left = [&one, &two].map(|gateway| gateway.told().sign.drain(..).count());
        assert_eq!(left.iter().sum::<usize>(), 1, "{text}: one was asked");
    }
    // A locked wallet may have a twin elsewhere, and a gateway that refuses us is not the wallet.
    for text in
        ["wallet locked", "missing permission to invoke 'WalletSign'  (need 'admin')", "channel closed"]
    {
        for gateway in [&one, &two] {
            gateway.told().sign.clear();
        }
        let first = if one.script.signed.load(Ordering::SeqCst) >= two.script.signed.load(Ordering::SeqCst) {
            &one
        } else {
            &two
        };
        first.told().sign.push_back(Sign::Error(RpcError::new(1, text)));
        signs(&signer, &address).await.unwrap();
    }
}

#[tokio::test]
async fn a_gateway_may_start_after_its_callers() {
    let (keys, address) = keys();
    let gateway = Gateway::wallets(&keys).await;
    gateway.kill();
    let signer = through(&[&gateway]);
    let signing = signs(&signer, &address);
    tokio::pin!(signing);
    assert!(futures::poll!(&mut signing).is_pending());
    gateway.revive();
    signing.await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn nobody_waits_without_end() {
    let nowhere = format!("{TOKEN}:/ip4/127.0.0.1/tcp/1");
    let signer = GatewaySigner::builder().gateway(nowhere).build().unwrap();
    let address = Address::new_secp256k1(&[9; 65]).unwrap();
    let message = MessageRequest::transfer(address, address, TokenAmount::from_atto(1)).message;
    let error = signer.sign_message(&message).await.unwrap_err();
    assert!(error.kind().is_retryable(), "{error:?}");
    assert!(signer.has(&address).await.is_err(), "what nobody says is not no");
    assert!(signer.list().await.is_err());
    signer.gateways().shutdown().await;
    assert!(signer.list().await.is_err());
}

#[tokio::test]
async fn gateways_of_go_are_told_the_accounts() {
    let (keys, address) = keys();
    let gateway = Gateway::wallets(&keys).await;
    let signer = |accounts: &[&str]| {
        let config = GatewayConfig::new(gateway.api()).accounts(accounts.iter().copied());
        GatewaySigner::builder().gateway(config).build().unwrap()
    };
    let bob = signer(&["bob"]);
    assert!(soon("has", bob.has(&address)).await.unwrap());
    assert!(soon("has", signer(&[]).has(&address)).await.unwrap());
    assert_eq!(gateway.told().accounts, [vec!["bob".to_owned()], vec![]]);
    assert_eq!(bob.list().await.unwrap().len(), 2);
    assert!(soon("list", signer(&["carol"]).list()).await.unwrap().is_empty(), "nobody serves carol");
}

#[tokio::test]
async fn a_token_that_is_refused_is_told() {
    let (keys, address) = keys();
    let gateway = Gateway::wallets(&keys).await;
    let api = format!("other.token.here:/ip4/127.0.0.1/tcp/{}", gateway.at.port());
    let signer = GatewaySigner::builder().gateway(api).deadline(Duration::from_millis(200)).build().unwrap();
    let error = signs(&signer, &address).await.unwrap_err().to_string();
    assert!(error.contains("401") && !error.contains("other.token"), "{error}");
    let state = format!("{:?}", signer.gateways());
    assert!(state.contains("401") && !state.contains("other.token"), "{state}");
}

#[tokio::test]
async fn configurations_that_cannot_work_are_refused() {
    let build = |apis: &[&str]| {
        let builder = apis.iter().fold(GatewaySigner::builder(), |builder, api| builder.gateway(*api));
        builder.build().map(|_| ()).unwrap_err()
    };
    assert!(matches!(build(&[]), EndpointError::None));
    assert!(matches!(build(&["ws://127.0.0.1:1", "/ip4/127.0.0.1/tcp/1"]), EndpointError::Twice(_)));
    assert!(matches!(build(&["ws://127.0.0.1:1", "?"]), EndpointError::Api { number: 2, .. }));
}

#[tokio::test]
async fn many_sign_at_once() {
    let (keys, address) = keys();
    let (one, two) = (Gateway::wallets(&keys).await, Gateway::wallets(&keys).await);
    let signer = through(&[&one, &two]);
    all_connected(&signer).await;
    let meta = MsgMeta::of(MsgType::Unknown);
    let _ = signer.sign(&address, b"x", &meta).await;
    let signing = (0..64).map(|_| signs(&signer, &address));
    for signed in futures::future::join_all(signing).await {
        signed.unwrap();
    }
    let counts = [&one, &two].map(|gateway| gateway.script.signed.load(Ordering::SeqCst));
    assert!(counts.iter().all(|count| *count > 8), "{counts:?}: the work is shared");
    assert!(signer.gateways().state().iter().all(|gateway| gateway.in_flight == 0));
}
