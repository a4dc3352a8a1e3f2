//! Reading histories.

use sqlx::Row;
use sqlx::sqlite::{SqliteConnection, SqliteRow};
use venus_core::error::BoxError;

use super::sqlite::number;
use super::{BlockSlot, Entry, Summary, VoteSlot};

/// Entries behind `after` in the order of [`Entry`]: one table after the other, until the page is full.
pub(super) async fn page(
    db: &mut SqliteConnection,
    after: Option<&Entry>,
    limit: u32,
) -> Result<Vec<Entry>, BoxError> {
    let full = limit as usize;
    let mut page = Vec::new();
    if matches!(after, None | Some(Entry::Block(_))) {
        page = blocks(db, after, limit).await?;
    }
    if page.len() < full && !matches!(after, Some(Entry::MinerFloor { .. } | Entry::VoterFloor { .. })) {
        page.extend(votes(db, after, rest(limit, &page)).await?);
    }
    if page.len() < full && !matches!(after, Some(Entry::VoterFloor { .. })) {
        page.extend(miner_floors(db, after, rest(limit, &page)).await?);
    }
    if page.len() < full {
        page.extend(voter_floors(db, after, rest(limit, &page)).await?);
    }
    Ok(page)
}

fn rest(limit: u32, page: &[Entry]) -> u32 {
    limit.saturating_sub(u32::try_from(page.len()).unwrap_or(u32::MAX))
}

/// Both tables: after an import that contradicted this history, a block may stand in one of them only.
async fn blocks(
    db: &mut SqliteConnection,
    after: Option<&Entry>,
    limit: u32,
) -> Result<Vec<Entry>, BoxError> {
    let select = "SELECT miner, height, parents, header FROM slash_block \
                  WHERE (miner, height, parents, header) > (?1, ?2, ?3, ?4) \
                  UNION SELECT miner, height, parents, header FROM slash_parents \
                  WHERE (miner, height, parents, header) > (?1, ?2, ?3, ?4) ORDER BY 1, 2, 3, 4 LIMIT ?5";
    let query = match after {
        Some(Entry::Block(slot)) => sqlx::query(select)
            .bind(number(slot.miner))
            .bind(slot.height)
            .bind(slot.parents.as_slice())
            .bind(slot.header.as_slice()),
        _ => sqlx::query(select).bind(-1_i64).bind(-1_i64).bind([].as_slice()).bind([].as_slice()),
    };
    let rows = query.bind(limit).fetch_all(db).await?;
    rows.iter().map(block).collect()
}

fn block(row: &SqliteRow) -> Result<Entry, BoxError> {
    Ok(Entry::Block(BlockSlot {
        miner: natural(row, 0)?,
        height: row.try_get(1)?,
        parents: hash(row, 2)?,
        header: hash(row, 3)?,
    }))
}

async fn votes(db: &mut SqliteConnection, after: Option<&Entry>, limit: u32) -> Result<Vec<Entry>, BoxError> {
    let select = "SELECT signer, network, instance, round, phase, payload FROM slash_vote \
                  WHERE (signer, network, instance, round, phase) > (?, ?, ?, ?, ?) ORDER BY 1, 2, 3, 4, 5 LIMIT ?";
    let query = match after {
        Some(Entry::Vote(slot)) => sqlx::query(select)
            .bind(&slot.signer)
            .bind(&slot.network)
            .bind(number(slot.instance))
            .bind(number(slot.round))
            .bind(slot.phase),
        _ => sqlx::query(select).bind("").bind("").bind(-1_i64).bind(-1_i64).bind(0_u8),
    };
    let rows = query.bind(limit).fetch_all(db).await?;
    rows.iter().map(vote).collect()
}

fn vote(row: &SqliteRow) -> Result<Entry, BoxError> {
    Ok(Entry::Vote(VoteSlot {
        signer: row.try_get(0)?,
        network: row.try_get(1)?,
        instance: natural(row, 2)?,
        round: natural(row, 3)?,
        phase: row.try_get(4)?,
        payload: hash(row, 5)?,
    }))
}

async fn miner_floors(
    db: &mut SqliteConnection,
    after: Option<&Entry>,
    limit: u32,
) -> Result<Vec<Entry>, BoxError> {
    let after = match after {
        Some(Entry::MinerFloor { miner, .. }) => number(*miner),
        _ => -1,
    };
    let select =
        "SELECT miner, floor FROM slash_miner WHERE miner > ? AND floor IS NOT NULL ORDER BY 1 LIMIT ?";
    let rows = sqlx::query(select).bind(after).bind(limit).fetch_all(db).await?;
    let floor = |row: &SqliteRow| Ok(Entry::MinerFloor { miner: natural(row, 0)?, height: row.try_get(1)? });
    rows.iter().map(floor).collect()
}

async fn voter_floors(
    db: &mut SqliteConnection,
    after: Option<&Entry>,
    limit: u32,
) -> Result<Vec<Entry>, BoxError> {
    let (signer, network) = match after {
        Some(Entry::VoterFloor { signer, network, .. }) => (signer.as_str(), network.as_str()),
        _ => ("", ""),
    };
    let select = "SELECT signer, network, floor FROM slash_voter \
                  WHERE (signer, network) > (?, ?) AND floor IS NOT NULL ORDER BY 1, 2 LIMIT ?";
    let rows = sqlx::query(select).bind(signer).bind(network).bind(limit).fetch_all(db).await?;
    let floor = |row: &SqliteRow| {
        let (signer, network) = (row.try_get(0)?, row.try_get(1)?);
        Ok(Entry::VoterFloor { signer, network, instance: natural(row, 2)? })
    };
    rows.iter().map(floor).collect()
}

/// All histories, in short.
pub(super) async fn summary(db: &mut SqliteConnection) -> Result<Vec<Summary>, sqlx::Error> {
    let select = "SELECT 'f0' || m.miner, m.floor, \
                  (SELECT MAX(height) FROM slash_block b WHERE b.miner = m.miner), m.kept FROM slash_miner m \
                  UNION ALL SELECT v.signer || ' ' || v.network, v.floor, \
                  (SELECT MAX(instance) FROM slash_vote s WHERE s.signer = v.signer AND s.network = v.network), \
                  v.kept FROM slash_voter v";
    let rows = sqlx::query(select).fetch_all(db).await?;
    let summary = |row: &SqliteRow| {
        let kept: i64 = row.try_get(3)?;
        Ok(Summary {
            name: row.try_get(0)?,
            floor: row.try_get(1)?,
            highest: row.try_get(2)?,
            kept: u64::try_from(kept).unwrap_or_default(),
        })
    };
    rows.iter().map(summary).collect()
}

fn natural(row: &SqliteRow, column: usize) -> Result<u64, BoxError> {
    let value: i64 = row.try_get(column)?;
    u64::try_from(value).map_err(|_| format!("the history has a negative number {value}; restore it").into())
}

fn hash(row: &SqliteRow, column: usize) -> Result<[u8; 32], BoxError> {
    let bytes: &[u8] = row.try_get(column)?;
    bytes.try_into().map_err(|_| "the history has a hash that is none; restore it".into())
}
