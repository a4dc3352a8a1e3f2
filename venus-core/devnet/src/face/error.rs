//! What went wrong, in the words of the node that a face looks like.

use venus_core::api::ChainError;
use venus_core::rpc::{RpcError, codes};

use super::FaceKind;

/// Why a handler has no answer.
#[derive(Debug)]
pub(crate) enum FaceError {
    /// Something the chain says; the words depend on the face.
    Chain(ChainError),
    /// Words of the handler's own.
    Said(RpcError),
}

impl FaceError {
    /// A refusal in the handler's words, with the code of everything that a method returns.
    pub(crate) fn said(text: impl Into<String>) -> Self {
        Self::Said(RpcError::new(codes::METHOD, text))
    }
}

impl From<ChainError> for FaceError {
    fn from(error: ChainError) -> Self {
        Self::Chain(error)
    }
}

/// The error as a node of this kind puts it on the wire.
pub(super) fn wire_error(kind: FaceKind, error: &FaceError) -> RpcError {
    let _ = kind;
    match error {
        FaceError::Said(said) => said.clone(),
        FaceError::Chain(error) => RpcError::of(error),
    }
}
