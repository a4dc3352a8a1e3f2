//! Users.

use time::OffsetDateTime;

use super::columns::{Columns, bare, corrupt};
use super::db::{Db, Tx, args};
use super::{duplicate, tokens};
use crate::model::{Page, User, UserState};
use crate::store::{Cascade, Changed, StoreError, UserChange, clamp};

const COLUMNS: &str = "id, name, comment, CAST(state AS SIGNED), CAST(createTime AS CHAR), \
                       CAST(updateTime AS CHAR), CAST(is_deleted AS SIGNED)";

fn read(mut row: Columns) -> Result<User, StoreError> {
    Ok(User {
        id: row.maybe_uuid()?.ok_or_else(|| corrupt("a user without an id"))?,
        name: row.text(),
        comment: row.text(),
        state: state(row.int()?)?,
        created_at: row.time()?,
        updated_at: row.time()?,
        deleted: row.flag()?,
    })
}

fn state(number: i64) -> Result<UserState, StoreError> {
    let number = i32::try_from(number).map_err(|_| corrupt(format_args!("user state {number}")))?;
    Ok(UserState::of_number(number))
}

pub(super) async fn get(db: &Db, name: &str) -> Result<Option<User>, StoreError> {
    let rows = db.fetch(&format!("SELECT {COLUMNS} FROM users WHERE name = ?"), args![name]).await?;
    let users = rows.into_iter().map(read).collect::<Result<Vec<_>, _>>()?;
    // Collations of adopted tables find `Alice` for `alice`. They are not the same.
    Ok(users.into_iter().find(|user| user.name == name))
}

/// The id of a user's row, and whether it is deleted, locked.
async fn find(tx: &mut Tx, name: &str) -> Result<Option<(String, bool)>, StoreError> {
    let sql = "SELECT id, name, CAST(is_deleted AS SIGNED) FROM users WHERE name = ?";
    for mut row in tx.fetch(sql, args![name]).await? {
        let (id, found) = (row.text(), row.text());
        if found == name {
            return Ok(Some((id, row.flag()?)));
        }
    }
    Ok(None)
}

pub(super) async fn list(db: &Db, page: Page, state: Option<UserState>) -> Result<Vec<User>, StoreError> {
    let wanted = if state.is_some() { "AND state = ?" } else { "AND 0 = ?" };
    let sql =
        format!("SELECT {COLUMNS} FROM users WHERE is_deleted = 0 {wanted} ORDER BY name LIMIT ? OFFSET ?");
    let number = i64::from(state.map_or(0, UserState::number));
    let rows = db.fetch(&sql, args![number, limit(page), skip(page)]).await?;
    rows.into_iter().map(read).collect()
}

pub(super) fn limit(page: Page) -> i64 {
    clamp(page.limit) as i64
}

pub(super) fn skip(page: Page) -> i64 {
    i64::try_from(page.skip).unwrap_or(i64::MAX)
}

pub(super) async fn count(db: &Db) -> Result<Vec<(UserState, u64)>, StoreError> {
    let sql = "SELECT CAST(state AS SIGNED), COUNT(*) FROM users WHERE is_deleted = 0 GROUP BY state ORDER BY state";
    let rows = db.fetch(sql, &[]).await?;
    rows.into_iter()
        .map(|mut row| Ok((state(row.int()?)?, u64::try_from(row.int()?).unwrap_or_default())))
        .collect()
}

pub(super) async fn create(db: &Db, user: &User) -> Result<Changed, StoreError> {
    let mut tx = db.begin().await?;
    let inserted = tx
        .execute(
            "INSERT INTO users (id, name, comment, state, createTime, updateTime, is_deleted) \
             VALUES (?, ?, ?, ?, ?, ?, 0)",
            args![
                user.id.to_string(),
                user.name.as_str(),
                user.comment.as_str(),
                i64::from(user.state.number()),
                db.seconds(user.created_at),
                db.seconds(user.updated_at),
            ],
        )
        .await;
    match inserted {
        Err(error) if duplicate(&error) => return Ok(Changed::Already),
        other => other?,
    };
    tx.commit().await?;
    Ok(Changed::Done)
}

pub(super) async fn update(
    db: &Db,
    name: &str,
    change: &UserChange,
    at: OffsetDateTime,
) -> Result<Changed, StoreError> {
    let mut tx = db.begin().await?;
    let Some((id, false)) = find(&mut tx, name).await? else { return Ok(Changed::Absent) };
    if let Some(comment) = &change.comment {
        tx.execute("UPDATE users SET comment = ? WHERE id = ?", args![comment.as_str(), id.as_str()]).await?;
    }
    if let Some(state) = change.state {
        let number = i64::from(state.number());
        tx.execute("UPDATE users SET state = ? WHERE id = ?", args![number, id.as_str()]).await?;
    }
    tx.execute("UPDATE users SET updateTime = ? WHERE id = ?", args![db.seconds(at), id]).await?;
    tx.commit().await?;
    Ok(Changed::Done)
}

pub(super) async fn delete(
    db: &Db,
    name: &str,
    at: OffsetDateTime,
) -> Result<(Changed, Cascade), StoreError> {
    let mut tx = db.begin().await?;
    let id = match find(&mut tx, name).await? {
        None => return Ok((Changed::Absent, Cascade::default())),
        Some((_, true)) => return Ok((Changed::Already, Cascade::default())),
        Some((id, false)) => id,
    };
    let sql = "UPDATE users SET is_deleted = 1, updateTime = ? WHERE id = ?";
    tx.execute(sql, args![db.seconds(at), id]).await?;
    tx.execute("DELETE FROM venus_gone WHERE user = ?", args![name]).await?;
    let cascade = Cascade {
        tokens: tokens::revoke_all(&mut tx, name).await?,
        miners: bindings(&mut tx, name, db.millis(at), &MINERS).await?,
        signers: bindings(&mut tx, name, db.millis(at), &SIGNERS).await?,
    };
    tx.commit().await?;
    Ok((Changed::Done, cascade))
}

/// The statements by which bindings of one kind go with their user.
struct Cascading {
    kind: &'static str,
    live: &'static str,
    delete: &'static str,
}

const MINERS: Cascading = Cascading {
    kind: "miner",
    live: "SELECT miner FROM miners WHERE user = ? AND deleted_at IS NULL ORDER BY miner",
    delete: "UPDATE miners SET deleted_at = ? WHERE user = ? AND deleted_at IS NULL",
};
const SIGNERS: Cascading = Cascading {
    kind: "signer",
    live: "SELECT signer FROM signers WHERE user = ? AND deleted_at IS NULL ORDER BY signer",
    delete: "UPDATE signers SET deleted_at = ? WHERE user = ? AND deleted_at IS NULL",
};

async fn bindings(
    tx: &mut Tx,
    user: &str,
    at: String,
    of: &Cascading,
) -> Result<Vec<venus_core::types::Address>, StoreError> {
    let live = tx.fetch(of.live, args![user]).await?;
    let live = live.into_iter().map(|mut row| row.address()).collect::<Result<Vec<_>, _>>()?;
    for address in &live {
        let sql = "INSERT INTO venus_gone (user, kind, name) VALUES (?, ?, ?)";
        tx.execute(sql, args![user, of.kind, bare(address)]).await?;
    }
    tx.execute(of.delete, args![at, user]).await?;
    Ok(live)
}

pub(super) async fn recover(db: &Db, name: &str, at: OffsetDateTime) -> Result<Changed, StoreError> {
    let mut tx = db.begin().await?;
    let id = match find(&mut tx, name).await? {
        None => return Ok(Changed::Absent),
        Some((_, false)) => return Ok(Changed::Already),
        Some((id, true)) => id,
    };
    let sql = "UPDATE users SET is_deleted = 0, updateTime = ? WHERE id = ?";
    tx.execute(sql, args![db.seconds(at), id]).await?;
    // Only what still is the user's: another may have taken it since.
    tx.execute(
        "UPDATE miners SET deleted_at = NULL WHERE user = ? AND deleted_at IS NOT NULL \
         AND miner IN (SELECT name FROM venus_gone WHERE user = ? AND kind = 'miner')",
        args![name, name],
    )
    .await?;
    let gone =
        tx.fetch("SELECT name FROM venus_gone WHERE user = ? AND kind = 'signer'", args![name]).await?;
    for mut row in gone {
        bring_back(&mut tx, name, &row.text()).await?;
    }
    tx.execute("DELETE FROM venus_gone WHERE user = ?", args![name]).await?;
    tx.commit().await?;
    Ok(Changed::Done)
}

/// A signer that somebody proved as its owner since is not brought back: it would have two.
async fn bring_back(tx: &mut Tx, user: &str, signer: &str) -> Result<(), StoreError> {
    let owned = tx
        .fetch(
            "SELECT s.user FROM signers s JOIN venus_signer v ON v.signer = s.signer AND v.user = s.user \
             WHERE s.signer = ? AND s.deleted_at IS NULL AND v.provenance = 'owner'",
            args![signer],
        )
        .await?;
    if owned.is_empty() {
        let sql = "UPDATE signers SET deleted_at = NULL WHERE user = ? AND signer = ?";
        tx.execute(sql, args![user, signer]).await?;
    }
    Ok(())
}
