//! Keys as files of this and other wallets hold them.
//!
//! | [`KeyFormat`] | what the text is |
//! |---|---|
//! | `hex-venus`, `hex-lotus` | hex of the JSON below; what `export` of both wallets prints |
//! | `json-venus`, `json-lotus` | `{"Type":"bls","PrivateKey":"<base64>"}` |
//! | `gfc-json` | `{"KeyInfo":[{"PrivateKey":"<base64>","SigType":2}]}`; the first key counts |
//! | `hex-eth` | `0x` and 64 hex digits of an ECDSA key; the text does not say which kind, the caller must |
//! | `forest-json` | Forest's unencrypted `keystore.json`, if it holds one key; [`forest_keystore`] reads more |
//!
//! Whole keystores of other wallets: [`LotusKeystore`] (a folder) and [`forest_keystore`] (a file).

mod forest;
mod lotus;

use std::fmt;
use std::str::FromStr;

use data_encoding::{BASE64, HEXLOWER, HEXLOWER_PERMISSIVE};
use secrecy::SecretString;
use zeroize::Zeroizing;

use crate::error::KeyError;
use crate::key::{KeyInfo, KeyType};
use crate::key_text::{bounded, field, read_key};
use crate::secret_json::Node;

pub use forest::{ForestKeystore, forest_keystore};
pub use lotus::{KeystoreListing, LotusKeystore};

/// A text form of a key; see the [table](self).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum KeyFormat {
    /// Hex of the JSON form.
    #[default]
    HexVenus,
    /// The JSON form.
    JsonVenus,
    /// The same as [`KeyFormat::HexVenus`], by Lotus's name.
    HexLotus,
    /// The same as [`KeyFormat::JsonVenus`], by Lotus's name.
    JsonLotus,
    /// The form of go-filecoin, the ancestor of Venus.
    GfcJson,
    /// The scalar alone, as Ethereum wallets show it.
    HexEth,
    /// The key file of a Forest node.
    ForestJson,
}

impl KeyFormat {
    /// All of them, for help texts.
    pub const ALL: [Self; 7] = [
        Self::HexVenus,
        Self::JsonVenus,
        Self::HexLotus,
        Self::JsonLotus,
        Self::GfcJson,
        Self::HexEth,
        Self::ForestJson,
    ];

    /// The name on command lines.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::HexVenus => "hex-venus",
            Self::JsonVenus => "json-venus",
            Self::HexLotus => "hex-lotus",
            Self::JsonLotus => "json-lotus",
            Self::GfcJson => "gfc-json",
            Self::HexEth => "hex-eth",
            Self::ForestJson => "forest-json",
        }
    }

    /// Reads a name.
    ///
    /// # Errors
    /// [`KeyError::Field`], which does not quote the text: it may be a key in the wrong place.
    pub fn parse(text: &str) -> Result<Self, KeyError> {
        Self::ALL.into_iter().find(|format| format.as_str() == text).ok_or(KeyError::Field {
            field: "format",
            reason: "expected hex-venus, json-venus, hex-lotus, json-lotus, gfc-json, hex-eth or forest-json",
        })
    }
}

impl FromStr for KeyFormat {
    type Err = KeyError;

    fn from_str(text: &str) -> Result<Self, KeyError> {
        Self::parse(text)
    }
}

impl fmt::Display for KeyFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl KeyInfo {
    /// Reads a key in a format; white space around it does not matter.
    ///
    /// `key_type` is needed for [`KeyFormat::HexEth`]. With the other formats, which name the type themselves, it
    /// must be the one they name.
    ///
    /// ```
    /// use venus_signer::{KeyFormat, KeyInfo, KeyType};
    /// let text = "0x33ff38fa8c1c53c3ef1b2f811cee9ce4f7ec2ce90b16ceeb9675dc6aa3d04821";
    /// let key = KeyInfo::read(KeyFormat::HexEth, text, Some(KeyType::Delegated))?;
    /// assert_eq!(key.address()?.to_string(), "f410fnz6o7a4owcgw33z2zvsxtuf64aoxlmcn4dh5hzy");
    /// # Ok::<(), venus_signer::KeyError>(())
    /// ```
    ///
    /// # Errors
    /// [`KeyError`] naming the member, never quoting the text.
    pub fn read(format: KeyFormat, text: &str, key_type: Option<KeyType>) -> Result<Self, KeyError> {
        let key = match format {
            KeyFormat::HexVenus | KeyFormat::HexLotus => Self::from_hex(text)?,
            KeyFormat::JsonVenus | KeyFormat::JsonLotus => Self::from_json(text)?,
            KeyFormat::GfcJson => read_gfc(text)?,
            KeyFormat::HexEth => read_eth(text, key_type)?,
            KeyFormat::ForestJson => forest_keystore(text)?.single()?,
        };
        match key_type {
            Some(key_type) if key_type != key.key_type() => {
                field("Type", "is another than the one that was asked for")
            }
            _ => Ok(key),
        }
    }

    /// Writes the key in a format, so that [`KeyInfo::read`] and the wallets named there read it.
    ///
    /// # Errors
    /// [`KeyError::Field`] for a BLS key as [`KeyFormat::HexEth`], for Ethereum has no such keys, and for
    /// [`KeyFormat::ForestJson`], a file that only Forest writes.
    pub fn write(&self, format: KeyFormat) -> Result<SecretString, KeyError> {
        match format {
            KeyFormat::HexVenus | KeyFormat::HexLotus => Ok(self.to_hex()),
            KeyFormat::JsonVenus | KeyFormat::JsonLotus => Ok(self.to_json()),
            KeyFormat::GfcJson => Ok(write_gfc(self)),
            KeyFormat::HexEth if self.key_type() == KeyType::Bls => field("Type", NOT_ETH),
            KeyFormat::HexEth => {
                let hex = Zeroizing::new(HEXLOWER.encode(self.expose()));
                Ok(["0x", hex.as_str()].concat().into())
            }
            KeyFormat::ForestJson => field("format", "forest-json is read only; Forest imports hex-lotus"),
        }
    }
}

const NOT_ETH: &str = "hex-eth holds secp256k1 and delegated keys only";

fn read_gfc(text: &str) -> Result<KeyInfo, KeyError> {
    bounded(text)?;
    let Some(file @ Node::Object(_)) = Node::parse(text) else {
        return Err(KeyError::Malformed("expected a JSON object with KeyInfo"));
    };
    match file.member("KeyInfo")? {
        Some(Node::List(keys)) => match keys.first() {
            Some(key @ Node::Object(_)) => read_key(key, "SigType", "PrivateKey"),
            Some(_) => field("KeyInfo", "its first element is no object"),
            None => field("KeyInfo", "is empty"),
        },
        _ => field("KeyInfo", "missing or no list"),
    }
}

fn write_gfc(key: &KeyInfo) -> SecretString {
    let secret = Zeroizing::new(BASE64.encode(key.expose()));
    let number = key.key_type().number().to_string();
    ["{\"KeyInfo\":[{\"PrivateKey\":\"", secret.as_str(), "\",\"SigType\":", &number, "}]}"].concat().into()
}

fn read_eth(text: &str, key_type: Option<KeyType>) -> Result<KeyInfo, KeyError> {
    bounded(text)?;
    let key_type = match key_type {
        None => return field("Type", "hex-eth does not tell it: ask for secp256k1 or delegated"),
        Some(KeyType::Bls) => return field("Type", NOT_ETH),
        Some(key_type) => key_type,
    };
    let text = text.trim();
    let digits = text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")).unwrap_or(text);
    let secret = HEXLOWER_PERMISSIVE.decode(digits.as_bytes()).map(Zeroizing::new);
    let secret = secret.map_err(|_| KeyError::Malformed("expected 0x and 64 hex digits"))?;
    KeyInfo::new(key_type, &secret)
}
