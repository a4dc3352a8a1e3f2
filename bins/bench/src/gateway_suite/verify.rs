//! `POST /verify` of the accounts over HTTP connections that stay open, against a route that does nothing.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use futures::future::try_join_all;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::Scale;
use super::auth::{self, Accounts, PLAIN, Store};
use super::child::Child;
use super::load::Slice;
use super::role::Role;
use crate::measure::{BenchError, Measure, Names, measure_of};
use crate::report::Target;

const BASELINE: &str = "a route of the same server that reads the body and answers as much";
const MEMORY: Names = Names { measure: "auth_verify_32", baseline: BASELINE };
const SQLITE: Names = Names { measure: "auth_verify_32_sqlite", baseline: BASELINE };
const FLAT: Names = Names { measure: "auth_verify_rss", baseline: "after a tenth of them" };
const FLAT_SQLITE: Names = Names { measure: "auth_verify_rss_sqlite", baseline: "after a tenth of them" };
const CONNECTIONS: usize = 32;
/// Verifications over which memory is watched.
const VERIFIES: usize = 200_000;

pub(super) const MEMORY_NAMES: &[&str] = &[MEMORY.measure, FLAT.measure];
pub(super) const SQLITE_NAMES: &[&str] = &[SQLITE.measure, FLAT_SQLITE.measure];

pub(super) async fn memory(scale: &Scale) -> Result<Vec<Measure>, BenchError> {
    one(MEMORY, FLAT, Store::Memory, scale).await
}

pub(super) async fn sqlite(scale: &Scale) -> Result<Vec<Measure>, BenchError> {
    one(SQLITE, FLAT_SQLITE, Store::Sqlite, scale).await
}

async fn one(names: Names, flat: Names, store: Store, scale: &Scale) -> Result<Vec<Measure>, BenchError> {
    let config = auth::Config { store, wallets: 1 };
    let (service, accounts): (_, Accounts) = Child::start(names, &Role::Auth(config)).await?;
    let (mut ours, mut theirs) =
        (Lines::open(names, &accounts, "/verify").await?, { Lines::open(names, &accounts, PLAIN).await? });
    let (mut rounds, mut all, mut cpu) = (Vec::new(), Slice::default(), Duration::ZERO);
    for _ in 0..scale.rounds {
        let before = service.cpu()?;
        let seen = ours.run(Until::Time(scale.slice)).await?;
        cpu += service.cpu()? - before;
        rounds.push((seen.each(), theirs.run(Until::Time(scale.slice)).await?.each()));
        all.add(seen);
    }
    let verifies = scale.crowd(VERIFIES);
    ours.run(Until::Count(verifies / 10)).await?;
    let warm = service.rss()?;
    ours.run(Until::Count(verifies * 9 / 10)).await?;
    let after = service.rss()?;
    service.end().await?;
    let measure = measure_of(names, &rounds)
        .with("per_second", all.per_second())
        .with("p50_us", all.percentile(0.5))
        .with("p99_us", all.percentile(0.99))
        .with("cpu_us", cpu.as_secs_f64() * 1e6 / all.latencies.len() as f64)
        .target(Target::AtLeast("per_second", 25e3));
    let memory = measure_of(flat, &[(after, warm)]).unit("MB").with("verifies", verifies as f64);
    Ok(vec![measure, memory.target(Target::AtLeast("ratio", 0.95))])
}

#[derive(Clone, Copy, Debug)]
enum Until {
    Time(Duration),
    Count(usize),
}

/// Connections, each of which asks one thing after the other.
struct Lines {
    names: Names,
    lines: Vec<Line>,
}

struct Line {
    socket: TcpStream,
    request: Vec<u8>,
    buffer: Vec<u8>,
}

impl Lines {
    async fn open(names: Names, accounts: &Accounts, path: &str) -> Result<Self, BenchError> {
        let address = accounts.address.ok_or_else(|| names.input("no address of the accounts"))?;
        let opened = (0..CONNECTIONS).map(|_| Line::open(address, accounts, path));
        let mut lines = Self { names, lines: try_join_all(opened).await? };
        for line in &mut lines.lines {
            line.ask(names).await?;
        }
        Ok(lines)
    }

    async fn run(&mut self, until: Until) -> Result<Slice, BenchError> {
        let (names, start) = (self.names, Instant::now());
        let each = match until {
            Until::Time(_) => usize::MAX,
            Until::Count(count) => count.div_ceil(CONNECTIONS),
        };
        let end = match until {
            Until::Time(slice) => Some(start + slice),
            Until::Count(_) => None,
        };
        let tasks = self.lines.drain(..).map(|line| tokio::spawn(line.repeat(names, each, end)));
        let done = try_join_all(tasks).await.map_err(|error| names.input(error))?;
        let time = start.elapsed();
        let mut latencies = Vec::new();
        for line in done {
            let (line, seen) = line?;
            self.lines.push(line);
            latencies.extend(seen);
        }
        Ok(Slice { time, latencies })
    }
}

impl Line {
    async fn open(address: SocketAddr, accounts: &Accounts, path: &str) -> Result<Self, BenchError> {
        let socket = TcpStream::connect(address).await?;
        socket.set_nodelay(true)?;
        let admin = &accounts.admin;
        // The token of a wallet, which is another than the one that asks, as components ask it.
        let body = format!("{{\"token\":\"{}\"}}", accounts.wallets.first().unwrap_or(admin));
        let request = format!(
            "POST {path} HTTP/1.1\r\nHost: {address}\r\nAuthorization: Bearer {admin}\r\n\
             Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        );
        Ok(Self { socket, request: request.into_bytes(), buffer: vec![0; 4096] })
    }

    async fn repeat(
        mut self,
        names: Names,
        times: usize,
        end: Option<Instant>,
    ) -> Result<(Self, Vec<u64>), BenchError> {
        let mut latencies = Vec::with_capacity(times.min(1024));
        for _ in 0..times {
            let begin = Instant::now();
            self.ask(names).await?;
            let now = Instant::now();
            latencies.push(u64::try_from((now - begin).as_nanos()).unwrap_or(u64::MAX));
            if end.is_some_and(|end| now >= end) {
                break;
            }
        }
        Ok((self, latencies))
    }

    /// One request and its answer, which has to be 200.
    async fn ask(&mut self, names: Names) -> Result<(), BenchError> {
        self.socket.write_all(&self.request).await?;
        let mut filled = 0;
        loop {
            let free = self.buffer.get_mut(filled..).unwrap_or_default();
            let read = self.socket.read(free).await?;
            filled += read;
            let answer = self.buffer.get(..filled).unwrap_or_default();
            if read == 0 {
                return Err(names.input("the service closed a connection"));
            }
            if whole(answer) {
                break;
            }
        }
        let answer = self.buffer.get(..filled).unwrap_or_default();
        if answer.starts_with(b"HTTP/1.1 200 ") {
            return Ok(());
        }
        Err(names.input(String::from_utf8_lossy(answer)))
    }
}

/// Whether an answer is all there.
fn whole(answer: &[u8]) -> bool {
    let Some(head) = answer.windows(4).position(|window| window == b"\r\n\r\n") else { return false };
    let text = answer.get(..head).and_then(|head| std::str::from_utf8(head).ok()).unwrap_or_default();
    let length = text.split("\r\n").find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse::<usize>().ok())?
    });
    length.is_some_and(|length| answer.len() >= head + 4 + length)
}
