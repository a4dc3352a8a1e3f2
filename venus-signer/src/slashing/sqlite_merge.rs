//! Taking over another wallet's history.

use sqlx::sqlite::SqliteConnection;

use super::sqlite::{Found, find_vote, insert_block, insert_vote, number};
use super::{Entry, Merged};

/// Takes one entry over. Slots that are taken stay as they are; floors only rise.
pub(super) async fn merge(
    db: &mut SqliteConnection,
    entry: &Entry,
    keep: u32,
    merged: &mut Merged,
) -> Result<(), sqlx::Error> {
    let count = match entry {
        Entry::Block(slot) => {
            let found = Found::of(db, slot).await?;
            insert_block(db, slot, keep).await?;
            raise_miner(db, number(slot.miner), slot.height).await?;
            match (found.other(slot), found.both()) {
                (Some(_), _) => &mut merged.conflicting,
                (None, true) => &mut merged.known,
                (None, false) => &mut merged.added,
            }
        }
        Entry::Vote(slot) => {
            let found = find_vote(db, slot).await?;
            insert_vote(db, slot, keep).await?;
            raise_voter(db, &slot.signer, &slot.network, number(slot.instance)).await?;
            match found {
                Some(payload) if payload != slot.payload => &mut merged.conflicting,
                Some(_) => &mut merged.known,
                None => &mut merged.added,
            }
        }
        Entry::MinerFloor { miner, height } => match raise_miner(db, number(*miner), *height).await? {
            true => &mut merged.added,
            false => &mut merged.known,
        },
        Entry::VoterFloor { signer, network, instance } => {
            match raise_voter(db, signer, network, number(*instance)).await? {
                true => &mut merged.added,
                false => &mut merged.known,
            }
        }
    };
    *count = count.saturating_add(1);
    Ok(())
}

/// False if the floor was as high already.
async fn raise_miner(db: &mut SqliteConnection, miner: i64, height: i64) -> Result<bool, sqlx::Error> {
    let raise = "INSERT INTO slash_miner (miner, floor) VALUES (?, ?) ON CONFLICT (miner) \
                 DO UPDATE SET floor = excluded.floor WHERE floor IS NULL OR floor < excluded.floor";
    Ok(sqlx::query(raise).bind(miner).bind(height).execute(db).await?.rows_affected() > 0)
}

async fn raise_voter(
    db: &mut SqliteConnection,
    signer: &str,
    network: &str,
    instance: i64,
) -> Result<bool, sqlx::Error> {
    let raise = "INSERT INTO slash_voter (signer, network, floor) VALUES (?, ?, ?) \
                 ON CONFLICT (signer, network) \
                 DO UPDATE SET floor = excluded.floor WHERE floor IS NULL OR floor < excluded.floor";
    let query = sqlx::query(raise).bind(signer).bind(network).bind(instance);
    Ok(query.execute(db).await?.rows_affected() > 0)
}
