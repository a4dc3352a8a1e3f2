//! Errors, with the texts that clients of the Go wallet know.

use venus_core::error::{BoxError, Classify, ErrorKind};

/// Why strategies were not read or changed, or did not let a request pass.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StrategyError {
    /// Nothing has that name, id or token; or the token has no rights on that key.
    #[error("data does not exists")]
    NotFound,
    /// The name is taken.
    #[error("the data already exists")]
    Exists,
    /// A list that may not be empty is.
    #[error("nil reference")]
    NilReference,
    /// A code that stands for no message type.
    #[error("code over flow")]
    CodeOverflow,
    /// Names that no method of any actor has, joined by commas.
    #[error("method name illegal: {0}")]
    IllegalMethods(String),
    /// Names that no key bind has, each followed by a space.
    #[error("keybind name not exists:{0}")]
    NoKeyBinds(String),
    /// A key bind could not be made.
    #[error("failed to store keybind:{0} ")]
    KeyBind(#[source] Box<Self>),
    /// The template of types of a new key bind.
    #[error("find msgType template failed:{0}")]
    TypeTemplate(#[source] Box<Self>),
    /// The template of methods of a new key bind.
    #[error("find msg method template failed:{0}")]
    MethodTemplate(#[source] Box<Self>),
    /// The key may be used, but not for this.
    #[error("this metaType or method is not allowed to pass: {0}")]
    NotAllowed(String),
    /// A name that cannot be given, or a range that cannot be listed.
    #[error("{what} {reason}")]
    Invalid {
        /// What is wrong.
        what: &'static str,
        /// What it should be.
        reason: &'static str,
    },
    /// A list or table would grow over its limit.
    #[error("too many {what}: the limit is {limit}")]
    TooMany {
        /// What there is too much of.
        what: &'static str,
        /// How much there may be.
        limit: usize,
    },
    /// The shown part of a token belongs to more than one.
    #[error("several tokens begin like this: give the whole token, or remove the group")]
    Ambiguous,
    /// No random bytes for a token.
    #[error("token generation failed")]
    Token(#[source] BoxError),
    /// The kind of the actor that a message goes to could not be found out.
    #[error("cannot look up the actor: {0}")]
    Actor(#[source] BoxError),
    /// The store failed. Repeating may help; until then nothing passes.
    #[error("database operation exception")]
    Store(#[source] BoxError),
}

impl StrategyError {
    pub(super) const fn name(what: &'static str) -> Self {
        Self::Invalid { what, reason: "must have 1 to 32 characters of a-z, A-Z, 0-9 and _-.:@+#/" }
    }
}

impl Classify for StrategyError {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::NotFound | Self::NoKeyBinds(_) => ErrorKind::NotFound,
            Self::Exists | Self::Ambiguous => ErrorKind::Conflict,
            Self::NilReference
            | Self::CodeOverflow
            | Self::IllegalMethods(_)
            | Self::Invalid { .. }
            | Self::TooMany { .. } => ErrorKind::Invalid,
            Self::KeyBind(e) | Self::TypeTemplate(e) | Self::MethodTemplate(e) => e.kind(),
            Self::NotAllowed(_) => ErrorKind::Denied,
            Self::Token(_) => ErrorKind::Internal,
            Self::Actor(_) | Self::Store(_) => ErrorKind::Transient,
        }
    }
}
