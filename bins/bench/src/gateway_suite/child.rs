//! A child process, from its parent's side.

use std::process::Stdio;
use std::time::Duration;

use serde::de::DeserializeOwned;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::process::{ChildStdin, Command};
use tokio::time::timeout;

use super::process;
use super::role::{Role, heard};
use crate::measure::{BenchError, Names};

/// Time for a child to become ready: ten thousand registrations take a while, more so in debug builds.
const START: Duration = Duration::from_secs(180);

/// A running child. It ends when this is dropped.
pub(super) struct Child {
    names: Names,
    pid: u32,
    process: tokio::process::Child,
    _input: ChildStdin,
}

impl Child {
    /// Starts this program again in a role, and waits for what it says when it is ready.
    pub(super) async fn start<T: DeserializeOwned>(
        names: Names,
        role: &Role,
    ) -> Result<(Self, T), BenchError> {
        let mut command = Command::new(std::env::current_exe()?);
        command.arg("child").stdin(Stdio::piped()).stdout(Stdio::piped()).kill_on_drop(true);
        let mut process = command.spawn()?;
        let missing = || names.input("a child process without pipes or number");
        let mut input = process.stdin.take().ok_or_else(missing)?;
        let output = process.stdout.take().ok_or_else(missing)?;
        let pid = process.id().ok_or_else(missing)?;
        input.write_all(format!("{}\n", serde_json::to_string(role)?).as_bytes()).await?;
        let mut lines = BufReader::new(output).lines();
        let line = timeout(START, lines.next_line()).await;
        let line = line.map_err(|_| names.input(format!("a child was not ready within {START:?}")))??;
        let line = line.ok_or_else(|| names.input("a child ended before it was ready"))?;
        Ok((Self { names, pid, process, _input: input }, heard(&line)?))
    }

    /// The processor time that it took so far.
    pub(super) fn cpu(&self) -> Result<Duration, BenchError> {
        process::cpu(self.names, self.pid)
    }

    /// The memory that it holds, MB.
    pub(super) fn rss(&self) -> Result<f64, BenchError> {
        process::rss(self.names, self.pid)
    }

    /// Ends it, and returns when it is gone.
    pub(super) async fn end(mut self) -> Result<(), BenchError> {
        Ok(self.process.kill().await?)
    }
}
