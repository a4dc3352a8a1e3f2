#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
//! Rules of CONTRIBUTING that no lint checks.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

use cargo_metadata::{MetadataCommand, Package};
use venus_tests::workspace::{root, rust_files};

/// Above this a file is split by meaning.
const LINES: usize = 800;

fn packages() -> Vec<Package> {
    let metadata = MetadataCommand::new().manifest_path(root().join("Cargo.toml")).no_deps().exec().unwrap();
    metadata.workspace_packages().into_iter().cloned().collect()
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Rust files under `src` of every member: what is shipped, as opposed to tests, benches and examples.
fn sources() -> Vec<PathBuf> {
    let folders = packages().into_iter().map(|p| p.manifest_path.parent().unwrap().join("src"));
    folders.flat_map(|src| rust_files(src.as_std_path()).unwrap()).collect()
}

/// The code of a line, without its comment.
fn code(line: &str) -> &str {
    line.split_once("//").map_or(line, |(code, _)| code)
}

fn has_word(code: &str, word: &str) -> bool {
    code.split(|c: char| !c.is_alphanumeric() && c != '_').any(|found| found == word)
}

/// Places in `files` whose code has one of `words` as a word of its own.
fn places(files: &[PathBuf], words: &[&str]) -> Vec<String> {
    let mut found = Vec::new();
    for file in files {
        for (number, line) in read(file).lines().enumerate() {
            if words.iter().any(|word| has_word(code(line), word)) {
                found.push(format!("{}:{}", file.display(), number + 1));
            }
        }
    }
    found
}

#[test]
fn words_are_found_in_code_only() {
    assert!(has_word(code("    unsafe { work() }"), "unsafe"));
    assert!(has_word(code("let x = todo!();"), "todo"));
    assert!(!has_word(code("#![deny(unsafe_code)]"), "unsafe"));
    assert!(!has_word(code("run(); // never unsafe"), "unsafe"));
}

#[test]
fn no_file_is_too_long() {
    let files = rust_files(root()).unwrap();
    assert!(files.len() > 20);
    let long: Vec<_> = files.iter().filter(|file| read(file).lines().count() > LINES).collect();
    assert!(long.is_empty(), "more than {LINES} lines, split by meaning: {long:?}");
}

#[test]
fn shipped_code_is_finished() {
    let files = sources();
    assert!(files.len() > 20);
    assert_eq!(places(&files, &["todo", "unimplemented"]), Vec::<String>::new());
}

/// The one test that counts the bytes that decoders allocate: an allocator cannot be written without it.
const COUNTING_ALLOCATOR: &str = "fuzz_bodies.rs";

#[test]
fn no_code_is_unsafe() {
    let here = Path::new(file!()).file_name().unwrap();
    let mut files = rust_files(root()).unwrap();
    let counts = Path::new("tests").join(COUNTING_ALLOCATOR);
    files.retain(|file| file.file_name() != Some(here) && !file.ends_with(&counts));
    assert_eq!(places(&files, &["unsafe"]), Vec::<String>::new());
    let allowed: Vec<_> = files.iter().filter(|file| read(file).contains("allow(unsafe_code")).collect();
    assert!(allowed.is_empty(), "the lint is switched off in {allowed:?}");
}

/// Attacks, defects of the Go programs, invariants and demands, by the names of their tests; tests/README.md says which
/// is which.
#[test]
fn attacks_defects_and_demands_have_their_tests() {
    let numbered = |prefix: &'static str, most: u32, width: usize| {
        (1..=most).map(move |n| format!("{prefix}{n:0width$}_"))
    };
    let all = numbered("t", 22, 2).chain(numbered("b9_", 11, 2)).chain(numbered("i", 8, 1));
    let all: Vec<String> = all.chain(numbered("seed_s", 14, 2)).collect();
    let mut names = Vec::new();
    for file in rust_files(root()).unwrap() {
        let text = read(&file);
        let found = text.split("fn ").skip(1).filter_map(|rest| rest.split('(').next());
        names.extend(found.filter(|name| all.iter().any(|id| name.starts_with(id))).map(str::to_owned));
    }
    let missing: Vec<_> = all.iter().filter(|id| !names.iter().any(|name| name.starts_with(*id))).collect();
    assert!(missing.is_empty(), "without a test: {missing:?}");
    names.sort();
    let twice: Vec<_> = names.windows(2).filter(|pair| pair[0] == pair[1]).collect();
    assert!(twice.is_empty(), "names that stand twice: {twice:?}");
}

#[test]
fn every_crate_begins_with_its_documentation() {
    let packages = packages();
    assert!(packages.len() > 9);
    for package in packages {
        let folder = package.manifest_path.parent().unwrap().as_std_path();
        let readme = read(&folder.join("README.md"));
        assert!(readme.starts_with("# "), "{}: README needs a title", package.name);
        for target in package.targets.iter().filter(|target| target.is_lib() || target.is_bin()) {
            let text = read(target.src_path.as_std_path());
            let documented = text.starts_with("//!") || text.starts_with("#![doc");
            assert!(documented, "{} must begin with documentation", target.src_path);
        }
    }
}

/// The commands of the first `sh` block under `## Quick start`.
fn set_up_commands(readme: &str) -> Vec<&str> {
    let section = readme.split_once("\n## Quick start\n").expect("README needs a Quick start").1;
    let section = section.split("\n## ").next().unwrap();
    assert_eq!(section.matches("```").count(), 2, "one block of commands in Quick start");
    let block = section.split_once("```sh\n").expect("a block tagged sh").1;
    block.split("```").next().unwrap().lines().filter(|line| !line.trim().is_empty()).collect()
}

#[test]
fn readme_sets_up_with_two_commands() {
    let readme = read(&root().join("README.md"));
    let commands = set_up_commands(&readme);
    assert_eq!(commands.len(), 2, "{commands:?}");
    assert!(commands[0].starts_with("cargo run --bin venus-pool -- demo"), "the first runs the main job");
    assert!(commands[1].starts_with("cargo test"), "the second passes the tests");
}

#[test]
fn every_example_is_built_listed_and_real() {
    let folder = root().join("examples");
    let on_disk: BTreeSet<String> = fs::read_dir(&folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter_map(|name| name.strip_suffix(".rs").map(str::to_owned))
        .collect();
    let package = packages().into_iter().find(|p| p.name.as_str() == "venus-examples").unwrap();
    let built: BTreeSet<String> = package
        .targets
        .iter()
        .filter(|target| target.is_example())
        .map(|target| target.name.clone())
        .collect();
    let readme = read(&folder.join("README.md"));
    let rows = readme.lines().filter_map(|line| line.strip_prefix("| `"));
    let listed: BTreeSet<String> =
        rows.filter_map(|row| row.split_once(".rs`")).map(|(n, _)| n.to_owned()).collect();
    assert!(!on_disk.is_empty());
    assert_eq!(built, on_disk, "[[example]] entries against files");
    assert_eq!(listed, on_disk, "rows of examples/README.md against files");
}

#[test]
fn a_file_of_examples_is_short() {
    for file in rust_files(&root().join("examples")).unwrap() {
        let lines = read(&file).lines().count();
        assert!(lines <= 120, "{} has {lines} lines: an example is one topic", file.display());
    }
}
