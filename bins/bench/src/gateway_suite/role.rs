//! What a child process is told to be.

use std::io::{BufRead, Write, stdin, stdout};
use std::thread;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use tokio::runtime::Runtime;
use tokio::sync::oneshot;

use super::{auth, crowd, hub, keys, process};
use crate::measure::{BenchError, Names};

/// What is said where a child has no measure to blame.
pub(super) const CHILD: Names = Names { measure: "gateway", baseline: "" };

/// The first line of a child's standard input.
#[derive(Debug, Serialize, Deserialize)]
pub(super) enum Role {
    Hub(hub::Config),
    Auth(auth::Config),
    Crowd(crowd::Config),
    Keys(keys::Config),
}

/// Runs until standard input closes: a child never outlives its parent.
///
/// # Errors
/// What its role could not do.
pub(crate) fn child() -> Result<(), BenchError> {
    let mut line = String::new();
    stdin().lock().read_line(&mut line)?;
    let role = serde_json::from_str(&line)?;
    process::open_files();
    let (end, ended) = oneshot::channel::<()>();
    thread::spawn(move || {
        let rest = stdin().lock().lines().count();
        drop((end, rest));
    });
    let runtime = Runtime::new()?;
    runtime.block_on(async {
        // What is kept here ends when the parent does.
        let _kept: Box<dyn Send> = match role {
            Role::Hub(config) => Box::new(hub::run(config).await?),
            Role::Auth(config) => Box::new(auth::run(config).await?),
            Role::Crowd(config) => Box::new(crowd::run(config).await?),
            Role::Keys(config) => Box::new(keys::run(config).await?),
        };
        let _ = ended.await;
        Ok::<_, BenchError>(())
    })?;
    runtime.shutdown_background();
    Ok(())
}

/// Tells the parent that everything is ready.
pub(super) fn ready(value: &impl Serialize) -> Result<(), BenchError> {
    let mut out = stdout().lock();
    writeln!(out, "{}", serde_json::to_string(value)?)?;
    Ok(out.flush()?)
}

/// What [`ready`] said.
pub(super) fn heard<T: DeserializeOwned>(line: &str) -> Result<T, BenchError> {
    Ok(serde_json::from_str(line)?)
}
