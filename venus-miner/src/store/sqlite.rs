//! The durable store.

use std::path::Path;

use async_trait::async_trait;
use sqlx::sqlite::{SqlitePool, SqliteRow};
use sqlx::{Row as _, SqliteConnection};
use venus_core::cbor::{Decode, Encode};
use venus_core::error::BoxError;
use venus_core::sqlite::{self, Durability};
use venus_core::types::{Address, BlockMsg, ChainEpoch, Cid, TipsetKey};

use super::rules::{self, Earlier, Verdict};
use super::{
    Claim, MinerStats, Reservation, ReservationState as State, ReservationStore, Round, StoreError,
    Submission, parents_hash, unsigned_cid,
};

/// Why a reservation was abandoned.
pub(super) const LEFT_OUT: &str = "a later block was made without it";

const SCHEMA: &str = include_str!("../../migrations/0001_reservations.sql");
/// Of our own, because several components may share one database.
const MIGRATIONS_TABLE: &str = "_venus_miner_migrations";

/// Reservations in a SQLite file, written through to the disk (`synchronous=FULL`) before any method returns.
#[derive(Clone, Debug)]
pub struct SqliteReservations {
    pool: SqlitePool,
}

impl SqliteReservations {
    /// Opens the database, makes it if it does not exist, and brings its tables up to date.
    ///
    /// # Errors
    /// [`StoreError::Open`] if that is not possible.
    pub async fn open(path: &Path) -> Result<Self, StoreError> {
        let error = |source: BoxError| StoreError::Open { path: path.display().to_string(), source };
        let pool = sqlite::open(path, Durability::Full).await.map_err(|e| error(e.into()))?;
        sqlite::migrate(&pool, MIGRATIONS_TABLE, &[(1, "reservations", SCHEMA)]).await.map_err(error)?;
        Ok(Self { pool })
    }

    /// A transaction that holds the write lock from its start, so that what it reads stays true until it commits.
    async fn begin(&self) -> Result<sqlx::Transaction<'static, sqlx::Sqlite>, StoreError> {
        self.pool.begin_with("BEGIN IMMEDIATE").await.map_err(database)
    }

    async fn one(&self, query: Query<'_>) -> Result<Option<Reservation>, StoreError> {
        let row = query.fetch_optional(&self.pool).await.map_err(database)?;
        row.as_ref().map(reservation).transpose()
    }
}

type Query<'q> = sqlx::query::Query<'q, sqlx::Sqlite, sqlx::sqlite::SqliteArguments>;

#[async_trait]
impl ReservationStore for SqliteReservations {
    async fn begin_round(&self, epoch: ChainEpoch, base: &TipsetKey) -> Result<(), StoreError> {
        let mut tx = self.begin().await?;
        if let Some(last) = last_round(&mut tx).await?.map(|round| round.epoch).filter(|last| *last > epoch) {
            return Err(StoreError::StaleRound { epoch, last });
        }
        sqlx::query(
            "INSERT INTO venus_miner_rounds (epoch, base) VALUES (?, ?)
             ON CONFLICT (epoch) DO UPDATE SET base = excluded.base, done = 0, won = 0, mined = 0",
        )
        .bind(epoch)
        .bind(base.to_cbor())
        .execute(&mut *tx)
        .await
        .map_err(database)?;
        tx.commit().await.map_err(database)
    }

    async fn finish_round(&self, epoch: ChainEpoch, won: u64, mined: u64) -> Result<(), StoreError> {
        let done = sqlx::query("UPDATE venus_miner_rounds SET done = 1, won = ?, mined = ? WHERE epoch = ?")
            .bind(won as i64)
            .bind(mined as i64)
            .bind(epoch)
            .execute(&self.pool)
            .await
            .map_err(database)?;
        match done.rows_affected() {
            1 => Ok(()),
            _ => Err(StoreError::Invalid("round was not begun")),
        }
    }

    async fn last_round(&self) -> Result<Option<Round>, StoreError> {
        let mut connection = self.pool.acquire().await.map_err(database)?;
        last_round(&mut connection).await
    }

    async fn reserve(&self, claim: &Claim) -> Result<Reservation, StoreError> {
        let header = &claim.block.header;
        let mut tx = self.begin().await?;
        let earlier = earlier_blocks(&mut tx, claim).await?;
        let verdict = rules::judge(claim, &earlier)?;
        if let Verdict::Free { abandon } = verdict {
            for height in abandon {
                abandon_block(&mut tx, &header.miner, height).await?;
            }
            insert(&mut tx, claim).await?;
        }
        let row = by_height(&header.miner, header.height)?.fetch_one(&mut *tx).await.map_err(database)?;
        let reserved = reservation(&row)?;
        tx.commit().await.map_err(database)?;
        Ok(reserved)
    }

    async fn at_height(
        &self,
        miner: &Address,
        height: ChainEpoch,
    ) -> Result<Option<Reservation>, StoreError> {
        self.one(by_height(miner, height)?).await
    }

    async fn on_parents(&self, miner: &Address, parents: &[Cid]) -> Result<Option<Reservation>, StoreError> {
        let query = sqlx::query("SELECT * FROM venus_miner_reservations WHERE miner = ? AND parents = ?");
        self.one(query.bind(actor_id(miner)?).bind(parents_hash(parents).to_vec())).await
    }

    async fn record_signature(&self, signed: &BlockMsg) -> Result<Reservation, StoreError> {
        let (miner, height) = (signed.header.miner, signed.header.height);
        let mut tx = self.begin().await?;
        let stored = locked(&mut tx, &miner, height, State::Signed).await?;
        if unsigned_cid(&stored.unsigned) != unsigned_cid(signed) {
            return Err(StoreError::Invalid("another block is reserved"));
        }
        if stored.signed.as_ref() == Some(signed) {
            return Ok(stored);
        }
        let set = sqlx::query(
            "UPDATE venus_miner_reservations SET state = 'signed', signed_cid = ?, signed_block = ?
             WHERE miner = ? AND height = ? AND state = 'reserved'",
        )
        .bind(signed.cid().to_string())
        .bind(signed.to_cbor())
        .bind(actor_id(&miner)?)
        .bind(height);
        step(&mut tx, set, &stored, State::Signed).await?;
        tx.commit().await.map_err(database)?;
        Ok(Reservation { signed: Some(signed.clone()), state: State::Signed, ..stored })
    }

    async fn record_submission(
        &self,
        miner: &Address,
        height: ChainEpoch,
        submission: &Submission,
    ) -> Result<(), StoreError> {
        let (wanted, reason) = match submission {
            Submission::Accepted => (State::Submitted, None),
            Submission::Refused(reason) => (State::Refused, Some(reason.as_str())),
        };
        let mut tx = self.begin().await?;
        let stored = locked(&mut tx, miner, height, wanted).await?;
        if stored.state == wanted || stored.state == State::Submitted {
            return Ok(());
        }
        let set = sqlx::query(
            "UPDATE venus_miner_reservations SET state = ?, reason = ?
             WHERE miner = ? AND height = ? AND state = ?",
        )
        .bind(wanted.as_str())
        .bind(reason)
        .bind(actor_id(miner)?)
        .bind(height)
        .bind(stored.state.as_str());
        step(&mut tx, set, &stored, wanted).await?;
        tx.commit().await.map_err(database)
    }

    async fn stats(&self) -> Result<MinerStats, StoreError> {
        let row = sqlx::query(
            "SELECT (SELECT COUNT(*) FROM venus_miner_rounds WHERE done = 1) AS rounds,
                    (SELECT COALESCE(SUM(won), 0) FROM venus_miner_rounds WHERE done = 1) AS won,
                    (SELECT COUNT(*) FROM venus_miner_reservations WHERE state = 'submitted') AS mined,
                    (SELECT COUNT(*) FROM venus_miner_reservations WHERE state = 'refused') AS refused",
        )
        .fetch_one(&self.pool)
        .await
        .map_err(database)?;
        let count = |column| -> Result<u64, StoreError> {
            let value: i64 = row.try_get(column).map_err(database)?;
            u64::try_from(value).map_err(|e| StoreError::Corrupt { field: column, reason: e.to_string() })
        };
        Ok(MinerStats {
            rounds: count("rounds")?,
            rounds_won: count("won")?,
            blocks_mined: count("mined")?,
            blocks_refused: count("refused")?,
        })
    }

    async fn close(&self) {
        self.pool.close().await;
    }
}

async fn last_round(connection: &mut SqliteConnection) -> Result<Option<Round>, StoreError> {
    let newest = "SELECT epoch, base, done FROM venus_miner_rounds ORDER BY epoch DESC LIMIT 1";
    let row = sqlx::query(newest).fetch_optional(connection).await.map_err(database)?;
    let Some(row) = row else { return Ok(None) };
    Ok(Some(Round {
        epoch: row.try_get("epoch").map_err(database)?,
        base: from_cbor(&row, "base")?,
        done: row.try_get("done").map_err(database)?,
    }))
}

fn by_height<'q>(miner: &Address, height: ChainEpoch) -> Result<Query<'q>, StoreError> {
    let query = sqlx::query("SELECT * FROM venus_miner_reservations WHERE miner = ? AND height = ?");
    Ok(query.bind(actor_id(miner)?).bind(height))
}

/// The miner's earlier blocks that have a say in a claim (see [`rules::matters`]).
async fn earlier_blocks(tx: &mut SqliteConnection, claim: &Claim) -> Result<Vec<Earlier>, StoreError> {
    let header = &claim.block.header;
    let rows = sqlx::query(
        "SELECT * FROM venus_miner_reservations
         WHERE miner = ?1 AND (height IN (?2, ?3) OR base_height = ?2 OR parents = ?4)",
    )
    .bind(actor_id(&header.miner)?)
    .bind(header.height)
    .bind(claim.base_height)
    .bind(parents_hash(&header.parents).to_vec())
    .fetch_all(tx)
    .await
    .map_err(database)?;
    rows.iter().map(earlier).collect()
}

async fn abandon_block(
    tx: &mut SqliteConnection,
    miner: &Address,
    height: ChainEpoch,
) -> Result<(), StoreError> {
    let stored = locked(tx, miner, height, State::Abandoned).await?;
    let set = sqlx::query(
        "UPDATE venus_miner_reservations SET state = 'abandoned', reason = ?
         WHERE miner = ? AND height = ? AND state = 'reserved'",
    )
    .bind(LEFT_OUT)
    .bind(actor_id(miner)?)
    .bind(height);
    step(tx, set, &stored, State::Abandoned).await
}

async fn insert(tx: &mut SqliteConnection, claim: &Claim) -> Result<(), StoreError> {
    let header = &claim.block.header;
    sqlx::query(
        "INSERT INTO venus_miner_reservations
         (miner, height, parents, base_height, base_parents, worker, unsigned_cid, unsigned_block, state)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, 'reserved')",
    )
    .bind(actor_id(&header.miner)?)
    .bind(header.height)
    .bind(parents_hash(&header.parents).to_vec())
    .bind(claim.base_height)
    .bind(parents_hash(claim.base_parents.cids()).to_vec())
    .bind(claim.worker.to_bytes())
    .bind(unsigned_cid(&claim.block).to_string())
    .bind(claim.block.to_cbor())
    .execute(tx)
    .await
    .map(|_| ())
    .map_err(database)
}

/// The reservation under the transaction's write lock.
async fn locked(
    tx: &mut SqliteConnection,
    miner: &Address,
    height: ChainEpoch,
    wanted: State,
) -> Result<Reservation, StoreError> {
    let row = by_height(miner, height)?.fetch_optional(tx).await.map_err(database)?;
    let none = StoreError::State { miner: *miner, height, found: "not reserved", wanted };
    reservation(&row.ok_or(none)?)
}

/// Moves a reservation by compare-and-set; the statement names the state that it must be in.
async fn step(
    tx: &mut SqliteConnection,
    set: Query<'_>,
    stored: &Reservation,
    wanted: State,
) -> Result<(), StoreError> {
    let changed = match stored.state.can_become(wanted) {
        true => set.execute(tx).await.map_err(database)?.rows_affected(),
        false => 0,
    };
    if changed == 1 {
        return Ok(());
    }
    let (miner, height) = (stored.miner(), stored.height());
    Err(StoreError::State { miner, height, found: stored.state.as_str(), wanted })
}

fn reservation(row: &SqliteRow) -> Result<Reservation, StoreError> {
    let signed: Option<Vec<u8>> = row.try_get("signed_block").map_err(database)?;
    let worker: Vec<u8> = row.try_get("worker").map_err(database)?;
    Ok(Reservation {
        unsigned: from_cbor(row, "unsigned_block")?,
        worker: Address::from_bytes(&worker).map_err(|e| corrupt("worker", e))?,
        signed: signed
            .map(|bytes| BlockMsg::from_cbor(&bytes))
            .transpose()
            .map_err(|e| corrupt("signed_block", e))?,
        state: state(row)?,
        reason: row.try_get("reason").map_err(database)?,
    })
}

fn earlier(row: &SqliteRow) -> Result<Earlier, StoreError> {
    let signed: Option<String> = row.try_get("signed_cid").map_err(database)?;
    let unsigned: String = row.try_get("unsigned_cid").map_err(database)?;
    Ok(Earlier {
        height: row.try_get("height").map_err(database)?,
        parents: hash(row, "parents")?,
        base_height: row.try_get("base_height").map_err(database)?,
        base_parents: hash(row, "base_parents")?,
        unsigned_cid: unsigned.parse().map_err(|e| corrupt("unsigned_cid", e))?,
        signed_cid: signed.map(|cid| cid.parse()).transpose().map_err(|e| corrupt("signed_cid", e))?,
        state: state(row)?,
    })
}

fn state(row: &SqliteRow) -> Result<State, StoreError> {
    let name: String = row.try_get("state").map_err(database)?;
    State::from_name(&name).ok_or_else(|| corrupt("state", name))
}

fn hash(row: &SqliteRow, field: &'static str) -> Result<[u8; 32], StoreError> {
    let bytes: Vec<u8> = row.try_get(field).map_err(database)?;
    bytes.try_into().map_err(|_| corrupt(field, "not 32 bytes"))
}

fn from_cbor<T: Decode>(row: &SqliteRow, field: &'static str) -> Result<T, StoreError> {
    let bytes: Vec<u8> = row.try_get(field).map_err(database)?;
    T::from_cbor(&bytes).map_err(|e| corrupt(field, e))
}

fn actor_id(miner: &Address) -> Result<i64, StoreError> {
    let id = miner.id().ok().and_then(|id| i64::try_from(id).ok());
    id.ok_or(StoreError::Invalid("miner must be an ID address"))
}

fn corrupt(field: &'static str, reason: impl ToString) -> StoreError {
    StoreError::Corrupt { field, reason: reason.to_string() }
}

fn database(error: sqlx::Error) -> StoreError {
    StoreError::Database(error.into())
}
