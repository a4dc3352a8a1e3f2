//! The accounts of a Venus storage pool. See the README.

mod cli;
mod config;
mod daemon;
mod files;
mod listen;

use std::process::ExitCode;

fn main() -> ExitCode {
    cli::main()
}
