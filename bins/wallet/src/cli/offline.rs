//! Commands that open the keystore themselves: signing without a network, backup and restore.
//!
//! All of them refuse while the wallet runs, but for `backup`.

use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::Args;
use serde::{Deserialize, Serialize};
use serde_json::json;
use venus_core::api::Permissions;
use venus_core::json::{Json, with_network};
use venus_core::types::{Message, MsgMeta, MsgType, Signature, SignedMessage};
use venus_signer::server::{AddressText, Base64, MetaText};
use venus_signer::slashing::{self, SqliteSlashing};
use venus_signer::{Caller, MessageToSign, Origin, SqliteKeyStore, Vault, go_text};

use super::{CliError, Ctx, prompt};
use crate::config::Config;
use crate::daemon::parts::{self, Held, Parts};
use venus_bins_common::files;

/// Longest request, bytes.
const MAX_REQUEST: u64 = 16 << 20;

/// Options of `sign-offline`.
#[derive(Debug, Args)]
pub(super) struct SignOfflineArgs {
    /// The request: `{"Signer","ToSign","Meta":{"Type","Extra"}}` as `WalletSign` takes them, or `{"Message":{…}}`.
    #[arg(long = "in", value_name = "FILE")]
    input: PathBuf,
    /// Where the signature goes.
    #[arg(long = "out", value_name = "FILE")]
    output: PathBuf,
}

/// A request in a file.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct Request {
    #[serde(default)]
    signer: AddressText,
    #[serde(default)]
    to_sign: Base64,
    #[serde(default)]
    meta: MetaText,
    #[serde(default)]
    message: Option<Json<Message>>,
}

/// Its answer.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Answer {
    signer: AddressText,
    signature: Signature,
    #[serde(skip_serializing_if = "Option::is_none")]
    signed_message: Option<SignedMessage>,
    #[serde(rename = "CID", skip_serializing_if = "Option::is_none")]
    cid: Option<String>,
}

pub(super) async fn sign(ctx: &Ctx, args: SignOfflineArgs) -> Result<(), CliError> {
    let request = request(&args.input)?;
    let config = ctx.config()?;
    config.existing_database(ctx.repo())?;
    let _held = Held::take(ctx, &config)?;
    let parts = Parts::open(ctx, &config).await?;
    parts.wallet.vault().unlock(&ctx.password("Password:")?).await.map_err(said)?;
    let answer = answer(ctx, &parts, request).await;
    parts.audit.shutdown().await;
    let answer = with_network(ctx.network(), || serde_json::to_vec_pretty(&answer?).map_err(said))?;
    files::replace(&args.output, &answer).map_err(said)?;
    ctx.print(&format!("signed: {}", args.output.display()), &json!({ "signed": args.output }))
}

fn request(path: &Path) -> Result<Request, CliError> {
    let failed = |error: &dyn std::fmt::Display| CliError(format!("{}: {error}", path.display()));
    let mut text = String::new();
    let file = std::fs::File::open(path).map_err(|error| failed(&error))?;
    file.take(MAX_REQUEST).read_to_string(&mut text).map_err(|error| failed(&error))?;
    serde_json::from_str(&text).map_err(|error| failed(&error))
}

async fn answer(ctx: &Ctx, parts: &Parts, request: Request) -> Result<Answer, CliError> {
    let Request { signer, to_sign, meta, message } = request;
    let (signer, to_sign, kind, meta) = match &message {
        Some(Json(message)) => {
            let config = ctx.config()?;
            let network = parts::signing_network(ctx, &config);
            let to_sign =
                MessageToSign::new(message.clone(), &network).map_err(said)?.signing_bytes().to_vec();
            (Some(message.from), to_sign, "message".to_owned(), MsgMeta::chain_message(message))
        }
        None => {
            let msg_type = MsgType::from_name(&meta.kind).unwrap_or_default();
            (signer.address, to_sign.0, meta.kind, MsgMeta { msg_type, extra: meta.extra.0 })
        }
    };
    let signer = signer.ok_or_else(|| CliError("Signer: missing".into()))?;
    let caller = Caller { origin: Origin::Offline, permissions: Permissions::ALL, ..Caller::default() };
    let signed = parts.wallet.sign_as(&caller, &signer, &to_sign, &meta).await;
    let signature = signed.map_err(|error| CliError(go_text(&error, &kind)))?;
    let signed_message = message.map(|Json(message)| SignedMessage { message, signature: signature.clone() });
    let cid = signed_message.as_ref().map(|signed| signed.cid().to_string());
    Ok(Answer { signer: AddressText::new(signer, ctx.network()), signature, signed_message, cid })
}

/// Options of `backup`.
#[derive(Debug, Args)]
pub(super) struct BackupArgs {
    /// A new directory for the backup.
    directory: PathBuf,
}

const KEYS: &str = "keys.json";
const HISTORY: &str = "slashing.jsonl";

pub(super) async fn backup(ctx: &Ctx, args: BackupArgs) -> Result<(), CliError> {
    let config = ctx.config()?;
    let database = config.existing_database(ctx.repo())?;
    let keys = SqliteKeyStore::open(&database).await.map_err(said)?;
    let vault = Vault::open(Arc::new(keys.clone()), parts::vault_options(&config)?);
    let document = vault.backup().await.map_err(said)?;
    let count = vault.list().await.map_err(said)?.len();
    keys.close().await;
    let failed = |error: io::Error| CliError(format!("backup in {}: {error}", args.directory.display()));
    files::create_dir(&args.directory).map_err(failed)?;
    files::create(&args.directory.join(KEYS), document.as_bytes()).map_err(failed)?;
    let slashing = parts::slashing_file(ctx, &config)?;
    let history = match SqliteSlashing::open_existing(&slashing).await {
        Ok(store) => {
            let mut lines = Vec::new();
            slashing::export(&store, &mut lines).await.map_err(said)?;
            store.close().await;
            files::create(&args.directory.join(HISTORY), &lines).map_err(failed)?;
            true
        }
        Err(_) if !slashing.exists() => false,
        Err(error) => return Err(error.into()),
    };
    let text = format!("{count} keys, still encrypted under the password, in {}", args.directory.display());
    ctx.print(&text, &json!({ "keys": count, "history": history, "directory": args.directory }))
}

/// Options of `restore`.
#[derive(Debug, Args)]
pub(super) struct RestoreArgs {
    /// The directory that `backup` wrote.
    directory: PathBuf,
    /// Reads the password that the wallet had when the backup was made from the first line of this file. Without it
    /// the two passwords are taken for the same.
    #[arg(long, value_name = "FILE")]
    backup_password_file: Option<PathBuf>,
}

pub(super) async fn restore(ctx: &Ctx, args: RestoreArgs) -> Result<(), CliError> {
    let config = ctx.config()?;
    let _held = Held::take(ctx, &config)?;
    let path = args.directory.join(KEYS);
    let document =
        std::fs::read_to_string(&path).map_err(|e| CliError(format!("{}: {e}", path.display())))?;
    let password = ctx.password("Password:")?;
    let then = args.backup_password_file.as_deref().map(prompt::from_file).transpose()?;
    // The history first: a key without it could sign a second block.
    let merged = restore_history(ctx, &config, &args.directory.join(HISTORY)).await?;
    let keys = SqliteKeyStore::open(&config.database(ctx.repo())?).await.map_err(said)?;
    let vault = Vault::open(Arc::new(keys.clone()), parts::vault_options(&config)?);
    vault.set_password(&password).await.map_err(said)?;
    let restored = vault.restore(&document, then.as_ref().unwrap_or(&password)).await.map_err(said)?;
    keys.close().await;
    let mut text = format!("{} keys restored, {} were there already", restored.added, restored.present);
    if !merged {
        text += "\nno history of blocks and votes came with them: if these keys have mined elsewhere, take it over with \
                 `slashing import` before they mine here";
    }
    let value = json!({ "added": restored.added, "present": restored.present, "history": merged });
    ctx.print(&text, &value)
}

async fn restore_history(ctx: &Ctx, config: &Config, path: &Path) -> Result<bool, CliError> {
    let bytes = match std::fs::read(path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
        Err(error) => return Err(CliError(format!("{}: {error}", path.display()))),
    };
    let store = SqliteSlashing::open(&parts::slashing_file(ctx, config)?, ctx.nettype().name()).await?;
    let imported = slashing::import(&store, &mut bytes.as_slice()).await;
    store.close().await;
    imported.map(|_| true).map_err(|error| CliError(format!("{}: {error}", path.display())))
}

fn said(error: impl std::fmt::Display) -> CliError {
    CliError(error.to_string())
}
