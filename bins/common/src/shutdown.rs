//! Ending a program: politely at the first signal, at once at the second.
//!
//! Signals are watched on a thread of their own, so that the second one works even when every thread of the
//! program's runtime is stuck.

use std::{io, sync::mpsc, thread};

use tokio::runtime;
use tokio_util::sync::CancellationToken;

/// Exit code of a process that a second signal ended: 128 + SIGINT, as shells report it.
pub const INTERRUPTED: i32 = 130;

/// Cancels the returned token on the first Ctrl-C or SIGTERM and ends the process with [`INTERRUPTED`] on the second.
///
/// Call once, early; works inside and outside a tokio runtime. From then on the process no longer dies of these
/// signals by itself, so whoever holds the token must end the program when it is cancelled.
///
/// # Errors
/// The operating system refused the thread or the signal handlers.
pub fn install() -> io::Result<CancellationToken> {
    let token = CancellationToken::new();
    let watched = token.clone();
    let (ready, started) = mpsc::channel();
    thread::Builder::new().name("signals".into()).spawn(move || {
        let runtime = match runtime::Builder::new_current_thread().enable_io().build() {
            Ok(runtime) => runtime,
            Err(error) => return drop(ready.send(Err(error))),
        };
        runtime.block_on(async move {
            match Signals::new() {
                Ok(mut signals) => {
                    drop(ready.send(Ok(())));
                    watch(async || signals.next().await, &watched, |code| std::process::exit(code)).await;
                }
                Err(error) => drop(ready.send(Err(error))),
            }
        });
    })?;
    started.recv().map_err(io::Error::other)??;
    Ok(token)
}

/// Apart from [`install`] so that tests can give signals and survive the end.
async fn watch(mut next: impl AsyncFnMut(), token: &CancellationToken, exit: impl FnOnce(i32)) {
    next().await;
    token.cancel();
    next().await;
    exit(INTERRUPTED);
}

/// The same number on all systems that we run on.
#[cfg(unix)]
const SIGXFSZ: i32 = 25;

#[cfg(unix)]
struct Signals {
    interrupt: tokio::signal::unix::Signal,
    terminate: tokio::signal::unix::Signal,
}

#[cfg(unix)]
impl Signals {
    fn new() -> io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        // A file that may not grow further (`ulimit -f`) is an error of that write, not the end of the program.
        drop(signal(SignalKind::from_raw(SIGXFSZ))?);
        Ok(Self { interrupt: signal(SignalKind::interrupt())?, terminate: signal(SignalKind::terminate())? })
    }

    async fn next(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }
}

#[cfg(windows)]
struct Signals(tokio::signal::windows::CtrlC);

#[cfg(windows)]
impl Signals {
    fn new() -> io::Result<Self> {
        Ok(Self(tokio::signal::windows::ctrl_c()?))
    }

    async fn next(&mut self) {
        let _ = self.0.recv().await;
    }
}

#[cfg(test)]
mod tests {
    use tokio::sync::mpsc;

    use super::*;

    #[tokio::test]
    async fn first_signal_cancels_second_exits() {
        let (send, mut signals) = mpsc::channel::<()>(2);
        let token = CancellationToken::new();
        let code = std::cell::Cell::new(None);
        let watched = watch(async || signals.recv().await.unwrap(), &token, |ended| code.set(Some(ended)));
        let sent = async {
            assert!(!token.is_cancelled());
            send.send(()).await.unwrap();
            token.cancelled().await;
            assert_eq!(code.get(), None);
            send.send(()).await.unwrap();
        };
        tokio::join!(watched, sent);
        assert_eq!(code.get(), Some(INTERRUPTED));
    }
}
