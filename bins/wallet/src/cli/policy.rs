//! `policy` commands. They work on files, without a running wallet.

use std::io::Read;
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use data_encoding::{BASE64, HEXLOWER_PERMISSIVE};
use serde_json::{Map, Value, json};
use venus_core::api::Permissions;
use venus_core::cbor::{Decode, Encode};
use venus_core::json::Json;
use venus_core::types::{Address, Message, MsgMeta, MsgType, SignedMessage, address};
use venus_signer::policy::{Explanation, Policy, PolicyConfig};
use venus_signer::{Caller, MessageToSign, Origin, Payload, Review, SignRequest, SigningNetwork};

use super::{CliError, Ctx};
use crate::config::{Config, ConfigError};
use crate::daemon::parts;

/// What a denied request ends with. Errors end with 1.
const DENIED: i32 = 2;
/// The greatest payload that is read.
const MAX_INPUT: u64 = 4 << 20;

/// The commands.
#[derive(Debug, Subcommand)]
pub(crate) enum PolicyCommand {
    /// Says whether a policy lets a request pass, and why. Ends with 0 if it does, 2 if not, 1 after an error.
    Check(Box<CheckArgs>),
    /// Prints the policy that a file stands for, defaults included.
    Show {
        /// The policy file (TOML); without one that of the wallet in the repository.
        file: Option<PathBuf>,
    },
    /// Reads a policy file, and says what is wrong with it.
    Validate {
        /// The policy file (TOML).
        file: PathBuf,
    },
}

/// A request.
#[derive(Debug, Args)]
pub(crate) struct CheckArgs {
    /// The payload: JSON of a message, or its CBOR in hex or base64; other types: the bytes to sign in hex or base64.
    /// `@FILE` reads a file, `-` standard input.
    payload: String,
    /// The policy file (TOML); without one that of the wallet in the repository, or the preset `mining`.
    #[arg(long, value_name = "FILE")]
    policy: Option<PathBuf>,
    /// The message type, as `message`, `block`, `unknown`.
    #[arg(long = "type", default_value = "message", value_name = "TYPE")]
    msg_type: String,
    /// The address that signs; the sender of a message without it.
    #[arg(long, value_name = "ADDRESS")]
    key: Option<String>,
    /// The chain ID of Ethereum transactions, instead of the wallet's.
    #[arg(long, value_name = "ID")]
    chain_id: Option<u64>,
    /// The network's name in F3 payloads; any without it.
    #[arg(long, value_name = "NAME")]
    f3_network: Option<String>,
    #[command(flatten)]
    caller: CallerArgs,
}

/// Who asks.
#[derive(Debug, Args)]
struct CallerArgs {
    /// How the request comes.
    #[arg(long, default_value = "rpc", value_parser = ["embedded", "rpc", "gateway", "offline"])]
    origin: String,
    /// The subject of the caller's token.
    #[arg(long, default_value = "")]
    subject: String,
    /// The caller's level.
    #[arg(long, default_value = "sign", value_parser = ["none", "read", "write", "sign", "admin"])]
    perm: String,
    /// An account on whose behalf a gateway asks. May be repeated.
    #[arg(long = "account", value_name = "ACCOUNT")]
    accounts: Vec<String>,
    /// The hub that passes the request on.
    #[arg(long, default_value = "")]
    hub: String,
    /// The caller presents a strategy token.
    #[arg(long)]
    strategy_token: bool,
}

/// Runs one.
pub(crate) async fn run(ctx: &Ctx, command: PolicyCommand) -> Result<(), CliError> {
    match command {
        PolicyCommand::Check(args) => check(ctx, &args).await,
        PolicyCommand::Show { file } => {
            let config = load(ctx, file.as_deref())?;
            policy(&config)?;
            ctx.print(&describe(&config)?, &config)
        }
        PolicyCommand::Validate { file } => {
            let config = load(ctx, Some(&file))?;
            policy(&config)?;
            let count = config.rules.len();
            let text = format!("{}: {count} rules, no error", file.display());
            ctx.print(&text, &json!({"valid": true, "rules": count}))
        }
    }
}

async fn check(ctx: &Ctx, args: &CheckArgs) -> Result<(), CliError> {
    let explanation = explain(ctx, args).await?;
    ctx.print(&explanation.to_string(), &explanation)?;
    if !explanation.is_allowed() {
        // Not an error of this program: scripts tell the two apart by the exit code.
        std::process::exit(DENIED);
    }
    Ok(())
}

async fn explain(ctx: &Ctx, args: &CheckArgs) -> Result<Explanation, CliError> {
    let policy = policy(&load(ctx, args.policy.as_deref())?)?;
    let mut network = parts::signing_network(ctx, &wallet(ctx)?.unwrap_or_default());
    network.chain_id = args.chain_id.unwrap_or(network.chain_id);
    network.f3_name = args.f3_network.clone().or(network.f3_name);
    let kind = MsgType::from_name(&args.msg_type)
        .ok_or_else(|| CliError(format!("--type: {:?} is no message type", args.msg_type)))?;
    let key = args.key.as_deref().map(address::parse).transpose();
    let key = key.map_err(|error| CliError(format!("--key: {error}")))?;
    let input = input(&args.payload)?;
    let asked = match kind {
        MsgType::ChainMessage => message_request(&input, key, &network)?,
        _ => raw_request(&input, kind, key)?,
    };
    let caller = caller(&args.caller);
    let request =
        SignRequest { signer: asked.signer, to_sign: &asked.to_sign, meta: &asked.meta, caller: &caller };
    let payload = Payload::read(&request, &network).map_err(|error| CliError(error.to_string()))?;
    Ok(policy.explain(&Review { request: &request, payload: &payload }).await)
}

/// What a wallet would be asked.
struct Asked {
    signer: Address,
    to_sign: Vec<u8>,
    meta: MsgMeta,
}

fn message_request(input: &str, key: Option<Address>, network: &SigningNetwork) -> Result<Asked, CliError> {
    let message = message(input)?;
    let signable = MessageToSign::new(message, network).map_err(|error| CliError(error.to_string()))?;
    let mut meta = MsgMeta::of(MsgType::ChainMessage);
    meta.extra = signable.message().to_cbor();
    let signer = key.unwrap_or(signable.message().from);
    Ok(Asked { signer, to_sign: signable.signing_bytes().to_vec(), meta })
}

fn raw_request(input: &str, kind: MsgType, key: Option<Address>) -> Result<Asked, CliError> {
    let signer = key.ok_or_else(|| CliError(format!("--key: which key shall sign the {kind}?")))?;
    Ok(Asked { signer, to_sign: bytes(input)?, meta: MsgMeta::of(kind) })
}

fn message(input: &str) -> Result<Message, CliError> {
    if !input.starts_with('{') {
        return Message::from_cbor(&bytes(input)?).map_err(|error| CliError(format!("message: {error}")));
    }
    let signed = serde_json::from_str::<Value>(input).ok().filter(|value| value.get("Message").is_some());
    let read = match signed {
        Some(value) => serde_json::from_value::<SignedMessage>(value).map(|signed| signed.message),
        None => serde_json::from_str::<Json<Message>>(input).map(Json::into_inner),
    };
    read.map_err(|error| CliError(format!("message: {error}")))
}

fn bytes(input: &str) -> Result<Vec<u8>, CliError> {
    let hex = HEXLOWER_PERMISSIVE.decode(input.trim_start_matches("0x").as_bytes());
    let read = hex.or_else(|_| BASE64.decode(input.as_bytes()));
    read.map_err(|_| {
        CliError("payload: neither JSON of a message, nor hex, nor base64 (write @FILE for a file)".into())
    })
}

fn input(argument: &str) -> Result<String, CliError> {
    let mut text = String::new();
    let wrong = |error: std::io::Error| CliError(format!("payload: {error}"));
    match argument.strip_prefix('@') {
        Some(path) => {
            let file = std::fs::File::open(path).map_err(|error| CliError(format!("{path}: {error}")))?;
            file.take(MAX_INPUT).read_to_string(&mut text).map_err(wrong)?;
        }
        None if argument == "-" => {
            std::io::stdin().take(MAX_INPUT).read_to_string(&mut text).map_err(wrong)?;
        }
        None => text = argument.to_owned(),
    }
    Ok(text.trim().to_owned())
}

fn caller(args: &CallerArgs) -> Caller {
    let mut caller = match args.origin.as_str() {
        "gateway" => Caller::gateway(&args.hub, args.accounts.clone()),
        "rpc" => Caller::rpc(&args.subject, Permissions::up_to(&args.perm)),
        "offline" => Caller { origin: Origin::Offline, ..Caller::embedded() },
        _ => Caller::embedded(),
    };
    // Rules ask only whether there is one.
    caller.strategy_token = args.strategy_token.then(|| "present".into());
    caller
}

/// The configuration of the wallet, if there is one: files can be checked where there is none.
fn wallet(ctx: &Ctx) -> Result<Option<Config>, CliError> {
    match Config::read(ctx.repo()) {
        Ok(config) => Ok(Some(config)),
        Err(ConfigError::Missing(_)) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

fn load(ctx: &Ctx, file: Option<&Path>) -> Result<PolicyConfig, CliError> {
    let Some(file) = file else {
        return match wallet(ctx)? {
            Some(config) => Ok(parts::policy_config(ctx.repo(), &config)?),
            None => Ok(PolicyConfig::default()),
        };
    };
    let named = |error: &dyn std::fmt::Display| CliError(format!("{}: {error}", file.display()));
    let text = std::fs::read_to_string(file).map_err(|error| named(&error))?;
    PolicyConfig::from_toml(&text).map_err(|error| named(&error))
}

fn policy(config: &PolicyConfig) -> Result<Policy, CliError> {
    Policy::new(config).map_err(|error| CliError(error.to_string()))
}

/// A line for each rule with what is said in it, then the preset.
fn describe(config: &PolicyConfig) -> Result<String, CliError> {
    let value = serde_json::to_value(config).map_err(|error| CliError(error.to_string()))?;
    let rules = value.get("rule").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let mut lines = Vec::with_capacity(rules.len() + 1);
    for (number, rule) in rules.iter().filter_map(Value::as_object).enumerate() {
        lines.push(format!("{}. {}", number + 1, line(rule)));
    }
    let word = |name: &str| value.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
    lines.push(format!("default: {}", word("default")));
    if word("default") == "mining" {
        let mining = value.get("mining").and_then(Value::as_object);
        lines.push(format!("mining: {}", mining.map(members).unwrap_or_default()));
    }
    Ok(lines.join("\n"))
}

fn line(rule: &Map<String, Value>) -> String {
    let text = |name: &str| rule.get(name).and_then(Value::as_str).unwrap_or_default();
    let conditions = rule.iter().filter(|(name, _)| *name != "name" && *name != "action");
    let conditions: Map<_, _> = conditions.map(|(name, value)| (name.clone(), value.clone())).collect();
    format!("{} {:?}: {}", text("action"), text("name"), members(&conditions))
}

fn members(object: &Map<String, Value>) -> String {
    let said = object.iter().filter(|(_, value)| is_said(value));
    said.map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join(" ")
}

fn is_said(value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::Array(items) => !items.is_empty(),
        Value::Object(members) => members.values().any(is_said),
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    use clap::{FromArgMatches, Parser};

    use super::*;

    #[derive(Debug, Parser)]
    struct Cli {
        #[command(subcommand)]
        command: PolicyCommand,
    }

    const MESSAGE: &str = r#"{"Version":0,"To":"t01000","From":"t1abjxfbp274xpdqcpuaykwkfb43omjotacm2p3za","Nonce":1,
        "Value":"1000000000000000000","GasLimit":1000000,"GasFeeCap":"100","GasPremium":"1","Method":0,"Params":null}"#;

    async fn asked(args: &[&str]) -> Result<Explanation, CliError> {
        let args = ["policy", "check"].iter().chain(args);
        let command = <Cli as clap::CommandFactory>::command().get_matches_from(args);
        match Cli::from_arg_matches(&command).unwrap().command {
            PolicyCommand::Check(args) => explain(&nowhere(), &args).await,
            other => panic!("{other:?}"),
        }
    }

    /// No repository.
    fn nowhere() -> Ctx {
        let nettype = crate::nettype::NetType::named("").unwrap();
        Ctx { json: false, repo: "/nowhere/repo".into(), nettype, password_file: None }
    }

    fn policy_file(text: &str) -> tempfile::NamedTempFile {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), text).unwrap();
        file
    }

    #[tokio::test]
    async fn a_message_in_all_forms() {
        let cbor = message(MESSAGE).unwrap().to_cbor();
        let hex = HEXLOWER_PERMISSIVE.encode(&cbor);
        let file =
            policy_file("default='deny'\n[[rule]]\nname='pay'\naction='allow'\nto=['f01000']\nmax_value='1'");
        let file = file.path().to_str().unwrap();
        for form in [MESSAGE.to_owned(), hex.clone(), format!("0x{hex}"), BASE64.encode(&cbor)] {
            assert!(!asked(&[&form]).await.unwrap().is_allowed());
            let explained = asked(&[&form, "--policy", file]).await.unwrap();
            assert_eq!(explained.by, "rule \"pay\"");
        }
        assert!(asked(&["xyz"]).await.unwrap_err().0.contains("neither JSON"));
    }

    #[tokio::test]
    async fn other_types_and_callers() {
        let key = Address::new_bls(&[7; 48]).unwrap().to_string();
        let digest = "07".repeat(32);
        assert!(asked(&[&digest, "--type", "unknown", "--key", &key]).await.unwrap().is_allowed());
        assert!(asked(&[&digest, "--type", "unknown"]).await.unwrap_err().0.contains("--key"));
        assert!(asked(&[&digest, "--type", "nonsense"]).await.is_err());
        let file =
            policy_file("default='deny'\n[[rule]]\nname='hub'\naction='allow'\ncaller={accounts=['a']}");
        let file = file.path().to_str().unwrap();
        let hub = ["--origin", "gateway", "--hub", "h", "--account"];
        let ask = |account: &'static str| [&[MESSAGE, "--policy", file], hub.as_slice(), &[account]].concat();
        assert!(asked(&ask("a")).await.unwrap().is_allowed());
        assert!(!asked(&ask("b")).await.unwrap().is_allowed());
    }

    #[test]
    fn files_are_described_and_errors_name_them() {
        let file = policy_file("[[rule]]\nname='w'\naction='allow'\nto=['f01000']\nmethods=[16]");
        let text = describe(&load(&nowhere(), Some(file.path())).unwrap()).unwrap();
        assert!(
            text.starts_with("1. allow \"w\": methods=[16] to=[\"f01000\"]\ndefault: mining\nmining: "),
            "{text}"
        );
        let file = policy_file("[[rule]]\nnam='w'");
        let error = load(&nowhere(), Some(file.path())).unwrap_err().0;
        assert!(error.contains(file.path().to_str().unwrap()) && error.contains("nam"), "{error}");
    }
}
