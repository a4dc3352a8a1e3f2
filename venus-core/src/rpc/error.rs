//! Errors on the wire.

mod call;

use std::{borrow::Cow, fmt, time::Duration};

use jsonrpsee::types::ErrorObjectOwned;
use serde::{
    Deserialize, Serialize,
    de::{Deserializer, IgnoredAny, MapAccess, Visitor},
};
use serde_json::value::RawValue;

pub use call::CallError;

use crate::error::{Classify, ErrorKind};

/// Codes of go-jsonrpc. Everything that a method itself returns has code 1, but for typed errors of Lotus (2 and up).
pub mod codes {
    /// What a method returned.
    pub const METHOD: i64 = 1;
    /// The method panicked.
    pub const FATAL: i64 = 0;
    /// The text is no JSON, or a parameter does not decode.
    pub const PARSE: i64 = -32700;
    /// Not a request.
    pub const INVALID_REQUEST: i64 = -32600;
    /// No such method, or it needs a WebSocket.
    pub const METHOD_NOT_FOUND: i64 = -32601;
    /// Wrong number of parameters.
    pub const INVALID_PARAMS: i64 = -32602;
    /// Forest: the caller lacks a right.
    pub const FOREST_DENIED: i64 = -32003;
}

/// The error object of a response.
///
/// Handlers return it (as jsonrpsee's `ErrorObjectOwned`, into which it converts) to say more than a text:
/// `meta` and `data` reach clients of [`Dialect::Upstream`](super::Dialect::Upstream) as Go writes them, and the
/// [`ErrorKind`] reaches clients that asked for it with [`ERRORS_HEADER`](super::ERRORS_HEADER).
#[derive(Clone, Debug, Default)]
pub struct RpcError {
    /// The code, see [`codes`].
    pub code: i64,
    /// The text. For Go clients it is often all there is.
    pub message: String,
    /// Fields of a typed Go error.
    pub meta: Option<Box<RawValue>>,
    /// More about the error.
    pub data: Option<Box<RawValue>>,
    /// What the caller can do about it, if that is known.
    pub kind: Option<ErrorKind>,
    /// When a retry makes sense.
    pub retry_after: Option<Duration>,
}

impl RpcError {
    /// An error with nothing but code and text.
    pub fn new(code: i64, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), ..Self::default() }
    }

    /// What a method returns for `error`: code 1, its text and its kind.
    pub fn of<E: Classify + fmt::Display>(error: &E) -> Self {
        Self {
            kind: Some(error.kind()),
            retry_after: error.retry_after(),
            ..Self::new(codes::METHOD, error.to_string())
        }
    }

    /// The error as one of `kind`.
    #[must_use]
    pub fn with_kind(mut self, kind: ErrorKind) -> Self {
        self.kind = Some(kind);
        self
    }

    /// The error with `data`, if that serialises.
    #[must_use]
    pub fn with_data(mut self, data: &impl Serialize) -> Self {
        self.data = serde_json::value::to_raw_value(data).ok();
        self
    }

    /// The error with `meta`, if that serialises.
    #[must_use]
    pub fn with_meta(mut self, meta: &impl Serialize) -> Self {
        self.meta = serde_json::value::to_raw_value(meta).ok();
        self
    }

    /// Takes kind and retry-after out of `data`, where our servers put them.
    fn read_kind(mut self) -> Self {
        let hint =
            self.data.as_deref().and_then(|data| serde_json::from_str::<KindData<'_>>(data.get()).ok());
        if let Some(kind) = hint.as_ref().and_then(|hint| kind_named(&hint.kind)) {
            self.kind = Some(kind);
            self.retry_after = hint.and_then(|hint| hint.retry_after_ms).map(Duration::from_millis);
        }
        self
    }

    /// The `data` for a client that wants kinds.
    pub(crate) fn kind_data(&self) -> Option<Box<RawValue>> {
        let hint = KindData {
            kind: Cow::Borrowed(self.kind?.as_str()),
            retry_after_ms: self
                .retry_after
                .map(|after| u64::try_from(after.as_millis()).unwrap_or(u64::MAX)),
            data: self.data.clone(),
        };
        serde_json::value::to_raw_value(&hint).ok()
    }
}

impl fmt::Display for RpcError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} (code {})", self.message, self.code)
    }
}

impl std::error::Error for RpcError {}

impl Classify for RpcError {
    fn kind(&self) -> ErrorKind {
        self.kind.unwrap_or_else(|| super::classify::kind_of(self))
    }

    fn retry_after(&self) -> Option<Duration> {
        self.retry_after
    }
}

#[derive(Serialize, Deserialize)]
struct KindData<'a> {
    #[serde(borrow)]
    kind: Cow<'a, str>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    retry_after_ms: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    data: Option<Box<RawValue>>,
}

fn kind_named(name: &str) -> Option<ErrorKind> {
    const ALL: [ErrorKind; 11] = [
        ErrorKind::Transient,
        ErrorKind::Timeout,
        ErrorKind::RateLimited,
        ErrorKind::NotFound,
        ErrorKind::Conflict,
        ErrorKind::Invalid,
        ErrorKind::Unauthenticated,
        ErrorKind::Denied,
        ErrorKind::Unsupported,
        ErrorKind::Corrupt,
        ErrorKind::Internal,
    ];
    ALL.into_iter().find(|kind| kind.as_str() == name)
}

/// How [`RpcError`] travels through jsonrpsee, whose error object has no `meta`.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Envelope {
    #[serde(rename = "venus.rpc/error")]
    inner: Parts,
}

#[derive(Serialize, Deserialize)]
struct Parts {
    meta: Option<Box<RawValue>>,
    data: Option<Box<RawValue>>,
    kind: Option<String>,
    retry_after_ms: Option<u64>,
}

impl From<RpcError> for ErrorObjectOwned {
    fn from(error: RpcError) -> Self {
        let code = i32::try_from(error.code).unwrap_or(1);
        if error.meta.is_none() && error.data.is_none() && error.kind.is_none() {
            return Self::owned(code, error.message, None::<()>);
        }
        let inner = Parts {
            kind: error.kind.map(|kind| kind.as_str().to_owned()),
            retry_after_ms: error.retry_after.and_then(|after| u64::try_from(after.as_millis()).ok()),
            meta: error.meta,
            data: error.data,
        };
        Self::owned(code, error.message, Some(Envelope { inner }))
    }
}

impl From<&ErrorObjectOwned> for RpcError {
    fn from(error: &ErrorObjectOwned) -> Self {
        let plain = Self::new(error.code().into(), error.message());
        let Some(data) = error.data() else { return plain };
        Self { data: Some(data.to_owned()), ..plain }.opened()
    }
}

impl RpcError {
    /// Undoes what the conversion into jsonrpsee's error object did.
    pub(crate) fn opened(mut self) -> Self {
        let envelope =
            self.data.as_deref().and_then(|data| serde_json::from_str::<Envelope>(data.get()).ok());
        let Some(Envelope { inner }) = envelope else { return self.read_kind() };
        self.meta = inner.meta;
        self.data = inner.data;
        self.kind = inner.kind.as_deref().and_then(kind_named);
        self.retry_after = inner.retry_after_ms.map(Duration::from_millis);
        self
    }
}

impl<'de> Deserialize<'de> for RpcError {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct ErrorVisitor;
        impl<'de> Visitor<'de> for ErrorVisitor {
            type Value = RpcError;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an error object")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<RpcError, A::Error> {
                let mut error = RpcError::default();
                while let Some(key) = map.next_key::<String>()? {
                    match key.to_ascii_lowercase().as_str() {
                        "code" => error.code = map.next_value::<Option<i64>>()?.unwrap_or_default(),
                        "message" => error.message = map.next_value::<Option<String>>()?.unwrap_or_default(),
                        "meta" => error.meta = map.next_value()?,
                        "data" => error.data = map.next_value()?,
                        _ => {
                            map.next_value::<IgnoredAny>()?;
                        }
                    }
                }
                Ok(error.read_kind())
            }
        }
        deserializer.deserialize_map(ErrorVisitor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_survives_the_way_through_jsonrpsee() {
        let error = RpcError {
            retry_after: Some(Duration::from_millis(1500)),
            ..RpcError::new(1001, "coded").with_kind(ErrorKind::RateLimited).with_data(&[1]).with_meta(&"m")
        };
        let back = RpcError::from(&ErrorObjectOwned::from(error));
        assert_eq!((back.code, back.message.as_str()), (1001, "coded"));
        assert_eq!(
            (back.kind, back.retry_after),
            (Some(ErrorKind::RateLimited), Some(Duration::from_millis(1500)))
        );
        assert_eq!((back.data.unwrap().get(), back.meta.unwrap().get()), ("[1]", "\"m\""));
    }

    #[test]
    fn data_of_others_stays_data() {
        let object = ErrorObjectOwned::owned(7, "x", Some(serde_json::json!({"detail": 42})));
        let error = RpcError::from(&object);
        assert_eq!(error.data.unwrap().get(), "{\"detail\":42}");
        assert_eq!(error.kind, None);
    }

    #[test]
    fn kinds_are_read_from_data() {
        let text = r#"{"code":1,"message":"busy","data":{"kind":"rate_limited","retry_after_ms":20}}"#;
        let error: RpcError = serde_json::from_str(text).unwrap();
        assert_eq!(
            (error.kind(), error.retry_after()),
            (ErrorKind::RateLimited, Some(Duration::from_millis(20)))
        );
        for text in
            [r#"{"data":{"kind":"unheard of"}}"#, r#"{"data":{"kind":5}}"#, r#"{"data":"kind"}"#, "{}"]
        {
            assert_eq!(serde_json::from_str::<RpcError>(text).unwrap().kind, None, "{text}");
        }
    }

    #[test]
    fn every_kind_has_a_name_that_is_read_back() {
        let kinds = [
            "transient",
            "timeout",
            "rate_limited",
            "not_found",
            "conflict",
            "invalid",
            "unauthenticated",
            "denied",
            "unsupported",
            "corrupt",
            "internal",
        ];
        for name in kinds {
            assert_eq!(kind_named(name).unwrap().as_str(), name);
        }
    }
}
