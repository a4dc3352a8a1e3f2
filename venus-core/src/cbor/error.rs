//! What can be wrong with CBOR bytes, and where.

use crate::error::{Classify, ErrorKind};

/// Why bytes are not the value they should be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CborErrorKind {
    /// The input ends inside a value.
    #[error("input ends early")]
    Truncated,
    /// Bytes follow the value.
    #[error("{0} trailing bytes")]
    Trailing(usize),
    /// Another type of value stands here.
    #[error("expected {expected}, found major type {found}")]
    WrongType {
        /// What the field holds.
        expected: &'static str,
        /// The CBOR major type (0 to 7) that was found.
        found: u8,
    },
    /// A tuple or a fixed-size value has another length.
    #[error("expected length {expected}, found {found}")]
    WrongLength {
        /// The length that the type has.
        expected: u64,
        /// The length that was found.
        found: u64,
    },
    /// A length beyond the protocol's limit.
    #[error("length {found} exceeds the limit of {limit}")]
    TooLong {
        /// The protocol's limit.
        limit: u64,
        /// The length that was claimed.
        found: u64,
    },
    /// The value has a shorter or another canonical form.
    #[error("not canonical: {0}")]
    NotCanonical(&'static str),
    /// Well-formed CBOR, but no value of the type.
    #[error("invalid: {0}")]
    Invalid(&'static str),
}

/// A decoding error: path of the field, byte offset and reason.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("CBOR {path} at byte {offset}: {kind}", path = if self.path.is_empty() { "value" } else { self.path.as_str() })]
pub struct CborError {
    /// Dotted path from the outermost type, such as `BlockHeader.Ticket.VRFProof`.
    pub path: String,
    /// Offset in the input at which the value was read.
    pub offset: usize,
    /// The reason.
    pub kind: CborErrorKind,
}

impl CborError {
    /// An error at `offset` that has no path yet.
    pub fn new(offset: usize, kind: CborErrorKind) -> Self {
        Self { path: String::new(), offset, kind }
    }
}

impl Classify for CborError {
    fn kind(&self) -> ErrorKind {
        ErrorKind::Invalid
    }
}

/// Adds the place of an error while it travels outwards.
pub trait FieldContext {
    /// Prepends the name of a field or type.
    fn in_field(self, name: &str) -> Self;
    /// Prepends the index of a list element.
    fn in_item(self, index: u64) -> Self;
}

impl<T> FieldContext for Result<T, CborError> {
    fn in_field(self, name: &str) -> Self {
        self.map_err(|mut e| {
            e.path = match e.path.as_str() {
                "" => name.to_owned(),
                // A nested type repeats the name of its field (`Ticket.Ticket.VRFProof`): once is enough.
                path if path == name || path.starts_with(&format!("{name}.")) => e.path,
                path => format!("{name}.{path}"),
            };
            e
        })
    }

    fn in_item(self, index: u64) -> Self {
        self.in_field(&index.to_string())
    }
}
