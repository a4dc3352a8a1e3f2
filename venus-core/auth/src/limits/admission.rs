//! Limits of the REST service.

use std::net::IpAddr;

use async_trait::async_trait;
use venus_core::api::Permission;

use super::call::Call;
use super::{CallLimiter, LimitError};
use crate::error::AuthError;
use crate::rest::Admission;
use crate::service::Verified;
use crate::store::StoreError;

#[async_trait]
impl Admission for CallLimiter {
    async fn admit(
        &self,
        caller: &Verified,
        route: &'static str,
        changes: bool,
        from: Option<IpAddr>,
    ) -> Result<(), AuthError> {
        let token = caller.id.to_string();
        let call = Call {
            account: &caller.name,
            token: &token,
            ip: from,
            host: from.map(|ip| ip.to_string()).unwrap_or_default(),
            method: route,
            needs: if changes { Permission::Admin } else { Permission::Read },
            weight: 1,
        };
        self.decide(call).await.map_err(|error| match error {
            LimitError::TooMany { reset, .. } => {
                AuthError::Limited { text: error.to_string(), retry_after: reset }
            }
            LimitError::Unknown { .. } => AuthError::Store(StoreError::Backend(error.to_string().into())),
        })
    }
}
