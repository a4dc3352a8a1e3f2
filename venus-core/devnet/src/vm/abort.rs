//! Why a call failed.

use std::borrow::Cow;

use fvm_shared::error::ExitCode;

/// A call that ends without effect.
#[derive(Clone, Debug)]
pub(super) struct Abort {
    pub(super) code: ExitCode,
    pub(super) reason: Cow<'static, str>,
}

/// What a method returns: the CBOR of its return value, or nothing.
pub(super) type Returned = Result<Vec<u8>, Abort>;

impl Abort {
    pub(super) fn new(code: ExitCode, reason: impl Into<Cow<'static, str>>) -> Self {
        Self { code, reason: reason.into() }
    }

    pub(super) fn argument(reason: impl Into<Cow<'static, str>>) -> Self {
        Self::new(ExitCode::USR_ILLEGAL_ARGUMENT, reason)
    }

    pub(super) fn forbidden(reason: impl Into<Cow<'static, str>>) -> Self {
        Self::new(ExitCode::USR_FORBIDDEN, reason)
    }

    pub(super) fn not_found(reason: impl Into<Cow<'static, str>>) -> Self {
        Self::new(ExitCode::USR_NOT_FOUND, reason)
    }

    pub(super) fn funds(reason: impl Into<Cow<'static, str>>) -> Self {
        Self::new(ExitCode::USR_INSUFFICIENT_FUNDS, reason)
    }

    pub(super) fn state(reason: impl Into<Cow<'static, str>>) -> Self {
        Self::new(ExitCode::USR_ILLEGAL_STATE, reason)
    }

    pub(super) fn out_of_gas() -> Self {
        Self::new(ExitCode::SYS_OUT_OF_GAS, "out of gas")
    }
}
