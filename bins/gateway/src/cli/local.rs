//! What works on the repository itself.

use serde_json::json;
use venus_bins_common::files;

use super::ctx::create_dir;
use super::{CliError, Ctx};
use crate::config::FILE;

const TEMPLATE: &str = include_str!("../../config.template.toml");

pub(super) fn init(ctx: &Ctx) -> Result<(), CliError> {
    create_dir(ctx.repo())?;
    let file = ctx.repo().join(FILE);
    let made = match files::create(&file, TEMPLATE.as_bytes()) {
        Ok(()) => true,
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => false,
        Err(error) => return Err(CliError(format!("{}: {error}", file.display()))),
    };
    let text = match made {
        true => format!("{} is there to be edited", file.display()),
        false => format!("{} was there before, and is as it was", file.display()),
    };
    ctx.print(text, &json!({ "config": file, "made": made }))
}
