//! A MariaDB server for one test: in a temporary folder, on a socket of its own, ended with the test.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// If set to 1, a machine without MariaDB fails the tests instead of passing them over.
const REQUIRE: &str = "VENUS_REQUIRE_MARIADB";
/// A server that is not there by then never will be.
const START_TIMEOUT: Duration = Duration::from_secs(120);

/// A running server. It ends when this is dropped.
#[derive(Debug)]
pub struct MariaDb {
    folder: PathBuf,
    server: Option<Child>,
}

impl MariaDb {
    /// Starts a server with its data below `folder`, whose path must be short: sockets allow about 100 bytes. `None`,
    /// with a message, if MariaDB is not installed.
    ///
    /// # Panics
    /// If it is not installed and `VENUS_REQUIRE_MARIADB` is 1, or does not start.
    pub fn start(folder: &Path) -> Option<Self> {
        if program(&["mariadbd", "mysqld"]).is_none() {
            assert!(
                !std::env::var(REQUIRE).is_ok_and(|v| v == "1"),
                "no mariadbd: apt install mariadb-server"
            );
            eprintln!(
                "skipped: no mariadbd here (apt install mariadb-server); {REQUIRE}=1 makes this a failure"
            );
            return None;
        }
        let data = folder.join("data");
        let installer = program(&["mariadb-install-db", "mysql_install_db"]).expect("mariadb-install-db");
        let mut install = Command::new(installer);
        install.args(["--no-defaults", "--auth-root-authentication-method=normal", "--skip-test-db"]);
        install.arg(format!("--datadir={}", data.display()));
        // Two that are installed at once take each other's temporary tables otherwise.
        let scratch = folder.join("tmp");
        std::fs::create_dir_all(&scratch).expect("a folder for temporary tables");
        install.arg(format!("--tmpdir={}", scratch.display()));
        as_root(&mut install);
        let done = install.stdin(Stdio::null()).output().expect("mariadb-install-db runs");
        assert!(done.status.success(), "mariadb-install-db: {}", String::from_utf8_lossy(&done.stderr));
        let mut this = Self { folder: folder.into(), server: None };
        this.resume();
        Some(this)
    }

    /// Starts the server again after [`MariaDb::kill`], on the same data.
    ///
    /// # Panics
    /// If it does not start.
    pub fn resume(&mut self) {
        let mut command = Command::new(program(&["mariadbd", "mysqld"]).expect("mariadbd"));
        command.args(["--no-defaults", "--skip-networking", "--innodb-buffer-pool-size=32M"]);
        command.arg("--innodb-log-file-size=8M");
        command.arg(format!("--datadir={}", self.folder.join("data").display()));
        command.arg(format!("--tmpdir={}", self.folder.join("tmp").display()));
        command.arg(format!("--socket={}", self.socket().display()));
        command.arg(format!("--pid-file={}", self.folder.join("pid").display()));
        command.arg(format!("--log-error={}", self.folder.join("log").display()));
        as_root(&mut command);
        let _ = std::fs::remove_file(self.socket());
        let silent = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        self.server = Some(silent.spawn().expect("mariadbd starts"));
        self.wait();
    }

    fn wait(&mut self) {
        let start = Instant::now();
        while std::os::unix::net::UnixStream::connect(self.socket()).is_err() {
            let ended = self.server.as_mut().and_then(|server| server.try_wait().ok().flatten());
            assert!(ended.is_none() && start.elapsed() < START_TIMEOUT, "mariadbd: {}", self.log());
            // A process of others has no event that could be awaited.
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    fn log(&self) -> String {
        std::fs::read_to_string(self.folder.join("log")).unwrap_or_default()
    }

    /// Ends the server as a power cut would.
    pub fn kill(&mut self) {
        if let Some(mut server) = self.server.take() {
            let _ = server.kill();
            let _ = server.wait();
        }
    }

    /// Where it listens.
    pub fn socket(&self) -> PathBuf {
        self.folder.join("s")
    }

    /// The address of a database on it. The database `mysql` is always there.
    pub fn url(&self, database: &str) -> String {
        let socket = self.socket().display().to_string().replace('/', "%2F");
        format!("mysql://root@localhost/{database}?socket={socket}")
    }
}

impl Drop for MariaDb {
    fn drop(&mut self) {
        self.kill();
    }
}

fn program(names: &[&str]) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    // Servers are often outside the path of users.
    let folders = std::env::split_paths(&path).chain(["/usr/sbin".into(), "/usr/local/sbin".into()]);
    let folders: Vec<PathBuf> = folders.collect();
    names.iter().flat_map(|name| folders.iter().map(move |f| f.join(name))).find(|p| p.is_file())
}

/// MariaDB refuses to run as root unless told to.
fn as_root(command: &mut Command) {
    let is_root = std::env::var("USER").is_ok_and(|user| user == "root")
        || std::fs::metadata("/proc/self").is_ok_and(|m| std::os::unix::fs::MetadataExt::uid(&m) == 0);
    if is_root {
        command.arg("--user=root");
    }
}
