//! Rules about who asks.

use serde::{Deserialize, Serialize};
use venus_core::api::{Permission, Permissions};

use crate::request::{Caller, Origin};

/// Who asks, in a rule. An empty list does not matter.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct CallerConfig {
    /// How the request came: `embedded`, `rpc`, `gateway`, `offline`.
    pub origins: Vec<String>,
    /// Subjects of tokens.
    pub subjects: Vec<String>,
    /// A right that the caller has: `read`, `write`, `sign`, `admin`.
    pub permission: Option<String>,
    /// Accounts of a gateway. A rule that allows wants all accounts of the request to be listed, and at least one; a
    /// rule that denies any.
    pub accounts: Vec<String>,
    /// Names of hubs.
    pub hubs: Vec<String>,
    /// Whether a strategy token came with the request.
    pub strategy_token: Option<bool>,
}

/// Compiled.
#[derive(Clone, Debug, Default)]
pub(crate) struct CallerRule {
    origins: Vec<&'static str>,
    subjects: Vec<String>,
    permission: Option<Permission>,
    accounts: Vec<String>,
    hubs: Vec<String>,
    strategy_token: Option<bool>,
}

fn origin_name(origin: &Origin) -> &'static str {
    match origin {
        Origin::Embedded => "embedded",
        Origin::Rpc => "rpc",
        Origin::Gateway { .. } => "gateway",
        Origin::Offline => "offline",
    }
}

impl CallerRule {
    pub(crate) fn compile(config: &CallerConfig) -> Result<Self, (&'static str, String)> {
        const ORIGINS: [&str; 4] = ["embedded", "rpc", "gateway", "offline"];
        let origins = config.origins.iter().map(|text| {
            ORIGINS
                .into_iter()
                .find(|known| known == text)
                .ok_or_else(|| ("caller.origins", format!("{text:?} is none of {}", ORIGINS.join(", "))))
        });
        Ok(Self {
            origins: origins.collect::<Result<_, _>>()?,
            permission: config.permission.as_deref().map(permission).transpose()?,
            subjects: config.subjects.clone(),
            accounts: config.accounts.clone(),
            hubs: config.hubs.clone(),
            strategy_token: config.strategy_token,
        })
    }

    pub(crate) fn matches(&self, caller: &Caller, deny: bool) -> bool {
        let any = |list: &[String], text: &str| list.is_empty() || list.iter().any(|known| known == text);
        let hub = match &caller.origin {
            Origin::Gateway { hub } => any(&self.hubs, hub),
            _ => self.hubs.is_empty(),
        };
        hub && (self.origins.is_empty() || self.origins.contains(&origin_name(&caller.origin)))
            && any(&self.subjects, &caller.subject)
            && self.permission.is_none_or(|right| caller.permissions.allow(right))
            && self.strategy_token.is_none_or(|wanted| wanted == caller.strategy_token.is_some())
            && self.accounts_match(&caller.accounts, deny)
    }

    fn accounts_match(&self, asking: &[String], deny: bool) -> bool {
        match (self.accounts.is_empty(), deny) {
            (true, _) => true,
            (false, true) => asking.iter().any(|account| self.accounts.contains(account)),
            (false, false) => {
                !asking.is_empty() && asking.iter().all(|account| self.accounts.contains(account))
            }
        }
    }
}

fn permission(name: &str) -> Result<Permission, (&'static str, String)> {
    let rights = [Permission::Read, Permission::Write, Permission::Sign, Permission::Admin];
    rights
        .into_iter()
        .find(|right| right.as_str() == name)
        .ok_or_else(|| ("caller.permission", format!("{name:?} is none of read, write, sign, admin")))
}

/// The names of the rights that a caller has, lowest first.
pub(crate) fn permission_names(permissions: Permissions) -> Vec<&'static str> {
    let rights = [Permission::Read, Permission::Write, Permission::Sign, Permission::Admin];
    rights.into_iter().filter(|right| permissions.allow(*right)).map(Permission::as_str).collect()
}

pub(crate) fn origin_label(origin: &Origin) -> String {
    match origin {
        Origin::Gateway { hub } => format!("gateway:{hub}"),
        other => origin_name(other).into(),
    }
}
