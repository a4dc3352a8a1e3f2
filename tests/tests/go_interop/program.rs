//! Building and running the Go programs.

use std::{
    env,
    path::{Path, PathBuf},
    process::{Command as Blocking, Output, Stdio},
    sync::OnceLock,
    time::Duration,
};

use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader, Lines},
    process::{Child, ChildStdin, ChildStdout, Command},
    time::timeout,
};
use venus_core::rpc::Dialect;
use venus_tests::workspace::root;

use crate::{LIBRARIES, Library, name};

/// The longest that any examination may take on a busy machine.
const PATIENCE: Duration = Duration::from_secs(90);

/// Where the programs are; nothing if there is no Go to build them and that is allowed.
pub fn programs() -> Option<&'static Path> {
    static BUILT: OnceLock<Option<PathBuf>> = OnceLock::new();
    BUILT.get_or_init(build_all).as_deref()
}

fn build_all() -> Option<PathBuf> {
    let sources = root().join("tests/interop");
    // Modules that cannot be had are like a Go that cannot be had; sources that do not compile are our fault.
    let ready = LIBRARIES
        .map(|library| go(&sources, &["mod", "download", &format!("-modfile={}", library.modules())]))
        .into_iter()
        .collect::<Result<Vec<()>, String>>();
    if let Err(reason) = ready {
        assert!(env::var_os("VENUS_REQUIRE_GO").is_none_or(|value| value != "1"), "Go is required: {reason}");
        println!("skipped, no Go programs to talk to: {reason}");
        return None;
    }
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("interop");
    for library in LIBRARIES {
        let program = folder.join(library.program());
        let modules = format!("-modfile={}", library.modules());
        let tags = if library.dialect() == Dialect::Fork { "fork" } else { "" };
        let built = go(&sources, &["build", &modules, "-tags", tags, "-o", program.to_str().unwrap(), "."]);
        built.unwrap_or_else(|reason| panic!("{reason}"));
    }
    Some(folder)
}

fn go(folder: &Path, args: &[&str]) -> Result<(), String> {
    let output = Blocking::new("go").args(args).current_dir(folder).env("CGO_ENABLED", "0").output();
    let Output { status, stderr, .. } = output.map_err(|error| format!("go: {error}"))?;
    let said = String::from_utf8_lossy(&stderr);
    if status.success() { Ok(()) } else { Err(format!("go {}: {said}", args.join(" "))) }
}

/// A Go program that runs. It dies with this value.
pub struct Program {
    child: Child,
    stdin: Option<ChildStdin>,
    lines: Lines<BufReader<ChildStdout>>,
}

impl Program {
    fn start(library: Library, args: &[&str]) -> Self {
        let mut command = Command::new(programs().unwrap().join(library.program()));
        let command = command.args(args).kill_on_drop(true).env("GOLOG_LOG_LEVEL", "fatal");
        let mut child =
            command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let stdin = child.stdin.take();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        Self { child, stdin, lines }
    }

    /// A client that examines the server at `url`.
    pub fn client(library: Library, examination: &str, url: &str, server: Dialect) -> Self {
        Self::start(library, &["client", examination, url, name(server)])
    }

    /// A server at `address`, and where it is.
    pub async fn server(library: Library, address: &str) -> (Self, String) {
        let mut program = Self::start(library, &["server", address]);
        let address = program.line().await;
        (program, address)
    }

    /// Its next line on standard output.
    pub async fn line(&mut self) -> String {
        match timeout(PATIENCE, self.lines.next_line()).await.expect("a line in time").unwrap() {
            Some(line) => line,
            None => panic!("no line, but: {}", self.complaint().await),
        }
    }

    /// Writes a line to its standard input.
    pub async fn tell(&mut self, line: &str) {
        let stdin = self.stdin.as_mut().unwrap();
        stdin.write_all(format!("{line}\n").as_bytes()).await.unwrap();
    }

    async fn complaint(&mut self) -> String {
        let mut text = String::new();
        let mut stderr = self.child.stderr.take().unwrap();
        timeout(PATIENCE, stderr.read_to_string(&mut text)).await.expect("an end in time").unwrap();
        text
    }

    /// Waits until an examination is over. Returns how many checks it made, all of which passed.
    pub async fn passed(mut self) -> u32 {
        let line = self.line().await;
        let checks = line.strip_suffix(" checks").unwrap_or_else(|| panic!("{line}"));
        assert!(self.child.wait().await.unwrap().success());
        checks.parse().unwrap()
    }

    /// Ends it as a crash would.
    pub async fn kill(mut self) {
        self.child.kill().await.unwrap();
    }

    /// Lets it hang, or go on. Its sockets stay open all the time.
    #[cfg(unix)]
    pub fn hang(&self, hang: bool) {
        let signal = if hang { "-STOP" } else { "-CONT" };
        let status = Blocking::new("kill").args([signal, &self.child.id().unwrap().to_string()]).status();
        assert!(status.unwrap().success());
    }
}
