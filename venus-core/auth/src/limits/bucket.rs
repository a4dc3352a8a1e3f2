//! Buckets of this process.

use std::net::IpAddr;
use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use governor::clock::Clock;
use governor::middleware::NoOpMiddleware;
use governor::nanos::Nanos;
use governor::state::{InMemoryState, NotKeyed};
use governor::{Quota, RateLimiter};
use moka::sync::Cache;
use tokio::time::Instant;

use super::Rate;

/// A bucket that nobody used for so long is full again, whatever its period.
const IDLE: Duration = Duration::from_secs(24 * 3600);

/// Whose calls are counted.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Key {
    Ip(IpAddr),
    /// By its name.
    Token(String),
    Account(String),
    /// One limit of an account: the account and the limit's id.
    Limit(String, String),
}

/// Too many calls; when there is room again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Full {
    pub(super) capacity: u64,
    pub(super) reset: Duration,
}

/// Time as tokio counts it.
#[derive(Clone, Copy, Debug)]
pub(super) struct TokioClock(Instant);

impl Clock for TokioClock {
    type Instant = Nanos;

    fn now(&self) -> Nanos {
        Nanos::from(self.0.elapsed())
    }
}

type Limiter = RateLimiter<NotKeyed, InMemoryState, TokioClock, NoOpMiddleware<Nanos>>;

struct Bucket {
    quota: Quota,
    limiter: Limiter,
}

/// Buckets, bounded: of too many, those that are used least are dropped, which fills them.
#[derive(Clone)]
pub(super) struct Buckets {
    clock: TokioClock,
    all: Cache<Key, Arc<Bucket>>,
}

impl Buckets {
    pub(super) fn new(most: u64) -> Self {
        let all = Cache::builder().max_capacity(most).time_to_idle(IDLE).build();
        Self { clock: TokioClock(Instant::now()), all }
    }

    /// Takes `calls` from a bucket that holds `quota`. A call that counts as more than the bucket holds takes all of it.
    pub(super) fn take(&self, key: &Key, quota: Quota, calls: u32) -> Result<(), Full> {
        let bucket = self.bucket(key, quota);
        let burst = quota.burst_size();
        let calls = NonZeroU32::new(calls).unwrap_or(NonZeroU32::MIN).min(burst);
        // Never more than it holds.
        let Ok(Err(until)) = bucket.limiter.check_n(calls) else { return Ok(()) };
        Err(Full { capacity: burst.get().into(), reset: until.wait_time_from(self.clock.now()) })
    }

    fn bucket(&self, key: &Key, quota: Quota) -> Arc<Bucket> {
        if let Some(bucket) = self.all.get(key).filter(|bucket| bucket.quota == quota) {
            return bucket;
        }
        let new = || Arc::new(Bucket { quota, limiter: RateLimiter::direct_with_clock(quota, self.clock) });
        let entry = self.all.entry_by_ref(key);
        // One bucket for all who come at once, and a new one where the limit was changed.
        entry.or_insert_with_if(new, |bucket| bucket.quota != quota).into_value()
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> u64 {
        self.all.run_pending_tasks();
        self.all.entry_count()
    }
}

/// A steady rate.
pub(super) fn steady(rate: Rate) -> Quota {
    let at_least_one = |n| NonZeroU32::new(n).unwrap_or(NonZeroU32::MIN);
    Quota::per_second(at_least_one(rate.per_second)).allow_burst(at_least_one(rate.burst))
}

/// So many calls in a period; `None` if that is no limit.
pub(super) fn in_period(capacity: u64, period: Duration) -> Option<Quota> {
    let capacity = NonZeroU32::new(u32::try_from(capacity).unwrap_or(u32::MAX))?;
    Some(Quota::with_period(period / capacity.get())?.allow_burst(capacity))
}

#[cfg(test)]
mod tests {
    use super::*;

    const RATE: Rate = Rate { per_second: 10, burst: 3 };

    fn key(n: u8) -> Key {
        Key::Ip(IpAddr::from([10, 0, 0, n]))
    }

    #[tokio::test(start_paused = true)]
    async fn buckets_fill_as_time_goes() {
        let buckets = Buckets::new(10);
        let take = |calls| buckets.take(&key(1), steady(RATE), calls);
        assert_eq!([take(1), take(2)], [Ok(()), Ok(())]);
        assert_eq!(take(1), Err(Full { capacity: 3, reset: Duration::from_millis(100) }));
        assert_eq!(buckets.take(&key(2), steady(RATE), 1), Ok(()), "another's bucket");
        tokio::time::advance(Duration::from_millis(100)).await;
        assert_eq!(take(1), Ok(()));
        assert!(take(1).is_err());
        tokio::time::advance(Duration::from_secs(60)).await;
        assert_eq!(take(99), Ok(()), "the heaviest call there is still gets through");
        assert!(take(1).is_err());
        let wider = steady(Rate { burst: 4, ..RATE });
        assert_eq!(buckets.take(&key(1), wider, 4), Ok(()), "another limit is another bucket");
    }

    #[tokio::test(start_paused = true)]
    async fn i8_buckets_are_bounded() {
        let buckets = Buckets::new(50);
        for n in 0..5000_u32 {
            let _ = buckets.take(&Key::Ip(IpAddr::from(n.to_be_bytes())), steady(RATE), 1);
        }
        assert!(buckets.len() <= 50);
    }

    #[test]
    fn odd_limits_are_limits_or_none() {
        assert!(in_period(0, Duration::from_secs(1)).is_none());
        assert!(in_period(u64::MAX, Duration::from_millis(1)).is_none(), "more than one in a nanosecond");
        let half = in_period(2, Duration::from_millis(500)).unwrap();
        assert_eq!((half.burst_size().get(), half.replenish_interval()), (2, Duration::from_millis(250)));
    }
}
