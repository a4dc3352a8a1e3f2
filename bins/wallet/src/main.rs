//! The wallet of a Venus storage pool. See the README.

mod cli;
mod config;
mod daemon;
mod init;
mod nettype;

use std::process::ExitCode;

fn main() -> ExitCode {
    cli::main()
}
