//! Limits, bans and the record of changes.

use std::net::IpAddr;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use uuid::Uuid;
use venus_core::types::address;

use super::columns::{Columns, bare, corrupt, stamp};
use super::db::{Db, Value, args};
use crate::audit::{AuditQuery, AuditRecord};
use crate::model::{Ban, LimitRow};
use crate::store::{Changed, StoreError};

/// Longest text that a column of records holds, characters.
const MAX_TEXT: usize = 255;
/// Longest JSON of a record, characters; MySQL's `TEXT` holds 65535 bytes.
const MAX_JSON: usize = 16_000;
/// Things that one question about bans names.
const MAX_BANS: usize = 8;

/// A limit as sophon-auth writes it.
#[derive(Default, Serialize, Deserialize)]
#[serde(default)]
struct ReqLimit {
    #[serde(rename = "Cap")]
    cap: i64,
    /// Nanoseconds.
    #[serde(rename = "ResetDur")]
    period: i64,
}

fn read_limit(mut row: Columns) -> Result<LimitRow, StoreError> {
    let (id, name, service, api) = (row.text(), row.text(), row.text(), row.text());
    let limit = match row.text().as_str() {
        "" => ReqLimit::default(),
        text => serde_json::from_str(text).map_err(|_| corrupt(format_args!("limit {id} is no JSON")))?,
    };
    let period = Duration::from_nanos(u64::try_from(limit.period).unwrap_or_default());
    Ok(LimitRow { id, name, service, api, capacity: limit.cap, period })
}

pub(super) async fn limits(db: &Db, name: &str, id: Option<&str>) -> Result<Vec<LimitRow>, StoreError> {
    let sql = "SELECT id, name, service, api, reqLimit FROM user_rate_limits WHERE name = ? ORDER BY id";
    let rows = db.fetch(sql, args![name]).await?;
    let limits = rows.into_iter().map(read_limit).collect::<Result<Vec<_>, _>>()?;
    Ok(limits.into_iter().filter(|row| row.name == name && id.is_none_or(|id| row.id == id)).collect())
}

pub(super) async fn put_limit(db: &Db, limit: &LimitRow) -> Result<(), StoreError> {
    let period = i64::try_from(limit.period.as_nanos()).unwrap_or(i64::MAX);
    let json = serde_json::to_string(&ReqLimit { cap: limit.capacity, period });
    let json = json.map_err(|e| corrupt(format_args!("limit: {e}")))?;
    let mut tx = db.begin().await?;
    tx.execute("DELETE FROM user_rate_limits WHERE id = ?", args![limit.id.as_str()]).await?;
    tx.execute(
        "INSERT INTO user_rate_limits (id, name, service, api, reqLimit) VALUES (?, ?, ?, ?, ?)",
        args![limit.id.as_str(), limit.name.as_str(), limit.service.as_str(), limit.api.as_str(), json],
    )
    .await?;
    tx.commit().await
}

pub(super) async fn remove_limit(db: &Db, name: &str, id: &str) -> Result<Changed, StoreError> {
    let mut tx = db.begin().await?;
    let gone = tx.execute("DELETE FROM user_rate_limits WHERE id = ? AND name = ?", args![id, name]).await?;
    tx.commit().await?;
    Ok(if gone > 0 { Changed::Done } else { Changed::Absent })
}

/// What a ban is filed under.
fn subject(ban: &Ban) -> String {
    match ban {
        Ban::Account(name) => format!("account:{name}"),
        Ban::Token(id) => format!("token:{id}"),
        Ban::Address(address) => format!("address:{}", bare(address)),
        Ban::Ip(ip) => format!("ip:{ip}"),
    }
}

fn read_ban(mut row: Columns) -> Result<(Ban, String), StoreError> {
    let text = row.text();
    let ban = match text.split_once(':') {
        Some(("account", name)) => Some(Ban::Account(name.to_owned())),
        Some(("token", id)) => Uuid::parse_str(id).ok().map(Ban::Token),
        Some(("address", bare)) => address::parse(&format!("f{bare}")).ok().map(Ban::Address),
        Some(("ip", ip)) => ip.parse().ok().map(Ban::Ip),
        _ => None,
    };
    Ok((ban.ok_or_else(|| corrupt(format_args!("ban of {text:?}")))?, row.text()))
}

pub(super) async fn bans(db: &Db) -> Result<Vec<(Ban, String)>, StoreError> {
    let rows = db.fetch("SELECT subject, reason FROM venus_ban ORDER BY banned, subject", &[]).await?;
    rows.into_iter().map(read_ban).collect()
}

pub(super) async fn banned(db: &Db, any: &[Ban]) -> Result<Option<String>, StoreError> {
    for chunk in any.chunks(MAX_BANS) {
        let places = vec!["?"; chunk.len()].join(", ");
        let values: Vec<Value> = chunk.iter().map(|ban| subject(ban).into()).collect();
        let sql = format!("SELECT reason FROM venus_ban WHERE subject IN ({places}) LIMIT 1");
        if let Some(mut row) = db.fetch(&sql, &values).await?.into_iter().next() {
            return Ok(Some(row.text()));
        }
    }
    Ok(None)
}

pub(super) async fn ban(db: &Db, ban: &Ban, reason: &str, at: OffsetDateTime) -> Result<(), StoreError> {
    let mut tx = db.begin().await?;
    tx.execute("DELETE FROM venus_ban WHERE subject = ?", args![subject(ban)]).await?;
    let sql = "INSERT INTO venus_ban (subject, reason, banned) VALUES (?, ?, ?)";
    tx.execute(sql, args![subject(ban), cut(reason, MAX_JSON), stamp(at)]).await?;
    tx.commit().await
}

pub(super) async fn unban(db: &Db, ban: &Ban) -> Result<Changed, StoreError> {
    let mut tx = db.begin().await?;
    let gone = tx.execute("DELETE FROM venus_ban WHERE subject = ?", args![subject(ban)]).await?;
    tx.commit().await?;
    Ok(if gone > 0 { Changed::Done } else { Changed::Absent })
}

pub(super) async fn record(db: &Db, record: &AuditRecord) -> Result<(), StoreError> {
    let mut tx = db.begin().await?;
    tx.execute(
        "INSERT INTO venus_audit (id, at, actor, remote, action, subject, was, became) \
         VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        args![
            record.id.to_string(),
            stamp(record.at),
            cut(&record.actor, MAX_TEXT),
            record.remote.map(|ip| ip.to_string()),
            cut(&record.action, 64),
            cut(&record.subject, MAX_TEXT),
            cut(&record.before, MAX_JSON),
            cut(&record.after, MAX_JSON),
        ],
    )
    .await?;
    tx.commit().await
}

fn cut(text: &str, most: usize) -> String {
    text.chars().take(most).collect()
}

pub(super) async fn records(db: &Db, query: &AuditQuery) -> Result<Vec<AuditRecord>, StoreError> {
    let mut sql =
        "SELECT id, at, actor, remote, action, subject, was, became FROM venus_audit WHERE 1 = 1".to_owned();
    let mut values: Vec<Value> = Vec::new();
    if let Some(actor) = &query.actor {
        sql.push_str(" AND actor = ?");
        values.push(actor.as_str().into());
    }
    if let Some(subject) = &query.subject {
        sql.push_str(" AND subject = ?");
        values.push(subject.as_str().into());
    }
    if let Some(action) = &query.action {
        sql.push_str(" AND SUBSTR(action, 1, ?) = ?");
        values.push((action.chars().count() as i64).into());
        values.push(action.as_str().into());
    }
    if let Some(before) = query.before {
        sql.push_str(" AND id < ?");
        values.push(before.to_string().into());
    }
    sql.push_str(" ORDER BY id DESC LIMIT ?");
    values.push((query.most() as i64).into());
    db.fetch(&sql, &values).await?.into_iter().map(read_record).collect()
}

fn read_record(mut row: Columns) -> Result<AuditRecord, StoreError> {
    Ok(AuditRecord {
        id: row.maybe_uuid()?.ok_or_else(|| corrupt("a record without an id"))?,
        at: row.time()?,
        actor: row.text(),
        remote: read_ip(row.maybe())?,
        action: row.text(),
        subject: row.text(),
        before: row.text(),
        after: row.text(),
    })
}

fn read_ip(text: Option<String>) -> Result<Option<IpAddr>, StoreError> {
    text.map(|text| text.parse().map_err(|_| corrupt(format_args!("{text:?} is no IP address")))).transpose()
}
