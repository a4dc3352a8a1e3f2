//! What one instance ended, told to the others on the same MySQL.

use time::OffsetDateTime;
use uuid::Uuid;

use super::columns::{Columns, corrupt};
use super::db::{Db, args};
use crate::effect::Effect;
use crate::effect_json::EffectJson;
use crate::store::{Heard, StoreError};

/// Numbers are given out in order, but rows appear as their transactions end: so many are looked at again.
const AGAIN: i64 = 256;
/// How many are read at once; an instance that is further behind begins anew.
const MOST: i64 = 4096;
/// How long rows are kept, seconds.
const KEPT: i64 = 600;

pub(super) async fn tell(db: &Db, from: Uuid, effect: &Effect, at: OffsetDateTime) -> Result<(), StoreError> {
    let json = serde_json::to_string(&EffectJson::from(effect.clone()));
    let json = json.map_err(|error| corrupt(format_args!("effect: {error}")))?;
    let now = at.unix_timestamp();
    let mut tx = db.begin().await?;
    let sql = "INSERT INTO venus_effect (instance, at, effect) VALUES (?, ?, ?)";
    tx.execute(sql, args![from.to_string(), now, json]).await?;
    tx.commit().await?;
    // Never the latest: a restarted server would give their numbers out again.
    let old = last(db).await? - 2 * AGAIN;
    let mut tx = db.begin().await?;
    tx.execute("DELETE FROM venus_effect WHERE id < ? AND at < ?", args![old, now - KEPT]).await?;
    tx.commit().await
}

async fn last(db: &Db) -> Result<i64, StoreError> {
    let rows = db.fetch("SELECT COALESCE(MAX(id), 0) FROM venus_effect", &[]).await?;
    rows.into_iter().next().map_or(Ok(0), |mut row| row.int())
}

pub(super) async fn hear(
    db: &Db,
    me: Uuid,
    since: Option<&Heard>,
) -> Result<(Heard, Vec<Effect>), StoreError> {
    let Some(since) = since else {
        let last = last(db).await?;
        let rows = db.fetch("SELECT id FROM venus_effect WHERE id > ?", args![last - AGAIN]).await?;
        let seen = rows.into_iter().map(|mut row| row.int()).collect::<Result<_, _>>()?;
        return Ok((Heard { last, seen }, Vec::new()));
    };
    let sql = "SELECT id, instance, effect FROM venus_effect WHERE id > ? ORDER BY id LIMIT ?";
    let rows = db.fetch(sql, args![since.last - AGAIN, MOST]).await?;
    let full = i64::try_from(rows.len()).is_ok_and(|rows| rows >= MOST);
    let mut next = since.clone();
    let mut effects = Vec::new();
    for row in rows {
        let (id, from, effect) = read(row)?;
        next.last = next.last.max(id);
        if next.seen.insert(id) && from != me.to_string() {
            effects.push(effect);
        }
    }
    next.seen = next.seen.split_off(&(next.last - AGAIN));
    if full {
        return Ok((next, vec![Effect::Reset]));
    }
    Ok((next, effects))
}

/// What a newer instance wrote ends everything: better too much than too little.
fn read(mut row: Columns) -> Result<(i64, String, Effect), StoreError> {
    let (id, from) = (row.int()?, row.text());
    let effect = serde_json::from_str::<EffectJson>(&row.text()).map_or(Effect::Reset, Effect::from);
    Ok((id, from, effect))
}
