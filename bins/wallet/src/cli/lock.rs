//! Commands about the password and the lock.

use std::path::PathBuf;

use clap::Args;
use secrecy::{ExposeSecret, SecretString};
use serde_json::json;

use super::{CliError, Ctx, prompt};

pub(super) async fn set_password(ctx: &Ctx) -> Result<(), CliError> {
    let password = twice(ctx, "Password:")?;
    let () = ctx.call("SetPassword", (password.expose_secret(),)).await?;
    ctx.print("Password set successfully", &json!({ "locked": false }))
}

/// A new password, typed twice. One from a file needs no repetition.
fn twice(ctx: &Ctx, label: &str) -> Result<SecretString, CliError> {
    let password = ctx.password(label)?;
    if ctx.password_file().is_none() {
        let again = ctx.password("Enter Password again:")?;
        if again.expose_secret() != password.expose_secret() {
            return Err(CliError("the input passwords are inconsistent".into()));
        }
    }
    Ok(password)
}

/// Options of `change-password`.
#[derive(Debug, Args)]
pub(super) struct ChangeArgs {
    /// Reads the new password from the first line of this file.
    #[arg(long, value_name = "FILE")]
    new_password_file: Option<PathBuf>,
}

pub(super) async fn change_password(ctx: &Ctx, args: ChangeArgs) -> Result<(), CliError> {
    let old = ctx.password("Password:")?;
    let new = match args.new_password_file {
        Some(path) => prompt::from_file(&path)?,
        None => {
            let new = prompt::password("New password:", ctx.json())?;
            let again = prompt::password("Enter Password again:", ctx.json())?;
            if again.expose_secret() != new.expose_secret() {
                return Err(CliError("the input passwords are inconsistent".into()));
            }
            new
        }
    };
    let () = ctx.call("ChangePassword", (old.expose_secret(), new.expose_secret())).await?;
    ctx.print("Password changed successfully", &json!({ "changed": true }))
}

pub(super) async fn unlock(ctx: &Ctx) -> Result<(), CliError> {
    let password = ctx.password("Password:")?;
    let () = ctx.call("Unlock", (password.expose_secret(),)).await?;
    ctx.print("wallet unlock successfully", &json!({ "locked": false }))
}

pub(super) async fn lock(ctx: &Ctx) -> Result<(), CliError> {
    let password = ctx.password("Password:")?;
    let () = ctx.call("Lock", (password.expose_secret(),)).await?;
    ctx.print("wallet lock successfully", &json!({ "locked": true }))
}

pub(super) async fn state(ctx: &Ctx) -> Result<(), CliError> {
    let locked: bool = ctx.call("LockState", ()).await?;
    let text = if locked { "wallet state: locked" } else { "wallet state: unlocked" };
    ctx.print(text, &json!({ "locked": locked }))
}
