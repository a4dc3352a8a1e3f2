//! The Venus storage pool in one program. See the README.

mod args;
mod demo;

use std::io::{self, Write};
use std::process::ExitCode;

use clap::{CommandFactory, Parser};
use clap_complete::Shell;

use args::{Cli, Command};

fn main() -> ExitCode {
    match Cli::parse().command {
        Command::Demo(args) => demo::main(&args),
        Command::Completions { shell } => match print_completions(shell) {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => {
                // A closed stderr is no reason to fail in another way.
                let _ =
                    writeln!(io::stderr(), "error: cannot write the completion script to stdout: {error}");
                ExitCode::FAILURE
            }
        },
    }
}

/// In one go, because the generator itself panics where it cannot write.
fn print_completions(shell: Shell) -> io::Result<()> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "venus-pool", &mut script);
    let mut out = io::stdout().lock();
    out.write_all(&script)?;
    out.flush()
}
