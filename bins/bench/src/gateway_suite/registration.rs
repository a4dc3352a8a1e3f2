//! A wallet with a thousand keys, far away.

use std::time::{Duration, Instant};

use super::Scale;
use super::child::Child;
use super::hub;
use super::keys::{self, Kind};
use super::load::{Caller, connect};
use super::relay::Relay;
use super::role::Role;
use super::sign::params;
use super::wallet::Key;
use crate::measure::{BenchError, Measure, Names, measure_of};
use crate::report::Target;

const NAMES: Names = Names { measure: "register_1000_keys", baseline: "a round trip for each key" };
const KEYS: usize = 1000;
/// Half of a round trip.
const WAY: Duration = Duration::from_millis(25);

/// From the dialling to the hub's confirmation, over a network of 50 ms, against as many round trips through the same
/// network as there are keys.
pub(super) async fn measure(scale: &Scale) -> Result<Vec<Measure>, BenchError> {
    let keys = scale.crowd(KEYS);
    let mut rounds = Vec::new();
    let mut trip = 0.0;
    for _ in 0..scale.rounds.min(3) {
        let config = hub::Config { verifies: true, accounts: hub::From::Own(1) };
        let (hub, ready): (_, hub::Ready) = Child::start(NAMES, &Role::Hub(config)).await?;
        let relay = Relay::start(ready.address, WAY).await?;
        trip = round_trip(&ready, &relay).await?;
        let token = ready.accounts.wallets.first().cloned().unwrap_or_default();
        let url = format!("ws://{}/rpc/v1", relay.address);
        let role = Role::Keys(keys::Config { url, token, kind: Kind::Secp, keys });
        let (wallet, registered): (_, keys::Ready) = Child::start(NAMES, &role).await?;
        rounds.push((registered.registered, trip * keys as f64));
        wallet.end().await?;
        hub.end().await?;
    }
    let measure = measure_of(NAMES, &rounds).unit("ms").with("keys", keys as f64).with("round_trip_ms", trip);
    Ok(vec![measure.target(Target::AtMost("ours", 2000.0))])
}

/// Of a call through the relay, milliseconds.
async fn round_trip(ready: &hub::Ready, relay: &Relay) -> Result<f64, BenchError> {
    let url = format!("ws://{}{}", relay.address, hub::BARE);
    let client = connect(NAMES, &url, &ready.accounts.admin).await?;
    let calls = [params(Key::new(NAMES, 0)?.address, &[], &[])?].into();
    let caller = Caller { names: NAMES, client, method: hub::BARE_METHOD, calls };
    caller.call(0).await?;
    let start = Instant::now();
    caller.call(0).await?;
    Ok(start.elapsed().as_secs_f64() * 1e3)
}
