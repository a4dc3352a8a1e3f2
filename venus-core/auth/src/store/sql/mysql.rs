//! MySQL and MariaDB.

use std::str::FromStr;
use std::time::Duration;

use sqlx::mysql::{MySqlConnectOptions, MySqlPoolOptions};
use sqlx::{AssertSqlSafe, ConnectOptions, Connection, MySqlConnection, Row};

use super::db::Db;
use super::{SqlStore, adopt, backend};
use crate::store::StoreError;

/// How long a request waits for a database that is away or busy.
const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(5);
/// Connections of one service.
const CONNECTIONS: u32 = 32;
/// Held while a schema is brought up to date, so that instances that start together do it once.
const LOCK: &str = "venus_auth_schema";
/// How long an instance waits for another that does, seconds.
const LOCK_TIMEOUT: i64 = 120;

/// What opening a MySQL database would change, found out without changing it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SchemaPlan {
    /// The version of sophon-auth's tables that are there; `None` if there are none.
    pub version: Option<i64>,
    /// Tables that would be made.
    pub new_tables: Vec<String>,
    /// Tokens that stand in clear.
    pub clear_tokens: u64,
}

impl SqlStore {
    /// Opens a MySQL or MariaDB database, and brings its schema up to date; one of sophon-auth is adopted as it is.
    /// `url` is `mysql://user:password@host:port/database`, or what sophon-auth takes,
    /// `user:password@tcp(host:port)/database?…`.
    ///
    /// # Errors
    /// [`StoreError::Backend`] if it cannot be reached or has a schema of a newer program.
    pub async fn mysql(url: &str) -> Result<Self, StoreError> {
        Self::mysql_with(options_of(url)?).await
    }

    /// Opens a MySQL database as told.
    ///
    /// # Errors
    /// As [`SqlStore::mysql`].
    pub async fn mysql_with(options: MySqlConnectOptions) -> Result<Self, StoreError> {
        let options = options.disable_statement_logging();
        let mut alone = MySqlConnection::connect_with(&options).await.map_err(backend)?;
        lock(&mut alone).await?;
        // The lock ends with its connection, also when this fails.
        adopt::bring_up_to_date(&mut alone).await?;
        let pool = MySqlPoolOptions::new()
            .max_connections(CONNECTIONS)
            .acquire_timeout(ACQUIRE_TIMEOUT)
            .after_connect(|connection, _| Box::pin(strict(connection)))
            .connect_with(options)
            .await
            .map_err(backend)?;
        let store = Self::ready(Db::Mysql(pool)).await?;
        alone.close().await.map_err(backend)?;
        Ok(store)
    }

    /// What [`SqlStore::mysql`] would change.
    ///
    /// # Errors
    /// As [`SqlStore::mysql`].
    pub async fn mysql_plan(url: &str) -> Result<SchemaPlan, StoreError> {
        let options = options_of(url)?.disable_statement_logging();
        let mut connection = MySqlConnection::connect_with(&options).await.map_err(backend)?;
        let plan = adopt::plan(&mut connection).await?;
        connection.close().await.map_err(backend)?;
        Ok(plan)
    }
}

/// What does not fit a column is an error, never cut.
async fn strict(connection: &mut MySqlConnection) -> Result<(), sqlx::Error> {
    sqlx::query("SET SESSION sql_mode = CONCAT(@@sql_mode, ',STRICT_ALL_TABLES')")
        .execute(connection)
        .await?;
    Ok(())
}

async fn lock(connection: &mut MySqlConnection) -> Result<(), StoreError> {
    let query = sqlx::query(AssertSqlSafe(format!("SELECT GET_LOCK('{LOCK}', {LOCK_TIMEOUT})")));
    let row = query.fetch_one(connection).await.map_err(backend)?;
    match row.try_get_unchecked::<Option<i64>, _>(0).map_err(backend)? {
        Some(1) => Ok(()),
        _ => Err(StoreError::Backend(
            format!("another instance has changed the schema for {LOCK_TIMEOUT} s: see what it waits for")
                .into(),
        )),
    }
}

fn options_of(url: &str) -> Result<MySqlConnectOptions, StoreError> {
    if url.contains("://") {
        return MySqlConnectOptions::from_str(url).map_err(backend);
    }
    // Never quoted: it holds a password.
    go_dsn(url).ok_or_else(|| {
        let text = "no database address: give mysql://user:password@host:port/database";
        StoreError::Backend(text.into())
    })
}

/// `[user[:password]@][protocol[(address)]]/database[?parameters]`. The parameters are for Go's driver.
fn go_dsn(dsn: &str) -> Option<MySqlConnectOptions> {
    let (head, tail) = dsn.rsplit_once('/')?;
    let database = tail.split('?').next()?;
    let (user, place) = head.rsplit_once('@').unwrap_or(("", head));
    let mut options = MySqlConnectOptions::new().database(database);
    if let Some((name, password)) = user.split_once(':') {
        options = options.username(name).password(password);
    } else if !user.is_empty() {
        options = options.username(user);
    }
    let (protocol, address) = place.split_once('(').unwrap_or((place, ""));
    let address = address.strip_suffix(')').unwrap_or(address);
    match (protocol, address) {
        ("unix", path) => Some(options.socket(path)),
        ("" | "tcp", "") => Some(options.host("127.0.0.1")),
        ("" | "tcp", address) => match address.rsplit_once(':') {
            Some((host, port)) => Some(options.host(host.trim_matches(['[', ']'])).port(port.parse().ok()?)),
            None => Some(options.host(address)),
        },
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn no_address_panics(text in ".{0,60}", url in "mysql://.{0,60}") {
            let _ = (options_of(&text), options_of(&url));
        }
    }

    #[test]
    fn go_addresses_are_understood() {
        let all = go_dsn("auth:p@ss/w:o@tcp(db.example:3307)/sophon?parseTime=true&loc=Local").unwrap();
        assert_eq!((all.get_host(), all.get_port(), all.get_username()), ("db.example", 3307, "auth"));
        assert_eq!(all.get_database(), Some("sophon"));
        assert_eq!(go_dsn("root@(127.0.0.1)/a").unwrap().get_port(), 3306);
        assert_eq!(
            go_dsn("root@unix(/run/m.sock)/a").unwrap().get_socket().unwrap().to_str(),
            Some("/run/m.sock")
        );
        assert_eq!(go_dsn("tcp([::1]:3306)/a").unwrap().get_host(), "::1");
        for bad in ["", "x", "u@tcp(h:port)/a", "u@pipe(x)/a"] {
            assert!(go_dsn(bad).is_none(), "{bad}");
        }
    }

    #[test]
    fn a_wrong_address_is_not_quoted() {
        let error = options_of("auth:hunter2@nowhere").unwrap_err();
        assert!(!error.to_string().contains("hunter2"), "{error}");
    }
}
