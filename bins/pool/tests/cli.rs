#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
//! What the program says to good and bad input, and its exit codes.

mod support;

use std::fs;
use std::path::Path;
use std::process::{Command, Output};
use std::time::Duration;

use support::{Running, assert_complete, demo, finish, json, pool, stderr};

const SMALL: [&str; 4] = ["--messages=4", "--miners=1", "--epochs=3", "--seed=3"];

fn small(dir: &Path) -> Output {
    demo(dir, &SMALL).output().unwrap()
}

/// Asserts that a command ended with `code` and that stderr has each of `words`.
fn assert_refused(output: &Output, code: i32, words: &[&str]) {
    let text = stderr(output);
    assert_eq!(output.status.code(), Some(code), "{text}");
    assert!(output.stdout.is_empty());
    for word in words {
        assert!(text.contains(word), "{word:?} is missing in {text}");
    }
}

#[test]
fn a_finished_run_prints_the_same_again() {
    let tmp = tempfile::tempdir().unwrap();
    let first = finish(tmp.path(), &SMALL);
    assert_complete(&first, 4);
    let stored = fs::read(tmp.path().join("result.json")).unwrap();
    assert_eq!(finish(tmp.path(), &SMALL), first);
    assert_eq!(fs::read(tmp.path().join("result.json")).unwrap(), stored);
}

#[test]
fn without_json_the_result_is_a_table() {
    let tmp = tempfile::tempdir().unwrap();
    let output = pool(&["demo", "--dir"]).arg(tmp.path()).args(SMALL).output().unwrap();
    assert!(output.status.success(), "{}", stderr(&output));
    let table = String::from_utf8(output.stdout.clone()).unwrap();
    assert!(table.contains("messages landed") && table.contains("supply conserved"), "{table}");
    let progress = stderr(&output);
    assert!(progress.contains("epochs: 3/3") && progress.contains("messages landed: 4/4"), "{progress}");
}

#[test]
fn other_arguments_are_refused_and_named() {
    let tmp = tempfile::tempdir().unwrap();
    finish(tmp.path(), &SMALL);
    let output =
        demo(tmp.path(), &["--messages=4", "--miners=2", "--epochs=3", "--seed=4"]).output().unwrap();
    let words = ["--miners is 1 there and 2 here", "--seed is 3 there and 4 here", "another --dir"];
    assert_refused(&output, 2, &words);
}

#[test]
fn a_directory_in_use_names_the_process() {
    let tmp = tempfile::tempdir().unwrap();
    let long = ["--messages=2000", "--miners=2", "--epochs=2000"];
    let running = start(tmp.path(), &long);
    let output = demo(tmp.path(), &long).output().unwrap();
    assert_refused(&output, 2, &["in use by process", &running.id().to_string(), "another --dir"]);
    running.kill();
}

#[test]
fn foreign_files_are_left_alone() {
    let tmp = tempfile::tempdir().unwrap();
    fs::write(tmp.path().join("thesis.tex"), "years of work").unwrap();
    assert_refused(&small(tmp.path()), 2, &["thesis.tex", "new or empty"]);
    assert_eq!(fs::read_dir(tmp.path()).unwrap().count(), 1);
}

#[test]
fn a_directory_that_cannot_be_is_refused() {
    let tmp = tempfile::tempdir().unwrap();
    let file = tmp.path().join("file");
    fs::write(&file, "").unwrap();
    assert_refused(&small(&file), 2, &["cannot use", "file", "is a directory"]);
    assert_refused(&small(&file.join("below")), 2, &["cannot use", "is a directory"]);
}

/// A limit on the size of files is the nearest to a full disk that needs no rights: one file after the other cannot
/// grow, wherever the program is at that moment.
#[cfg(unix)]
#[test]
fn a_full_disk_is_said_and_continued_when_there_is_space() {
    let args = ["--messages=6", "--miners=4", "--epochs=6", "--seed=3"];
    let tmp = tempfile::tempdir().unwrap();
    let whole = finish(&tmp.path().join("whole"), &args);
    let mut refused = 0;
    for blocks in [0, 4, 40, 90, 160, 250, 300, 330, 360, 390, 420, 450, 480, 540, 600, 800] {
        let dir = tmp.path().join(blocks.to_string());
        let program = demo(&dir, &args);
        let script = format!("trap '' XFSZ; ulimit -f {blocks}; exec \"$0\" \"$@\"");
        let mut limited = Command::new("sh");
        limited.args(["-c", &script]).arg(program.get_program()).args(program.get_args());
        let output = limited.output().unwrap();
        // Blocks have 512 bytes in some shells and 1024 in others, so the last limits may be none.
        if !output.status.success() {
            assert_refused(&output, 2, &["error: ", "free space", "same command again"]);
            refused += 1;
        }
        assert_eq!(finish(&dir, &args), whole, "after a limit of {blocks} blocks");
    }
    assert!(refused > 8, "only {refused} limits were hit");
}

#[test]
fn bad_arguments_are_refused() {
    let tmp = tempfile::tempdir().unwrap();
    for (bad, word) in [
        ("--messages=0", "1..=10000"),
        ("--miners=99", "1..=15"),
        ("--epochs=many", "epochs"),
        ("--seed=-1", "seed"),
        ("--color=red", "unexpected argument"),
    ] {
        assert_refused(&demo(tmp.path(), &[bad]).output().unwrap(), 2, &[word]);
    }
    assert_eq!(fs::read_dir(tmp.path()).unwrap().count(), 0);
    let output = demo(tmp.path(), &SMALL).env("VENUS_LOG", "venus=loud").output().unwrap();
    assert_refused(&output, 2, &["VENUS_LOG", "unset it"]);
}

#[test]
fn completions_are_printed() {
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let output = pool(&["completions", shell]).output().unwrap();
        assert!(output.status.success());
        assert!(String::from_utf8_lossy(&output.stdout).contains("venus-pool"), "{shell}");
    }
    assert_refused(&pool(&["completions", "tcsh"]).output().unwrap(), 2, &["tcsh"]);
}

/// A device that is always full stands for a closed pipe or a full disk behind a redirection.
#[cfg(target_os = "linux")]
#[test]
fn an_unwritable_stdout_is_said() {
    let full = || fs::File::options().write(true).open("/dev/full").unwrap();
    let tmp = tempfile::tempdir().unwrap();
    for _ in 0..2 {
        let output = demo(tmp.path(), &SMALL).stdout(full()).output().unwrap();
        assert_refused(&output, 1, &["cannot write the result to stdout", "kept in", "result.json"]);
    }
    assert_complete(&finish(tmp.path(), &SMALL), 4);
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let output = pool(&["completions", shell]).stdout(full()).output().unwrap();
        assert_refused(&output, 1, &["cannot write the completion script to stdout"]);
        assert!(!stderr(&output).contains("panicked"));
    }
}

#[cfg(unix)]
#[test]
fn bad_paths_get_a_hint_that_helps() {
    use std::os::unix::ffi::OsStrExt;
    let tmp = tempfile::tempdir().unwrap();
    let bytes = std::ffi::OsStr::from_bytes(b"caf\xe9");
    assert_refused(&small(&tmp.path().join(bytes)), 2, &["not UTF-8", "whole path"]);
    assert_refused(&small(&tmp.path().join("n".repeat(300))), 2, &["cannot use", "shorter name"]);
    let link = tmp.path().join("link");
    std::os::unix::fs::symlink(tmp.path().join("nowhere"), &link).unwrap();
    assert_refused(&small(&link), 2, &["cannot use", "every part"]);
    let gone = tmp.path().join("gone");
    let script = format!("mkdir {0} && cd {0} && rmdir {0} && exec \"$0\" demo --dir here", gone.display());
    let program = pool(&[]);
    let output = Command::new("sh").args(["-c", &script]).arg(program.get_program()).output().unwrap();
    assert_refused(&output, 2, &["cannot use", "every part"]);
    let names: Vec<_> = fs::read_dir(tmp.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(names, ["link"], "nothing was made");
}

#[test]
fn a_failed_result_is_explained_whenever_it_is_shown() {
    let tmp = tempfile::tempdir().unwrap();
    finish(tmp.path(), &SMALL);
    let path = tmp.path().join("result.json");
    let mut report = json(&fs::read_to_string(&path).unwrap());
    report["lost"] = 1.into();
    report["failures"] = serde_json::json!([
        { "id": "demo-3-2", "state": "landed", "exit_code": 7, "reason": "out of gas" }
    ]);
    fs::write(&path, report.to_string()).unwrap();
    let output = small(tmp.path());
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(json(&String::from_utf8(output.stdout.clone()).unwrap()), report);
    let text = stderr(&output);
    assert!(
        text.contains("\"demo-3-2\" is landed with exit code 7") && text.contains("another --seed"),
        "{text}"
    );
}

#[test]
fn the_debug_log_has_no_statements_of_the_databases() {
    let tmp = tempfile::tempdir().unwrap();
    let output = demo(tmp.path(), &SMALL).env("VENUS_LOG", "debug").output().unwrap();
    let text = stderr(&output);
    assert!(text.contains("round is done"), "{text}");
    assert!(!text.contains("sqlx::query"), "{text}");
}

#[cfg(unix)]
#[test]
fn signals_stop_cleanly_and_the_next_start_continues() {
    let args = ["--messages=40", "--miners=2", "--epochs=60", "--seed=3", "--fork"];
    let tmp = tempfile::tempdir().unwrap();
    let dir = tmp.path().join("stopped");
    for (signal, after) in [("INT", 0), ("TERM", 50), ("INT", 300)] {
        let running = start(&dir, &args);
        assert!(!running.ends_within(Duration::from_millis(after)), "ended early");
        running.signal(signal);
        let (code, stdout, stderr) = running.wait();
        assert_eq!((code, stdout.as_str()), (Some(130), ""), "{stderr}");
        assert!(stderr.contains("stopped") && stderr.contains("same command again to continue"), "{stderr}");
    }
    assert_eq!(finish(&dir, &args), finish(&tmp.path().join("undisturbed"), &args));
}

/// Starts a run and returns when it holds the directory, which it takes after it has begun to watch for signals.
fn start(dir: &Path, args: &[&str]) -> Running {
    let running = Running::start(demo(dir, args));
    let holder = || fs::read_to_string(dir.join("LOCK")).unwrap_or_default();
    while holder().trim() != running.id().to_string() {
        assert!(!running.ends_within(Duration::from_millis(5)), "ended early");
    }
    running
}
