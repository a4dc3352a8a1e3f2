//! Where limits come in.

use std::net::IpAddr;

use async_trait::async_trait;
use venus_core::rpc::{Caller, Limiter, MethodSpec, RpcError};

use super::CallLimiter;
use super::call::Call;

#[async_trait]
impl Limiter for CallLimiter {
    async fn admit(&self, caller: &Caller, method: &MethodSpec) -> Result<(), RpcError> {
        let call = Call {
            account: &caller.identity.name,
            token: &caller.identity.token,
            ip: caller.remote.map(|at| at.ip()),
            host: caller.remote.map(|at| at.to_string()).unwrap_or_default(),
            method: method.short_name(),
            needs: method.permission,
            weight: method.weight,
        };
        self.decide(call).await.map_err(|error| RpcError::of(&error))
    }
}

#[cfg(feature = "server")]
#[async_trait]
impl crate::rest::Admission for CallLimiter {
    async fn admit(
        &self,
        caller: &crate::service::Verified,
        route: &'static str,
        changes: bool,
        from: Option<IpAddr>,
    ) -> Result<(), crate::error::AuthError> {
        use venus_core::api::Permission;
        use venus_core::error::{Classify, ErrorKind};

        use crate::error::AuthError;
        use crate::store::StoreError;

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
        self.decide(call).await.map_err(|error| match (error.kind(), error.retry_after()) {
            (ErrorKind::RateLimited, Some(retry_after)) => {
                AuthError::Limited { text: error.to_string(), retry_after }
            }
            _ => AuthError::Store(StoreError::Backend(error.to_string().into())),
        })
    }
}
