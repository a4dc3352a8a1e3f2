//! The two dialects of go-jsonrpc: which bytes a server answers with.

#[cfg(feature = "server")]
use super::id::FrameId;
use super::{
    error::{RpcError, codes},
    go_text::{go_escape, write_go_string},
    id::Id,
};

/// Whose bytes are written. Both are always read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Dialect {
    /// The fork v0.1.9 that all Venus components speak.
    Fork,
    /// Upstream v0.10.2, which Lotus speaks.
    Upstream,
    /// Forest, which is no Go program: upstream's bytes, codes of its own, and parameters at the end that may be
    /// left out where null would do.
    Forest,
}

/// What a server says when a call does not get as far as its method, in Go's words.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(not(feature = "server"), allow(dead_code, reason = "some are said over HTTP only"))]
pub(crate) enum Fault {
    MethodNotFound(String),
    NoChannels(String),
    WrongCount { method: String, got: usize, want: usize },
    ParamsKind(&'static str),
    BadParam { method: String, go_type: &'static str, reason: String },
    Panic { method: String, reason: String },
    TooBig(usize),
    Unreadable,
    NotARequest,
    OddId(&'static str),
}

impl Fault {
    pub(crate) fn code(&self) -> i64 {
        match self {
            Self::MethodNotFound(_) | Self::NoChannels(_) => codes::METHOD_NOT_FOUND,
            Self::WrongCount { .. } => codes::INVALID_PARAMS,
            Self::Panic { .. } => codes::FATAL,
            Self::NotARequest => codes::INVALID_REQUEST,
            Self::ParamsKind(_)
            | Self::BadParam { .. }
            | Self::TooBig(_)
            | Self::Unreadable
            | Self::OddId(_) => codes::PARSE,
        }
    }

    fn text(&self) -> String {
        match self {
            Self::MethodNotFound(method) => format!("method '{method}' not found"),
            Self::NoChannels(method) => {
                format!("method '{method}' not supported in this mode (no out channel support)")
            }
            Self::WrongCount { method, got, want } => {
                format!("wrong param count (method '{method}'): {got} != {want}")
            }
            Self::ParamsKind(kind) => format!(
                "unmarshaling param array: json: cannot unmarshal {kind} into Go value of type []jsonrpc.param"
            ),
            Self::BadParam { method, go_type, reason } => {
                format!("unmarshaling params for '{method}' (param: *{go_type}): {reason}")
            }
            Self::Panic { method, reason } => {
                format!("fatal error calling '{method}': panic in rpc method '{method}': {reason}")
            }
            Self::TooBig(limit) => format!("request bigger than maximum {limit} allowed"),
            Self::Unreadable => "Parse error".to_owned(),
            Self::NotARequest => "Invalid request".to_owned(),
            Self::OddId(kind) => format!("failed to parse ID: invalid id type: {kind}"),
        }
    }

    /// The status of the HTTP response that carries it.
    #[cfg(feature = "server")]
    pub(crate) fn status(&self) -> u16 {
        if self.code() == codes::INVALID_REQUEST { 400 } else { 500 }
    }

    /// The error object. The fork wraps its codes into the text, some of them twice.
    pub(crate) fn error(&self, dialect: Dialect) -> RpcError {
        let (code, text) = (self.code(), self.text());
        let text = match (dialect, code) {
            (Dialect::Upstream | Dialect::Forest, _) => text,
            (Dialect::Fork, codes::METHOD_NOT_FOUND | codes::INVALID_PARAMS) => {
                format!("(error code {code}) {text}")
            }
            (Dialect::Fork, _) => format!("(error code {code}) {text}: error code {code}"),
        };
        RpcError::new(code, text)
    }
}

impl Dialect {
    /// What a caller without a permission reads. The fork's text has two spaces.
    pub(crate) fn missing_permission(self, method: &str, need: &str) -> RpcError {
        let name = method.rsplit('.').next().unwrap_or(method);
        let gap = if self == Self::Fork { "  " } else { " " };
        let text = format!("missing permission to invoke '{name}'{gap}(need '{need}')");
        let code = if self == Self::Forest { codes::FOREST_DENIED } else { codes::METHOD };
        RpcError::new(code, text).with_kind(crate::error::ErrorKind::Denied)
    }

    /// A response with a result, or with none if the method returns nothing.
    pub(crate) fn result(self, id: &Id, result: Option<&str>) -> String {
        let escaped = go_escape(result.unwrap_or("null"));
        let mut out = String::with_capacity(escaped.len() + 64);
        match self {
            Self::Fork => {
                out.push_str("{\"jsonrpc\":\"2.0\"");
                if result.is_some() {
                    out.push_str(",\"result\":");
                    out.push_str(&escaped);
                }
                out.push_str(",\"id\":");
                id.write(&mut out);
            }
            Self::Upstream | Self::Forest => {
                out.push_str("{\"id\":");
                id.write(&mut out);
                out.push_str(",\"jsonrpc\":\"2.0\",\"result\":");
                out.push_str(&escaped);
            }
        }
        out.push_str("}\n");
        out
    }

    /// A response with an error. `kinds`: whether the client asked for error kinds.
    pub(crate) fn error(self, id: Option<&Id>, error: &RpcError, kinds: bool) -> String {
        let mut out = String::with_capacity(error.message.len() + 96);
        match self {
            Self::Fork => {
                out.push_str("{\"jsonrpc\":\"2.0\",\"id\":");
                write_id(id, &mut out);
                out.push_str(",\"error\":");
                self.push_error(error, kinds, &mut out);
            }
            Self::Upstream | Self::Forest => {
                out.push_str("{\"error\":");
                self.push_error(error, kinds, &mut out);
                out.push_str(",\"id\":");
                write_id(id, &mut out);
                out.push_str(",\"jsonrpc\":\"2.0\"");
            }
        }
        out.push_str("}\n");
        out
    }

    /// The fork has no `meta` and no `data`; clients that ask for kinds get `data` in both dialects.
    fn push_error(self, error: &RpcError, kinds: bool, out: &mut String) {
        out.push_str("{\"code\":");
        out.push_str(&self.method_code(error.code).to_string());
        out.push_str(",\"message\":");
        write_go_string(&error.message, out);
        let (mut meta, mut data) = match self {
            Self::Fork => (None, None),
            Self::Upstream | Self::Forest => (error.meta.as_deref(), error.data.as_deref()),
        };
        let hint = if kinds { error.kind_data() } else { None };
        data = hint.as_deref().or(data);
        for (name, value) in [(",\"meta\":", meta.take()), (",\"data\":", data)] {
            if let Some(value) = value {
                out.push_str(name);
                out.push_str(&go_escape(value.get()));
            }
        }
        out.push('}');
    }

    /// The fork knows no typed errors: whatever a method returns has code 1.
    fn method_code(self, code: i64) -> i64 {
        match self {
            Self::Fork if code > codes::METHOD => codes::METHOD,
            _ => code,
        }
    }

    /// The answer to a request over HTTP that cannot be answered by its id; the fork sends an empty body.
    #[cfg(feature = "server")]
    pub(crate) fn http_fault(self, id: &FrameId, fault: &Fault) -> String {
        match (self, id) {
            (_, FrameId::Id(id)) => self.error(Some(id), &fault.error(self), false),
            (Self::Fork, _) => String::new(),
            (Self::Upstream | Self::Forest, _) => self.error(None, &fault.error(self), false),
        }
    }
}

fn write_id(id: Option<&Id>, out: &mut String) {
    match id {
        Some(id) => id.write(out),
        None => out.push_str("null"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::ErrorKind;

    #[test]
    fn results() {
        let id = Id::from(3);
        assert_eq!(Dialect::Fork.result(&id, Some("2")), "{\"jsonrpc\":\"2.0\",\"result\":2,\"id\":3}\n");
        assert_eq!(Dialect::Fork.result(&id, None), "{\"jsonrpc\":\"2.0\",\"id\":3}\n");
        assert_eq!(Dialect::Upstream.result(&id, Some("2")), "{\"id\":3,\"jsonrpc\":\"2.0\",\"result\":2}\n");
        assert_eq!(Dialect::Upstream.result(&id, None), "{\"id\":3,\"jsonrpc\":\"2.0\",\"result\":null}\n");
    }

    #[test]
    fn errors() {
        let id = Id::from(10);
        let error = RpcError::new(1001, "coded").with_meta(&serde_json::json!({"Message": "coded"}));
        assert_eq!(
            Dialect::Fork.error(Some(&id), &error, false),
            "{\"jsonrpc\":\"2.0\",\"id\":10,\"error\":{\"code\":1,\"message\":\"coded\"}}\n"
        );
        assert_eq!(
            Dialect::Upstream.error(Some(&id), &error, false),
            "{\"error\":{\"code\":1001,\"message\":\"coded\",\"meta\":{\"Message\":\"coded\"}},\"id\":10,\"jsonrpc\":\"2.0\"}\n"
        );
    }

    #[test]
    fn kinds_go_only_to_those_who_asked() {
        let error = RpcError {
            retry_after: Some(std::time::Duration::from_millis(5)),
            ..RpcError::new(1, "busy").with_kind(ErrorKind::RateLimited)
        };
        assert!(!Dialect::Fork.error(None, &error, false).contains("data"));
        assert_eq!(
            Dialect::Fork.error(None, &error, true),
            "{\"jsonrpc\":\"2.0\",\"id\":null,\"error\":{\"code\":1,\"message\":\"busy\",\
             \"data\":{\"kind\":\"rate_limited\",\"retry_after_ms\":5}}}\n"
        );
    }

    #[test]
    fn the_fork_repeats_its_codes() {
        let text = |fault: Fault, dialect| fault.error(dialect).message;
        let count = Fault::WrongCount { method: "T.Add".into(), got: 0, want: 2 };
        assert_eq!(
            text(count, Dialect::Fork),
            "(error code -32602) wrong param count (method 'T.Add'): 0 != 2"
        );
        let panic = Fault::Panic { method: "T.Panic".into(), reason: "oh no".into() };
        assert_eq!(
            text(panic, Dialect::Fork),
            "(error code 0) fatal error calling 'T.Panic': panic in rpc method 'T.Panic': oh no: error code 0"
        );
        assert_eq!(text(Fault::TooBig(7), Dialect::Upstream), "request bigger than maximum 7 allowed");
    }
}
