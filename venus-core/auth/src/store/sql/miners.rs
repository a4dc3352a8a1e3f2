//! Miners.

use time::OffsetDateTime;
use venus_core::types::Address;

use super::columns::{Columns, bare};
use super::db::{Db, args};
use crate::model::MinerRow;
use crate::store::{Changed, MinerBound, StoreError};

const SELECT: &str = "SELECT miner, user, CAST(COALESCE(open_mining, 1) AS SIGNED), CAST(created_at AS CHAR), \
                      CAST(updated_at AS CHAR) FROM miners WHERE deleted_at IS NULL";

fn read(mut row: Columns) -> Result<MinerRow, StoreError> {
    Ok(MinerRow {
        miner: row.address()?,
        user: row.text(),
        open_mining: row.flag()?,
        created_at: row.time()?,
        updated_at: row.time()?,
    })
}

pub(super) async fn get(db: &Db, miner: &Address) -> Result<Option<MinerRow>, StoreError> {
    let rows = db.fetch(&format!("{SELECT} AND miner = ?"), args![bare(miner)]).await?;
    rows.into_iter().next().map(read).transpose()
}

pub(super) async fn of(db: &Db, user: &str) -> Result<Vec<MinerRow>, StoreError> {
    let rows = db.fetch(&format!("{SELECT} AND user = ?"), args![user]).await?;
    let mut miners = rows.into_iter().map(read).collect::<Result<Vec<_>, _>>()?;
    miners.retain(|row| row.user == user);
    miners.sort_by_key(|row| row.miner);
    Ok(miners)
}

pub(super) async fn bind(db: &Db, row: &MinerRow) -> Result<MinerBound, StoreError> {
    let (miner, updated) = (bare(&row.miner), db.millis(row.updated_at));
    let mut tx = db.begin().await?;
    let sql = "SELECT user, CAST(deleted_at AS CHAR) FROM miners WHERE miner = ?";
    let known = tx.fetch(sql, args![miner.as_str()]).await?.into_iter().next();
    let bound = match known {
        None => {
            tx.execute(
                "INSERT INTO miners (miner, user, open_mining, created_at, updated_at) VALUES (?, ?, ?, ?, ?)",
                args![
                    miner.as_str(),
                    row.user.as_str(),
                    i64::from(row.open_mining),
                    db.millis(row.created_at),
                    updated
                ],
            )
            .await?;
            MinerBound { is_new: true, taken_from: None }
        }
        Some(mut known) => {
            let former = known.text();
            let live = known.maybe().is_none();
            tx.execute(
                "UPDATE miners SET user = ?, open_mining = ?, updated_at = ?, deleted_at = NULL WHERE miner = ?",
                args![row.user.as_str(), i64::from(row.open_mining), updated, miner.as_str()],
            )
            .await?;
            MinerBound { is_new: false, taken_from: live.then_some(former) }
        }
    };
    tx.execute("DELETE FROM venus_gone WHERE kind = 'miner' AND name = ?", args![miner]).await?;
    tx.commit().await?;
    Ok(bound)
}

pub(super) async fn unbind(db: &Db, miner: &Address, at: OffsetDateTime) -> Result<Changed, StoreError> {
    let mut tx = db.begin().await?;
    let sql = "SELECT CAST(deleted_at AS CHAR) FROM miners WHERE miner = ?";
    let known = tx.fetch(sql, args![bare(miner)]).await?.into_iter().next();
    let Some(mut known) = known else { return Ok(Changed::Absent) };
    if known.maybe().is_some() {
        return Ok(Changed::Already);
    }
    let sql = "UPDATE miners SET deleted_at = ?, updated_at = ? WHERE miner = ?";
    tx.execute(sql, args![db.millis(at), db.millis(at), bare(miner)]).await?;
    tx.commit().await?;
    Ok(Changed::Done)
}
