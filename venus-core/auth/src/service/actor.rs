//! Who asks.

use std::net::IpAddr;

use venus_core::api::{Permission, Permissions};

use crate::error::AuthError;
use crate::jwt;

/// Who asks for something. Made by whoever checked the token, never from what a request says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Actor {
    /// The account.
    pub name: String,
    /// What it may do.
    pub permissions: Permissions,
    /// From where it asks, if over a network.
    pub remote: Option<IpAddr>,
}

impl Actor {
    /// The process itself: command line on the same database, start-up.
    pub fn system() -> Self {
        Self { name: "system".into(), permissions: Permissions::ALL, remote: None }
    }

    /// An account with what its token allows.
    pub fn new(name: impl Into<String>, permissions: Permissions) -> Self {
        Self { name: name.into(), permissions, remote: None }
    }

    fn is_admin(&self) -> bool {
        self.permissions.allow(Permission::Admin)
    }

    pub(crate) fn admin(&self) -> Result<(), AuthError> {
        if self.is_admin() {
            return Ok(());
        }
        Err(deny().after("need admin prem"))
    }

    pub(super) fn read(&self) -> Result<(), AuthError> {
        if self.permissions.allow(Permission::Read) {
            return Ok(());
        }
        Err(deny().after("need read prem"))
    }

    /// An administrator, or the user itself.
    pub(crate) fn admin_or(&self, user: &str) -> Result<(), AuthError> {
        if self.is_admin() || (!self.name.is_empty() && self.name == user) {
            return Ok(());
        }
        Err(deny().after(format_args!("need admin prem or user {user} does not match")))
    }

    /// An administrator, or the account that the token speaks for. Only the token's eight characters are quoted.
    pub(super) fn admin_or_bearer(&self, token: &str) -> Result<(), AuthError> {
        if self.is_admin() {
            return Ok(());
        }
        let shown = jwt::display(token);
        let claims = jwt::peek(token).map_err(|e| {
            let text = format!(
                "need admin prem or token {shown} check failed: get user of token {shown} failed: {e}"
            );
            AuthError::Denied(text)
        })?;
        if !claims.name.is_empty() && claims.name == self.name {
            return Ok(());
        }
        Err(deny().after(format_args!("need admin prem or token {shown} check failed")))
    }

    /// An administrator, or the account that owns `what`.
    pub(super) fn admin_or_owner(&self, what: &str, owners: &[String]) -> Result<(), AuthError> {
        if self.is_admin() || owners.iter().any(|owner| !owner.is_empty() && *owner == self.name) {
            return Ok(());
        }
        Err(deny().after(format_args!("need admin prem or {what} ownership check error")))
    }

    pub(super) fn may_administer(&self) -> bool {
        self.is_admin()
    }
}

fn deny() -> AuthError {
    AuthError::Denied("Permission Deny".into())
}
