//! Calls over HTTP POST.

use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

use http::header::{CONTENT_TYPE, HeaderValue};
use serde_json::value::RawValue;
use tokio::time::timeout;

use super::{
    ClientConfig,
    dial::{beginning, unreachable},
};
use crate::rpc::{
    error::CallError,
    frame::{Frame, call, notification},
};

pub(super) struct HttpClient {
    http: reqwest::Client,
    url: String,
    limit: usize,
    next_id: AtomicU64,
}

impl HttpClient {
    pub(super) fn new(url: &str, config: &ClientConfig) -> Result<Self, CallError> {
        let http = reqwest::Client::builder()
            .default_headers(config.headers.clone())
            .connect_timeout(config.connect_deadline)
            .tcp_nodelay(true)
            // A redirected POST would become a GET, and the token would travel.
            .redirect(reqwest::redirect::Policy::none())
            .build();
        let http = http.map_err(|error| unreachable(url, error))?;
        reqwest::Url::parse(url).map_err(|error| unreachable(url, error.to_string()))?;
        let limit = config.limits.message_bytes;
        Ok(Self { http, url: url.to_owned(), limit, next_id: AtomicU64::new(1) })
    }

    pub(super) fn url(&self) -> &str {
        self.url.split('?').next().unwrap_or_default()
    }

    pub(super) async fn call(
        &self,
        method: &str,
        params: Option<&str>,
        deadline: Duration,
    ) -> Result<Box<RawValue>, CallError> {
        let id = self.next_id.fetch_add(1, Ordering::Relaxed);
        let (status, body) = self.post(method, call(id, method, params), deadline).await?;
        answer(method, status, &body)
    }

    /// The server's answer has no body to speak of; only what kept the call from reaching it is an error.
    pub(super) async fn notify(
        &self,
        method: &str,
        params: Option<&str>,
        deadline: Duration,
    ) -> Result<(), CallError> {
        let (status, body) = self.post(method, notification(method, params), deadline).await?;
        match status {
            200 | 500 => Ok(()),
            _ => Err(CallError::Status { status, body: beginning(&body) }),
        }
    }

    async fn post(&self, method: &str, body: String, deadline: Duration) -> Result<(u16, String), CallError> {
        if body.len() > self.limit {
            return Err(CallError::TooBig { what: "request", size: body.len(), limit: self.limit });
        }
        let late = |_| CallError::Timeout { method: method.to_owned(), after: deadline };
        timeout(deadline, self.exchange(body)).await.map_err(late)?
    }

    async fn exchange(&self, body: String) -> Result<(u16, String), CallError> {
        let request =
            self.http.post(&self.url).header(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        let response = request.body(body).send().await;
        let mut response = response.map_err(|error| unreachable(&self.url, error.without_url()))?;
        let status = response.status().as_u16();
        let mut bytes = Vec::new();
        // From here on the other side has seen the call.
        while let Some(chunk) = response.chunk().await.map_err(|_| CallError::Disconnected)? {
            let size = bytes.len() + chunk.len();
            if size > self.limit {
                return Err(CallError::TooBig { what: "answer", size, limit: self.limit });
            }
            bytes.extend_from_slice(&chunk);
        }
        Ok((status, String::from_utf8_lossy(&bytes).into_owned()))
    }
}

/// Protocol errors come with 400 and 500, and their body says more than the status does.
pub(super) fn answer(method: &str, status: u16, body: &str) -> Result<Box<RawValue>, CallError> {
    let not_ours = || CallError::Status { status, body: beginning(body) };
    if !matches!(status, 200 | 400 | 500) {
        return Err(not_ours());
    }
    match Frame::decode(body) {
        Ok((Frame { error: Some(error), .. }, _)) => Err(error.into()),
        Ok((Frame { result: Some(result), .. }, _)) if status == 200 => Ok(result.to_owned()),
        Ok((Frame { id: crate::rpc::id::FrameId::Id(_), .. }, _)) if status == 200 => {
            Ok(RawValue::NULL.to_owned())
        }
        Ok(_) if status == 200 => Err(CallError::Decode {
            method: method.to_owned(),
            reason: "neither an id nor a result".to_owned(),
        }),
        Err(error) if status == 200 => {
            Err(CallError::Decode { method: method.to_owned(), reason: error.to_string() })
        }
        _ => Err(not_ours()),
    }
}
