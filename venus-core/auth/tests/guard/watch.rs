//! Hearing of what ends.

use std::net::IpAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use tokio::sync::mpsc;
use tokio::time::{Instant, advance, sleep};
use uuid::Uuid;
use venus_auth::Effect;
use venus_auth::verifier::{Blacklist, CacheConfig, Cached};
use venus_auth::watch::{EffectSource, Liveness, OnEffect, Watch, WatchConfig, WatchError};
use venus_core::api::Authenticator;

use crate::support::{Counted, in_time};

type Said = Result<Vec<Effect>, WatchError>;

/// Says what it is told to, and else that nothing ended.
struct Scripted {
    said: mpsc::UnboundedReceiver<Said>,
    lapsed: Arc<Mutex<Vec<String>>>,
    bans: Arc<Mutex<Vec<IpAddr>>>,
}

#[async_trait]
impl EffectSource for Scripted {
    async fn next(&mut self) -> Said {
        match tokio::time::timeout(Duration::from_millis(200), self.said.recv()).await {
            Ok(Some(said)) => said,
            Ok(None) => Err(WatchError::Failed("gone".into())),
            Err(_) => Ok(Vec::new()),
        }
    }

    async fn lapsed(&self, tokens: &[String]) -> Result<Vec<String>, WatchError> {
        let lapsed = self.lapsed.lock().unwrap();
        Ok(tokens.iter().filter(|token| lapsed.contains(token)).cloned().collect())
    }

    async fn banned_ips(&self) -> Result<Vec<IpAddr>, WatchError> {
        Ok(self.bans.lock().unwrap().clone())
    }
}

/// Writes down what it is told.
#[derive(Clone, Default)]
struct Diary(Arc<Mutex<Vec<String>>>);

impl Diary {
    fn read(&self) -> Vec<String> {
        std::mem::take(&mut self.0.lock().unwrap())
    }
}

impl OnEffect for Diary {
    fn ended(&self, effect: &Effect) {
        let text = match effect {
            Effect::Token { hash, .. } => format!("token {hash}"),
            Effect::Account(name) => format!("account {name}"),
            other => format!("{other:?}"),
        };
        self.0.lock().unwrap().push(text);
    }

    fn tokens(&self) -> Vec<String> {
        vec!["b".into(), "a".into(), "a".into(), String::new()]
    }

    fn lost(&self) {
        self.0.lock().unwrap().push("lost".into());
    }
}

struct World {
    say: mpsc::UnboundedSender<Said>,
    lapsed: Arc<Mutex<Vec<String>>>,
    bans: Arc<Mutex<Vec<IpAddr>>>,
    diary: Diary,
    blacklist: Blacklist,
    liveness: Liveness,
}

fn world(config: WatchConfig) -> World {
    let (say, said) = mpsc::unbounded_channel();
    let lapsed = Arc::<Mutex<Vec<String>>>::default();
    let bans = Arc::<Mutex<Vec<IpAddr>>>::default();
    let (diary, blacklist, liveness) = (Diary::default(), Blacklist::default(), Liveness::default());
    let source = Scripted { said, lapsed: lapsed.clone(), bans: bans.clone() };
    let watch = Watch::new(source, liveness.clone(), config).tell(diary.clone()).tell(blacklist.clone());
    tokio::spawn(watch.run());
    World { say, lapsed, bans, diary, blacklist, liveness }
}

fn failed() -> Said {
    Err(WatchError::Failed("away".into()))
}

#[tokio::test(start_paused = true)]
async fn effects_are_told_in_order() {
    let world = world(WatchConfig::default());
    let account = |name: &str| Effect::Account(name.into());
    world.say.send(Ok(vec![account("a"), account("b")])).unwrap();
    world.say.send(Ok(vec![account("c")])).unwrap();
    sleep(Duration::from_millis(10)).await;
    assert_eq!(world.diary.read(), ["account a", "account b", "account c"]);
}

#[tokio::test(start_paused = true)]
async fn after_a_gap_what_is_open_is_checked() {
    let world = world(WatchConfig::default());
    world.lapsed.lock().unwrap().extend(["a".into(), "c".into()]);
    world.say.send(Ok(vec![Effect::Reset])).unwrap();
    sleep(Duration::from_millis(10)).await;
    assert_eq!(world.diary.read(), ["Reset", "token a"], "once, and only what somebody holds");
}

#[tokio::test(start_paused = true)]
async fn an_outage_is_borne_for_a_while_and_then_everything_ends() {
    let world = world(WatchConfig::default());
    sleep(Duration::from_millis(500)).await;
    assert!(world.liveness.is_alive());
    let lost = Instant::now();
    let away = tokio::spawn({
        let say = world.say.clone();
        async move {
            while say.send(failed()).is_ok() {
                sleep(Duration::from_millis(10)).await;
            }
        }
    });
    sleep(Duration::from_millis(1000)).await;
    assert!(!world.liveness.is_alive(), "not believed after a second");
    in_time(async {
        while !world.diary.0.lock().unwrap().contains(&"lost".to_owned()) {
            sleep(Duration::from_millis(10)).await;
        }
    })
    .await;
    let (after, patience) = (lost.elapsed(), WatchConfig::default().patience.unwrap());
    assert!((patience..patience + Duration::from_secs(2)).contains(&after), "{after:?}");
    away.abort();
    world.diary.read();
    sleep(Duration::from_secs(30)).await;
    assert!(world.diary.read().is_empty(), "told once");
}

#[tokio::test(start_paused = true)]
async fn who_is_patient_for_ever_closes_nothing() {
    let world = world(WatchConfig { patience: None });
    for _ in 0..100 {
        world.say.send(failed()).unwrap();
    }
    sleep(Duration::from_secs(120)).await;
    assert!(world.diary.read().is_empty());
    assert!(world.liveness.is_alive(), "it is back");
}

/// sophon-auth has no such stream. Its callers would lose their sockets every ten seconds.
#[tokio::test(start_paused = true)]
async fn a_service_that_does_not_tell_closes_nothing() {
    let world = world(WatchConfig::default());
    for _ in 0..10 {
        world.say.send(Err(WatchError::Unsupported("404".into()))).unwrap();
    }
    sleep(Duration::from_secs(100)).await;
    assert!(world.diary.read().is_empty() && !world.liveness.is_alive());
}

#[tokio::test(start_paused = true)]
async fn machines_are_kept_out_at_once_and_let_in_when_the_ban_is_lifted() {
    let world = world(WatchConfig::default());
    let ip: IpAddr = "192.0.2.7".parse().unwrap();
    world.say.send(Ok(vec![Effect::Ip(ip)])).unwrap();
    world.bans.lock().unwrap().push(ip);
    sleep(Duration::from_millis(10)).await;
    assert!(world.blacklist.has(ip) && world.blacklist.has("::ffff:192.0.2.7".parse().unwrap()));
    world.bans.lock().unwrap().clear();
    sleep(Duration::from_secs(31)).await;
    assert!(!world.blacklist.has(ip));
}

/// While the watch tells what ends, answers hold for half a minute; as soon as it does not, for a second.
#[tokio::test(start_paused = true)]
async fn the_verifier_trusts_as_long_as_the_watch_is_heard() {
    let inner = Counted::new();
    let (say, said) = mpsc::unbounded_channel();
    let liveness = Liveness::default();
    let verifier = Cached::new(inner.clone(), liveness.clone(), CacheConfig::default());
    let source = Scripted { said, lapsed: Arc::default(), bans: Arc::default() };
    let watching =
        tokio::spawn(Watch::new(source, liveness, WatchConfig::default()).tell(verifier.clone()).run());
    let token = inner.accounts.issue(None, venus_core::api::Permissions::READ, None).unwrap();
    sleep(Duration::from_secs(1)).await;
    for wait in [0, 29] {
        sleep(Duration::from_secs(wait)).await;
        verifier.authenticate(&token).await.unwrap();
    }
    assert_eq!(inner.asked(), 1);
    let hash = venus_auth::jwt::fingerprint(&token);
    say.send(Ok(vec![Effect::Token { id: Uuid::nil(), hash }])).unwrap();
    sleep(Duration::from_millis(10)).await;
    verifier.authenticate(&token).await.unwrap();
    assert_eq!(inner.asked(), 1, "told");
    sleep(Duration::from_secs(5)).await;
    watching.abort();
    advance(Duration::from_secs(1)).await;
    verifier.authenticate(&token).await.unwrap();
    assert_eq!(inner.asked(), 1, "lost: what is older than a second counts no more");
}
