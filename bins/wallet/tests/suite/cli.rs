//! The commands of venus-wallet v1.20.0, given again: same arguments, same typing, same output and exit code.

use std::fs::File;
use std::io::{Read, Write};
use std::os::fd::OwnedFd;
use std::process::{Command, Stdio};

use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{LocalModes, tcgetattr};
use serde_json::{Value, json};

use crate::support::{PROGRAM, Wallet, recorded};

/// The key that somebody made between two of the commands.
const KEY: &str = "7b2254797065223a22626c73222c22507269766174654b6579223a2267365142326c68754333426a4e7832716830696d745a506b534d3741334e45372f6b6e48657846753344303d227d";
const IMPORTED: [(&str, &str); 3] = [
    ("secp256k1", "KioqKioqKipfvw7Q+DZMAf8nVA7NZmn/TMVIy+YO9as="),
    ("bls", "M/84+owcU8PvGy+BHO6c5PfsLOkLFs7rlnXcaqPQSBc="),
    ("delegated", "M/84+owcU8PvGy+BHO6c5PfsLOkLFs7rlnXcaqPQSCE="),
];

struct Ran {
    code: i64,
    stdout: String,
    stderr: String,
}

/// Runs a command, with what is typed on a terminal of its own.
fn run(wallet: &Wallet, args: &[String], typed: &[String]) -> Ran {
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    if !typed.is_empty() {
        return on_terminal(wallet, &args, typed);
    }
    let output = wallet.command(&args).current_dir(wallet.dir.path()).output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    Ran {
        code: output.status.code().unwrap().into(),
        stdout: text(output.stdout),
        stderr: text(output.stderr),
    }
}

fn on_terminal(wallet: &Wallet, args: &[&str], typed: &[String]) -> Ran {
    let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
    grantpt(&master).unwrap();
    unlockpt(&master).unwrap();
    let name = ptsname(&master, Vec::new()).unwrap().into_string().unwrap();
    let slave = || Stdio::from(OwnedFd::from(File::options().read(true).write(true).open(&name).unwrap()));
    // A session of its own, so that the terminal is the one that passwords are asked on.
    let mut child = Command::new("setsid")
        .args(["--ctty", "--wait", PROGRAM, "--repo"])
        .arg(wallet.repo())
        .args(args)
        .stdin(slave())
        .stdout(slave())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut terminal = File::from(master);
    let mut shown = String::new();
    let mut prompts = 0;
    for text in typed {
        prompts += 1;
        while shown.matches(':').count() < prompts {
            read_some(&mut terminal, &mut shown);
        }
        // The label stands there a moment before the terminal stops to echo.
        while tcgetattr(&terminal).unwrap().local_modes.contains(LocalModes::ECHO) {
            std::thread::yield_now();
        }
        terminal.write_all(format!("{text}\n").as_bytes()).unwrap();
    }
    while read_some(&mut terminal, &mut shown) {}
    let code = child.wait().unwrap().code().unwrap().into();
    Ran { code, stdout: shown.replace("\r\n", "\n"), stderr: String::new() }
}

/// False at the end, which a terminal tells by an error.
fn read_some(terminal: &mut File, shown: &mut String) -> bool {
    let mut bytes = [0; 4096];
    match terminal.read(&mut bytes) {
        Ok(0) | Err(_) => false,
        Ok(count) => {
            shown.push_str(std::str::from_utf8(&bytes[..count]).unwrap());
            true
        }
    }
}

fn set_up() -> Wallet {
    let mut wallet = Wallet::init();
    wallet.allow_all();
    wallet.start(&["--password-file", &wallet.password_file()]);
    for (kind, key) in IMPORTED {
        let answer = wallet.call("WalletImport", &json!([{ "Type": kind, "PrivateKey": key }]));
        assert!(answer["result"].is_string(), "{answer}");
    }
    wallet
}

#[test]
fn all_recorded_commands_in_order() {
    let mut wallet = set_up();
    let lines = recorded("wallet-cli.jsonl");
    let (mut failures, mut same, mut varies, mut ours) = (Vec::new(), 0, 0, 0);
    // Addresses of new keys.
    let mut names: Vec<(String, String)> = Vec::new();
    for line in &lines {
        let n = line["n"].as_u64().unwrap();
        if n == 27 {
            std::fs::write(wallet.dir.path().join("key.hex"), KEY).unwrap();
            wallet.ok(&["import", wallet.dir.path().join("key.hex").to_str().unwrap()]);
        }
        let renamed =
            |text: &str| names.iter().fold(text.to_owned(), |text, (from, to)| text.replace(from, to));
        let list = |member: &str| -> Vec<String> {
            let list = line[member].as_array().cloned().unwrap_or_default();
            list.iter().map(|text| renamed(text.as_str().unwrap())).collect()
        };
        let args: Vec<String> = list("args").into_iter().skip(2).collect();
        // A key is typed into a pipe there, and into an import here.
        let ran = if n == 33 {
            piped(&wallet, &args, &list("typed")[0])
        } else {
            run(&wallet, &args, &list("typed"))
        };
        let expected = Ran {
            code: line["rc"].as_i64().unwrap(),
            stdout: renamed(line["stdout"].as_str().unwrap()),
            stderr: line["stderr"].as_str().unwrap().to_owned(),
        };
        if expected.code != ran.code {
            failures.push(format!("{n} {args:?}: code {} not {}: {}", ran.code, expected.code, ran.stdout));
        } else if expected.stdout == ran.stdout && expected.stderr == ran.stderr {
            same += 1;
        } else {
            match differs(n, &expected, &ran, &wallet, &mut names) {
                Ok(Kind::Varies) => varies += 1,
                Ok(Kind::Ours) => ours += 1,
                Err(why) => failures.push(format!(
                    "{n} {args:?}: {why}\n  Go   {:?}\n  ours {:?} {:?}",
                    expected.stdout, ran.stdout, ran.stderr
                )),
            }
        }
    }
    println!("{same} the same, {varies} vary, {ours} of our own");
    assert!(failures.is_empty(), "{}", failures.join("\n"));
    assert_eq!(same + varies + ours, 43);
    assert_eq!(wallet.stop(), 0);
}

enum Kind {
    /// What the recordings say varies.
    Varies,
    /// Text for people that is our own.
    Ours,
}

fn differs(
    n: u64,
    expected: &Ran,
    ran: &Ran,
    wallet: &Wallet,
    names: &mut Vec<(String, String)>,
) -> Result<Kind, &'static str> {
    let sorted = |text: &str| {
        let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
        lines.sort();
        lines
    };
    let varies = |same: bool| if same { Ok(Kind::Varies) } else { Err("differs") };
    match n {
        // Help pages name our commands and options, Go's among them.
        1 | 8 => {
            let commands = [
                "run",
                "auth",
                "log",
                "new",
                "list",
                "export",
                "import",
                "sign",
                "del",
                "set-password",
                "unlock",
                "lock",
                "lock-state",
                "support",
                "record",
            ];
            let has = |name: &&str| ran.stdout.lines().any(|line| line.trim_start().starts_with(*name));
            let all = n == 8 && has(&"api-info") || n == 1 && commands.iter().all(has);
            if all { Ok(Kind::Ours) } else { Err("a command of Go's is missing") }
        }
        4 | 5 => {
            names.push((expected.stdout.trim().into(), ran.stdout.trim().into()));
            varies(ran.stdout.starts_with("f1") && ran.stdout.len() == expected.stdout.len())
        }
        9 => {
            let (token, address) = ran.stdout.trim().split_once(':').ok_or("no token")?;
            let claims = token.split('.').nth(1) == expected.stdout.split('.').nth(1);
            varies(claims && address == format!("/ip4/127.0.0.1/tcp/{}/http", wallet.addr().port()))
        }
        13 => varies(ran.stdout.lines().count() > 1),
        // Other requests are on record here; the form is the same.
        17 => {
            let header = |ran: &Ran| {
                ran.stdout.lines().next().unwrap_or_default().split_whitespace().collect::<String>()
            };
            varies(header(ran) == header(expected))
        }
        18 => {
            let list: Value = serde_json::from_str(&ran.stdout).map_err(|_| "no JSON")?;
            let form = ran.stdout.starts_with('[') && list.is_array();
            varies(form)
        }
        // The order of a Go map.
        19 => varies(sorted(&expected.stdout) == sorted(&ran.stdout)),
        _ => Err("differs"),
    }
}

fn piped(wallet: &Wallet, args: &[String], typed: &str) -> Ran {
    let mut command = wallet.command(&args.iter().map(String::as_str).collect::<Vec<_>>());
    let mut child =
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(format!("{typed}\n").as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    Ran {
        code: output.status.code().unwrap().into(),
        stdout: text(output.stdout),
        stderr: text(output.stderr),
    }
}
