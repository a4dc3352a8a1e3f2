//! The Venus storage pool in one program. See the README.

mod args;
mod demo;

use std::io;
use std::process::ExitCode;

use clap::{CommandFactory, Parser};

use args::{Cli, Command};

fn main() -> ExitCode {
    match Cli::parse().command {
        Command::Demo(args) => demo::main(&args),
        Command::Completions { shell } => {
            clap_complete::generate(shell, &mut Cli::command(), "venus-pool", &mut io::stdout());
            ExitCode::SUCCESS
        }
    }
}
