//! An external program that decides.
//!
//! The program gets a request as JSON on its standard input and allows it by ending with 0. What Go's wallet tells it
//! comes first, with the same names and indentation, so that existing scripts work; members that it lacks follow.
//!
//! | member | |
//! |---|---|
//! | `SignType` | the message type: `message`, `block`, `unknown`, … |
//! | `Data` | the payload; base64 of the bytes if they are raw |
//! | `Signer` | the key's address |
//! | `ToSign` | base64 of the bytes that the signature would be made over |
//! | `Account`, `Accounts` | the first account, and all accounts, on whose behalf a gateway asks |
//! | `Perms` | the caller's rights |
//! | `Origin` | `embedded`, `rpc`, `gateway:<hub>`, `offline` |
//! | `Subject` | the subject of the caller's token |

use std::io::ErrorKind;
use std::process::{ExitStatus, Stdio};
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use data_encoding::BASE64;
use rustix::process::{Pid, Signal, kill_process_group};
use serde::Serialize;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::unix::pipe::Receiver;
use tokio::process::{Child, ChildStdin, Command};
use tokio::sync::Semaphore;
use venus_core::types::{MsgType, Network, address};

use crate::check::{Check, Refusal};
use crate::payload::Payload;
use crate::policy::{origin_label, permission_names};
use crate::request::Review;

/// How much of a program's output goes into an error.
const MAX_OUTPUT: usize = 64 << 10;
/// How long what a program left behind may keep its output open.
const LEFTOVERS: Duration = Duration::from_millis(200);

/// A [`Check`] that asks a shell command, as Go's `[SignFilter] Expr`.
///
/// Every request but `verifyaddress` starts one process, whose group is killed when the time is over or when nobody
/// waits for the answer any more. At most as many as said run at once; other requests wait, within their time.
#[derive(Clone, Debug)]
pub struct ExprFilter {
    expr: String,
    timeout: Duration,
    slots: Arc<Semaphore>,
    hidden: Vec<String>,
}

impl ExprFilter {
    /// How long a program may take, unless told otherwise.
    pub const TIMEOUT: Duration = Duration::from_secs(10);
    /// How many may run at once, unless told otherwise.
    pub const CONCURRENCY: usize = 16;

    /// A filter that runs `sh -c expr`. An empty one allows everything.
    pub fn new(expr: impl Into<String>) -> Self {
        let slots = Arc::new(Semaphore::new(Self::CONCURRENCY));
        Self { expr: expr.into(), timeout: Self::TIMEOUT, slots, hidden: Vec::new() }
    }

    /// How long a request may take, waiting included.
    #[must_use]
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// A variable of the environment that programs do not inherit: one with a secret.
    #[must_use]
    pub fn hide(mut self, variable: impl Into<String>) -> Self {
        self.hidden.push(variable.into());
        self
    }

    /// How many programs may run at once, at least one.
    #[must_use]
    pub fn concurrency(mut self, slots: usize) -> Self {
        self.slots = Arc::new(Semaphore::new(slots.clamp(1, 1024)));
        self
    }

    async fn ask(&self, input: &[u8]) -> Result<(), Refusal> {
        // A semaphore that is never closed always gives.
        let _slot = self.slots.acquire().await.map_err(|error| Refusal::Failed(error.into()))?;
        let mut program = Program::start(&self.expr, &self.hidden)
            .map_err(|error| Refusal::Denied(format!("filter cmd run error {error}")))?;
        let (status, output) = program
            .run(input)
            .await
            .map_err(|error| Refusal::Denied(format!("filter cmd run error {error}")))?;
        if status.success() {
            return Ok(());
        }
        let output = String::from_utf8_lossy(&output);
        Err(Refusal::Denied(format!("run customer sign check fail ({output})")))
    }
}

#[async_trait]
impl Check for ExprFilter {
    fn name(&self) -> &'static str {
        "filter"
    }

    async fn check(&self, review: &Review<'_>) -> Result<(), Refusal> {
        // Go asks its filter about everything but the proof of owning a key.
        if self.expr.is_empty() || review.payload.msg_type() == MsgType::VerifyAddress {
            return Ok(());
        }
        let input = input(review).map_err(|error| Refusal::Failed(error.into()))?;
        match tokio::time::timeout(self.timeout, self.ask(&input)).await {
            Ok(answer) => answer,
            Err(_) => Err(Refusal::Denied(format!(
                "filter cmd run error: no answer within {} s, it was ended",
                self.timeout.as_secs_f32()
            ))),
        }
    }
}

/// What the program reads.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Input<'a> {
    sign_type: &'a str,
    data: &'a Payload,
    signer: String,
    to_sign: String,
    account: &'a str,
    accounts: &'a [String],
    perms: Vec<&'a str>,
    origin: String,
    subject: &'a str,
}

fn input(review: &Review<'_>) -> Result<Vec<u8>, serde_json::Error> {
    let caller = review.request.caller;
    serde_json::to_vec_pretty(&Input {
        sign_type: review.payload.msg_type().as_str(),
        data: review.payload,
        signer: address::format(&review.request.signer, Network::Mainnet),
        to_sign: BASE64.encode(&review.payload.signing_bytes()),
        account: caller.accounts.first().map_or("", String::as_str),
        accounts: &caller.accounts,
        perms: permission_names(caller.permissions),
        origin: origin_label(&caller.origin),
        subject: &caller.subject,
    })
}

/// A running program, which does not outlive this value.
struct Program {
    child: Child,
    group: Option<Pid>,
    output: Receiver,
}

impl Program {
    fn start(expr: &str, hidden: &[String]) -> std::io::Result<Self> {
        // One pipe for both, so that the program's words keep their order.
        let (reader, output) = std::io::pipe()?;
        let reader = Receiver::from_owned_fd(reader.into())?;
        let mut command = Command::new("sh");
        hidden.iter().for_each(|variable| {
            command.env_remove(variable);
        });
        let child = command
            .args(["-c", expr])
            .stdin(Stdio::piped())
            .stdout(output.try_clone()?)
            .stderr(output)
            .process_group(0)
            .kill_on_drop(true)
            .spawn()?;
        let group = child.id().and_then(|id| i32::try_from(id).ok()).and_then(Pid::from_raw);
        Ok(Self { child, group, output: reader })
    }

    /// Feeds it, and waits for its end.
    async fn run(&mut self, input: &[u8]) -> std::io::Result<(ExitStatus, Vec<u8>)> {
        let stdin = self.child.stdin.take();
        let mut kept = Vec::new();
        let mut open = false;
        let status = {
            let streams = async { tokio::join!(feed(stdin, input), head(&mut self.output, &mut kept)) };
            tokio::pin!(streams);
            let status = tokio::select! {
                _ = &mut streams => None,
                status = self.child.wait() => Some(status?),
            };
            match status {
                Some(status) => {
                    open = tokio::time::timeout(LEFTOVERS, streams).await.is_err();
                    status
                }
                None => self.child.wait().await?,
            }
        };
        // What the program left in the background holds the pipe. Otherwise the group is gone, and its number may be
        // another's soon.
        let group = self.group.take();
        if open {
            kill(group);
        }
        Ok((status, kept))
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // The child itself is reaped by the runtime (`kill_on_drop`); those that it started by init.
        kill(self.group.take());
    }
}

fn kill(group: Option<Pid>) {
    if let Some(group) = group {
        // It may be gone already.
        let _ = kill_process_group(group, Signal::KILL);
    }
}

/// A program need not read what it is told.
async fn feed(stdin: Option<ChildStdin>, input: &[u8]) {
    let Some(mut stdin) = stdin else { return };
    match stdin.write_all(input).await {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => {
            tracing::debug!(%error, "the filter did not take its input");
        }
        _ => drop(stdin),
    }
}

/// Reads to the end, and keeps the beginning.
async fn head(stream: &mut Receiver, kept: &mut Vec<u8>) {
    let mut buffer = vec![0; 8192];
    while let Ok(read @ 1..) = stream.read(&mut buffer).await {
        let room = MAX_OUTPUT.saturating_sub(kept.len()).min(read);
        kept.extend_from_slice(buffer.get(..room).unwrap_or_default());
    }
}
