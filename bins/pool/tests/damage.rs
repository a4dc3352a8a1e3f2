#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
//! State that was deleted, cut, overwritten or put back is refused before anything runs, and named. What a kill
//! leaves is continued.

mod support;

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use support::{Running, demo, finish, stderr};

const ARGS: [&str; 5] = ["--messages=12", "--miners=2", "--epochs=6", "--seed=5", "--fork"];
const LOG: &str = "chain/blocks.log";
const MESSAGER: &str = "messager.db";
const MINER: &str = "miner.db";

/// A directory as a kill leaves it right before the result is stored, and the result.
struct Unfinished {
    tmp: tempfile::TempDir,
    result: String,
}

impl Unfinished {
    fn new() -> Self {
        let tmp = tempfile::tempdir().unwrap();
        let dir = tmp.path().join("original");
        let result = finish(&dir, &ARGS);
        fs::remove_file(dir.join("result.json")).unwrap();
        Self { tmp, result }
    }

    fn copy(&self, name: &str) -> PathBuf {
        let to = self.tmp.path().join(name);
        copy(&self.tmp.path().join("original"), &to);
        to
    }
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}

/// Asserts that the run is refused, twice with the same words, that the damaged file is named, and that no result
/// is stored.
fn assert_damaged(dir: &Path, file: &str, what: &str) {
    let mut texts = Vec::new();
    for _ in 0..2 {
        let output = demo(dir, &ARGS).output().unwrap();
        let text = stderr(&output);
        assert_eq!(output.status.code(), Some(2), "{what}: {text}");
        assert!(output.stdout.is_empty(), "{what}");
        let named = format!("{} is damaged", dir.join(file).display());
        assert!(text.contains(&named), "{what}: {named:?} is missing in {text}");
        assert!(text.contains("delete this folder to start anew"), "{what}: {text}");
        // The log may say before that it cut off the rest of a record, which happens once.
        texts.push(text[text.find("error: ").unwrap()..].to_owned());
    }
    assert_eq!(texts[0], texts[1], "{what}");
}

fn truncate(path: &Path, len: u64) {
    fs::File::options().write(true).open(path).unwrap().set_len(len).unwrap();
}

fn len(path: &Path) -> u64 {
    fs::metadata(path).unwrap().len()
}

fn flip(path: &Path, at: usize) {
    let mut bytes = fs::read(path).unwrap();
    bytes[at] ^= 0x40;
    fs::write(path, bytes).unwrap();
}

#[test]
fn missing_and_empty_parts_are_refused() {
    let state = Unfinished::new();
    for part in [LOG, MESSAGER, MINER] {
        let dir = state.copy(&format!("without {}", part.replace('/', " ")));
        fs::remove_file(dir.join(part)).unwrap();
        assert_damaged(&dir, part, "deleted");
        assert!(!dir.join(part).exists(), "nothing is made in its place");
        fs::write(dir.join(part), "").unwrap();
        assert_damaged(&dir, part, "emptied");
    }
    let dir = state.copy("no chain");
    fs::remove_dir_all(dir.join("chain")).unwrap();
    assert_damaged(&dir, LOG, "folder deleted");
    assert_eq!(finish(&state.copy("whole"), &ARGS), state.result);
}

#[test]
fn a_finished_run_needs_its_parts() {
    let state = Unfinished::new();
    let whole = state.copy("finished");
    finish(&whole, &ARGS);
    for part in [LOG, MESSAGER, MINER] {
        let dir = state.tmp.path().join(part.replace('/', " "));
        copy(&whole, &dir);
        fs::remove_file(dir.join(part)).unwrap();
        assert_damaged(&dir, part, "deleted");
    }
}

#[test]
fn cut_and_overwritten_parts_are_refused() {
    let state = Unfinished::new();
    for part in [MESSAGER, MINER] {
        let dir = state.copy(part);
        let path = dir.join(part);
        truncate(&path, len(&path) / 2);
        assert_damaged(&dir, part, "cut in half");
        truncate(&path, 1);
        assert_damaged(&dir, part, "one byte");
        fs::write(&path, "this is no database, and long enough to be looked at ".repeat(200)).unwrap();
        assert_damaged(&dir, part, "overwritten");
    }
    let dir = state.copy("swapped");
    fs::copy(dir.join(MESSAGER), dir.join(MINER)).unwrap();
    assert_damaged(&dir, MINER, "the database of another part");
}

#[test]
fn a_log_that_lost_blocks_is_refused() {
    let state = Unfinished::new();
    let whole = len(&state.copy("whole").join(LOG));
    // Down to a file without a block, and to less than a file begins with.
    for lost in [1, 30, 500, whole / 3, whole / 2, whole - 60, whole - 46, whole - 10] {
        let dir = state.copy(&format!("lost {lost}"));
        truncate(&dir.join(LOG), whole - lost);
        assert_damaged(&dir, LOG, &format!("{lost} of {whole} bytes lost"));
    }
    for at in [3, 20, 60, 100, whole as usize / 2, whole as usize - 20] {
        let dir = state.copy(&format!("flipped {at}"));
        flip(&dir.join(LOG), at);
        assert_damaged(&dir, LOG, &format!("byte {at} flipped"));
    }
    let other = state.tmp.path().join("other");
    finish(&other, &["--messages=1", "--miners=1", "--epochs=1", "--seed=6"]);
    let dir = state.copy("other genesis");
    fs::copy(other.join(LOG), dir.join(LOG)).unwrap();
    assert_damaged(&dir, LOG, "the chain of another run");
}

#[test]
fn a_record_torn_by_a_kill_is_continued() {
    let state = Unfinished::new();
    for (name, torn) in [("a", vec![7; 10]), ("b", vec![0; 24]), ("c", vec![0; 3_000])] {
        let dir = state.copy(name);
        let mut log = fs::read(dir.join(LOG)).unwrap();
        log.extend(torn);
        fs::write(dir.join(LOG), log).unwrap();
        assert_eq!(finish(&dir, &ARGS), state.result);
    }
}

/// A database put back from a copy of half an hour ago would have nonces assigned and blocks signed a second time.
#[test]
fn databases_from_an_earlier_copy_are_refused() {
    let state = Unfinished::new();
    let whole = state.copy("whole");
    let half = state.tmp.path().join("half");
    let running = Running::start(demo(&half, &ARGS));
    while fs::metadata(half.join(LOG)).map_or(0, |file| file.len()) < len(&whole.join(LOG)) / 3 {
        assert!(!running.ends_within(Duration::from_millis(1)), "ended early");
    }
    running.kill();
    for part in [MESSAGER, MINER] {
        let dir = state.copy(&format!("old {part}"));
        for end in ["", "-wal", "-shm"] {
            let name = format!("{part}{end}");
            let _ = fs::remove_file(dir.join(&name));
            if half.join(&name).exists() {
                fs::copy(half.join(&name), dir.join(&name)).unwrap();
            }
        }
        assert_damaged(&dir, part, "put back");
    }
    assert_eq!(finish(&half, &ARGS), state.result);
}
