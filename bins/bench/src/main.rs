//! `venus-bench`: measures the Venus crates and prints the figures, as a table or as one line of JSON.

mod core_suite;
mod devnet_suite;
mod gateway_suite;
mod measure;
mod report;
mod signer_suite;

use std::{io::Write, process::ExitCode, time::Duration};

use clap::{Parser, ValueEnum};

use crate::measure::{BenchError, Effort};
use crate::report::{Report, table};

#[derive(Debug, Parser)]
#[command(name = "venus-bench", version, about = "Measures the Venus crates")]
struct Cli {
    /// What to measure.
    suite: Suite,
    /// Print one line of JSON instead of a table.
    #[arg(long)]
    json: bool,
    /// Rounds of each measure; the reported figures are medians over them.
    #[arg(long, default_value_t = 301, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    rounds: u32,
    /// About how long each of the two ways runs in a round, milliseconds. Short rounds mostly escape what else the
    /// machine does.
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u64).range(1..=10_000))]
    slice_ms: u64,
    /// Of the suite `gateway`: only the measures whose names begin so.
    #[arg(long, default_value = "")]
    only: String,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Suite {
    /// Messages, addresses, tipsets and calls of venus-core.
    Core,
    /// Epochs of venus-devnet, beside the signatures that they cannot do without.
    Devnet,
    /// Signatures through venus-gateway and tokens through venus-auth, over sockets and between processes.
    Gateway,
    /// Signatures of venus-signer, bare and with everything that a wallet does about them.
    Signer,
    /// One of the processes of the suite `gateway`; its standard input says which.
    #[value(hide = true)]
    Child,
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    match run(&cli) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("venus-bench: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(cli: &Cli) -> Result<(), BenchError> {
    let effort = Effort { rounds: cli.rounds, slice: Duration::from_millis(cli.slice_ms) };
    let measures = match cli.suite {
        Suite::Core => core_suite::measure(&effort)?,
        Suite::Devnet => devnet_suite::measure(&effort)?,
        Suite::Gateway => gateway_suite::measure(&effort, &cli.only)?,
        Suite::Child => return gateway_suite::child(),
        Suite::Signer => signer_suite::measure(&effort)?,
    };
    if cfg!(debug_assertions) {
        eprintln!("venus-bench: this is a debug build, its figures say nothing; use `cargo run --release`");
    }
    let text = if cli.json { serde_json::to_string(&Report::new(&measures))? } else { table(&measures) };
    writeln!(std::io::stdout(), "{text}")?;
    Ok(())
}
