//! Commands that look, mine and fork.

use std::str::FromStr;

use clap::Args;
use secrecy::ExposeSecret;
use serde_json::json;
use venus_core::api::Permissions;
use venus_core::json::Json;
use venus_core::types::{Address, Cid, address};
use venus_devnet::{
    AutoMine, ControlStatus, HeadInfo, MineReport, MineSpec, Producers, ReorgSpec, UntilSpec,
};

use super::ctx::Ctx;
use crate::error::CliError;
use crate::files;
use crate::run::{Genesis, tokens_of};

/// Mine tipsets now; the clock moves along
#[derive(Debug, Args)]
pub(super) struct MineArgs {
    /// Tipsets
    #[arg(default_value_t = 1)]
    count: u64,
    /// Only these miners: ID addresses
    #[arg(long, value_name = "MINERS", value_delimiter = ',', value_parser = miner)]
    miners: Option<Vec<Address>>,
    /// Epochs that stay empty before each tipset
    #[arg(long, value_name = "N", default_value_t = 0)]
    nulls: u64,
}

/// Mine until a message was executed
#[derive(Debug, Args)]
pub(super) struct UntilArgs {
    /// CID of the message
    message: Cid,
    /// Epochs on top of it
    #[arg(long, value_name = "N", default_value_t = 0)]
    confidence: u64,
    /// Epochs after which to give up
    #[arg(long, value_name = "N", default_value_t = 20)]
    epochs: u64,
}

/// Replace the last tipsets by a heavier branch
#[derive(Debug, Args)]
pub(super) struct ForkArgs {
    /// Tipsets that the chain loses
    #[arg(long, value_name = "N", default_value_t = 1)]
    depth: u64,
    /// Tipsets that the branch has at least
    #[arg(long, value_name = "N", default_value_t = 1)]
    tipsets: u64,
    /// Throw the messages of lost tipsets away; else they wait in the pool again
    #[arg(long)]
    drop_messages: bool,
}

/// When epochs are mined.
#[derive(Clone, Copy, Debug)]
pub(super) struct When(AutoMine);

impl FromStr for When {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Ok(Self(match text {
            "off" => AutoMine::Off,
            "clock" => AutoMine::Clock,
            ms => AutoMine::Every { ms: ms.parse().map_err(|_| "is neither off, clock, nor milliseconds")? },
        }))
    }
}

fn miner(text: &str) -> Result<Address, String> {
    address::parse(text).map_err(|e| e.to_string())
}

pub(super) async fn status(ctx: &Ctx) -> Result<(), CliError> {
    let status = ctx.client().await?.status().await?;
    print_status(ctx, &status)
}

pub(super) async fn mine(ctx: &Ctx, args: MineArgs) -> Result<(), CliError> {
    let MineArgs { count, miners, nulls } = args;
    let report = ctx.client().await?.mine(&MineSpec { miners, nulls, count }).await?;
    print_mined(ctx, &report)
}

pub(super) async fn advance(ctx: &Ctx, epochs: u64) -> Result<(), CliError> {
    let report = ctx.client().await?.advance(epochs).await?;
    print_mined(ctx, &report)
}

pub(super) async fn until(ctx: &Ctx, args: UntilArgs) -> Result<(), CliError> {
    let UntilArgs { message, confidence, epochs } = args;
    let found = ctx.client().await?.mine_until(&UntilSpec { message, confidence, epochs }).await?;
    let (height, exit) = (found.height, found.receipt.exit_code.value());
    let text = format!("executed by epoch {height}: exit code {exit}, gas {}", found.receipt.gas_used);
    ctx.print(&text, &Json(found))
}

pub(super) async fn null(ctx: &Ctx, epochs: u64) -> Result<(), CliError> {
    let last = ctx.client().await?.null_rounds(epochs).await?;
    ctx.print(&format!("empty up to epoch {last}"), &json!({ "empty_to": last }))
}

pub(super) async fn fork(ctx: &Ctx, args: ForkArgs) -> Result<(), CliError> {
    let ForkArgs { depth, tipsets, drop_messages } = args;
    let report = ctx.client().await?.fork(&ReorgSpec { depth, tipsets, drop_messages }).await?;
    let text = format!(
        "left     {}\nsince    {}\nhead     {}\ndropped  {} messages",
        head(&report.old_head),
        head(&report.ancestor),
        head(&report.head),
        report.dropped
    );
    ctx.print(&text, &report)
}

pub(super) async fn auto(ctx: &Ctx, when: When) -> Result<(), CliError> {
    let status = ctx.client().await?.set_auto_mine(when.0).await?;
    print_status(ctx, &status)
}

pub(super) async fn producers(ctx: &Ctx, miners: &[String]) -> Result<(), CliError> {
    let producers = match miners {
        [all] if all == "all" => Producers::All,
        [none] if none == "none" => Producers::Outside,
        listed => {
            let listed = listed.iter().map(|text| miner(text)).collect::<Result<_, _>>();
            Producers::Listed(listed.map_err(CliError::Usage)?)
        }
    };
    let status = ctx.client().await?.set_producers(&producers).await?;
    print_status(ctx, &status)
}

pub(super) async fn freeze(ctx: &Ctx, frozen: bool) -> Result<(), CliError> {
    let status = ctx.client().await?.set_frozen(frozen).await?;
    print_status(ctx, &status)
}

/// Made from the secret in the directory.
pub(super) fn token(ctx: &Ctx, perm: &str) -> Result<(), CliError> {
    if files::read(&ctx.dir.join(files::SECRET))?.is_none() {
        return Err(CliError::NotRunning(ctx.dir.clone()));
    }
    let token = tokens_of(&ctx.dir)?.issue(Permissions::up_to(perm));
    let token = token.expose_secret();
    ctx.print(token, &json!({ "token": token, "perm": perm }))
}

pub(super) fn accounts(ctx: &Ctx) -> Result<(), CliError> {
    let genesis: Option<Genesis> = files::read_json(&ctx.dir.join(files::ACCOUNTS))?;
    let genesis = genesis.ok_or_else(|| CliError::NotRunning(ctx.dir.clone()))?;
    ctx.print(&genesis.text(), &genesis)
}

fn print_mined(ctx: &Ctx, report: &MineReport) -> Result<(), CliError> {
    let MineReport { tipsets, blocks, nulls, .. } = report;
    let text =
        format!("{tipsets} tipsets of {blocks} blocks, {nulls} empty epochs\nhead {}", head(&report.head));
    ctx.print(&text, report)
}

fn print_status(ctx: &Ctx, status: &ControlStatus) -> Result<(), CliError> {
    let list = |miners: &[Address]| match miners {
        [] => "nobody".to_owned(),
        miners => miners
            .iter()
            .map(|m| address::format(m, venus_core::types::Network::Testnet))
            .collect::<Vec<_>>()
            .join(" "),
    };
    let mining = match status.auto_mine {
        _ if status.frozen => "frozen".to_owned(),
        AutoMine::Off => "on demand".to_owned(),
        AutoMine::Clock => format!("every {} s", status.block_delay),
        AutoMine::Every { ms } => format!("every {ms} ms"),
    };
    let clock = if status.manual_clock { "manual" } else { "running" };
    let text = format!(
        "network  {}\nhead     {}\nclock    epoch {}, {clock}\nmining   {mining}\nmines    {}\noutside  {}\nblocks   {}\nreorgs   {}\npending  {} messages",
        status.network,
        head(&status.head),
        status.epoch,
        list(&status.miners),
        list(&status.outside_miners),
        status.blocks,
        status.reorgs,
        status.pending
    );
    ctx.print(&text, status)
}

fn head(head: &HeadInfo) -> String {
    let cids: Vec<String> = head.cids.iter().map(Cid::to_string).collect();
    format!("epoch {} {}", head.height, cids.join(" "))
}
