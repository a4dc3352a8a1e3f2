//! The JSON of a sealed secret.

use data_encoding::{HEXLOWER, HEXLOWER_PERMISSIVE};
use serde::Deserialize;
use serde_json::Value;

use super::params::{Kdf, ScryptParams};
use super::{CipherError, DERIVED, Sealed};

/// Longest salt, bytes.
const MAX_SALT: usize = 128;
/// Longest secret, bytes.
const MAX_SECRET: usize = 128;
/// Longest derived key that is asked for, bytes; only its first 32 are used.
const MAX_DERIVED: u64 = 128;

#[derive(Deserialize)]
pub(super) struct Wire {
    cipher: String,
    ciphertext: String,
    cipherparams: CipherParams,
    kdf: String,
    kdfparams: KdfParams,
    mac: String,
}

#[derive(Deserialize)]
struct CipherParams {
    iv: String,
}

/// Those of both derivations. A struct and not a map, so that a member that stands twice is refused.
#[derive(Deserialize)]
struct KdfParams {
    dklen: Option<Value>,
    salt: Option<String>,
    n: Option<Value>,
    r: Option<Value>,
    p: Option<Value>,
    c: Option<Value>,
    prf: Option<String>,
}

impl Wire {
    pub(super) fn read(&self) -> Result<Sealed, CipherError> {
        if self.cipher != "aes-128-ctr" {
            return Err(CipherError::Malformed("cipher is not aes-128-ctr"));
        }
        let salt = bytes(
            text(self.kdfparams.salt.as_deref())?,
            MAX_SALT,
            "kdfparams.salt is no hex of at most 128 bytes",
        )?;
        Ok(Sealed {
            kdf: self.kdf()?,
            salt,
            iv: array(&self.cipherparams.iv, "cipherparams.iv is no hex of 16 bytes")?,
            ciphertext: bytes(&self.ciphertext, MAX_SECRET, "ciphertext is no hex of at most 128 bytes")?,
            mac: array(&self.mac, "mac is no hex of 32 bytes")?,
        })
    }

    fn kdf(&self) -> Result<Kdf, CipherError> {
        let params = &self.kdfparams;
        // Longer ones begin with the same bytes, by the construction of PBKDF2, in which scrypt ends too.
        if !(DERIVED as u64..=MAX_DERIVED).contains(&number(params.dklen.as_ref())?) {
            return Err(CipherError::Malformed("kdfparams.dklen is not from 32 to 128"));
        }
        match self.kdf.as_str() {
            "scrypt" => {
                let [n, r, p] = [&params.n, &params.r, &params.p].map(|param| number(param.as_ref()));
                ScryptParams::bounded(n?, r?, p?).map(Kdf::Scrypt)
            }
            "pbkdf2" => Kdf::pbkdf2(number(params.c.as_ref())?, text(params.prf.as_deref())?),
            _ => Err(CipherError::Malformed("kdf is neither scrypt nor pbkdf2")),
        }
    }
}

/// A whole number that may be written as a float, as some keystores have it.
fn number(value: Option<&Value>) -> Result<u64, CipherError> {
    // What is below 2^53 and whole is exact on both sides.
    let exact = |float: &f64| float.fract() == 0.0 && (0.0..=9_007_199_254_740_992.0).contains(float);
    value
        .and_then(|value| value.as_u64().or_else(|| value.as_f64().filter(exact).map(|float| float as u64)))
        .ok_or(CipherError::Malformed("a number of kdfparams is missing or not whole"))
}

fn text(value: Option<&str>) -> Result<&str, CipherError> {
    value.ok_or(CipherError::Malformed("a text of kdfparams is missing"))
}

fn bytes(hex: &str, most: usize, reason: &'static str) -> Result<Vec<u8>, CipherError> {
    let wrong = CipherError::Malformed(reason);
    if hex.len() > 2 * most {
        return Err(wrong);
    }
    HEXLOWER_PERMISSIVE.decode(hex.as_bytes()).map_err(|_| wrong)
}

fn array<const N: usize>(hex: &str, reason: &'static str) -> Result<[u8; N], CipherError> {
    bytes(hex, N, reason)?.try_into().map_err(|_| CipherError::Malformed(reason))
}

/// Go writes struct members in their order and the map `kdfparams` by its keys; nothing here needs escaping.
pub(super) fn write(sealed: &Sealed) -> String {
    let hex = |bytes: &[u8]| HEXLOWER.encode(bytes);
    let salt = hex(&sealed.salt);
    let (kdf, params) = match &sealed.kdf {
        Kdf::Scrypt(params) => (
            "scrypt",
            format!(
                r#"{{"dklen":32,"n":{},"p":{},"r":{},"salt":"{salt}"}}"#,
                params.n(),
                params.p(),
                params.r()
            ),
        ),
        Kdf::Pbkdf2 { rounds } => {
            ("pbkdf2", format!(r#"{{"c":{rounds},"dklen":32,"prf":"hmac-sha256","salt":"{salt}"}}"#))
        }
    };
    format!(
        r#"{{"cipher":"aes-128-ctr","ciphertext":"{}","cipherparams":{{"iv":"{}"}},"kdf":"{kdf}","kdfparams":{params},"mac":"{}"}}"#,
        hex(&sealed.ciphertext),
        hex(&sealed.iv),
        hex(&sealed.mac)
    )
}
