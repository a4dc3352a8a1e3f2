//! Who changed what.

use std::net::IpAddr;

use time::OffsetDateTime;
use uuid::Uuid;

/// A change, attributed: who, from where, when, what it was before and after. Tokens appear by id only.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditRecord {
    /// UUIDv7, so that records sort by time.
    pub id: Uuid,
    /// When.
    pub at: OffsetDateTime,
    /// The account that asked.
    pub actor: String,
    /// From where, if it came over the network.
    pub remote: Option<IpAddr>,
    /// What was done: `user.create`, `token.revoke`, `miner.bind` …
    pub action: String,
    /// To what: a user's name, a token's id, an address.
    pub subject: String,
    /// As JSON, or empty.
    pub before: String,
    /// As JSON, or empty.
    pub after: String,
}

/// Which records are wanted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AuditQuery {
    /// Only of this actor.
    pub actor: Option<String>,
    /// Only about this subject.
    pub subject: Option<String>,
    /// Only actions that begin so.
    pub action: Option<String>,
    /// Only older than the record of this id: how to turn pages.
    pub before: Option<Uuid>,
    /// How many at most, up to 1000; 0 for 100.
    pub limit: u32,
}

impl AuditQuery {
    pub(crate) fn wants(&self, record: &AuditRecord) -> bool {
        let is =
            |wanted: &Option<String>, found: &str| wanted.as_deref().is_none_or(|wanted| wanted == found);
        is(&self.actor, &record.actor)
            && is(&self.subject, &record.subject)
            && self.action.as_deref().is_none_or(|action| record.action.starts_with(action))
            && self.before.is_none_or(|before| record.id < before)
    }

    pub(crate) fn most(&self) -> usize {
        match self.limit {
            0 => 100,
            limit => limit.min(1000) as usize,
        }
    }
}
