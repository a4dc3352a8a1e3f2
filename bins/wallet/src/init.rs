//! A new repository, and the permissions of an old one.

use std::io;
use std::path::Path;

use data_encoding::HEXLOWER;
use secrecy::{ExposeSecret, SecretString};
use venus_core::entropy::{Entropy, OsEntropy};
use venus_core::error::BoxError;
use venus_signer::SqliteKeyStore;
use venus_signer::server::{Claims, Tokens};
use zeroize::Zeroizing;

use crate::cli::{CliError, Ctx};
use crate::config::{Config, FILE};
use crate::daemon::parts::SLASHING_FILE;
use crate::daemon::token_file;
use venus_bins_common::files;

/// The configuration of a new wallet. `{…}` are filled in.
const TEMPLATE: &str = include_str!("../config.template.toml");

/// Makes what is missing; what is there stays.
pub(crate) async fn run(ctx: &Ctx) -> Result<(), CliError> {
    let repo = ctx.repo();
    let fresh = ensure(repo)?;
    let config = ctx.config()?;
    let database = config.database(repo)?;
    SqliteKeyStore::open(&database).await.map_err(|error| CliError(error.to_string()))?.close().await;
    tighten(repo);
    let text = if fresh { "initialised" } else { "was initialised before, and is as it was:" };
    let value = serde_json::json!({ "repo": repo, "database": database, "fresh": fresh });
    ctx.print(&format!("{text} {}", repo.display()), &value)
}

/// Whether a wallet of ours has lived here, so that its keystore must be there too. A configuration alone is none: it
/// may have been prepared for a wallet that starts the first time.
pub(crate) fn was_used(repo: &Path) -> bool {
    [token_file(repo), repo.join(SLASHING_FILE)].iter().any(|file| file.exists())
}

/// Makes directory, configuration and token file where they are missing; true if there was no configuration.
pub(crate) fn ensure(repo: &Path) -> Result<bool, CliError> {
    let failed = |error: BoxError| CliError(format!("{}: {error}", repo.display()));
    let fresh = !repo.join(FILE).exists();
    if fresh {
        create(repo).map_err(failed)?;
    }
    let file = token_file(repo);
    if !file.exists() {
        let token = Config::read(repo)?.token()?;
        files::create(&file, token.expose_secret().as_bytes()).map_err(|error| failed(error.into()))?;
    }
    Ok(fresh)
}

fn create(repo: &Path) -> Result<(), BoxError> {
    files::create_dir(repo)?;
    let mut secret = Zeroizing::new([0; 32]);
    OsEntropy.fill(secret.as_mut_slice())?;
    let tokens = Tokens::new(secret.to_vec().into());
    let token: SecretString = tokens.issue(&Claims::allowing(["read", "write", "sign", "admin"]));
    let database = std::path::absolute(repo.join("keystore.sqlit"))?;
    let text = TEMPLATE
        .replace("{conn}", &toml_text(&database.display().to_string()))
        .replace("{secret}", &HEXLOWER.encode(secret.as_slice()))
        .replace("{token}", &HEXLOWER.encode(token.expose_secret().as_bytes()));
    files::create(&repo.join(FILE), Zeroizing::new(text).as_bytes())?;
    Ok(())
}

fn toml_text(text: &str) -> String {
    toml_edit::value(text).to_string()
}

/// Takes away what Go's wallet gave to everybody. A file that is not ours to change stays, with a warning.
pub(crate) fn tighten(repo: &Path) {
    for path in [repo.join(FILE), token_file(repo)] {
        if let Err(error) = private(&path) {
            tracing::warn!(path = %path.display(), %error, "others may read this file");
        }
    }
}

#[cfg(unix)]
fn private(path: &Path) -> io::Result<()> {
    use std::fs::{metadata, set_permissions};
    use std::os::unix::fs::PermissionsExt;
    let mut permissions = metadata(path)?.permissions();
    if permissions.mode() & 0o077 != 0 {
        permissions.set_mode(permissions.mode() & 0o700);
        set_permissions(path, permissions)?;
        tracing::warn!(path = %path.display(), "others could read this file, and no longer can");
    }
    Ok(())
}

#[cfg(not(unix))]
fn private(_: &Path) -> io::Result<()> {
    Ok(())
}
