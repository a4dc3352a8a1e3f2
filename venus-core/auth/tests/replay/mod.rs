//! What the replays share: a recorded exchange, our answer to it, and the comparison.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::Request;
use serde::Deserialize;
use tower::ServiceExt;
use venus_auth::rest::{RestConfig, router};
use venus_auth::{AuthService, MemoryStore, Rules, SignerSharing, TokenStorage};
use venus_core::clock::ManualClock;
use venus_core::entropy::SeededEntropy;

#[derive(Deserialize)]
pub(crate) struct Line {
    pub(crate) n: usize,
    pub(crate) req: Message,
    pub(crate) res: Message,
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub(crate) struct Message {
    pub(crate) start: String,
    pub(crate) status: u16,
    pub(crate) headers: BTreeMap<String, String>,
    pub(crate) body: String,
    pub(crate) eof: bool,
}

pub(crate) fn lines(text: &str) -> Vec<Line> {
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// A service as sophon-auth is: whole tokens in lists and queries, signers shared by whoever has the key.
pub(crate) struct Replay {
    pub(crate) service: AuthService,
    router: Router,
    clock: ManualClock,
    /// What was recorded, and what ours has instead of it: tokens and ids.
    names: BTreeMap<String, String>,
}

impl Replay {
    pub(crate) fn new() -> Self {
        let clock = ManualClock::new(Duration::from_secs(1_795_248_000));
        let rules = Rules { sharing: SignerSharing::Allow, tokens: TokenStorage::Clear };
        let service = AuthService::with_entropy(
            Arc::new(MemoryStore::default()),
            Arc::new(clock.clone()),
            rules,
            Arc::new(SeededEntropy::new(7, "replay")),
        );
        let config = RestConfig { query_tokens: true, version: "1.16.0".into(), ..RestConfig::default() };
        let router = router(service.clone(), config);
        Self { service, router, clock, names: BTreeMap::new() }
    }

    pub(crate) fn name(&mut self, recorded: &str, ours: &str) {
        self.names.insert(recorded.to_owned(), ours.to_owned());
    }

    fn ours(&self, text: &str) -> String {
        self.names.iter().fold(text.to_owned(), |text, (recorded, ours)| text.replace(recorded, ours))
    }

    fn recorded(&self, text: &str) -> String {
        self.names.iter().fold(text.to_owned(), |text, (recorded, ours)| text.replace(ours, recorded))
    }

    /// Our answer, in the words of the recording where they are known.
    pub(crate) async fn ask(&mut self, line: &Line) -> Message {
        self.clock.advance(Duration::from_millis(1));
        let mut start = line.req.start.split(' ');
        let (method, path) = (start.next().unwrap(), self.ours(start.next().unwrap()));
        let mut request = Request::builder().method(method).uri(path);
        for (name, value) in &line.req.headers {
            if !name.eq_ignore_ascii_case("content-length") {
                request = request.header(name, self.ours(value));
            }
        }
        let request = request.body(Body::from(self.ours(&line.req.body))).unwrap();
        let response = self.router.clone().oneshot(request).await.unwrap();
        let status = response.status().as_u16();
        let headers = response
            .headers()
            .iter()
            .map(|(name, value)| (name.to_string(), value.to_str().unwrap().to_owned()))
            .collect();
        let body = to_bytes(response.into_body(), 1 << 20).await.unwrap();
        // The connection leaves the body of an answer to HEAD out; there is none here.
        let body = if method == "HEAD" { String::new() } else { String::from_utf8(body.to_vec()).unwrap() };
        if status == 200 {
            self.learn(&line.res.body, &body);
        }
        Message { status, headers, body: self.recorded(&body), ..Message::default() }
    }

    /// Answers that are the same but for tokens and ids tell which of ours is which of theirs.
    fn learn(&mut self, recorded: &str, ours: &str) {
        let ((shape, theirs), (our_shape, mine)) =
            (split(&times(recorded)), split(&times(&self.recorded(ours))));
        if shape == our_shape {
            for (theirs, mine) in theirs.into_iter().zip(mine) {
                if theirs != mine && !self.names.contains_key(&theirs) {
                    // A token of Go and ours differ only in what the secret makes of it.
                    assert_eq!(theirs.rsplit_once('.').map(|t| t.0), mine.rsplit_once('.').map(|t| t.0));
                    self.names.insert(theirs, mine);
                }
            }
        }
    }
}

/// A text without its tokens and ids, and these.
fn split(text: &str) -> (String, Vec<String>) {
    let (mut shape, mut found) = (String::new(), Vec::new());
    for word in text.split_inclusive('"') {
        let bare = word.trim_end_matches('"');
        if bare.starts_with("eyJ") || uuid::Uuid::parse_str(bare).is_ok() {
            shape.push_str("…\"");
            found.push(bare.to_owned());
        } else {
            shape.push_str(word);
        }
    }
    (shape, found)
}

/// A text without its times.
pub(crate) fn times(text: &str) -> String {
    let mut text = text.to_owned();
    for key in ["\"createTime\":", "\"updateTime\":", "\"CreatedAt\":", "\"UpdatedAt\":"] {
        let parts: Vec<&str> = text.split(key).collect();
        let rest = |part: &&str| part[part.find([',', '}']).unwrap()..].to_owned();
        let rest: Vec<String> = parts[1..].iter().map(rest).collect();
        text = std::iter::once(parts[0].to_owned()).chain(rest).collect::<Vec<_>>().join(key);
    }
    text
}

/// What is not as recorded; `None` if all is.
pub(crate) fn difference(recorded: &Message, ours: &Message) -> Option<String> {
    if recorded.eof {
        return Some(format!("no answer, ours {} {}", ours.status, ours.body));
    }
    if recorded.status != ours.status || times(&recorded.body) != times(&ours.body) {
        let (theirs, mine) = (times(&recorded.body), times(&ours.body));
        return Some(format!("{} {theirs}\n   ours {} {mine}", recorded.status, ours.status));
    }
    for (name, value) in &recorded.headers {
        if matches!(name.as_str(), "Date" | "Connection" | "Content-Length") {
            continue;
        }
        let mine = ours.headers.get(&name.to_ascii_lowercase());
        if mine != Some(value) {
            return Some(format!("{name}: {value}, ours {mine:?}"));
        }
    }
    None
}

/// A difference that is meant.
pub(crate) struct Intended {
    /// Of these lines.
    pub(crate) lines: &'static [usize],
    /// Our status.
    pub(crate) status: u16,
    /// What our body holds.
    pub(crate) body: &'static str,
    /// Why.
    pub(crate) why: &'static str,
}

/// Compares everything, prints the counts as the last line, and fails for what nobody meant, and for what is meant to
/// differ and does not.
pub(crate) async fn run(replay: &mut Replay, lines: &[Line], intended: &[Intended]) {
    let (mut alike, mut meant, mut other) = (0, 0, Vec::new());
    for line in lines {
        let ours = replay.ask(line).await;
        let found = difference(&line.res, &ours);
        let rule = intended.iter().find(|rule| rule.lines.contains(&line.n));
        match (found, rule) {
            (None, None) => alike += 1,
            (Some(_), Some(rule)) if ours.status == rule.status && ours.body.contains(rule.body) => {
                meant += 1
            }
            (None, Some(rule)) => other.push(format!("{}: alike, but meant to differ: {}", line.n, rule.why)),
            (Some(found), rule) => {
                let why = rule.map_or("", |rule| rule.why);
                other.push(format!("{} {}: {found} {why}", line.n, line.req.start));
            }
        }
    }
    println!("alike {alike}, intended {meant}, other {}", other.len());
    assert!(other.is_empty(), "{}", other.join("\n"));
    assert_eq!(alike + meant, lines.len());
}
