//! What goes over the REST API, with the names and in the order of sophon-auth.

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use uuid::Uuid;

use crate::audit::AuditRecord;
use crate::effect::Revocation;
use crate::effect_json::EffectJson;
use crate::model::{LimitRow, MinerRow, SignerRow, User};
use crate::text;

/// Whoever sends this header with `1` gets the kind of an error beside its text, and all that we know of a token
/// beside what sophon-auth tells.
pub(crate) const MORE: &str = "x-venus-errors";
/// Token scope: asking whom tokens speak for, and following what ends.
#[cfg(feature = "server")]
pub(crate) const SCOPE_VERIFY: &str = "auth.verify";

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct UserJson {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) comment: String,
    pub(crate) state: i32,
    #[serde(rename = "createTime")]
    pub(crate) created: i64,
    #[serde(rename = "updateTime")]
    pub(crate) updated: i64,
}

impl From<User> for UserJson {
    fn from(user: User) -> Self {
        Self {
            id: user.id.to_string(),
            name: user.name,
            comment: user.comment,
            state: user.state.number(),
            created: user.created_at.unix_timestamp(),
            updated: user.updated_at.unix_timestamp(),
        }
    }
}

#[derive(Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct TokenJson {
    pub(crate) token: String,
    pub(crate) name: String,
    pub(crate) perm: String,
    /// Always empty in sophon-auth.
    pub(crate) custom: String,
    #[serde(rename = "createTime")]
    pub(crate) created: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) id: Option<Uuid>,
    #[serde(rename = "expiresAt", skip_serializing_if = "Option::is_none")]
    pub(crate) expires: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) audience: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) scopes: Vec<String>,
}

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct VerifiedJson {
    pub(crate) name: String,
    pub(crate) perm: String,
    pub(crate) ext: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) id: Option<Uuid>,
    #[serde(rename = "expiresAt", skip_serializing_if = "Option::is_none")]
    pub(crate) expires: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) audience: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) scopes: Vec<String>,
}

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub(crate) struct MinerJson {
    pub(crate) miner: String,
    pub(crate) user: String,
    pub(crate) open_mining: bool,
    pub(crate) created_at: String,
    pub(crate) updated_at: String,
}

impl From<MinerRow> for MinerJson {
    fn from(row: MinerRow) -> Self {
        Self {
            miner: text::address(&row.miner),
            user: row.user,
            open_mining: row.open_mining,
            created_at: write_time(row.created_at),
            updated_at: write_time(row.updated_at),
        }
    }
}

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub(crate) struct SignerJson {
    pub(crate) signer: String,
    pub(crate) user: String,
    pub(crate) created_at: String,
    pub(crate) updated_at: String,
}

impl From<SignerRow> for SignerJson {
    fn from(row: SignerRow) -> Self {
        Self {
            signer: text::address(&row.signer),
            user: row.user,
            created_at: write_time(row.created_at),
            updated_at: write_time(row.updated_at),
        }
    }
}

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct LimitJson {
    #[serde(rename = "Id")]
    pub(crate) id: String,
    #[serde(rename = "Name")]
    pub(crate) name: String,
    #[serde(rename = "Service")]
    pub(crate) service: String,
    #[serde(rename = "API")]
    pub(crate) api: String,
    #[serde(rename = "ReqLimit")]
    pub(crate) limit: ReqLimit,
}

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct ReqLimit {
    #[serde(rename = "Cap")]
    pub(crate) capacity: i64,
    /// Nanoseconds.
    #[serde(rename = "ResetDur")]
    pub(crate) period: i64,
}

impl From<LimitRow> for LimitJson {
    fn from(row: LimitRow) -> Self {
        let period = i64::try_from(row.period.as_nanos()).unwrap_or(i64::MAX);
        let limit = ReqLimit { capacity: row.capacity, period };
        Self { id: row.id, name: row.name, service: row.service, api: row.api, limit }
    }
}

/// What ended, and from where to go on.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct RevocationsJson {
    /// Of which life of the service the numbers are.
    pub(crate) life: Uuid,
    /// The number of the last effect of these, or of all if there are none.
    pub(crate) last: u64,
    pub(crate) items: Vec<RevocationJson>,
}

#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct RevocationJson {
    pub(crate) seq: u64,
    #[serde(flatten)]
    pub(crate) effect: EffectJson,
}

impl From<Revocation> for RevocationJson {
    fn from(revocation: Revocation) -> Self {
        Self { seq: revocation.seq, effect: revocation.effect.into() }
    }
}

/// Fingerprints of tokens.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct TokensJson {
    pub(crate) tokens: Vec<String>,
}

#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct BanJson {
    /// As `Ban` is written.
    pub(crate) subject: String,
    pub(crate) reason: String,
}

#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct AuditJson {
    pub(crate) id: Uuid,
    pub(crate) at: String,
    pub(crate) actor: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) remote: Option<std::net::IpAddr>,
    pub(crate) action: String,
    pub(crate) subject: String,
    pub(crate) before: String,
    pub(crate) after: String,
}

impl From<AuditRecord> for AuditJson {
    fn from(record: AuditRecord) -> Self {
        let AuditRecord { id, at, actor, remote, action, subject, before, after } = record;
        Self { id, at: write_time(at), actor, remote, action, subject, before, after }
    }
}

/// RFC 3339 with up to nine decimals, as Go writes times.
pub(crate) fn write_time(at: OffsetDateTime) -> String {
    // Fails only for years that no clock here shows.
    at.format(&Rfc3339).unwrap_or_default()
}

pub(crate) fn read_time(text: &str) -> Option<OffsetDateTime> {
    OffsetDateTime::parse(text, &Rfc3339).ok()
}
