//! jsonrpsee's client traits, for the clients that `#[rpc]` generates.

use std::fmt::Debug;

use futures::{StreamExt, stream::FuturesOrdered};
use jsonrpsee::{
    core::{
        client::{BatchResponse, ClientT, Error, Subscription, SubscriptionClientT},
        params::BatchRequestBuilder,
        traits::ToRpcParams,
    },
    types::ErrorObjectOwned,
};
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;
use tokio::time::Instant;

use super::{RpcClient, bridge::subscription};
use crate::rpc::{
    error::{CallError, RpcError},
    session::{Peer, decode},
};

/// Calls of one batch that are under way at once.
const BATCH: usize = 16;

/// The parameters as an array; nothing for none.
fn array(method: &str, params: impl ToRpcParams) -> Result<Option<Box<RawValue>>, CallError> {
    let bad = |reason: String| CallError::Params { method: method.to_owned(), reason };
    let params = params.to_rpc_params().map_err(|error| bad(error.to_string()))?;
    match params {
        Some(params) if params.get().starts_with('[') => Ok(Some(params)),
        Some(params) if params.get() == "null" => Ok(None),
        None => Ok(None),
        Some(_) => Err(bad("an array is needed, Go knows no named parameters".to_owned())),
    }
}

macro_rules! client_traits {
    ($client:ty) => {
        impl ClientT for $client {
            async fn notification<P: ToRpcParams + Send>(
                &self,
                method: &str,
                params: P,
            ) -> Result<(), Error> {
                let params = array(method, params)?;
                Ok(self.notify(method, params.as_deref().map(RawValue::get)).await?)
            }

            async fn request<R: DeserializeOwned, P: ToRpcParams + Send>(
                &self,
                method: &str,
                params: P,
            ) -> Result<R, Error> {
                let params = array(method, params)?;
                Ok(self.call(method, params.as_deref().map(RawValue::get)).await?)
            }

            /// Single calls, some at a time: over WebSocket no Go peer answers a batch, and the fork none at all.
            async fn batch_request<'a, R: DeserializeOwned + Debug + 'a>(
                &self,
                batch: BatchRequestBuilder<'a>,
            ) -> Result<BatchResponse<'a, R>, Error> {
                let mut calls = FuturesOrdered::new();
                let mut answers = Vec::new();
                for (method, params) in batch.build()? {
                    if calls.len() >= BATCH {
                        answers.extend(calls.next().await);
                    }
                    calls.push_back(async move {
                        (method, self.call_raw(method, params.as_deref().map(RawValue::get)).await)
                    });
                }
                while let Some(answer) = calls.next().await {
                    answers.push(answer);
                }
                entries(answers)
            }
        }
    };
}

client_traits!(RpcClient);
client_traits!(Peer);

type Answered<'a> = (&'a str, Result<Box<RawValue>, CallError>);

fn entries<'a, R: DeserializeOwned + Debug + 'a>(
    answers: Vec<Answered<'a>>,
) -> Result<BatchResponse<'a, R>, Error> {
    let mut entries = Vec::with_capacity(answers.len());
    let mut failed = 0;
    for (method, answer) in answers {
        match answer {
            Ok(raw) => entries.push(Ok(decode(method, &raw)?)),
            Err(CallError::Rpc(error)) => {
                failed += 1;
                entries.push(Err(ErrorObjectOwned::from(RpcError::clone(&error))));
            }
            Err(other) => return Err(other.into()),
        }
    }
    Ok(BatchResponse::new(entries.len() - failed, entries, failed))
}

impl SubscriptionClientT for RpcClient {
    async fn subscribe<'a, N: DeserializeOwned, P: ToRpcParams + Send>(
        &self,
        method: &'a str,
        params: P,
        _unsubscribe: &'a str,
    ) -> Result<Subscription<N>, Error> {
        let params = array(method, params)?;
        let until = Instant::now() + self.config().deadline_of(method);
        let peer = self.websocket(method)?.peer(until).await?.with_deadline(until - Instant::now());
        let channel = peer.open(method, params.as_deref().map(RawValue::get)).await?;
        subscription(channel, self.config().limits.channel_values).await
    }

    /// Go has no notifications of servers apart from channels.
    async fn subscribe_to_method<N: DeserializeOwned>(&self, method: &str) -> Result<Subscription<N>, Error> {
        Err(CallError::NeedsWebSocket(format!("{method}: not a channel, and so it")).into())
    }
}

impl SubscriptionClientT for Peer {
    async fn subscribe<'a, N: DeserializeOwned, P: ToRpcParams + Send>(
        &self,
        method: &'a str,
        params: P,
        _unsubscribe: &'a str,
    ) -> Result<Subscription<N>, Error> {
        let params = array(method, params)?;
        let channel = self.open(method, params.as_deref().map(RawValue::get)).await?;
        subscription(channel, self.limits().channel_values).await
    }

    /// Go has no notifications of servers apart from channels.
    async fn subscribe_to_method<N: DeserializeOwned>(&self, method: &str) -> Result<Subscription<N>, Error> {
        Err(CallError::NeedsWebSocket(format!("{method}: not a channel, and so it")).into())
    }
}
