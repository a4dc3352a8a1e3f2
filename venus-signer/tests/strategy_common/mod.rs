//! Keys, callers and questions that the tests of strategies share.

#![allow(dead_code, unreachable_pub)]

use venus_core::api::Permissions;
use venus_core::types::{Address, Message, MsgType, TokenAmount, address};
use venus_signer::Caller;
use venus_signer::strategy::{Level, MemoryStrategyStore, StToken, Strategy, StrategyOptions};

pub const KEY: &str = "f17uoq6tp427uzv7fztkbsnn64iwotfrristwpryy";
pub const OTHER: &str = "f1abjxfbp274xpdqcpuaykwkfb43omjotacm2p3za";

pub fn key() -> Address {
    address::parse(KEY).unwrap()
}

pub fn other() -> Address {
    address::parse(OTHER).unwrap()
}

pub fn texts(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

pub fn options(level: Level) -> StrategyOptions {
    StrategyOptions { level, ..Default::default() }
}

pub async fn at(level: Level) -> Strategy {
    Strategy::open(MemoryStrategyStore::new(), options(level)).await.unwrap()
}

pub fn user() -> Caller {
    Caller::rpc("user", Permissions::up_to("sign"))
}

pub fn holder(token: &StToken) -> Caller {
    Caller { strategy_token: Some(token.into()), ..user() }
}

pub fn through_gateway(accounts: &[&str]) -> Caller {
    Caller::gateway("hub", texts(accounts))
}

pub fn message(to: &str, method: u64) -> Message {
    Message {
        version: 0,
        from: key(),
        to: address::parse(to).unwrap(),
        sequence: 1,
        value: TokenAmount::from_atto(1),
        method_num: method,
        params: Default::default(),
        gas_limit: 1,
        gas_fee_cap: TokenAmount::from_atto(1),
        gas_premium: TokenAmount::from_atto(1),
    }
}

pub async fn may(strategy: &Strategy, caller: &Caller, msg_type: MsgType) -> Result<(), String> {
    strategy.verify(caller, &key(), msg_type, None).await.map_err(|error| error.to_string())
}

pub async fn may_send(strategy: &Strategy, caller: &Caller, to: &str, method: u64) -> Result<(), String> {
    let message = message(to, method);
    let verified = strategy.verify(caller, &key(), MsgType::ChainMessage, Some(&message)).await;
    verified.map_err(|error| error.to_string())
}

/// A token of group `g`, which has key bind `kb`.
pub async fn granted(strategy: &Strategy, codes: &[i64], methods: &[&str]) -> StToken {
    strategy.new_key_bind("kb", &key(), codes, &texts(methods)).await.unwrap();
    strategy.new_group("g", &texts(&["kb"])).await.unwrap();
    strategy.new_token("g").await.unwrap()
}

pub const NONE: &str = "data does not exists";
