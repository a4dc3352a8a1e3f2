//! Tokens: what sophon-auth's table says of them, joined with what only ours do.

use uuid::Uuid;

use super::columns::{Columns, stamp};
use super::db::{Db, Tx, args};
use super::duplicate;
use super::users::{limit, skip};
use crate::model::{Page, TokenKey, TokenRow};
use crate::store::{Changed, StoreError, clamp};

const SELECT: &str = "SELECT t.token, v.id, t.name, t.perm, t.extra, t.secret, v.expires, v.audience, v.scopes, \
                      COALESCE(v.created, CAST(t.createTime AS CHAR)), CAST(t.is_deleted AS SIGNED) \
                      FROM token t LEFT JOIN venus_token v ON v.token = t.token";
/// Tokens of one instant in the order in which they came.
const BY_CREATION: &str = "ORDER BY COALESCE(v.created, CAST(t.createTime AS CHAR)), v.seq, t.token";
/// How a hashed key begins.
const HASHED: &str = "sha256:%";
/// Tokens that one transaction adopts.
const BATCH: i64 = 500;

fn read(mut row: Columns) -> Result<TokenRow, StoreError> {
    let key = TokenKey::of_column(row.text());
    let id = row.maybe_uuid()?.unwrap_or_else(|| derived_id(&key));
    Ok(TokenRow {
        id,
        name: row.text(),
        perm: row.text(),
        extra: row.text(),
        secret: row.text(),
        expires_at: row.maybe_time()?,
        audience: row.list()?,
        scopes: row.list()?,
        created_at: row.time()?,
        deleted: row.flag()?,
        key,
    })
}

/// The id of a token that sophon-auth made: the same whoever asks, before and after the token is hashed.
fn derived_id(key: &TokenKey) -> Uuid {
    let bytes = u128::from_str_radix(key.fingerprint().get(..32).unwrap_or_default(), 16).unwrap_or_default();
    uuid::Builder::from_custom_bytes(bytes.to_be_bytes()).into_uuid()
}

pub(super) async fn get(db: &Db, key: &TokenKey) -> Result<Option<TokenRow>, StoreError> {
    let rows = db.fetch(&format!("{SELECT} WHERE t.token = ?"), args![key.as_column()]).await?;
    let tokens = rows.into_iter().map(read).collect::<Result<Vec<_>, _>>()?;
    // Collations of adopted tables find a token whose letters are of another case. It is another token.
    Ok(tokens.into_iter().find(|token| token.key == *key))
}

pub(super) async fn named(db: &Db, name: &str) -> Result<Vec<TokenRow>, StoreError> {
    adopt(db).await?;
    let prefix = match name.len() >= 8 && name.chars().all(|c| c.is_ascii_hexdigit() && !c.is_uppercase()) {
        true => format!("{name}%"),
        false => String::new(),
    };
    let id = Uuid::parse_str(name).unwrap_or_default().to_string();
    let sql = format!("{SELECT} WHERE v.id = ? OR v.fingerprint LIKE ? {BY_CREATION} LIMIT 10");
    let rows = db.fetch(&sql, args![id, prefix]).await?;
    rows.into_iter().map(read).collect()
}

pub(super) async fn of(db: &Db, name: &str) -> Result<Vec<TokenRow>, StoreError> {
    let sql = format!("{SELECT} WHERE t.name = ? AND t.is_deleted = 0 {BY_CREATION}");
    let rows = db.fetch(&sql, args![name]).await?;
    let tokens = rows.into_iter().map(read).collect::<Result<Vec<_>, _>>()?;
    Ok(tokens.into_iter().filter(|token| token.name == name).collect())
}

pub(super) async fn list(db: &Db, page: Page) -> Result<Vec<TokenRow>, StoreError> {
    let sql = format!("{SELECT} WHERE t.is_deleted = 0 {BY_CREATION} LIMIT ? OFFSET ?");
    let rows = db.fetch(&sql, args![limit(page), skip(page)]).await?;
    rows.into_iter().map(read).collect()
}

pub(super) async fn add(db: &Db, token: &TokenRow) -> Result<Changed, StoreError> {
    let mut tx = db.begin().await?;
    let inserted = tx
        .execute(
            "INSERT INTO token (name, perm, secret, extra, token, createTime, is_deleted) \
             VALUES (?, ?, ?, ?, ?, ?, ?)",
            args![
                token.name.as_str(),
                token.perm.as_str(),
                token.secret.as_str(),
                token.extra.as_str(),
                token.key.as_column(),
                db.seconds(token.created_at),
                i64::from(token.deleted),
            ],
        )
        .await;
    match inserted {
        Err(error) if duplicate(&error) => return Ok(Changed::Already),
        other => other?,
    };
    add_side(&mut tx, token).await?;
    tx.commit().await?;
    Ok(Changed::Done)
}

async fn add_side(tx: &mut Tx, token: &TokenRow) -> Result<(), StoreError> {
    let last = tx.fetch("SELECT seq FROM venus_token ORDER BY seq DESC LIMIT 1", &[]).await?;
    let seq = last.into_iter().next().map_or(Ok(0), |mut row| row.int())?.saturating_add(1);
    tx.execute(
        "INSERT INTO venus_token (token, id, fingerprint, seq, created, expires, audience, scopes) \
         VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        args![
            token.key.as_column(),
            token.id.to_string(),
            token.key.fingerprint(),
            seq,
            stamp(token.created_at),
            token.expires_at.map(stamp),
            json(&token.audience),
            json(&token.scopes),
        ],
    )
    .await?;
    Ok(())
}

fn json(list: &[String]) -> Option<String> {
    if list.is_empty() { None } else { serde_json::to_string(list).ok() }
}

/// Gives ids to tokens that another program added.
pub(super) async fn adopt(db: &Db) -> Result<(), StoreError> {
    loop {
        let sql = format!("{SELECT} WHERE v.token IS NULL ORDER BY t.createTime, t.token LIMIT {BATCH}");
        if db.fetch(&sql, &[]).await?.is_empty() {
            return Ok(());
        }
        let mut tx = db.begin().await?;
        for row in tx.fetch(&sql, &[]).await? {
            add_side(&mut tx, &read(row)?).await?;
        }
        tx.commit().await?;
    }
}

pub(super) async fn set_deleted(db: &Db, key: &TokenKey, deleted: bool) -> Result<Changed, StoreError> {
    let mut tx = db.begin().await?;
    let sql = "SELECT token, CAST(is_deleted AS SIGNED) FROM token WHERE token = ?";
    for mut row in tx.fetch(sql, args![key.as_column()]).await? {
        if row.text() != key.as_column() {
            continue;
        }
        if row.flag()? == deleted {
            return Ok(Changed::Already);
        }
        let sql = "UPDATE token SET is_deleted = ? WHERE token = ?";
        tx.execute(sql, args![i64::from(deleted), key.as_column()]).await?;
        tx.commit().await?;
        return Ok(Changed::Done);
    }
    Ok(Changed::Absent)
}

/// Revokes all that speak for a user; their ids.
pub(super) async fn revoke_all(tx: &mut Tx, name: &str) -> Result<Vec<Uuid>, StoreError> {
    let sql = format!("{SELECT} WHERE t.name = ? AND t.is_deleted = 0 {BY_CREATION}");
    let live = tx.fetch(&sql, args![name]).await?;
    let live = live.into_iter().map(read).collect::<Result<Vec<_>, _>>()?;
    tx.execute("UPDATE token SET is_deleted = 1 WHERE name = ? AND is_deleted = 0", args![name]).await?;
    Ok(live.into_iter().map(|token| token.id).collect())
}

pub(super) async fn hash(db: &Db, most: u32) -> Result<u64, StoreError> {
    adopt(db).await?;
    let mut tx = db.begin().await?;
    let sql = "SELECT token FROM token WHERE token NOT LIKE ? LIMIT ?";
    let clear = tx.fetch(sql, args![HASHED, clamp(most) as i64]).await?;
    let hashed = clear.len() as u64;
    for mut row in clear {
        let token = row.text();
        let key = TokenKey::hashed(&token);
        let sql = "UPDATE token SET token = ?, secret = '' WHERE token = ?";
        tx.execute(sql, args![key.as_column(), token.as_str()]).await?;
        tx.execute("UPDATE venus_token SET token = ? WHERE token = ?", args![key.as_column(), token]).await?;
    }
    tx.commit().await?;
    Ok(hashed)
}

pub(super) async fn clear(db: &Db) -> Result<u64, StoreError> {
    let rows = db.fetch("SELECT COUNT(*) FROM token WHERE token NOT LIKE ?", args![HASHED]).await?;
    let count = rows.into_iter().next().map_or(Ok(0), |mut row| row.int())?;
    Ok(u64::try_from(count).unwrap_or_default())
}

pub(super) async fn count(db: &Db) -> Result<Vec<(String, u64)>, StoreError> {
    let sql = "SELECT perm, COUNT(*) FROM token WHERE is_deleted = 0 GROUP BY perm ORDER BY perm";
    let rows = db.fetch(sql, &[]).await?;
    rows.into_iter().map(|mut row| Ok((row.text(), u64::try_from(row.int()?).unwrap_or_default()))).collect()
}
