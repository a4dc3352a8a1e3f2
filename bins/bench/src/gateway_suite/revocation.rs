//! From the revocation of a token at the accounts to the end of the sockets that rest on it.

use std::time::{Duration, Instant};

use secrecy::SecretString;
use tokio::time::timeout;
use venus_auth::client::{AuthClient, ClientConfig};
use venus_core::rpc::ChannelEvent;

use super::Scale;
use super::auth::{self, Accounts, Store};
use super::child::Child;
use super::hub;
use super::load::connect;
use super::role::Role;
use super::wallet::listen;
use crate::measure::{BenchError, Measure, Names, measure_of};
use crate::report::Target;

const NAMES: Names = Names { measure: "revocation", baseline: "1 s" };
const BOUND: f64 = 1000.0;
/// After which it counts as never.
const NEVER: Duration = Duration::from_secs(60);

/// Accounts, hub and wallet in three processes; the time until the wallet's channel and socket are gone.
pub(super) async fn measure(scale: &Scale) -> Result<Vec<Measure>, BenchError> {
    let times = scale.rounds.clamp(1, 20) as usize;
    let config = auth::Config { store: Store::Memory, wallets: times };
    let (service, accounts): (_, Accounts) = Child::start(NAMES, &Role::Auth(config)).await?;
    let config = hub::Config { verifies: false, accounts: hub::From::Service(accounts.clone()) };
    let (hub, ready): (_, hub::Ready) = Child::start(NAMES, &Role::Hub(config)).await?;
    let address = accounts.address.map(|address| format!("http://{address}")).unwrap_or_default();
    let admin = SecretString::from(accounts.admin.clone());
    let client = AuthClient::new(&[address], admin, ClientConfig::default());
    let client = client.map_err(|error| NAMES.input(error))?;
    let (mut rounds, mut longest) = (Vec::new(), 0.0_f64);
    for token in &accounts.wallets {
        let time = one(&ready, &client, token).await?;
        longest = longest.max(time);
        rounds.push((time, BOUND));
    }
    hub.end().await?;
    service.end().await?;
    let measure = measure_of(NAMES, &rounds).unit("ms").with("longest_ms", longest);
    Ok(vec![measure.target(Target::AtMost("longest_ms", BOUND))])
}

async fn one(ready: &hub::Ready, client: &AuthClient, token: &str) -> Result<f64, BenchError> {
    let socket = connect(NAMES, &ready.url("/rpc/v1"), token).await?;
    let mut channel = listen(NAMES, &socket).await?;
    let start = Instant::now();
    client.remove_token(token).await.map_err(|error| NAMES.input(error))?;
    let closed = async {
        while let Some(Ok(event)) = channel.next().await {
            if matches!(event, ChannelEvent::Closed(_)) {
                break;
            }
        }
    };
    timeout(NEVER, closed).await.map_err(|_| NAMES.input("a revoked token's channel stayed open"))?;
    Ok(start.elapsed().as_secs_f64() * 1e3)
}
