//! Commands that change something.

use serde::Serialize;
use serde_json::json;
use venus_signer::strategy::KeyBind;

use super::{CliError, Codes, Ctx, StrategyCommand, authorise, done, fetch, key, numbers, show, text};

pub(super) async fn run(ctx: &Ctx, command: StrategyCommand) -> Result<(), CliError> {
    match command {
        StrategyCommand::NewMsgTypeTemplate(new) => {
            let codes = codes_of(&new)?;
            done(ctx, "NewMsgTypeTemplate", (new.name, codes)).await
        }
        StrategyCommand::NewMethodTemplate(new) => {
            done(ctx, "NewMethodTemplate", (new.name, new.names)).await
        }
        StrategyCommand::NewKeyBindCustom { name, address, codes, methods } => {
            let codes = numbers(codes.split(','), "codes must be int type")?;
            let methods: Vec<&str> =
                methods.as_deref().map(|names| names.split(',').collect()).unwrap_or_default();
            done(ctx, "NewKeyBindCustom", (name, key(&address)?, codes, methods)).await
        }
        StrategyCommand::NewKeyBindFromTemplate { name, address, msg_type_template, method_template } => {
            let methods = method_template.unwrap_or_default();
            done(ctx, "NewKeyBindFromTemplate", (name, key(&address)?, msg_type_template, methods)).await
        }
        StrategyCommand::NewGroup(new) => done(ctx, "NewGroup", (new.name, new.names)).await,
        StrategyCommand::NewStToken(group) => {
            authorise(ctx).await?;
            let token: String = fetch(ctx, "NewStToken", (group.name,)).await?;
            ctx.print(&token, &token)
        }
        StrategyCommand::RemoveMsgTypeTemplate(named) => {
            done(ctx, "RemoveMsgTypeTemplate", (named.name,)).await
        }
        StrategyCommand::RemoveMethodTemplate(named) => {
            done(ctx, "RemoveMethodTemplate", (named.name,)).await
        }
        StrategyCommand::BindAccount(bind) => done(ctx, "BindAccount", (bind.account, bind.group)).await,
        StrategyCommand::UnbindAccount(bind) => done(ctx, "UnbindAccount", (bind.account, bind.group)).await,
        command => guarded(ctx, command).await,
    }
}

/// What the password is asked for.
async fn guarded(ctx: &Ctx, command: StrategyCommand) -> Result<(), CliError> {
    // Arguments that cannot be right are told before anybody types a password.
    let prepared = match command {
        StrategyCommand::RemoveKeyBind(named) => Prepared::done("RemoveKeyBind", named.name),
        StrategyCommand::RemoveGroup(named) => Prepared::done("RemoveGroup", named.name),
        StrategyCommand::RemoveStToken(of) => Prepared::done("RemoveStToken", of.token),
        StrategyCommand::RemoveKeyBindByAddress(of) => {
            key(&of.address)?;
            authorise(ctx).await?;
            let rows: i64 = fetch(ctx, "RemoveKeyBindByAddress", (of.address,)).await?;
            return ctx.print(&format!("{rows} rows of data were deleted"), &json!({"deleted": rows}));
        }
        StrategyCommand::RemoveMethodFromKeyBind(of) => {
            Prepared::edit("RemoveMethodFromKeyBind", (of.name, of.names))
        }
        StrategyCommand::AddMethodIntoKeyBind(of) => {
            Prepared::edit("AddMethodIntoKeyBind", (of.name, of.names))
        }
        StrategyCommand::RemoveMsgTypeFromKeyBind(of) => {
            let codes = codes_of(&of)?;
            Prepared::edit("RemoveMsgTypeFromKeyBind", (of.name, codes))
        }
        StrategyCommand::AddMsgTypeIntoKeyBind(of) => {
            let codes = codes_of(&of)?;
            Prepared::edit("AddMsgTypeIntoKeyBind", (of.name, codes))
        }
        _ => return Err(CliError("parameter mismatch".into())),
    };
    authorise(ctx).await?;
    match prepared {
        Prepared::Done(method, params) => done(ctx, method, params).await,
        Prepared::Edit(method, params) => {
            let bind: KeyBind = fetch(ctx, method, params).await?;
            show(ctx, &text::key_bind(&bind), &bind)
        }
    }
}

/// A call that waits for the password.
enum Prepared {
    Done(&'static str, serde_json::Value),
    Edit(&'static str, serde_json::Value),
}

impl Prepared {
    fn done(method: &'static str, param: String) -> Self {
        Self::Done(method, json!([param]))
    }

    fn edit(method: &'static str, params: impl Serialize) -> Self {
        Self::Edit(method, json!(params))
    }
}

fn codes_of(of: &Codes) -> Result<Vec<i64>, CliError> {
    numbers(of.codes.iter().map(String::as_str), "code must be the number")
}
