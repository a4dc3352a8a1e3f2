//! Keys in a document, still encrypted.

use std::sync::Arc;

use futures::stream::{self, StreamExt, TryStreamExt};
use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::{Inner, Vault, VaultEvent};
use crate::cipher::PasswordHash;
use crate::error::WalletError;
use crate::key::{KeyInfo, KeyType};
use crate::keystore::{SealedKey, address_text, read_address};

/// What the document calls itself.
const FORMAT: &str = "venus-wallet-keys";
/// The version that is written, and the only one that is read.
const VERSION: u32 = 1;
/// Longest document that is read, bytes: some 25 000 keys.
const MAX_DOCUMENT: usize = 16 << 20;
/// Keys that are worked on at a time. The memory budget may let fewer run.
const AT_A_TIME: usize = 4;

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Document<'a> {
    format: String,
    version: u32,
    #[serde(borrow)]
    keys: Vec<Entry<'a>>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry<'a> {
    /// Without the character of a network, as in the keystore.
    address: String,
    #[serde(rename = "type")]
    key_type: String,
    #[serde(borrow)]
    crypto: &'a RawValue,
}

/// What a restore did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Restored {
    /// Keys that are new.
    pub added: usize,
    /// Keys that were there; they are as they were.
    pub present: usize,
}

impl Vault {
    /// All keys as a JSON document, still encrypted under the password of now: to be kept where the password is not.
    /// Works while locked.
    ///
    /// # Errors
    /// [`WalletError::CorruptKey`] if a stored key cannot be read, [`WalletError::Store`].
    pub async fn backup(&self) -> Result<String, WalletError> {
        let rows = self.inner.rows().await?;
        let keys = rows.iter().map(entry).collect::<Result<_, _>>()?;
        let document = Document { format: FORMAT.into(), version: VERSION, keys };
        serde_json::to_string_pretty(&document).map_err(|e| WalletError::Backup(e.to_string()))
    }

    /// Adds the keys of a backup, all or none. `password` is the one of the time of the backup; keys are stored under
    /// that of now. Every key is opened and compared with its address before the first is written. The vault has to be
    /// unlocked; an empty one takes its password by [`Vault::set_password`] first.
    ///
    /// # Errors
    /// [`WalletError::Backup`] if the document is none or another version, [`WalletError::CorruptKey`] and
    /// [`WalletError::CouldNotDecrypt`] for its keys; those of [`Vault::put`].
    pub async fn restore(&self, document: &str, password: &SecretString) -> Result<Restored, WalletError> {
        let inner = &*self.inner;
        inner.usable()?;
        let rows = read(document)?;
        let from = Arc::new(PasswordHash::of(password));
        let keys = inner.open_all(&rows, &from).await?;
        let _keyring = inner.keyring.read().await;
        let ticket = inner.usable()?;
        let rows = if ticket.password.is(&from) {
            rows
        } else {
            let sealed = keys.iter().cloned().map(|key| inner.seal_one(key, &ticket.password));
            stream::iter(sealed).buffered(AT_A_TIME).try_collect().await?
        };
        let mut new = Vec::new();
        for row in &rows {
            if !inner.store.has(row.address()).await? {
                new.push(*row.address());
            }
        }
        let added = inner.store.put_all(&rows).await?;
        new.into_iter().for_each(|address| inner.tell(VaultEvent::Added(address)));
        Ok(Restored { added, present: rows.len().saturating_sub(added) })
    }
}

impl Inner {
    async fn open_all(
        &self,
        rows: &[SealedKey],
        password: &Arc<PasswordHash>,
    ) -> Result<Vec<Arc<KeyInfo>>, WalletError> {
        // Owned rows, because the compiler cannot prove a future of borrowed ones to be `Send`.
        let open = rows.iter().cloned().map(|row| self.open_one(row, password));
        stream::iter(open).buffered(AT_A_TIME).try_collect().await
    }

    async fn open_one(
        &self,
        row: SealedKey,
        password: &Arc<PasswordHash>,
    ) -> Result<Arc<KeyInfo>, WalletError> {
        match self.sealer.open(password, &row).await {
            Ok(key) => Ok(Arc::new(key)),
            Err(WalletError::OtherPassword(_)) => Err(WalletError::CouldNotDecrypt),
            Err(error) => Err(error),
        }
    }

    async fn seal_one(
        &self,
        key: Arc<KeyInfo>,
        password: &Arc<PasswordHash>,
    ) -> Result<SealedKey, WalletError> {
        self.sealer.seal(password, &key).await
    }
}

fn entry(row: &SealedKey) -> Result<Entry<'_>, WalletError> {
    let crypto = serde_json::from_str(row.crypto());
    Ok(Entry {
        address: address_text(row.address()),
        key_type: row.key_type().as_str().to_owned(),
        crypto: crypto.map_err(|e| WalletError::Backup(e.to_string()))?,
    })
}

fn read(document: &str) -> Result<Vec<SealedKey>, WalletError> {
    let wrong = |reason: &str| WalletError::Backup(reason.to_owned());
    if document.len() > MAX_DOCUMENT {
        return Err(wrong("longer than 16 MiB; restore it in parts"));
    }
    let document: Document<'_> =
        serde_json::from_str(document).map_err(|e| WalletError::Backup(e.to_string()))?;
    if document.format != FORMAT {
        return Err(wrong("its format is not venus-wallet-keys"));
    }
    if document.version != VERSION {
        return Err(wrong("its version is not 1; use the program that wrote it, or a newer one"));
    }
    let mut rows: Vec<SealedKey> = Vec::with_capacity(document.keys.len());
    let mut seen = std::collections::HashSet::with_capacity(document.keys.len());
    for entry in &document.keys {
        let address = read_address(&entry.address).ok_or_else(|| wrong("a key has no readable address"))?;
        let key_type = KeyType::parse(&entry.key_type).map_err(|_| wrong("a key has an unknown type"))?;
        if !seen.insert(address) {
            return Err(wrong("an address stands in it twice"));
        }
        rows.push(SealedKey::new(address, key_type, compact(entry.crypto)?)?);
    }
    Ok(rows)
}

/// Without the white space that someone may have formatted the document with.
fn compact(crypto: &RawValue) -> Result<String, WalletError> {
    let sealed = crate::cipher::Sealed::parse(crypto.get());
    Ok(sealed.map_err(|e| WalletError::Backup(e.to_string()))?.to_json())
}
