//! Plays a recording of connections.

use std::collections::{HashMap, VecDeque};
use std::net::SocketAddr;

use async_trait::async_trait;
use serde_json::Value;
use tokio::net::TcpStream;

use super::adapt::{Names, decoded};
use super::calls::{Call, Started, alike_so_far};
use super::conn::{Answer, Conn, Got, Place, exchange};
use super::{Instead, Intended, Line, Tally};

/// Where a recording is played.
#[async_trait]
pub trait Scene: Send {
    /// Where the gateway listens, or listened.
    fn addr(&self) -> SocketAddr;

    /// A token of an administrator.
    fn admin(&self) -> &str;

    /// Something that was done outside.
    async fn note(&mut self, note: &str);

    /// Wallets and provers that were there, but not in the recording, hear of each step.
    async fn before(&mut self, _: &Line) {}
}

/// A replay under way.
pub struct Player<'a> {
    pub scene: &'a mut dyn Scene,
    pub names: Names,
    pub tally: Tally,
    conns: HashMap<u64, Conn>,
    /// HTTP requests that wait for the line of their answer.
    answers: HashMap<u64, VecDeque<Answer>>,
    /// Upgrades that were refused.
    refused: HashMap<u64, String>,
    started: Vec<Started>,
    /// The number of the last caller's call.
    call: u64,
    intended: &'a [Intended],
}

impl<'a> Player<'a> {
    pub fn new(scene: &'a mut dyn Scene, intended: &'a [Intended]) -> Self {
        Self {
            scene,
            names: Names::default(),
            tally: Tally::default(),
            conns: HashMap::new(),
            answers: HashMap::new(),
            refused: HashMap::new(),
            started: Vec::new(),
            call: 0,
            intended,
        }
    }

    /// Plays all lines, and returns the counts.
    pub async fn play(mut self, lines: &[Line]) -> Tally {
        for (at, line) in lines.iter().enumerate() {
            self.scene.before(line).await;
            let instead =
                self.intended.iter().find(|known| known.lines.contains(&line.n)).map(|known| known.instead);
            match (line.kind.as_str(), line.from_server) {
                ("note", _) => self.note(line, instead).await,
                ("refused", _) => self.refused(line).await,
                (_, false) if instead == Some(Instead::Nothing) => self.tally.intended(line.n),
                ("http", false) => self.request(line).await,
                ("http", true) => self.response(line, instead),
                // Each request over HTTP has a connection of its own, which was read to its end.
                ("eof", from_server) if !self.conns.contains_key(&line.conn) => {
                    self.tally.alike += u32::from(from_server);
                }
                (_, false) => self.send(line).await,
                ("text", true) => self.text(line, instead, lines.get(at + 1..).unwrap_or_default()).await,
                (_, true) => self.control(line).await,
            }
        }
        self.leftovers();
        self.tally
    }

    fn conn(&mut self, line: &Line) -> Option<&mut Conn> {
        if !self.conns.contains_key(&line.conn) {
            self.tally.other(line.n, "the connection is not there");
        }
        self.conns.get_mut(&line.conn)
    }

    async fn refused(&mut self, line: &Line) {
        match TcpStream::connect(self.scene.addr()).await {
            Err(_) => self.tally.alike += 1,
            Ok(_) => self.tally.other(line.n, "somebody listens"),
        }
    }

    async fn request(&mut self, line: &Line) {
        if line.header("Upgrade").is_none() {
            let line = Line { body: self.names.mend(&line.body), ..line.clone() };
            let answer = exchange(self.scene.addr(), &line).await;
            return self.answers.entry(line.conn).or_default().push_back(answer);
        }
        match Conn::open(self.scene.addr(), line).await {
            Ok(conn) => drop(self.conns.insert(line.conn, conn)),
            Err(status) => drop(self.refused.insert(line.conn, status)),
        }
    }

    /// Compares status and body.
    fn response(&mut self, line: &Line, instead: Option<Instead>) {
        if let Some(answer) = self.answers.get_mut(&line.conn).and_then(VecDeque::pop_front) {
            let (status, body) = (answer.start.strip_prefix("HTTP/1.1 ").unwrap_or_default(), &answer.body);
            let want = format!("{}\n{}", line.start.strip_prefix("HTTP/1.1 ").unwrap_or_default(), line.body);
            return self.compare(line.n, &want, &format!("{status}\n{body}"), instead);
        }
        let got = match self.refused.remove(&line.conn) {
            Some(status) => status,
            None => "HTTP/1.1 101 Switching Protocols".to_owned(),
        };
        self.compare(line.n, &line.start, &got, instead);
    }

    async fn send(&mut self, line: &Line) {
        let body = self.names.mend(&line.body);
        let Some(conn) = self.conn(line) else { return };
        match line.kind.as_str() {
            "text" => conn.send(&body).await,
            "ping" => conn.ping().await,
            "pong" => conn.pong().await,
            "close" => conn.close().await,
            _ => conn.cut(),
        }
    }

    /// A frame of the server's.
    async fn text(&mut self, line: &Line, instead: Option<Instead>, later: &[Line]) {
        if instead == Some(Instead::Nothing) {
            return self.tally.intended(line.n);
        }
        self.start_call(line, later);
        let Some(conn) = self.conn(line) else { return };
        match conn.find_like(&line.body).await {
            Some(got) => self.compare(line.n, &line.body, &got, instead),
            None => {
                let early = format!("{:?}", conn.early);
                self.tally.other(line.n, format!("nothing came for {}; there is {early}", line.body));
            }
        }
    }

    fn compare(&mut self, n: u64, want: &str, got: &str, instead: Option<Instead>) {
        if let Some(Instead::Text(text)) = instead {
            let text = self.names.mend(text);
            return match text.trim_end() == got.trim_end() {
                true => self.tally.intended(n),
                false => self.tally.other(n, format!("\n  meant {text:?}\n  got   {got:?}")),
            };
        }
        let ours = want.replace(VERSION, &format!("\"Version\":\"{}\"", venus_gateway::rpc::VERSION));
        if ours != want {
            return match ours == got {
                true => self.tally.intended_because("Version says whose API it is, and what ours is"),
                false => self.tally.same(n, &ours, got),
            };
        }
        let (want, counts) = match want.split_once('\n') {
            // Status and body of HTTP.
            Some((status, body)) if !want.starts_with('{') && !body.is_empty() => {
                let live = got.split_once('\n').map_or("", |(_, body)| body);
                let (body, counts) = self.names.adapt(body, live);
                (format!("{status}\n{body}"), counts)
            }
            _ => self.names.adapt(want, got),
        };
        match counts && want == got {
            true => self.tally.intended_because("RequestCount counts what is under way, too"),
            false => self.tally.same(n, &want, got),
        }
    }

    /// If the hub asks a wallet for a caller, the caller has to call now.
    fn start_call(&mut self, line: &Line, later: &[Line]) {
        let Place::Event { method, .. } = Place::of(&line.body) else { return };
        let Some(asked) = payload(&line.body).filter(|_| method == "\"WalletSign\"") else { return };
        if asked["Meta"]["Type"] == "verifyaddress" {
            return;
        }
        let next = later.iter().find_map(|line| {
            let call = Call::of(line)?;
            (call.fits(&asked) && !self.started.iter().any(|(n, _)| *n == line.n)).then_some((line.n, call))
        });
        if let Some((n, call)) = next {
            let id = call.id().expect("signatures are short");
            let call = call.start(id, self.scene.addr(), self.scene.admin(), Some(&asked));
            self.started.push((n, call));
        }
    }

    async fn note(&mut self, line: &Line, instead: Option<Instead>) {
        let Some(call) = Call::of(line) else { return self.scene.note(&line.body).await };
        // Calls are numbered in the order of their notes, but for those that wait for a wallet.
        self.call = call.id().unwrap_or(self.call + 1);
        let running = match self.started.iter().position(|(n, _)| *n == line.n) {
            Some(at) => self.started.swap_remove(at).1,
            None => call.start(self.call, self.scene.addr(), self.scene.admin(), None),
        };
        let got = running.await.unwrap();
        if call.id().is_none() {
            if let Some(Instead::Text(text)) = instead
                && alike_so_far(text, &got)
            {
                return self.tally.intended(line.n);
            }
            return match alike_so_far(&call.answer, &got) {
                true => self.tally.alike += 1,
                false => self.tally.other(line.n, format!("\n  want {}…\n  got  {got}", call.answer)),
            };
        }
        self.compare(line.n, &call.answer, &got, instead);
    }

    async fn control(&mut self, line: &Line) {
        let wanted = match line.kind.as_str() {
            "ping" => Got::Ping,
            "pong" => Got::Pong,
            "close" => Got::Close(1000),
            _ => Got::Eof,
        };
        let Some(conn) = self.conn(line) else { return };
        match conn.find(|got| *got == wanted).await {
            Some(_) => self.tally.alike += 1,
            None => {
                let early = format!("{:?}", conn.early);
                self.tally.other(line.n, format!("no {}; there is {early}", line.kind));
            }
        }
    }

    /// What came and was not in the recording. Pings come when they come; a close frame that says goodbye is ours.
    fn leftovers(&mut self) {
        for (conn, end) in &self.conns {
            for got in &end.early {
                match got {
                    Got::Ping | Got::Pong | Got::Eof => {}
                    // The recorded client did not stay to hear it.
                    Got::Close(1000) if end.said_goodbye => {}
                    Got::Close(1000) => {
                        self.tally
                            .intended_because("a gateway that stops says goodbye; Go's ends the connection");
                    }
                    Got::Text(text) if matches!(Place::of(text), Place::End(_)) && end.was_stopped() => {
                        self.tally.intended_because("a gateway that stops closes its channels");
                    }
                    Got::Text(text) if is_challenge(text) => {
                        self.tally
                            .intended_because("all keys are challenged at once, Go's one after the other");
                    }
                    other => self.tally.other(0, format!("connection {conn}: too much: {other:?}")),
                }
            }
        }
    }
}

/// In the answers of Go's `Version`.
const VERSION: &str = r#""Version":"1.18.0""#;

/// The payload of an event.
fn payload(text: &str) -> Option<Value> {
    let frame: Value = serde_json::from_str(text).ok()?;
    serde_json::from_str(&decoded(frame["params"][1]["Payload"].as_str()?)?).ok()
}

fn is_challenge(text: &str) -> bool {
    payload(text).is_some_and(|payload| payload["Meta"]["Type"] == "verifyaddress")
}
