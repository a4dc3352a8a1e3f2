//! Answers as values.

use time::OffsetDateTime;
use uuid::Uuid;
use venus_core::types::{Address, address};

use super::error::ClientError;
use crate::audit::AuditRecord;
use crate::model::{LimitRow, MinerRow, Provenance, SignerRow, User, UserState};
use crate::wire::{self, AuditJson, LimitJson, MinerJson, SignerJson, UserJson};

pub(super) fn time(text: &str) -> Result<OffsetDateTime, ClientError> {
    wire::read_time(text).ok_or_else(|| ClientError::Corrupt(format!("{text:?} is no time")))
}

fn unix(seconds: i64) -> Result<OffsetDateTime, ClientError> {
    OffsetDateTime::from_unix_timestamp(seconds)
        .map_err(|_| ClientError::Corrupt(format!("{seconds} is no time")))
}

fn address(text: &str) -> Result<Address, ClientError> {
    address::parse(text).map_err(|error| ClientError::Corrupt(error.to_string()))
}

pub(super) fn user(json: UserJson) -> Result<User, ClientError> {
    Ok(User {
        // Databases of sophon-auth hold texts that nobody checked.
        id: Uuid::parse_str(&json.id).unwrap_or_default(),
        name: json.name,
        comment: json.comment,
        state: UserState::of_number(json.state),
        created_at: unix(json.created)?,
        updated_at: unix(json.updated)?,
        deleted: false,
    })
}

pub(super) fn miner(json: MinerJson) -> Result<MinerRow, ClientError> {
    Ok(MinerRow {
        miner: address(&json.miner)?,
        user: json.user,
        open_mining: json.open_mining,
        created_at: time(&json.created_at)?,
        updated_at: time(&json.updated_at)?,
    })
}

pub(super) fn signer(json: SignerJson) -> Result<SignerRow, ClientError> {
    Ok(SignerRow {
        signer: address(&json.signer)?,
        user: json.user,
        // The API does not tell.
        provenance: Provenance::Legacy,
        created_at: time(&json.created_at)?,
        updated_at: time(&json.updated_at)?,
    })
}

pub(super) fn limit(json: LimitJson) -> Result<LimitRow, ClientError> {
    let nanos = u64::try_from(json.limit.period)
        .map_err(|_| ClientError::Corrupt(format!("the period {} is negative", json.limit.period)))?;
    Ok(LimitRow {
        id: json.id,
        name: json.name,
        service: json.service,
        api: json.api,
        capacity: json.limit.capacity,
        period: std::time::Duration::from_nanos(nanos),
    })
}

pub(super) fn record(json: AuditJson) -> Result<AuditRecord, ClientError> {
    let AuditJson { id, at, actor, remote, action, subject, before, after } = json;
    Ok(AuditRecord { id, at: time(&at)?, actor, remote, action, subject, before, after })
}

/// Go writes lists without items as null.
pub(super) fn all<J, T>(
    json: Option<Vec<J>>,
    read: impl Fn(J) -> Result<T, ClientError>,
) -> Result<Vec<T>, ClientError> {
    json.unwrap_or_default().into_iter().map(read).collect()
}
