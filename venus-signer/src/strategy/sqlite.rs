//! Strategies in SQLite, in the tables of the Go wallet.

use std::path::Path;
use std::sync::Arc;

use async_trait::async_trait;
use sqlx::query::Query;
use sqlx::sqlite::{SqliteArguments, SqliteConnection, SqlitePool, SqliteRow};
use sqlx::{Row, Sqlite};
use time::OffsetDateTime;
use time::macros::format_description;
use venus_core::clock::{Clock, SystemClock};
use venus_core::sqlite::{self, Durability};

use super::model::{KeyBind, MethodTemplate, MsgTypeTemplate};
use super::tables::{Change, GroupRow, Id, StoredToken, Tables};
use super::{MsgEnum, StrategyError, StrategyStore};

/// Each part of the database keeps its own list.
const MIGRATION_TABLE: &str = "_venus_strategy_migrations";

/// A [`StrategyStore`] in the `keystore.sqlit` of a wallet, in the tables that venus-wallet v1.0 to v1.8 had: `keyBind`,
/// `group`, `groupAuth`, `typeTmp`, `methodTmp`. Tables that are there already are taken over with what is in them.
/// Hashes of tokens and accounts have tables of their own, `groupAuthHash` and `accountAuth`.
#[derive(Clone, Debug)]
pub struct SqliteStrategyStore {
    pool: SqlitePool,
    clock: Arc<dyn Clock>,
}

impl SqliteStrategyStore {
    /// Opens or creates the database file, and brings its tables up to date.
    ///
    /// # Errors
    /// [`StrategyError::Store`] if the file cannot be opened, is no database, or belongs to a newer program.
    pub async fn open(path: &Path) -> Result<Self, StrategyError> {
        Self::over(sqlite::open(path, Durability::Full).await.map_err(backend)?).await
    }

    /// A database in memory, which ends with the store.
    ///
    /// # Errors
    /// As [`SqliteStrategyStore::open`].
    pub async fn in_memory() -> Result<Self, StrategyError> {
        Self::over(sqlite::in_memory().await.map_err(backend)?).await
    }

    /// Over the one connection that writes to a database.
    pub(crate) async fn over(pool: SqlitePool) -> Result<Self, StrategyError> {
        migrate(&pool).await?;
        let store = Self { pool, clock: Arc::new(SystemClock) };
        store.mend().await?;
        Ok(store)
    }

    /// The store with another clock for the times in its rows.
    #[must_use]
    pub fn with_clock(mut self, clock: impl Clock + 'static) -> Self {
        self.clock = Arc::new(clock);
        self
    }

    /// Takes ids out of groups that no key bind has: Go left them there, and a new key bind might get one.
    async fn mend(&self) -> Result<(), StrategyError> {
        let tables = self.load().await?;
        let dangling = tables.groups.values().filter_map(|row| {
            let known = row.binds.iter().filter(|id| tables.key_binds.contains_key(id));
            let binds: Vec<Id> = known.copied().collect();
            (binds != row.binds).then_some(Change::SetGroup { id: row.id, binds })
        });
        let changes: Vec<Change> = dangling.collect();
        if !changes.is_empty() {
            self.apply(&changes).await?;
        }
        Ok(())
    }

    fn now(&self) -> String {
        let nanos = i128::try_from(self.clock.now().as_nanos()).unwrap_or_default();
        let now = OffsetDateTime::from_unix_timestamp_nanos(nanos).unwrap_or(OffsetDateTime::UNIX_EPOCH);
        // As the Go wallet writes it, in UTC.
        let form =
            format_description!("[year]-[month]-[day] [hour]:[minute]:[second].[subsecond digits:9]+00:00");
        now.format(form).unwrap_or_default()
    }
}

#[async_trait]
impl StrategyStore for SqliteStrategyStore {
    async fn load(&self) -> Result<Tables, StrategyError> {
        // In one transaction, so that all tables are of one moment.
        let mut db = self.pool.begin().await.map_err(backend)?;
        let tables = load(&mut db).await?;
        db.commit().await.map_err(backend)?;
        Ok(tables)
    }

    async fn apply(&self, changes: &[Change]) -> Result<Vec<Id>, StrategyError> {
        let now = self.now();
        // Taking the lock at once: a transaction that reads first and writes later can fail as busy in the middle.
        let mut db = self.pool.begin_with("BEGIN IMMEDIATE").await.map_err(backend)?;
        let mut ids = Vec::with_capacity(changes.len());
        for change in changes {
            ids.push(apply(&mut db, change, &now).await?);
        }
        db.commit().await.map_err(backend)?;
        Ok(ids)
    }
}

async fn migrate(pool: &SqlitePool) -> Result<(), StrategyError> {
    let first = include_str!("../../migrations/strategy/0001_first.sql");
    let done = sqlite::migrate(pool, MIGRATION_TABLE, &[(1, "first", first)]).await;
    done.map_err(StrategyError::Store)
}

fn backend(error: sqlx::Error) -> StrategyError {
    match &error {
        sqlx::Error::Database(e) if e.is_unique_violation() => StrategyError::Exists,
        _ => StrategyError::Store(error.into()),
    }
}

async fn load(db: &mut SqliteConnection) -> Result<Tables, StrategyError> {
    let mut tables = Tables::default();
    for row in rows(db, "SELECT id, name, meta_types FROM typeTmp").await? {
        let (id, name) = (id(&row, "id")?, get(&row, "name")?);
        tables.type_templates.insert(id, MsgTypeTemplate { id, name, meta_types: types(&row)? });
    }
    for row in rows(db, "SELECT id, name, methods FROM methodTmp").await? {
        let (id, name) = (id(&row, "id")?, get(&row, "name")?);
        tables.method_templates.insert(id, MethodTemplate { id, name, methods: methods(&row)? });
    }
    for row in rows(db, "SELECT id, name, address, meta_types, methods FROM keyBind").await? {
        let (id, name, address) = (id(&row, "id")?, get(&row, "name")?, get(&row, "address")?);
        let bind = KeyBind { id, name, address, meta_types: types(&row)?, methods: methods(&row)? };
        tables.key_binds.insert(id, bind);
    }
    for row in rows(db, r#"SELECT id, name, bind_ids FROM "group""#).await? {
        let (id, name) = (id(&row, "id")?, get(&row, "name")?);
        tables.groups.insert(id, GroupRow { id, name, binds: binds(&row)? });
    }
    load_credentials(db, &mut tables).await?;
    Ok(tables)
}

async fn load_credentials(db: &mut SqliteConnection, tables: &mut Tables) -> Result<(), StrategyError> {
    for row in rows(db, "SELECT token, id FROM groupAuth").await? {
        tables.tokens.insert(StoredToken::Clear(get(&row, "token")?), id(&row, "id")?);
    }
    for row in rows(db, "SELECT hash, shown, id FROM groupAuthHash").await? {
        let hash: Vec<u8> = get(&row, "hash")?;
        let hash = hash.try_into().map_err(|_| corrupt("groupAuthHash.hash is no SHA-256"))?;
        tables.tokens.insert(StoredToken::Hashed { hash, shown: get(&row, "shown")? }, id(&row, "id")?);
    }
    for row in rows(db, "SELECT account, id FROM accountAuth").await? {
        tables.accounts.insert((get(&row, "account")?, id(&row, "id")?));
    }
    Ok(())
}

async fn rows(db: &mut SqliteConnection, query: &'static str) -> Result<Vec<SqliteRow>, StrategyError> {
    sqlx::query(query).fetch_all(db).await.map_err(backend)
}

fn get<'r, T>(row: &'r SqliteRow, column: &str) -> Result<T, StrategyError>
where
    T: sqlx::Decode<'r, Sqlite> + sqlx::Type<Sqlite>,
{
    row.try_get(column).map_err(backend)
}

fn id(row: &SqliteRow, column: &str) -> Result<Id, StrategyError> {
    Id::try_from(get::<i64>(row, column)?).map_err(|_| corrupt("an id is negative"))
}

fn types(row: &SqliteRow) -> Result<MsgEnum, StrategyError> {
    let bits = u32::try_from(get::<i64>(row, "meta_types")?);
    bits.map(MsgEnum::from_bits).map_err(|_| corrupt("meta_types is no set of types"))
}

fn methods(row: &SqliteRow) -> Result<Vec<String>, StrategyError> {
    let joined: String = get(row, "methods")?;
    Ok(joined.split(',').filter(|name| !name.is_empty()).map(str::to_owned).collect())
}

fn binds(row: &SqliteRow) -> Result<Vec<Id>, StrategyError> {
    let joined: String = get(row, "bind_ids")?;
    let ids = joined.split(',').filter(|id| !id.is_empty()).map(str::parse);
    ids.collect::<Result<_, _>>().map_err(|_| corrupt("bind_ids is no list of ids"))
}

fn corrupt(reason: &'static str) -> StrategyError {
    StrategyError::Store(reason.into())
}

type Bound<'q> = Query<'q, Sqlite, SqliteArguments>;

/// Makes one change; the id of the new row, or 0.
async fn apply(db: &mut SqliteConnection, change: &Change, now: &str) -> Result<Id, StrategyError> {
    match change {
        Change::AddTypeTemplate(row) => {
            let query = sqlx::query(
                "INSERT INTO typeTmp (name, meta_types, created_at, updated_at) VALUES (?, ?, ?, ?)",
            );
            insert(db, query.bind(&row.name).bind(row.meta_types.bits()), now).await
        }
        Change::AddMethodTemplate(row) => {
            let query = sqlx::query(
                "INSERT INTO methodTmp (name, methods, created_at, updated_at) VALUES (?, ?, ?, ?)",
            );
            insert(db, query.bind(&row.name).bind(row.methods.join(",")), now).await
        }
        Change::AddKeyBind(row) => {
            let query = sqlx::query(
                "INSERT INTO keyBind (name, address, meta_types, methods, created_at, updated_at) \
                 VALUES (?, ?, ?, ?, ?, ?)",
            );
            let query = query.bind(&row.name).bind(&row.address).bind(row.meta_types.bits());
            insert(db, query.bind(row.methods.join(",")), now).await
        }
        Change::AddGroup(row) => {
            let query = sqlx::query(
                r#"INSERT INTO "group" (name, bind_ids, created_at, updated_at) VALUES (?, ?, ?, ?)"#,
            );
            insert(db, query.bind(&row.name).bind(ids(&row.binds)), now).await
        }
        Change::AddToken(_) | Change::AddAccount(..) => {
            insert(db, credential(change)?, now).await?;
            Ok(0)
        }
        _ => touch(db, query_of(change, now)?).await,
    }
}

async fn insert(db: &mut SqliteConnection, query: Bound<'_>, now: &str) -> Result<Id, StrategyError> {
    let done = query.bind(now).bind(now).execute(db).await.map_err(backend)?;
    Id::try_from(done.last_insert_rowid()).map_err(|_| corrupt("an id is negative"))
}

/// Runs what has to find exactly one row.
async fn touch(db: &mut SqliteConnection, query: Bound<'_>) -> Result<Id, StrategyError> {
    match query.execute(db).await.map_err(backend)?.rows_affected() {
        1 => Ok(0),
        _ => Err(StrategyError::NotFound),
    }
}

fn credential(change: &Change) -> Result<Bound<'_>, StrategyError> {
    Ok(match change {
        Change::AddAccount(account, group) => {
            sqlx::query("INSERT INTO accountAuth (account, id, created_at, updated_at) VALUES (?, ?, ?, ?)")
                .bind(account)
                .bind(row_id(*group)?)
        }
        Change::AddToken(row) => match &row.token {
            StoredToken::Clear(token) => {
                sqlx::query("INSERT INTO groupAuth (token, id, created_at, updated_at) VALUES (?, ?, ?, ?)")
                    .bind(token)
                    .bind(row_id(row.group)?)
            }
            StoredToken::Hashed { hash, shown } => sqlx::query(
                "INSERT INTO groupAuthHash (hash, shown, id, created_at, updated_at) VALUES (?, ?, ?, ?, ?)",
            )
            .bind(hash.as_slice())
            .bind(shown)
            .bind(row_id(row.group)?),
        },
        _ => return Err(corrupt("not a token and not an account")),
    })
}

fn query_of<'q>(change: &'q Change, now: &'q str) -> Result<Bound<'q>, StrategyError> {
    Ok(match change {
        Change::SetKeyBind { id, meta_types, methods } => {
            sqlx::query("UPDATE keyBind SET meta_types = ?, methods = ?, updated_at = ? WHERE id = ?")
                .bind(meta_types.bits())
                .bind(methods.join(","))
                .bind(now)
                .bind(row_id(*id)?)
        }
        Change::SetGroup { id, binds } => {
            sqlx::query(r#"UPDATE "group" SET bind_ids = ?, updated_at = ? WHERE id = ?"#)
                .bind(ids(binds))
                .bind(now)
                .bind(row_id(*id)?)
        }
        Change::RemoveTypeTemplate(id) => sqlx::query("DELETE FROM typeTmp WHERE id = ?").bind(row_id(*id)?),
        Change::RemoveMethodTemplate(id) => {
            sqlx::query("DELETE FROM methodTmp WHERE id = ?").bind(row_id(*id)?)
        }
        Change::RemoveKeyBind(id) => sqlx::query("DELETE FROM keyBind WHERE id = ?").bind(row_id(*id)?),
        Change::RemoveGroup(id) => sqlx::query(r#"DELETE FROM "group" WHERE id = ?"#).bind(row_id(*id)?),
        Change::RemoveToken(StoredToken::Clear(token)) => {
            sqlx::query("DELETE FROM groupAuth WHERE token = ?").bind(token)
        }
        Change::RemoveToken(StoredToken::Hashed { hash, .. }) => {
            sqlx::query("DELETE FROM groupAuthHash WHERE hash = ?").bind(hash.as_slice())
        }
        Change::RemoveAccount(account, id) => {
            sqlx::query("DELETE FROM accountAuth WHERE account = ? AND id = ?")
                .bind(account)
                .bind(row_id(*id)?)
        }
        _ => return Err(corrupt("a new row is no change of one")),
    })
}

/// Ids as Go joins them.
fn ids(binds: &[Id]) -> String {
    binds.iter().map(Id::to_string).collect::<Vec<_>>().join(",")
}

fn row_id(id: Id) -> Result<i64, StrategyError> {
    // No row has an id that SQLite cannot count.
    i64::try_from(id).map_err(|_| StrategyError::NotFound)
}
