//! A Filecoin chain on one machine. See the README.

mod cli;
mod error;
mod files;
mod run;

use std::process::ExitCode;

fn main() -> ExitCode {
    cli::main()
}
