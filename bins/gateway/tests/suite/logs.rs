//! What the three programs log at their most talkative, while things go well and while they go wrong.

use std::fs;
use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};

use data_encoding::{BASE64, BASE64URL_NOPAD, HEXLOWER};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};
use venus_core::cbor::Decode;
use venus_core::types::GatewayChallenge;

use crate::readme::programs;
use crate::support::{first_line, http, said, until};

const PASSWORD: &str = "correct horse battery";
const WRONG: &str = "incorrect horse battery";
/// A draw of randomness, which wallets sign without further rules.
const DRAW: &str =
    "pGVSYmFzZVggq6urq6urq6urq6urq6urq6urq6urq6urq6urq6urq6tkUGVycwJlUm91bmQZA+hnRW50cm9weURDAOgH";

/// One of the programs, in a repository of its own.
struct Program {
    path: PathBuf,
    repo: PathBuf,
    ready: Value,
    running: Option<Child>,
    /// What commands wrote beside their answers.
    told: Mutex<String>,
}

impl Program {
    fn new(folder: &Path, name: &str) -> Self {
        let told = Mutex::default();
        let path = programs().join(format!("venus-{name}"));
        Self { path, repo: folder.join(name), ready: Value::Null, running: None, told }
    }

    fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(&self.path);
        command.arg("--repo").arg(&self.repo).arg("--json").args(args).env_clear().stdin(Stdio::null());
        command.env("VENUS_LOG", "trace,tungstenite=trace");
        command
    }

    fn start(&mut self, args: &[&str]) {
        let log = fs::File::create(self.repo.with_extension("log")).unwrap();
        let all = [&["run"], args].concat();
        let mut child = self.command(&all).stdout(Stdio::piped()).stderr(log).spawn().unwrap();
        let line = first_line(&mut child);
        self.running = Some(child);
        self.ready = serde_json::from_str(&line).unwrap_or_else(|_| panic!("{line}{}", self.log()));
    }

    fn log(&self) -> String {
        fs::read_to_string(self.repo.with_extension("log")).unwrap_or_default()
    }

    /// The answer of a command; null if it failed.
    fn ask(&self, args: &[&str]) -> Value {
        let output = self.command(args).output().unwrap();
        *self.told.lock().unwrap() += &String::from_utf8_lossy(&output.stderr);
        if !output.status.success() {
            *self.told.lock().unwrap() += &said(&output);
            return Value::Null;
        }
        serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{args:?}: {}", said(&output)))
    }

    fn addr(&self) -> SocketAddr {
        let url = self.ready["url"].as_str().unwrap();
        url.split('/').nth(2).unwrap().parse().unwrap()
    }

    fn file(&self, name: &str) -> String {
        fs::read_to_string(self.repo.join(name)).unwrap()
    }

    /// Ends it, and gives back all that it and its commands wrote.
    fn end(&mut self) -> String {
        let mut child = self.running.take().unwrap();
        kill_process(Pid::from_child(&child), Signal::TERM).unwrap();
        assert!(child.wait().unwrap().success(), "{}", self.log());
        format!("{}{}", self.log(), self.told.lock().unwrap())
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        if let Some(mut child) = self.running.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

/// The way from the wallet to the gateway, on which somebody listens to what the gateway says.
struct Tap {
    addr: SocketAddr,
    heard: Arc<Mutex<Vec<u8>>>,
    there: Arc<Mutex<Option<SocketAddr>>>,
}

impl Tap {
    fn new() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let tap = Self { addr: listener.local_addr().unwrap(), heard: Arc::default(), there: Arc::default() };
        let (heard, there) = (tap.heard.clone(), tap.there.clone());
        std::thread::spawn(move || {
            for wallet in listener.incoming().map_while(Result::ok) {
                let Some(at) = *there.lock().unwrap() else { continue };
                let Ok(gateway) = TcpStream::connect(at) else { continue };
                let ways = (wallet.try_clone().unwrap(), gateway.try_clone().unwrap());
                std::thread::spawn(move || carry(ways.0, ways.1, &mut std::io::sink()));
                let heard = heard.clone();
                std::thread::spawn(move || carry(gateway, wallet, &mut Ear(heard)));
            }
        });
        tap
    }

    /// Every challenge that the gateway sent, as it was signed and as it was told.
    fn challenges(&self) -> Vec<(Vec<u8>, Vec<u8>)> {
        let heard = String::from_utf8_lossy(&self.heard.lock().unwrap()).into_owned();
        let payloads = heard.split("\"Payload\":\"").skip(1).filter_map(|rest| rest.split('"').next());
        let asked = payloads.filter_map(|text| {
            let event: Value = serde_json::from_slice(&BASE64.decode(text.as_bytes()).ok()?).ok()?;
            let bytes = |value: &Value| BASE64.decode(value.as_str()?.as_bytes()).ok();
            let is_challenge = event["Meta"]["Type"] == "verifyaddress";
            is_challenge.then(|| Some((bytes(&event["ToSign"])?, bytes(&event["Meta"]["Extra"])?)))?
        });
        asked.collect()
    }
}

struct Ear(Arc<Mutex<Vec<u8>>>);

impl Write for Ear {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

fn carry(mut from: TcpStream, mut to: TcpStream, ear: &mut impl Write) {
    let mut buffer = [0; 8192];
    while let Ok(n @ 1..) = from.read(&mut buffer) {
        ear.write_all(&buffer[..n]).unwrap();
        if to.write_all(&buffer[..n]).is_err() {
            break;
        }
    }
    let _ = from.shutdown(Shutdown::Both);
    let _ = to.shutdown(Shutdown::Both);
}

/// What must not be read anywhere, each in the shapes that a careless line would give it.
#[derive(Default)]
struct Secrets(Vec<(&'static str, String)>);

impl Secrets {
    fn text(&mut self, what: &'static str, text: &str) {
        assert!(text.len() > 8, "{what} is {text:?}");
        self.0.push((what, text.to_owned()));
    }

    fn token(&mut self, what: &'static str, token: &str) {
        assert_eq!(token.split('.').count(), 3, "{what}: {token}");
        self.text(what, token.rsplit('.').next().unwrap());
    }

    fn bytes(&mut self, what: &'static str, bytes: &[u8]) {
        assert!(bytes.len() >= 16, "{what}");
        let listed = format!("{:?}", &bytes[..8]);
        let whole = [BASE64.encode(bytes), BASE64URL_NOPAD.encode(bytes), HEXLOWER.encode(bytes)];
        whole.iter().for_each(|text| self.text(what, text));
        self.text(what, listed.trim_matches(['[', ']']));
        self.text(what, &HEXLOWER.encode(bytes).to_uppercase());
    }

    fn must_not_be_in(&self, program: &str, told: &str) {
        for (what, secret) in &self.0 {
            let line = told.lines().find(|line| line.contains(secret.as_str()));
            assert!(line.is_none(), "{program} tells {what}: {line:?}");
        }
    }
}

struct World {
    folder: tempfile::TempDir,
    auth: Program,
    gateway: Program,
    wallet: Program,
    tap: Tap,
    secrets: Secrets,
}

impl World {
    fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let [mut auth, mut gateway, mut wallet] =
            ["auth", "gateway", "wallet"].map(|name| Program::new(folder.path(), name));
        let (tap, mut secrets) = (Tap::new(), Secrets::default());
        let multiaddr = format!("/ip4/127.0.0.1/tcp/{}", tap.addr.port());

        auth.start(&["--listen", "127.0.0.1:0"]);
        let [own, alice] = [("gateway", "admin"), ("alice", "sign")].map(|(user, perm)| {
            auth.ask(&["user", "add", user]);
            auth.ask(&["token", "gen", "--perm", perm, user])["token"].as_str().unwrap().to_owned()
        });

        gateway.ask(&["init"]);
        let url = auth.ready["url"].as_str().unwrap();
        let text = format!(
            "[API]\nListenAddress = \"/ip4/127.0.0.1/tcp/0\"\n[Auth]\nURL = \"{url}\"\nToken = \"{own}\"\n\
             [Hub]\nName = \"{multiaddr}\"\n"
        );
        fs::write(gateway.repo.join("config.toml"), text).unwrap();
        gateway.start(&[]);
        *tap.there.lock().unwrap() = Some(gateway.addr());

        wallet.ask(&["init"]);
        let text = wallet.file("config.toml").replace("tcp/5678", "tcp/0").replace("262144", "1024");
        fs::write(wallet.repo.join("config.toml"), text).unwrap();
        let password = folder.path().join("password");
        private(&password, PASSWORD);
        let password = password.to_str().unwrap();
        wallet.start(&["--password-file", password, "--gateway-api", &multiaddr, "--gateway-token", &alice]);

        secrets.token("the gateway's token", &own);
        secrets.token("alice's token", &alice);
        for (program, what) in
            [(&auth, "venus-auth's"), (&gateway, "venus-gateway's"), (&wallet, "venus-wallet's")]
        {
            secrets.token(what, &program.file("token"));
        }
        let config: Vec<String> = wallet.file("config.toml").lines().map(str::to_owned).collect();
        let secret = config.iter().find_map(|line| line.trim().strip_prefix("Secret = ")).expect("a secret");
        secrets.text("the wallet's secret", secret.trim_matches('"'));
        secrets.text("the password", PASSWORD);
        secrets.text("a wrong password", WRONG);
        Self { folder, auth, gateway, wallet, tap, secrets }
    }

    fn alice(&self) -> Vec<String> {
        let wallets = self.gateway.ask(&["wallet", "list"]);
        let states = wallets[0]["ConnectStates"].as_array().cloned().unwrap_or_default();
        let addresses =
            states.iter().flat_map(|state| state["Addrs"].as_array().cloned().unwrap_or_default());
        addresses.filter_map(|address| address.as_str().map(str::to_owned)).collect()
    }

    fn call(&self, token: &str, method: &str, params: Value) -> String {
        let body = json!({ "id": 1, "method": format!("Gateway.{method}"), "params": params }).to_string();
        let bearer = format!("Bearer {token}");
        let headers = [("Authorization", bearer.as_str())];
        http(self.gateway.addr(), "POST /rpc/v2 HTTP/1.1", &headers, &body).body
    }

    /// Keys are made and prove themselves, and sign.
    fn go_well(&mut self) -> String {
        let password = self.folder.path().join("password");
        let password = ["--password-file", password.to_str().unwrap()];
        let mut keys = Vec::new();
        for kind in ["bls", "secp256k1"] {
            let made = self.wallet.ask(&[password[0], password[1], "new", kind]);
            let address = made["address"].as_str().unwrap().to_owned();
            let exported = self.wallet.ask(&[password[0], password[1], "export", &address]);
            let key = HEXLOWER.decode(exported["key"].as_str().unwrap().as_bytes()).unwrap();
            let key: Value = serde_json::from_slice(&key).unwrap();
            let private = BASE64.decode(key["PrivateKey"].as_str().unwrap().as_bytes()).unwrap();
            self.secrets.bytes("a private key", &private);
            keys.push(address);
        }
        until("both keys", || keys.iter().all(|key| self.alice().contains(key)));
        let token = self.gateway.file("token");
        let draw = json!({ "Type": "drawrandomparam", "Extra": null });
        let signed = self.call(&token, "WalletSign", json!([keys[0], [], DRAW, draw]));
        assert!(signed.contains("\"result\":{\"Type\":2,"), "{signed}");
        keys.swap_remove(0)
    }

    /// What is refused, asked in many ways, with tokens where they do not belong.
    fn go_wrong(&mut self, key: &str) {
        let token = self.gateway.file("token");
        let message = json!({ "Type": "message", "Extra": DRAW });
        let refused = self.call(&token, "WalletSign", json!([key, [], DRAW, message]));
        assert!(refused.contains("error"), "{refused}");
        let guess = format!("{}xyz", &token[..token.len() - 3]);
        self.secrets.token("a guess", &guess);
        for text in [&guess, &token] {
            for program in [&self.auth, &self.gateway, &self.wallet] {
                http(program.addr(), &format!("GET /rpc/v2?token={text} HTTP/1.1"), &[], "");
                let bearer = format!("Bearer {text}");
                let body = json!({ "id": 1, "method": text, "params": [text], "token": text }).to_string();
                let headers = [("Authorization", bearer.as_str()), ("Content-Type", "application/json")];
                for path in ["/verify", "/rpc/v0", "/rpc/v1"] {
                    http(program.addr(), &format!("POST {path} HTTP/1.1"), &headers, &body);
                }
            }
        }
        let wrong = self.folder.path().join("wrong");
        private(&wrong, WRONG);
        let unlocked = self.wallet.ask(&["--password-file", wrong.to_str().unwrap(), "unlock"]);
        assert_eq!(unlocked, Value::Null);
        for args in [&["doctor"][..], &["doctor", "--account", "alice", "--wallet", key]] {
            self.gateway.ask(args);
        }
        self.auth.ask(&["doctor", "--user", "alice"]);
        let list = self.auth.ask(&["token", "get", "--name", "alice"]);
        let id = list[0]["id"].as_str().unwrap();
        assert!(!self.auth.ask(&["token", "rm", id]).is_null());
        until("alice's end", || self.alice().is_empty());
    }

    /// What the gateway asked, and not even it may tell.
    fn overheard(&mut self) {
        let challenges = self.tap.challenges();
        assert!(challenges.len() >= 2, "{} challenges", challenges.len());
        for (to_sign, extra) in challenges {
            let challenge = GatewayChallenge::from_cbor(&extra).expect("our challenge");
            self.secrets.bytes("a challenge", &to_sign);
            self.secrets.bytes("a challenge", &extra);
            self.secrets.bytes("a challenge's random bytes", &challenge.nonce);
        }
    }
}

fn private(path: &Path, text: &str) {
    use std::os::unix::fs::OpenOptionsExt;
    let mut options = fs::OpenOptions::new();
    let mut file = options.create(true).truncate(true).write(true).mode(0o600).open(path).unwrap();
    file.write_all(text.as_bytes()).unwrap();
}

#[test]
fn i7_no_program_logs_a_token_a_key_or_a_challenge() {
    let mut world = World::start();
    let key = world.go_well();
    world.go_wrong(&key);
    world.overheard();
    let World { mut wallet, mut gateway, mut auth, secrets, .. } = world;
    for (name, program) in
        [("venus-wallet", &mut wallet), ("venus-gateway", &mut gateway), ("venus-auth", &mut auth)]
    {
        let told = program.end();
        assert!(told.contains("is ready") || told.lines().count() > 5, "{name} logs: {told}");
        secrets.must_not_be_in(name, &told);
    }
}
