//! The three shells of the repository's README, typed as they stand there.

use std::net::TcpListener;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use rustix::process::{Pid, Signal, kill_process_group};

use crate::support::{said, until};

/// The blocks of shell commands in the section, in order.
fn blocks() -> Vec<String> {
    let readme = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../README.md");
    let text = std::fs::read_to_string(readme).unwrap();
    let section = text.split("\n## ").find(|section| section.starts_with("A wallet behind a gateway\n"));
    let section = section.expect("the README has the section");
    section.split("```sh\n").skip(1).map(|block| block.split("```").next().unwrap().to_owned()).collect()
}

/// Where the three programs are. What nobody built yet is built now.
fn programs() -> PathBuf {
    let own = Path::new(env!("CARGO_BIN_EXE_venus-gateway"));
    let folder = own.parent().unwrap().to_owned();
    let missing = ["venus-auth", "venus-wallet"].into_iter().filter(|name| !folder.join(name).exists());
    for name in missing {
        let mut build = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
        build
            .args(["build", "--package", &format!("{name}-bin"), "--target-dir"])
            .arg(folder.parent().unwrap());
        assert!(build.status().unwrap().success(), "{name} cannot be built");
    }
    folder
}

/// A shell, which ends with all that it started.
struct Shell(Child);

impl Drop for Shell {
    fn drop(&mut self) {
        let _ = kill_process_group(Pid::from_child(&self.0), Signal::KILL);
        let _ = self.0.wait();
    }
}

struct World {
    folder: tempfile::TempDir,
    path: String,
    ports: Vec<(&'static str, String)>,
}

impl World {
    fn new() -> Self {
        // All at once, so that they differ.
        let usual = ["8989", "45132", "5678"];
        let free = usual.map(|_| TcpListener::bind("127.0.0.1:0").unwrap());
        let port = |listener: &TcpListener| listener.local_addr().unwrap().port().to_string();
        let ports = usual.into_iter().zip(free.iter().map(port)).collect();
        let path = format!("{}:{}", programs().display(), std::env::var("PATH").unwrap());
        Self { folder: tempfile::tempdir().unwrap(), path, ports }
    }

    /// The commands with ports that nobody has.
    fn adapted(&self, commands: &str) -> String {
        let ports =
            self.ports.iter().fold(commands.to_owned(), |text, (usual, free)| text.replace(usual, free));
        // Programs whose ports stand in a file that they make.
        let [auth, gateway, wallet] = [0, 1, 2].map(|at| &self.ports[at].1);
        let edited = format!("sed -i 's/8989/{auth}/; s/45132/{gateway}/' gateway/config.toml");
        ports
            .replace("venus-auth run", &format!("venus-auth run --listen 127.0.0.1:{auth}"))
            .replace("venus-gateway init", &format!("venus-gateway init && {edited}"))
            .replace(
                "venus-wallet init",
                &format!("venus-wallet init && sed -i s/5678/{wallet}/ wallet/config.toml"),
            )
    }

    fn shell(&self, commands: &str) -> Command {
        let mut shell = Command::new("bash");
        shell.args(["-euo", "pipefail", "-c", &self.adapted(commands)]).current_dir(self.folder.path());
        shell.env_clear().env("PATH", &self.path).env("HOME", self.folder.path()).stdin(Stdio::null());
        shell
    }

    /// Opens a shell in which a program goes on.
    fn open(&self, commands: &str) -> Shell {
        let mut shell = self.shell(commands);
        Shell(shell.process_group(0).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap())
    }

    fn answers(&self, command: &str) -> bool {
        let place = "export VENUS_AUTH_PATH=./auth VENUS_GATEWAY_PATH=./gateway VENUS_WALLET_PATH=./wallet\n";
        self.shell(&format!("{place}{command}")).output().unwrap().status.success()
    }
}

#[test]
fn three_shells() {
    let (world, blocks) = (World::new(), blocks());
    let [auth, gateway, wallet, asking] = blocks.as_slice() else { panic!("{} blocks", blocks.len()) };
    let _auth = world.open(auth);
    until("venus-auth", || world.answers("venus-auth user list"));
    let _gateway = world.open(gateway);
    until("venus-gateway", || world.answers("venus-gateway wallet list"));
    let _wallet = world.open(wallet);
    until("venus-wallet", || world.answers("venus-wallet lock-state && venus-gateway wallet state alice"));
    let output = world.shell(asking).output().unwrap();
    let told = said(&output);
    assert!(output.status.success(), "{told}");
    assert!(told.contains("\"Account\": \"alice\"") && told.contains("\"f3"), "{told}");
    let signature = told.lines().find(|line| line.starts_with("{\"jsonrpc\"")).expect("a signature");
    assert!(signature.contains("\"result\":{\"Type\":2,\"Data\":\""), "{signature}");
    assert!(!told.contains("FAIL"), "{told}");
}
