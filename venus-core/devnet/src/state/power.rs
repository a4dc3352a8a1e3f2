//! The state of the power actor.

use fvm_shared::ActorID;
use fvm_shared::clock::ChainEpoch;
use fvm_shared::econ::TokenAmount;
use num_bigint::BigInt;
use venus_core::cbor::{Encode, Writer};

use super::{Linked, Table};

/// What a miner asks to be told at the end of each of its deadlines: CBOR `[1]`, as in Filecoin.
pub(crate) const DEADLINE_END: [u8; 2] = [0x81, 0x01];
/// While fewer miners than this have the minimum power, all power counts.
const MIN_MINERS: u64 = 4;

/// The power of all miners, and whom to call when.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct PowerState {
    pub(crate) claims: Linked<Table<ActorID, Claim>>,
    /// Power of those that have the minimum.
    pub(crate) total: Power,
    /// Power of all.
    pub(crate) committed: Power,
    /// Miners that have the minimum.
    pub(crate) above_min: u64,
    /// What all miners pledge and have locked, attoFIL.
    pub(crate) pledge: TokenAmount,
    /// Power and pledge at the end of the last epoch.
    pub(crate) this_epoch: Power,
    pub(crate) this_epoch_pledge: TokenAmount,
    pub(crate) cron: Linked<Table<ChainEpoch, CronEvents>>,
    /// The first epoch whose events were not called yet.
    pub(crate) first_cron_epoch: ChainEpoch,
}

/// Bytes of power.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Power {
    /// Bytes of sectors.
    pub(crate) raw: BigInt,
    /// The same, deals weighted.
    pub(crate) quality_adjusted: BigInt,
}

/// The power of one miner.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Claim {
    /// Registered WindowPoSt proof number.
    pub(crate) window_post_proof: i64,
    pub(crate) power: Power,
}

/// Miners to call at the end of an epoch, with what they asked to be told.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct CronEvents(pub(crate) Vec<(ActorID, Vec<u8>)>);

impl PowerState {
    /// Changes the power of a miner. `false`, and nothing changed, if it has no claim or would have less than none.
    pub(crate) fn add_power(&mut self, miner: ActorID, delta: &Power, minimum: u64) -> bool {
        let Some(claim) = self.claims.0.get(&miner) else { return false };
        let (before, after) = (claim.power.clone(), claim.power.plus(delta));
        if after.is_negative() {
            return false;
        }
        let least = BigInt::from(minimum);
        let (was_above, is_above) = (before.raw >= least, after.raw >= least);
        self.committed = self.committed.plus(delta);
        if was_above {
            self.total = self.total.minus(&before);
        }
        if is_above {
            self.total = self.total.plus(&after);
        }
        self.above_min = self.above_min + u64::from(is_above) - u64::from(was_above);
        if let Some(claim) = self.claims.to_mut().0.get_mut(&miner) {
            claim.power = after;
        }
        true
    }

    /// Has a miner called at the end of an epoch, or of the next one if that is over.
    pub(crate) fn enroll(&mut self, epoch: ChainEpoch, miner: ActorID, payload: Vec<u8>) {
        let epoch = epoch.max(self.first_cron_epoch);
        self.cron.to_mut().0.entry(epoch).or_default().0.push((miner, payload));
    }

    /// The power that elections count.
    pub(crate) fn counted(&self) -> &Power {
        if self.above_min < MIN_MINERS { &self.committed } else { &self.total }
    }

    /// Whether a miner has the power that mining takes: the minimum, or any while hardly anybody has that.
    pub(crate) fn has_min_power(&self, miner: ActorID, minimum: u64) -> bool {
        let Some(claim) = self.claims.0.get(&miner) else { return false };
        claim.power.raw >= BigInt::from(minimum)
            || (claim.power.quality_adjusted > BigInt::ZERO && self.above_min < MIN_MINERS)
    }
}

impl Power {
    /// Power of sectors without deals.
    pub(crate) fn of_bytes(bytes: u128) -> Self {
        Self { raw: bytes.into(), quality_adjusted: bytes.into() }
    }

    pub(crate) fn plus(&self, other: &Self) -> Self {
        Self {
            raw: &self.raw + &other.raw,
            quality_adjusted: &self.quality_adjusted + &other.quality_adjusted,
        }
    }

    pub(crate) fn minus(&self, other: &Self) -> Self {
        Self {
            raw: &self.raw - &other.raw,
            quality_adjusted: &self.quality_adjusted - &other.quality_adjusted,
        }
    }

    fn is_negative(&self) -> bool {
        self.raw < BigInt::ZERO || self.quality_adjusted < BigInt::ZERO
    }
}

impl Encode for Power {
    fn encode(&self, w: &mut Writer) {
        w.array(2);
        self.raw.encode(w);
        self.quality_adjusted.encode(w);
    }
}

impl Encode for Claim {
    fn encode(&self, w: &mut Writer) {
        w.array(2);
        w.int(self.window_post_proof);
        self.power.encode(w);
    }
}

impl Encode for CronEvents {
    fn encode(&self, w: &mut Writer) {
        w.array(self.0.len() as u64);
        for (miner, payload) in &self.0 {
            w.array(2);
            w.uint(*miner);
            w.bytes(payload);
        }
    }
}

impl Encode for PowerState {
    fn encode(&self, w: &mut Writer) {
        w.array(9);
        self.claims.encode(w);
        self.total.encode(w);
        self.committed.encode(w);
        w.uint(self.above_min);
        self.pledge.encode(w);
        self.this_epoch.encode(w);
        self.this_epoch_pledge.encode(w);
        self.cron.encode(w);
        w.int(self.first_cron_epoch);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn state(claims: &[(ActorID, u128)]) -> PowerState {
        let mut state = PowerState::default();
        for (miner, bytes) in claims {
            state.claims.to_mut().0.insert(*miner, Claim::default());
            assert!(state.add_power(*miner, &Power::of_bytes(*bytes), 100));
        }
        state
    }

    #[test]
    fn small_miners_count_while_few_are_large() {
        let mut power = state(&[(1, 100), (2, 200), (3, 300), (4, 50)]);
        assert_eq!((power.above_min, power.counted().raw.clone()), (3, 650.into()));
        assert!(power.has_min_power(4, 100));
        assert!(power.add_power(4, &Power::of_bytes(50), 100));
        assert_eq!((power.above_min, power.counted().raw.clone()), (4, 700.into()));
        let loss = Power { raw: (-1).into(), quality_adjusted: (-1).into() };
        assert!(power.add_power(4, &loss, 100));
        assert_eq!(power.counted().raw, 699.into(), "three are left");
        assert!(power.has_min_power(1, 100) && !power.has_min_power(9, 100));
    }

    #[test]
    fn no_power_below_nothing() {
        let mut power = state(&[(1, 100)]);
        let before = power.clone();
        let loss = Power { raw: (-101).into(), quality_adjusted: 0.into() };
        assert!(!power.add_power(1, &loss, 100));
        assert!(!power.add_power(2, &Power::of_bytes(1), 100));
        assert_eq!(power, before);
    }
}
