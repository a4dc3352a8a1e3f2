//! Telling a thousand subscribers that the head moved.

use std::hint::black_box;

use futures::StreamExt;
use venus_core::api::{HeadEvent, HeadFeed, HeadStream, Resume};

use super::chain::{Chain, timed};
use crate::measure::{BenchError, Effort, Measure, Names, measure_of};

pub(super) const SUBSCRIBERS: usize = 1_000;

/// A head change delivered to every subscriber in process, which share it, against encoding the new tipset as JSON
/// for each.
pub(super) fn measure(effort: &Effort) -> Result<Measure, BenchError> {
    let names = Names { measure: "heads_1000_subscribers", baseline: "a JSON encoding for each" };
    let mut chain = Chain::new(names, None)?;
    let mut streams: Vec<HeadStream> = (0..SUBSCRIBERS).map(|_| chain.devnet.heads(Resume::Head)).collect();
    deliver(names, &chain, &mut streams)?;
    let mut rounds = Vec::new();
    for _ in 0..effort.rounds.min(101) {
        let block = chain.mine()?;
        let ((), ours) = timed(|| deliver(names, &chain, &mut streams))?;
        let ((), alone) = timed(|| {
            for _ in 0..SUBSCRIBERS {
                black_box(serde_json::to_vec(&block.header)?);
            }
            Ok(())
        })?;
        rounds.push((ours, alone));
    }
    Ok(measure_of(names, &rounds))
}

/// Lets every subscriber take its next event.
fn deliver(names: Names, chain: &Chain, streams: &mut [HeadStream]) -> Result<(), BenchError> {
    chain.block_on(async {
        for stream in streams {
            match stream.next().await {
                Some(Ok(HeadEvent::Current(_) | HeadEvent::Change(_))) => {}
                other => return Err(names.input(format!("a subscriber got {other:?}"))),
            }
        }
        Ok(())
    })
}
