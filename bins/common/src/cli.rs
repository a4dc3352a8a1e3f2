//! The shell around commands: usage, errors, answers and completions, as the Go programs give them.

use std::fmt::Display;
use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::error::{ContextKind, ErrorKind};
use clap::{CommandFactory, Parser};
use clap_complete::Shell;
use serde::Serialize;

use crate::files;

/// Exit code of Go's command lines for a command that is none.
const NO_TOPIC: u8 = 3;

/// Reads the command line. What cannot be read is answered here; then only the exit code is left to give back: that of
/// Go for a command that is none, `wrong` for everything else, success where help or version was asked for.
///
/// # Errors
/// The exit code.
pub fn parse<C: Parser>(wrong: u8) -> Result<C, ExitCode> {
    C::try_parse().map_err(|error| {
        let named = error.get(ContextKind::InvalidSubcommand);
        if let (ErrorKind::InvalidSubcommand, Some(name)) = (error.kind(), named) {
            let _ = writeln!(io::stderr(), "No help topic for '{name}'");
            return ExitCode::from(NO_TOPIC);
        }
        // Whoever cannot read the text needs no error about it.
        let _ = error.print();
        if error.exit_code() == 0 { ExitCode::SUCCESS } else { ExitCode::from(wrong) }
    })
}

/// Where a program's commands say what went wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Errors {
    /// As sophon-auth and venus-wallet.
    Stdout,
    /// As sophon-gateway.
    Stderr,
}

/// The exit code of a command that ended so. Its error goes where the Go program writes it, or as JSON to standard
/// output if `json`.
pub fn exit(json: bool, done: Result<(), impl Display>, errors: Errors) -> ExitCode {
    let Err(error) = done else { return ExitCode::SUCCESS };
    let text = error.to_string();
    // Whoever closed the output wants to know no more.
    let _ = match errors {
        _ if json => writeln!(io::stdout().lock(), "{}", serde_json::json!({ "error": text })),
        Errors::Stdout => writeln!(io::stdout().lock(), "{text}"),
        Errors::Stderr => writeln!(io::stderr().lock(), "{text}"),
    };
    ExitCode::FAILURE
}

/// Prints `text`, or `value` as one line of JSON if `json`, and the end of the line.
///
/// # Errors
/// The output is closed, or `value` is no JSON.
pub fn print(json: bool, text: impl Display, value: &impl Serialize) -> io::Result<()> {
    let text = if json { serde_json::to_string(value)? } else { text.to_string() };
    let mut out = io::stdout().lock();
    let done = writeln!(out, "{text}").and_then(|()| out.flush());
    done.map_err(|error| io::Error::new(error.kind(), format!("standard output: {error}")))
}

/// Prints the completions of a command line for a shell.
///
/// # Errors
/// The output is closed.
pub fn completions<C: CommandFactory>(shell: Shell, name: &str) -> io::Result<()> {
    // In one go, because the generator itself panics where it cannot write.
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut C::command(), name, &mut script);
    io::stdout().lock().write_all(&script)
}

/// A component's directory: the given one, or the first of the environment variables that is set, or the first of
/// `usual` that exists, or the first of them.
#[must_use]
pub fn repo(given: Option<&str>, variables: &[&str], usual: &[&str]) -> PathBuf {
    let variable = |name: &&str| std::env::var(name).ok().filter(|text| !text.is_empty());
    let given = given.map(str::to_owned).or_else(|| variables.iter().find_map(variable));
    if let Some(given) = given {
        return files::expand(&given);
    }
    let paths: Vec<PathBuf> = usual.iter().map(|path| files::expand(path)).collect();
    let there = paths.iter().find(|path| path.exists()).or(paths.first());
    there.cloned().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn directories_in_their_order() {
        let tmp = tempfile::tempdir().unwrap();
        let (old, new) = (tmp.path().join("old"), tmp.path().join("new"));
        let (old_text, new_text) = (old.to_str().unwrap(), new.to_str().unwrap());
        let found = || repo(None, &["VENUS_TEST_OF_NO_SUCH_VARIABLE"], &[new_text, old_text]);
        assert_eq!(found(), new);
        std::fs::create_dir(&old).unwrap();
        assert_eq!(found(), old);
        std::fs::create_dir(&new).unwrap();
        assert_eq!(found(), new);
        assert_eq!(repo(Some("given"), &[], &[new_text]), PathBuf::from("given"));
    }
}
