//! Slots in a SQLite file of their own.

use std::path::Path;

use async_trait::async_trait;
use sqlx::sqlite::{SqliteConnection, SqlitePool};
use sqlx::{Sqlite, Transaction};
use venus_core::error::BoxError;
use venus_core::sqlite::{self, Durability};

use super::store::SLACK;
use super::{BlockSlot, Entry, KEEP, Merged, Reserved, SlashingStore, Slot, Summary, VoteSlot};
use super::{sqlite_merge, sqlite_rows};

/// Kept apart from the lists of other parts, so that all could share a file.
const MIGRATION_TABLE: &str = "_venus_slashing_migrations";

/// A [`SlashingStore`] in a SQLite file of mode 0600. What it promised survives a power cut. Several processes may use
/// one file at the same time. Clones share the connection.
#[derive(Clone, Debug)]
pub struct SqliteSlashing {
    pool: SqlitePool,
    network: String,
    keep: u32,
}

impl SqliteSlashing {
    /// Opens or creates the file for the miners of a network; any name of it will do, as long as it is always the
    /// same.
    ///
    /// # Errors
    /// If the file cannot be opened or is no such database, or holds the history of another network: f01000 is another
    /// miner there.
    pub async fn open(path: &Path, network: &str) -> Result<Self, BoxError> {
        let pool = sqlite::open(path, Durability::Full).await?;
        migrate(&pool).await?;
        let found = settle_network(&pool, network).await?;
        if found != network {
            return Err(format!(
                "{} holds the history of network {found}, not of {network}; use a file for each network",
                path.display()
            )
            .into());
        }
        Ok(Self { pool, network: found, keep: KEEP })
    }

    /// Opens a file that [`SqliteSlashing::open`] has made, whatever its network is.
    ///
    /// # Errors
    /// As [`SqliteSlashing::open`], and if there is no history at all.
    pub async fn open_existing(path: &Path) -> Result<Self, BoxError> {
        if !path.exists() {
            return Err(format!(
                "{}: there is no history here; sign a block first, or import one",
                path.display()
            )
            .into());
        }
        let pool = sqlite::open(path, Durability::Full).await?;
        migrate(&pool).await?;
        let query = sqlx::query_scalar::<_, String>("SELECT name FROM slash_network WHERE id = 1");
        match query.fetch_optional(&pool).await? {
            Some(network) => Ok(Self { pool, network, keep: KEEP }),
            None => Err(format!("{}: the history has no network; import one", path.display()).into()),
        }
    }

    /// Keeps so many heights a miner and votes a key, instead of [`KEEP`]. The chain takes reports of faults for 900
    /// epochs; keep more.
    #[must_use]
    pub fn with_bound(mut self, keep: u32) -> Self {
        self.keep = keep.max(1);
        self
    }

    /// Ends all connections. Clones fail from then on.
    pub async fn close(&self) {
        self.pool.close().await;
    }

    /// The lock is taken at once: whoever decides by what it read must be the only one that writes.
    async fn write(&self) -> Result<Transaction<'static, Sqlite>, sqlx::Error> {
        self.pool.begin_with("BEGIN IMMEDIATE").await
    }
}

async fn migrate(pool: &SqlitePool) -> Result<(), BoxError> {
    let first = include_str!("../../migrations/sqlite/slashing_0001_first.sql");
    sqlite::migrate(pool, MIGRATION_TABLE, &[(1, "first", first)]).await
}

async fn settle_network(pool: &SqlitePool, network: &str) -> Result<String, sqlx::Error> {
    let insert = "INSERT INTO slash_network (id, name) VALUES (1, ?) ON CONFLICT DO NOTHING";
    sqlx::query(insert).bind(network).execute(pool).await?;
    // A wallet that was once started for the wrong network and signed nothing is not bound to it.
    let change = "UPDATE slash_network SET name = ? WHERE NOT EXISTS (SELECT 1 FROM slash_block) \
                  AND NOT EXISTS (SELECT 1 FROM slash_miner) AND NOT EXISTS (SELECT 1 FROM slash_vote) \
                  AND NOT EXISTS (SELECT 1 FROM slash_parents) AND NOT EXISTS (SELECT 1 FROM slash_voter)";
    sqlx::query(change).bind(network).execute(pool).await?;
    sqlx::query_scalar("SELECT name FROM slash_network WHERE id = 1").fetch_one(pool).await
}

/// What the tables say about a block.
pub(super) struct Found {
    pub(super) at_height: Option<Vec<u8>>,
    pub(super) on_parents: Option<(i64, Vec<u8>)>,
}

impl Found {
    pub(super) async fn of(db: &mut SqliteConnection, slot: &BlockSlot) -> Result<Self, sqlx::Error> {
        let miner = number(slot.miner);
        let at_height = sqlx::query_scalar("SELECT header FROM slash_block WHERE miner = ? AND height = ?")
            .bind(miner)
            .bind(slot.height)
            .fetch_optional(&mut *db)
            .await?;
        let on_parents =
            sqlx::query_as("SELECT height, header FROM slash_parents WHERE miner = ? AND parents = ?")
                .bind(miner)
                .bind(slot.parents.as_slice())
                .fetch_optional(db)
                .await?;
        Ok(Self { at_height, on_parents })
    }

    /// The height of another block that has one of the slots.
    pub(super) fn other(&self, slot: &BlockSlot) -> Option<i64> {
        let at_height = self.at_height.as_ref().filter(|header| header.as_slice() != slot.header);
        let on_parents = self.on_parents.as_ref().filter(|(_, header)| header.as_slice() != slot.header);
        at_height.map(|_| slot.height).or(on_parents.map(|(height, _)| *height))
    }

    pub(super) fn both(&self) -> bool {
        self.at_height.is_some() && self.on_parents.is_some()
    }
}

async fn take_block(db: &mut SqliteConnection, slot: &BlockSlot, keep: u32) -> Result<Reserved, sqlx::Error> {
    let found = Found::of(db, slot).await?;
    if let Some(height) = found.other(slot) {
        return Ok(Reserved::Other { height });
    }
    if found.both() {
        return Ok(Reserved::Again);
    }
    let floor: Option<Option<i64>> = sqlx::query_scalar("SELECT floor FROM slash_miner WHERE miner = ?")
        .bind(number(slot.miner))
        .fetch_optional(&mut *db)
        .await?;
    if let Some(floor) = floor.flatten().filter(|floor| slot.height <= *floor) {
        return Ok(Reserved::Below { floor });
    }
    insert_block(db, slot, keep).await?;
    Ok(Reserved::New)
}

/// Takes what is free of the block's slots.
pub(super) async fn insert_block(
    db: &mut SqliteConnection,
    slot: &BlockSlot,
    keep: u32,
) -> Result<(), sqlx::Error> {
    let miner = number(slot.miner);
    let (parents, header) = (slot.parents.as_slice(), slot.header.as_slice());
    let block = "INSERT INTO slash_block (miner, height, parents, header) VALUES (?, ?, ?, ?) \
                 ON CONFLICT DO NOTHING";
    let query = sqlx::query(block).bind(miner).bind(slot.height).bind(parents).bind(header);
    let added = query.execute(&mut *db).await?.rows_affected();
    let on_parents = "INSERT INTO slash_parents (miner, parents, height, header) VALUES (?, ?, ?, ?) \
                      ON CONFLICT DO NOTHING";
    let query = sqlx::query(on_parents).bind(miner).bind(parents).bind(slot.height).bind(header);
    query.execute(&mut *db).await?;
    let count = "INSERT INTO slash_miner (miner, kept) VALUES (?, ?) \
                 ON CONFLICT (miner) DO UPDATE SET kept = kept + excluded.kept RETURNING kept";
    let kept: i64 = sqlx::query_scalar(count)
        .bind(miner)
        .bind(i64::try_from(added).unwrap_or_default())
        .fetch_one(&mut *db)
        .await?;
    if kept > i64::from(keep.saturating_add(SLACK)) { prune_blocks(db, miner, keep).await } else { Ok(()) }
}

async fn prune_blocks(db: &mut SqliteConnection, miner: i64, keep: u32) -> Result<(), sqlx::Error> {
    let cut = "SELECT height FROM slash_block WHERE miner = ? ORDER BY height DESC LIMIT 1 OFFSET ?";
    let cut: Option<i64> = sqlx::query_scalar(cut).bind(miner).bind(keep).fetch_optional(&mut *db).await?;
    let Some(cut) = cut else { return Ok(()) };
    let floor = "UPDATE slash_miner SET floor = MAX(COALESCE(floor, ?2), ?2), kept = ?3 WHERE miner = ?1";
    sqlx::query(floor).bind(miner).bind(cut).bind(keep).execute(&mut *db).await?;
    for delete in [
        "DELETE FROM slash_block WHERE miner = ? AND height <= ?",
        "DELETE FROM slash_parents WHERE miner = ? AND height <= ?",
    ] {
        sqlx::query(delete).bind(miner).bind(cut).execute(&mut *db).await?;
    }
    Ok(())
}

pub(super) async fn find_vote(
    db: &mut SqliteConnection,
    slot: &VoteSlot,
) -> Result<Option<Vec<u8>>, sqlx::Error> {
    let find = "SELECT payload FROM slash_vote \
                WHERE signer = ? AND network = ? AND instance = ? AND round = ? AND phase = ?";
    sqlx::query_scalar(find)
        .bind(&slot.signer)
        .bind(&slot.network)
        .bind(number(slot.instance))
        .bind(number(slot.round))
        .bind(slot.phase)
        .fetch_optional(db)
        .await
}

async fn take_vote(db: &mut SqliteConnection, slot: &VoteSlot, keep: u32) -> Result<Reserved, sqlx::Error> {
    match find_vote(db, slot).await? {
        Some(payload) if payload == slot.payload => return Ok(Reserved::Again),
        Some(_) => return Ok(Reserved::Other { height: 0 }),
        None => {}
    }
    let floor = "SELECT floor FROM slash_voter WHERE signer = ? AND network = ?";
    let query = sqlx::query_scalar(floor).bind(&slot.signer).bind(&slot.network);
    let floor: Option<Option<i64>> = query.fetch_optional(&mut *db).await?;
    if let Some(floor) = floor.flatten().filter(|floor| number(slot.instance) <= *floor) {
        return Ok(Reserved::Below { floor });
    }
    insert_vote(db, slot, keep).await?;
    Ok(Reserved::New)
}

/// Takes the slot unless it is taken.
pub(super) async fn insert_vote(
    db: &mut SqliteConnection,
    slot: &VoteSlot,
    keep: u32,
) -> Result<(), sqlx::Error> {
    let insert = "INSERT INTO slash_vote (signer, network, instance, round, phase, payload) \
                  VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING";
    let query = sqlx::query(insert).bind(&slot.signer).bind(&slot.network).bind(number(slot.instance));
    let query = query.bind(number(slot.round)).bind(slot.phase).bind(slot.payload.as_slice());
    let added = query.execute(&mut *db).await?.rows_affected();
    let count = "INSERT INTO slash_voter (signer, network, kept) VALUES (?, ?, ?) \
                 ON CONFLICT (signer, network) DO UPDATE SET kept = kept + excluded.kept RETURNING kept";
    let query = sqlx::query_scalar(count).bind(&slot.signer).bind(&slot.network);
    let kept: i64 = query.bind(i64::try_from(added).unwrap_or_default()).fetch_one(&mut *db).await?;
    if kept > i64::from(keep.saturating_add(SLACK)) { prune_votes(db, slot, keep).await } else { Ok(()) }
}

async fn prune_votes(db: &mut SqliteConnection, slot: &VoteSlot, keep: u32) -> Result<(), sqlx::Error> {
    let cut = "SELECT instance FROM slash_vote WHERE signer = ? AND network = ? \
               ORDER BY instance DESC LIMIT 1 OFFSET ?";
    let query = sqlx::query_scalar(cut).bind(&slot.signer).bind(&slot.network).bind(keep);
    let Some(cut) = query.fetch_optional(&mut *db).await?.map(|cut: i64| cut) else { return Ok(()) };
    let delete = "DELETE FROM slash_vote WHERE signer = ? AND network = ? AND instance <= ?";
    let query = sqlx::query(delete).bind(&slot.signer).bind(&slot.network).bind(cut);
    let gone = query.execute(&mut *db).await?.rows_affected();
    let floor = "UPDATE slash_voter SET floor = MAX(COALESCE(floor, ?3), ?3), kept = kept - ?4 \
                 WHERE signer = ?1 AND network = ?2";
    let query = sqlx::query(floor).bind(&slot.signer).bind(&slot.network).bind(cut);
    query.bind(i64::try_from(gone).unwrap_or(i64::MAX)).execute(db).await?;
    Ok(())
}

/// Slots are checked to fit when they are made, and entries when they are read.
pub(super) fn number(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}

#[async_trait]
impl SlashingStore for SqliteSlashing {
    fn network(&self) -> &str {
        &self.network
    }

    async fn take(&self, slot: &Slot) -> Result<Reserved, BoxError> {
        let mut tx = self.write().await?;
        let reserved = match slot {
            Slot::Block(slot) => take_block(&mut tx, slot, self.keep).await?,
            Slot::Vote(slot) => take_vote(&mut tx, slot, self.keep).await?,
        };
        match reserved {
            Reserved::New => tx.commit().await?,
            _ => tx.rollback().await?,
        }
        Ok(reserved)
    }

    async fn merge(&self, entries: &[Entry]) -> Result<Merged, BoxError> {
        let mut tx = self.write().await?;
        let mut merged = Merged::default();
        for entry in entries {
            sqlite_merge::merge(&mut tx, entry, self.keep, &mut merged).await?;
        }
        tx.commit().await?;
        Ok(merged)
    }

    async fn page(&self, after: Option<&Entry>, limit: u32) -> Result<Vec<Entry>, BoxError> {
        let mut db = self.pool.acquire().await?;
        sqlite_rows::page(&mut db, after, limit).await
    }

    async fn summary(&self) -> Result<Vec<Summary>, BoxError> {
        let mut db = self.pool.acquire().await?;
        Ok(sqlite_rows::summary(&mut db).await?)
    }
}
