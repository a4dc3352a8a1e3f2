//! `strategy` commands: names, aliases and texts are those of venus-wallet v1.0 to v1.8.

mod read;
mod text;
mod write;

use clap::{Args, Subcommand};
use secrecy::ExposeSecret;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::json;
use venus_core::types::address;

use super::{CliError, Ctx};

/// The commands.
#[derive(Debug, Subcommand)]
#[command(rename_all = "camelCase")]
pub(crate) enum StrategyCommand {
    /// Shows all types of messages with their codes.
    Types,
    /// Shows the names of all methods.
    Methods {
        /// Up to this version of the actors; the latest known if left out.
        #[arg(long)]
        actors_version: Option<u32>,
    },
    /// Shows a template of types.
    #[command(visible_alias = "mtt")]
    MsgTypeTemplate(Name),
    /// Shows a template of methods.
    #[command(visible_alias = "mt")]
    MethodTemplateByName(Name),
    /// Shows a key bind.
    #[command(visible_alias = "kb")]
    KeyBind(Name),
    /// Shows the key binds of a key.
    #[command(visible_alias = "kbs")]
    KeyBinds(Key),
    /// Shows a group with its key binds.
    #[command(visible_alias = "g")]
    Group(Name),
    /// Lists the names of groups.
    #[command(visible_alias = "lg")]
    ListGroup(Range),
    /// Lists the tokens of a group: their first characters.
    #[command(visible_alias = "gts")]
    GroupTokens(Name),
    /// Lists key binds.
    #[command(visible_alias = "lkb")]
    ListKeyBinds(Range),
    /// Shows the group of a token.
    #[command(visible_alias = "ti")]
    StTokenInfo(Token),
    /// Lists templates of methods.
    #[command(visible_alias = "lmt")]
    ListMethodTemplates(Range),
    /// Lists templates of types.
    #[command(visible_alias = "lmtt")]
    ListMsgTypeTemplates(Range),
    /// Lists the accounts of gateways with their groups.
    Accounts(Range),

    /// Makes a template of types.
    #[command(visible_alias = "newMTT")]
    NewMsgTypeTemplate(Codes),
    /// Makes a template of methods.
    #[command(visible_alias = "newMT")]
    NewMethodTemplate(Names),
    /// Lets a key sign types and methods.
    #[command(name = "newKeyBindCustom", visible_alias = "newKBC")]
    NewKeyBindCustom {
        /// The key bind's name.
        name: String,
        /// The key.
        address: String,
        /// Codes of types, with commas between them.
        codes: String,
        /// Names of methods, with commas between them.
        methods: Option<String>,
    },
    /// Lets a key sign what templates say.
    #[command(visible_alias = "newKBFT")]
    NewKeyBindFromTemplate {
        /// The key bind's name.
        name: String,
        /// The key.
        address: String,
        /// A template of types.
        msg_type_template: String,
        /// A template of methods.
        method_template: Option<String>,
    },
    /// Makes a group of key binds.
    #[command(visible_alias = "newG")]
    NewGroup(Names),
    /// Makes a token for a group. It is shown this once.
    #[command(visible_alias = "newWT")]
    NewStToken(Name),
    /// Removes a template of types; key binds that were made of it stay.
    #[command(name = "removeMsgTypeTemplate", visible_alias = "rmMTT")]
    RemoveMsgTypeTemplate(Name),
    /// Removes a template of methods; key binds that were made of it stay.
    #[command(name = "removeMethodTemplate", visible_alias = "rmMT")]
    RemoveMethodTemplate(Name),
    /// Removes a key bind, also from all groups.
    #[command(visible_alias = "rmKB")]
    RemoveKeyBind(Name),
    /// Removes all key binds of a key, also from all groups.
    #[command(visible_alias = "rmKBBA")]
    RemoveKeyBindByAddress(Key),
    /// Removes a group with its tokens and accounts.
    #[command(visible_alias = "rmG")]
    RemoveGroup(Name),
    /// Revokes a token.
    #[command(visible_alias = "rmT")]
    RemoveStToken(Token),
    /// Lets a key bind sign fewer methods.
    #[command(name = "removeMethodFromKeyBind", visible_alias = "rmM4KB")]
    RemoveMethodFromKeyBind(Names),
    /// Lets a key bind sign fewer types.
    #[command(name = "removeMsgTypeFromKeyBind", visible_alias = "rmMT4KB")]
    RemoveMsgTypeFromKeyBind(Codes),
    /// Lets a key bind sign more methods.
    #[command(name = "addMethodIntoKeyBind", visible_alias = "addM2KB")]
    AddMethodIntoKeyBind(Names),
    /// Lets a key bind sign more types.
    #[command(name = "addMsgTypeIntoKeyBind", visible_alias = "addMT2KB")]
    AddMsgTypeIntoKeyBind(Codes),
    /// Lets requests that gateways make for an account use a group.
    BindAccount(Account),
    /// Ends that.
    UnbindAccount(Account),
}

#[derive(Debug, Args)]
pub(crate) struct Name {
    /// The name.
    name: String,
}

#[derive(Debug, Args)]
pub(crate) struct Key {
    /// The key's address.
    address: String,
}

#[derive(Debug, Args)]
pub(crate) struct Token {
    /// The token, or its first characters as `groupTokens` shows them.
    token: String,
}

#[derive(Debug, Args)]
pub(crate) struct Range {
    /// How many rows to leave out.
    #[arg(long, default_value_t = 0)]
    from: u32,
    /// How many rows to show.
    #[arg(long, default_value_t = 20)]
    to: u32,
}

#[derive(Debug, Args)]
pub(crate) struct Codes {
    /// The name.
    name: String,
    /// Codes of types, see `types`.
    #[arg(required = true, allow_negative_numbers = true)]
    codes: Vec<String>,
}

#[derive(Debug, Args)]
pub(crate) struct Names {
    /// The name.
    name: String,
    /// What it is about: names of methods, see `methods`, or of key binds.
    #[arg(required = true)]
    names: Vec<String>,
}

#[derive(Debug, Args)]
pub(crate) struct Account {
    /// The account's name at the gateway.
    account: String,
    /// The group's name.
    group: String,
}

/// Runs one.
pub(crate) async fn run(ctx: &Ctx, command: StrategyCommand) -> Result<(), CliError> {
    match read::run(ctx, command).await? {
        None => Ok(()),
        Some(command) => write::run(ctx, command).await,
    }
}

/// Lists in text end with a line break of their own, and nothing is printed of an empty one.
fn show(ctx: &Ctx, text: &str, value: &impl Serialize) -> Result<(), CliError> {
    match text.strip_suffix('\n').unwrap_or(text) {
        "" if !ctx.json() => Ok(()),
        text => ctx.print(text, value),
    }
}

async fn done(ctx: &Ctx, method: &str, params: impl Serialize) -> Result<(), CliError> {
    let _: Option<serde_json::Value> = ctx.call(method, params).await?;
    ctx.print("success", &json!({"success": true}))
}

/// Asks for the password where the Go wallet did, and has the running wallet check it, which Go did not.
async fn authorise(ctx: &Ctx) -> Result<(), CliError> {
    let password = ctx.password("Password:")?;
    let _: Option<serde_json::Value> = ctx.call("VerifyPassword", (password.expose_secret(),)).await?;
    Ok(())
}

async fn fetch<T: DeserializeOwned>(ctx: &Ctx, method: &str, params: impl Serialize) -> Result<T, CliError> {
    ctx.call(method, params).await
}

/// The address, once it is one.
fn key(text: &str) -> Result<&str, CliError> {
    address::parse(text).map(|_| text).map_err(|error| CliError(error.to_string()))
}

fn numbers<'a>(codes: impl IntoIterator<Item = &'a str>, otherwise: &str) -> Result<Vec<i64>, CliError> {
    let numbers = codes.into_iter().map(|code| code.parse().map_err(|_| CliError(otherwise.into())));
    numbers.collect()
}

#[cfg(test)]
mod tests {
    use clap::{CommandFactory, Parser};

    use super::*;

    #[derive(Debug, Parser)]
    struct Strategy {
        #[command(subcommand)]
        command: StrategyCommand,
    }

    /// The 29 commands of Go with their aliases.
    const GO: &[(&str, &str)] = &[
        ("types", ""),
        ("methods", ""),
        ("msgTypeTemplate", "mtt"),
        ("methodTemplateByName", "mt"),
        ("keyBind", "kb"),
        ("keyBinds", "kbs"),
        ("group", "g"),
        ("listGroup", "lg"),
        ("groupTokens", "gts"),
        ("listKeyBinds", "lkb"),
        ("stTokenInfo", "ti"),
        ("listMethodTemplates", "lmt"),
        ("listMsgTypeTemplates", "lmtt"),
        ("newMsgTypeTemplate", "newMTT"),
        ("newMethodTemplate", "newMT"),
        ("newKeyBindCustom", "newKBC"),
        ("newKeyBindFromTemplate", "newKBFT"),
        ("newGroup", "newG"),
        ("newStToken", "newWT"),
        ("removeMsgTypeTemplate", "rmMTT"),
        ("removeMethodTemplate", "rmMT"),
        ("removeKeyBind", "rmKB"),
        ("removeKeyBindByAddress", "rmKBBA"),
        ("removeGroup", "rmG"),
        ("removeStToken", "rmT"),
        ("removeMethodFromKeyBind", "rmM4KB"),
        ("removeMsgTypeFromKeyBind", "rmMT4KB"),
        ("addMethodIntoKeyBind", "addM2KB"),
        ("addMsgTypeIntoKeyBind", "addMT2KB"),
    ];

    #[test]
    fn all_commands_of_go_and_three_of_ours() {
        let command = Strategy::command();
        let found: Vec<(&str, String)> = command
            .get_subcommands()
            .map(|c| (c.get_name(), c.get_all_aliases().collect::<Vec<_>>().join(",")))
            .collect();
        for (name, alias) in GO {
            assert!(found.contains(&(name, (*alias).to_owned())), "{name} {alias}");
        }
        assert_eq!(found.len(), GO.len() + 3);
        command.debug_assert();
    }

    #[test]
    fn arguments() {
        let parse = |line: &str| Strategy::try_parse_from(line.split(' ')).map(|parsed| parsed.command);
        assert!(matches!(parse("st lg").unwrap(), StrategyCommand::ListGroup(Range { from: 0, to: 20 })));
        assert!(matches!(
            parse("st listKeyBinds --from 3 --to 5").unwrap(),
            StrategyCommand::ListKeyBinds(Range { from: 3, to: 5 })
        ));
        assert!(matches!(
            parse("st newKBC kb f01 1,2").unwrap(),
            StrategyCommand::NewKeyBindCustom { methods: None, .. }
        ));
        assert!(
            matches!(parse("st newMTT t 1 -1").unwrap(), StrategyCommand::NewMsgTypeTemplate(c) if c.codes.len() == 2)
        );
        for wrong in ["st newMTT t", "st newG g", "st kb", "st newKBC kb f01", "st lg --from -1"] {
            assert!(parse(wrong).is_err(), "{wrong}");
        }
        assert_eq!(numbers(["1", "x"], "code must be the number").unwrap_err().0, "code must be the number");
        assert!(key("f01x").is_err());
    }
}
