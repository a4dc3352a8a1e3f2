//! Signers.

use std::collections::HashMap;

use time::OffsetDateTime;
use venus_core::types::Address;

use super::columns::{Columns, bare, corrupt, stamp};
use super::db::{Db, Tx, Value, args};
use crate::model::{Provenance, SignerRow};
use crate::store::{Changed, Decide, StoreError};

const SELECT: &str = "SELECT s.signer, s.user, v.provenance, CAST(s.created_at AS CHAR), \
                      CAST(s.updated_at AS CHAR) FROM signers s \
                      LEFT JOIN venus_signer v ON v.signer = s.signer AND v.user = s.user \
                      WHERE s.deleted_at IS NULL";
/// Signers that one statement asks for.
const MAX_IN: usize = 100;

fn read(mut row: Columns) -> Result<SignerRow, StoreError> {
    Ok(SignerRow {
        signer: row.address()?,
        user: row.text(),
        provenance: provenance(row.maybe().as_deref())?,
        created_at: row.time()?,
        updated_at: row.time()?,
    })
}

fn provenance(text: Option<&str>) -> Result<Provenance, StoreError> {
    match text {
        None | Some("legacy") => Ok(Provenance::Legacy),
        Some("owner") => Ok(Provenance::Owner),
        Some("granted") => Ok(Provenance::Granted),
        Some(other) => Err(corrupt(format_args!("provenance {other:?}"))),
    }
}

fn name(provenance: Provenance) -> &'static str {
    match provenance {
        Provenance::Legacy => "legacy",
        Provenance::Owner => "owner",
        Provenance::Granted => "granted",
    }
}

fn sorted(rows: Vec<Columns>) -> Result<Vec<SignerRow>, StoreError> {
    let mut rows = rows.into_iter().map(read).collect::<Result<Vec<_>, _>>()?;
    rows.sort_by(SignerRow::owner_first);
    Ok(rows)
}

pub(super) async fn get(db: &Db, signer: &Address) -> Result<Vec<SignerRow>, StoreError> {
    sorted(db.fetch(&format!("{SELECT} AND s.signer = ?"), args![bare(signer)]).await?)
}

pub(super) async fn of(db: &Db, user: &str) -> Result<Vec<SignerRow>, StoreError> {
    let rows = db.fetch(&format!("{SELECT} AND s.user = ?"), args![user]).await?;
    let mut signers = rows.into_iter().map(read).collect::<Result<Vec<_>, _>>()?;
    signers.retain(|row| row.user == user);
    signers.sort_by_key(|row| row.signer);
    Ok(signers)
}

/// The live bindings of these signers, locked.
async fn bound(tx: &mut Tx, signers: &[Address]) -> Result<HashMap<Address, Vec<SignerRow>>, StoreError> {
    let mut found: HashMap<Address, Vec<SignerRow>> = HashMap::new();
    for chunk in signers.chunks(MAX_IN) {
        let places = vec!["?"; chunk.len()].join(", ");
        let values: Vec<Value> = chunk.iter().map(|signer| bare(signer).into()).collect();
        for row in sorted(tx.fetch(&format!("{SELECT} AND s.signer IN ({places})"), &values).await?)? {
            found.entry(row.signer).or_default().push(row);
        }
    }
    Ok(found)
}

pub(super) async fn bind(
    db: &Db,
    user: &str,
    signers: &[Address],
    at: OffsetDateTime,
    decide: &Decide<'_>,
) -> Result<Vec<bool>, StoreError> {
    let mut tx = db.begin().await?;
    // Always in one order, so that two who bind the same signers do not wait for each other for ever.
    let mut ordered: Vec<Address> = signers.to_vec();
    ordered.sort();
    ordered.dedup();
    let bindings = bound(&mut tx, &ordered).await?;
    let mut decided = HashMap::with_capacity(ordered.len());
    for signer in ordered {
        let live = bindings.get(&signer).map(Vec::as_slice).unwrap_or_default();
        let provenance = decide(&signer, live);
        if let Some(provenance) = provenance {
            if provenance == Provenance::Owner && !live.iter().any(|row| row.user == user) {
                // Consents were those of another owner.
                tx.execute("DELETE FROM venus_grant WHERE signer = ?", args![bare(&signer)]).await?;
            }
            put(&mut tx, &bare(&signer), user, provenance, &db.millis(at)).await?;
        }
        decided.insert(signer, provenance.is_some());
    }
    tx.commit().await?;
    Ok(signers.iter().map(|signer| decided.get(signer).copied().unwrap_or_default()).collect())
}

async fn put(
    tx: &mut Tx,
    signer: &str,
    user: &str,
    provenance: Provenance,
    at: &str,
) -> Result<(), StoreError> {
    let sql = "UPDATE signers SET deleted_at = NULL, updated_at = ? WHERE user = ? AND signer = ?";
    if tx.execute(sql, args![at, user, signer]).await? == 0 {
        let sql = "INSERT INTO signers (user, signer, created_at, updated_at) VALUES (?, ?, ?, ?)";
        tx.execute(sql, args![user, signer, at, at]).await?;
    }
    let sql = "UPDATE venus_signer SET provenance = ? WHERE signer = ? AND user = ?";
    if tx.execute(sql, args![name(provenance), signer, user]).await? == 0 {
        let sql = "INSERT INTO venus_signer (signer, user, provenance) VALUES (?, ?, ?)";
        tx.execute(sql, args![signer, user, name(provenance)]).await?;
    }
    let sql = "DELETE FROM venus_gone WHERE user = ? AND kind = 'signer' AND name = ?";
    tx.execute(sql, args![user, signer]).await?;
    Ok(())
}

pub(super) async fn unbind(
    db: &Db,
    user: &str,
    signers: &[Address],
    at: OffsetDateTime,
) -> Result<Vec<Changed>, StoreError> {
    let mut tx = db.begin().await?;
    let mut changes = Vec::with_capacity(signers.len());
    for signer in signers {
        changes.push(unbind_one(&mut tx, user, &bare(signer), &db.millis(at)).await?);
    }
    tx.commit().await?;
    Ok(changes)
}

async fn unbind_one(tx: &mut Tx, user: &str, signer: &str, at: &str) -> Result<Changed, StoreError> {
    let sql = "SELECT user, CAST(deleted_at AS CHAR) FROM signers WHERE user = ? AND signer = ?";
    for mut row in tx.fetch(sql, args![user, signer]).await? {
        if row.text() != user {
            continue;
        }
        if row.maybe().is_some() {
            return Ok(Changed::Already);
        }
        let sql = "UPDATE signers SET deleted_at = ?, updated_at = ? WHERE user = ? AND signer = ?";
        tx.execute(sql, args![at, at, user, signer]).await?;
        return Ok(Changed::Done);
    }
    Ok(Changed::Absent)
}

pub(super) async fn unbind_all(db: &Db, signer: &Address, at: OffsetDateTime) -> Result<Changed, StoreError> {
    let mut tx = db.begin().await?;
    let sql = "UPDATE signers SET deleted_at = ?, updated_at = ? WHERE signer = ? AND deleted_at IS NULL";
    let gone = tx.execute(sql, args![db.millis(at), db.millis(at), bare(signer)]).await?;
    tx.commit().await?;
    Ok(if gone > 0 { Changed::Done } else { Changed::Absent })
}

pub(super) async fn grant(
    db: &Db,
    signer: &Address,
    user: &str,
    at: OffsetDateTime,
) -> Result<(), StoreError> {
    let mut tx = db.begin().await?;
    let sql = "UPDATE venus_grant SET granted = ? WHERE signer = ? AND user = ?";
    if tx.execute(sql, args![stamp(at), bare(signer), user]).await? == 0 {
        let sql = "INSERT INTO venus_grant (granted, signer, user) VALUES (?, ?, ?)";
        tx.execute(sql, args![stamp(at), bare(signer), user]).await?;
    }
    tx.commit().await
}

pub(super) async fn is_granted(db: &Db, signer: &Address, user: &str) -> Result<bool, StoreError> {
    let sql = "SELECT 1 FROM venus_grant WHERE signer = ? AND user = ?";
    Ok(!db.fetch(sql, args![bare(signer), user]).await?.is_empty())
}
