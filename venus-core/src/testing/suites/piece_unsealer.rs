use fvm_shared::address::Address;

use super::{Step, must, must_fail, nobody, nowhere};
use crate::api::{PieceUnsealer, UnsealRequest, UnsealState};
use crate::error::ErrorKind;

/// Questions after which the work must be over.
const MOST_QUESTIONS: usize = 10_000;

/// What [`piece_unsealer`] relies on.
pub struct PieceUnsealerFixture<'a> {
    /// A request that can be served and was not made before.
    pub request: UnsealRequest,
    /// ID address of a miner that nobody unseals for.
    pub stranger: Address,
    /// Lets the work go on; called between questions.
    pub progress: Step<'a>,
}

/// Checks the contract of [`PieceUnsealer`].
///
/// # Panics
/// If a clause does not hold.
pub async fn piece_unsealer(unsealer: &dyn PieceUnsealer, f: &PieceUnsealerFixture<'_>) {
    refusals(unsealer, f).await;
    let mut last = must(unsealer.unseal(&f.request).await, "a request that can be served is taken");
    for _ in 0..MOST_QUESTIONS {
        if last.is_final() {
            break;
        }
        (f.progress)().await;
        let (a, b) = futures::join!(unsealer.unseal(&f.request), unsealer.unseal(&f.request));
        for state in [must(a, "the same request again is a question"), must(b, "many may ask")] {
            assert_ne!(state, UnsealState::Failed, "fixture: the request can be served");
            assert!(state >= last, "states only go forward: {state:?} after {last:?}");
        }
        last = must(unsealer.unseal(&f.request).await, "the same request again is a question");
    }
    assert_eq!(last, UnsealState::Finished, "the work comes to an end");
    (f.progress)().await;
    let after = must(unsealer.unseal(&f.request).await, "a final state is answered again");
    assert_eq!(after, UnsealState::Finished, "a final state stays for those who poll");
}

async fn refusals(unsealer: &dyn PieceUnsealer, f: &PieceUnsealerFixture<'_>) {
    let to = |destination: &str| UnsealRequest { destination: destination.into(), ..f.request.clone() };
    for (request, clause) in [
        (UnsealRequest { miner: nobody(), ..f.request.clone() }, "a miner that is no ID address is Invalid"),
        (UnsealRequest { piece: nowhere(), ..f.request.clone() }, "a CID that is no piece's is Invalid"),
        (UnsealRequest { size: 0, ..f.request.clone() }, "no bytes are Invalid"),
        (UnsealRequest { size: 128, ..f.request.clone() }, "a padded size is Invalid"),
        (UnsealRequest { offset: 1, ..f.request.clone() }, "an offset where no piece begins is Invalid"),
        (
            UnsealRequest { offset: u64::MAX - u64::MAX % 127, size: 127 << 40, ..f.request.clone() },
            "an end that overflows is Invalid",
        ),
        (to(""), "no destination is Invalid"),
        (to("gopher://host/piece"), "a destination of an unknown scheme is Invalid"),
    ] {
        must_fail(unsealer.unseal(&request).await, ErrorKind::Invalid, clause);
    }
    let stranger = UnsealRequest { miner: f.stranger, ..f.request.clone() };
    must_fail(unsealer.unseal(&stranger).await, ErrorKind::NotFound, "a miner without sealer is NoSealer");
}
