//! Callers, so many at a time.

use std::sync::Arc;
use std::time::{Duration, Instant};

use futures::future::try_join_all;
use venus_core::rpc::api_info::Token;
use venus_core::rpc::client::{ClientConfig, RpcClient};

use crate::measure::{BenchError, Names};

/// Opens a socket with a token.
pub(super) async fn connect(names: Names, url: &str, token: &str) -> Result<RpcClient, BenchError> {
    let token = Token::new(token).map_err(|error| names.input(error))?;
    let config = ClientConfig::default().with_token(&token);
    RpcClient::connect(url, config).await.map_err(|error| names.input(error))
}

/// A socket, and what is called on it: one after the other of `calls`.
#[derive(Clone)]
pub(super) struct Caller {
    pub(super) names: Names,
    pub(super) client: RpcClient,
    pub(super) method: &'static str,
    pub(super) calls: Arc<[String]>,
}

/// What was called in a slice of time.
#[derive(Debug, Default)]
pub(super) struct Slice {
    pub(super) time: Duration,
    /// Of each call, nanoseconds.
    pub(super) latencies: Vec<u64>,
}

impl Slice {
    /// Time for each call, nanoseconds.
    pub(super) fn each(&self) -> f64 {
        self.time.as_nanos() as f64 / self.latencies.len() as f64
    }

    pub(super) fn add(&mut self, other: Self) {
        self.time += other.time;
        self.latencies.extend(other.latencies);
    }

    /// Calls of a second.
    pub(super) fn per_second(&self) -> f64 {
        1e9 / self.each()
    }

    /// The latency below which a part of all calls stays, microseconds.
    pub(super) fn percentile(&mut self, part: f64) -> f64 {
        self.latencies.sort_unstable();
        let at = (self.latencies.len() as f64 * part) as usize;
        let nanoseconds = self.latencies.get(at.min(self.latencies.len().saturating_sub(1)));
        nanoseconds.map_or(f64::NAN, |nanoseconds| *nanoseconds as f64 / 1e3)
    }
}

impl Caller {
    /// Calls once.
    pub(super) async fn call(&self, n: usize) -> Result<String, BenchError> {
        let params = self.calls.get(n % self.calls.len()).map(String::as_str);
        let answer = self.client.call_raw(self.method, params).await;
        answer.map(|json| json.get().to_owned()).map_err(|error| self.names.input(error))
    }

    /// Calls for about `slice`, with `in_flight` calls at a time.
    pub(super) async fn run(&self, in_flight: usize, slice: Duration) -> Result<Slice, BenchError> {
        let start = Instant::now();
        let callers = (0..in_flight).map(|number| tokio::spawn(self.clone().repeat(number, start + slice)));
        let all = try_join_all(callers).await.map_err(|error| self.names.input(error))?;
        let time = start.elapsed();
        let latencies = all.into_iter().collect::<Result<Vec<_>, _>>()?.concat();
        Ok(Slice { time, latencies })
    }

    async fn repeat(self, mut number: usize, until: Instant) -> Result<Vec<u64>, BenchError> {
        let mut latencies = Vec::with_capacity(1024);
        loop {
            let begin = Instant::now();
            let params = self.calls.get(number % self.calls.len()).map(String::as_str);
            let answer = self.client.call_raw(self.method, params).await;
            answer.map_err(|error| self.names.input(error))?;
            let now = Instant::now();
            latencies.push(u64::try_from((now - begin).as_nanos()).unwrap_or(u64::MAX));
            number = number.wrapping_add(1);
            if now >= until {
                return Ok(latencies);
            }
        }
    }
}
