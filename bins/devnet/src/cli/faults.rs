//! Commands that make things go wrong.

use clap::{Args, Subcommand, ValueEnum};
use serde_json::json;
use venus_core::types::{Address, address};
use venus_devnet::{RpcFaultKind, RpcFaultSpec};

use super::amounts::{effect, name};
use super::ctx::Ctx;
use crate::error::CliError;

/// Let things go wrong
#[derive(Debug, Subcommand)]
pub(super) enum FaultCommand {
    Rpc(RpcArgs),
    /// Make sectors faulty: their power is gone
    Sectors(SectorArgs),
    /// Bring faulty sectors back with their power
    Recover(SectorArgs),
    /// Forget the faults of calls that have not happened yet
    Clear,
}

/// Sectors of a miner
#[derive(Debug, Args)]
pub(super) struct SectorArgs {
    /// ID address of the miner
    #[arg(value_parser = any)]
    miner: Address,
    /// Numbers of the sectors, as 0,1,2
    #[arg(required = true, value_delimiter = ',')]
    sectors: Vec<u64>,
}

fn any(text: &str) -> Result<Address, String> {
    address::parse(text).map_err(|e| e.to_string())
}

/// Let the next calls of a method go wrong, on the face that is asked
#[derive(Debug, Args)]
pub(super) struct RpcArgs {
    /// The method, as ChainHead; `*` for any
    method: String,
    /// What goes wrong
    #[arg(long, value_enum)]
    kind: Kind,
    /// How many calls
    #[arg(long, value_name = "N", default_value_t = 1)]
    count: u64,
    /// Milliseconds of a delay
    #[arg(long, value_name = "MS", default_value_t = 0)]
    ms: u64,
    /// Code of an error
    #[arg(long, value_name = "CODE", default_value_t = 1, allow_hyphen_values = true)]
    code: i64,
    /// Text of an error
    #[arg(long, value_name = "TEXT", default_value = "injected fault")]
    message: String,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Kind {
    /// The answer comes later
    Delay,
    /// The answer is an error
    Error,
    /// No answer comes
    Drop,
    /// The connection breaks
    Disconnect,
    /// The channel is closed as if its reader were too slow
    SlowReader,
}

pub(super) async fn run(ctx: &Ctx, command: FaultCommand) -> Result<(), CliError> {
    let client = ctx.client().await?;
    match command {
        FaultCommand::Rpc(args) => {
            let spec = args.spec();
            client.inject_rpc_fault(&spec).await?;
            ctx.print(&format!("the next {} calls of {} go wrong", spec.count, spec.method), &spec)
        }
        FaultCommand::Sectors(SectorArgs { miner, sectors }) => {
            let text = format!("{} sectors of {} are faulty", sectors.len(), name(&miner));
            effect(ctx, &text, client.fault_sectors(&miner, &sectors).await)
        }
        FaultCommand::Recover(SectorArgs { miner, sectors }) => {
            let text = format!("{} sectors of {} are back", sectors.len(), name(&miner));
            effect(ctx, &text, client.recover_sectors(&miner, &sectors).await)
        }
        FaultCommand::Clear => {
            client.clear_faults().await?;
            ctx.print("cleared", &json!({ "cleared": true }))
        }
    }
}

impl RpcArgs {
    fn spec(self) -> RpcFaultSpec {
        let kind = match self.kind {
            Kind::Delay => RpcFaultKind::Delay,
            Kind::Error => RpcFaultKind::Error,
            Kind::Drop => RpcFaultKind::Drop,
            Kind::Disconnect => RpcFaultKind::Disconnect,
            Kind::SlowReader => RpcFaultKind::SlowReader,
        };
        let mut spec = RpcFaultSpec::new(self.method, kind);
        (spec.count, spec.ms, spec.code, spec.message) = (self.count, self.ms, self.code, self.message);
        spec
    }
}
