//! The gateway of a Venus storage pool. See the README.

mod cli;
mod config;
mod daemon;

use std::process::ExitCode;

fn main() -> ExitCode {
    cli::main()
}
