//! Commands that change the state against the rules of the protocol.

use clap::Subcommand;
use serde_json::json;
use venus_core::rpc::CallError;
use venus_core::types::{Address, BigInt, ChainEpoch, Network, TokenAmount, address, fil};

use super::ctx::Ctx;
use crate::error::CliError;
use crate::run::args;

/// What can be given and set.
#[derive(Debug, Subcommand)]
pub(super) enum AmountCommand {
    /// Give FIL to an address; it comes from the remainder account f090
    Fund {
        /// Any address; an account is made for a key that has none
        #[arg(value_parser = any)]
        address: Address,
        /// FIL, as 1.5, or with a unit, as "7 nanoFIL"
        #[arg(value_parser = args::fil)]
        amount: TokenAmount,
    },
    /// Set the balance of an address
    Balance {
        /// Any address
        #[arg(value_parser = any)]
        address: Address,
        /// FIL
        #[arg(value_parser = args::fil)]
        amount: TokenAmount,
    },
    /// Set the base fee of the next tipset
    BaseFee {
        /// attoFIL, at least 100
        atto: u64,
    },
    /// Give power to a miner, without sectors
    Power {
        /// ID address
        #[arg(value_parser = any)]
        miner: Address,
        /// Bytes; negative to take away
        #[arg(allow_hyphen_values = true)]
        bytes: BigInt,
    },
}

fn any(text: &str) -> Result<Address, String> {
    address::parse(text).map_err(|e| e.to_string())
}

pub(super) async fn run(ctx: &Ctx, command: AmountCommand) -> Result<(), CliError> {
    let client = ctx.client().await?;
    match command {
        AmountCommand::Fund { address, amount } => {
            let text = format!("{} gets {}", name(&address), fil(&amount));
            effect(ctx, &text, client.fund(&address, &amount).await)
        }
        AmountCommand::Balance { address, amount } => {
            let text = format!("{} has {}", name(&address), fil(&amount));
            effect(ctx, &text, client.set_balance(&address, &amount).await)
        }
        AmountCommand::BaseFee { atto } => {
            let text = format!("the base fee is {atto} attoFIL");
            effect(ctx, &text, client.set_base_fee(&TokenAmount::from_atto(atto)).await)
        }
        AmountCommand::Power { miner, bytes } => {
            let text = format!("{} has {bytes} bytes more of power", name(&miner));
            effect(ctx, &text, client.grant_power(&miner, &bytes).await)
        }
    }
}

/// Tells when a change takes effect.
pub(super) fn effect(ctx: &Ctx, text: &str, epoch: Result<ChainEpoch, CallError>) -> Result<(), CliError> {
    let epoch = epoch?;
    ctx.print(
        &format!("{text}, once there is a tipset of epoch {epoch} or later"),
        &json!({ "epoch": epoch }),
    )
}

pub(super) fn name(a: &Address) -> String {
    address::format(a, Network::Testnet)
}
