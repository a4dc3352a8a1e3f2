//! Several signers as one.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use proptest::prelude::*;
use tokio::time::{Instant, sleep};
use venus_core::api::{ISigner, SignerError, SignerExt};
use venus_core::entropy::SeededEntropy;
use venus_core::error::{Classify, ErrorKind};
use venus_core::testing::suites::{self, SignerFixture};
use venus_core::types::{Address, MsgMeta, Signature};
use venus_signer::remote::{RoutedSigner, RoutingOptions};
use venus_signer::{KeyType, LocalWallet};

use super::message;

/// How a scripted signer answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Answer {
    Signs,
    Denies,
    Locked,
    Unreachable,
    Store,
    TimesOut,
    Hangs,
    NoKey,
    Mismatch,
}

impl Answer {
    fn error(self, address: &Address) -> SignerError {
        match self {
            Self::Denies => SignerError::Denied("by the rules".into()),
            Self::Locked => SignerError::Locked,
            Self::Unreachable => SignerError::Transport("down".into()),
            Self::Store => SignerError::Store("busy".into()),
            Self::NoKey => SignerError::KeyNotFound(*address),
            Self::Mismatch => SignerError::Mismatch(Default::default()),
            _ => SignerError::Timeout,
        }
    }

    fn is_refusal(self) -> bool {
        matches!(self, Self::Denies | Self::Locked | Self::Mismatch)
    }
}

struct Scripted {
    wallet: LocalWallet,
    has: Mutex<Answer>,
    sign: Mutex<Answer>,
    asked: AtomicU32,
    looked: AtomicU32,
}

impl Scripted {
    fn new(wallet: &LocalWallet, has: Answer, sign: Answer) -> Arc<Self> {
        let (has, sign) = (Mutex::new(has), Mutex::new(sign));
        Arc::new(Self {
            wallet: wallet.clone(),
            has,
            sign,
            asked: AtomicU32::new(0),
            looked: AtomicU32::new(0),
        })
    }

    fn asked(&self) -> u32 {
        self.asked.load(Ordering::SeqCst)
    }
}

#[async_trait::async_trait]
impl ISigner for Scripted {
    async fn has(&self, address: &Address) -> Result<bool, SignerError> {
        self.looked.fetch_add(1, Ordering::SeqCst);
        let answer = *self.has.lock().unwrap();
        match answer {
            Answer::Signs => Ok(true),
            Answer::NoKey => Ok(false),
            Answer::Hangs => std::future::pending().await,
            other => Err(other.error(address)),
        }
    }

    async fn list(&self) -> Result<Vec<Address>, SignerError> {
        let answer = *self.has.lock().unwrap();
        match answer {
            Answer::Signs | Answer::NoKey => self.wallet.list().await,
            Answer::Hangs => std::future::pending().await,
            other => Err(other.error(&Address::new_id(0))),
        }
    }

    async fn sign(&self, address: &Address, bytes: &[u8], meta: &MsgMeta) -> Result<Signature, SignerError> {
        self.asked.fetch_add(1, Ordering::SeqCst);
        let answer = *self.sign.lock().unwrap();
        match answer {
            Answer::Signs => self.wallet.sign(address, bytes, meta).await,
            Answer::Hangs => std::future::pending().await,
            other => Err(other.error(address)),
        }
    }
}

fn routed(signers: &[Arc<Scripted>]) -> RoutedSigner {
    RoutedSigner::new(signers.iter().map(|signer| signer.clone() as Arc<dyn ISigner>).collect())
}

async fn one_key() -> (LocalWallet, Address) {
    let wallet = LocalWallet::in_memory();
    let address = wallet.generate(KeyType::Secp256k1, &SeededEntropy::new(12, "routed")).await.unwrap();
    (wallet, address)
}

#[tokio::test]
async fn several_wallets_pass_the_suite_as_one() {
    let (entropy, mut owned) = (SeededEntropy::new(13, "suite"), Vec::new());
    let wallets = [LocalWallet::in_memory(), LocalWallet::in_memory(), LocalWallet::in_memory()];
    for (wallet, key_type) in wallets.iter().zip([KeyType::Bls, KeyType::Secp256k1, KeyType::Bls]) {
        owned.push(wallet.generate(key_type, &entropy).await.unwrap());
    }
    // One key stands twice.
    wallets[0].import(wallets[2].export(&owned[2]).await.unwrap()).await.unwrap();
    let signers = wallets.iter().map(|wallet| Arc::new(wallet.clone()) as Arc<dyn ISigner>);
    let routed = RoutedSigner::new(signers.collect());
    suites::signer(&routed, &SignerFixture::new(owned.clone())).await;
    let mut list = routed.list().await.unwrap();
    assert_eq!(list.len(), 3);
    list.sort();
    owned.sort();
    assert_eq!(list, owned);
}

#[tokio::test(start_paused = true)]
async fn what_may_pass_moves_on_and_refusals_do_not() {
    let (wallet, address) = one_key().await;
    use Answer::*;
    for first in [Unreachable, Store, TimesOut, Hangs, NoKey] {
        let signers = [Scripted::new(&wallet, Signs, first), Scripted::new(&wallet, Signs, Signs)];
        routed(&signers).sign_message(&message(address)).await.unwrap();
        assert_eq!((signers[0].asked(), signers[1].asked()), (1, 1), "{first:?}");
    }
    for first in [Denies, Locked, Mismatch] {
        let signers = [Scripted::new(&wallet, Signs, first), Scripted::new(&wallet, Signs, Signs)];
        let error = routed(&signers).sign_message(&message(address)).await.unwrap_err();
        assert!(matches!(error.kind(), ErrorKind::Denied | ErrorKind::Invalid), "{error}");
        assert_eq!(signers[1].asked(), 0, "{first:?}");
    }
    let all = [Scripted::new(&wallet, Signs, Unreachable), Scripted::new(&wallet, Signs, TimesOut)];
    let error = routed(&all).sign_message(&message(address)).await.unwrap_err();
    assert!(error.kind().is_retryable());
}

#[tokio::test(start_paused = true)]
async fn one_slow_signer_delays_nobody() {
    let (wallet, address) = one_key().await;
    let signers = [
        Scripted::new(&wallet, Answer::Hangs, Answer::Hangs),
        Scripted::new(&wallet, Answer::Signs, Answer::Signs),
    ];
    let (routed, start) = (routed(&signers), Instant::now());
    assert!(routed.has(&address).await.unwrap());
    assert_eq!(start.elapsed(), Duration::ZERO);
    routed.sign_message(&message(address)).await.unwrap();
    assert_eq!(start.elapsed(), RoutingOptions::default().grace);
    assert_eq!(routed.list().await.unwrap(), [address]);
    // What nobody said yes to is not known while one is silent.
    *signers[1].has.lock().unwrap() = Answer::NoKey;
    assert!(matches!(routed.has(&address).await, Err(SignerError::Timeout)));
}

#[tokio::test(start_paused = true)]
async fn routes_are_remembered_for_a_while() {
    let (wallet, address) = one_key().await;
    let signers = [
        Scripted::new(&wallet, Answer::NoKey, Answer::Signs),
        Scripted::new(&wallet, Answer::Signs, Answer::Signs),
    ];
    let looked = || signers[0].looked.load(Ordering::SeqCst);
    let routed = routed(&signers);
    for _ in 0..5 {
        routed.sign_message(&message(address)).await.unwrap();
    }
    assert_eq!((looked(), signers[1].asked()), (1, 5));
    // The key moves: the old owner says so, and the new one is found.
    *signers[0].has.lock().unwrap() = Answer::Signs;
    *signers[1].has.lock().unwrap() = Answer::NoKey;
    *signers[1].sign.lock().unwrap() = Answer::NoKey;
    routed.sign_message(&message(address)).await.unwrap();
    assert_eq!((looked(), signers[0].asked()), (2, 1));
    sleep(RoutingOptions::default().remember).await;
    routed.sign_message(&message(address)).await.unwrap();
    assert_eq!(looked(), 3);
}

#[tokio::test]
async fn nothing_remembered_grows_without_bound_and_strangers_are_not() {
    let (wallet, _) = one_key().await;
    let signer = Scripted::new(&wallet, Answer::Signs, Answer::NoKey);
    let options = RoutingOptions { addresses: 8, ..RoutingOptions::default() };
    let routed = RoutedSigner::with_options(vec![signer.clone()], options);
    for id in 0..100 {
        let error = routed.sign(&Address::new_actor(&[id]), &[], &MsgMeta::default()).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::NotFound);
    }
    assert!(RoutedSigner::new(Vec::new()).list().await.unwrap().is_empty());
    assert!(!RoutedSigner::new(Vec::new()).has(&Address::new_id(1)).await.unwrap());
}

fn answers() -> impl Strategy<Value = Answer> {
    use Answer::*;
    prop::sample::select(vec![Signs, Denies, Locked, Unreachable, Store, TimesOut, NoKey, Mismatch])
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// A signature comes only from a signer before which nobody refused, and never from one that denied.
    #[test]
    fn no_signature_gets_around_a_denial(script in prop::collection::vec((any::<bool>(), answers()), 1..5)) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        runtime.block_on(async {
            let (wallet, address) = one_key().await;
            let signers: Vec<_> = script
                .iter()
                .map(|(has, sign)| {
                    let has = if *has { Answer::Signs } else { Answer::NoKey };
                    Scripted::new(&wallet, has, *sign)
                })
                .collect();
            let routed = routed(&signers);
            let owners = || script.iter().enumerate().filter(|(_, (has, _))| *has);
            let decides = owners().find(|(_, (_, sign))| *sign == Answer::Signs || sign.is_refusal());
            for _ in 0..2 {
                let result = routed.sign_message(&message(address)).await;
                let signs = decides.is_some_and(|(_, (_, sign))| *sign == Answer::Signs);
                assert_eq!(result.is_ok(), signs, "{script:?}: {result:?}");
            }
            if let Some((at, _)) = decides {
                assert!(signers[at + 1..].iter().all(|later| later.asked() == 0), "{script:?}");
            }
        });
    }
}
