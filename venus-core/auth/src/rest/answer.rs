//! What callers get back.

use std::time::Duration;

use axum::body::Body;
use axum::response::Response;
use http::{HeaderName, HeaderValue, StatusCode, header};
use serde::Serialize;
use venus_core::error::{Classify, ErrorKind};

use super::bind::BindError;
use crate::error::AuthError;
use crate::jwt;

/// What a route answers if all is well.
#[derive(Debug)]
pub(super) enum Answer {
    /// Nothing, as most changes.
    Empty,
    /// A value.
    Json(String),
}

impl Answer {
    pub(super) fn of(value: &impl Serialize) -> Result<Self, Refusal> {
        let text = serde_json::to_string(value)
            .map_err(|error| Refusal::new(StatusCode::INTERNAL_SERVER_ERROR, ErrorKind::Internal, error))?;
        Ok(Self::Json(jwt::go_escaped(&text)))
    }

    pub(super) fn into_response(self) -> Response {
        match self {
            Self::Empty => respond(StatusCode::OK, JSON, String::new()),
            Self::Json(text) => respond(StatusCode::OK, JSON, text),
        }
    }
}

/// Why there is no answer.
#[derive(Debug)]
pub(super) struct Refusal {
    status: StatusCode,
    kind: ErrorKind,
    text: String,
    retry_after: Option<Duration>,
}

impl Refusal {
    pub(super) fn new(status: StatusCode, kind: ErrorKind, text: impl std::fmt::Display) -> Self {
        Self { status, kind, text: text.to_string(), retry_after: None }
    }

    /// For callers without a token that counts.
    pub(super) fn stranger(text: impl std::fmt::Display) -> Self {
        Self::new(StatusCode::UNAUTHORIZED, ErrorKind::Unauthenticated, text)
    }

    pub(super) fn forbidden(text: impl std::fmt::Display) -> Self {
        Self::new(StatusCode::FORBIDDEN, ErrorKind::Denied, text)
    }

    pub(super) fn kind(&self) -> ErrorKind {
        self.kind
    }

    /// With `more`, the kind is told too.
    pub(super) fn into_response(self, more: bool) -> Response {
        #[derive(Serialize)]
        struct Said<'a> {
            error: &'a str,
            #[serde(skip_serializing_if = "Option::is_none")]
            kind: Option<&'static str>,
            #[serde(skip_serializing_if = "Option::is_none")]
            retry_after_ms: Option<u128>,
        }
        let retry = self.retry_after.filter(|_| more).map(|after| after.as_millis());
        let said = Said { error: &self.text, kind: more.then(|| self.kind.as_str()), retry_after_ms: retry };
        let body = jwt::go_escaped(&serde_json::to_string(&said).unwrap_or_default());
        let mut response = respond(self.status, JSON, body);
        if self.status == StatusCode::UNAUTHORIZED {
            response.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        if let Some(after) = self.retry_after {
            let seconds = after.as_secs_f64().ceil() as u64;
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds.max(1)));
        }
        response
    }
}

impl From<BindError> for Refusal {
    fn from(error: BindError) -> Self {
        Self::new(StatusCode::BAD_REQUEST, ErrorKind::Invalid, error.0)
    }
}

impl From<AuthError> for Refusal {
    /// Clients of sophon-auth know only 400; what they would take for an answer about their question, though it is
    /// about the service, has a status of its own.
    fn from(error: AuthError) -> Self {
        let kind = error.kind();
        let status = match &error {
            AuthError::Limited { .. } => StatusCode::TOO_MANY_REQUESTS,
            AuthError::Store(_) if kind == ErrorKind::Corrupt => StatusCode::INTERNAL_SERVER_ERROR,
            AuthError::Store(_) => StatusCode::SERVICE_UNAVAILABLE,
            AuthError::Entropy(_) => StatusCode::INTERNAL_SERVER_ERROR,
            _ => StatusCode::BAD_REQUEST,
        };
        Self { status, kind, text: error.to_string(), retry_after: error.retry_after() }
    }
}

pub(super) const JSON: &str = "application/json";
const ALLOWED_HEADERS: &str = "DNT,X-Mx-ReqToken,Keep-Alive,User-Agent,X-Requested-With,If-Modified-Since,\
                               Cache-Control,Content-Type,Authorization,X-Forwarded-For,Origin,X-Real-Ip,spanId,\
                               preHost,svcName";

pub(super) fn respond(status: StatusCode, content: &'static str, body: String) -> Response {
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(content));
    response
}

/// Lets pages of other origins ask, as sophon-auth does: what they get depends on the token alone, and a browser
/// sends none by itself.
pub(super) fn open_to_pages(response: &mut Response) {
    let all: [(HeaderName, &'static str); 3] = [
        (header::ACCESS_CONTROL_ALLOW_ORIGIN, "*"),
        (header::ACCESS_CONTROL_ALLOW_METHODS, "GET, POST, DELETE, OPTIONS"),
        (header::ACCESS_CONTROL_ALLOW_HEADERS, ALLOWED_HEADERS),
    ];
    for (name, value) in all {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
}
