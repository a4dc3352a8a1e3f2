//! 30 000 signatures in a row: whether memory grows and whether every record is there.

use std::sync::Arc;
use std::time::Instant;

use futures::future::join_all;
use tokio::runtime::Runtime;
use venus_core::api::ISigner;
use venus_signer::KeyType;

use super::bare::{Request, requests};
use super::guarded::Guarded;
use crate::measure::{BenchError, Effort, Measure, Names, measure_of, same};

const NAMES: Names =
    Names { measure: "sign_30000_memory", baseline: "memory after the first 2 000, bytes a signature" };
/// Signatures to warm up and in all, at 64 at a time.
const WARM: u64 = 2_000;
const ALL: u64 = 30_000;
const IN_FLIGHT: u64 = 64;

/// `ours` is the memory at the end and `baseline` that after the first signatures; both are bytes of the process. The
/// ratio stays near 1 where nothing is kept.
pub(super) fn measure(effort: &Effort) -> Result<Measure, BenchError> {
    let runtime = Runtime::new()?;
    // One round is to see that everything works.
    let all = if effort.rounds == 1 { WARM + IN_FLIGHT } else { ALL };
    runtime.block_on(async {
        let guarded = Arc::new(Guarded::open(NAMES, KeyType::Secp256k1).await?);
        let requests = Arc::new(requests(guarded.address, IN_FLIGHT));
        let signed = sign(&guarded, &requests, WARM).await;
        let before = resident()?;
        let start = Instant::now();
        let signed = signed + sign(&guarded, &requests, all - WARM).await;
        eprintln!("venus-bench: {signed} signatures, the last {} in {:?}", all - WARM, start.elapsed());
        let after = resident()?;
        let verified = guarded.audit.reader().verify(None).await.map_err(|error| NAMES.input(error))?;
        same(NAMES, &verified.records, &signed)?;
        guarded.audit.shutdown().await;
        Ok(measure_of(NAMES, &[(after as f64, before as f64)]).unit("bytes"))
    })
}

/// Signs about so many times, and tells how many were signed.
async fn sign(guarded: &Arc<Guarded>, requests: &Arc<Vec<Request>>, count: u64) -> u64 {
    let callers = (0..IN_FLIGHT).map(|caller| {
        let (guarded, requests) = (guarded.clone(), requests.clone());
        tokio::spawn(async move {
            let mut signed = 0;
            let Some(request) = requests.get(caller as usize) else { return 0 };
            for _ in 0..count / IN_FLIGHT {
                let done = guarded.wallet.sign(&guarded.address, &request.to_sign, &request.meta).await;
                signed += u64::from(done.is_ok());
            }
            signed
        })
    });
    join_all(callers).await.into_iter().map(Result::unwrap_or_default).sum()
}

/// What the process has in memory, bytes, as Linux tells it.
fn resident() -> Result<u64, BenchError> {
    let statm = std::fs::read_to_string("/proc/self/statm")?;
    let pages = statm.split(' ').nth(1).and_then(|pages| pages.parse::<u64>().ok());
    pages.map(|pages| pages * 4096).ok_or_else(|| NAMES.input("/proc/self/statm has another form"))
}
