//! The wallet of a Venus storage pool. See the README.

mod cli;

use std::process::ExitCode;

fn main() -> ExitCode {
    cli::main()
}
