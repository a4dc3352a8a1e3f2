//! Commands about keys.

use std::io::{self, BufRead, Read};
use std::path::{Path, PathBuf};

use clap::Args;
use data_encoding::{HEXLOWER, HEXLOWER_PERMISSIVE};
use secrecy::{ExposeSecret, SecretString};
use serde_json::json;
use venus_core::types::Signature;
use venus_signer::server::{Base64, KeyText, MetaText};
use venus_signer::{KeyFormat, KeyInfo, KeyType};
use zeroize::Zeroizing;

use super::{CliError, Ctx, prompt};

/// Longest text of a key that is read, bytes.
const MAX_KEY: u64 = 1 << 20;

/// Options of `new`.
#[derive(Debug, Args)]
pub(super) struct NewArgs {
    /// bls, secp256k1 or delegated.
    #[arg(default_value = "secp256k1")]
    key_type: String,
}

pub(super) async fn new(ctx: &Ctx, args: NewArgs) -> Result<(), CliError> {
    let address: String = ctx.call("WalletNew", (args.key_type,)).await?;
    ctx.print(&address, &json!({ "address": address }))
}

pub(super) async fn list(ctx: &Ctx) -> Result<(), CliError> {
    let addresses: Vec<String> = ctx.call("WalletList", ()).await?;
    ctx.print(&addresses.join("\n"), &addresses)
}

/// Options of `export`.
#[derive(Debug, Args)]
pub(super) struct ExportArgs {
    /// The key's address.
    address: String,
    /// How the key is written: hex-venus, json-venus, hex-lotus, json-lotus, hex-eth.
    #[arg(long, default_value = "hex-venus")]
    format: String,
}

pub(super) async fn export(ctx: &Ctx, args: ExportArgs) -> Result<(), CliError> {
    let format = KeyFormat::parse(&args.format).map_err(said)?;
    verified(ctx).await?;
    let key: KeyText = ctx.call("WalletExport", (&args.address,)).await?;
    let kind = KeyType::parse(&key.kind.0).map_err(said)?;
    let key = KeyInfo::new(kind, key.secret.as_deref().map_or(&[], Vec::as_slice)).map_err(said)?;
    let text = key.write(format).map_err(said)?;
    let text = text.expose_secret();
    ctx.print(text, &json!({ "address": args.address, "format": format.as_str(), "key": text }))
}

/// Options of `import`.
#[derive(Debug, Args)]
pub(super) struct ImportArgs {
    /// The file with the key, `-` for the standard input; without it the key is asked for.
    file: Option<PathBuf>,
    /// How the key is written: hex-venus, json-venus, hex-lotus, json-lotus, gfc-json, hex-eth, forest-json.
    #[arg(long, default_value = "hex-venus")]
    format: String,
    /// The kind of key, where the format does not say: secp256k1 or delegated for hex-eth.
    #[arg(long = "type", value_name = "TYPE")]
    key_type: Option<String>,
}

pub(super) async fn import(ctx: &Ctx, args: ImportArgs) -> Result<(), CliError> {
    let format = KeyFormat::parse(&args.format).map_err(said)?;
    let kind = args.key_type.as_deref().map(KeyType::parse).transpose().map_err(said)?;
    let text = key_text(args.file.as_deref(), ctx.json())?;
    if text.trim().is_empty() {
        return Err(CliError("unexpected end of JSON input".into()));
    }
    let key = KeyInfo::read(format, text.trim(), kind).map_err(said)?;
    let json = key.to_json();
    let key: KeyText = serde_json::from_str(json.expose_secret()).map_err(said)?;
    let address: String = ctx.call("WalletImport", (key,)).await?;
    ctx.print(&format!("imported key {address} successfully!"), &json!({ "address": address }))
}

fn key_text(file: Option<&Path>, json: bool) -> Result<Zeroizing<String>, CliError> {
    let mut text = Zeroizing::new(String::new());
    match file {
        None => {
            prompt::ask("Enter private key: ", json);
            io::stdin().lock().take(MAX_KEY).read_line(&mut text).map_err(said)?;
        }
        Some(path) if path == Path::new("-") => {
            io::stdin().lock().take(MAX_KEY).read_to_string(&mut text).map_err(said)?;
        }
        Some(path) => {
            let failed = |error: io::Error| CliError(format!("{}: {error}", path.display()));
            let file = std::fs::File::open(path).map_err(failed)?;
            file.take(MAX_KEY).read_to_string(&mut text).map_err(failed)?;
        }
    }
    Ok(text)
}

/// Options of `sign`.
#[derive(Debug, Args)]
pub(super) struct SignArgs {
    /// The key's address.
    address: String,
    /// What to sign, in hex.
    hex: String,
    /// What it is: unknown, message, block, …
    #[arg(long, default_value = "unknown")]
    msg_type: String,
    /// What belongs to it, as text.
    #[arg(long, default_value = "")]
    extra: String,
    /// What belongs to it, in hex, as the CBOR of a message.
    #[arg(long, conflicts_with = "extra", value_name = "HEX")]
    extra_hex: Option<String>,
}

pub(super) async fn sign(ctx: &Ctx, args: SignArgs) -> Result<(), CliError> {
    verified(ctx).await?;
    let hex =
        |text: &str| HEXLOWER_PERMISSIVE.decode(text.as_bytes()).map_err(|_| CliError("not hex".into()));
    let extra = match &args.extra_hex {
        Some(text) => hex(text)?,
        None => args.extra.into_bytes(),
    };
    let meta = MetaText { kind: args.msg_type, extra: Base64(extra) };
    let signature: Signature = ctx.call("WalletSign", (&args.address, Base64(hex(&args.hex)?), meta)).await?;
    let text = HEXLOWER.encode(&[&[signature.sig_type as u8], signature.data.as_slice()].concat());
    ctx.print(&text, &json!({ "address": args.address, "signature": signature, "hex": text }))
}

/// Options of `del`.
#[derive(Debug, Args)]
pub(super) struct DeleteArgs {
    /// The key's address.
    address: String,
}

pub(super) async fn delete(ctx: &Ctx, args: DeleteArgs) -> Result<(), CliError> {
    verified(ctx).await?;
    let () = ctx.call("WalletDelete", (&args.address,)).await?;
    ctx.print("success", &json!({ "deleted": args.address }))
}

/// Asks for the password, and the wallet whether it is the right one.
pub(super) async fn verified(ctx: &Ctx) -> Result<SecretString, CliError> {
    let password = ctx.password("Password:")?;
    let () = ctx.call("VerifyPassword", (password.expose_secret(),)).await?;
    Ok(password)
}

fn said(error: impl std::fmt::Display) -> CliError {
    CliError(error.to_string())
}
