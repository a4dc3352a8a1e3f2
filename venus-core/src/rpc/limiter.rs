//! How often somebody may call.

use std::sync::Arc;

use async_trait::async_trait;

use super::{error::RpcError, service::Caller, table::MethodSpec};

/// Decides whether a call may be made now.
///
/// A limiter sits *inside* the guarded service: it is asked only about calls that passed authentication, the table and
/// the caller's rights, so it can refuse what these allow and never allow what they refuse. Values of channels and
/// answers to reverse calls are no calls.
#[async_trait]
pub trait Limiter: Send + Sync + 'static {
    /// Counts one call of `caller`. Runs within the deadline of the call and is dropped with it.
    ///
    /// # Errors
    /// What the caller gets instead of the method's answer: kind [`RateLimited`](crate::error::ErrorKind::RateLimited)
    /// where it called too often, a retryable one where nobody can tell.
    async fn admit(&self, caller: &Caller, method: &MethodSpec) -> Result<(), RpcError>;
}

#[async_trait]
impl<L: Limiter + ?Sized> Limiter for Arc<L> {
    async fn admit(&self, caller: &Caller, method: &MethodSpec) -> Result<(), RpcError> {
        (**self).admit(caller, method).await
    }
}

/// A limiter, and about whom it is asked.
pub(super) struct Limit {
    pub(super) limiter: Arc<dyn Limiter>,
    pub(super) caller: Arc<Caller>,
}

impl Limit {
    pub(super) async fn admit(limit: Option<Self>, spec: &MethodSpec) -> Result<(), RpcError> {
        match limit {
            Some(Self { limiter, caller }) => limiter.admit(&caller, spec).await,
            None => Ok(()),
        }
    }
}
