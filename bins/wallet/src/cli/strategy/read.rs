//! Commands that change nothing.

use serde_json::json;
use venus_core::actors::methods::LATEST_VERSION;
use venus_signer::strategy::{
    AccountBind, Group, GroupAuth, KeyBind, MethodTemplate, MsgEnum, MsgTypeTemplate, method_names,
};

use super::{CliError, Ctx, StrategyCommand, authorise, fetch, key, show, text};

/// Runs the command if it is one of these, or gives it back.
pub(super) async fn run(ctx: &Ctx, command: StrategyCommand) -> Result<Option<StrategyCommand>, CliError> {
    match command {
        StrategyCommand::Types => types(ctx),
        StrategyCommand::Methods { actors_version } => methods(ctx, actors_version.unwrap_or(LATEST_VERSION)),
        StrategyCommand::MsgTypeTemplate(named) => {
            let row: MsgTypeTemplate = fetch(ctx, "GetMsgTypeTemplate", (named.name,)).await?;
            ctx.print(&text::codes(row.meta_types), &row)
        }
        StrategyCommand::MethodTemplateByName(named) => {
            let row: MethodTemplate = fetch(ctx, "GetMethodTemplateByName", (named.name,)).await?;
            ctx.print(&row.methods.join(","), &row)
        }
        StrategyCommand::KeyBind(named) => {
            let bind: KeyBind = fetch(ctx, "GetKeyBindByName", (named.name,)).await?;
            show(ctx, &text::key_bind(&bind), &bind)
        }
        StrategyCommand::KeyBinds(of) => {
            let binds: Vec<KeyBind> = fetch(ctx, "GetKeyBinds", (key(&of.address)?,)).await?;
            show(ctx, &text::key_binds(&binds, "", ["name", "addr"]), &binds)
        }
        StrategyCommand::Group(named) => {
            let group: Group = fetch(ctx, "GetGroupByName", (named.name,)).await?;
            show(ctx, &text::key_binds(&group.key_binds, "", ["keybind", "address"]), &group)
        }
        StrategyCommand::GroupTokens(named) => {
            authorise(ctx).await?;
            let tokens: Vec<String> = fetch(ctx, "GetWalletTokensByGroup", (named.name,)).await?;
            show(ctx, &tokens.join("\n"), &tokens)
        }
        StrategyCommand::StTokenInfo(of) => {
            authorise(ctx).await?;
            let info: GroupAuth = fetch(ctx, "GetWalletTokenInfo", (of.token,)).await?;
            show(ctx, &text::token_info(&info), &info)
        }
        command => return list(ctx, command).await,
    }?;
    Ok(None)
}

async fn list(ctx: &Ctx, command: StrategyCommand) -> Result<Option<StrategyCommand>, CliError> {
    match command {
        StrategyCommand::ListGroup(range) => {
            let groups: Vec<Group> = fetch(ctx, "ListGroups", (range.from, range.to)).await?;
            show(ctx, &text::numbered(groups.iter().map(|group| group.name.as_str()), "\t: "), &groups)
        }
        StrategyCommand::ListKeyBinds(range) => {
            let binds: Vec<KeyBind> = fetch(ctx, "ListKeyBinds", (range.from, range.to)).await?;
            show(ctx, &text::key_binds(&binds, "", ["name", "addr"]), &binds)
        }
        StrategyCommand::ListMethodTemplates(range) => {
            let rows: Vec<MethodTemplate> = fetch(ctx, "ListMethodTemplates", (range.from, range.to)).await?;
            show(ctx, &text::method_templates(&rows), &rows)
        }
        StrategyCommand::ListMsgTypeTemplates(range) => {
            let rows: Vec<MsgTypeTemplate> =
                fetch(ctx, "ListMsgTypeTemplates", (range.from, range.to)).await?;
            show(ctx, &text::type_templates(&rows), &rows)
        }
        StrategyCommand::Accounts(range) => {
            let binds: Vec<AccountBind> = fetch(ctx, "ListAccountBinds", (range.from, range.to)).await?;
            let lines: Vec<String> =
                binds.iter().map(|bind| format!("{}\t: {}", bind.account, bind.name)).collect();
            show(ctx, &lines.join("\n"), &binds)
        }
        other => return Ok(Some(other)),
    }?;
    Ok(None)
}

fn types(ctx: &Ctx) -> Result<(), CliError> {
    let lines = MsgEnum::pool().map(|(code, name)| format!("{code}\t{name}\n"));
    let text = ["code\ttype\n".to_owned()].into_iter().chain(lines).collect::<String>();
    let value: Vec<_> = MsgEnum::pool().map(|(code, name)| json!({"Code": code, "Name": name})).collect();
    show(ctx, &text, &value)
}

fn methods(ctx: &Ctx, version: u32) -> Result<(), CliError> {
    let names = method_names(version);
    let text = format!("index\tmethod\n{}", text::numbered(names.iter().copied(), "\t"));
    show(ctx, &text, &names)
}
