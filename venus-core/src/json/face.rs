//! Whose JSON is written, where services differ.

use std::cell::Cell;

/// The service whose JSON is written. Reading takes either, always.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Face {
    /// A Lotus node; Forest writes the same.
    #[default]
    Lotus,
    /// A Venus node or another component of the Venus stack.
    Venus,
}

thread_local! {
    static FACE: Cell<Face> = const { Cell::new(Face::Lotus) };
}

/// Runs `f` with all that it serialises on this thread written as `face` does.
///
/// Nests, restores the outer face on return and on unwinding, and touches no other thread.
///
/// ```
/// use venus_core::json::{Face, with_face};
/// use venus_core::types::MessageSendSpec;
///
/// let spec = MessageSendSpec::default();
/// let venus = with_face(Face::Venus, || serde_json::to_string(&spec))?;
/// assert_eq!(venus, r#"{"MaxFee":"0","GasOverEstimation":0,"GasOverPremium":0}"#);
/// # Ok::<(), serde_json::Error>(())
/// ```
pub fn with_face<R>(face: Face, f: impl FnOnce() -> R) -> R {
    struct Restore(Face);
    impl Drop for Restore {
        fn drop(&mut self) {
            FACE.set(self.0);
        }
    }
    let _restore = Restore(FACE.replace(face));
    f()
}

pub(crate) fn current_face() -> Face {
    FACE.get()
}
