//! Limits of guarded servers.

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
