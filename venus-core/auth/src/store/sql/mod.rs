//! The store on SQL: the tables of sophon-auth, and beside them what those have no place for.

#[cfg(feature = "mysql")]
mod adopt;
mod columns;
mod db;
#[cfg(feature = "mysql")]
mod effects;
mod miners;
#[cfg(feature = "mysql")]
mod mysql;
mod rest;
mod signers;
#[cfg(feature = "sqlite")]
mod sqlite;
mod tokens;
mod users;

use async_trait::async_trait;
use time::OffsetDateTime;
#[cfg(feature = "mysql")]
use uuid::Uuid;
use venus_core::types::Address;

use self::db::{Db, args};
#[cfg(feature = "mysql")]
pub use self::mysql::SchemaPlan;
#[cfg(feature = "mysql")]
use super::Heard;
use super::{AuthStore, Cascade, Changed, Decide, MinerBound, StoreError, UserChange};
use crate::audit::{AuditQuery, AuditRecord};
#[cfg(feature = "mysql")]
use crate::effect::Effect;
use crate::model::{Ban, LimitRow, MinerRow, Page, SignerRow, TokenKey, TokenRow, User, UserState};

/// Each crate keeps its own list, so that several can share a database.
const MIGRATION_TABLE: &str = "_venus_auth_migrations";
/// How often a transaction is tried that the database ended for another's sake.
const TRIES: u32 = 10;
/// The version of sophon-auth's tables that ours are.
const STORE_VERSION: i64 = 3;

/// An [`AuthStore`] in a SQLite or MySQL database, also in one that sophon-auth made. Several may share one.
///
/// Where sophon-auth's table keeps times to the second or millisecond, MySQL cuts ours to it, but for tokens. Its times
/// are taken to be UTC.
#[derive(Clone, Debug)]
pub struct SqlStore {
    db: Db,
}

impl SqlStore {
    /// What every database needs once its tables are there.
    async fn ready(db: Db) -> Result<Self, StoreError> {
        let known = db.fetch("SELECT version FROM store_versions LIMIT 1", &[]).await?;
        if known.is_empty() {
            let mut tx = db.begin().await?;
            let sql = "INSERT INTO store_versions (id, version) VALUES (1, ?)";
            match tx.execute(sql, args![STORE_VERSION]).await {
                // Another instance was faster.
                Err(error) if duplicate(&error) => {}
                Err(error) => return Err(error),
                Ok(_) => tx.commit().await?,
            }
        }
        again(|| tokens::adopt(&db)).await?;
        Ok(Self { db })
    }

    /// Closes all connections; what is called after that fails as transient.
    pub async fn close(&self) {
        self.db.close().await;
    }
}

fn backend(e: sqlx::Error) -> StoreError {
    match e {
        sqlx::Error::ColumnDecode { .. } | sqlx::Error::ColumnNotFound(_) | sqlx::Error::Decode(_) => {
            StoreError::Corrupt(e.to_string())
        }
        other => StoreError::Backend(other.into()),
    }
}

fn database_error(error: &StoreError) -> Option<&dyn sqlx::error::DatabaseError> {
    match error {
        StoreError::Backend(source) => source.downcast_ref::<sqlx::Error>()?.as_database_error(),
        StoreError::Corrupt(_) => None,
    }
}

/// Whether a row with such a key is there already.
fn duplicate(error: &StoreError) -> bool {
    database_error(error).is_some_and(|e| e.is_unique_violation())
}

/// Whether the database ended the transaction in favour of another: a deadlock, or a row that came in between.
fn beaten(error: &StoreError) -> bool {
    database_error(error).is_some_and(|e| e.is_unique_violation() || e.code().is_some_and(|c| c == "40001"))
}

/// Tries a transaction again that lost against another.
async fn again<T, F: Future<Output = Result<T, StoreError>>>(
    attempt: impl Fn() -> F,
) -> Result<T, StoreError> {
    let mut tries = 1;
    loop {
        match attempt().await {
            Err(error) if tries < TRIES && beaten(&error) => tries += 1,
            other => return other,
        }
    }
}

#[async_trait]
impl AuthStore for SqlStore {
    async fn user(&self, name: &str) -> Result<Option<User>, StoreError> {
        users::get(&self.db, name).await
    }

    async fn users(&self, page: Page, state: Option<UserState>) -> Result<Vec<User>, StoreError> {
        users::list(&self.db, page, state).await
    }

    async fn count_users(&self) -> Result<Vec<(UserState, u64)>, StoreError> {
        users::count(&self.db).await
    }

    async fn create_user(&self, user: &User) -> Result<Changed, StoreError> {
        again(|| users::create(&self.db, user)).await
    }

    async fn update_user(
        &self,
        name: &str,
        change: &UserChange,
        at: OffsetDateTime,
    ) -> Result<Changed, StoreError> {
        again(|| users::update(&self.db, name, change, at)).await
    }

    async fn delete_user(&self, name: &str, at: OffsetDateTime) -> Result<(Changed, Cascade), StoreError> {
        again(|| users::delete(&self.db, name, at)).await
    }

    async fn recover_user(&self, name: &str, at: OffsetDateTime) -> Result<Changed, StoreError> {
        again(|| users::recover(&self.db, name, at)).await
    }

    async fn token(&self, key: &TokenKey) -> Result<Option<TokenRow>, StoreError> {
        tokens::get(&self.db, key).await
    }

    async fn tokens_named(&self, name: &str) -> Result<Vec<TokenRow>, StoreError> {
        again(|| tokens::named(&self.db, name)).await
    }

    async fn tokens_of(&self, name: &str) -> Result<Vec<TokenRow>, StoreError> {
        tokens::of(&self.db, name).await
    }

    async fn tokens(&self, page: Page) -> Result<Vec<TokenRow>, StoreError> {
        tokens::list(&self.db, page).await
    }

    async fn add_token(&self, token: &TokenRow) -> Result<Changed, StoreError> {
        again(|| tokens::add(&self.db, token)).await
    }

    async fn delete_token(&self, key: &TokenKey, _: OffsetDateTime) -> Result<Changed, StoreError> {
        again(|| tokens::set_deleted(&self.db, key, true)).await
    }

    async fn recover_token(&self, key: &TokenKey, _: OffsetDateTime) -> Result<Changed, StoreError> {
        again(|| tokens::set_deleted(&self.db, key, false)).await
    }

    async fn hash_tokens(&self, limit: u32) -> Result<u64, StoreError> {
        let hashed = again(|| tokens::hash(&self.db, limit)).await?;
        self.db.forget().await?;
        Ok(hashed)
    }

    async fn clear_tokens(&self) -> Result<u64, StoreError> {
        tokens::clear(&self.db).await
    }

    async fn miner(&self, miner: &Address) -> Result<Option<MinerRow>, StoreError> {
        miners::get(&self.db, miner).await
    }

    async fn miners_of(&self, user: &str) -> Result<Vec<MinerRow>, StoreError> {
        miners::of(&self.db, user).await
    }

    async fn bind_miner(&self, row: &MinerRow) -> Result<MinerBound, StoreError> {
        again(|| miners::bind(&self.db, row)).await
    }

    async fn unbind_miner(
        &self,
        miner: &Address,
        of: Option<&str>,
        at: OffsetDateTime,
    ) -> Result<(Changed, Option<String>), StoreError> {
        again(|| miners::unbind(&self.db, miner, of, at)).await
    }

    async fn signer(&self, signer: &Address) -> Result<Vec<SignerRow>, StoreError> {
        signers::get(&self.db, signer).await
    }

    async fn signers_of(&self, user: &str) -> Result<Vec<SignerRow>, StoreError> {
        signers::of(&self.db, user).await
    }

    async fn bind_signers(
        &self,
        user: &str,
        signers: &[Address],
        at: OffsetDateTime,
        decide: &Decide<'_>,
    ) -> Result<Vec<bool>, StoreError> {
        again(|| signers::bind(&self.db, user, signers, at, decide)).await
    }

    async fn unbind_signers(
        &self,
        user: &str,
        signers: &[Address],
        at: OffsetDateTime,
    ) -> Result<Vec<Changed>, StoreError> {
        again(|| signers::unbind(&self.db, user, signers, at)).await
    }

    async fn unbind_signer(&self, signer: &Address, at: OffsetDateTime) -> Result<Vec<String>, StoreError> {
        again(|| signers::unbind_all(&self.db, signer, at)).await
    }

    async fn grant_signer(&self, signer: &Address, user: &str, at: OffsetDateTime) -> Result<(), StoreError> {
        again(|| signers::grant(&self.db, signer, user, at)).await
    }

    async fn is_granted(&self, signer: &Address, user: &str) -> Result<bool, StoreError> {
        signers::is_granted(&self.db, signer, user).await
    }

    async fn limits(&self, name: &str, id: Option<&str>) -> Result<Vec<LimitRow>, StoreError> {
        rest::limits(&self.db, name, id).await
    }

    async fn put_limit(&self, limit: &LimitRow) -> Result<(), StoreError> {
        again(|| rest::put_limit(&self.db, limit)).await
    }

    async fn remove_limit(&self, name: &str, id: &str) -> Result<Changed, StoreError> {
        again(|| rest::remove_limit(&self.db, name, id)).await
    }

    async fn bans(&self) -> Result<Vec<(Ban, String)>, StoreError> {
        rest::bans(&self.db).await
    }

    async fn banned(&self, any: &[Ban]) -> Result<Option<String>, StoreError> {
        rest::banned(&self.db, any).await
    }

    async fn ban(&self, ban: &Ban, reason: &str, at: OffsetDateTime) -> Result<(), StoreError> {
        again(|| rest::ban(&self.db, ban, reason, at)).await
    }

    async fn unban(&self, ban: &Ban) -> Result<Changed, StoreError> {
        again(|| rest::unban(&self.db, ban)).await
    }

    async fn count_tokens(&self) -> Result<Vec<(String, u64)>, StoreError> {
        tokens::count(&self.db).await
    }

    #[cfg(feature = "mysql")]
    fn is_shared(&self) -> bool {
        self.db.is_mysql()
    }

    #[cfg(feature = "mysql")]
    async fn tell(&self, from: Uuid, effect: &Effect, at: OffsetDateTime) -> Result<(), StoreError> {
        match self.db.is_mysql() {
            true => again(|| effects::tell(&self.db, from, effect, at)).await,
            false => Ok(()),
        }
    }

    #[cfg(feature = "mysql")]
    async fn hear(&self, me: Uuid, since: Option<&Heard>) -> Result<(Heard, Vec<Effect>), StoreError> {
        match self.db.is_mysql() {
            true => effects::hear(&self.db, me, since).await,
            false => Ok((Heard::default(), Vec::new())),
        }
    }

    async fn record(&self, record: &AuditRecord) -> Result<(), StoreError> {
        again(|| rest::record(&self.db, record)).await
    }

    async fn records(&self, query: &AuditQuery) -> Result<Vec<AuditRecord>, StoreError> {
        rest::records(&self.db, query).await
    }
}
