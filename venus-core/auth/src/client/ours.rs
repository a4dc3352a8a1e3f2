//! What sophon-auth does not have; it answers these with the kind unsupported.

use serde::{Deserialize, Serialize};
use venus_core::types::Address;

use super::http::Question;
use super::{AuthClient, ClientError, read};
use crate::audit::{AuditQuery, AuditRecord};
use crate::model::Ban;
use crate::text;
use crate::wire::{AuditJson, BanJson};

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Consent<'a> {
    user: &'a str,
    signer: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Version {
    version: String,
}

impl AuthClient {
    /// The service's version. Needs no token.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn version(&self) -> Result<String, ClientError> {
        let version: Version = self.transport.ask(Question::get("/version", &[])).await?;
        Ok(version.version)
    }

    /// Consents to another user having a signer.
    ///
    /// # Errors
    /// [`ClientError::Refused`] of the kind denied unless the caller owns it or is an administrator.
    pub async fn grant_signer(&self, signer: &Address, user: &str) -> Result<(), ClientError> {
        let body = Consent { user, signer: text::address(signer) };
        self.transport.tell(Question::post("/signer/grant", &body)).await
    }

    /// Keeps somebody out.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn ban(&self, ban: &Ban, reason: &str) -> Result<(), ClientError> {
        let body = BanJson { subject: ban.to_string(), reason: reason.to_owned() };
        self.transport.tell(Question::post("/ban", &body)).await
    }

    /// Lets somebody in again.
    ///
    /// # Errors
    /// [`ClientError::Refused`] of the kind not found if nobody kept it out.
    pub async fn unban(&self, ban: &Ban) -> Result<(), ClientError> {
        let body = BanJson { subject: ban.to_string(), reason: String::new() };
        self.transport.tell(Question::post("/unban", &body)).await
    }

    /// All who are kept out, with reasons.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn bans(&self) -> Result<Vec<(Ban, String)>, ClientError> {
        let json = self.transport.ask(Question::get("/bans", &[])).await?;
        read::all(json, |json: BanJson| {
            let ban = json.subject.parse();
            let ban = ban.map_err(|_| ClientError::Corrupt(format!("/bans: {:?}", json.subject)))?;
            Ok((ban, json.reason))
        })
    }

    /// Records of changes, latest first.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn audit(&self, query: &AuditQuery) -> Result<Vec<AuditRecord>, ClientError> {
        let limit = query.limit.to_string();
        let before = query.before.map(|id| id.to_string()).unwrap_or_default();
        let given = |text: &Option<String>| text.clone().unwrap_or_default();
        let (action, actor, subject) = (given(&query.action), given(&query.actor), given(&query.subject));
        let query = [
            ("action", action.as_str()),
            ("actor", &actor),
            ("before", &before),
            ("limit", &limit),
            ("subject", &subject),
        ];
        let json: Option<Vec<AuditJson>> = self.transport.ask(Question::get("/audit", &query)).await?;
        read::all(json, read::record)
    }
}
