//! Pieces.

use std::sync::Arc;
use std::time::Duration;

use cid::Cid;
use fvm_shared::address::Address;
use multihash::Multihash;

use super::super::doubles::*;
use super::super::suites::{self, *};
use crate::api::*;
use crate::clock::{Clock, ManualClock};
use crate::error::{Classify, ErrorKind};

const MINER: Address = Address::new_id(1000);

fn request() -> UnsealRequest {
    UnsealRequest {
        miner: MINER,
        piece: Cid::new_v1(0xf101, Multihash::wrap(0x1012, &[7; 32]).unwrap()),
        sector: 3,
        offset: 1016,
        size: 1016,
        destination: "market://store/piece".into(),
    }
}

async fn suite(wrap: impl Fn(ScriptedUnsealer) -> Box<dyn PieceUnsealer>) {
    let unsealer = wrap(ScriptedUnsealer::new([MINER]));
    let fixture = PieceUnsealerFixture {
        request: request(),
        stranger: Address::new_id(1001),
        progress: step(async || {}),
    };
    suites::piece_unsealer(&*unsealer, &fixture).await;
}

#[tokio::test]
async fn scripted_unsealer_passes_the_unsealer_suite() {
    suite(|unsealer| Box::new(unsealer)).await;
    suite(|unsealer| Box::new(Arc::new(unsealer) as Arc<dyn PieceUnsealer>)).await;
    suite(|unsealer| Box::new(Flaky::new(unsealer, 0))).await;
}

/// Waits by a clock that jumps to the next deadline whenever somebody waits for it.
#[derive(Clone, Debug)]
struct Jumping(ManualClock);

#[async_trait::async_trait]
impl Clock for Jumping {
    fn now(&self) -> Duration {
        self.0.now()
    }

    async fn sleep_until(&self, deadline: Duration) {
        self.0.advance_to(deadline);
    }
}

#[tokio::test]
async fn waiting_polls_until_the_piece_is_there() {
    let clock = Jumping(ManualClock::new(Duration::ZERO));
    let (unsealer, patience) = (Arc::new(ScriptedUnsealer::new([MINER])), UnsealPatience::default());
    let flaky = Flaky::new(unsealer.clone(), 4);
    flaky.unseal_and_wait(&request(), &clock, &patience).await.unwrap();
    assert_eq!(clock.now(), 7 * patience.every, "four errors, three states before the last");
    assert_eq!(unsealer.works(), 1, "one work for one request");

    flaky.fail_next(5);
    let lost = flaky.unseal_and_wait(&request(), &clock, &patience).await.unwrap_err();
    assert_eq!(lost.kind(), ErrorKind::Transient, "the fifth error in a row ends the waiting");
    unsealer.forget_finished();
    unsealer.give_up(request().piece);
    let failed = unsealer.unseal_and_wait(&request(), &clock, &patience).await.unwrap_err();
    assert!(matches!(failed, UnsealError::Failed(piece) if piece == request().piece));

    let other = UnsealRequest { sector: 4, ..request() };
    unsealer.hold(true);
    let late = unsealer.unseal_and_wait(&other, &clock, &patience).await.unwrap_err();
    assert_eq!(late.kind(), ErrorKind::Timeout);
    unsealer.fail_next(UnsealError::SectorNotFound { miner: MINER, sector: 4 });
    let gone = unsealer.unseal_and_wait(&other, &clock, &patience).await.unwrap_err();
    assert_eq!(gone.kind(), ErrorKind::NotFound, "what cannot be retried ends the waiting at once");
}

#[test]
fn states_have_the_names_of_the_wire() {
    for (state, name) in [
        (UnsealState::Accepted, ""),
        (UnsealState::Unsealing, "unsealing"),
        (UnsealState::Uploading, "uploading"),
        (UnsealState::Finished, "finished"),
        (UnsealState::Failed, "failed"),
    ] {
        assert_eq!((state.as_str(), UnsealState::from_wire(name)), (name, Some(state)));
    }
    assert_eq!(UnsealState::from_wire("set_up"), Some(UnsealState::Accepted));
    assert_eq!(UnsealState::from_wire("setup"), None);
}

/// Starts over each time it is asked.
struct Restless;

#[async_trait::async_trait]
impl PieceUnsealer for Restless {
    async fn unseal(&self, request: &UnsealRequest) -> Result<UnsealState, UnsealError> {
        request.validate()?;
        match request.miner {
            MINER => Ok(UnsealState::Accepted),
            miner => Err(UnsealError::NoSealer(miner)),
        }
    }
}

#[tokio::test]
#[should_panic(expected = "the work comes to an end")]
async fn the_unsealer_suite_catches_a_work_without_end() {
    suite(|_| Box::new(Restless)).await;
}
